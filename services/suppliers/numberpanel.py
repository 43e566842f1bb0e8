"""The number panel: a number per request, and the codes by webhook. The second supplier.

It has no price, cancel, list, lifetime, order id or signature, and a GET that takes a number each time it
is called. What it does not have is declared, or comes from our settings.

Source: number panel API documentation. Where it contradicts itself or is silent, the comments say what is
assumed.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from services.certificates import trusted
from services.clock import Clock
from services.countries import to_e164
from services.errors import (
    AccessRefused,
    BadEvent,
    ProductGone,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
    WrongAddress,
)
from services.suppliers import numberpanel_wire as wire
from services.suppliers.base import (
    Capabilities,
    Event,
    Limited,
    Purchase,
    Quote,
    RemoteOrder,
    RemoteStatus,
    WebhookPost,
)
from services.suppliers.pacing import parse_retry_after

_KEY_PLACE = "key"
"""What stands for the key in every address that httpx can log or put into an error."""
_GUESSABLE = 16
"""Shorter keys can be found by trying."""
_REPEATED_WITHIN = timedelta(minutes=2)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_TIMEOUT = httpx.Timeout(30, connect=5)
_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=60)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """One row of the documented error tables, what it means to the caller, and to the operator."""

    status: int
    message: str
    kind: type[UpstreamError]
    says: str


_INIT_REFUSALS = (
    _Refusal(401, "Unauthorized", AccessRefused, "the panel, or the service behind it, refuses the key"),
    _Refusal(500, "System configuration error", UpstreamUnavailable, "the panel is not configured rightly"),
    _Refusal(500, "Service fetch failed", UpstreamUnavailable, "the service behind the panel fails"),
)
_NUMBER_REFUSALS = (
    _Refusal(400, "user_id is required", AccessRefused, "it wants a user: set NUMBERPANEL_USER_ID"),
    _Refusal(400, "country_id is required", UpstreamRefused, "it did not see the country"),
    _Refusal(
        401, "Invalid api_key", AccessRefused, "the key is wrong, or its user is not active and approved"
    ),
    _Refusal(401, "Missing or invalid credentials", AccessRefused, "the key alone is not enough for it"),
    _Refusal(403, "Manager inactive", AccessRefused, "our manager there is inactive: write to its support"),
    _Refusal(
        404, "Target user not found", AccessRefused, "NUMBERPANEL_USER_ID names no active, approved user"
    ),
    _Refusal(404, "No number received", ProductGone, "no number to be had"),
    # Either may have come after a number had been taken.
    _Refusal(500, "Could not fetch service data", UpstreamUnknown, "the service behind the panel fails"),
    _Refusal(500, "Unable to get number", UpstreamUnknown, "it failed while getting a number"),
)
"""Only the message tells apart what shares a status, and the field that it stands in is not documented: it is
looked for in the whole body. Source: sections GET /api/init and GET /api/get-number, Errors."""

_BY_STATUS: dict[int, type[UpstreamError]] = {
    401: AccessRefused,
    403: AccessRefused,
    404: ProductGone,
    429: UpstreamUnavailable,
}
"""What a status means whose message nobody documented. Init passes on any that its own upstream gives."""


class NumberPanel(Limited):
    """Sells a number of a country for one price, which is ours to know, for any service."""

    name = "numberpanel"
    setting = "NUMBERPANEL_KEY"
    capabilities = Capabilities()

    def __init__(
        self,
        *,
        key: str,
        url: str,
        cost_decimal: Decimal | None,
        currency: str,
        lifetime: timedelta,
        webhook_key: str,
        user_id: str = "",
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`cost_decimal`: of one number, in `currency`. Without it or `webhook_key` nothing is sold.

        `lifetime`: how long a code is waited for.
        """
        self._cost_decimal = cost_decimal
        self._currency = currency
        self._lifetime = lifetime
        self._webhook_key = webhook_key
        self._user_id = user_id
        self._clock = clock
        self._unknown_countries: Sequence[str] = ()
        self._http = httpx.AsyncClient(
            base_url=url,
            transport=_KeyInPath(
                key, transport or httpx.AsyncHTTPTransport(verify=trusted(), limits=_LIMITS)
            ),
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    def remarks(self) -> Sequence[str]:
        found = []
        if not self._cost_decimal:
            found.append("nothing is sold: NUMBERPANEL_COST, what a number costs us, is not set")
        if not self._webhook_key:
            found.append("nothing is sold: NUMBERPANEL_WEBHOOK_KEY is not set, so no code could come")
        elif len(self._webhook_key) < _GUESSABLE:
            found.append("NUMBERPANEL_WEBHOOK_KEY is short: who guesses it can forge codes")
        if self._unknown_countries:
            found.append(f"not sold, as nobody knows these countries: {', '.join(self._unknown_countries)}")
        return found

    async def quotes(self) -> list[Quote]:
        """Every country and each of its networks; none while no price is set, or no code could come.

        Source: section GET /api/init.
        """
        data = (await self._get("init", wire.Init, _INIT_REFUSALS, has_effect=False)).data
        self._unknown_countries = wire.unknown_countries(data)
        if not self._cost_decimal or not self._webhook_key:
            return []
        return list(wire.quotes(data, cost_decimal=self._cost_decimal, currency=self._currency))

    async def buy(self, product_ref: str, *, quantity: int, key: str) -> Purchase:
        """One number, whatever the quantity. `key` only becomes its reference: the panel knows none.

        Source: section GET /api/get-number.
        """
        product = wire.Product.parse(product_ref)
        if product is None:
            raise ProductGone("numberpanel: not a product of theirs", upstream=self.name)
        params = {"country_id": str(product.country_id), "number_format": "full"}
        if product.operator_id is not None:
            params["operator_id"] = str(product.operator_id)
        if self._user_id:
            params["user_id"] = self._user_id
        answer = await self._get("get-number", wire.Taken, _NUMBER_REFUSALS, has_effect=True, params=params)
        phone_number = to_e164(answer.data.phone_number, product.country)
        if phone_number is None:
            raise UpstreamBroken("numberpanel get-number: an unreadable number", upstream=self.name)
        now = self._clock.now()
        order = RemoteOrder(
            ref=key,
            status=RemoteStatus.ACTIVE,
            phone_number=phone_number,
            product_ref=product_ref,
            created_at=now,
            expires_at=now + self._lifetime,
        )
        return Purchase(orders=[order])

    def verify(self, post: WebhookPost) -> None:
        """There is no signature: whoever knows the path is believed, about numbers that we wait for.

        Source: section Webhook.
        """
        if not self._webhook_key or not hmac.compare_digest(post.key.encode(), self._webhook_key.encode()):
            raise WrongAddress("numberpanel: a webhook at a path that is not ours")

    def parse_event(self, body: bytes) -> Event:
        """Source: section Webhook: otp_received."""
        try:
            return wire.event(body)
        except ValidationError as exc:
            raise BadEvent("numberpanel: no event") from exc

    def delivery_id(self, body: bytes, event: Event) -> str:
        """Events bear neither id nor time, and a number may get the same SMS again: equal bodies are a
        repetition only within a short while.
        """
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        return f"{digest}:{int(self._clock.now().timestamp() // _REPEATED_WITHIN.total_seconds())}"

    async def _get(
        self,
        call: str,
        shape: type[wire.ShapeT],
        refusals: Sequence[_Refusal],
        *,
        has_effect: bool,
        params: Mapping[str, str] | None = None,
    ) -> wire.ShapeT:
        """Call once, and never again from here: it may have had its effect.

        The vendor's own words stay out of errors: they may quote anything, even the key.
        """
        lost: type[UpstreamError] = UpstreamUnknown if has_effect else UpstreamUnavailable
        what = f"{self.name} {call}"
        try:
            response = await self._http.get(f"/api/{call}/{_KEY_PLACE}", params=params, timeout=_TIMEOUT)
        except httpx.HTTPError as exc:
            kind = UpstreamUnavailable if isinstance(exc, _NEVER_SENT) else lost
            raise kind(f"{what}: {type(exc).__name__}", upstream=self.name) from exc
        if not response.is_success:
            known = _find_refusal(response, refusals)
            kind = known.kind if known else _meaning(response.status_code, lost)
            says = known.says if known else f"HTTP {response.status_code}"
            retry_after = parse_retry_after(response.headers.get("Retry-After"), self._clock.now())
            raise kind(f"{what}: {says}", upstream=self.name, retry_after=retry_after)
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as exc:
            raise UpstreamBroken(f"{what}: unreadable answer", upstream=self.name) from exc


def _find_refusal(response: httpx.Response, refusals: Sequence[_Refusal]) -> _Refusal | None:
    body = response.text.casefold()
    same = (refusal for refusal in refusals if refusal.status == response.status_code)
    return next((refusal for refusal in same if refusal.message.casefold() in body), None)


def _meaning(status: int, lost: type[UpstreamError]) -> type[UpstreamError]:
    return _BY_STATUS.get(status) or (lost if status >= 500 else UpstreamRefused)


class _KeyInPath(httpx.AsyncBaseTransport):
    """Puts the key into the address below all that logs addresses or names them in errors."""

    def __init__(self, key: str, inner: httpx.AsyncBaseTransport) -> None:
        self._key = quote(key, safe="").encode()
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.partition(b"?")
        whole = path.removesuffix(_KEY_PLACE.encode()) + self._key + (b"?" + query if query else b"")
        return await self._inner.handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(raw_path=whole),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    async def aclose(self) -> None:
        await self._inner.aclose()

"""smscode.gg, API v1: the main supplier.

Source: smscode API v1 documentation. What the vendor publishes beside it and later (more error codes,
more fields, `+00:00` timestamps, lower-case country codes) is tolerated and never required.
"""

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count, islice
from typing import TypeVar

import httpx
import msgspec
import stamina
from pydantic import ValidationError

from services.certificates import trusted
from services.clock import Clock
from services.errors import (
    AccessRefused,
    BadEvent,
    BadSignature,
    CancelTooEarly,
    ProductGone,
    RemoteOrderNotFound,
    SupplierBroke,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
    WrongAddress,
)
from services.suppliers import smscode_wire as wire
from services.suppliers.base import (
    Balance,
    Capabilities,
    Event,
    Purchase,
    Quote,
    RemoteOrder,
    RemoteStatus,
    WebhookPost,
    WebhookState,
)
from services.suppliers.pacing import Pacer, parse_retry_after

_ORDERS_PER_PAGE = 100

_LIMITS_PER_MINUTE = {
    "catalog": 1200,
    "balance": 600,
    "order reads": 1200,
    "order create": 1200,
    "order cancel": 600,
    "order actions": 600,
    "webhook config": 120,
}
"""What the vendor counts together. Source: section Rate limits."""

_ERRORS: dict[str, type[UpstreamError]] = {
    "UNAUTHORIZED": AccessRefused,
    "FORBIDDEN": AccessRefused,
    "INSUFFICIENT_BALANCE": SupplierBroke,
    "CANCEL_TOO_EARLY": CancelTooEarly,
    "NO_OFFER_AVAILABLE": ProductGone,
    "REQUEST_IN_PROGRESS": UpstreamUnknown,
    "INTERNAL_ERROR": UpstreamUnknown,
    "RATE_LIMIT_EXCEEDED": UpstreamUnavailable,
    "SERVICE_UNAVAILABLE": UpstreamUnavailable,
}
"""Codes that are not here are plain refusals. Source: section Error codes."""

_CREATE_ERRORS = _ERRORS | {
    "NOT_FOUND": ProductGone,
    "PROVIDER_ERROR": ProductGone,
    # Perhaps with our own earlier request, which bought the number.
    "CONFLICT": UpstreamUnknown,
}
_ORDER_ERRORS = _ERRORS | {"NOT_FOUND": RemoteOrderNotFound}

_CODES_BY_STATUS = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    408: "INTERNAL_ERROR",
    409: "CONFLICT",
    429: "RATE_LIMIT_EXCEEDED",
    503: "SERVICE_UNAVAILABLE",
}
"""What to take a code for that came to be after this program."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """Where it is, which limit it counts against, and what its error codes mean."""

    method: str
    path: str
    group: str
    errors: Mapping[str, type[UpstreamError]] = field(default_factory=lambda: _ERRORS)
    read_seconds: float = 15

    def __str__(self) -> str:
        return f"smscode {self.method} {self.path}"

    @property
    def has_effect(self) -> bool:
        return self.method != "GET"


_COUNTRIES = _Endpoint("GET", "/catalog/countries", "catalog")
_SERVICES = _Endpoint("GET", "/catalog/services", "catalog")
_PRODUCTS = _Endpoint("GET", "/catalog/products", "catalog")
_EXCHANGE_RATE = _Endpoint("GET", "/catalog/exchange-rate", "catalog")
_BALANCE = _Endpoint("GET", "/balance", "balance")
_ORDERS = _Endpoint("GET", "/orders", "order reads")
_ACTIVE_ORDERS = _Endpoint("GET", "/orders/active", "order reads")
_CREATE = _Endpoint("POST", "/orders/create", "order create", _CREATE_ERRORS, read_seconds=30)
_CANCEL = _Endpoint("POST", "/orders/cancel", "order cancel", _ORDER_ERRORS)
_FINISH = _Endpoint("POST", "/orders/finish", "order actions", _ORDER_ERRORS)
_RESEND = _Endpoint("POST", "/orders/resend", "order actions", _ORDER_ERRORS)
_WEBHOOK = _Endpoint("GET", "/webhook", "webhook config")
_SET_WEBHOOK = _Endpoint("PATCH", "/webhook", "webhook config")
_TEST_WEBHOOK = _Endpoint("POST", "/webhook/test", "webhook config")


def _order(order_id: int) -> _Endpoint:
    return _Endpoint("GET", f"/orders/{order_id}", "order reads", _ORDER_ERRORS)


ShapeT = TypeVar("ShapeT", bound=wire.Shape | wire.LongList)
ElementT = TypeVar("ElementT", bound=wire.Shape)


class SmsCode:
    """The vendor's whole documented API behind the supplier port.

    Reads are repeated a little in here, and one without an answer is `UpstreamUnavailable`: there is
    nothing to look up. Calls with an effect are sent once; to repeat them is their caller's decision.
    """

    name = "smscode"
    setting = "SMSCODE_TOKEN"
    capabilities = Capabilities(
        services=True,
        cancel=True,
        finish=True,
        resend=True,
        lookup=True,
        idempotent=True,
        several=True,
        balance=True,
        webhook_setup=True,
        cancel_after=timedelta(minutes=2),
    )

    def __init__(
        self,
        *,
        token: str,
        url: str = "https://api.smscode.gg/v1",
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not re.fullmatch(r"[!-~]+", token):
            # h11 would refuse it later, in an error that quotes the whole header.
            raise ValueError("the smscode token is empty or has characters that no header can carry")
        self._clock = clock
        self._pacers = {
            group: Pacer(limit, per=timedelta(minutes=1), sleep=sleep)
            for group, limit in _LIMITS_PER_MINUTE.items()
        }
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=60),
            transport=transport,
            verify=trusted(),
        )

    def remarks(self) -> Sequence[str]:
        return ()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def quotes(self) -> list[Quote]:
        """Source: sections GET /catalog/countries, /catalog/services and /catalog/products."""
        countries = await self._read(_COUNTRIES, wire.Answer[list[wire.Country]])
        services = await self._read(_SERVICES, wire.Answer[list[wire.Service]])
        products = await self._products()
        quotes = wire.quotes(products, countries=countries.data, services=services.data)
        found: list[Quote] = []
        while part := list(islice(quotes, wire.PART)):
            found += part
            await asyncio.sleep(0)
        return found

    async def _products(self) -> Iterable[wire.Product]:
        found: dict[str, wire.Product] = {}
        for number in count(1):
            # By name, because prices and stock move while the pages are turned.
            page = await self._read(
                _PRODUCTS, wire.LongList, sort="name_asc", limit=wire.PRODUCTS_PER_PAGE, page=number
            )
            known = len(found)
            async for part in self._parts(_PRODUCTS, page.data, wire.Product):
                found.update((product.id, product) for product in part)
            # Later versions may grant less than the limit asked for, and say so in `meta`. A page that
            # brings nothing new would come back for ever.
            if len(page.data) < min(page.meta.limit, wire.PRODUCTS_PER_PAGE) or len(found) == known:
                break
        return found.values()

    async def exchange_rate(self, base: str, quote: str) -> Decimal | None:
        """Source: section GET /catalog/exchange-rate."""
        try:
            answer = await self._read(_EXCHANGE_RATE, wire.Answer[wire.Rate], pair=f"{base}/{quote}")
        except UpstreamRefused as exc:
            if exc.code == "NOT_FOUND":
                return None
            raise
        rate = answer.data
        # The pair has a default, and the rate of another pair would be wrong by orders of magnitude.
        if (rate.base_currency, rate.quote_currency) != (base, quote):
            raise UpstreamBroken(f"{_EXCHANGE_RATE}: the rate of another pair", upstream=self.name)
        return rate.rate

    async def balance(self) -> Balance:
        """Source: section GET /balance."""
        answer = await self._read(_BALANCE, wire.Answer[wire.Funds])
        return Balance(amount_decimal=Decimal(answer.data.balance), currency=answer.data.currency)

    async def buy(self, product_ref: str, *, quantity: int, key: str) -> Purchase:
        """The answer tells no price, and a success without a single number is ProductGone.

        Source: section POST /orders/create.
        """
        answer = await self._send(
            _CREATE,
            wire.Answer[wire.Created],
            json={"product_id": _id(product_ref, ProductGone), "quantity": quantity},
            headers={"Idempotency-Key": _idempotency_key(key)},
        )
        if not answer.data.orders:
            raise ProductGone(f"{_CREATE}: no number obtained", upstream=self.name)
        return Purchase(orders=[wire.remote_order(order) for order in answer.data.orders])

    async def get_order(self, ref: str) -> RemoteOrder:
        """With the code but, in the documented version, without the text of the SMS.

        Source: section GET /orders/{id}.
        """
        answer = await self._read(_order(_id(ref, RemoteOrderNotFound)), wire.Answer[wire.Order])
        return wire.remote_order(answer.data)

    async def open_orders(self) -> list[RemoteOrder]:
        """With the text of the SMS, but without phone number, product and price.

        Source: section GET /orders/active.
        """
        answer = await self._read(_ACTIVE_ORDERS, wire.LongList)
        parts = self._parts(_ACTIVE_ORDERS, answer.data, wire.Order)
        return [wire.remote_order(order) async for part in parts for order in part]

    async def orders_since(self, since: datetime) -> list[RemoteOrder]:
        """Source: section GET /orders."""
        since = since.replace(microsecond=0)  # their timestamps are whole seconds
        found: dict[str, RemoteOrder] = {}
        for offset in count(0, _ORDERS_PER_PAGE):
            page = await self._read(
                _ORDERS, wire.Answer[list[wire.Order]], limit=_ORDERS_PER_PAGE, offset=offset
            )
            # An order made meanwhile pushes others to the next page, where they come a second time.
            new = {order.id: wire.remote_order(order) for order in page.data if order.id not in found}
            found |= new
            if (
                len(page.data) < _ORDERS_PER_PAGE
                or not new
                or any(_is_older(order, since) for order in new.values())
            ):
                break
        return [order for order in found.values() if not _is_older(order, since)]

    async def cancel(self, ref: str) -> None:
        """A plain UpstreamRefused may mean that a code came first: read the order again.

        Source: section POST /orders/cancel.
        """
        await self._settle(_CANCEL, ref, RemoteStatus.CANCELED)

    async def finish(self, ref: str) -> None:
        """Source: section POST /orders/finish."""
        await self._settle(_FINISH, ref, RemoteStatus.COMPLETED)

    async def _settle(self, endpoint: _Endpoint, ref: str, wanted: RemoteStatus) -> None:
        answer = await self._send(
            endpoint, wire.Answer[wire.Outcome], json={"id": _id(ref, RemoteOrderNotFound)}
        )
        if (answer.data.order_id, answer.data.status) != (ref, wanted):
            raise UpstreamUnknown(f"{endpoint}: order {ref} may not be {wanted}", upstream=self.name)

    async def resend(self, ref: str) -> bool:
        """Source: section POST /orders/resend."""
        answer = await self._send(
            _RESEND, wire.Answer[wire.Resent], json={"id": _id(ref, RemoteOrderNotFound)}
        )
        return answer.data.resent

    async def webhook(self) -> WebhookState:
        """Source: section GET /webhook."""
        answer = await self._read(_WEBHOOK, wire.Answer[wire.WebhookConfig])
        return wire.webhook_state(answer.data)

    async def set_webhook(self, *, url: str, secret: str) -> WebhookState:
        """An empty `url` clears it; with an empty `secret` the supplier chooses one.

        Source: section PATCH /webhook.
        """
        wanted = {"webhook_url": url} | ({"webhook_secret": secret} if secret else {})
        answer = await self._send(_SET_WEBHOOK, wire.Answer[wire.WebhookConfig], json=wanted)
        return wire.webhook_state(answer.data)

    async def test_webhook(self) -> int:
        """0 where our server gave no status at all.

        Source: section POST /webhook/test.
        """
        answer = await self._send(_TEST_WEBHOOK, wire.Answer[wire.WebhookTest])
        return answer.data.status_code or 0

    def verify(self, post: WebhookPost) -> None:
        """Source: section Signature."""
        if post.key:
            raise WrongAddress("smscode: its webhooks have no key in their path")
        expected = "sha256=" + hmac.digest(post.secret.encode(), post.body, "sha256").hex()
        given = post.headers.get("x-webhook-signature", "").encode(errors="replace")
        if not post.secret or not hmac.compare_digest(expected.encode(), given):
            raise BadSignature("smscode: missing or wrong signature")

    def parse_event(self, body: bytes) -> Event:
        """An SMS bears the time of the notice, which has no other.

        Source: section Webhook events.
        """
        try:
            return wire.event(body)
        except wire.NOT_READ:
            # Nothing of the body may reach a log, and the cause may quote it.
            raise BadEvent("smscode: signed, but no event") from None

    def delivery_id(self, body: bytes, event: Event) -> str:
        """Each event bears its time, so that equal bodies are one event."""
        # The order goes first, so that events of one time lie together in the index: random keys would
        # have nearly every row of a commit write a page of its own.
        return f"{event.order_ref or ''}:{hashlib.blake2b(body, digest_size=16).hexdigest()}"

    async def _parts(
        self, endpoint: _Endpoint, elements: list[msgspec.Raw], shape: type[ElementT]
    ) -> AsyncIterator[list[ElementT]]:
        """A long list's elements; between its parts the event loop has its turn."""
        try:
            for part in wire.parts(elements, shape):
                await asyncio.sleep(0)
                yield part
        except ValidationError as exc:
            raise self._translate(exc, endpoint) from exc

    async def _read(self, endpoint: _Endpoint, shape: type[ShapeT], **params: str | int) -> ShapeT:
        return await _retrying(_worth_repeating, self._send, endpoint, shape, params=params)

    async def _send(
        self,
        endpoint: _Endpoint,
        shape: type[ShapeT],
        *,
        params: Mapping[str, str | int] | None = None,
        json: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ShapeT:
        await self._pacers[endpoint.group].wait()
        try:
            response = await self._http.request(
                endpoint.method,
                endpoint.path,
                params=params,
                json=json,
                headers=headers,
                timeout=httpx.Timeout(endpoint.read_seconds, connect=5),
            )
            response.raise_for_status()
            # The end of a long answer takes as long as to read it: others have their turn in between.
            await asyncio.sleep(0)
            return shape.model_validate_json(response.content)  # type: ignore[return-value]
        except (httpx.HTTPError, ValidationError, msgspec.DecodeError) as exc:
            raise self._translate(exc, endpoint) from exc

    def _translate(
        self, exc: httpx.HTTPError | ValueError | msgspec.DecodeError, endpoint: _Endpoint
    ) -> UpstreamError:
        """What a failure means to the caller, without the vendor's own words: they may quote anything."""
        code, retry_after = None, None
        if isinstance(exc, httpx.HTTPStatusError):
            code = _error_code(exc.response)
            retry_after = parse_retry_after(exc.response.headers.get("Retry-After"), self._clock.now())
            kind = _meaning(exc.response.status_code, code, endpoint.errors)
            what = f"HTTP {exc.response.status_code} {code or 'without a code'}"
        elif isinstance(exc, httpx.TransportError):
            kind = UpstreamUnavailable if isinstance(exc, _NEVER_SENT) else UpstreamUnknown
            what = type(exc).__name__
        else:
            kind, what = UpstreamBroken, "unreadable answer"
        if kind is UpstreamUnknown and not endpoint.has_effect:
            kind = UpstreamUnavailable
        return kind(f"{endpoint}: {what}", upstream=self.name, code=code, retry_after=retry_after)


_retrying = stamina.AsyncRetryingCaller(
    attempts=3, timeout=10.0, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
)
_PATIENCE = timedelta(seconds=3)


def _worth_repeating(exc: Exception) -> bool | timedelta:
    """Whether to read again, or after how long; waits beyond our patience are the caller's to plan."""
    if not isinstance(exc, UpstreamUnavailable):
        return False
    if exc.retry_after is None:
        return True
    return exc.retry_after if exc.retry_after <= _PATIENCE else False


def _meaning(status: int, code: str | None, errors: Mapping[str, type[UpstreamError]]) -> type[UpstreamError]:
    known = _CODES_BY_STATUS.get(status, "INTERNAL_ERROR" if status >= 500 else "")
    if code is None and known in ("", "NOT_FOUND", "CONFLICT"):
        return UpstreamBroken  # not the vendor's word but some proxy's: nothing follows from it
    return errors.get(code or known) or errors.get(known) or UpstreamRefused


def _error_code(response: httpx.Response) -> str | None:
    try:
        return wire.Failure.model_validate_json(response.content).error.code
    except ValidationError:
        return None


def _is_older(order: RemoteOrder, moment: datetime) -> bool:
    return order.created_at is not None and order.created_at < moment


def _id(ref: str, absent: type[UpstreamRefused]) -> int:
    """Their ids are numbers: anything else names nothing of theirs, and has no place in a path."""
    if not re.fullmatch(r"[1-9][0-9]{0,18}", ref):
        raise absent("smscode: not an id of theirs", upstream=SmsCode.name)
    return int(ref)


def _idempotency_key(key: str) -> str:
    """Later versions of the API refuse other characters and longer keys."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,128}", key):
        return key
    return hashlib.sha256(key.encode()).hexdigest()

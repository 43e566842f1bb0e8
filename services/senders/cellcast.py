"""Cellcast: a sender of SMS to Australian mobiles.

Source: Cellcast API documentation. A call has worked where the HTTP status is a success AND the answer's
own status is true: it documents failures that have only one of them. Which failure it was, only its text
tells. What it publishes outside that documentation is tolerated and never required.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import stamina
from pydantic import ValidationError

from services.certificates import trusted
from services.clock import Clock
from services.errors import (
    AccessRefused,
    NameInvalid,
    NameRequired,
    NoCredit,
    NumberInvalid,
    NumberRequired,
    NumberTaken,
    OtpRefused,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.senders import cellcast_wire as wire
from services.senders.base import Outcome, Receipt, Text, Usage
from services.suppliers.pacing import parse_retry_after

_VERIFY_TOKEN = "GET /api/v1/user/token/verify"
_SEND = "POST /api/v1/gateway"
_USAGE = "GET /api/v2/report/message/quick-api-credit-usage"
_ADD_NAME = "POST /api/v1/business/add"
_ADD_NUMBER = "POST /api/v1/customNumber/add"
_VERIFY_NUMBER = "POST /api/v1/customNumber/verifyCustomNumber"

_REFUSALS: dict[str, type[UpstreamRefused]] = {
    "Your balance is too low for this request, please recharge.": NoCredit,
    "Busniess Name is required!": NameRequired,
    "Name is required": NameRequired,
    "Name is Required": NameRequired,
    "Mobile number is required": NumberRequired,
    "Number is Required": NumberRequired,
    "Mobile number is not valid": NumberInvalid,
    "Number already exist in system": NumberTaken,
    "OTP verification failed": OtpRefused,
}
"""The documented texts, to the letter. Others are plain refusals."""

_BY_STATUS: dict[int, type[UpstreamError]] = {
    401: AccessRefused,
    403: AccessRefused,
    408: UpstreamUnknown,
    429: UpstreamUnavailable,
    503: UpstreamUnavailable,
}
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_SENDER_NAME = r"[A-Za-z0-9 -]{3,11}"


class Cellcast:
    """All six documented calls behind the sender port: it is also `Metered` and has `SenderIds`.

    The vendor cannot recognise a repeated text, so what has an effect is sent once. Reads are repeated a
    little in here.
    """

    name = "cellcast"
    countries: frozenset[str] | None = frozenset({"AU"})
    contacts_per_call = 1000
    heeds_stop = True

    def __init__(
        self,
        *,
        token: str,
        url: str = "https://api.cellcast.com",
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not re.fullmatch(r"[!-~]+", token):
            # h11 would refuse it later, in an error that quotes the whole header.
            raise ValueError("the Cellcast token is empty or has characters that no header can carry")
        self._clock = clock
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(30, connect=5),
            transport=transport,
            verify=trusted(),
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def check(self) -> None:
        """Source: section Verify Token."""
        await self._read(_VERIFY_TOKEN)

    async def send(self, text: Text) -> list[Receipt]:
        """ACCEPTED means queued with the vendor; it does not tell how a text fared after that.

        Source: section Quick Send SMS.
        """
        assert len(text.contacts) <= self.contacts_per_call
        mobiles = (wire.mobile(contact.phone_number) for contact in text.contacts)
        # Once each: what becomes of repeated contacts is not documented.
        numbers = dict.fromkeys(number for number in mobiles if number)
        if not numbers:
            return [Receipt(contact, Outcome.INVALID) for contact in text.contacts]
        answer = await self._send(_SEND, json=wire.body(text, numbers))
        try:
            return list(wire.receipts(wire.Batch.model_validate(answer.data), text.contacts))
        except ValidationError as exc:
            raise self._unreadable(_SEND) from exc

    async def usage(self) -> list[Usage]:
        """By custom string or token, as far as one page goes: how to ask for the next is not documented.

        Source: section API Token SMS Credit Usage.
        """
        answer = await self._read(_USAGE, campType="sms")
        try:
            return wire.usage(wire.UsagePage.model_validate(answer.data))
        except ValidationError as exc:
            raise self._unreadable(_USAGE) from exc

    async def request_name(self, name: str, *, phone_number: str | None = None) -> None:
        """Whether it was approved, the vendor's people tell by other ways.

        Source: section Business Name.
        """
        if not re.fullmatch(_SENDER_NAME, name):
            raise NameInvalid("cellcast: 3 to 11 letters, digits, spaces or dashes", upstream=self.name)
        wanted = {"businessname": name}
        if phone_number:
            wanted["customerContact"] = self._own_number(phone_number)
        await self._send(_ADD_NAME, json=wanted)

    async def add_number(self, name: str, phone_number: str) -> bool:
        """Only the words of the answer tell whether an OTP was sent.

        Source: section Custom Number Add.
        """
        wanted = {"name": name, "number": self._own_number(phone_number)}
        return "otp" not in (await self._send(_ADD_NUMBER, json=wanted)).message.lower()

    async def verify_number(self, name: str, phone_number: str, *, otp: str) -> None:
        """Source: section Verify Custom Number."""
        wanted = {"name": name, "number": self._own_number(phone_number), "otp": otp}
        await self._send(_VERIFY_NUMBER, json=wanted)

    def _own_number(self, phone_number: str) -> str:
        number = wire.mobile(phone_number)
        if number is None:
            raise NumberInvalid("cellcast: not an Australian mobile number", upstream=self.name)
        return number

    async def _read(self, endpoint: str, **params: str) -> wire.Answer:
        return await _retrying(UpstreamUnavailable, self._send, endpoint, params=params)

    async def _send(
        self,
        endpoint: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> wire.Answer:
        method, path = endpoint.split()
        try:
            response = await self._http.request(method, path, params=params, json=json)
        except httpx.HTTPError as exc:
            raise self._not_answered(exc, endpoint) from exc
        answer = _answer(response)
        if response.is_success and answer and answer.status:
            return answer
        raise self._failure(response, answer, endpoint)

    def _not_answered(self, exc: httpx.HTTPError, endpoint: str) -> UpstreamError:
        never = isinstance(exc, _NEVER_SENT) or _is_read(endpoint)
        kind = UpstreamUnavailable if never else UpstreamUnknown
        return kind(f"cellcast {endpoint}: {type(exc).__name__}", upstream=self.name)

    def _failure(self, response: httpx.Response, answer: wire.Answer | None, endpoint: str) -> UpstreamError:
        """What it means to the caller. Only documented texts are quoted: others may hold anything."""
        complaint = _complaint(response)
        kind = _REFUSALS.get(complaint or "") or _meaning(response, answer, complaint)
        if kind is UpstreamUnknown and _is_read(endpoint):
            kind = UpstreamUnavailable
        code = complaint if complaint in _REFUSALS else None
        what = f"HTTP {response.status_code} {code or ''}".rstrip()
        retry_after = parse_retry_after(response.headers.get("Retry-After"), self._clock.now())
        return kind(f"cellcast {endpoint}: {what}", upstream=self.name, code=code, retry_after=retry_after)

    def _unreadable(self, endpoint: str) -> UpstreamBroken:
        return UpstreamBroken(f"cellcast {endpoint}: unreadable answer", upstream=self.name)


_retrying = stamina.AsyncRetryingCaller(
    attempts=3, timeout=10.0, wait_initial=0.2, wait_max=2.0, wait_jitter=0.2
)


def _is_read(endpoint: str) -> bool:
    return endpoint.startswith("GET")


def _answer(response: httpx.Response) -> wire.Answer | None:
    try:
        return wire.Answer.model_validate_json(response.content)
    except ValidationError:
        return None


def _complaint(response: httpx.Response) -> str | None:
    try:
        return wire.Complaint.model_validate_json(response.content).message
    except ValidationError:
        return None


def _meaning(
    response: httpx.Response, answer: wire.Answer | None, complaint: str | None
) -> type[UpstreamError]:
    """Of a failure whose text is not documented."""
    if kind := _BY_STATUS.get(response.status_code):
        return kind
    if response.is_server_error:
        return UpstreamUnknown
    refused = complaint if response.is_client_error else answer
    # Otherwise not the vendor's word but some proxy's, or no word at all: nothing follows from it.
    return UpstreamRefused if refused else UpstreamBroken

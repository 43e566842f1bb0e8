"""The vendor that the adapter's tests talk to: it answers in the bodies of the documentation."""

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import stamina

from services.senders.base import Contact, Text
from services.senders.cellcast import Cellcast

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
TOKEN = "t0ken-t0ken"
PHONE = "+61400000000"
HEAD = {
    "app_type": "web",
    "app_version": "1.0",
    "maintainence": 0,
    "new_version": 0,
    "force_update": 0,
    "invalid_token": 0,
    "refresh_token": "",
    "show_message": 0,
    "is_enc": False,
}
QUEUED = {
    "Contact": "400000000",
    "MessageId": "6752c2575e08b2d1eca6d294",
    "Result": "Message added to queue.",
    "Number": PHONE,
}
BATCH = {
    "queueResponse": [QUEUED],
    "message": "success register all valid contacts to queue",
    "invalidContacts": [],
    "unsubscribeContacts": [],
    "totalValidContact": 1,
    "totalInvalidContact": 0,
    "totalUnsubscribeContact": 0,
}
EXPIRED = {"code": 401, "message": "Token expired", "stack": "APIError: Token expired ...."}
BAD_CONTACTS = {
    "code": 400,
    "message": "Contacts must either start with 61 or +61 and be exactly 11 digits long (e.g., 614xxxxxxxx "
    "or +614xxxxxxxx), or be 9 digits without the area code (e.g., 4xxxxxxxx)",
    "stack": "APIError: Contacts are required.",
}
NUMBER_EXISTS = {name: value for name, value in HEAD.items() if not name.startswith("app_")} | {
    "status": True,
    "message": "Number already exist in system",
    "message_type": "toast",
    "data": {"invalid_token": 0, "refresh_token": "", "app_type": "web", "app_version": "1.0"},
    "error": {},
}


class FixedClock:
    def now(self) -> datetime:
        return NOW


class Vendor:
    """Gives the same answer to everything and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(answer, httpx.Response):
            return answer
        raise answer

    @property
    def asked(self) -> tuple[str, str]:
        """Method and path of the only request."""
        (request,) = self.requests
        return request.method, request.url.raw_path.decode()

    @property
    def sent(self) -> Any:
        """The only request's body."""
        (request,) = self.requests
        return json.loads(request.content)


@asynccontextmanager
async def cellcast_over(answer: Any):
    vendor = Vendor(answer)
    sender = Cellcast(token=TOKEN, clock=FixedClock(), transport=httpx.MockTransport(vendor))
    try:
        with stamina.set_testing(True, attempts=3, cap=True):
            yield sender, vendor
    finally:
        await sender.aclose()


def success(message: str, data: Any, **head: Any) -> httpx.Response:
    body = {"status": True, "message": message, "message_type": "toast", "data": data, "error": {}}
    return httpx.Response(200, json=HEAD | head | body)


def failure(status: int, message: str, error: dict[str, str], **head: Any) -> httpx.Response:
    body = {"status": False, "message_type": "toast", "message": message, "data": {}, "error": error}
    return httpx.Response(status, json=HEAD | head | body)


def queued(**changes: Any) -> httpx.Response:
    return success("Request is being processed", BATCH | changes)


def text(*numbers: str, body: str = "Hi", **details: Any) -> Text:
    """Contacts are counted from 1; one that can be reached by default."""
    contacts = tuple(Contact(id, number) for id, number in enumerate(numbers or (PHONE,), start=1))
    return Text(body, contacts, **details)

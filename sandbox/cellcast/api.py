"""The six endpoints. Source: Cellcast API documentation."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.cellcast import account as rules
from sandbox.cellcast.account import Account, Batch
from sandbox.cellcast.errors import (
    BAD_CONTACTS,
    EXPIRED,
    UNDOCUMENTED,
    ApiError,
    Shape,
    envelope,
    name_missing,
    number_exists,
    raw,
    refused,
)
from sandbox.trouble import TroubleMiddleware

Handler = Callable[[Request], Awaitable[Response]]

MOST_CONTACTS = 1000
LONGEST_DELAY = timedelta(days=1)
_PAGE = 10
_NO_TAG = "api"
"""What texts without a custom string are counted under; the documentation shows names like "zapier"."""


class Api:
    """The account of one token over HTTP."""

    def __init__(self, account: Account, *, token: str) -> None:
        self.account = account
        self.token = token
        self.app = Starlette(
            routes=self._routes(),
            middleware=[Middleware(TroubleMiddleware, trouble=account.trouble, refuse=_refuse)],
            exception_handlers={ApiError: _answer_error},
        )

    def _routes(self) -> list[Route]:
        endpoints: list[tuple[str, str, Handler]] = [
            ("GET", "/api/v1/user/token/verify", self.verify_token),
            ("POST", "/api/v1/gateway", self.send),
            ("GET", "/api/v2/report/message/quick-api-credit-usage", self.usage),
            ("POST", "/api/v1/business/add", self.add_business),
            ("POST", "/api/v1/customNumber/add", self.add_number),
            ("POST", "/api/v1/customNumber/verifyCustomNumber", self.verify_number),
        ]
        return [Route(path, self._admit(handler), methods=[method]) for method, path, handler in endpoints]

    def _admit(self, handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {self.token}":
                raise raw(401, EXPIRED)
            self.account.agenda.run_due()
            answer = await handler(request)
            self.account.agenda.run_due()
            return answer

        return endpoint

    async def verify_token(self, request: Request) -> Response:
        return JSONResponse(envelope("Token verified successfully!", {"token": self.token}))

    async def send(self, request: Request) -> Response:
        body = await _json(request)
        contacts = _contacts(body)
        message = body.get("message")
        if not isinstance(message, str) or not message:
            raise raw(400, "Message is required.")
        sender = body.get("sender") or rules.SHARED
        if not self.account.may_send_as(sender):
            raise raw(400, "Sender is not valid.")
        batch = self.account.send(
            message,
            contacts,
            sender=sender,
            tag=body.get("customString") or _NO_TAG,
            send_at=_send_at(body, self.account.agenda.clock.now()),
        )
        return JSONResponse(envelope("Request is being processed", _queued(batch)))

    async def usage(self, request: Request) -> Response:
        items = rules.shape_of_usage(self.account.usage)
        paging = {
            "limit": _PAGE,
            "current": 1,
            "totalPages": max(1, -(-len(items) // _PAGE)),
            "pagingCounter": 1,
            "hasPrevPage": False,
            "hasNextPage": len(items) > _PAGE,
            "offset": 0,
            "prevPage": None,
            "nextPage": 2 if len(items) > _PAGE else None,
        }
        return JSONResponse(envelope("Success", {"items": items[:_PAGE], "total": len(items), **paging}))

    async def add_business(self, request: Request) -> Response:
        """The documentation's own example is longer than the documentation allows, and is taken."""
        body = await _json(request)
        name = body.get("businessname")
        if not name:
            raise name_missing()
        self.account.names.setdefault(name, "REQUESTED")
        now = _moment(self.account.agenda.clock.now())
        user = "67458f462d96c90000000000"
        data = {
            "isDeleted": False,
            "isDefault": False,
            "_id": self.account.new_id(),
            "businessname": name,
            "user": user,
            "requestedAt": now,
            "status": "REQUESTED",
            "createdBy": user,
            "createdAt": now,
            "updatedAt": now,
            "__v": 0,
        }
        return JSONResponse(envelope("Request added successfully for business name!", data))

    async def add_number(self, request: Request) -> Response:
        body = await _json(request)
        if not body.get("name"):
            raise refused("Name is required", detail="name is not valid")
        if not body.get("number"):
            raise refused("Mobile number is required", key="email", detail="Mobile number is not valie")
        national = rules.national_digits(str(body["number"]))
        if national is None:
            raise refused("Mobile number is not valid")
        if national in self.account.numbers:
            raise number_exists()
        if self.account.add_number(body["name"], national):
            message, detail = "Custom number created", "Success create new custom number"
        else:
            message = detail = "OTP sent to your number successfully"
        return JSONResponse(envelope(message, {"success": True, "message": detail}, shown=True))

    async def verify_number(self, request: Request) -> Response:
        body = await _json(request)
        if not body.get("name"):
            raise refused("Name is Required", status=200, shown=True)
        if not body.get("number"):
            raise refused("Number is Required", shown=True)
        national = rules.national_digits(str(body["number"]))
        if not self.account.verify_number(body["name"], national, str(body.get("otp") or "")):
            raise refused("OTP verification failed", shown=True)
        return JSONResponse(envelope("OTP Verified Successfully!", {}))


def _contacts(body: Shape) -> list[str]:
    contacts = body.get("contacts")
    if not isinstance(contacts, list) or not contacts:
        raise raw(400, BAD_CONTACTS, "Contacts are required.")
    if len(contacts) > MOST_CONTACTS:
        raise raw(400, f"At most {MOST_CONTACTS} contacts are allowed.")
    contacts = [str(contact) for contact in contacts]
    if not any(rules.contact_digits(contact) for contact in contacts):
        raise raw(400, BAD_CONTACTS, "Contacts are required.")
    return contacts


def _send_at(body: Shape, now: datetime) -> datetime:
    """UTC in either of the two documented forms, or a delay in milliseconds."""
    delay = min(timedelta(milliseconds=body.get("delay") or 0), LONGEST_DELAY)
    if not (text := body.get("scheduleAt")):
        return now + delay
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise raw(400, "scheduleAt is not valid.") from None
    return max(now, at.replace(tzinfo=at.tzinfo or UTC))


def _queued(batch: Batch) -> Shape:
    return {
        "queueResponse": [
            {"Contact": national, "MessageId": id, "Result": "Message added to queue.", "Number": number}
            for number, national, id in batch.queued
        ],
        "message": "success register all valid contacts to queue",
        "invalidContacts": batch.invalid,
        "unsubscribeContacts": batch.unsubscribed,
        "totalValidContact": len(batch.queued),
        "totalInvalidContact": len(batch.invalid),
        "totalUnsubscribeContact": len(batch.unsubscribed),
    }


async def _json(request: Request) -> dict[str, Any]:
    """What a body that is no JSON object leads to is not documented."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise raw(400, "Bad Request")
    return body


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refuse(status: int) -> Response:
    return raw(status, UNDOCUMENTED.get(status, EXPIRED)).response()


async def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()

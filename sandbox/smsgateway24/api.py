"""The ten calls, each by GET or POST. Source: smsgateway24.com API documentation, v1.0."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.smsgateway24.account import Account, Draft
from sandbox.smsgateway24.dates import Shape, read_moment, read_newsletter_moment
from sandbox.smsgateway24.devices import show_device
from sandbox.smsgateway24.errors import TOKEN_INCORRECT, ApiError
from sandbox.smsgateway24.messages import TITLES, Message, show_message
from sandbox.smsgateway24.parameters import Params, read_params
from sandbox.trouble import TroubleMiddleware

Call = Callable[[Params], Shape]
Handler = Callable[[Request], Awaitable[Response]]

_SAVED = "Sms has been saved successfully"


class Api:
    """The account over HTTP. Whatever the answer says, its status is 200."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.app = Starlette(
            routes=self._routes(),
            middleware=[Middleware(TroubleMiddleware, trouble=account.trouble, refuse=_refuse)],
            exception_handlers={ApiError: _api_error, HTTPException: _no_route},
        )

    def _routes(self) -> list[Route]:
        calls: dict[str, Call] = {
            "gettoken": self.get_token,
            "smstosend": self.send_with_login,
            "addalotofsms": self.send_many,
            "addsms": self._with_token(self.send_with_token),
            "getallsms": self._with_token(self.list_messages),
            "getsmsstatus": self._with_token(self.show_status),
            "savetag": self._with_token(self.save_tag),
            "savecontact": self._with_token(self.save_contact),
            "savepaket": self._with_token(self.save_newsletter),
            "getalldevices": self._with_token(self.list_devices),
        }
        return [
            Route(f"/getdata/{name}", self._endpoint(call), methods=["GET", "POST"])
            for name, call in calls.items()
        ]

    def _endpoint(self, call: Call) -> Handler:
        async def endpoint(request: Request) -> Response:
            # What fell due since the last request has happened, whether or not anybody ticks.
            self.account.agenda.run_due()
            return JSONResponse(call(await read_params(request)))

        return endpoint

    def _with_token(self, call: Call) -> Call:
        def checked(params: Params) -> Shape:
            self.account.access.check_token(params.text("token"))
            return call(params)

        return checked

    def get_token(self, params: Params) -> Shape:
        self._check_login(params)
        return {"error": 0, "message": "OK", "token": self.account.access.token}

    def send_with_token(self, params: Params) -> Shape:
        return _saved(self._send(params))

    def send_with_login(self, params: Params) -> Shape:
        self._check_login(params)
        return _saved(self._send(params))

    def send_many(self, params: Params) -> Shape:
        """No ids come back. What one bad item does to the rest is not documented; here it stops them all."""
        try:
            asked = json.loads(params.text("datajson"))
            token, items = str(asked["token"]), [Params(item) for item in asked["smsdata"]]
        except (ValueError, TypeError, KeyError) as error:
            raise ApiError("Json incorrect") from error
        self.account.access.check_token(token)
        # An item without a customer comes back with 0, where the other calls leave null.
        drafts = [_draft(item, item.text("sendto"), no_customer=0) for item in items]
        for draft in drafts:
            self.account.check(draft)
        for draft in drafts:
            self.account.send(draft)
        return {"error": 0, "message": _SAVED}

    def list_messages(self, params: Params) -> Shape:
        zone = _zone(params.text("timezone") or self.account.zone)
        found = sorted(
            (message for message in self.account.messages.values() if _matches(message, params)),
            key=lambda message: message.id,
            reverse=params.flag("orderbydesc"),
        )
        if params.flag("onlycount"):
            return {"error": 0, "count": len(found), "message": "Ok"}
        smss = _map({str(message.id): show_message(message, zone) for message in found})
        return {"error": 0, "smss": smss, "count": len(found), "message": "Ok"}

    def show_status(self, params: Params) -> Shape:
        message = self.account.find(params.integer("sms_id"))
        return {
            "error": 0,
            "sms_id": message.id,
            "status": message.status,
            "status_description": TITLES[message.status],
            "message": "Ok",
        }

    def save_tag(self, params: Params) -> Shape:
        return {"error": 0, "tag_id": self.account.save_tag(params.required("title")).id, "message": "OK"}

    def save_contact(self, params: Params) -> Shape:
        contact_id = self.account.save_contact(params.required("phone"), params.integer("tag_id"))
        return {"error": 0, "contact_id": contact_id, "message": "ok"}

    def save_newsletter(self, params: Params) -> Shape:
        tags = [int(tag) for tag in params.required("tags").split(",") if tag.strip().isdecimal()]
        draft = Draft(
            sendto="everybody",
            body=params.required("body"),
            device_id=params.integer("device_id"),
            sim=params.integer("sim", 0),
            send_at=read_newsletter_moment(params.text("time_to_send")),
        )
        letter = self.account.save_newsletter(params.required("title"), draft, tags)
        return {"error": 0, "paket_id": letter.id, "message": "OK"}

    def list_devices(self, params: Params) -> Shape:
        """The only answer without `error`."""
        self.account.see_devices()
        devices = self.account.devices
        shown = _map({str(id): show_device(device, "UTC") for id, device in devices.items()})
        return {"count": len(devices), "device": shown, "message": "OK"}

    def _check_login(self, params: Params) -> None:
        self.account.access.check_login(params.text("email"), params.text("pass"))

    def _send(self, params: Params) -> Message:
        """With several numbers, the id is the last one's. Which it is, is not documented."""
        numbers = params.required("sendto").split(",")
        return [self.account.send(_draft(params, number)) for number in numbers][-1]


def _draft(params: Params, sendto: str, *, no_customer: int | None = None) -> Draft:
    return Draft(
        sendto=sendto,
        body=params.required("body"),
        device_id=params.integer("device_id"),
        sim=params.integer("sim", 0),
        customer_id=params.integer("customerid") if params.text("customerid") else no_customer,
        urgent=params.flag("urgent"),
        send_at=read_moment(params.text("timetosend")),
    )


def _matches(message: Message, params: Params) -> bool:
    """The dates are taken for UTC, those of creation, both included. Nothing of that is documented."""
    begins_at, ends_at = read_moment(params.text("begindate")), read_moment(params.text("enddate"))
    return (
        (begins_at is None or begins_at <= message.created_at)
        and (ends_at is None or message.created_at <= ends_at)
        and (not params.text("phone") or params.text("phone").replace(" ", "") == message.sendto)
        and params.integer("device_id", message.device_id) == message.device_id
        and params.integer("status", message.status) == message.status
        and params.integer("sim", message.sim) == message.sim
        and params.integer("customerid", message.customer_id or 0) == (message.customer_id or 0)
    )


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError) as error:
        raise ApiError("Timezone incorrect") from error


def _map(rows: Shape) -> Shape | list[Shape]:
    """An empty one as PHP writes it: as an array. Not documented."""
    return rows or []


def _saved(message: Message) -> Shape:
    return {"error": 0, "sms_id": message.id, "message": _SAVED}


def _error(message: str, status: int = 200) -> Response:
    return JSONResponse({"error": 1, "message": message}, status)


def _refuse(status: int) -> Response:
    """For a bad day. Its own refusals have status 200; of overload nothing is documented."""
    return _error(TOKEN_INCORRECT) if status == 401 else _error("Try again later", status)


async def _api_error(request: Request, error: Exception) -> Response:
    return _error(str(error))


async def _no_route(request: Request, error: Exception) -> Response:
    return _error("Method not found", 404)

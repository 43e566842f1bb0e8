"""The HTTP server: what others tell us, and how we are."""

import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import structlog
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.tallies import WEBHOOKS
from bot.updates import TELEGRAM, serial_of, update_id_of
from services.errors import BadEvent, BadSignature, WrongAddress
from services.inbox import Inbox
from services.rentals import series_of
from services.suppliers.base import Supplier, WebhookPost
from services.webhook_secrets import WebhookSecrets

log = structlog.get_logger()

MAX_BODY = 64 * 1024
MAX_UPDATE = 1024 * 1024
"""Telegram's own, which may hold a whole quoted message, each of its emoji in twelve bytes."""

Accept = Callable[[bytes, Headers, str], Awaitable[int]]
"""Stores a body durably and says which status answers it; the third is what follows the name in the path."""


class Endpoint:
    """A POST route that skips the framework's request and response objects: the way in for every code."""

    def __init__(self, source: str, accept: Accept) -> None:
        self._accept = accept
        self._max_body = MAX_UPDATE if source == TELEGRAM else MAX_BODY
        self._tally = WEBHOOKS.tally(source)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive, self._max_body)
        began = perf_counter()
        key = scope.get("path_params", {}).get("key", "")
        try:
            status = 413 if body is None else await self._accept(body, Headers(scope=scope), key)
        except Exception:  # whatever it is, it was not stored: the sender must not think so
            log.exception("webhook.not_stored")
            status = 500
        self._tally.count(status, perf_counter() - began)
        headers = [(b"content-length", b"0")]
        if status == 413:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


async def _read(receive: Receive, most: int) -> bytes | None:
    """The whole body; None for one that is too large."""
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return body


def accept_supplier(supplier: Supplier, secrets: WebhookSecrets, inbox: Inbox) -> Accept:
    """Verify on the raw bytes, then store. The supplier knows by what a repetition is told."""

    def is_signed(body: bytes, headers: Headers, key: str) -> bool:
        try:
            supplier.verify(WebhookPost(body, headers, key, secrets.get(supplier.name)))
        except BadSignature:
            return False
        return True

    async def accept(body: bytes, headers: Headers, key: str) -> int:
        post = body, headers, key
        try:
            if not is_signed(*post) and not (await secrets.reload() and is_signed(*post)):
                return 401
        except WrongAddress:
            return 404
        try:
            text = body.decode()
            event = supplier.parse_event(body)
        except (BadEvent, UnicodeDecodeError):
            return 400
        series, name = series_of(supplier, event), supplier.delivery_id(body, event)
        await inbox.store(supplier.name, name, text, serial=series, message=event)
        return 200

    return accept


def accept_telegram(secret: str, inbox: Inbox) -> Accept:
    """Check the secret that Telegram was given with the webhook, then store."""

    async def accept(body: bytes, headers: Headers, key: str) -> int:
        if key:
            return 404
        given = headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return 403
        try:
            text = body.decode()
            update = json.loads(text)
            update_id = update_id_of(update)
        except (ValueError, KeyError, TypeError, OverflowError):
            return 400
        await inbox.store(TELEGRAM, str(update_id), text, serial=serial_of(update), message=update)
        return 200

    return accept


@dataclass(frozen=True, slots=True)
class Readiness:
    ok: bool
    says: str


def create_app(
    endpoints: dict[str, Accept],
    *,
    ready: Callable[[], Awaitable[Readiness]],
    pages: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """`endpoints`: who may POST to `/webhooks/<name>`. `ready`: whether this process does its part.

    `pages`: what else is served, to people.
    """

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        now = await ready()
        return PlainTextResponse(f"{now.says}\n", status_code=200 if now.ok else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type="text/plain; version=0.0.4")

    webhooks = {name: Endpoint(name, accept) for name, accept in endpoints.items()}
    framework = Starlette(
        routes=[
            *(
                Route(f"/webhooks/{name}{key}", endpoint, methods=["POST"])
                for name, endpoint in webhooks.items()
                for key in ("", "/{key}")
            ),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            *pages,
        ]
    )
    # Where a path is a secret, nothing may point from a wrong one to another.
    framework.router.redirect_slashes = False
    direct = {f"/webhooks/{name}": endpoint for name, endpoint in webhooks.items()}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in direct:
            # Past the framework's routing and error pages, which cost as much as the rest of the way in.
            await direct[scope["path"]](scope, receive, send)
        else:
            await framework(scope, receive, send)

    return app

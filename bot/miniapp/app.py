"""The page and what it asks for. Whoever asks is known by what Telegram has signed, and by nothing else."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from telegram import Bot

from bot.context import Shop
from bot.language import Language
from bot.miniapp.shelf import Shelf
from bot.miniapp.visitors import LeftOpen, UnknownVisitor, Visitor, recognize
from bot.views import page as views
from bot.views.errors import failure, sentence
from db.models import User
from services.clock import Clock
from services.errors import Banned, ConflictError, CustomerError, PriceChanged, TermsNotAccepted
from services.favourites import Choice
from services.orders import Intent

log = structlog.get_logger()

STATIC = Path(__file__).parent / "static"
_FILES = {"": "index.html", "app.js": "app.js", "search.js": "search.js", "app.css": "app.css"}
_SOON = {"Retry-After": "1"}
"""Another process has the shop, or none yet: the next try may reach it."""
_MOST_BODY = 1024
_ORDERS = 20
_KEY = re.compile(r"[A-Za-z0-9_-]{8,32}")
_COUNTRY = re.compile("[A-Z]{2}")
_NUMBERS = range(1, 2**53)
"""Those that a browser counts with."""

Answer = Callable[["Desk", User, Request], Awaitable[Response]]


class Desk:
    """The parts of the process that leads; built anew with it."""

    def __init__(self, shop: Shop, bot: Bot) -> None:
        self.shop = shop
        self.bot = bot
        self.shelf = Shelf(shop.catalog, shop.currency)


class MiniApp:
    """`desk` tells the one of the process that leads: None while that is another one."""

    def __init__(
        self, token: SecretStr, clock: Clock, desk: Callable[[], Desk | None], *, framed_by: str = ""
    ) -> None:
        """`framed_by`: an origin that may show the page in a frame, beside Telegram's own."""
        self._token = token
        self._clock = clock
        self._desk = desk
        self._headers = {
            "Content-Security-Policy": (
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
                " base-uri 'none'; form-action 'none';"
                f" frame-ancestors https://web.telegram.org {framed_by}".rstrip()
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def routes(self) -> list[BaseRoute]:
        return [
            *(Route(f"/app/{path}".rstrip("/"), self._file(name)) for path, name in _FILES.items()),
            Route("/app/api/ready", self._ready),
            Route("/app/api/catalog", self._answered(_catalog)),
            Route("/app/api/me", self._answered(_me)),
            Route("/app/api/orders", self._answered(_orders)),
            Route("/app/api/buy", self._answered(_buy), methods=["POST"]),
            Route("/app/api/pin", self._answered(_pin), methods=["POST"]),
        ]

    def _file(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        headers = self._headers | {"Cache-Control": "no-cache"}

        async def send(_request: Request) -> Response:
            return FileResponse(STATIC / name, headers=headers)

        return send

    async def _ready(self, _request: Request) -> Response:
        """For whoever balances between processes: 204 where the shop is, else 503."""
        if self._desk() is None:
            return Response(status_code=503, headers=_SOON)
        return Response(status_code=204)

    def _answered(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """With somebody known to us who may come in, and with words for what goes wrong."""

        async def respond(request: Request) -> Response:
            try:
                visitor = self._visitor(request)
            except (UnknownVisitor, LeftOpen) as error:
                return _refusal(
                    401, views.not_known(Language.of("en"), left_open=isinstance(error, LeftOpen))
                )
            desk = self._desk()
            if desk is None:
                refusal = _refusal(503, views.elsewhere(Language.of(visitor.language_code)))
                refusal.headers.update(_SOON)
                return refusal
            response = await _admitted(desk, visitor, answer, request)
            for name, value in (self._headers | {"Cache-Control": "no-store"}).items():
                response.headers.setdefault(name, value)
            return response

        return respond

    def _visitor(self, request: Request) -> Visitor:
        """Raises UnknownVisitor, LeftOpen."""
        scheme, _, init_data = request.headers.get("Authorization", "").partition(" ")
        if scheme != "tma":
            raise UnknownVisitor
        return recognize(init_data, self._token.get_secret_value(), self._clock.now())


async def _admitted(desk: Desk, visitor: Visitor, answer: Answer, request: Request) -> Response:
    language = Language.of(visitor.language_code)
    try:
        user = await desk.shop.accounts.find(visitor.id)
        language = Language.of(user.language) if user else language
        if user is None or user.terms_accepted_at is None:
            raise TermsNotAccepted
        if user.banned_at:
            raise Banned(user.ban_reason)
        return await answer(desk, user, request)
    except PriceChanged as error:
        return _refusal(409, sentence(error, language, desk.shop.currency), price=error.current)
    except (CustomerError, ConflictError) as error:
        status = 403 if isinstance(error, Banned | TermsNotAccepted) else 409
        return _refusal(status, sentence(error, language, desk.shop.currency))
    except ClientDisconnect:
        raise
    except Exception:  # the page must say something, whatever it is
        log.exception("page.failed")
        return _refusal(500, failure(language))


def _refusal(status: int, text: str, **facts: Any) -> JSONResponse:
    return JSONResponse({"error": text, **facts}, status, {"Cache-Control": "no-store"})


async def _catalog(desk: Desk, user: User, request: Request) -> Response:
    printed = await desk.shelf.read()
    headers = {"ETag": printed.etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("If-None-Match") == printed.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(printed.zipped, media_type="application/json", headers=headers)
    return Response(printed.plain, media_type="application/json", headers=headers)


async def _me(desk: Desk, user: User, request: Request) -> Response:
    """What does not change while the page is open."""
    return JSONResponse(views.surroundings(Language.of(user.language), chat=desk.bot.link))


async def _orders(desk: Desk, user: User, request: Request) -> Response:
    shop, language = desk.shop, Language.of(user.language)
    orders = await shop.orders.of_user(user.id, open_only=False, limit=_ORDERS)
    wallet = await shop.accounts.wallet(user.id, moves=0)
    pinned = await shop.favourites.of_user(user.id)
    closed = await shop.maintenance.notice()
    return JSONResponse(views.own(language, orders, wallet, pinned, closed=closed))


async def _buy(desk: Desk, user: User, request: Request) -> Response:
    """As a tap on Buy in the chat: the key was made with the button, and buys once, at the button's price."""
    intent = _read_intent(await _body(request))
    if intent is None:
        return Response(status_code=400)
    await desk.shop.orders.place(user.id, intent)
    return Response(status_code=204)


async def _pin(desk: Desk, user: User, request: Request) -> Response:
    """The star of an offer, on or off."""
    asked = _read_pin(await _body(request))
    if asked is None or desk.shop.catalog.service(asked[0].service_id) is None:
        return Response(status_code=400)
    choice, on = asked
    await (desk.shop.favourites.pin if on else desk.shop.favourites.unpin)(user.id, choice)
    return Response(status_code=204)


async def _body(request: Request) -> bytes:
    """As much of it as is ever needed."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY:
            return b""
    return body


def _read_intent(body: bytes) -> Intent | None:
    """One number, of any network."""
    match _facts(body):
        case {"key": str(key), "service": int(service), "country": str(country), "price": int(price)}:
            is_right = (
                _KEY.fullmatch(key)
                and _COUNTRY.fullmatch(country)
                and service in _NUMBERS
                and price in _NUMBERS
            )
            return Intent(key, service, country, 1, price) if is_right else None
    return None


def _read_pin(body: bytes) -> tuple[Choice, bool] | None:
    match _facts(body):
        case {"service": int(service), "country": str(country), "on": bool(on)}:
            is_right = _COUNTRY.fullmatch(country) and service in _NUMBERS
            return (Choice(service, country), on) if is_right else None
    return None


def _facts(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None

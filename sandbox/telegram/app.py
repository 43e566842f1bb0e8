"""Telegram, as one bot and the people who talk to it know it.

Source: Bot API documentation, "Authorizing your bot" and "Making requests".
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.clock import Clock
from sandbox.telegram.account import Account, Method
from sandbox.telegram.bell import Bell
from sandbox.telegram.chats import Chat
from sandbox.telegram.editing import Editing
from sandbox.telegram.errors import Refusal
from sandbox.telegram.flood import FloodControl, FloodLimits
from sandbox.telegram.forums import Forum, Forums
from sandbox.telegram.media import Media
from sandbox.telegram.messages import Message
from sandbox.telegram.payments import Payments
from sandbox.telegram.people import PATIENCE, Person
from sandbox.telegram.profile import Profile
from sandbox.telegram.queries import Queries
from sandbox.telegram.sending import Sending
from sandbox.telegram.updates import Updates
from sandbox.telegram.webhook import Webhook
from sandbox.telegram.wire import Params, read_params

CALLS_KEPT = 10_000
_COUNTED = re.compile(r"send(?!ChatAction)|edit|copy|forward")
"""The methods that flood limits count."""


@dataclass(frozen=True)
class Call:
    method: str
    params: dict[str, Any]
    at: datetime


class Telegram:
    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "1000001:sandbox-token",
        username: str = "numlet_sandbox_bot",
        transport: httpx.AsyncBaseTransport | None = None,
        flood: FloodLimits | None = None,
    ) -> None:
        """`transport` carries updates to the bot's webhook. Without `flood`, there are no flood limits."""
        self.bell = Bell()
        self.updates = Updates(clock, self.bell)
        self.account = Account(clock, self.updates, self.bell, token=token, username=username)
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        """What the bot has called, oldest first, refused or not."""
        self.flood = FloodControl(flood) if flood else None
        self.webhook = Webhook(clock, self.updates, transport)
        self.profile = Profile(self.account)
        self.sending = Sending(self.account)
        self.queries = Queries(self.account)
        self.payments = Payments(self.account, self.sending, self.queries)
        self.forums = Forums(self.account)
        self.people: dict[int, Person] = {}
        self.methods: dict[str, Method] = self._method_table()
        route = Route("/bot{token}/{method}", self._serve, methods=["GET", "POST"])
        self.app = Starlette(routes=[route], exception_handlers={Refusal: _answer_refusal, 404: _not_found})

    def _method_table(self) -> dict[str, Method]:
        parts = (
            self.webhook,
            self.profile,
            self.sending,
            self.queries,
            self.payments,
            self.forums,
            Editing(self.account, self.sending),
            Media(self.account, self.sending),
        )
        table: dict[str, Method] = {"getupdates": self.updates.get_updates}
        for part in parts:
            table |= {name.lower(): method for name, method in part.methods.items()}
        return table

    @property
    def token(self) -> str:
        return self.account.token

    @property
    def on_send(self) -> Callable[[Message], None] | None:
        """Called with every message of the bot's as it comes into its chat."""
        return self.sending.on_send

    @on_send.setter
    def on_send(self, hook: Callable[[Message], None] | None) -> None:
        self.sending.on_send = hook

    def person(
        self,
        id: int,
        name: str = "Ann",
        username: str | None = None,
        language_code: str = "en",
        *,
        started: bool = False,
    ) -> Person:
        """Somebody with an account, made at the first call. `started`: has written to the bot before."""
        if id not in self.people:
            user = {"id": id, "is_bot": False, "first_name": name, "language_code": language_code}
            if username:
                user["username"] = username
            chat = self.account.chats[id] = Chat(user, self.bell, started=started)
            self.people[id] = Person(chat, self.account, self.queries, self.payments)
        return self.people[id]

    def forum(self, id: int, title: str, *members: Person, is_forum: bool = True) -> Forum:
        """A supergroup with the bot as an administrator; `is_forum`: with topics."""
        forum = Forum(id, title, self.bell, is_forum=is_forum)
        self.account.chats[id] = forum
        for member in members:
            member.join(forum)
        return forum

    async def until(self, condition: Callable[[], bool], *, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109
        """Wait until something is so. Looked at after every call and every change. Raises: TimeoutError."""
        async with asyncio.timeout(timeout):
            await self.bell.until(condition)

    async def call(self, method: str, params: Params) -> Any:
        """Carry out a call of the bot's. Raises: Refusal."""
        handler = self.methods.get(method.lower())
        if handler is None:
            raise Refusal(404, "Not Found: method not found")
        self.calls.append(Call(method, params.values, self.account.now()))
        self.bell.ring()
        if self.flood and _COUNTED.match(method):
            self.flood.pass_or_refuse(params.integer("chat_id"), self.account.now())
        result = handler(params)
        return await result if inspect.isawaitable(result) else result

    async def _serve(self, request: Request) -> JSONResponse:
        token = request.path_params["token"]
        if not re.fullmatch(r"\d+:[\w-]+", token):
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")
        result = await self.call(request.path_params["method"], await read_params(request))
        return JSONResponse({"ok": True, "result": result})

    async def aclose(self) -> None:
        """Let waiting calls end, and deliver no more."""
        self.updates.close()
        await self.webhook.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def _answer_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return JSONResponse(body, status_code=error.code)


async def _not_found(request: Request, error: Exception) -> JSONResponse:
    return await _answer_refusal(request, Refusal(404, "Not Found"))

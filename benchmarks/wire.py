"""The wire between the sandbox and the bot: what the sandbox takes at its ends is not the bot's."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.server import World
from sandbox.smscode import SmsCode
from sandbox.telegram import Telegram


class Wire:
    """A world, and a watch on codes: from a webhook's first byte until the Bot API has the message."""

    def __init__(self) -> None:
        clock = Clock()
        telegram = Telegram(clock)
        telegram.app.add_middleware(_Arrivals, note=self._note_arrival)
        self.world = World(clock, telegram, SmsCode(clock, transport=_Departures(self._note_departure)))
        self._left_at = 0.0
        self._awaited = b""
        self._arrived: asyncio.Future[float] | None = None

    async def time_code(self, order_id: int, code: str) -> float:
        """Milliseconds that a code takes, a number, to the renter of an smscode order."""
        self._arrived = asyncio.get_running_loop().create_future()
        self._awaited = f"%3Ccode%3E{code}".encode()
        await self.world.smscode.receive_sms(order_id, f"Your code is {code}", code)
        async with asyncio.timeout(10):
            return (await self._arrived - self._left_at) * 1000

    async def _note_departure(self, event: str, _details: dict[str, Any]) -> None:
        if event == "http11.send_request_headers.started":
            self._left_at = perf_counter()

    def _note_arrival(self, body: bytes) -> None:
        if self._arrived and not self._arrived.done() and self._awaited in body:
            self._arrived.set_result(perf_counter())


class _Departures(httpx.AsyncHTTPTransport):
    def __init__(self, trace: Callable[[str, dict[str, Any]], Awaitable[None]]) -> None:
        super().__init__()
        self._trace = trace

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["trace"] = self._trace
        return await super().handle_async_request(request)


class _Arrivals:
    def __init__(self, app: ASGIApp, note: Callable[[bytes], None]) -> None:
        self._app = app
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noted() -> Message:
            message = await receive()
            self._note(message.get("body", b""))
            return message

        await self._app(scope, noted, send)

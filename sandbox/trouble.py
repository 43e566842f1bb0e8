"""Trouble on demand: what an upstream does on its bad days."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import httpx
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal["401", "429", "500", "502", "503", "html", "half_json", "empty", "timeout", "lost_answer"]
"""How a request fails.

`401`, `429`, `500`, `503`: refused in the vendor's own words. `502`: a proxy's HTML page; `html`: the same
with status 200. `empty`: status 200 and no body. `timeout`: no answer. None of these carries the request out.
`half_json` and `lost_answer` do: the answer is cut in the middle, or never comes.
"""

SWITCHES = frozenset(
    {
        "drop_webhooks",
        "duplicate_webhooks",
        "forge_webhooks",
        "delay_webhooks",
        "withhold_codes",
        "out_of_stock",
        "price_jump_percent",
    }
)
"""Those of `Trouble` that the page offers."""
_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    kind: Kind
    path: str | None


@dataclass
class Trouble:
    """The switches of one upstream."""

    drop_webhooks: bool = False
    duplicate_webhooks: bool = False
    forge_webhooks: bool = False
    """Sign with a secret that nobody shares."""
    unsigned_webhooks: bool = False
    delay_webhooks: timedelta = timedelta(0)

    withhold_codes: bool = False
    """Codes that would come by themselves stay away; what is written to a number still arrives."""
    out_of_stock: bool = False
    price_jump_percent: int = 0
    slow_purchases: timedelta = timedelta(0)
    """How much longer it takes to hand over numbers."""
    out_of_credit: bool = False
    """Our account with a sender is empty, whatever it says."""
    phones_off: bool = False
    """The customer's own phones, through which a sender sends, are switched off."""

    always: Kind | None = None
    """How every request fails, once those of `fail_next` are used up."""
    retry_after: timedelta = timedelta(seconds=1)
    """What a `429` asks for, in whole seconds."""
    hang: timedelta = timedelta(0)
    """How long a missing answer is held back before the connection breaks. Behind a real server: longer than
    any client waits. In process nobody's patience is measured, and zero gives the client its timeout at once.
    """
    faults: list[Fault] = field(default_factory=list)

    def fail_next(self, kind: Kind, times: int = 1, path: str | None = None) -> None:
        """Fail the next `times` requests, or of those the ones whose path ends in `path`."""
        self.faults += [Fault(kind, path)] * times

    def take(self, path: str) -> Kind | None:
        """How a request to `path` is to fail; a one-shot fault is used up by asking."""
        for fault in self.faults:
            if fault.path is None or path.endswith(fault.path):
                self.faults.remove(fault)
                return fault.kind
        return self.always


class TroubleMiddleware:
    """Makes the requests to an ASGI app fail as its `Trouble` says."""

    def __init__(self, app: ASGIApp, trouble: Trouble, refuse: Callable[[int], Response]) -> None:
        """`refuse` builds the vendor's own error answer for status 401, 429, 500 or 503."""
        self.app = app
        self.trouble = trouble
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = self.trouble.take(scope["path"]) if scope["type"] == "http" else None
        match kind:
            case None:
                await self.app(scope, receive, send)
            case "timeout":
                await self._hang(receive)
            case "lost_answer":
                await self.app(scope, receive, _lose)
                await self._hang(receive)
            case "half_json":
                answer = await self._half_answer(scope, receive)
                await answer(scope, receive, send)
            case _:
                await self._refusal(kind)(scope, receive, send)

    def _refusal(self, kind: Kind) -> Response:
        match kind:
            case "html":
                return HTMLResponse(_PAGE)
            case "502":
                return HTMLResponse(_PAGE, status_code=502)
            case "empty":
                return Response()
        response = self.refuse(int(kind))
        if kind == "429":
            response.headers["Retry-After"] = str(int(self.trouble.retry_after.total_seconds()))
        return response

    async def _half_answer(self, scope: Scope, receive: Receive) -> Response:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in messages)
        return Response(body[: len(body) // 2], messages[0]["status"], media_type="application/json")

    async def _hang(self, receive: Receive) -> None:
        """Wait until the client leaves; then there is nobody to answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.trouble.hang.total_seconds()):
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
        # An in-process transport passes this on to its client, who takes it for its own timeout.
        raise httpx.ReadTimeout("the sandbox keeps its answer to itself")


async def _lose(message: Message) -> None:
    """Where lost answers go."""

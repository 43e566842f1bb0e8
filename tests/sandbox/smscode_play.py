"""One customer of the sandbox's smscode, with a clock to move and a place where its webhooks arrive."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.clock import ManualClock
from sandbox.smscode import SmsCode

WHATSAPP_INDONESIA = 142
URL = "https://bot.example/webhooks/smscode"


class Inbox:
    """Receives webhooks as an ASGI app."""

    def __init__(self) -> None:
        self.posts: list[tuple[bytes, str | None]] = []
        self.status = 200
        self.arrived = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.posts.append((await request.body(), request.headers.get("x-webhook-signature")))
        self.arrived.set()
        await Response(status_code=self.status)(scope, receive, send)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.posts]

    @property
    def event_names(self) -> list[str]:
        return [event["event"] for event in self.events]


class Play:
    def __init__(
        self,
        *,
        code_after: timedelta | None = None,
        speed: float = 1.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport`: where webhooks go instead of the inbox."""
        self.clock = ManualClock(speed=speed)
        self.inbox = Inbox()
        self.smscode = SmsCode(
            self.clock, code_after=code_after, transport=transport or httpx.ASGITransport(app=self.inbox)
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.smscode.app),
            base_url="https://api.smscode.gg/v1",
            headers={"Authorization": "Bearer sandbox-smscode-token"},
        )

    async def get(self, path: str, **params: Any) -> Any:
        """The data of a success."""
        return _data(await self.client.get(path, params=params))

    async def post(self, path: str, **body: Any) -> Any:
        return _data(await self.client.post(path, json=body))

    async def refusal(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Status and code of an error, whose envelope is exactly as documented."""
        response = await self.client.request(method, path, **options)
        body = response.json()
        code, message = body["error"]["code"], body["error"]["message"]
        assert body == {"success": False, "error": {"code": code, "message": message}}
        assert response.headers["x-request-id"]
        return response.status_code, code

    async def buy(self, product_id: int = WHATSAPP_INDONESIA) -> int:
        """Rent one number; returns the order's id."""
        answer = await self.post("/orders/create", product_id=product_id)
        order_id: int = answer["orders"][0]["id"]
        return order_id

    async def subscribe(self) -> str:
        """Have webhooks sent to the inbox; returns the secret."""
        data = _data(await self.client.patch("/webhook", json={"webhook_url": URL}))
        secret: str = data["webhook_secret"]
        return secret

    async def pass_time(self, **duration: float) -> None:
        self.clock.advance(timedelta(**duration))
        await self.smscode.tick()
        await self.smscode.settle()


def _data(response: httpx.Response) -> Any:
    body = response.json()
    assert (response.status_code, body["success"]) == (200, True), body
    assert response.headers["x-request-id"]
    return body["data"]

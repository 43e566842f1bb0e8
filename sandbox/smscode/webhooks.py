"""Telling the customer what happened: signed, in the background, tried once.

Source: smscode API v1 documentation, section Webhooks.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import secrets
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import httpx

from sandbox.clock import Agenda
from sandbox.smscode.errors import ApiError
from sandbox.smscode.orders import Order, announced, moment
from sandbox.trouble import Trouble

PATIENCE_SECONDS = 3
MEMORY = 500


@dataclass(frozen=True)
class Delivery:
    """What became of one event."""

    event: str
    order_id: int | None
    at: datetime
    milliseconds: float
    status: int | None = None
    """The receiver's HTTP status, where it gave one."""
    error: str | None = None


@dataclass(frozen=True)
class Parcel:
    """An event ready to be posted."""

    event: str
    order_id: int | None
    url: str
    body: bytes
    headers: dict[str, str]


def sign(body: bytes, secret: str) -> str:
    """The value of `X-Webhook-Signature`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Webhooks:
    """Where events go, and what became of them."""

    def __init__(self, agenda: Agenda, trouble: Trouble, transport: httpx.AsyncBaseTransport | None) -> None:
        self.agenda = agenda
        self.trouble = trouble
        self.url: str | None = None
        self.secret: str | None = None
        self.deliveries: deque[Delivery] = deque(maxlen=MEMORY)
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._in_flight: set[asyncio.Task[Delivery]] = set()

    def configure(self, *, url: str | None = None, secret: str | None = None) -> None:
        """Change what is not None; an empty string clears."""
        if url:
            _refuse_insecure(url)
        if url is not None:
            self.url = url or None
        if secret is not None:
            self.secret = secret or None
        elif self.url and self.secret is None:
            self.secret = secrets.token_hex(32)

    def announce(self, event: str, order: Order) -> None:
        """Send an event in the background, as far as today's trouble lets it."""
        if self.url is None:
            return
        if self.trouble.drop_webhooks:
            self.deliveries.append(Delivery(event, order.id, self._now(), 0, error="dropped"))
            return
        parcel = self._pack(event, order.id, announced(order), self.url)
        for _ in range(2 if self.trouble.duplicate_webhooks else 1):
            if self.trouble.delay_webhooks:
                self.agenda.add(self._now() + self.trouble.delay_webhooks, lambda: self._dispatch(parcel))
            else:
                self._dispatch(parcel)

    async def test(self) -> int:
        """Send a test event; returns the receiver's status.

        What an unreachable receiver leads to is not documented.
        """
        if self.url is None:
            raise ApiError("VALIDATION_ERROR", "No webhook URL is configured")
        message = {"message": "This is a test webhook event from SMSCode."}
        delivery = await self._deliver(self._pack("webhook.test", None, message, self.url))
        if delivery.status is None:
            raise ApiError("VALIDATION_ERROR", "The webhook URL cannot be reached")
        return delivery.status

    async def settle(self) -> None:
        """Wait for the events on their way; those still held back are not."""
        while self._in_flight:
            await asyncio.gather(*self._in_flight)

    async def aclose(self) -> None:
        await self.settle()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _now(self) -> datetime:
        return self.agenda.clock.now()

    def _pack(self, event: str, order_id: int | None, data: dict[str, Any], url: str) -> Parcel:
        payload = {"event": event, "timestamp": moment(self._now()), "data": data}
        body = json.dumps(payload, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if self.secret is not None and not self.trouble.unsigned_webhooks:
            secret = "a forger's guess" if self.trouble.forge_webhooks else self.secret
            headers["X-Webhook-Signature"] = sign(body, secret)
        return Parcel(event, order_id, url, body, headers)

    def _dispatch(self, parcel: Parcel) -> None:
        # The set keeps the task alive: the event loop itself only holds it weakly.
        task = asyncio.create_task(self._deliver(parcel))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _deliver(self, parcel: Parcel) -> Delivery:
        at, started = self._now(), perf_counter()
        status, error = await self._post(parcel)
        milliseconds = (perf_counter() - started) * 1000
        delivery = Delivery(parcel.event, parcel.order_id, at, milliseconds, status, error)
        self.deliveries.append(delivery)
        return delivery

    async def _post(self, parcel: Parcel) -> tuple[int | None, str | None]:
        if self._client is None:
            # No proxies: a demo's receiver is on this very machine.
            self._client = httpx.AsyncClient(transport=self._transport, timeout=None, trust_env=False)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                response = await self._client.post(parcel.url, content=parcel.body, headers=parcel.headers)
        except TimeoutError:
            return None, f"no answer within {PATIENCE_SECONDS} s"
        except httpx.HTTPError as error:
            return None, str(error) or type(error).__name__
        return response.status_code, None


def _refuse_insecure(url: str) -> None:
    """HTTPS only, as documented; but a sandbox must also reach the bot on the same machine."""
    parts = urlsplit(url)
    encrypted = parts.scheme == "https" and parts.hostname
    if not encrypted and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise ApiError("VALIDATION_ERROR", "webhook_url must be an HTTPS URL")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

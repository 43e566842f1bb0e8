"""Carries webhooks to the customer: in the background, tried once, as far as today's trouble lets it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import httpx

from sandbox.clock import Agenda
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


class Courier:
    def __init__(self, agenda: Agenda, trouble: Trouble, transport: httpx.AsyncBaseTransport | None) -> None:
        self.agenda = agenda
        self.trouble = trouble
        self.deliveries: deque[Delivery] = deque(maxlen=MEMORY)
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._in_flight: set[asyncio.Task[Delivery]] = set()

    def send(self, parcel: Parcel) -> None:
        """Post in the background; today's trouble may lose it, double it or hold it back."""
        if self.trouble.drop_webhooks:
            dropped = Delivery(parcel.event, parcel.order_id, self._now(), 0, error="dropped")
            self.deliveries.append(dropped)
            return
        for _ in range(2 if self.trouble.duplicate_webhooks else 1):
            if self.trouble.delay_webhooks:
                self.agenda.add(self._now() + self.trouble.delay_webhooks, lambda: self._dispatch(parcel))
            else:
                self._dispatch(parcel)

    async def deliver(self, parcel: Parcel) -> Delivery:
        """Post now, whatever the trouble, and wait for what becomes of it."""
        at, started = self._now(), perf_counter()
        status, error = await self._post(parcel)
        milliseconds = (perf_counter() - started) * 1000
        delivery = Delivery(parcel.event, parcel.order_id, at, milliseconds, status, error)
        self.deliveries.append(delivery)
        return delivery

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

    def _dispatch(self, parcel: Parcel) -> None:
        # The set keeps the task alive: the event loop itself only holds it weakly.
        task = asyncio.create_task(self.deliver(parcel))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

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

"""The inbox: what the outside tells us is on disk before it is acknowledged."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from db import deliveries
from db.deliveries import NewDelivery
from db.leadership import wake_leader
from db.session import Database
from services.clock import Clock

log = structlog.get_logger()

MAX_BATCH = 500


class Delivery(NamedTuple):
    """One stored message."""

    id: int
    source: str
    body: str
    received_at: datetime
    """When the first of those that it was stored with came: never after it came itself."""
    message: Any = None
    """The parsed body, where whoever stored it had parsed it already."""


Take = Callable[[Delivery, str], None]
"""Handles a delivery that is on disk; the second argument is its series."""


class _Waiting(NamedTuple):
    delivery: NewDelivery
    serial: str
    message: Any
    stored: asyncio.Future[bool]


class Inbox:
    """`store` returns once the delivery is on disk, together with all others that were waiting."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._first_at = clock.now()
        """When the first of those that wait came."""
        self._writer: asyncio.Task[None] | None = None
        self.take: Take | None = None
        """Whoever handles deliveries in this process; None while another process does."""

    def store(
        self, source: str, external_id: str, body: str, *, serial: str, message: Any = None
    ) -> asyncio.Future[bool]:
        """Commit to disk; False where it was known.

        Raises SQLAlchemyError, OSError or the driver's own error where the database does not take it:
        then nothing may be acknowledged.
        """
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._first_at = self._clock.now()
        self._waiting.append(_Waiting(NewDelivery(source, external_id, body), serial, message, stored))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return stored

    async def settle(self) -> None:
        """Wait until nothing waits for the disk."""
        if self._writer:
            await asyncio.wait([self._writer])

    async def _write(self) -> None:
        """Commit what waits, batch after batch: while one is on its way to disk, the next gathers."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                received_at = self._first_at
                try:
                    rows = [waiting.delivery for waiting in batch]
                    ids = await deliveries.store(self._database, rows, received_at=received_at)
                except Exception as error:  # whatever it is, each waiting request must hear it
                    for waiting in batch:
                        if not waiting.stored.done():
                            waiting.stored.set_exception(error)
                    continue
                self._release(batch, ids, received_at)
                if self.take is None:
                    await self._wake_leader()
        finally:
            self._writer = None

    def _release(self, batch: list[_Waiting], ids: list[int | None], received_at: datetime) -> None:
        for (row, serial, message, stored), delivery_id in zip(batch, ids, strict=True):
            # Begun first: the answer to the sender is written while the database is at work for the code.
            if delivery_id is not None and self.take:
                self.take(Delivery(delivery_id, row.source, row.body, received_at, message), serial)
            if not stored.done():
                stored.set_result(delivery_id is not None)

    async def _wake_leader(self) -> None:
        try:
            await wake_leader(self._database)
        except Exception as error:  # it looks by itself every few seconds
            log.warning("inbox.leader_not_woken", error=type(error).__name__)

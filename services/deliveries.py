"""What the outside tells us: stored before it is acknowledged, handled once, in order where order matters."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db import deliveries
from db.deliveries import NewDelivery
from db.models import WebhookDelivery
from db.session import Database
from services.clock import Clock

log = structlog.get_logger()

MAX_BATCH = 500
AT_ONCE = 64
"""How many deliveries of one source are handled at a time, over all series."""
MARK_AFTER_SECONDS = 0.05
RETRY_AFTER = timedelta(seconds=5)
GIVE_UP_AFTER = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """One stored message, being handled."""

    id: int
    source: str
    body: str
    message: Any = None
    """The parsed body, where whoever stored it had parsed it already."""


@dataclass(frozen=True, slots=True)
class Source:
    """How deliveries from one side are told apart and handled."""

    handle: Callable[[Delivery], Awaitable[None]]
    serial: Callable[[str], str]
    """From a body to the series in which it must be handled in order."""


@dataclass(slots=True)
class _Waiting:
    delivery: NewDelivery
    serial: str
    message: Any
    stored: asyncio.Future[bool]


class Deliveries:
    """The inbox. `store` returns once the delivery is on disk; handling starts right after."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._series: dict[str, deque[Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        """By source, so that a crowd at one of them never holds up a code."""
        self._in_hand: set[int] = set()
        self._handled: list[int] = []
        self._marker: asyncio.Task[None] | None = None

    def register(self, sources: Mapping[str, Source]) -> None:
        """From now on these are handled; what comes from others is stored, and waits for a sweep."""
        self._sources.update(sources)

    async def store(
        self, source: str, external_id: str, body: str, *, serial: str, message: Any = None
    ) -> bool:
        """Commit to disk, together with whatever else is waiting; False where it was known.

        Raises SQLAlchemyError, OSError or the driver's own error where the database does not take it:
        then nothing may be acknowledged.
        """
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        row = NewDelivery(source, external_id, body, self._clock.now())
        self._waiting.append(_Waiting(row, serial, message, stored))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await stored

    async def _write(self) -> None:
        """Commit what waits, batch after batch: while one is on its way to disk, the next gathers."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                try:
                    new = await deliveries.store(self._database, [waiting.delivery for waiting in batch])
                except Exception as error:  # whatever it is, each waiting request must hear it
                    for waiting in batch:
                        if not waiting.stored.done():
                            waiting.stored.set_exception(error)
                    continue
                self._release(batch, new)
        finally:
            self._writer = None

    def _release(self, batch: list[_Waiting], new: dict[tuple[str, str], int]) -> None:
        for waiting in batch:
            row = waiting.delivery
            # Popped: the same delivery twice in one batch is new only once.
            delivery_id = new.pop((row.source, row.external_id), None)
            if not waiting.stored.done():
                waiting.stored.set_result(delivery_id is not None)
            if delivery_id is not None and row.source in self._sources:
                self._enqueue(waiting.serial, Delivery(delivery_id, row.source, row.body, waiting.message))

    def _enqueue(self, serial: str, delivery: Delivery) -> None:
        self._in_hand.add(delivery.id)
        if serial in self._series:
            self._series[serial].append(delivery)
            return
        self._series[serial] = deque([delivery])
        task = asyncio.create_task(self._work_off(serial))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_off(self, serial: str) -> None:
        series = self._series[serial]
        while series:
            delivery = series.popleft()
            async with self._slots[delivery.source]:
                await self._handle(delivery)
        del self._series[serial]

    async def _handle(self, delivery: Delivery) -> None:
        try:
            await self._sources[delivery.source].handle(delivery)
        except Exception as error:  # the outermost loop of all deliveries: one must not stop the rest
            log.exception("delivery.failed", source=delivery.source, id=delivery.id)
            await self._note_failure(delivery, type(error).__name__)
            self._in_hand.discard(delivery.id)
        else:
            self._handled.append(delivery.id)
            if self._marker is None:
                self._marker = asyncio.create_task(self._mark())

    async def _mark(self) -> None:
        """Write down what was handled, many at a time; what a crash forgets has no effect when repeated."""
        try:
            while self._handled:
                # No hurry: new deliveries need the disk more.
                await asyncio.sleep(MARK_AFTER_SECONDS)
                ids, self._handled = self._handled, []
                try:
                    async with self._database.write() as session:
                        await deliveries.mark_handled(session, ids, now=self._clock.now())
                except (SQLAlchemyError, OSError) as error:
                    log.error("delivery.not_marked", count=len(ids), error=type(error).__name__)
                self._in_hand.difference_update(ids)
        finally:
            self._marker = None

    async def _note_failure(self, delivery: Delivery, error: str) -> None:
        """Leave it to the sweep, which tries again; after many failures it is kept but no longer tried."""
        try:
            async with self._database.write() as session:
                attempts = await deliveries.note_failure(session, delivery.id, error=error)
                if attempts >= GIVE_UP_AFTER:
                    log.error("delivery.given_up", source=delivery.source, id=delivery.id)
                    await deliveries.mark_handled(session, [delivery.id], now=self._clock.now(), error=error)
        except (SQLAlchemyError, OSError) as failure:
            log.error("delivery.failure_not_recorded", id=delivery.id, error=type(failure).__name__)

    async def sweep(self, *, older_than: timedelta = RETRY_AFTER) -> None:
        """Take up what was stored but not handled: at start, and what failed meanwhile."""
        # What is marked as handled while the rows are read still stands among them as unhandled.
        in_hand = set(self._in_hand)
        async with self._database.read() as session:
            rows = await deliveries.unhandled(session, before=self._clock.now() - older_than, limit=MAX_BATCH)
        for row in rows:
            assert row.id is not None
            if row.id not in in_hand | self._in_hand and row.source in self._sources:
                self._enqueue(self._serial_of(row), Delivery(row.id, row.source, row.body))

    def _serial_of(self, row: WebhookDelivery) -> str:
        try:
            return self._sources[row.source].serial(row.body)
        except Exception:  # stored by an older version, perhaps; its handler will say what is wrong
            return f"{row.source}:{row.id}"

    async def settle(self) -> None:
        """Wait until everything stored has been handled."""
        while under_way := self._tasks | {task for task in (self._writer, self._marker) if task}:
            await asyncio.wait(under_way)

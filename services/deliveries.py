"""What lies in the inbox: handled once, in order where order matters, and again where it failed."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from db import deliveries
from db.models import WebhookDelivery
from db.session import Database
from services.clock import Clock
from services.errors import Deferred
from services.inbox import MAX_BATCH, Delivery

log = structlog.get_logger()

AT_ONCE = 64
"""How many deliveries are handled at a time, over all series of one kind."""
MARK_AFTER_SECONDS = 0.05
RETRY_AFTER = timedelta(seconds=5)
GIVE_UP_AFTER = 20


@dataclass(frozen=True, slots=True)
class Source:
    """How deliveries from one side are told apart and handled."""

    handle: Callable[[Delivery], Awaitable[None]]
    serial: Callable[[str], str]
    """From a body to the series in which it must be handled in order."""


@dataclass(slots=True)
class _Queue:
    """One kind of series, with workers of its own: a crowd in another holds up no code and no payment."""

    ready: deque[str] = field(default_factory=deque)
    """Series of which a delivery waits and none is being handled."""
    workers: set[asyncio.Task[None]] = field(default_factory=set)
    is_called: bool = False
    """A worker was started and has not begun yet."""


class Deliveries:
    """The one process that leads handles; the others only fill the inbox."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sources: dict[str, Source] = {}
        self._series: dict[str, deque[Delivery]] = {}
        self._queues: dict[str, _Queue] = defaultdict(_Queue)
        """By kind of series: what stands before the colon."""
        self._in_hand: set[int] = set()
        self._handled: list[int] = []
        self._marker: asyncio.Task[None] | None = None

    def register(self, sources: Mapping[str, Source]) -> None:
        """From now on these are handled; what comes from others is stored, and waits for a sweep."""
        self._sources.update(sources)

    def take(self, delivery: Delivery, serial: str) -> None:
        """Handle a delivery that is on disk, after those before it in its series."""
        if delivery.source in self._sources:
            self._enqueue(serial, delivery)

    def _enqueue(self, serial: str, delivery: Delivery) -> None:
        if delivery.id in self._in_hand:
            return  # found on disk a moment before it was handed over
        self._in_hand.add(delivery.id)
        if serial in self._series:
            self._series[serial].append(delivery)
            return
        self._series[serial] = deque([delivery])
        queue = self._queues[serial.partition(":")[0]]
        queue.ready.append(serial)
        self._call_worker(queue)

    def _call_worker(self, queue: _Queue) -> None:
        """Start another worker for what is ready; it calls the next one, while there is more."""
        if queue.ready and not queue.is_called and len(queue.workers) < AT_ONCE:
            queue.is_called = True
            worker = asyncio.create_task(self._work_off(queue))
            queue.workers.add(worker)
            worker.add_done_callback(queue.workers.discard)

    async def _work_off(self, queue: _Queue) -> None:
        queue.is_called = False
        while queue.ready:
            serial = queue.ready.popleft()
            self._call_worker(queue)
            series = self._series[serial]
            await self._handle(series.popleft())
            if series:
                queue.ready.append(serial)
            else:
                del self._series[serial]

    async def _handle(self, delivery: Delivery) -> None:
        try:
            await self._sources[delivery.source].handle(delivery)
        except Deferred:
            self._in_hand.discard(delivery.id)  # the sweep comes back to it
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
                    await deliveries.mark_handled(self._database, ids, now=self._clock.now())
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
                    await deliveries.give_up(session, delivery.id, now=self._clock.now())
        except (SQLAlchemyError, OSError) as failure:
            log.error("delivery.failure_not_recorded", id=delivery.id, error=type(failure).__name__)

    async def sweep(self, *, older_than: timedelta = RETRY_AFTER) -> None:
        """Take up what was stored but not handled: at start, and what failed meanwhile."""
        before = self._clock.now() - older_than
        await self._take_up(lambda session, limit: deliveries.unhandled(session, before=before, limit=limit))

    async def take_up_new(self) -> None:
        """Take up what other processes have stored; what failed waits for the sweep."""
        await self._take_up(lambda session, limit: deliveries.untried(session, limit=limit))

    async def _take_up(self, read: Callable[[AsyncSession, int], Awaitable[list[WebhookDelivery]]]) -> None:
        # What is marked as handled while the rows are read still stands among them as unhandled.
        in_hand = set(self._in_hand)
        async with self._database.read() as session:
            rows = await read(session, MAX_BATCH + len(in_hand))
        for row in rows:
            assert row.id is not None
            if row.id not in in_hand and row.source in self._sources:
                self._enqueue(self._serial_of(row), Delivery(row.id, row.source, row.body, row.received_at))

    def _serial_of(self, row: WebhookDelivery) -> str:
        try:
            return self._sources[row.source].serial(row.body)
        except Exception:  # stored by an older version, perhaps; its handler will say what is wrong
            return f"{row.source}:{row.id}"

    async def settle(self) -> None:
        """Wait until everything taken has been handled."""
        while under_way := self._under_way():
            await asyncio.wait(under_way)

    def abandon(self) -> None:
        """Drop everything at once: another process takes it up."""
        for task in self._under_way():
            task.cancel()

    def _under_way(self) -> set[asyncio.Task[None]]:
        workers = (queue.workers for queue in self._queues.values())
        return set().union(*workers, {self._marker} if self._marker else set())

"""What we owe the outside world: kept in the database, done at least once, in order where order matters."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from db import outbox
from db.models import OutboxMessage
from db.session import Database, after_commit
from services.clock import Clock
from services.errors import Deferred, UpstreamError
from services.lanes import Lane

log = structlog.get_logger()

TRIES = Counter("numlet_outbox_tries_total", "Tries to do what is owed", ["kind", "result"])

Effect = Callable[[AsyncSession], Awaitable[None]]
Worker = Callable[[OutboxMessage], Awaitable[Effect | None]]
"""Does what a message promises; what it returns is committed together with the mark that it is done."""

SUPPLIER, SENDER, SUPPORT = "supplier", "sender", "support"
LANES = {
    Lane.CODE.name: 16,
    SUPPLIER: 16,
    SENDER: 8,
    # A group takes twenty messages a minute: what waits for it must not keep others from their turn.
    SUPPORT: 4,
    Lane.REPLY.name: 8,
    Lane.EDIT.name: 8,
    Lane.BULK.name: 4,
}
"""How many messages of each lane are under way at once: no lane can fill another's places."""

LEASE = timedelta(minutes=5)
"""Longer than any worker takes; after it a message that nobody finished is taken up again."""
SAFETY_POLL = timedelta(seconds=10)
"""How long a lost wake-up can delay anything."""
STRAYS_EVERY = timedelta(seconds=5)
"""How often claims are looked for that nobody works on."""
PATIENCE = timedelta(hours=24)
"""A message that has failed for this long is given up; not what suppliers are asked: money hangs on it."""
FIRST_RETRY, LAST_RETRY = timedelta(seconds=2), timedelta(minutes=2)


def retry_delay(attempts: int, retry_after: timedelta | None) -> timedelta:
    """How long to wait after the `attempts`-th failure: what we were told, else doubling from two seconds."""
    if retry_after is not None:
        return retry_after
    return min(LAST_RETRY, FIRST_RETRY * (1 << min(attempts - 1, 16)))


class Outbox:
    """`add` makes a promise inside the caller's transaction; `run` keeps them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._workers: dict[str, Worker] = {}
        self._wakes = {lane: asyncio.Event() for lane in LANES}
        self._is_held_up = dict.fromkeys(LANES, False)
        """By lane: whether something is due that could not be claimed at the last look."""
        self._is_serving = False
        self._under_way: set[int | None] = set()
        self._strays: set[int] = set()
        self._series: dict[str, deque[OutboxMessage]] = {}
        """By serial of what is being done: what was claimed behind it."""
        self._ready: dict[str, deque[OutboxMessage]] = {lane: deque() for lane in LANES}
        """Claimed, and without a place yet."""
        self._running: dict[str, set[asyncio.Task[None]]] = {lane: set() for lane in LANES}

    def register(self, workers: Mapping[str, Worker]) -> None:
        """Say who does which kind of message."""
        self._workers.update(workers)
        for kind in workers:
            # From zero on: Prometheus sees no rise in what begins at one.
            TRIES.labels(kind, "given_up")

    async def add(
        self,
        session: AsyncSession,
        kind: str,
        payload: dict[str, Any],
        *,
        lane: str,
        serial: str,
        key: str,
        due_at: datetime | None = None,
        at_hand: Mapping[str, Any] = MappingProxyType({}),
    ) -> bool:
        """Promise something; False where `key` was promised before.

        Messages with the same `serial` are done one after another. `due_at`: aware UTC, now by default.
        What can be done at once is written as claimed, and begins with the commit: nobody reads it again.
        Then its payload holds `at_hand` too, which is never written: facts of this very transaction.
        """
        now = self._clock.now()
        claim_until = now + LEASE if self._has_place(lane) and (due_at or now) <= now else None
        message = await outbox.add(
            session,
            claim_until=claim_until,
            kind=kind,
            payload=payload,
            lane=lane,
            serial=serial,
            dedupe_key=key,
            created_at=now,
            due_at=due_at or now,
        )
        if message is None or message.claimed_until is None:
            after_commit(session, f"outbox:{lane}", self._wakes[lane].set)
        else:
            message.payload = {**payload, **at_hand}
            after_commit(session, f"outbox:{lane}:{message.id}", partial(self._begin, message))
        return message is not None

    def _has_place(self, lane: str) -> bool:
        """Whether something that is promised now can probably begin with its commit."""
        return self._is_serving and len(self._running[lane]) + len(self._ready[lane]) < LANES[lane]

    async def recover(self) -> None:
        """At start: take back what a process that is gone had claimed."""
        async with self._database.write() as session:
            await outbox.release_claims(session)

    async def run(self) -> None:
        """Keep promises until cancelled; then wait for those under way."""
        self._is_serving = True
        try:
            async with asyncio.TaskGroup() as lanes:
                for lane in LANES:
                    lanes.create_task(self._serve(lane))
                lanes.create_task(self._watch_for_strays())
        finally:
            self._is_serving = False
            under_way = set().union(*self._running.values())
            if under_way:
                await asyncio.wait(under_way)

    def abandon(self) -> None:
        """Drop everything at once, and begin nothing more: another process takes it up."""
        self._is_serving = False
        for ready in self._ready.values():
            ready.clear()
        for task in set().union(*self._running.values()):
            task.cancel()

    async def drain(self) -> None:
        """Do all that is due now, and what follows from it."""
        while True:
            now = self._clock.now()
            started = [await self._start_due(lane, now) for lane in LANES]
            under_way: set[asyncio.Task[None]] = set().union(*self._running.values())
            if not under_way and not any(started):
                return
            if under_way:
                await asyncio.wait(under_way)

    async def _serve(self, lane: str) -> None:
        wake = self._wakes[lane]
        while self._is_serving:
            wake.clear()
            try:
                pause = await self._look(lane)
            except (SQLAlchemyError, OSError) as error:
                log.error("outbox.database_unavailable", lane=lane, error=type(error).__name__)
                pause = 1.0
            try:
                async with asyncio.timeout(pause):
                    await wake.wait()
            except TimeoutError:
                pass

    async def _look(self, lane: str) -> float:
        """Start what is due; the seconds until something falls due, at most the safety poll's."""
        # For what ends from here on.
        self._is_held_up[lane] = True
        now, longest = self._clock.now(), SAFETY_POLL.total_seconds()
        if len(self._running[lane]) >= LANES[lane]:
            return longest
        async with self._database.read() as session:
            due_at = await outbox.first_due(session, lane, now=now)
        if due_at and due_at <= now:
            if await self._start_due(lane, now):
                return 0
            # It waits for its turn in a series, whose end wakes us.
            async with self._database.read() as session:
                due_at = await outbox.next_due(session, lane, after=now)
        else:
            self._is_held_up[lane] = False
        return max(0, min(longest, (due_at - self._clock.now()).total_seconds())) if due_at else longest

    async def _watch_for_strays(self) -> None:
        while True:
            await asyncio.sleep(STRAYS_EVERY.total_seconds())
            try:
                await self.take_back_strays()
            except (SQLAlchemyError, OSError) as error:
                log.error("outbox.database_unavailable", error=type(error).__name__)

    async def take_back_strays(self) -> None:
        """Take back what is claimed and was not under way at the last look either.

        The commit of a process that was killed may reach the disk after `recover` has looked.
        """
        async with self._database.read() as session:
            claimed = set(await outbox.claimed(session))
        strays = claimed - self._under_way
        lost, self._strays = sorted(strays & self._strays), strays
        if lost:
            log.warning("outbox.strays", count=len(lost))
            async with self._database.write() as session:
                await outbox.release(session, lost)
            for wake in self._wakes.values():
                wake.set()

    async def _start_due(self, lane: str, now: datetime) -> bool:
        self._fill_places(lane)
        free = LANES[lane] - len(self._running[lane])
        if free <= 0:
            return False
        async with self._database.write() as session:
            messages = await outbox.claim(session, lane, now=now, until=now + LEASE, limit=free)
        for message in messages:
            self._start(message)
        return bool(messages)

    def _begin(self, message: OutboxMessage) -> None:
        """Do what was written as claimed, unless we stopped meanwhile: then whoever serves next does."""
        if self._is_serving:
            self._start(message)

    def _start(self, message: OutboxMessage) -> None:
        """Do a claimed message, after those before it in its series and as soon as its lane has a place."""
        if message.id in self._under_way:
            return  # it takes longer than its lease, which was just renewed
        self._under_way.add(message.id)
        if message.serial in self._series:
            self._series[message.serial].append(message)
            return
        self._series[message.serial] = deque()
        self._ready[message.lane].append(message)
        self._fill_places(message.lane)

    def _fill_places(self, lane: str) -> None:
        ready, running = self._ready[lane], self._running[lane]
        while ready and len(running) < LANES[lane]:
            task = asyncio.create_task(self._do(ready.popleft()))
            running.add(task)
            task.add_done_callback(partial(self._ended, lane))

    def _ended(self, lane: str, task: asyncio.Task[None]) -> None:
        self._running[lane].discard(task)
        if self._is_serving:
            self._fill_places(lane)
        if self._is_held_up[lane]:
            self._wakes[lane].set()
        if not task.cancelled() and (error := task.exception()):
            # Only the database can fail here; the watch for strays brings the message back.
            log.error("outbox.not_recorded", lane=lane, error=type(error).__name__)

    async def _do(self, message: OutboxMessage) -> None:
        """Do a message, and what was claimed behind it in its series."""
        behind, is_done = self._series[message.serial], False
        try:
            is_done = await self._work(message)
            while is_done and behind:
                self._under_way.discard(message.id)
                message = behind.popleft()
                is_done = await self._work(message)
            if behind:
                # They wait for the one that was put off; the database says when they may go on.
                async with self._database.write() as session:
                    await outbox.release(session, [waiting.id or 0 for waiting in behind])
        finally:
            del self._series[message.serial]
            self._under_way.difference_update(one.id for one in (message, *behind))
            if not is_done:
                self._wakes[message.lane].set()  # something is owed at another time now

    async def _work(self, message: OutboxMessage) -> bool:
        """Whether it is over: done, or given up."""
        assert message.id is not None
        try:
            effect = await self._workers[message.kind](message)
        except Deferred as deferred:
            await self._put_off(message, deferred.until)
            return False
        except UpstreamError as error:
            delay = retry_delay(message.attempts, error.retry_after)
            return await self._retry(message, delay, f"{type(error).__name__}: {error}")
        except Exception as error:  # the outermost loop of all jobs: a bug in one must not stop the rest
            log.exception("outbox.failed", kind=message.kind, id=message.id)
            return await self._retry(message, retry_delay(message.attempts, None), type(error).__name__)
        async with self._database.write() as session:
            await outbox.mark_done(session, [message.id], now=self._clock.now())
            if effect:
                await effect(session)
        TRIES.labels(message.kind, "done").inc()
        return True

    async def _retry(self, message: OutboxMessage, delay: timedelta, error: str) -> bool:
        """Whether it was given up."""
        now = self._clock.now()
        failing_since = message.failing_since or now
        if message.lane == SUPPLIER or now + delay - failing_since < PATIENCE:
            TRIES.labels(message.kind, "failed").inc()
            await self._put_off(message, now + delay, failing_since=failing_since, error=error)
            return False
        log.error("outbox.given_up", kind=message.kind, id=message.id, error=error)
        async with self._database.write() as session:
            await outbox.give_up(session, message.id or 0, error=error, now=now)
        TRIES.labels(message.kind, "given_up").inc()
        return True

    async def _put_off(
        self,
        message: OutboxMessage,
        until: datetime,
        *,
        failing_since: datetime | None = None,
        error: str | None = None,
    ) -> None:
        async with self._database.write() as session:
            await outbox.put_off(
                session, message.id or 0, until=until, failing_since=failing_since, error=error
            )

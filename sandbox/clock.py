"""The sandbox's time: true timestamps, durations that can be shortened, and actions that fall due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count


class Clock:
    """The wall clock. `speed` shortens durations and leaves timestamps true."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def span(self, documented: timedelta) -> timedelta:
        """How long a vendor's documented duration lasts in this play."""
        return documented / self.speed


class ManualClock(Clock):
    """A clock that moves only when told to."""

    def __init__(
        self, start: datetime = datetime(2026, 2, 25, 10, tzinfo=UTC), *, speed: float = 1.0
    ) -> None:
        super().__init__(speed)
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by


class Agenda:
    """Actions to take at their time. None is ever struck off: each checks whether it still applies."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[datetime, int, Callable[[], None]]] = []
        self._sequence = count()
        self._added = asyncio.Event()

    def add(self, due_at: datetime, action: Callable[[], None]) -> None:
        # The sequence keeps actions of one instant in order, and keeps the heap from comparing them.
        heappush(self._heap, (due_at, next(self._sequence), action))
        self._added.set()

    def run_due(self) -> None:
        while self._heap and self._heap[0][0] <= self.clock.now():
            heappop(self._heap)[2]()

    async def run(self) -> None:
        """Take every action at its time, until cancelled."""
        while True:
            self.run_due()
            self._added.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_next()):
                    await self._added.wait()

    def _seconds_to_next(self) -> float | None:
        if not self._heap:
            return None
        return max(0.0, (self._heap[0][0] - self.clock.now()).total_seconds())

"""Time, as a value that tests can move."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present moment, aware UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

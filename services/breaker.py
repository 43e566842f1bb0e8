"""A circuit breaker: who fails again and again is left alone for a while, then tried with one call."""

from datetime import datetime, timedelta
from enum import StrEnum

OPENS_AFTER = 3
"""Failures in a row."""
REST = timedelta(seconds=30)
PROBE_TAKES = timedelta(seconds=5)
"""What others are told to wait while one call tries whether all is well again."""


class State(StrEnum):
    CLOSED = "closed"
    """All calls pass."""
    OPEN = "open"
    """None does, until the rest is over."""
    HALF_OPEN = "half-open"
    """One may pass; how it ends decides."""


class Breaker:
    """Decides by what it is told; times are aware UTC and come from the caller."""

    def __init__(self) -> None:
        self.failures = 0
        """Since the last success."""
        self.opened_at: datetime | None = None
        self._probing = False

    def state(self, now: datetime) -> State:
        if self.opened_at is None:
            return State.CLOSED
        return State.OPEN if now < self.opened_at + REST else State.HALF_OPEN

    def admit(self, now: datetime) -> timedelta | None:
        """None lets a call pass, which must be followed by `leave`; otherwise how long to stay away."""
        match self.state(now):
            case State.OPEN:
                assert self.opened_at
                return self.opened_at + REST - now
            case State.HALF_OPEN if self._probing:
                return PROBE_TAKES
            case State.HALF_OPEN:
                self._probing = True
        return None

    def leave(self) -> None:
        """A call that was admitted is over, however it ended."""
        self._probing = False

    def succeed(self, now: datetime) -> None:
        """Nothing said during the rest shortens it: reading may go well where buying does not."""
        if self.state(now) is not State.OPEN:
            self.failures, self.opened_at = 0, None

    def fail(self, now: datetime) -> bool:
        """Whether this is what opened it."""
        self.failures += 1
        if self.state(now) is State.OPEN or (self.opened_at is None and self.failures < OPENS_AFTER):
            return False
        self.opened_at = now
        return True

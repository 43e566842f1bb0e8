"""How a vendor's calls went within the last hour. In memory: it begins anew with each leader."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

SPAN = timedelta(hours=1)
MOST = 2000
"""Calls that are remembered at most, the newest."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Of the calls within `SPAN`; times in seconds."""

    count: int
    answered: int
    """Those that had an answer, be it a refusal."""
    median: float
    p95: float

    @property
    def percent(self) -> int:
        """Of calls that had an answer; rounded down, so that 100 means all."""
        return self.answered * 100 // self.count


class RecentCalls:
    def __init__(self) -> None:
        self._calls: deque[tuple[datetime, float, bool]] = deque(maxlen=MOST)

    def note(self, at: datetime, seconds: float, *, answered: bool) -> None:
        self._calls.append((at, seconds, answered))

    def summary(self, now: datetime) -> Summary | None:
        """None where there were no calls."""
        recent = [(seconds, answered) for at, seconds, answered in self._calls if now - at <= SPAN]
        if not recent:
            return None
        seconds = sorted(took for took, _ in recent)
        answered = sum(answered for _, answered in recent)
        return Summary(len(recent), answered, _quantile(seconds, 0.5), _quantile(seconds, 0.95))


def _quantile(ordered: list[float], share: float) -> float:
    """The smallest value that so many do not exceed."""
    return ordered[ceil(share * len(ordered)) - 1]

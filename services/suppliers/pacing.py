"""When to call a vendor: slowly enough for its limits, and again when it says so."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_LONGEST_RETRY_AFTER = timedelta(days=1)


class Pacer:
    """A token bucket: half of `limit` at once, then a steady trickle, first come, first served.

    Together never more than nine tenths of `limit` in any `per`, because calls bunch up on their way. It
    counts real seconds, not the business clock's: what it holds back is traffic on the wire. Each process
    counts for itself.
    """

    def __init__(
        self,
        limit: int,
        *,
        per: timedelta,
        time: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        burst = limit // 2
        self._interval = per.total_seconds() / (limit * 0.9 - burst)
        self._burst_span = (burst - 1) * self._interval
        self._time = time
        self._sleep = sleep
        self._next_at = float("-inf")

    async def wait(self) -> None:
        """Take the next free slot and return when it comes."""
        now = self._time()
        slot_at = max(self._next_at, now - self._burst_span)
        self._next_at = slot_at + self._interval
        if slot_at > now:
            await self._sleep(slot_at - now)


def parse_retry_after(header: str | None, now: datetime) -> timedelta | None:
    """None where there is nothing to go by.

    Source: RFC 9110, section 10.2.3: whole seconds, or a date.
    """
    if not header:
        return None
    try:
        if header.isdecimal():
            return timedelta(seconds=min(int(header), _LONGEST_RETRY_AFTER.total_seconds()))
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    wait = at.replace(tzinfo=at.tzinfo or UTC) - now
    return min(max(wait, timedelta(0)), _LONGEST_RETRY_AFTER)

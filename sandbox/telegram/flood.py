"""Telegram's flood limits.

Source: Bots FAQ, "My bot is hitting limits, how do I avoid this?": about one message a second to a chat with
short bursts, twenty a minute to a group, about thirty a second to all chats together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sandbox.telegram.errors import too_many_requests


@dataclass(frozen=True)
class FloodLimits:
    per_chat: float = 1.0
    """Messages a second that one chat takes in the long run."""
    chat_burst: int = 5
    """How many it takes at once after a pause."""
    per_group: int = 20
    """Messages a minute to one group."""
    overall: int = 30
    """Messages a second, and at once, to all chats together."""


class _Bucket:
    def __init__(self, rate: float, size: float, now: datetime) -> None:
        self.rate = rate
        self.size = size
        self.level = size
        self.filled_at = now

    def seconds_until_one(self, now: datetime) -> float:
        self.level = min(self.size, self.level + self.rate * (now - self.filled_at).total_seconds())
        self.filled_at = now
        return max(0.0, (1 - self.level) / self.rate)


class FloodControl:
    def __init__(self, limits: FloodLimits) -> None:
        self.limits = limits
        self._overall: _Bucket | None = None
        self._chats: dict[int, _Bucket] = {}

    def pass_or_refuse(self, chat_id: int, now: datetime) -> None:
        """Raises: Refusal (429, with `retry_after`)."""
        limits = self.limits
        if self._overall is None:
            self._overall = _Bucket(limits.overall, limits.overall, now)
        if chat_id not in self._chats:
            self._chats[chat_id] = self._bucket_of(chat_id, now)
        buckets = (self._overall, self._chats[chat_id])
        if wait := max(bucket.seconds_until_one(now) for bucket in buckets):
            raise too_many_requests(ceil(wait))
        for bucket in buckets:
            bucket.level -= 1

    def _bucket_of(self, chat_id: int, now: datetime) -> _Bucket:
        limits = self.limits
        if chat_id < 0:
            return _Bucket(limits.per_group / 60, limits.per_group, now)
        return _Bucket(limits.per_chat, limits.chat_burst, now)

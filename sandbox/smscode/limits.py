"""How often a customer may ask."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.smscode.errors import ApiError

WINDOW = timedelta(seconds=60)


class RateLimits:
    """Requests per fixed window of 60 true seconds, for each group of endpoints.

    Source: smscode API v1 documentation, section Rate Limits, which does not say what kind of window it is.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.allowed = {
            "catalog": 1200,
            "balance": 600,
            "order_reads": 1200,
            "order_create": 1200,
            "order_cancel": 600,
            "order_actions": 600,
            "webhook_config": 120,
        }
        self._spent: dict[str, int] = {}
        self._ends_at: dict[str, datetime] = {}

    def spend(self, group: str) -> None:
        now = self.clock.now()
        ends_at = self._ends_at.get(group)
        if ends_at is None or now >= ends_at:
            ends_at = self._ends_at[group] = now + WINDOW
            self._spent[group] = 0
        if self._spent[group] >= self.allowed[group]:
            wait = math.ceil((ends_at - now).total_seconds())
            raise ApiError("RATE_LIMIT_EXCEEDED", "Too many requests", retry_after=wait)
        self._spent[group] += 1

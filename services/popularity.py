"""What people rent most these days."""

from collections.abc import Mapping
from datetime import timedelta

from db import outcomes
from db.session import Database
from services.clock import Clock
from services.odds import day_of

WINDOW = timedelta(days=7)
SERVICES = 50
"""Enough for every list that they come first in."""


class Popularity:
    """Read from our own orders every few minutes, so that no tap waits for it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ranks: Mapping[int, int] = {}

    async def refresh(self) -> None:
        since = day_of(self._clock.now() - WINDOW)
        async with self._database.read() as session:
            wanted = await outcomes.most_wanted(session, since=since, limit=SERVICES)
        self._ranks = {service_id: rank for rank, service_id in enumerate(wanted)}

    def rank(self, service_id: int) -> int:
        """Zero for the most wanted service; all that nobody has ordered come last together."""
        return self._ranks.get(service_id, SERVICES)

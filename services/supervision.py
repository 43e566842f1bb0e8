"""Looks by the clock for what keeps codes from renters, or costs money unseen."""

from datetime import timedelta

from db import deliveries, orphans, outbox
from db.session import Database
from services.alarms import Alarms, Word
from services.clock import Clock
from services.lanes import Lane
from services.supply import Suppliers

BREAKER_PATIENCE = timedelta(minutes=1)
"""A supplier that is back sooner is no news."""
LATE = timedelta(minutes=1)
"""A code that waits longer than this for us is late: it takes well under a second."""


class Supervision:
    """What it finds goes to the alarms, which tell of it once."""

    def __init__(self, database: Database, clock: Clock, suppliers: Suppliers, alarms: Alarms) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._alarms = alarms

    async def look(self) -> None:
        for supplier in self._suppliers:
            await self._look_at_breaker(supplier.name)
        await self._look_at_codes()
        await self._look_at_orphans()

    async def _look_at_breaker(self, name: str) -> None:
        await self._alarms.note(
            f"breaker:{name}",
            is_bad=self._suppliers.health(name).is_down,
            after=BREAKER_PATIENCE,
            begins=Word("breaker_open", {"supplier": name}),
            ends=Word("breaker_closed", {"supplier": name}),
        )

    async def _look_at_codes(self) -> None:
        """Webhooks that are not handled yet, and codes that Telegram has not taken yet."""
        now = self._clock.now()
        async with self._database.read() as session:
            inbox = await deliveries.backlog(session)
            owed = await outbox.backlog(session, now=now)
        since = [oldest_at for source, (_, oldest_at) in inbox.items() if source in self._suppliers]
        since += [oldest_at for _, oldest_at in [owed.get(Lane.CODE.name, (0, None))] if oldest_at]
        await self._alarms.note(
            "codes",
            is_bad=any(now - oldest_at > LATE for oldest_at in since),
            begins=Word("codes_late"),
            ends=Word("codes_in_time"),
        )

    async def _look_at_orphans(self) -> None:
        """Each has been told of in the chat when it was found, by its number."""
        async with self._database.read() as session:
            count = await orphans.count_unsettled(session)
        await self._alarms.note(
            "orphans",
            is_bad=count > 0,
            begins=Word("orphans_found", in_chat=False),
            ends=Word("orphans_settled"),
        )

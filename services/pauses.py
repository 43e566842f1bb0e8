"""What is not sold, for a while or until further notice: the blocklist, and whom we do not buy from.

Only selling stops. What was sold before goes on: codes, cancelling, looking orders up.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from db import offers, pauses, settings
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock
from services.scopes import Scope, Scoped

BLOCKED_FROM_THE_START = {"slug": "telegram", "name": "Telegram", "code": "tg"}
"""Telegram's terms for bots forbid renting numbers for Telegram itself."""
_BLOCKED = "blocklist"
"""The setting that remembers that this was blocked, so that whoever allowed it is not overruled."""


class Pauses:
    """Keeps them, and tells whoever shows what is for sale that they have changed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ends: Scoped[datetime | None] = Scoped({})
        self._listeners: list[Callable[[], Awaitable[None]]] = []

    def follow(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Call it after each change."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """What is in force; the first time, what is blocked from the start."""
        now = self._clock.now()
        async with self._database.write() as session:
            await pauses.remove_ended(session, now=now)
            if await settings.find(session, _BLOCKED) is None:
                await offers.add_services(session, [BLOCKED_FROM_THE_START])
                known = {service.slug: service.id or 0 for service in await offers.services(session)}
                scope = Scope(service_id=known[BLOCKED_FROM_THE_START["slug"]])
                await pauses.put(session, scope, until=None, since=now)
                await settings.put(session, _BLOCKED, BLOCKED_FROM_THE_START["slug"], now=now)
            rows = await pauses.all_pauses(session)
        self._ends = Scoped({Scope(row.supplier, row.service_id, row.country): row.until for row in rows})

    @property
    def services(self) -> frozenset[int]:
        """Those that are named by one."""
        return self._ends.services

    def stops(self, supplier: str, service_id: int | None, country: str) -> bool:
        """Whether a number may not be sold. `service_id`: None for one that takes the codes of any."""
        return self._ends.covers(supplier, service_id, country)

    def of_supplier(self, supplier: str) -> dict[Scope, datetime | None]:
        """With their ends, None for those that have none; an empty name: those that go for all suppliers."""
        return {scope: until for scope, until in self._ends.things.items() if scope.supplier == supplier}

    async def pause(self, scope: Scope, *, until: datetime | None, by: int, subject: str) -> None:
        """Stop selling something; said again, it changes the end. `subject`: the scope, in words."""
        now = self._clock.now()
        async with self._database.write() as session:
            await pauses.put(session, scope, until=until, since=now)
            after = {"until": f"{until:%F %R} UTC" if until else "further notice"}
            await acts.record(session, What.PAUSE, by=by, now=now, subject=subject, after=after)
        await self._change(self._ends.with_thing(scope, until))

    async def resume(self, scope: Scope, *, by: int, subject: str) -> None:
        """Sell it again."""
        if scope not in self._ends.things:
            return
        async with self._database.write() as session:
            await pauses.remove(session, scope)
            await acts.record(session, What.RESUME, by=by, now=self._clock.now(), subject=subject)
        await self._change(self._ends.without(scope))

    async def end_due(self) -> None:
        """End those whose time is up."""
        now = self._clock.now()
        due = [scope for scope, until in self._ends.things.items() if until and until <= now]
        if not due:
            return
        async with self._database.write() as session:
            await pauses.remove_ended(session, now=now)
        ends = self._ends
        for scope in due:
            ends = ends.without(scope)
        await self._change(ends)

    async def _change(self, ends: Scoped[datetime | None]) -> None:
        self._ends = ends
        for listener in self._listeners:
            await listener()

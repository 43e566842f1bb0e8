"""What renters wait for: a service in a country below a price, or in stock again. Told once."""

from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import lookouts, users
from db.models import Lookout
from db.session import Database, after_commit
from services.announcer import Announcer
from services.catalog import Catalog
from services.clock import Clock
from services.errors import TooManyLookouts

LIFETIME = timedelta(days=30)
MOST = 10
"""For one renter at a time."""
ANY_PRICE = 1 << 62
"""What being in stock again counts as; more than any price."""
AT_ONCE = 100
"""How many are told of in one commit."""


class Lookouts:
    """Looks after each refresh of the catalog, and asks the database only where somebody may be told."""

    def __init__(self, database: Database, clock: Clock, catalog: Catalog, announcer: Announcer) -> None:
        self._database = database
        self._clock = clock
        self._catalog = catalog
        self._announcer = announcer
        self._highest: dict[tuple[int, str], int] | None = None
        """By service and country, the highest price that anybody waits to fall below; None until read."""

    async def add(self, user_id: int, service_id: int, country: str, below: int | None) -> None:
        """Wait for a price below `below` (minor units of the shop's currency), or for any where it is None.

        It takes the place of what the renter waited for there before. Raises TooManyLookouts.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            await users.lock(session, user_id)
            own = await lookouts.of_user(session, user_id, now=now)
            others = [one for one in own if (one.service_id, one.country) != (service_id, country)]
            if len(others) >= MOST:
                raise TooManyLookouts(limit=MOST)
            await lookouts.put(
                session,
                user_id=user_id,
                service_id=service_id,
                country=country,
                below=ANY_PRICE if below is None else below,
                created_at=now,
                expires_at=now + LIFETIME,
            )
            after_commit(session, "lookouts", self._forget)

    async def of_user(self, user_id: int) -> list[Lookout]:
        """What somebody waits for, oldest first."""
        async with self._database.read() as session:
            return await lookouts.of_user(session, user_id, now=self._clock.now())

    async def remove(self, user_id: int, lookout_id: int) -> None:
        """Wait no longer; a replay, or somebody else's, changes nothing."""
        async with self._database.write() as session:
            await lookouts.remove(session, user_id, lookout_id)

    async def check(self) -> None:
        """Tell those whose time has come, and forget those whose time is over."""
        now = self._clock.now()
        if self._highest is None:
            async with self._database.write() as session:
                await lookouts.purge(session, now=now)
                self._highest = await lookouts.highest(session)
        for (service_id, country), highest in list(self._highest.items()):
            line = self._catalog.line(service_id, country)
            if line and line.price < highest:
                await self._tell(service_id, country, line.price)
                # Read anew next time: those who wait for less are left.
                self._forget()

    async def _tell(self, service_id: int, country: str, price: int) -> None:
        told = AT_ONCE
        while told == AT_ONCE:
            async with self._database.write() as session:
                told = await self._tell_some(session, service_id, country, price)

    async def _tell_some(self, session: AsyncSession, service_id: int, country: str, price: int) -> int:
        due = await lookouts.take(
            session, service_id, country, price=price, now=self._clock.now(), limit=AT_ONCE
        )
        for user_id in due:
            await self._announcer.lookout(session, user_id, service_id, country, price)
        return len(due)

    def _forget(self) -> None:
        self._highest = None

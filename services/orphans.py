"""What suppliers have or tell us that no purchase explains, and who has looked into it."""

from db import orphans
from db.models import Orphan
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock


class Orphans:
    """Numbers and SMS; reconciliation and rentals find them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def newest(self, *, limit: int, offset: int = 0) -> list[Orphan]:
        async with self._database.read() as session:
            return await orphans.newest(session, limit=limit, offset=offset)

    async def settle(self, *, up_to: int, by: int) -> None:
        """Somebody has looked into all up to the one with this id; newer ones may not have been seen."""
        now = self._clock.now()
        async with self._database.write() as session:
            if count := await orphans.settle(session, up_to=up_to, now=now):
                await acts.record(session, What.ORPHANS, by=by, now=now, after={"settled": count})

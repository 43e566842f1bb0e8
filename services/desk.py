"""What only the operator sees."""

from db import orphans
from db.models import Orphan
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock


class Desk:
    """What is behind the operator's commands."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def orphans(self, *, limit: int, offset: int = 0) -> list[Orphan]:
        """Numbers and SMS that no purchase explains, newest first."""
        async with self._database.read() as session:
            return await orphans.newest(session, limit=limit, offset=offset)

    async def settle_orphans(self, *, up_to: int, by: int) -> None:
        """Somebody has looked into all up to the one with this id; newer ones may not have been seen."""
        now = self._clock.now()
        async with self._database.write() as session:
            if count := await orphans.settle(session, up_to=up_to, now=now):
                await acts.record(session, What.ORPHANS, by=by, now=now, after={"settled": count})

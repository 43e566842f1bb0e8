"""What only the operator sees."""

from db import attempts, orphans
from db.models import Attempt, Orphan
from db.session import Database


class Desk:
    """Reads behind the operator's commands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempts(self, purchase_id: int) -> list[Attempt]:
        """Every call that tried to buy for a purchase, oldest first."""
        async with self._database.read() as session:
            return await attempts.of_purchase(session, purchase_id)

    async def orphans(self, limit: int) -> list[Orphan]:
        """Numbers and SMS that no purchase explains, newest first."""
        async with self._database.read() as session:
            return await orphans.newest(session, limit=limit)

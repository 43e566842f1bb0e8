"""What only the operator sees."""

from db import attempts
from db.models import Attempt
from db.session import Database


class Desk:
    """Reads behind the operator's commands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempts(self, purchase_id: int) -> list[Attempt]:
        """Every call that tried to buy for a purchase, oldest first."""
        async with self._database.read() as session:
            return await attempts.of_purchase(session, purchase_id)

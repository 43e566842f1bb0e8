"""What came into somebody's wallet and went out of it, from the first day."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from db import ledger
from db.models import LedgerEntry
from db.session import Database
from services.ledger import wallet

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One move. `amount` is what it changed, `balance` what was there after it: minor units."""

    move: LedgerEntry
    amount: int
    balance: int


class Statements:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, user_id: int) -> AsyncIterator[list[Line]]:
        """Oldest first, a page at a time, so that memory does not grow with what somebody has bought."""
        name, last, balance = wallet(user_id), 0, 0
        while moves := await self._page(name, last):
            lines = list[Line]()
            for move in moves:
                amount = move.amount if move.destination == name else -move.amount
                balance += amount
                lines.append(Line(move, amount, balance))
            last = moves[-1].id or 0
            yield lines

    async def _page(self, account: str, after: int) -> list[LedgerEntry]:
        async with self._database.read() as session:
            return await ledger.moves_after(session, account, after, limit=PAGE)

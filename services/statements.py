"""What came into somebody's wallet and went out of it, from the first day."""

from dataclasses import dataclass

from db import ledger
from db.models import LedgerEntry
from db.session import Database
from services.ledger import wallet


@dataclass(frozen=True, slots=True)
class Line:
    """One move. `amount` is what it changed, `balance` what was there after it: minor units."""

    move: LedgerEntry
    amount: int
    balance: int


class Statements:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, user_id: int) -> list[Line]:
        """Oldest first."""
        name = wallet(user_id)
        async with self._database.read() as session:
            moves = await ledger.moves(session, name)
        lines, balance = list[Line](), 0
        for move in moves:
            amount = move.amount if move.destination == name else -move.amount
            balance += amount
            lines.append(Line(move, amount, balance))
        return lines

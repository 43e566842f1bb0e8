"""What captures brought, beside what their numbers cost."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.sqltypes import UTCDateTime

from db.dialect import is_sqlite

# A code that was bought late costs nothing: the supplier gave the number's cost back when the order ended.
# What left revenue again belongs to the day on which it left. The condition on revenue is turned around so
# that the moves are found by their time, and not all that revenue ever saw by its name.
ROWS = """
    SELECT coalesce(o.supplier, ''), coalesce(s.name, ''), {day},
        sum(CASE WHEN e.kind IN ('capture', 'late') THEN 1 ELSE 0 END),
        sum(CASE WHEN e.destination = 'revenue' THEN e.amount ELSE -e.amount END),
        sum(CASE WHEN e.kind = 'capture' THEN coalesce(o.cost, 0) ELSE 0 END)
    FROM ledger_entry AS e
    LEFT JOIN number_order AS o ON o.id = e.order_id
    LEFT JOIN purchase AS p ON p.id = o.purchase_id
    LEFT JOIN service AS s ON s.id = p.service_id
    WHERE e.created_at >= :since AND 'revenue' IN (e.destination, e.source)
    GROUP BY 1, 2, 3
"""
SQLITE_DAY, POSTGRES_DAY = "date(e.created_at)", "date(timezone('UTC', e.created_at))"


@dataclass(frozen=True, slots=True)
class Row:
    """One supplier, one service, one day. Minor units of the shop's currency."""

    supplier: str
    """Empty, as is `service`, for moves that belong to no order."""
    service: str
    day: str
    """In UTC: "2026-02-25"."""
    orders: int
    """How many were captured, or sold late."""
    income: int
    """Captured, less all that left revenue again: refunds, rewards."""
    cost: int


async def rows(session: AsyncSession, *, since: datetime) -> list[Row]:
    """All moves to and from revenue since a moment."""
    statement = text(ROWS.format(day=SQLITE_DAY if is_sqlite(session) else POSTGRES_DAY))
    moment = bindparam("since", since, type_=UTCDateTime())
    found = await (await session.connection()).execute(statement.bindparams(moment))
    return [Row(row[0], row[1], str(row[2]), *map(int, row[3:])) for row in found]

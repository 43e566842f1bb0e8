"""What is counted for the statistics: one aggregate statement a question, over a window with both its ends.

Each finds its window through an index, so its cost follows the window and not the shop's age. Moments are
grouped in UTC: by day ("2026-02-25"), or by hour ("2026-02-25 10").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.sqltypes import UTCDateTime

from db.dialect import is_sqlite


class Step(Enum):
    """How moments are grouped, as SQLite and as PostgreSQL write it."""

    HOUR = ("%Y-%m-%d %H", "YYYY-MM-DD HH24")
    DAY = ("%Y-%m-%d", "YYYY-MM-DD")


CODED = "o.status IN ('received','completed') OR o.late_paid_at IS NOT NULL"

# The sums are those of db/margin.py, which explains them.
MONEY = """
    SELECT {at},
        sum(CASE WHEN e.destination = 'revenue' THEN e.amount ELSE -e.amount END),
        sum(CASE WHEN e.kind = 'capture' THEN coalesce(o.cost, 0) ELSE 0 END)
    FROM ledger_entry AS e
    LEFT JOIN number_order AS o ON o.id = e.order_id
    WHERE e.created_at >= :since AND e.created_at <= :until AND 'revenue' IN (e.destination, e.source)
    GROUP BY 1
"""

SALES = f"""
    SELECT s.name, p.country, count(*), sum(CASE WHEN {CODED} THEN 1 ELSE 0 END)
    FROM purchase AS p
    JOIN number_order AS o ON o.purchase_id = p.id
    JOIN service AS s ON s.id = p.service_id
    WHERE p.created_at >= :since AND p.created_at <= :until
    GROUP BY 1, 2
    ORDER BY 3 DESC, 1, 2
"""

BUYERS = """
    SELECT count(*), coalesce(sum(is_new), 0)
    FROM (
        SELECT CASE WHEN EXISTS (
            SELECT 1 FROM purchase AS f WHERE f.user_id = b.user_id AND f.created_at < :since
        ) THEN 0 ELSE 1 END AS is_new
        FROM (
            SELECT DISTINCT p.user_id FROM purchase AS p
            WHERE p.created_at >= :since AND p.created_at <= :until
        ) AS b
    ) AS counted
"""

BUYERS_OVER_TIME = """
    SELECT at, count(*), sum(is_new)
    FROM (
        SELECT b.at, CASE WHEN b.at = (
            SELECT {first} FROM purchase AS f WHERE f.user_id = b.user_id
        ) THEN 1 ELSE 0 END AS is_new
        FROM (
            SELECT DISTINCT p.user_id, {at} AS at FROM purchase AS p
            WHERE p.created_at >= :since AND p.created_at <= :until
        ) AS b
    ) AS counted
    GROUP BY at
"""

# Whoever is known only because an operator gave them money has never come.
NEWCOMERS = f"""
    SELECT count(*), coalesce(sum(accepted), 0), coalesce(sum(had_money), 0), coalesce(sum(ordered), 0),
        coalesce(sum(CASE WHEN codes > 0 THEN 1 ELSE 0 END), 0),
        coalesce(sum(CASE WHEN codes > 1 THEN 1 ELSE 0 END), 0)
    FROM (
        SELECT CASE WHEN u.terms_accepted_at IS NOT NULL THEN 1 ELSE 0 END AS accepted,
            CASE WHEN EXISTS (
                SELECT 1 FROM ledger_entry AS e WHERE e.destination = 'wallet:' || u.id
            ) THEN 1 ELSE 0 END AS had_money,
            CASE WHEN EXISTS (
                SELECT 1 FROM number_order AS o WHERE o.user_id = u.id
            ) THEN 1 ELSE 0 END AS ordered,
            (SELECT count(*) FROM number_order AS o WHERE o.user_id = u.id AND ({CODED})) AS codes
        FROM user_account AS u
        WHERE u.created_at >= :since AND u.created_at <= :until AND u.seen_at IS NOT NULL
    ) AS people
"""


@dataclass(frozen=True, slots=True)
class Money:
    """Of one day or hour; minor units of the shop's currency."""

    at: str
    income: int
    """Captured, less all that left revenue again: refunds, rewards."""
    cost: int


@dataclass(frozen=True, slots=True)
class Sale:
    """The orders for one service in one country."""

    service: str
    country: str
    orders: int
    codes: int
    """How many of them had a code that was paid for."""


@dataclass(frozen=True, slots=True)
class Buyers:
    """Of one day or hour: how many renters bought, and how many of them for the first time."""

    at: str
    all: int
    new: int


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Who came for the first time, and how far they have got by now: each part of the one before it."""

    came: int
    accepted: int
    had_money: int
    ordered: int
    coded: int
    coded_again: int
    """Those with two codes or more."""


async def money(session: AsyncSession, *, since: datetime, until: datetime, step: Step) -> list[Money]:
    """Days or hours in which nothing moved are left out, here and below."""
    statement = MONEY.format(at=_at(session, "e.created_at", step))
    return [
        Money(at, int(income), int(cost))
        for at, income, cost in await _rows(session, statement, since, until)
    ]


async def sales(session: AsyncSession, *, since: datetime, until: datetime) -> list[Sale]:
    """The most frequent first."""
    rows = await _rows(session, SALES, since, until)
    return [Sale(service, country, int(orders), int(codes)) for service, country, orders, codes in rows]


async def count_buyers(session: AsyncSession, *, since: datetime, until: datetime) -> tuple[int, int]:
    """How many renters bought, and how many of them for the first time."""
    [(count, new)] = await _rows(session, BUYERS, since, until)
    return int(count), int(new)


async def buyers(session: AsyncSession, *, since: datetime, until: datetime, step: Step) -> list[Buyers]:
    statement = BUYERS_OVER_TIME.format(
        at=_at(session, "p.created_at", step), first=_at(session, "min(f.created_at)", step)
    )
    return [
        Buyers(at, int(count), int(new)) for at, count, new in await _rows(session, statement, since, until)
    ]


async def newcomers(session: AsyncSession, *, since: datetime, until: datetime) -> Newcomers:
    [row] = await _rows(session, NEWCOMERS, since, until)
    return Newcomers(*map(int, row))


async def _rows(
    session: AsyncSession, statement: str, since: datetime, until: datetime
) -> Sequence[Sequence[Any]]:
    window = (
        bindparam(name, value, type_=UTCDateTime()) for name, value in [("since", since), ("until", until)]
    )
    return (await (await session.connection()).execute(text(statement).bindparams(*window))).all()


def _at(session: AsyncSession, moment: str, step: Step) -> str:
    sqlite, postgres = step.value
    if is_sqlite(session):
        return f"strftime('{sqlite}', {moment})"
    return f"to_char(timezone('UTC', {moment}), '{postgres}')"

"""How orders went, counted by day and by what they were for."""

from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Any

from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_or, is_sqlite, table
from db.models import Outcome

Total = tuple[int, str, str, str, int, int]
"""Service, country, supplier, network, bucket and how many orders."""


async def count(
    session: AsyncSession,
    *,
    day: int,
    service_id: int,
    country: str,
    supplier: str,
    network: str,
    bucket: int,
) -> None:
    """One order more."""
    one = {
        "day": day,
        "service_id": service_id,
        "country": country,
        "supplier": supplier,
        "network": network,
        "bucket": bucket,
        "orders": 1,
    }
    await session.exec(_counting(is_sqlite(session)), params=one)


@cache
def _counting(on_sqlite: bool) -> Any:
    outcome = table(Outcome)
    return insert_or(on_sqlite, Outcome).on_conflict_do_update(
        index_elements=list(outcome.primary_key), set_={"orders": outcome.c.orders + 1}
    )


async def totals(session: AsyncSession, *, since: int, at_a_time: int) -> AsyncIterator[Sequence[Total]]:
    """The sums of all days since one, in parts."""
    kind = (Outcome.service_id, Outcome.country, Outcome.supplier, Outcome.network, Outcome.bucket)
    statement = (
        select(*kind, func.sum(Outcome.orders))  # type: ignore[call-overload]
        .where(Outcome.day >= since)
        .group_by(*kind)
        .execution_options(yield_per=at_a_time)
    )
    async for rows in (await session.stream(statement)).partitions():
        yield [(*row[:5], int(row[5])) for row in rows]


async def by_supplier(session: AsyncSession, *, since: int, until: int) -> list[tuple[str, int, int]]:
    """Supplier, bucket and how many orders; of the days from one up to, but not with, another."""
    rows = await session.exec(
        select(Outcome.supplier, Outcome.bucket, func.sum(Outcome.orders))
        .where(Outcome.day >= since, Outcome.day < until)
        .group_by(col(Outcome.supplier), col(Outcome.bucket))
    )
    return [(supplier, bucket, int(orders)) for supplier, bucket, orders in rows]


async def most_wanted(session: AsyncSession, *, since: int, limit: int) -> list[int]:
    """The services with the most orders of all days since one, the first the most wanted."""
    rows = await session.exec(
        select(Outcome.service_id)
        .where(Outcome.day >= since)
        .group_by(col(Outcome.service_id))
        .order_by(func.sum(Outcome.orders).desc(), col(Outcome.service_id))
        .limit(limit)
    )
    return list(rows)


async def purge(session: AsyncSession, *, before: int) -> None:
    """Forget the days before one."""
    await session.exec(delete(Outcome).where(col(Outcome.day) < before))

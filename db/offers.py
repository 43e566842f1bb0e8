"""Services and what suppliers ask for their numbers."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import Offer, Service


class Terms(NamedTuple):
    """What one supplier asks for one product. `cost`: minor units of the shop's currency."""

    service_id: int | None
    """None for a number that takes the codes of any."""
    country: str
    network: str | None
    cost: int
    stock: int | None


async def get_service(session: AsyncSession, service_id: int) -> Service:
    return await session.get_one(Service, service_id)


async def services(session: AsyncSession) -> list[Service]:
    return list(await session.exec(select(Service).order_by(col(Service.id))))


async def add_services(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Add services by slug; known ones stay as they are."""
    if rows:
        await session.exec(insert_new(session, Service), params=list(rows))


async def all_terms(session: AsyncSession, *, at_a_time: int) -> AsyncIterator[dict[tuple[str, str], Terms]]:
    """Everything that was ever for sale, by supplier and product, in parts."""
    # Columns, not objects: of tens of thousands, an object each would be most of the program's memory.
    columns = (Offer.supplier, Offer.product_ref, *(getattr(Offer, name) for name in Terms._fields))
    statement = select(*columns).order_by(col(Offer.id)).execution_options(yield_per=at_a_time)
    async for rows in (await session.stream(statement)).partitions():
        yield {(supplier, ref): Terms(*terms) for supplier, ref, *terms in rows}


async def put(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write offers, overwriting those of the same supplier and product."""
    if rows:
        await session.exec(
            upsert(
                session,
                Offer,
                key=["supplier", "product_ref"],
                change=["service_id", "country", "network", "cost", "stock", "updated_at"],
            ),
            params=list(rows),
        )

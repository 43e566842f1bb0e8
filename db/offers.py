"""Services and what suppliers ask for their numbers."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import Offer, Service


async def get_service(session: AsyncSession, service_id: int) -> Service:
    return await session.get_one(Service, service_id)


async def services(session: AsyncSession) -> list[Service]:
    return list(await session.exec(select(Service).order_by(col(Service.id))))


async def add_services(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Add services by slug; known ones stay as they are."""
    if rows:
        await session.exec(insert_new(session, Service), params=list(rows))


async def all_offers(session: AsyncSession) -> list[Offer]:
    return list(await session.exec(select(Offer).order_by(col(Offer.id))))


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

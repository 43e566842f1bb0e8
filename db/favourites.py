"""Pinned offers."""

from datetime import datetime

from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new
from db.models import Favourite


async def of_user(session: AsyncSession, user_id: int) -> list[Favourite]:
    """In the order in which they were pinned."""
    rows = await session.exec(
        select(Favourite)
        .where(Favourite.user_id == user_id)
        .order_by(col(Favourite.created_at), col(Favourite.service_id), col(Favourite.country))
    )
    return list(rows)


async def count(session: AsyncSession, user_id: int) -> int:
    counted = select(func.count()).select_from(Favourite).where(Favourite.user_id == user_id)
    return (await session.exec(counted)).one()


async def find(
    session: AsyncSession, user_id: int, service_id: int, country: str, network: str
) -> Favourite | None:
    return await session.get(Favourite, (user_id, service_id, country, network))


async def add(
    session: AsyncSession, user_id: int, service_id: int, country: str, network: str, *, now: datetime
) -> None:
    await session.exec(
        insert_new(session, Favourite).values(
            user_id=user_id, service_id=service_id, country=country, network=network, created_at=now
        )
    )


async def remove(session: AsyncSession, user_id: int, service_id: int, country: str, network: str) -> None:
    await session.exec(
        delete(Favourite).where(
            col(Favourite.user_id) == user_id,
            col(Favourite.service_id) == service_id,
            col(Favourite.country) == country,
            col(Favourite.network) == network,
        )
    )


async def remove_all(session: AsyncSession, user_id: int) -> None:
    await session.exec(delete(Favourite).where(col(Favourite.user_id) == user_id))

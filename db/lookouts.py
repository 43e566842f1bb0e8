"""What renters wait for."""

from datetime import datetime
from typing import Any

from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import upsert
from db.models import Lookout


async def put(session: AsyncSession, **values: Any) -> None:
    """Wait for this instead of what the renter waited for in the same place."""
    place, changing = ["user_id", "service_id", "country"], ["below", "created_at", "expires_at"]
    await session.exec(upsert(session, Lookout, key=place, change=changing).values(**values))


async def of_user(session: AsyncSession, user_id: int, *, now: datetime) -> list[Lookout]:
    """Oldest first."""
    rows = await session.exec(
        select(Lookout).where(Lookout.user_id == user_id, Lookout.expires_at > now).order_by(col(Lookout.id))
    )
    return list(rows)


async def remove(session: AsyncSession, user_id: int, lookout_id: int) -> None:
    await session.exec(delete(Lookout).where(col(Lookout.id) == lookout_id, col(Lookout.user_id) == user_id))


async def remove_of_user(session: AsyncSession, user_id: int) -> None:
    await session.exec(delete(Lookout).where(col(Lookout.user_id) == user_id))


async def highest(session: AsyncSession) -> dict[tuple[int, str], int]:
    """By service and country, the highest price that anybody waits to fall below."""
    rows = await session.exec(
        select(Lookout.service_id, Lookout.country, func.max(Lookout.below)).group_by(
            col(Lookout.service_id), col(Lookout.country)
        )
    )
    return {(service_id, country): below for service_id, country, below in rows}


async def take(
    session: AsyncSession, service_id: int, country: str, *, price: int, now: datetime, limit: int
) -> list[int]:
    """Remove some whose price has come, and say whose they were."""
    due = (
        select(Lookout.id)
        .where(
            Lookout.service_id == service_id,
            Lookout.country == country,
            Lookout.below > price,
            Lookout.expires_at > now,
        )
        .limit(limit)
    )
    taken = await session.exec(
        delete(Lookout).where(col(Lookout.id).in_(due)).returning(col(Lookout.user_id))
    )
    return list(taken.scalars())


async def purge(session: AsyncSession, *, now: datetime) -> None:
    """Forget those whose time is over."""
    await session.exec(delete(Lookout).where(col(Lookout.expires_at) <= now))

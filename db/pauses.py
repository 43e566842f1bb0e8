"""What is not sold."""

from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import upsert
from db.models import Pause

SCOPE = ["supplier", "service_id", "country"]
"""What a pause is known by."""


async def all_pauses(session: AsyncSession) -> list[Pause]:
    return list(await session.exec(select(Pause)))


async def put(
    session: AsyncSession, scope: tuple[str, int, str], *, until: datetime | None, since: datetime
) -> None:
    """Pause something; what is paused already gets the new end."""
    own = dict(zip(SCOPE, scope, strict=True))
    await session.exec(
        upsert(session, Pause, key=SCOPE, change=["until"]).values(**own, until=until, since=since)
    )


async def remove(session: AsyncSession, scope: tuple[str, int, str]) -> None:
    await session.exec(delete(Pause).filter_by(**dict(zip(SCOPE, scope, strict=True))))


async def remove_ended(session: AsyncSession, *, now: datetime) -> None:
    await session.exec(delete(Pause).where(col(Pause.until) <= now))

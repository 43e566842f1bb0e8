"""What suppliers have or tell us that no purchase explains."""

from datetime import datetime
from typing import Any

from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new
from db.models import Orphan


async def add(session: AsyncSession, supplier: str, ref: str, *, now: datetime, **values: Any) -> bool:
    """False where it was known as an orphan already."""
    added = await session.exec(
        insert_new(session, Orphan).values(supplier=supplier, supplier_ref=ref, found_at=now, **values)
    )
    return bool(added.rowcount)


async def newest(session: AsyncSession, *, limit: int, offset: int = 0) -> list[Orphan]:
    """Newest first, settled or not."""
    statement = select(Orphan).order_by(col(Orphan.id).desc()).limit(limit).offset(offset)
    return list(await session.exec(statement))


async def count_unsettled(session: AsyncSession) -> int:
    unsettled = select(func.count()).select_from(Orphan).where(col(Orphan.settled_at).is_(None))
    return (await session.exec(unsettled)).one()


async def settle(session: AsyncSession, *, up_to: int, now: datetime) -> int:
    """Note that somebody has looked into all up to one of them; how many that were new."""
    settled = await session.exec(
        update(Orphan)
        .where(col(Orphan.id) <= up_to, col(Orphan.settled_at).is_(None))
        .values(settled_at=now)
        .execution_options(synchronize_session=False)
    )
    return settled.rowcount


async def erase(session: AsyncSession, *, before: datetime) -> None:
    """Forget codes and texts found before a moment."""
    await session.exec(
        update(Orphan)
        .where(col(Orphan.found_at) < before, col(Orphan.code).is_not(None) | col(Orphan.text).is_not(None))
        .values(code=None, text=None)
        .execution_options(synchronize_session=False)
    )

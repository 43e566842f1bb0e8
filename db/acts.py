"""The trail of what operators did."""

from collections.abc import Collection
from typing import Any

from sqlmodel import col, insert, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import Act


async def add(session: AsyncSession, **values: Any) -> None:
    await session.exec(insert(Act).values(**values))


async def newest(session: AsyncSession, *, person_id: int | None, limit: int, offset: int) -> list[Act]:
    """Newest first; of everybody, or those by or about one person."""
    statement = select(Act).order_by(col(Act.id).desc()).limit(limit).offset(offset)
    if person_id is not None:
        statement = statement.where(or_(Act.operator_id == person_id, Act.user_id == person_id))
    return list(await session.exec(statement))


async def strip(session: AsyncSession, user_id: int, *, keep: Collection[str]) -> None:
    """Of what was done about somebody, leave only the named facts."""
    for act in await session.exec(select(Act).where(Act.user_id == user_id)):
        act.before = {name: fact for name, fact in act.before.items() if name in keep}
        act.after = {name: fact for name, fact in act.after.items() if name in keep}
    await session.flush()

"""Operators' notes on renters."""

from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new
from db.models import Note


async def add(
    session: AsyncSession, user_id: int, author_id: int, text: str, *, idempotency_key: str, now: datetime
) -> bool:
    """False where the key is known."""
    added = await session.exec(
        insert_new(session, Note).values(
            user_id=user_id,
            author_id=author_id,
            text=text,
            idempotency_key=idempotency_key,
            created_at=now,
        )
    )
    return bool(added.rowcount)


async def of_user(session: AsyncSession, user_id: int, *, limit: int, offset: int = 0) -> list[Note]:
    """Newest first."""
    rows = await session.exec(
        select(Note).where(Note.user_id == user_id).order_by(col(Note.id).desc()).limit(limit).offset(offset)
    )
    return list(rows)


async def remove_all(session: AsyncSession, user_id: int) -> None:
    await session.exec(delete(Note).where(col(Note.user_id) == user_id))

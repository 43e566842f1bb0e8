"""Renters."""

from datetime import datetime

from sqlmodel import col, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import User


async def find(session: AsyncSession, user_id: int) -> User | None:
    return await session.get(User, user_id)


async def lock(session: AsyncSession, user_id: int) -> User | None:
    """As `find`; and nobody else gets past this before the transaction ends."""
    return await session.get(User, user_id, populate_existing=True, with_for_update=True)


async def ensure(session: AsyncSession, user_id: int, *, now: datetime) -> None:
    """Make sure that there is a row for somebody known by id alone."""
    await session.exec(
        insert_new(session, User).values(
            id=user_id, name="", language_code="en", created_at=now, blocked_at=None
        )
    )


async def meet(
    session: AsyncSession,
    user_id: int,
    *,
    name: str,
    username: str | None,
    language_code: str,
    now: datetime,
) -> None:
    """Write down who they are today; somebody who writes to us has not blocked us."""
    await session.exec(
        upsert(
            session,
            User,
            key=["id"],
            change=["name", "username", "language_code", "seen_at", "blocked_at"],
        ).values(
            id=user_id,
            name=name,
            username=username,
            language_code=language_code,
            created_at=now,
            seen_at=now,
            blocked_at=None,
        )
    )


async def accept_terms(session: AsyncSession, user_id: int, *, now: datetime) -> None:
    await session.exec(
        update(User)
        .where(col(User.id) == user_id, col(User.terms_accepted_at).is_(None))
        .values(terms_accepted_at=now)
    )


async def mark_blocked(session: AsyncSession, user_id: int, *, now: datetime) -> None:
    await session.exec(
        update(User).where(col(User.id) == user_id, col(User.blocked_at).is_(None)).values(blocked_at=now)
    )


async def set_ban(
    session: AsyncSession, user_id: int, *, banned_at: datetime | None, reason: str | None
) -> None:
    await session.exec(
        update(User).where(col(User.id) == user_id).values(banned_at=banned_at, ban_reason=reason)
    )


async def search(session: AsyncSession, text: str, *, limit: int) -> list[User]:
    """By id, @username or part of the name, most recently seen first."""
    username = func.lower(User.username) == text.lstrip("@").lower()
    matches = or_(col(User.name).icontains(text, autoescape=True), username)
    if text.isdecimal() and len(text) < 19:
        matches = or_(matches, col(User.id) == int(text))
    rows = await session.exec(select(User).where(matches).order_by(col(User.seen_at).desc()).limit(limit))
    return list(rows)

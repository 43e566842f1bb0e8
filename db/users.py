"""Renters, and those among them who work here."""

import re
from collections.abc import Collection
from datetime import datetime

from sqlmodel import col, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import Order, User

LARGEST = 2**63 - 1
"""What a column of 64 bits holds."""
_PHONE = re.compile(r"\+?[\d\s().-]{7,24}", re.ASCII)


async def find(session: AsyncSession, user_id: int) -> User | None:
    return await session.get(User, user_id)


async def find_all(session: AsyncSession, user_ids: Collection[int]) -> list[User]:
    rows = await session.exec(select(User).where(col(User.id).in_(user_ids)).order_by(col(User.id)))
    return list(rows)


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


async def choose(session: AsyncSession, user_id: int, **choices: str | int | None) -> None:
    """`chosen_language`, `chosen_currency`, `takes_broadcasts`, `told_of_rewards`, `codes_erased_after`."""
    await session.exec(update(User).where(col(User.id) == user_id).values(**choices))


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


async def set_limits(
    session: AsyncSession, user_id: int, *, open_limit: int | None, hourly_limit: int | None
) -> None:
    await session.exec(
        update(User).where(col(User.id) == user_id).values(open_limit=open_limit, hourly_limit=hourly_limit)
    )


async def set_role(session: AsyncSession, user_id: int, role: str | None) -> None:
    await session.exec(update(User).where(col(User.id) == user_id).values(role=role))


async def with_role(session: AsyncSession) -> list[User]:
    """Everybody who was appointed, the longest known first."""
    # Sorted here: asked for an order by time, the database would go through everybody by time.
    rows = await session.exec(select(User).where(col(User.role).is_not(None)))
    return sorted(rows, key=lambda user: user.created_at)


async def ask_erasure(session: AsyncSession, user_id: int, *, now: datetime) -> None:
    await session.exec(
        update(User)
        .where(col(User.id) == user_id, col(User.erasure_asked_at).is_(None))
        .values(erasure_asked_at=now)
    )


async def erase(session: AsyncSession, user_id: int, *, blocked_at: datetime | None) -> None:
    """Forget who somebody is: the number stays, as money hangs on it, and so does a ban."""
    await session.exec(
        update(User)
        .where(col(User.id) == user_id)
        .values(
            name="",
            username=None,
            language_code="en",
            chosen_language=None,
            chosen_currency=None,
            codes_erased_after=None,
            terms_accepted_at=None,
            ban_reason=None,
            erasure_asked_at=None,
            seen_at=None,
            blocked_at=blocked_at,
        )
    )


async def search(session: AsyncSession, text: str, *, limit: int, offset: int = 0) -> list[User]:
    """By id, @username, part of the name, order or rented number, most recently seen first."""
    username = func.lower(User.username) == text.lstrip("@").lower()
    matches = or_(col(User.name).icontains(text, autoescape=True), username)
    if text.isdecimal() and int(text) <= LARGEST:
        owner = select(Order.user_id).where(Order.id == int(text))
        matches = or_(matches, col(User.id) == int(text), col(User.id).in_(owner))
    if phone := _PHONE.fullmatch(text):
        number = "+" + re.sub(r"\D", "", phone[0])
        renters = select(Order.user_id).where(Order.phone_number == number)
        matches = or_(matches, col(User.id).in_(renters))
    rows = await session.exec(
        select(User)
        .where(matches)
        .order_by(col(User.seen_at).desc().nulls_last(), col(User.id))
        .limit(limit)
        .offset(offset)
    )
    return list(rows)

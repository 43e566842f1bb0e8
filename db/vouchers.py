"""Vouchers, their uses, and the guesses at their codes."""

from datetime import datetime
from typing import Any

from sqlmodel import col, delete, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new
from db.models import Redemption, Voucher, WrongGuess


async def add(session: AsyncSession, *, idempotency_key: str, **values: Any) -> tuple[Voucher | None, bool]:
    """The voucher of this key, and whether it is new; None where the code is another's."""
    added = await session.exec(
        insert_new(session, Voucher).values(idempotency_key=idempotency_key, uses=0, **values)
    )
    found = await session.exec(select(Voucher).where(Voucher.idempotency_key == idempotency_key))
    return found.one_or_none(), bool(added.rowcount)


async def get(session: AsyncSession, voucher_id: int) -> Voucher:
    return await session.get_one(Voucher, voucher_id)


async def find_by_code(session: AsyncSession, code: str) -> Voucher | None:
    return (await session.exec(select(Voucher).where(Voucher.code == code))).one_or_none()


async def newest(session: AsyncSession, *, limit: int, offset: int) -> list[Voucher]:
    rows = await session.exec(select(Voucher).order_by(col(Voucher.id).desc()).limit(limit).offset(offset))
    return list(rows)


async def take_use(session: AsyncSession, voucher_id: int) -> bool:
    """Compare-and-set: False, and nothing changed, where no use is left."""
    taken = await session.exec(
        update(Voucher)
        .where(
            col(Voucher.id) == voucher_id,
            col(Voucher.uses) < Voucher.max_uses,
            col(Voucher.revoked_at).is_(None),
        )
        .values(uses=Voucher.uses + 1)
    )
    return bool(taken.rowcount)


async def revoke(session: AsyncSession, voucher_id: int, *, now: datetime) -> bool:
    """False where it was revoked before."""
    revoked = await session.exec(
        update(Voucher)
        .where(col(Voucher.id) == voucher_id, col(Voucher.revoked_at).is_(None))
        .values(revoked_at=now)
    )
    return bool(revoked.rowcount)


async def has_redeemed(session: AsyncSession, voucher_id: int, user_id: int) -> bool:
    return await session.get(Redemption, (voucher_id, user_id)) is not None


async def add_redemption(session: AsyncSession, voucher_id: int, user_id: int, *, now: datetime) -> None:
    await session.exec(insert(Redemption).values(voucher_id=voucher_id, user_id=user_id, redeemed_at=now))


async def add_guess(session: AsyncSession, user_id: int, *, now: datetime) -> None:
    await session.exec(insert(WrongGuess).values(user_id=user_id, guessed_at=now))


async def forget_guesses(session: AsyncSession, user_id: int, *, until: datetime) -> None:
    await session.exec(
        delete(WrongGuess).where(col(WrongGuess.user_id) == user_id, col(WrongGuess.guessed_at) <= until)
    )


async def nth_last_guess(
    session: AsyncSession, n: int, *, since: datetime, user_id: int | None = None
) -> datetime | None:
    """When the n-th last wrong guess was made, by one renter or by all; None for fewer since then."""
    statement = (
        select(WrongGuess.guessed_at)
        .where(WrongGuess.guessed_at > since)
        .order_by(col(WrongGuess.guessed_at).desc())
        .offset(n - 1)
        .limit(1)
    )
    if user_id is not None:
        statement = statement.where(WrongGuess.user_id == user_id)
    return (await session.exec(statement)).one_or_none()

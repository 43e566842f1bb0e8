"""Calls that buy, written down before they are made."""

from datetime import datetime
from typing import Any

from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import Attempt, AttemptStatus


async def running(session: AsyncSession, purchase_id: int) -> Attempt | None:
    """The attempt whose outcome is not known yet; there is at most one."""
    return (
        await session.exec(
            select(Attempt).where(Attempt.purchase_id == purchase_id, Attempt.status == AttemptStatus.STARTED)
        )
    ).one_or_none()


async def of_purchase(session: AsyncSession, purchase_id: int) -> list[Attempt]:
    return list(
        await session.exec(
            select(Attempt).where(Attempt.purchase_id == purchase_id).order_by(col(Attempt.id))
        )
    )


async def add(session: AsyncSession, **values: Any) -> Attempt:
    attempt = Attempt(status=AttemptStatus.STARTED, **values)
    session.add(attempt)
    await session.flush()
    return attempt


async def end(
    session: AsyncSession, attempt_id: int, status: AttemptStatus, *, now: datetime, error: str | None = None
) -> bool:
    """False where it had ended already."""
    ended = await session.exec(
        update(Attempt)
        .where(col(Attempt.id) == attempt_id, col(Attempt.status) == AttemptStatus.STARTED)
        .values(status=status, ended_at=now, error=error)
        .execution_options(synchronize_session=False)
    )
    return bool(ended.rowcount)


async def count_running(session: AsyncSession, supplier: str) -> int:
    """How many purchases wait for an answer of this supplier."""
    return (
        await session.exec(
            select(func.count()).where(Attempt.supplier == supplier, Attempt.status == AttemptStatus.STARTED)
        )
    ).one()

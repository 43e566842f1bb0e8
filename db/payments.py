"""What was paid with Telegram Stars."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import and_, case, col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import Payment, PaymentStatus


async def add(session: AsyncSession, **values: Any) -> Payment:
    """Whoever adds one holds the payer's lock, and has looked for the charge."""
    payment = Payment(**values)
    session.add(payment)
    await session.flush()
    return payment


async def find(session: AsyncSession, payment_id: int) -> Payment | None:
    return await session.get(Payment, payment_id, populate_existing=True)


async def find_charge(session: AsyncSession, charge_id: str) -> Payment | None:
    return (await session.exec(select(Payment).where(Payment.charge_id == charge_id))).one_or_none()


async def find_of_purchase(session: AsyncSession, purchase_id: int) -> Payment | None:
    return (await session.exec(select(Payment).where(Payment.purchase_id == purchase_id))).one_or_none()


async def set_purchase(session: AsyncSession, payment_id: int, purchase_id: int) -> None:
    """Write down what it bought."""
    await session.exec(
        update(Payment)
        .where(col(Payment.id) == payment_id)
        .values(purchase_id=purchase_id)
        .execution_options(synchronize_session=False)
    )


async def move(
    session: AsyncSession,
    payment_id: int,
    to: PaymentStatus,
    *,
    from_: Sequence[PaymentStatus],
    **values: Any,
) -> bool:
    """Compare-and-set: False, and nothing changed, where the payment is in none of the states `from_`."""
    moved = await session.exec(
        update(Payment)
        .where(col(Payment.id) == payment_id, col(Payment.status).in_(from_))
        .values(status=to, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(moved.rowcount)


async def of_user(session: AsyncSession, user_id: int, *, limit: int, offset: int = 0) -> list[Payment]:
    """Newest first."""
    rows = await session.exec(
        select(Payment)
        .where(Payment.user_id == user_id)
        .order_by(col(Payment.paid_at).desc(), col(Payment.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return list(rows)


async def totals(session: AsyncSession, *, locked_since: datetime) -> tuple[int, int, int]:
    """Stars: all that were ever paid, those of them that went or go back, and those paid lately."""
    kept = col(Payment.status) == PaymentStatus.PAID
    sums = select(
        func.coalesce(func.sum(Payment.stars), 0),
        func.coalesce(func.sum(case((~kept, Payment.stars), else_=0)), 0),
        func.coalesce(
            func.sum(case((and_(kept, col(Payment.paid_at) > locked_since), Payment.stars), else_=0)), 0
        ),
    )
    received, returned, locked = (await session.exec(sums)).one()
    return int(received), int(returned), int(locked)


async def all_after(session: AsyncSession, payment_id: int, *, limit: int) -> list[Payment]:
    """In order of id."""
    rows = await session.exec(
        select(Payment).where(col(Payment.id) > payment_id).order_by(col(Payment.id)).limit(limit)
    )
    return list(rows)


async def first_paid_at(session: AsyncSession, user_id: int) -> datetime | None:
    """When somebody first paid what has stayed paid."""
    kept = select(func.min(Payment.paid_at)).where(
        Payment.user_id == user_id, Payment.status == PaymentStatus.PAID
    )
    return (await session.exec(kept)).one()


async def stars_paid(session: AsyncSession, user_id: int, *, since: datetime) -> int:
    """How many Stars somebody has paid since a moment that have not gone back."""
    kept = select(func.coalesce(func.sum(Payment.stars), 0)).where(
        Payment.user_id == user_id, Payment.paid_at > since, Payment.status == PaymentStatus.PAID
    )
    return int((await session.exec(kept)).one())

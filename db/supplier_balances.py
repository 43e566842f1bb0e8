"""What suppliers said of our balance, and what our own orders say that they have kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import case, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import Attempt, AttemptStatus, Order, OrderStatus, SupplierBalance

KEPT = (OrderStatus.ACTIVE, OrderStatus.RECEIVED, OrderStatus.COMPLETED)
"""A supplier gives the cost of a number back when it ends without a code."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Minor units of the shop's currency."""

    spent: int
    under_way: int


async def spending(session: AsyncSession, supplier: str, *, now: datetime, since: datetime) -> Spending:
    """The cost of all orders that the supplier has not refunded as far as we know.

    Under way is what it may see otherwise: purchases without an answer yet, orders that should have ended,
    and whatever changed after `since`.
    """
    cost = func.coalesce(Order.cost, 0)
    unsettled = (col(Order.status) == OrderStatus.ACTIVE) & or_(
        col(Order.cancel_requested_at).is_not(None), col(Order.check_at) <= now
    )
    recent = or_(col(Order.activated_at) >= since, col(Order.ended_at) >= since)
    spent, uncertain = (
        await session.exec(
            select(
                func.coalesce(func.sum(case((col(Order.status).in_(KEPT), cost), else_=0)), 0),
                func.coalesce(func.sum(case((or_(unsettled, recent), cost), else_=0)), 0),
            ).where(Order.supplier == supplier)
        )
    ).one()
    asked = (
        await session.exec(
            select(func.coalesce(func.sum(Attempt.cost * Attempt.quantity), 0)).where(
                Attempt.supplier == supplier, Attempt.status == AttemptStatus.STARTED
            )
        )
    ).one()
    return Spending(int(spent), int(uncertain) + int(asked))


async def add(session: AsyncSession, **values: Any) -> SupplierBalance:
    balance = SupplierBalance(**values)
    session.add(balance)
    await session.flush()
    return balance


async def find_last(session: AsyncSession, supplier: str) -> SupplierBalance | None:
    return (
        await session.exec(
            select(SupplierBalance)
            .where(SupplierBalance.supplier == supplier)
            .order_by(col(SupplierBalance.id).desc())
            .limit(1)
        )
    ).one_or_none()


async def since(session: AsyncSession, moment: datetime) -> list[SupplierBalance]:
    """All that were taken at or after a moment, oldest first."""
    rows = await session.exec(
        select(SupplierBalance)
        .where(SupplierBalance.taken_at >= moment)
        .order_by(col(SupplierBalance.supplier), col(SupplierBalance.id))
    )
    return list(rows)


async def latest(session: AsyncSession) -> list[SupplierBalance]:
    """The last of each supplier, by name."""
    newest = select(func.max(SupplierBalance.id)).group_by(col(SupplierBalance.supplier))
    rows = await session.exec(
        select(SupplierBalance)
        .where(col(SupplierBalance.id).in_(newest))
        .order_by(col(SupplierBalance.supplier))
    )
    return list(rows)

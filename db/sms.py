"""Codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement
from sqlmodel import AutoString, cast, col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, table
from db.models import Order, Purchase, Service, Sms, User


async def of_orders(session: AsyncSession, order_ids: Sequence[int]) -> list[Sms]:
    """Oldest first."""
    return list(await session.exec(select(Sms).where(col(Sms.order_id).in_(order_ids)).order_by(col(Sms.id))))


async def add(session: AsyncSession, **values: Any) -> Sms | None:
    """The new row; None where this message is known."""
    added = await session.exec(insert_new(session, Sms).returning(table(Sms).c.id), params=values)
    sms_id: int | None = added.scalar_one_or_none()
    return Sms(id=sms_id, **values) if sms_id else None


class Arrival(NamedTuple):
    """A message and everything around it."""

    sms: Sms
    order: Order
    purchase: Purchase
    service: Service
    renter: User


async def get_arrival(session: AsyncSession, sms_id: int) -> Arrival:
    """In one question: a renter waits for the answer."""
    found = await session.exec(
        select(Sms, Order, Purchase, Service, User)  # type: ignore[call-overload]
        .join(Order, col(Order.id) == Sms.order_id)
        .join(Purchase, col(Purchase.id) == Order.purchase_id)
        .join(Service, col(Service.id) == Purchase.service_id)
        .join(User, col(User.id) == Purchase.user_id)
        .where(Sms.id == sms_id)
    )
    return Arrival(*found.one())


async def complete(session: AsyncSession, sms_id: int, *, code: str | None, text: str | None) -> None:
    """Fill in what another source knew about the same message."""
    await session.exec(update(Sms).where(col(Sms.id) == sms_id).values(code=code, text=text))


async def mark_shown(session: AsyncSession, sms_id: int, *, now: datetime) -> None:
    await session.exec(
        update(Sms).where(col(Sms.id) == sms_id, col(Sms.shown_at).is_(None)).values(shown_at=now)
    )


async def clear(session: AsyncSession, sms_id: int, *, now: datetime) -> None:
    """Remember that a message is not in the chat any more."""
    await session.exec(
        update(Sms).where(col(Sms.id) == sms_id, col(Sms.cleared_at).is_(None)).values(cleared_at=now)
    )


async def erase(session: AsyncSession, *, before: datetime) -> None:
    """Forget codes and texts received before a moment; that there was a message stays known."""
    await _erase(session, col(Sms.received_at) < before)


async def erase_of_orders(session: AsyncSession, order_ids: Sequence[int]) -> None:
    """As `erase`, of some orders."""
    await _erase(session, col(Sms.order_id).in_(order_ids))


async def _erase(session: AsyncSession, which: ColumnElement[bool]) -> None:
    await session.exec(
        update(Sms)
        .where(which, col(Sms.code).is_not(None) | col(Sms.text).is_not(None))
        .values(code=None, text=None, fingerprint="erased:" + cast(col(Sms.id), AutoString))
        .execution_options(synchronize_session=False)
    )

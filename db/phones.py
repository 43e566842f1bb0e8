"""Phones that renters have linked, and the codes that prove them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import col, delete, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import LinkedPhone, PhoneCheck, StoppedPhone


async def find(session: AsyncSession, user_id: int) -> LinkedPhone | None:
    return await session.get(LinkedPhone, user_id, populate_existing=True)


async def lock(session: AsyncSession, user_id: int) -> LinkedPhone | None:
    """As `find`; and nobody else changes it before this transaction ends."""
    return await session.get(LinkedPhone, user_id, populate_existing=True, with_for_update=True)


async def find_owner(session: AsyncSession, phone_number: str) -> int | None:
    """Whose phone it is."""
    return (
        await session.exec(select(LinkedPhone.user_id).where(LinkedPhone.phone_number == phone_number))
    ).one_or_none()


async def link(session: AsyncSession, user_id: int, phone_number: str, *, now: datetime) -> None:
    """Make a phone that is nobody else's a renter's only one. What may be texted there begins anew."""
    values: dict[str, Any] = {
        "phone_number": phone_number,
        "forwards_codes": False,
        "takes_news": False,
        "takes_alarms": False,
        "linked_at": now,
    }
    await session.exec(
        upsert(session, LinkedPhone, key=["user_id"], change=list(values)).values(user_id=user_id, **values)
    )


async def change(session: AsyncSession, user_id: int, **values: bool) -> bool:
    """Say what may be texted; False where nothing is linked."""
    changed = await session.exec(
        update(LinkedPhone)
        .where(col(LinkedPhone.user_id) == user_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)


async def unlink(session: AsyncSession, user_id: int) -> None:
    await session.exec(delete(LinkedPhone).where(col(LinkedPhone.user_id) == user_id))


async def of_operators(session: AsyncSession, user_ids: Collection[int]) -> list[LinkedPhone]:
    """Those of `user_ids` who want to hear of trouble."""
    return list(
        await session.exec(
            select(LinkedPhone)
            .where(col(LinkedPhone.user_id).in_(user_ids), col(LinkedPhone.takes_alarms))
            .order_by(col(LinkedPhone.user_id))
        )
    )


async def stop(session: AsyncSession, phone_number: str, *, sender: str, now: datetime) -> bool:
    """Remember that nothing may be texted to a phone; False where that is known."""
    stopped = insert_new(session, StoppedPhone).values(
        phone_number=phone_number, sender=sender, stopped_at=now
    )
    return bool((await session.exec(stopped)).rowcount)


async def resume(session: AsyncSession, phone_number: str) -> bool:
    """Let a phone be texted again; False where it could be."""
    resumed = await session.exec(delete(StoppedPhone).where(col(StoppedPhone.phone_number) == phone_number))
    return bool(resumed.rowcount)


async def stopped_among(session: AsyncSession, phone_numbers: Collection[str]) -> frozenset[str]:
    """Those to which nothing may be texted."""
    rows = await session.exec(
        select(StoppedPhone.phone_number).where(col(StoppedPhone.phone_number).in_(phone_numbers))
    )
    return frozenset(rows)


async def add_check(session: AsyncSession, **values: Any) -> None:
    session.add(PhoneCheck(**values))
    await session.flush()


async def find_check(session: AsyncSession, idempotency_key: str) -> PhoneCheck | None:
    return (
        await session.exec(select(PhoneCheck).where(PhoneCheck.idempotency_key == idempotency_key))
    ).one_or_none()


async def newest_check(session: AsyncSession, user_id: int) -> PhoneCheck | None:
    return (
        await session.exec(
            select(PhoneCheck)
            .where(PhoneCheck.user_id == user_id)
            .order_by(col(PhoneCheck.id).desc())
            .limit(1)
        )
    ).one_or_none()


async def count_checks(
    session: AsyncSession, *, user_id: int, phone_number: str, since: datetime
) -> tuple[int, int]:
    """How many codes were sent for a renter, and how many to a phone, whoever asked."""
    recent = select(func.count()).where(PhoneCheck.sent_at >= since)
    by_user = (await session.exec(recent.where(PhoneCheck.user_id == user_id))).one()
    to_phone = (await session.exec(recent.where(PhoneCheck.phone_number == phone_number))).one()
    return by_user, to_phone


async def erase_checks(session: AsyncSession, *, before: datetime) -> None:
    await session.exec(
        delete(PhoneCheck)
        .where(col(PhoneCheck.sent_at) < before)
        .execution_options(synchronize_session=False)
    )

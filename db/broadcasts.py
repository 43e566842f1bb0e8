"""Broadcasts, and what became of each for every renter."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast
from sqlmodel import and_, col, exists, func, literal, select, true, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import Account, Broadcast, BroadcastDelivery, BroadcastStatus, LinkedPhone, Purchase, User

ACTIVE_WITHIN = timedelta(days=30)


async def add(session: AsyncSession, **values: Any) -> Broadcast:
    broadcast = Broadcast(**values)
    session.add(broadcast)
    await session.flush()
    return broadcast


async def find(session: AsyncSession, broadcast_id: int) -> Broadcast | None:
    return await session.get(Broadcast, broadcast_id, populate_existing=True)


async def lock(session: AsyncSession, broadcast_id: int) -> Broadcast | None:
    """As `find`; and nobody else changes it before this transaction ends."""
    return await session.get(Broadcast, broadcast_id, populate_existing=True, with_for_update=True)


async def newest(session: AsyncSession, *, limit: int) -> list[Broadcast]:
    """Those that were more than drafts, newest first."""
    rows = await session.exec(
        select(Broadcast)
        .where(Broadcast.status != BroadcastStatus.DRAFT)
        .order_by(col(Broadcast.id).desc())
        .limit(limit)
    )
    return list(rows)


async def find_sending(session: AsyncSession) -> int | None:
    """The one broadcast that is under way."""
    return (
        await session.exec(select(Broadcast.id).where(Broadcast.status == BroadcastStatus.SENDING))
    ).one_or_none()


async def move(
    session: AsyncSession,
    broadcast_id: int,
    to: BroadcastStatus,
    *,
    from_: Sequence[BroadcastStatus],
    **values: Any,
) -> bool:
    """Compare-and-set: False, and nothing changed, where it is in none of the states `from_`."""
    moved = await session.exec(
        update(Broadcast)
        .where(col(Broadcast.id) == broadcast_id, col(Broadcast.status).in_(from_))
        .values(status=to, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(moved.rowcount)


async def change(session: AsyncSession, broadcast_id: int, **values: Any) -> None:
    """Change anything but the state."""
    await session.exec(
        update(Broadcast)
        .where(col(Broadcast.id) == broadcast_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _is_among(audience: str, *, now: datetime) -> ColumnElement[bool]:
    """Who belongs to an audience: all, active, buyers, never, balance, or language:<code>."""
    name, _, language = audience.partition(":")
    bought = exists().where(col(Purchase.user_id) == User.id)
    wallet = literal("wallet:") + cast(col(User.id), String)
    conditions: dict[str, ColumnElement[bool]] = {
        "all": true(),
        "active": col(User.seen_at) >= now - ACTIVE_WITHIN,
        "buyers": bought,
        "never": ~bought,
        "balance": exists().where(col(Account.name) == wallet, col(Account.balance) > 0),
        "language": _language().startswith(language, autoescape=True),
    }
    # Whoever never wrote to us cannot be written to either.
    reachable = and_(
        col(User.blocked_at).is_(None), col(User.banned_at).is_(None), col(User.seen_at).is_not(None)
    )
    return and_(reachable, conditions[name])


def _language() -> ColumnElement[str]:
    """As `User.language`."""
    return func.coalesce(User.chosen_language, User.language_code)


def _is_reached_in_chat(audience: str, *, now: datetime) -> ColumnElement[bool]:
    """As `_is_among`, without those who want no broadcasts; texts are another wish."""
    return and_(_is_among(audience, now=now), col(User.takes_broadcasts))


async def count_audience(session: AsyncSession, audience: str, *, now: datetime) -> int:
    return (await session.exec(select(func.count()).where(_is_reached_in_chat(audience, now=now)))).one()


async def count_phones(session: AsyncSession, audience: str, *, now: datetime) -> int:
    """How many of an audience want news by SMS."""
    counted = select(func.count()).join(LinkedPhone, col(LinkedPhone.user_id) == User.id)
    wanted = counted.where(col(LinkedPhone.takes_news), _is_among(audience, now=now))
    return (await session.exec(wanted.select_from(User))).one()


async def next_phones(
    session: AsyncSession, broadcast: Broadcast, *, now: datetime, limit: int
) -> list[LinkedPhone]:
    """Of those who want news by SMS and have not had their turn, the first by id."""
    rows = await session.exec(
        select(LinkedPhone)
        .join(User, col(User.id) == LinkedPhone.user_id)
        .where(
            col(LinkedPhone.takes_news),
            col(LinkedPhone.user_id) > broadcast.text_last_user_id,
            _is_among(broadcast.audience, now=now),
        )
        .order_by(col(LinkedPhone.user_id))
        .limit(limit)
    )
    return list(rows)


async def languages(session: AsyncSession) -> dict[str, int]:
    """How many reachable renters use each language, the most common first."""
    code = func.substr(_language(), 1, 2)
    rows = await session.exec(
        select(code, func.count())
        .where(col(User.blocked_at).is_(None), col(User.seen_at).is_not(None))
        .group_by(code)
        .order_by(func.count().desc())
    )
    return dict(rows.all())


async def claim_next(session: AsyncSession, broadcast: Broadcast, *, now: datetime) -> int | None:
    """Write down that the next renter is being sent to; None when everybody has had their turn."""
    user_id = await _claim_owed(session, broadcast, now=now)
    if user_id is not None:
        return user_id
    user_id = (
        await session.exec(
            select(User.id)
            .where(col(User.id) > broadcast.last_user_id, _is_reached_in_chat(broadcast.audience, now=now))
            .order_by(col(User.id))
            .limit(1)
        )
    ).one_or_none()
    if user_id is None:
        return None
    await change(session, broadcast.id or 0, last_user_id=user_id)
    session.add(BroadcastDelivery(broadcast_id=broadcast.id or 0, user_id=user_id, status="sending", at=now))
    await session.flush()
    return user_id


async def _claim_owed(session: AsyncSession, broadcast: Broadcast, *, now: datetime) -> int | None:
    owed = select(func.min(BroadcastDelivery.user_id)).where(
        BroadcastDelivery.broadcast_id == broadcast.id, BroadcastDelivery.status == "owed"
    )
    claimed = await session.exec(
        update(BroadcastDelivery)
        .where(
            col(BroadcastDelivery.broadcast_id) == broadcast.id,
            col(BroadcastDelivery.user_id) == owed.scalar_subquery(),
        )
        .values(status="sending", at=now)
        .returning(col(BroadcastDelivery.user_id))
    )
    return claimed.scalar_one_or_none()


async def settle(
    session: AsyncSession,
    broadcast_id: int,
    user_id: int,
    status: str,
    *,
    message_ids: Sequence[int] = (),
    error: str | None = None,
    now: datetime,
) -> None:
    """Write down what became of a renter who was being sent to, and count it."""
    settled = await session.exec(
        update(BroadcastDelivery)
        .where(
            col(BroadcastDelivery.broadcast_id) == broadcast_id,
            col(BroadcastDelivery.user_id) == user_id,
            col(BroadcastDelivery.status) == "sending",
        )
        .values(status=status, message_ids=list(message_ids), error=error, at=now)
        .execution_options(synchronize_session=False)
    )
    if settled.rowcount and status != "owed":
        await change(session, broadcast_id, **{status: getattr(Broadcast, status) + 1})


async def count_owed(session: AsyncSession, broadcast_id: int) -> int:
    return (
        await session.exec(
            select(func.count()).where(
                BroadcastDelivery.broadcast_id == broadcast_id, BroadcastDelivery.status == "owed"
            )
        )
    ).one()


async def forget_senders(session: AsyncSession, broadcast_id: int, *, now: datetime) -> None:
    """At the start of a run: who is being sent to was cut off, and it is not known what they got."""
    cut_off = await session.exec(
        update(BroadcastDelivery)
        .where(
            col(BroadcastDelivery.broadcast_id) == broadcast_id,
            col(BroadcastDelivery.status) == "sending",
        )
        .values(status="unknown", error="cut off", at=now)
        .execution_options(synchronize_session=False)
    )
    if cut_off.rowcount:
        await change(session, broadcast_id, unknown=Broadcast.unknown + cut_off.rowcount)


async def still_there(
    session: AsyncSession, broadcast_id: int, *, after: int, limit: int
) -> list[BroadcastDelivery]:
    """Who got it and still has it, in order of id."""
    rows = await session.exec(
        select(BroadcastDelivery)
        .where(
            BroadcastDelivery.broadcast_id == broadcast_id,
            BroadcastDelivery.user_id > after,
            BroadcastDelivery.status == "sent",
            col(BroadcastDelivery.error).is_(None),
        )
        .order_by(col(BroadcastDelivery.user_id))
        .limit(limit)
    )
    return list(rows)


async def end_recall(
    session: AsyncSession, broadcast_id: int, user_id: int, *, deleted: bool, now: datetime
) -> None:
    """Write down that a renter's copy was deleted, or that Telegram would not: it is not tried again."""
    values: dict[str, Any] = {"status": "recalled"} if deleted else {"error": "not deleted"}
    ended = await session.exec(
        update(BroadcastDelivery)
        .where(
            col(BroadcastDelivery.broadcast_id) == broadcast_id,
            col(BroadcastDelivery.user_id) == user_id,
            col(BroadcastDelivery.status) == "sent",
        )
        .values(at=now, **values)
    )
    if deleted and ended.rowcount:
        await change(session, broadcast_id, recalled=Broadcast.recalled + 1)


async def failures(session: AsyncSession, broadcast_id: int) -> AsyncIterator[BroadcastDelivery]:
    """Everybody who did not get it for certain, in order of id; streamed."""
    rows = await session.stream_scalars(
        select(BroadcastDelivery)
        .where(
            BroadcastDelivery.broadcast_id == broadcast_id,
            col(BroadcastDelivery.status).in_(("blocked", "failed", "unknown")),
        )
        .order_by(col(BroadcastDelivery.user_id))
    )
    async for row in rows:
        yield row

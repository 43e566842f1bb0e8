"""Promises to the outside: written with their cause, claimed for a while, marked done."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.orm import aliased
from sqlmodel import case, col, delete, exists, func, null, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_or, is_sqlite, table
from db.models import OutboxMessage


async def add(session: AsyncSession, *, claim_until: datetime | None, **values: Any) -> OutboxMessage | None:
    """None where the promise was made before (same `dedupe_key`).

    `claim_until`: claimed from the beginning, unless something of its series is owed.
    """
    claim = {"behind": values["serial"], "until": claim_until} if claim_until else {}
    adding = _adding(is_sqlite(session), claims=bool(claim_until))
    row = (await session.exec(adding, params={**claim, **values})).one_or_none()
    return OutboxMessage(**values, **row._mapping) if row else None


@cache
def _adding(on_sqlite: bool, *, claims: bool) -> Any:
    message = table(OutboxMessage)
    claim: dict[str, Any] = {"attempts": 0, "claimed_until": null()}
    if claims:
        earlier = message.alias()
        is_behind = exists().where(earlier.c.serial == bindparam("behind"), earlier.c.done_at.is_(None))
        until = bindparam("until", type_=message.c.claimed_until.type)
        claim = {
            "attempts": case((is_behind, 0), else_=1),
            "claimed_until": case((is_behind, null()), else_=until),
        }
    return (
        insert_or(on_sqlite, OutboxMessage)
        .values(**claim)
        .on_conflict_do_nothing()
        .returning(message.c.id, message.c.attempts, message.c.claimed_until)
    )


async def find(session: AsyncSession, dedupe_key: str) -> OutboxMessage | None:
    """A promise by its key, while it is remembered."""
    return (
        await session.exec(select(OutboxMessage).where(OutboxMessage.dedupe_key == dedupe_key))
    ).one_or_none()


def _is_free(now: Any) -> ColumnElement[bool]:
    return or_(col(OutboxMessage.claimed_until).is_(None), col(OutboxMessage.claimed_until) <= now)


_EARLIER = aliased(OutboxMessage)
_CLAIM = (
    update(OutboxMessage)
    .where(
        col(OutboxMessage.id).in_(
            select(OutboxMessage.id)
            .where(
                OutboxMessage.lane == bindparam("of_lane"),
                col(OutboxMessage.done_at).is_(None),
                OutboxMessage.due_at <= bindparam("now"),
                _is_free(bindparam("now")),
                ~exists().where(
                    col(_EARLIER.serial) == OutboxMessage.serial,
                    col(_EARLIER.done_at).is_(None),
                    col(_EARLIER.id) < OutboxMessage.id,
                ),
            )
            .order_by(col(OutboxMessage.id))
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(claimed_until=bindparam("until"), attempts=OutboxMessage.attempts + 1)
    .returning(OutboxMessage)
    .execution_options(synchronize_session=False)
)
"""Written once: it is asked with every promise that is kept, and takes longer to write than to carry out."""


async def claim(
    session: AsyncSession, lane: str, *, now: datetime, until: datetime, limit: int
) -> list[OutboxMessage]:
    """Take up to `limit` due messages of a lane, oldest first; nobody else gets them before `until`."""
    claimed = await session.exec(_CLAIM, params={"of_lane": lane, "now": now, "until": until, "most": limit})
    return sorted(claimed.scalars(), key=lambda message: message.id or 0)


async def mark_done(session: AsyncSession, ids: Sequence[int], *, now: datetime) -> None:
    await session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id).in_(ids))
        .values(done_at=now, claimed_until=None)
        .execution_options(synchronize_session=False)
    )


async def give_up(session: AsyncSession, message_id: int, *, error: str, now: datetime) -> None:
    await session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message_id)
        .values(done_at=now, claimed_until=None, error=error)
    )


async def put_off(
    session: AsyncSession,
    message_id: int,
    *,
    until: datetime,
    failing_since: datetime | None,
    error: str | None,
) -> None:
    await session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id) == message_id)
        .values(due_at=until, claimed_until=None, failing_since=failing_since, error=error)
    )


async def release_claims(session: AsyncSession) -> None:
    """Give back what a process that is gone had claimed. For the one process that dispatches."""
    await session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.done_at).is_(None), col(OutboxMessage.claimed_until).is_not(None))
        .values(claimed_until=None)
        .execution_options(synchronize_session=False)
    )


async def claimed(session: AsyncSession) -> list[int]:
    """What somebody has claimed and not done."""
    rows = await session.exec(
        select(OutboxMessage.id).where(
            col(OutboxMessage.done_at).is_(None), col(OutboxMessage.claimed_until).is_not(None)
        )
    )
    return [id for id in rows if id is not None]


async def release(session: AsyncSession, ids: Sequence[int]) -> None:
    """Give back claims that nothing was done with."""
    await session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.id).in_(ids))
        .values(claimed_until=None)
        .execution_options(synchronize_session=False)
    )


async def first_due(session: AsyncSession, lane: str, *, now: datetime) -> datetime | None:
    """When the first message of a lane falls due, or did, of those that nobody has a claim to now."""
    return (
        await session.exec(
            select(func.min(OutboxMessage.due_at)).where(
                OutboxMessage.lane == lane,
                col(OutboxMessage.done_at).is_(None),
                _is_free(now),
            )
        )
    ).one()


async def next_due(session: AsyncSession, lane: str, *, after: datetime) -> datetime | None:
    """When the next message of a lane falls due of those that were not yet."""
    return (
        await session.exec(
            select(func.min(OutboxMessage.due_at)).where(
                OutboxMessage.lane == lane,
                col(OutboxMessage.done_at).is_(None),
                OutboxMessage.due_at > after,
            )
        )
    ).one()


async def backlog(session: AsyncSession, *, now: datetime) -> dict[str, tuple[int, datetime | None]]:
    """How many messages each lane owes, and since when the oldest of those whose time has come."""
    # What fails has come due before, however far a retry has put it off.
    due_since = func.coalesce(
        OutboxMessage.failing_since, case((col(OutboxMessage.due_at) <= now, col(OutboxMessage.due_at)))
    )
    rows = await session.exec(
        select(OutboxMessage.lane, func.count(), func.min(due_since))
        .where(col(OutboxMessage.done_at).is_(None))
        .group_by(OutboxMessage.lane)
    )
    return {lane: (count, oldest_at) for lane, count, oldest_at in rows}


async def purge(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Forget some of what was done and promised before a moment; how many."""
    settled = select(OutboxMessage.id).where(col(OutboxMessage.done_at).is_not(None))
    oldest = settled.order_by(col(OutboxMessage.id)).limit(limit)
    purged = await session.exec(
        delete(OutboxMessage).where(col(OutboxMessage.id).in_(oldest), col(OutboxMessage.created_at) < before)
    )
    return purged.rowcount


async def erase_kept(session: AsyncSession, serial: str) -> None:
    """Forget what the promises of a series said that are kept."""
    await session.exec(
        update(OutboxMessage)
        .where(col(OutboxMessage.serial) == serial, col(OutboxMessage.done_at).is_not(None))
        .values(payload={})
        .execution_options(synchronize_session=False)
    )

"""Webhook deliveries: stored many at a time, in one statement and one commit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, delete, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import WebhookDelivery
from db.session import Database

SQLITE_STORE = """
    INSERT INTO webhook_delivery (source, external_id, body, received_at, attempts)
    SELECT value->>0, value->>1, value->>2, value->>3, 0 FROM json_each(?) WHERE true
    ON CONFLICT (source, external_id) DO NOTHING
    RETURNING id, source, external_id
"""
POSTGRES_STORE = """
    INSERT INTO webhook_delivery (source, external_id, body, received_at, attempts)
    SELECT *, 0 FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
    ON CONFLICT (source, external_id) DO NOTHING
    RETURNING id, source, external_id
"""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    source: str
    external_id: str
    """The sender's own id, or a digest of the body where it has none."""
    body: str
    received_at: datetime


async def store(database: Database, batch: Sequence[NewDelivery]) -> dict[tuple[str, str], int]:
    """Commit a batch; the ids of those not seen before, by (source, external_id)."""
    # One statement in the driver's autocommit is one thread hop and one fsync for the whole batch;
    # through the ORM the same work costs several times as much, and this is the way in for every code.
    async with database.driver() as driver:
        if database.is_sqlite:
            rows = await driver.execute_fetchall(
                SQLITE_STORE,
                (
                    json.dumps(
                        [(d.source, d.external_id, d.body, _sqlite_time(d.received_at)) for d in batch]
                    ),
                ),
            )
        else:
            rows = await driver.fetch(
                POSTGRES_STORE,
                [d.source for d in batch],
                [d.external_id for d in batch],
                [d.body for d in batch],
                [d.received_at for d in batch],
            )
    return {(row[1], row[2]): row[0] for row in rows}


def _sqlite_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


async def unhandled(session: AsyncSession, *, before: datetime, limit: int) -> list[WebhookDelivery]:
    """What was stored before a moment and not handled since, oldest first."""
    rows = await session.exec(
        select(WebhookDelivery)
        .where(col(WebhookDelivery.handled_at).is_(None), col(WebhookDelivery.received_at) <= before)
        .order_by(col(WebhookDelivery.id))
        .limit(limit)
    )
    return list(rows)


async def untried(session: AsyncSession, *, limit: int) -> list[WebhookDelivery]:
    """What nobody has begun to handle, oldest first."""
    rows = await session.exec(
        select(WebhookDelivery)
        .where(col(WebhookDelivery.handled_at).is_(None), WebhookDelivery.attempts == 0)
        .order_by(col(WebhookDelivery.id))
        .limit(limit)
    )
    return list(rows)


async def any_unhandled(session: AsyncSession, source: str, *, before: datetime) -> bool:
    """Whether something that a source told before a moment is not handled yet."""
    # Told apart here: SQLite would rather go through all that ever came from the source.
    waiting = await session.exec(
        select(WebhookDelivery.source).where(
            col(WebhookDelivery.handled_at).is_(None), col(WebhookDelivery.received_at) <= before
        )
    )
    return source in waiting.all()


async def backlog(session: AsyncSession) -> dict[str, tuple[int, datetime]]:
    """How much of each source is not handled yet, and since when the oldest waits."""
    # Grouped by the bare column, SQLite would rather go through all that ever came, in its order.
    whose = func.trim(WebhookDelivery.source).label("whose")
    rows = await session.exec(
        select(whose, func.count(), func.min(WebhookDelivery.received_at))
        .where(col(WebhookDelivery.handled_at).is_(None))
        .group_by("whose")
    )
    return {source: (count, oldest_at) for source, count, oldest_at in rows}


async def mark_handled(
    session: AsyncSession, ids: Sequence[int], *, now: datetime, error: str | None = None
) -> None:
    await session.exec(
        update(WebhookDelivery)
        .where(col(WebhookDelivery.id).in_(ids))
        .values(handled_at=now, error=error)
        .execution_options(synchronize_session=False)
    )


async def note_failure(session: AsyncSession, delivery_id: int, *, error: str) -> int:
    """Count a failed handling; how many there have been."""
    failed = await session.exec(
        update(WebhookDelivery)
        .where(col(WebhookDelivery.id) == delivery_id)
        .values(attempts=WebhookDelivery.attempts + 1, error=error)
        .returning(col(WebhookDelivery.attempts))
    )
    return int(failed.scalar_one())


async def purge(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Forget some of what was handled and received before a moment; how many."""
    # From the oldest on, by key: no index on the time, which every delivery would have to pay for.
    settled = select(WebhookDelivery.id).where(col(WebhookDelivery.handled_at).is_not(None))
    oldest = settled.order_by(col(WebhookDelivery.id)).limit(limit)
    purged = await session.exec(
        delete(WebhookDelivery).where(
            col(WebhookDelivery.id).in_(oldest), col(WebhookDelivery.received_at) < before
        )
    )
    return purged.rowcount


async def all_of(session: AsyncSession, source: str) -> list[WebhookDelivery]:
    """Everything kept of a source, oldest first."""
    rows = await session.exec(
        select(WebhookDelivery).where(WebhookDelivery.source == source).order_by(col(WebhookDelivery.id))
    )
    return list(rows)


async def erase_updates_of(session: AsyncSession, user_id: int) -> None:
    """Forget what somebody wrote in Telegram; that it came stays known, so that a repetition is one."""
    about = (col(WebhookDelivery.body).contains(f'"id":{space}{user_id},') for space in ("", " "))
    await session.exec(
        update(WebhookDelivery)
        .where(
            col(WebhookDelivery.source) == "telegram",
            col(WebhookDelivery.handled_at).is_not(None),
            or_(*about),
        )
        .values(body="")
        .execution_options(synchronize_session=False)
    )

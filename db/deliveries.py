"""Webhook deliveries: stored many at a time, in one statement and one commit."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlmodel import col, delete, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import WebhookDelivery
from db.session import Database, Rank


class NewDelivery(NamedTuple):
    source: str
    external_id: str
    """The sender's own id, or a digest of the body where it has none."""
    body: str


async def store(
    database: Database, batch: Sequence[NewDelivery], *, received_at: datetime
) -> list[int | None]:
    """Commit a batch; for each its new id, or None where it was known."""
    # One statement in the driver's autocommit is one thread hop and one fsync for the whole batch;
    # through the ORM the same work costs several times as much, and this is the way in for every code.
    async with database.driver(Rank.STORING) as driver:
        store_in = _store_in_sqlite if database.is_sqlite else _store_in_postgresql
        return await store_in(driver, batch, received_at)


async def _store_in_sqlite(
    driver: Any, batch: Sequence[NewDelivery], received_at: datetime
) -> list[int | None]:
    # The values are bound one by one and nothing is returned by row: each row that a statement returns
    # makes SQLite's thread wait for the event loop's to let go of the interpreter.
    stored = await driver.execute(
        "INSERT INTO webhook_delivery (received_at, source, external_id, body, attempts)"
        f" VALUES {', '.join(['(?1, ?, ?, ?, 0)'] * len(batch))}"
        " ON CONFLICT (source, external_id) DO NOTHING",
        [_sqlite_time(received_at), *chain.from_iterable(batch)],
    )
    if stored.rowcount == 0:
        return [None] * len(batch)
    # A new row's key is one more than the largest there is.
    before = stored.lastrowid - stored.rowcount
    if stored.rowcount == len(batch):
        return list(range(before + 1, stored.lastrowid + 1))
    return _in_order_of(
        batch,
        await driver.execute_fetchall(
            "SELECT id, source, external_id FROM webhook_delivery WHERE id > ?", [before]
        ),
    )


def _sqlite_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


async def _store_in_postgresql(
    driver: Any, batch: Sequence[NewDelivery], received_at: datetime
) -> list[int | None]:
    sources, external_ids, bodies = zip(*batch, strict=True)
    return _in_order_of(
        batch,
        await driver.fetch(
            "INSERT INTO webhook_delivery (source, external_id, body, received_at, attempts)"
            " SELECT *, $4::timestamptz, 0 FROM unnest($1::text[], $2::text[], $3::text[])"
            " ON CONFLICT (source, external_id) DO NOTHING RETURNING id, source, external_id",
            sources,
            external_ids,
            bodies,
            received_at,
        ),
    )


def _in_order_of(batch: Sequence[NewDelivery], rows: Iterable[Sequence[Any]]) -> list[int | None]:
    new = {(source, external_id): delivery_id for delivery_id, source, external_id in rows}
    # Popped: the same delivery twice in one batch is new only once.
    return [new.pop((delivery.source, delivery.external_id), None) for delivery in batch]


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


async def mark_handled(database: Database, ids: Sequence[int], *, now: datetime) -> None:
    """Commit that these were handled."""
    # By the driver, as above, but behind others who wait to write: nobody waits for a mark.
    async with database.driver() as driver:
        if database.is_sqlite:
            await driver.execute(
                "UPDATE webhook_delivery SET handled_at = ?, error = NULL"
                " WHERE id IN (SELECT value FROM json_each(?))",
                [_sqlite_time(now), json.dumps(ids)],
            )
        else:
            # Nor does the mark wait for the disk: one that is forgotten has no effect when it is made again.
            await driver.execute(
                "UPDATE webhook_delivery SET handled_at = $1, error = NULL"
                " FROM set_config('synchronous_commit', 'off', true) WHERE id = ANY($2::bigint[])",
                now,
                ids,
            )


async def give_up(session: AsyncSession, delivery_id: int, *, now: datetime) -> None:
    """Keep it, with its last error, but no longer try."""
    await session.exec(
        update(WebhookDelivery).where(col(WebhookDelivery.id) == delivery_id).values(handled_at=now)
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

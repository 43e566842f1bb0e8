"""SMS that we send."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, or_
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new
from db.models import TextMessage, TextStatus


async def add(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> list[int]:
    """The ids of those that are new, whose `idempotency_key` was not there."""
    added = await session.exec(insert_new(session, TextMessage).values(rows).returning(TextMessage.id))
    return sorted(added.scalars())


async def find(session: AsyncSession, text_id: int) -> TextMessage | None:
    return await session.get(TextMessage, text_id, populate_existing=True)


async def in_state(session: AsyncSession, ids: Sequence[int], status: TextStatus) -> list[TextMessage]:
    """Those of `ids`, by id."""
    return list(
        await session.exec(
            select(TextMessage)
            .where(col(TextMessage.id).in_(ids), TextMessage.status == status)
            .order_by(col(TextMessage.id))
        )
    )


async def move(
    session: AsyncSession,
    ids: Sequence[int],
    status: TextStatus,
    *,
    from_: Iterable[TextStatus],
    now: datetime,
    **changes: Any,
) -> list[TextMessage]:
    """Compare and set; those that were in one of the states `from_`, as they are now."""
    moved = await session.exec(
        update(TextMessage)
        .where(col(TextMessage.id).in_(ids), col(TextMessage.status).in_(list(from_)))
        .values(status=status, updated_at=now, **changes)
        .returning(TextMessage)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(moved.scalars(), key=lambda text: text.id or 0)


async def set_refs(
    session: AsyncSession, refs: Sequence[tuple[int, str]], *, from_: Iterable[TextStatus]
) -> None:
    """Write down the sender's own ids of many texts that are in one of the states `from_`, quickly."""
    if not refs:
        return
    table = TextMessage.__table__  # type: ignore[attr-defined]
    await (await session.connection()).execute(
        update(table)
        .where(table.c.id == bindparam("text_id"), or_(*(table.c.status == state for state in from_)))
        .values(sender_ref=bindparam("ref")),
        [{"text_id": text_id, "ref": ref} for text_id, ref in refs],
    )


async def queued_of(session: AsyncSession, user_id: int, purpose: str) -> list[int]:
    """Ids of a renter's texts that no sender has been given yet."""
    rows = await session.exec(
        select(TextMessage.id).where(
            TextMessage.user_id == user_id,
            # Written out: a partial index is only used where its condition can be read in the statement.
            col(TextMessage.status) == literal_column("'queued'"),
            TextMessage.purpose == purpose,
        )
    )
    return [text_id for text_id in rows if text_id]


async def count_of_broadcast(session: AsyncSession, broadcast_id: int) -> dict[str, int]:
    """How many of its texts are in each state."""
    rows = await session.exec(
        select(TextMessage.status, func.count())
        .where(TextMessage.broadcast_id == broadcast_id)
        .group_by(TextMessage.status)
    )
    return dict(rows.all())


async def count_failures(session: AsyncSession, broadcast_id: int, failures: Sequence[str]) -> int:
    """How many of a broadcast's texts failed for one of these reasons."""
    return (
        await session.exec(
            select(func.count()).where(
                TextMessage.broadcast_id == broadcast_id,
                TextMessage.status == TextStatus.FAILED,
                col(TextMessage.failure).in_(failures),
            )
        )
    ).one()


async def failures_of_broadcast(session: AsyncSession, broadcast_id: int) -> AsyncIterator[TextMessage]:
    """Those that certainly or perhaps did not arrive, in order of id; streamed."""
    rows = await session.stream_scalars(
        select(TextMessage)
        .where(
            TextMessage.broadcast_id == broadcast_id,
            col(TextMessage.status).in_((TextStatus.FAILED, TextStatus.UNKNOWN)),
        )
        .order_by(col(TextMessage.id))
    )
    async for row in rows:
        yield row


async def due(session: AsyncSession, *, now: datetime, limit: int) -> list[TextMessage]:
    """Those whose senders are to be asked, the longest overdue first."""
    return list(
        await session.exec(
            select(TextMessage)
            .where(col(TextMessage.check_at) <= now)
            .order_by(col(TextMessage.check_at))
            .limit(limit)
        )
    )


async def check_later(session: AsyncSession, text_id: int, *, check_at: datetime | None) -> None:
    await session.exec(update(TextMessage).where(col(TextMessage.id) == text_id).values(check_at=check_at))


async def erase(session: AsyncSession, *, before: datetime) -> None:
    """Forget what was written before a moment; that there was a text stays known."""
    await session.exec(
        update(TextMessage)
        .where(col(TextMessage.created_at) < before, col(TextMessage.body).is_not(None))
        .values(body=None)
        .execution_options(synchronize_session=False)
    )


async def erase_of_user(session: AsyncSession, user_id: int) -> None:
    """Forget what was texted for somebody, and to which phones, once nobody asks about it any more."""
    await session.exec(
        update(TextMessage)
        .where(
            col(TextMessage.user_id) == user_id,
            col(TextMessage.check_at).is_(None),
            col(TextMessage.status).not_in((TextStatus.QUEUED, TextStatus.SENDING)),
        )
        .values(body=None, phone_number="")
        .execution_options(synchronize_session=False)
    )

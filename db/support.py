"""Conversations with renters: where they stand, and what was carried from where to where."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, delete, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import SupportMessage, SupportTopic


async def find_topic(session: AsyncSession, user_id: int, chat_id: int) -> SupportTopic | None:
    """A renter's topic in a group."""
    topics = await session.exec(
        select(SupportTopic).where(SupportTopic.user_id == user_id, SupportTopic.chat_id == chat_id)
    )
    return topics.one_or_none()


async def find_by_topic(session: AsyncSession, chat_id: int, topic_id: int) -> SupportTopic | None:
    topics = await session.exec(
        select(SupportTopic).where(SupportTopic.chat_id == chat_id, SupportTopic.topic_id == topic_id)
    )
    return topics.one_or_none()


async def put_topic(
    session: AsyncSession, user_id: int, chat_id: int, topic_id: int, *, now: datetime
) -> None:
    """From now on the renter's conversation stands there."""
    change = ["chat_id", "topic_id", "closed_at", "created_at"]
    await session.exec(
        upsert(session, SupportTopic, key=["user_id"], change=change).values(
            user_id=user_id, chat_id=chat_id, topic_id=topic_id, closed_at=None, created_at=now
        )
    )


async def set_closed(
    session: AsyncSession, chat_id: int, topic_id: int, *, closed_at: datetime | None
) -> None:
    await session.exec(
        update(SupportTopic)
        .where(col(SupportTopic.chat_id) == chat_id, col(SupportTopic.topic_id) == topic_id)
        .values(closed_at=closed_at)
    )


async def drop_topic(session: AsyncSession, user_id: int) -> None:
    await session.exec(delete(SupportTopic).where(col(SupportTopic.user_id) == user_id))


async def add_message(
    session: AsyncSession,
    *,
    user_id: int,
    author_id: int,
    chat_id: int,
    message_id: int,
    reply_to: int | None,
    to_chat_id: int,
    now: datetime,
) -> int | None:
    """The new row's id; None where this message was promised to that chat before."""
    added = await session.exec(
        insert_new(session, SupportMessage)
        .values(
            user_id=user_id,
            author_id=author_id,
            chat_id=chat_id,
            message_id=message_id,
            reply_to=reply_to,
            to_chat_id=to_chat_id,
            created_at=now,
        )
        .returning(SupportMessage.id)
    )
    message: int | None = added.scalar_one_or_none()
    return message


async def find_message(session: AsyncSession, id: int) -> SupportMessage | None:
    return await session.get(SupportMessage, id, populate_existing=True)


async def note_copy(session: AsyncSession, id: int, *, copy_id: int, header_id: int | None) -> None:
    await session.exec(
        update(SupportMessage)
        .where(col(SupportMessage.id) == id)
        .values(copy_id=copy_id, header_id=header_id)
        .execution_options(synchronize_session=False)
    )


async def find_copy(session: AsyncSession, chat_id: int, message_id: int) -> SupportMessage | None:
    """What stands in a chat as this message: as the copy itself, or as the line above it."""
    copies = await session.exec(
        select(SupportMessage)
        .where(
            SupportMessage.to_chat_id == chat_id,
            or_(SupportMessage.copy_id == message_id, SupportMessage.header_id == message_id),
        )
        .limit(1)
    )
    return copies.one_or_none()


async def counterpart(session: AsyncSession, chat_id: int, message_id: int, other_chat_id: int) -> int | None:
    """The message in another chat that is the original or the copy of this one."""
    copies = await session.exec(
        select(SupportMessage.copy_id).where(
            SupportMessage.chat_id == chat_id,
            SupportMessage.message_id == message_id,
            SupportMessage.to_chat_id == other_chat_id,
        )
    )
    originals = await session.exec(
        select(SupportMessage.message_id).where(
            SupportMessage.to_chat_id == chat_id,
            SupportMessage.copy_id == message_id,
            SupportMessage.chat_id == other_chat_id,
        )
    )
    return copies.one_or_none() or originals.one_or_none()


async def newest_in(session: AsyncSession, chat_id: int, *, before: int) -> SupportMessage | None:
    """The last message that was brought to a chat before the one with this id."""
    rows = await session.exec(
        select(SupportMessage)
        .where(SupportMessage.to_chat_id == chat_id, col(SupportMessage.id) < before)
        .order_by(col(SupportMessage.id).desc())
        .limit(1)
    )
    return rows.one_or_none()


async def count_written(
    session: AsyncSession, user_id: int, *, since: datetime, but: int
) -> tuple[int, datetime | None]:
    """How many messages a renter has written since a moment, and when the first; without the one `but`."""
    counted = await session.exec(
        select(
            func.count(func.distinct(SupportMessage.message_id)), func.min(SupportMessage.created_at)
        ).where(
            SupportMessage.user_id == user_id,
            SupportMessage.author_id == user_id,
            SupportMessage.created_at > since,
            SupportMessage.message_id != but,
        )
    )
    count, first_at = counted.one()
    return int(count), first_at


async def forget(session: AsyncSession, user_id: int) -> list[SupportTopic]:
    """Forget a renter's conversation; where it stood."""
    topics: Sequence[SupportTopic] = (
        await session.exec(select(SupportTopic).where(SupportTopic.user_id == user_id))
    ).all()
    await drop_topic(session, user_id)
    await session.exec(delete(SupportMessage).where(col(SupportMessage.user_id) == user_id))
    return list(topics)


async def purge(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Forget some of what was carried before a moment; how many."""
    oldest = select(SupportMessage.id).order_by(col(SupportMessage.id)).limit(limit)
    purged = await session.exec(
        delete(SupportMessage).where(
            col(SupportMessage.id).in_(oldest), col(SupportMessage.created_at) < before
        )
    )
    return purged.rowcount

"""Problems with orders, and the messages that show them to operators."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import insert_new, upsert
from db.models import Dispute, DisputeCard, DisputeStatus


async def add(session: AsyncSession, **values: Any) -> int | None:
    """The new row's id; None where there is one about this order."""
    added = await session.exec(
        insert_new(session, Dispute).values(status=DisputeStatus.OPEN, **values).returning(Dispute.id)
    )
    dispute_id: int | None = added.scalar_one_or_none()
    return dispute_id


async def find(session: AsyncSession, dispute_id: int) -> Dispute | None:
    return await session.get(Dispute, dispute_id, populate_existing=True)


async def of_orders(session: AsyncSession, order_ids: Sequence[int]) -> list[Dispute]:
    return list(await session.exec(select(Dispute).where(col(Dispute.order_id).in_(order_ids))))


async def open_ones(session: AsyncSession, *, limit: int, offset: int) -> list[Dispute]:
    """What waits for a decision, the longest first."""
    rows = await session.exec(
        select(Dispute)
        .where(col(Dispute.status) == DisputeStatus.OPEN)
        .order_by(col(Dispute.created_at))
        .limit(limit)
        .offset(offset)
    )
    return list(rows)


async def decide(session: AsyncSession, dispute_id: int, to: DisputeStatus, **values: Any) -> bool:
    """Compare-and-set: False where it was decided before."""
    decided = await session.exec(
        update(Dispute)
        .where(col(Dispute.id) == dispute_id, col(Dispute.status) == DisputeStatus.OPEN)
        .values(status=to, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(decided.rowcount)


async def cards(session: AsyncSession, dispute_id: int) -> list[DisputeCard]:
    return list(await session.exec(select(DisputeCard).where(DisputeCard.dispute_id == dispute_id)))


async def find_card(session: AsyncSession, dispute_id: int, chat_id: int) -> DisputeCard | None:
    return await session.get(DisputeCard, (dispute_id, chat_id), populate_existing=True)


async def find_by_card(session: AsyncSession, chat_id: int, message_id: int) -> DisputeCard | None:
    found = await session.exec(
        select(DisputeCard).where(DisputeCard.chat_id == chat_id, DisputeCard.message_id == message_id)
    )
    return found.one_or_none()


async def put_card(session: AsyncSession, dispute_id: int, chat_id: int, message_id: int) -> None:
    await session.exec(
        upsert(session, DisputeCard, key=["dispute_id", "chat_id"], change=["message_id"]).values(
            dispute_id=dispute_id, chat_id=chat_id, message_id=message_id
        )
    )


async def ask_words(session: AsyncSession, dispute_id: int, chat_id: int, operator_id: int | None) -> None:
    """Whose reply to the card is the reason from now on; None: nobody's."""
    await session.exec(
        update(DisputeCard)
        .where(col(DisputeCard.dispute_id) == dispute_id, col(DisputeCard.chat_id) == chat_id)
        .values(asks_words_of=operator_id)
        .execution_options(synchronize_session=False)
    )


async def erase(session: AsyncSession, *, before: datetime) -> None:
    """Forget what people wrote about problems that were decided before a moment."""
    await _erase(session, col(Dispute.decided_at) < before)


async def erase_of_user(session: AsyncSession, user_id: int) -> None:
    await _erase(session, col(Dispute.user_id) == user_id)


async def _erase(session: AsyncSession, which: Any) -> None:
    await session.exec(
        update(Dispute)
        .where(which, col(Dispute.text).is_not(None) | col(Dispute.answer_text).is_not(None))
        .values(text=None, answer_text=None)
        .execution_options(synchronize_session=False)
    )

"""What was offered for Telegram Stars."""

from datetime import datetime
from typing import Any

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import Invoice


async def add(session: AsyncSession, **values: Any) -> Invoice:
    invoice = Invoice(**values)
    session.add(invoice)
    await session.flush()
    return invoice


async def find(session: AsyncSession, token: str) -> Invoice | None:
    return (await session.exec(select(Invoice).where(Invoice.token == token))).one_or_none()


async def mark_paid(session: AsyncSession, invoice_id: int, *, now: datetime) -> bool:
    """Compare-and-set: False where it had been paid before."""
    marked = await session.exec(
        update(Invoice)
        .where(col(Invoice.id) == invoice_id, col(Invoice.paid_at).is_(None))
        .values(paid_at=now)
    )
    return bool(marked.rowcount)


async def purge(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Forget some that ran out before a moment and were never paid; how many."""
    unpaid = select(Invoice.id).where(col(Invoice.paid_at).is_(None), Invoice.expires_at < before)
    oldest = unpaid.order_by(col(Invoice.id)).limit(limit)
    purged = await session.exec(delete(Invoice).where(col(Invoice.id).in_(oldest)))
    return purged.rowcount

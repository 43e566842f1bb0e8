"""The trail: what operators did, to whom, and what it changed."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db import acts
from db.models import Act
from db.session import Database

MONEY_FACTS = ("amount", "balance", "fixed", "minimum", "step")
"""Facts that are minor units of the shop's currency."""
KEPT_FACTS = (*MONEY_FACTS, "role")
"""What stays of an act when the person it is about is erased."""


class What(StrEnum):
    CREDIT = "credit"
    DEBIT = "debit"
    BAN = "ban"
    UNBAN = "unban"
    NOTE = "note"
    MESSAGE = "message"
    ERASE = "erase"
    ROLE = "role"
    MAINTENANCE = "maintenance"
    BROADCAST = "broadcast"
    TEXT_TEST = "text_test"
    TEXT_ROUTE = "text_route"
    SENDER_ID = "sender_id"
    NEWSLETTERS = "newsletters"
    VOUCHER = "voucher"
    REFUND = "refund"
    PRICE = "price"
    PAUSE = "pause"
    RESUME = "resume"
    WEBHOOK = "webhook"
    LIMITS = "limits"
    ANSWER = "answer"
    ORDER_REFUND = "order_refund"
    ORDER_REJECT = "order_reject"
    ORPHANS = "orphans"
    EXPORT = "export"


async def record(
    session: AsyncSession,
    what: What,
    *,
    by: int,
    now: datetime,
    user_id: int | None = None,
    subject: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down an act in the transaction that does it; the caller's, which commits.

    `by`: the operator. `user_id`: about whom. `before`, `after`: what it changed, by name.
    """
    await acts.add(
        session,
        operator_id=by,
        what=what,
        user_id=user_id,
        subject=subject,
        before=dict(before or {}),
        after=dict(after or {}),
        at=now,
    )


class Trail:
    """Reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, *, person_id: int | None = None, limit: int, offset: int = 0) -> list[Act]:
        """Newest first; with `person_id` what that person did, and what was done about them."""
        async with self._database.read() as session:
            return await acts.newest(session, person_id=person_id, limit=limit, offset=offset)

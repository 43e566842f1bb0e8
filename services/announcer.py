"""Promises to tell people something; what exactly they read is decided when it is sent, from the facts."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db.sms import Arrival
from services.lanes import Lane
from services.outbox import Outbox
from services.roles import Right

CODE, CARD, ALERT = "code", "card", "alert"
REWARD, PAYMENT, TEXT, NOTICE = "reward", "payment", "text", "notice"
LATE, LOOKOUT = "late", "lookout"
FORGET = "forget"
ARRIVAL = "arrival"
"""What a code's message has at hand where it begins with its commit."""


ALERT_RIGHTS: Mapping[str, Right] = {
    "audit_differs": Right.AUDIT,
    "audit_agrees": Right.AUDIT,
    "supplier_took_more": Right.AUDIT,
    "voucher_guessing": Right.MONEY,
    "store_refund": Right.MONEY,
    "refund_refused": Right.MONEY,
    "erasure_asked": Right.ERASE,
}
"""Whom an alert is for, by the right that its trouble needs; all others are for whoever runs the shop."""


def right_for(alert: str) -> Right:
    """What somebody must be allowed for an alert to be theirs."""
    return ALERT_RIGHTS.get(alert, Right.SHOP)


class Announcer:
    """Writes outbox rows inside the transaction of the fact that they tell of."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def code(
        self,
        session: AsyncSession,
        user_id: int,
        sms_id: int,
        *,
        heard_at: datetime | None = None,
        arrival: Arrival | None = None,
    ) -> None:
        """A code, always a message of its own, in order for one renter; its card is redrawn after it.

        `heard_at`: when a webhook told us; None where we asked. `arrival`: what need not be read again.
        """
        await self._outbox.add(
            session,
            CODE,
            {"sms_id": sms_id, "heard_at": heard_at and heard_at.isoformat()},
            lane=Lane.CODE.name,
            serial=f"codes:{user_id}",
            key=f"code:{sms_id}",
            at_hand={ARRIVAL: arrival},
        )

    async def forget(
        self, session: AsyncSession, user_id: int, sms_id: int, message_id: int, *, at: datetime
    ) -> None:
        """The message with a code is to be deleted from the chat."""
        await self._outbox.add(
            session,
            FORGET,
            {"user_id": user_id, "sms_id": sms_id, "message_id": message_id},
            lane=Lane.EDIT.name,
            serial=f"forget:{sms_id}",
            key=f"forget:{sms_id}",
            due_at=at,
        )

    async def late(self, session: AsyncSession, order_id: int, sms_id: int) -> None:
        """A code came after an order had ended: it can be bought."""
        await self._outbox.add(
            session,
            LATE,
            {"order_id": order_id},
            lane=Lane.REPLY.name,
            serial=f"late:{order_id}",
            key=f"late:{sms_id}",
        )

    async def lookout(
        self, session: AsyncSession, user_id: int, service_id: int, country: str, price: int
    ) -> None:
        """What a renter waited for is there; the caller ends the waiting in the same commit."""
        await self._outbox.add(
            session,
            LOOKOUT,
            {"user_id": user_id, "service_id": service_id, "country": country, "price": price},
            lane=Lane.BULK.name,
            serial=f"lookout:{user_id}",
            key=f"lookout:{user_id}:{secrets.token_hex(8)}",
        )

    async def card(self, session: AsyncSession, purchase_id: int) -> None:
        """The card is out of date. One at a time per card, so the last edit is the latest state."""
        await self._outbox.add(
            session,
            CARD,
            {"purchase_id": purchase_id},
            lane=Lane.EDIT.name,
            serial=f"card:{purchase_id}",
            key=f"card:{purchase_id}:{secrets.token_hex(8)}",
        )

    async def text(self, session: AsyncSession, text_id: int, status: str) -> None:
        """How an SMS fares, for whom it was sent; once for each state."""
        await self._outbox.add(
            session,
            TEXT,
            {"text_id": text_id},
            lane=Lane.REPLY.name,
            serial=f"text:{text_id}",
            key=f"text:{text_id}:{status}",
        )

    async def payment(self, session: AsyncSession, payment_id: int, news: str, **facts: Any) -> None:
        """Tell who paid what became of it: credited, refused, returned or kept."""
        await self._outbox.add(
            session,
            PAYMENT,
            {"payment_id": payment_id, "news": news, **facts},
            lane=Lane.REPLY.name,
            serial=f"payment:{payment_id}",
            key=f"payment:{payment_id}:{news}:{secrets.token_hex(4)}",
        )

    async def notice(self, session: AsyncSession, user_id: int, name: str, key: str, **facts: Any) -> None:
        """A word to a renter about something that changed by itself, once per `key`."""
        await self._outbox.add(
            session,
            NOTICE,
            {"user_id": user_id, "name": name, **facts},
            lane=Lane.REPLY.name,
            serial=f"notice:{user_id}",
            key=f"notice:{name}:{key}",
        )

    async def alert(self, session: AsyncSession, name: str, key: str, **facts: Any) -> None:
        """Something that those should know who can mend it, once per `key`."""
        await self._outbox.add(
            session,
            ALERT,
            {"name": name, **facts},
            lane=Lane.REPLY.name,
            serial="alerts",
            key=f"alert:{name}:{key}",
        )

    async def reward(
        self, session: AsyncSession, user_id: int, order_id: int, amount: int, currency: str
    ) -> None:
        """A friend's order has earned a renter something."""
        await self._outbox.add(
            session,
            REWARD,
            {"user_id": user_id, "amount": amount, "currency": currency},
            lane=Lane.REPLY.name,
            serial=f"reward:{user_id}",
            key=f"reward:{order_id}",
        )

"""The codes of rented numbers: each is written down once, paid for with the first, and shown."""

import hashlib
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from db import orders
from db import sms as db_sms
from db.models import Order, OrderStatus, Sms
from db.orders import Rented
from db.sms import Arrival
from services import ledger
from services.announcer import Announcer
from services.clock import Clock
from services.forwarding import Forwarding
from services.invitations import Invitations
from services.late_codes import LateCodes
from services.odds import Odds
from services.suppliers.base import RemoteSms
from services.supply import count_order


class Codes:
    """What follows from a message that came to a number, in the commit that writes it down."""

    def __init__(
        self,
        clock: Clock,
        announcer: Announcer,
        invitations: Invitations,
        forwarding: Forwarding,
        late_codes: LateCodes,
        odds: Odds,
    ) -> None:
        self._clock = clock
        self._announcer = announcer
        self._invitations = invitations
        self._forwarding = forwarding
        self._late_codes = late_codes
        self._odds = odds

    async def record(self, session: AsyncSession, order_id: int, message: RemoteSms) -> None:
        """Keep a message once, however often it is heard of; the first one is paid for."""
        found = await orders.lock_rented(session, order_id)
        if found:
            await self.take_in(session, found, message)

    async def take_in(
        self,
        session: AsyncSession,
        rented: Rented,
        message: RemoteSms,
        *,
        heard_at: datetime | None = None,
    ) -> None:
        """As `record`, for an order that is locked.

        `heard_at`: when a webhook told us; None where we asked.
        """
        order, was = rented.order, rented.order.status
        known = _find_same(await self._known(session, order), order, message)
        if known and known.id:
            await db_sms.complete(
                session, known.id, code=known.code or message.code, text=known.text or message.text
            )
            return
        received = await self._receive(session, order)
        sms = await self._write_down(
            session, order, message, late=not received and was != OrderStatus.COMPLETED
        )
        if sms is None:
            return
        if was == OrderStatus.ACTIVE and received:
            await self._settle(session, rented)
        if sms.late:
            await self._late_codes.take_in(session, order, sms.id or 0, heard_at=heard_at)
        else:
            await self._show(session, rented, sms, heard_at=heard_at)

    async def _known(self, session: AsyncSession, order: Order) -> list[Sms]:
        # An order leaves this state in the commit that writes its first message down.
        if order.status == OrderStatus.ACTIVE:
            return []
        return await db_sms.of_orders(session, [order.id or 0])

    async def _receive(self, session: AsyncSession, order: Order) -> bool:
        """Whether the order may get codes; then it is in the state of one that did."""
        if order.status == OrderStatus.RECEIVED and order.notice is None:
            return True
        return await orders.move(
            session,
            order.id or 0,
            OrderStatus.RECEIVED,
            from_=[OrderStatus.ACTIVE, OrderStatus.RECEIVED],
            notice=None,
        )

    async def _write_down(
        self, session: AsyncSession, order: Order, message: RemoteSms, *, late: bool
    ) -> Sms | None:
        """None where it was known."""
        return await db_sms.add(
            session,
            order_id=order.id,
            fingerprint=_fingerprint(_epoch(order, message), message),
            code=message.code,
            text=message.text,
            received_at=message.received_at or self._clock.now(),
            late=late,
        )

    async def _settle(self, session: AsyncSession, rented: Rented) -> None:
        """What an order's first code brings about: it is paid for, shared and counted."""
        order, purchase, now = rented.order, rented.purchase, self._clock.now()
        assert order.id is not None
        await ledger.capture(session, order.id, purchase.price, currency=purchase.currency, now=now)
        if rented.is_invited:
            await self._invitations.reward(session, order.id, purchase)
        await self._odds.note_code(session, order, purchase)
        count_order(session, order.id, order.supplier, OrderStatus.RECEIVED)

    async def _show(
        self, session: AsyncSession, rented: Rented, sms: Sms, *, heard_at: datetime | None
    ) -> None:
        arrival = Arrival(sms, rented.order, rented.purchase, rented.service, rented.renter)
        sms_id, user_id = sms.id or 0, rented.renter.id
        await self._announcer.code(session, user_id, sms_id, heard_at=heard_at, arrival=arrival)
        if rented.forwards_codes:
            await self._forwarding.promise(session, user_id, sms_id)


def _epoch(order: Order, message: RemoteSms) -> int:
    """Which request for an SMS this answers: after a resend the same code may rightly come again."""
    if order.resent_at is None or message.received_at is None:
        return order.resends
    return order.resends if message.received_at >= order.resent_at else order.resends - 1


def _fingerprint(epoch: int, message: RemoteSms) -> str:
    if message.code:
        return f"{epoch}:{message.code}"[:80]
    return f"{epoch}:{hashlib.sha256((message.text or '').encode()).hexdigest()}"


def is_news(known: list[Sms], order: Order, message: RemoteSms) -> bool:
    """Whether a message says something that we do not know yet."""
    same = _find_same(known, order, message)
    return same is None or (same.text is None and bool(message.text))


def _find_same(known: list[Sms], order: Order, message: RemoteSms) -> Sms | None:
    """The message that we have already."""
    # What is older than the last request for an SMS may be news from any time before it.
    is_old = order.resent_at and (message.received_at is None or message.received_at < order.resent_at)
    epoch = f"{_epoch(order, message)}:"
    for sms in known:
        if (is_old or sms.fingerprint.startswith(epoch)) and _is_same(sms, message):
            return sms
    return None


def _is_same(sms: Sms, message: RemoteSms) -> bool:
    """One source may know only a message's code, another only its text."""
    if sms.code and message.code:
        return sms.code == message.code
    if sms.text and message.text:
        return sms.text == message.text
    code, text = sms.code or message.code, sms.text or message.text
    return bool(code and text and code in text)

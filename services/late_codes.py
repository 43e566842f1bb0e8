"""Codes that come after an order ended without one: kept, offered for a while, and shown once paid for."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import orders
from db import sms as db_sms
from db.models import Order, Purchase, Sms
from db.session import Database
from services import ledger
from services.announcer import Announcer
from services.clock import Clock
from services.errors import LateCodeGone, OrderNotFound
from services.forwarding import Forwarding
from services.invitations import Invitations

ON_OFFER = timedelta(minutes=30)
"""How long the last code that came late can be bought; the rule stands in /terms."""


class LateCodes:
    """The price of the order, once, buys all that comes late to it while nobody else has the number."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        announcer: Announcer,
        invitations: Invitations,
        forwarding: Forwarding,
    ) -> None:
        self._database = database
        self._clock = clock
        self._announcer = announcer
        self._invitations = invitations
        self._forwarding = forwarding

    async def take_in(
        self, session: AsyncSession, order: Order, sms_id: int, *, heard_at: datetime | None = None
    ) -> None:
        """A message came late: offer it, or show it where that was paid for.

        Withheld for good where somebody else has the number by now: it may be theirs.
        """
        if not await orders.is_rented_again(session, order):
            if order.late_paid_at:
                await self._show(session, order, sms_id, heard_at=heard_at)
            else:
                await orders.change(session, order.id or 0, late_until=self._clock.now() + ON_OFFER)
                await self._announcer.late(session, order.id or 0, sms_id)
        await self._announcer.card(session, order.purchase_id)

    async def buy(self, user_id: int, order_id: int) -> None:
        """Pay the order's price and show what came late. A replay changes nothing.

        Raises OrderNotFound, LateCodeGone, InsufficientFunds.
        """
        async with self._database.write() as session:
            found = await orders.lock_with_purchase(session, order_id)
            if found is None or found[0].user_id != user_id:
                raise OrderNotFound
            order, purchase = found
            if not order.late_paid_at:
                await self._sell(session, order, purchase)

    async def _sell(self, session: AsyncSession, order: Order, purchase: Purchase) -> None:
        assert order.id is not None
        now = self._clock.now()
        late = withheld(order, await db_sms.of_orders(session, [order.id]), now=now)
        if not late:
            raise LateCodeGone("expired")
        if await orders.is_rented_again(session, order):
            raise LateCodeGone("taken")
        await ledger.sell_late(
            session, order.user_id, order.id, purchase.price, currency=purchase.currency, now=now
        )
        await self._invitations.reward(session, order.id, purchase)
        await orders.change(session, order.id, late_paid_at=now)
        for sms in late:
            await self._show(session, order, sms.id or 0)
        await self._announcer.card(session, order.purchase_id)

    async def _show(
        self, session: AsyncSession, order: Order, sms_id: int, *, heard_at: datetime | None = None
    ) -> None:
        await self._announcer.code(session, order.user_id, sms_id, heard_at=heard_at)
        await self._forwarding.promise(session, order.user_id, sms_id)


def withheld(order: Order, messages: Iterable[Sms], *, now: datetime) -> list[Sms]:
    """What of an order's messages can be bought, as far as its renter alone decides."""
    if order.late_paid_at or order.late_until is None or order.late_until <= now:
        return []
    return [sms for sms in messages if sms.late and (sms.code or sms.text)]

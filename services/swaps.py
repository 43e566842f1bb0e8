"""A number without a code, swapped for another: with the renter's consent, under the hold that there is.

The consent is part of the purchase. Each number has a promise to look at it when its time is over; that
only asks for its cancellation and says what for. Whoever then learns from the supplier that the number is
canceled makes the swap in the same commit. A code that comes first ends it all.
"""

import secrets
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import orders, users
from db.models import Order, OrderStatus, OutboxMessage, Purchase
from db.session import Database
from services import errands, ledger
from services.announcer import Announcer
from services.catalog import Catalog
from services.clock import Clock
from services.errands import CANCEL
from services.errors import Deferred, NotPossible, OrderNotFound, ShopClosed
from services.maintenance import check_open
from services.outbox import SUPPLIER, Outbox
from services.supply import Suppliers

SWAP = "swap"
SWAPPED = "swapped"
"""The notice of an order whose hold went on to the next number."""
AFTER = timedelta(minutes=3)
"""How long a number may take for its code."""
MOST = 3
"""Numbers in all."""
LOOK_AGAIN = timedelta(minutes=1)
"""While there is nothing to swap for."""


class Swaps:
    """For purchases of one number, from suppliers that take a number back."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalog: Catalog,
        suppliers: Suppliers,
        outbox: Outbox,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalog = catalog
        self._suppliers = suppliers
        self._outbox = outbox
        self._announcer = announcer

    async def agree(self, user_id: int, order_id: int, *, on: bool) -> None:
        """The renter wants the number swapped where no code comes, or no longer does.

        Raises OrderNotFound, NotPossible.
        """
        async with self._database.write() as session:
            found = await orders.lock_with_purchase(session, order_id)
            if found is None or found[0].user_id != user_id:
                raise OrderNotFound
            order, purchase = found
            if order.status != OrderStatus.ACTIVE or order.cancel_requested_at or purchase.quantity > 1:
                raise NotPossible(SWAP, status=order.status)
            agreed_at = self._clock.now() if on else None
            purchase.swap_agreed_at = agreed_at
            await orders.set_swap_agreed(session, order.purchase_id, agreed_at)
            await self.plan(session, order, purchase)
            await self._announcer.card(session, order.purchase_id)

    async def plan(self, session: AsyncSession, order: Order, purchase: Purchase) -> None:
        """Promise to look at a number that has just become active; nothing where no swap is wanted."""
        if purchase.swap_agreed_at is None or not self._can_cancel(order.supplier):
            return
        assert order.activated_at
        await self._outbox.add(
            session,
            SWAP,
            {"order_id": order.id},
            lane=SUPPLIER,
            serial=f"{SWAP}:{order.id}",
            # Consent may be given again; of several promises the first one acts.
            key=f"{SWAP}:{order.id}:{secrets.token_hex(8)}",
            due_at=max(self._clock.now(), order.activated_at + AFTER),
        )

    async def ask(self, message: OutboxMessage) -> None:
        """The time of a number is over: ask for its cancellation, if there is something to swap it for.

        Raises Deferred while there is not.
        """
        async with self._database.write() as session:
            found = await orders.lock_with_purchase(session, message.payload["order_id"])
            if found is None or not await self._is_wanted(session, *found):
                return
            order, purchase = found
            now = self._clock.now()
            if not await self._is_possible(session, purchase):
                raise Deferred(now + LOOK_AGAIN)
            assert order.activated_at
            await orders.change(session, order.id or 0, cancel_requested_at=now, swap_requested_at=now)
            lock = self._suppliers[order.supplier or ""].capabilities.cancel_after
            due_at = max(now, order.activated_at + lock)
            await errands.ask(session, self._outbox, CANCEL, order.id or 0, due_at=due_at)
            await self._announcer.card(session, order.purchase_id)

    async def take_over(self, session: AsyncSession, order: Order, purchase: Purchase) -> bool:
        """The supplier has canceled a number that was to be swapped: the next one takes over its hold.

        False, and nothing changed, where the order was not to be swapped, or waits no longer.
        """
        assert order.id is not None
        now = self._clock.now()
        if order.swap_requested_at is None or not await orders.move(
            session,
            order.id,
            OrderStatus.CANCELED,
            from_=[OrderStatus.ACTIVE],
            ended_at=now,
            notice=SWAPPED,
        ):
            return False
        next_id = await orders.add_order(session, purchase, now=now)
        await ledger.pass_hold(
            session, order.id, next_id, purchase.price, currency=purchase.currency, now=now
        )
        await errands.buy(session, self._outbox, purchase.id or 0, key=f"{purchase.id}:{next_id}")
        return True

    async def _is_wanted(self, session: AsyncSession, order: Order, purchase: Purchase) -> bool:
        if order.status != OrderStatus.ACTIVE or order.cancel_requested_at or not purchase.swap_agreed_at:
            return False
        if not self._can_cancel(order.supplier):
            return False
        renter = await users.find(session, order.user_id)
        tried = len(await orders.of_purchase(session, order.purchase_id))
        return tried < MOST and renter is not None and not renter.banned_at

    async def _is_possible(self, session: AsyncSession, purchase: Purchase) -> bool:
        try:
            await check_open(session)
        except ShopClosed:
            return False
        line = self._catalog.line(purchase.service_id, purchase.country, purchase.network)
        return line is not None and line.lowest <= purchase.price

    def _can_cancel(self, name: str | None) -> bool:
        supplier = self._suppliers.find(name)
        return supplier is not None and supplier.capabilities.cancel


def gives_up_at(order: Order) -> datetime | None:
    """When a number's time for its code is over; None before there is a number."""
    return order.activated_at and order.activated_at + AFTER

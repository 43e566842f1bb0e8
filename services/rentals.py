"""The life of a rented number after it was bought, as its supplier tells it, and its end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import attempts, deliveries, orders, orphans, users
from db.models import Order, OrderStatus, OutboxMessage, Purchase
from db.orders import Rented
from db.session import Database, Rank, after_commit
from services import ledger
from services.announcer import Announcer
from services.clock import Clock
from services.codes import Codes
from services.countries import possible_numbers
from services.errors import (
    CancelTooEarly,
    Deferred,
    RemoteOrderNotFound,
    UpstreamError,
    UpstreamRefused,
)
from services.inbox import Delivery
from services.odds import Odds
from services.places import mask_phone
from services.refunds import Refunds
from services.suppliers.base import Event, EventKind, RemoteOrder, RemoteStatus, Supplier
from services.supply import Suppliers, count_order
from services.swaps import Swaps

log = structlog.get_logger()

ENDS = {
    RemoteStatus.COMPLETED: OrderStatus.COMPLETED,
    RemoteStatus.CANCELED: OrderStatus.CANCELED,
    RemoteStatus.EXPIRED: OrderStatus.EXPIRED,
}
LOOK_AGAIN = timedelta(seconds=5)
"""When the time is up by our clock but not by the supplier's."""
ASK_AGAIN = timedelta(seconds=30)
"""When the supplier cannot be asked: the money stays on hold until it can."""
CANCEL_AGAIN, LATEST_CANCEL = timedelta(seconds=10), timedelta(seconds=30)
AFTERWARDS = timedelta(hours=1)
"""How long after an order's end an SMS that names only its number is still taken for its own."""
AT_ONCE = 8
DUE_AT_ONCE = 500


def event_serial(supplier: Supplier, body: str) -> str:
    """The series in which a stored event is handled. Raises BadEvent."""
    return series_of(supplier, supplier.parse_event(body.encode()))


def series_of(supplier: Supplier, event: Event) -> str:
    """A supplier's events are handled in order where they tell of the same order."""
    return f"{supplier.name}:{event.order_ref or event.phone_number}"


class Rentals:
    """Applies what suppliers say to our orders; each change of state moves its money in the same commit."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        suppliers: Suppliers,
        announcer: Announcer,
        refunds: Refunds,
        codes: Codes,
        odds: Odds,
        swaps: Swaps,
    ) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._announcer = announcer
        self._refunds = refunds
        self._codes = codes
        self._odds = odds
        self._swaps = swaps
        self.on_expiry_change: Callable[[], None] = lambda: None
        """Called after a commit that may have brought the next expiry nearer."""

    async def handle_event(self, supplier: str, delivery: Delivery) -> None:
        """A webhook that was verified and stored."""
        event = delivery.message or self._suppliers[supplier].parse_event(delivery.body.encode())
        if event.order_ref is None and event.sms is None:
            return
        async with self._database.write(Rank.CODE) as session:
            found = await self._lock_order(session, supplier, event)
            if found is None:
                await self._keep_unexplained(session, supplier, event, delivery)
            elif event.sms:
                await self._codes.take_in(session, found, event.sms, heard_at=delivery.received_at)
            elif event.kind is not EventKind.OTHER:
                # The event may have been overtaken, or an earlier one lost: the order itself knows. It is
                # asked by the scheduler, so that a supplier that is slow to answer holds up no code.
                await orders.change(session, found.order.id or 0, check_at=self._clock.now())
                self.wake_expiry(session)

    async def _lock_order(self, session: AsyncSession, supplier: str, event: Event) -> Rented | None:
        """The order that an event means, by its reference or else by its number."""
        if event.order_ref is not None:
            return await orders.lock_rented_by_ref(session, supplier, event.order_ref)
        number = event.phone_number or ""
        meant = [number] if number.startswith("+") else possible_numbers(number)
        found = await orders.of_numbers(session, supplier, meant)
        exact = [order for order in found if order.phone_number == meant[0]]
        order_id = self._newest(exact) or self._newest(found)
        return await orders.lock_rented(session, order_id) if order_id else None

    def _newest(self, found: list[Order]) -> int | None:
        """Of orders newest first: the newest that is open, or that ended not long ago.

        A number is handed out again, but only its present holder gets its SMS. None where the orders are
        of several countries' numbers: then nothing says whose it is.
        """
        since = self._clock.now() - AFTERWARDS
        open_ones = [order for order in found if order.ended_at is None]
        current = open_ones or [order for order in found if order.ended_at and order.ended_at > since]
        same_number = len({order.phone_number for order in current}) == 1
        return current[0].id if same_number else None

    async def _keep_unexplained(
        self, session: AsyncSession, supplier: str, event: Event, delivery: Delivery
    ) -> None:
        """An SMS for a number that we do not know is kept for the operator.

        Where the event names an order, the reconciliation finds out what it was. Raises Deferred while a
        number that is being bought may turn out to be this one.
        """
        log.info("webhook.unknown_order", supplier=supplier, event_kind=event.kind)
        if event.order_ref is not None or event.sms is None:
            return
        now = self._clock.now()
        if await attempts.count_running(session, supplier):
            raise Deferred(now)
        number, ref = event.phone_number or "", f"webhook:{delivery.id}"
        kept = {"phone_number": number, "code": event.sms.code, "text": event.sms.text}
        if await orphans.add(session, supplier, ref, now=now, **kept):
            shown = mask_phone(number)
            await self._announcer.alert(
                session, "orphan_sms", f"{supplier}:{number}", supplier=supplier, number=shown
            )

    async def sync(self, order: Order) -> None:
        """Ask the supplier how an order stands and apply it. Raises UpstreamError."""
        assert order.id is not None
        assert order.supplier
        assert order.supplier_ref
        with self._suppliers.calling(order.supplier) as supplier:
            remote = await supplier.get_order(order.supplier_ref)
        async with self._database.write() as session:
            await self.apply(session, order.id, remote)

    async def apply(self, session: AsyncSession, order_id: int, remote: RemoteOrder) -> None:
        """Make our order agree with the supplier's."""
        if remote.sms:
            await self._codes.record(session, order_id, remote.sms)
        if remote.status in ENDS:
            await self._end(session, order_id, ENDS[remote.status])

    async def _end(self, session: AsyncSession, order_id: int, status: OrderStatus) -> None:
        """End an order as the supplier did; without a code the hold goes back."""
        order = await orders.lock(session, order_id)
        if order is None:
            return
        without_code = OrderStatus.CANCELED if status is OrderStatus.CANCELED else OrderStatus.EXPIRED
        purchase = await orders.get_purchase(session, order.purchase_id)
        if without_code is OrderStatus.CANCELED and await self._swaps.take_over(session, order, purchase):
            count_order(session, order_id, order.supplier, without_code)
            await self._odds.note_end(session, order, purchase, without_code)
        elif await self.end_without_code(
            session, order_id, purchase, without_code, from_=OrderStatus.ACTIVE, supplier=order.supplier
        ):
            await self._odds.note_end(session, order, purchase, without_code)
        elif not await orders.move(
            session,
            order_id,
            OrderStatus.COMPLETED,
            from_=[OrderStatus.RECEIVED],
            ended_at=self._clock.now(),
            notice=None,
        ):
            return
        await self._announcer.card(session, order.purchase_id)

    async def end_without_code(
        self,
        session: AsyncSession,
        order_id: int,
        purchase: Purchase,
        status: OrderStatus,
        *,
        from_: OrderStatus,
        supplier: str | None = None,
    ) -> bool:
        """The order ends, its hold goes back, and so do the Stars where they paid for exactly this.

        False, and nothing changed, where the order is not in the state `from_`.
        """
        now = self._clock.now()
        if not await orders.move(session, order_id, status, from_=[from_], ended_at=now, notice=None):
            return False
        if purchase.stars:
            await users.lock(session, purchase.user_id)
        await ledger.release(
            session, purchase.user_id, order_id, purchase.price, currency=purchase.currency, now=now
        )
        if purchase.stars:
            await self._refunds.return_for(session, purchase)
        count_order(session, order_id, supplier, status)
        return True

    def wake_expiry(self, session: AsyncSession) -> None:
        """Have the scheduler look at the next expiry again after this commit."""
        after_commit(session, "expiry", self.on_expiry_change)

    async def next_expiry(self) -> datetime | None:
        """When the next open order's time is up."""
        async with self._database.read() as session:
            return await orders.next_check(session)

    async def expire_due(self) -> None:
        """Settle every order whose time is up, by the supplier's word."""
        async with self._database.read() as session:
            due = await orders.due(session, now=self._clock.now(), limit=DUE_AT_ONCE)
        await self.for_all(self._expire, due)

    async def _expire(self, order: Order) -> None:
        assert order.id is not None
        try:
            await self._ask_about_end(order, self._suppliers.find(order.supplier))
        except UpstreamError as error:
            log.warning("expiry.put_off", order=order.id, error=str(error))
            await self._check_later(order.id, ASK_AGAIN)
        else:
            await self._check_later(order.id, LOOK_AGAIN, not_before=order.expires_at)

    async def _ask_about_end(self, order: Order, supplier: Supplier | None) -> None:
        if supplier is None:
            raise UpstreamRefused("no longer connected", upstream=order.supplier or "")
        if supplier.capabilities.lookup:
            try:
                return await self.sync(order)
            except RemoteOrderNotFound:
                log.error("expiry.unknown_at_supplier", order=order.id, supplier=supplier.name)
        # Nobody to ask, or nobody who knows: our own clock decides. But what was told in time counts: while
        # some of it is not handled yet, the order is looked at again.
        until = order.expires_at or self._clock.now()
        async with self._database.write() as session:
            if not await deliveries.any_unhandled(session, supplier.name, before=until):
                await self._end(session, order.id or 0, OrderStatus.EXPIRED)

    async def _check_later(
        self, order_id: int, delay: timedelta, *, not_before: datetime | None = None
    ) -> None:
        """Only an order that is still open is looked for again; for an ended one this changes nothing."""
        check_at = self._clock.now() + delay
        async with self._database.write() as session:
            await orders.change(session, order_id, check_at=max(check_at, not_before or check_at))

    async def for_all(self, action: Callable[[Order], Awaitable[None]], found: list[Order]) -> None:
        """A few orders at a time; trouble with one is logged and keeps nobody waiting."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(order: Order) -> None:
            async with slots:
                try:
                    await action(order)
                except Exception:
                    log.exception("order.failed", order=order.id)

        async with asyncio.TaskGroup() as group:
            for order in found:
                group.create_task(one(order))

    async def cancel(self, message: OutboxMessage) -> None:
        """Give the number back, unless a code came first."""
        order = await self._still(message, OrderStatus.ACTIVE)
        if order is None or order.id is None:
            return
        try:
            with self._suppliers.calling(order.supplier or "") as supplier:
                await supplier.cancel(order.supplier_ref or "")
        except CancelTooEarly as error:
            raise Deferred(
                self._clock.now() + min(error.retry_after or CANCEL_AGAIN, LATEST_CANCEL)
            ) from error
        except UpstreamRefused:
            # It may have had its code, or be over: the order itself knows.
            await self._sync_after_refusal(order)
        else:
            async with self._database.write() as session:
                await self._end(session, order.id, OrderStatus.CANCELED)

    async def _sync_after_refusal(self, order: Order) -> None:
        assert order.id is not None
        try:
            await self.sync(order)
        except RemoteOrderNotFound:
            log.error("cancel.unknown_at_supplier", order=order.id, supplier=order.supplier)
        async with self._database.write() as session:
            # Still active: the supplier does not want to, and the renter may try again.
            if await orders.move(
                session,
                order.id,
                OrderStatus.ACTIVE,
                from_=[OrderStatus.ACTIVE],
                cancel_requested_at=None,
                swap_requested_at=None,
                notice="cancel_refused",
            ):
                await self._announcer.card(session, order.purchase_id)

    async def finish(self, message: OutboxMessage) -> None:
        """Tell the supplier that the number is free; if it minds, the number runs out by itself."""
        order = await self._still(message, OrderStatus.COMPLETED)
        if order:
            try:
                with self._suppliers.calling(order.supplier or "") as supplier:
                    await supplier.finish(order.supplier_ref or "")
            except UpstreamRefused as error:
                log.info("finish.refused", order=order.id, error=str(error))

    async def resend(self, message: OutboxMessage) -> None:
        """Ask for another SMS and show on the card what came of it."""
        order = await self._still(message, OrderStatus.ACTIVE, OrderStatus.RECEIVED)
        if order is None or order.id is None:
            return
        # Whole seconds, as suppliers tell when a message came: what comes from now on answers this.
        asked_at = self._clock.now().replace(microsecond=0)
        try:
            with self._suppliers.calling(order.supplier or "") as supplier:
                resent = await supplier.resend(order.supplier_ref or "")
        except UpstreamRefused:
            resent = False
        async with self._database.write() as session:
            current = await orders.lock(session, order.id)
            if current is None or current.ended_at:
                return
            if resent:
                await orders.change(
                    session, order.id, resends=order.resends + 1, resent_at=asked_at, notice="resent"
                )
            else:
                await orders.change(session, order.id, notice="resend_refused")
            await self._announcer.card(session, order.purchase_id)

    async def _still(self, message: OutboxMessage, *statuses: OrderStatus) -> Order | None:
        """The order of a promise, while the promise makes sense."""
        async with self._database.read() as session:
            order = await orders.find(session, message.payload["order_id"])
        connected = order is not None and order.supplier in self._suppliers
        return order if order and connected and order.status in statuses else None

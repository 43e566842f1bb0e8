"""What a renter does with orders. Everything here commits at once and calls nobody: workers do the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from db import disputes, offers, orders, users
from db import sms as db_sms
from db.models import Dispute, DisputeStatus, Order, OrderStatus, Purchase, Service, Sms, User
from db.session import Database
from db.sms import Arrival
from services import errands, ledger
from services.announcer import Announcer
from services.catalog import Catalog
from services.clock import Clock
from services.errands import CANCEL, FINISH, RESEND
from services.errors import (
    Banned,
    KeyReused,
    LimitReached,
    NotPossible,
    OrderNotFound,
    OutOfStock,
    PriceChanged,
    TermsNotAccepted,
)
from services.late_codes import withheld
from services.maintenance import check_open
from services.outbox import Outbox
from services.suppliers.base import Capabilities
from services.supply import Suppliers

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Intent:
    """What a Buy button stands for. `price`: minor units of the shop's currency, per number."""

    key: str
    """Minted when the button was drawn: however often it is tapped, it buys once."""
    service_id: int
    country: str
    quantity: int
    price: int
    network: str | None = None
    """The mobile network wanted; None: whichever comes."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much a renter may buy."""

    open_orders: int
    per_hour: int


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with all that a card shows of it."""

    order: Order
    sms: tuple[Sms, ...]
    can: Capabilities
    """What its supplier can do; nothing while there is none."""
    on_offer: int = 0
    """How many messages that came late can be bought now."""
    dispute: Dispute | None = None
    """The problem that its renter reported, if any."""

    @property
    def is_refunded(self) -> bool:
        return self.dispute is not None and self.dispute.status == DisputeStatus.REFUNDED


@dataclass(frozen=True, slots=True)
class PurchaseView:
    purchase: Purchase
    service: Service
    orders: tuple[OrderView, ...]


class Orders:
    """The renter's use cases."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalog: Catalog,
        suppliers: Suppliers,
        outbox: Outbox,
        announcer: Announcer,
        *,
        currency: str,
        open_limit: int,
        hourly_limit: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalog = catalog
        self._suppliers = suppliers
        self._outbox = outbox
        self._announcer = announcer
        self._currency = currency
        self._open_limit = open_limit
        self._hourly_limit = hourly_limit

    async def place(self, user_id: int, intent: Intent, *, message_id: int | None = None) -> int:
        """Commit to a purchase: orders, holds and the promise to buy; the purchase's id.

        A replay of the key returns the first purchase. `message_id` is the message that becomes its card.
        Raises TermsNotAccepted, Banned, ShopClosed, LimitReached, OutOfStock, PriceChanged,
        InsufficientFunds, KeyReused.
        """
        async with self._database.write() as session:
            return await self.place_within(session, user_id, intent, message_id=message_id)

    async def place_within(
        self,
        session: AsyncSession,
        user_id: int,
        intent: Intent,
        *,
        message_id: int | None = None,
        stars: int | None = None,
    ) -> int:
        """As `place`, in the caller's transaction; `stars` where exactly this was paid for with them."""
        # One tap of a renter at a time: each counts what the one before it committed.
        user = await users.lock(session, user_id)
        existing = await orders.find_purchase(session, user_id, intent.key)
        if existing:
            return _replayed(existing, intent)
        await self.check(session, user, intent)
        now = self._clock.now()
        purchase = await orders.add_purchase(
            session,
            user_id=user_id,
            idempotency_key=intent.key,
            service_id=intent.service_id,
            country=intent.country,
            network=intent.network,
            quantity=intent.quantity,
            price=intent.price,
            currency=self._currency,
            message_id=message_id,
            stars=stars,
            created_at=now,
        )
        assert purchase.id is not None
        for order_id in await orders.add_orders(session, purchase):
            await ledger.hold(session, user_id, order_id, intent.price, currency=self._currency, now=now)
        await errands.buy(session, self._outbox, purchase.id, key=str(purchase.id))
        await self._announcer.card(session, purchase.id)
        return purchase.id

    async def check(self, session: AsyncSession, user: User | None, intent: Intent) -> None:
        """All that `place` asks for but money. Raises what it raises."""
        await self._check_renter(session, user, intent.quantity)
        self._check_offer(intent)

    async def cancel(self, user_id: int, order_id: int) -> datetime | None:
        """Give the number back; when the supplier allows it, where that is later than now.

        Unless a code comes first, the order is cancelled then. Raises OrderNotFound, NotPossible.
        """
        async with self._database.write() as session:
            order, can = await self._own(session, user_id, order_id)
            if order.status != OrderStatus.ACTIVE or not can.cancel:
                raise NotPossible("cancel", status=order.status)
            assert order.activated_at is not None
            now = self._clock.now()
            possible_at = max(now, order.activated_at + can.cancel_after)
            if order.cancel_requested_at is None:
                await orders.change(session, order_id, cancel_requested_at=now)
                await self._ask_supplier(session, CANCEL, order, due_at=possible_at)
            elif order.swap_requested_at:
                # It was to be swapped; now the money goes back instead.
                await orders.change(session, order_id, swap_requested_at=None)
                await self._announcer.card(session, order.purchase_id)
            return possible_at if possible_at > now else None

    async def finish(self, user_id: int, order_id: int) -> None:
        """Let go of a number that has had its code. Raises OrderNotFound, NotPossible."""
        async with self._database.write() as session:
            order, can = await self._own(session, user_id, order_id)
            finished = can.finish and await orders.move(
                session,
                order_id,
                OrderStatus.COMPLETED,
                from_=[OrderStatus.RECEIVED],
                ended_at=self._clock.now(),
                notice=None,
            )
            if not finished and order.status != OrderStatus.COMPLETED:
                raise NotPossible("finish", status=order.status)
            if finished:
                await self._ask_supplier(session, FINISH, order)

    async def resend(self, user_id: int, order_id: int) -> None:
        """Ask for another SMS. Raises OrderNotFound, NotPossible."""
        async with self._database.write() as session:
            order, can = await self._own(session, user_id, order_id)
            if order.status not in (OrderStatus.ACTIVE, OrderStatus.RECEIVED) or not can.resend:
                raise NotPossible("resend", status=order.status)
            if order.notice != "resend_asked":
                await orders.change(session, order_id, notice="resend_asked")
                await self._ask_supplier(session, RESEND, order)

    async def get_purchase(self, purchase_id: int, *, user_id: int | None = None) -> PurchaseView:
        """A purchase as its card shows it. Raises OrderNotFound where it is not `user_id`'s."""
        async with self._database.read() as session:
            purchase = await orders.find_purchase_by_id(session, purchase_id)
            if purchase is None or user_id not in (None, purchase.user_id):
                raise OrderNotFound
            found = await orders.of_purchase(session, purchase_id)
            return await self._view(session, purchase, found)

    async def get_order(self, order_id: int, *, user_id: int | None = None) -> PurchaseView:
        """One order and its purchase. Raises OrderNotFound where it is not `user_id`'s."""
        async with self._database.read() as session:
            order = await orders.find(session, order_id)
            if order is None or user_id not in (None, order.user_id):
                raise OrderNotFound
            purchase = await orders.get_purchase(session, order.purchase_id)
            return await self._view(session, purchase, [order])

    async def get_sms(self, sms_id: int, *, at_hand: Arrival | None = None) -> tuple[Sms, PurchaseView, User]:
        """A message, the order it came for, and whose it is. `at_hand`: what was read a moment ago."""
        sms, order, purchase, service, renter = at_hand or await self._arrival(sms_id)
        view = self._order_view(order, (sms,))
        return sms, PurchaseView(purchase, service, (view,)), renter

    async def _arrival(self, sms_id: int) -> Arrival:
        async with self._database.read() as session:
            return await db_sms.get_arrival(session, sms_id)

    async def of_user(
        self,
        user_id: int,
        *,
        open_only: bool,
        limit: int,
        offset: int = 0,
        with_code: bool | None = None,
        service_id: int | None = None,
    ) -> list[PurchaseView]:
        """One view per order, newest first; `with_code` and `service_id` as in `db.orders.of_user`."""
        async with self._database.read() as session:
            rows = await orders.of_user(
                session,
                user_id,
                open_only=open_only,
                limit=limit,
                offset=offset,
                with_code=with_code,
                service_id=service_id,
            )
            return [await self._view(session, purchase, [order]) for order, purchase in rows]

    async def services_of(self, user_id: int) -> list[Service]:
        """What a renter has ever ordered numbers for, by name."""
        async with self._database.read() as session:
            return await orders.services_of(session, user_id)

    async def adopt_card(self, purchase_id: int, *, message_id: int | None) -> None:
        """From now on this message is the purchase's card."""
        async with self._database.write() as session:
            await orders.set_message(session, purchase_id, message_id)

    def limits_of(self, user: User) -> Allowance:
        """Their own limits where an operator has set some, else those of everybody."""
        return Allowance(
            self._open_limit if user.open_limit is None else user.open_limit,
            self._hourly_limit if user.hourly_limit is None else user.hourly_limit,
        )

    async def _check_renter(self, session: AsyncSession, user: User | None, quantity: int) -> None:
        if user is None or user.terms_accepted_at is None:
            raise TermsNotAccepted
        if user.banned_at:
            raise Banned(user.ban_reason)
        await check_open(session)
        limits = self.limits_of(user)
        if await orders.count_open(session, user.id) + quantity > limits.open_orders:
            raise LimitReached(limit=limits.open_orders)
        since = self._clock.now() - HOUR
        if await orders.count_bought(session, user.id, since=since) + quantity > limits.per_hour:
            raise LimitReached(limit=limits.per_hour, per=HOUR)

    def _check_offer(self, intent: Intent) -> None:
        line = self._catalog.line(intent.service_id, intent.country, intent.network)
        if line is None:
            raise OutOfStock
        if line.lowest > intent.price:
            raise PriceChanged(offered=intent.price, current=line.price)

    async def _own(self, session: AsyncSession, user_id: int, order_id: int) -> tuple[Order, Capabilities]:
        order = await orders.lock(session, order_id)
        if order is None or order.user_id != user_id:
            raise OrderNotFound
        return order, self._capabilities(order)

    def _capabilities(self, order: Order) -> Capabilities:
        supplier = self._suppliers.find(order.supplier)
        return supplier.capabilities if supplier else Capabilities()

    async def _ask_supplier(
        self, session: AsyncSession, errand: str, order: Order, *, due_at: datetime | None = None
    ) -> None:
        """Promise a call, and show on the card that it was asked for."""
        await errands.ask(session, self._outbox, errand, order.id or 0, due_at=due_at)
        await self._announcer.card(session, order.purchase_id)

    async def _view(self, session: AsyncSession, purchase: Purchase, found: list[Order]) -> PurchaseView:
        ids = [order.id for order in found if order.id]
        messages = await db_sms.of_orders(session, ids)
        reported = {dispute.order_id: dispute for dispute in await disputes.of_orders(session, ids)}
        service = await offers.get_service(session, purchase.service_id)
        views = (
            self._order_view(
                order,
                tuple(message for message in messages if message.order_id == order.id),
                reported.get(order.id or 0),
            )
            for order in found
        )
        return PurchaseView(purchase, service, tuple(views))

    def _order_view(
        self, order: Order, messages: tuple[Sms, ...], dispute: Dispute | None = None
    ) -> OrderView:
        on_offer = len(withheld(order, messages, now=self._clock.now()))
        return OrderView(order, messages, self._capabilities(order), on_offer, dispute)


def _replayed(existing: Purchase, intent: Intent) -> int:
    if (existing.service_id, existing.country, existing.network, existing.quantity, existing.price) != (
        intent.service_id,
        intent.country,
        intent.network,
        intent.quantity,
        intent.price,
    ):
        raise KeyReused(intent.key)
    assert existing.id is not None
    return existing.id

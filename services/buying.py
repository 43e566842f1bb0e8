"""Buys what renters have paid for. Whatever happens between two lines, nothing is bought twice or forgotten.

Each call is written down as an attempt before it is made, with the key that the supplier will know it by.
An attempt that is found already running was cut off by a crash or a lost answer: it is repeated with its
own key, and if that does not settle it, looked up in the supplier's list. It never ends on a guess. Where
the supplier knows no keys, it is never repeated: the money goes back, and the operator hears of it.
"""

import secrets
from datetime import datetime, timedelta

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from db import attempts, orders
from db.models import Attempt, AttemptStatus, OrderStatus, OutboxMessage, Purchase
from db.session import Database
from services.announcer import Announcer
from services.catalog import Catalog
from services.clock import Clock
from services.errors import (
    AccessRefused,
    Deferred,
    ProductGone,
    SupplierBroke,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.lines import Route
from services.money import to_minor
from services.outbox import retry_delay
from services.rates import Rates
from services.rentals import ENDS, Rentals
from services.suppliers.base import RemoteOrder
from services.supply import Suppliers, count_order
from services.swaps import Swaps

log = structlog.get_logger()

PATIENCE = timedelta(seconds=45)
"""How long a renter waits for a supplier that cannot be reached before the money goes back."""
LOOKUP_PATIENCE = timedelta(minutes=2)
"""How long after a lost answer an order may still turn up in the supplier's list."""
CLOCK_SKEW = timedelta(minutes=2)
"""How far a supplier's clock may be from ours."""
DEFAULT_LIFETIME = timedelta(minutes=20)
UNREACHABLE = "unreachable"
OUR_FAULT = "our account with the supplier"
"""No balance there, or a wrong key: the operator's to mend, not a lack of numbers."""
UNCLEAR = "no clear answer"
"""A number may have been taken that nobody will ever learn of."""
TROUBLE = (UNREACHABLE, OUR_FAULT, UNCLEAR)


class Buying:
    """The worker behind every purchase."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalog: Catalog,
        suppliers: Suppliers,
        rates: Rates,
        rentals: Rentals,
        announcer: Announcer,
        swaps: Swaps,
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalog = catalog
        self._suppliers = suppliers
        self._rates = rates
        self._rentals = rentals
        self._announcer = announcer
        self._swaps = swaps

    async def buy(self, message: OutboxMessage) -> None:
        """Get a number for every pending order of a purchase, or give the money back."""
        purchase_id = message.payload["purchase_id"]
        resumed = await self._find_running(purchase_id)
        if resumed:
            await self._resume(resumed)
        unreachable: UpstreamUnavailable | None = None
        while attempt := await self._start(purchase_id, after=unreachable, tries=message.attempts):
            unreachable = await self._call(attempt) or unreachable

    async def _find_running(self, purchase_id: int) -> Attempt | None:
        async with self._database.read() as session:
            return await attempts.running(session, purchase_id)

    async def _start(
        self, purchase_id: int, *, after: UpstreamUnavailable | None, tries: int
    ) -> Attempt | None:
        """Write the next attempt down; None when there is nothing left to buy, or nowhere to buy it.

        `after`: what the last one could not reach. Raises Deferred where only such routes are left.
        """
        async with self._database.write() as session:
            pending = await orders.pending_of(session, purchase_id)
            if not pending:
                return None
            purchase = await orders.get_purchase(session, purchase_id)
            began_at = pending[0].created_at
            route = await self._next_route(session, purchase, began_at, again=after is None)
            if route is None and after and self._is_patient(began_at):
                delay = min(retry_delay(tries, after.retry_after), PATIENCE)
                raise Deferred(self._clock.now() + delay) from after
            if route is None:
                await self._fail(session, purchase)
                return None
            several = self._suppliers[route.supplier].capabilities.several
            return await attempts.add(
                session,
                purchase_id=purchase_id,
                supplier=route.supplier,
                product_ref=route.product_ref,
                quantity=len(pending) if several else 1,
                cost=route.cost,
                idempotency_key=f"numlet-{purchase_id}-{secrets.token_hex(8)}",
                created_at=self._clock.now(),
            )

    async def _next_route(
        self, session: AsyncSession, purchase: Purchase, began_at: datetime, *, again: bool
    ) -> Route | None:
        """The best route not yet tried whose price fits under the hold.

        `began_at`: when the numbers that are missing were asked for. What sold a number before that, which
        has been swapped since, comes last. `again`: where there is none, one that could not be reached, as
        long as the renter waits.
        """
        line = self._catalog.line(purchase.service_id, purchase.country, purchase.network)
        fitting = [route for route in line.routes if route.price <= purchase.price] if line else []
        every = await attempts.of_purchase(session, purchase.id or 0)
        past = [attempt for attempt in every if attempt.created_at >= began_at]
        swapped = {(attempt.supplier, attempt.product_ref) for attempt in every if attempt not in past}
        fitting.sort(key=lambda route: route.key in swapped)
        ended = [attempt for attempt in past if not self._sells_more(attempt)]
        tried = {(attempt.supplier, attempt.product_ref) for attempt in ended}
        refused = {
            (attempt.supplier, attempt.product_ref) for attempt in ended if attempt.error != UNREACHABLE
        }
        left = [route for route in fitting if route.key not in tried]
        if not left and again and self._is_patient(began_at):
            left = [route for route in fitting if route.key not in refused]
        return left[0] if left else None

    def _sells_more(self, attempt: Attempt) -> bool:
        """Whether a route that sold may sell the next number, too."""
        supplier = self._suppliers.find(attempt.supplier)
        one_by_one = supplier is not None and not supplier.capabilities.several
        return attempt.status == AttemptStatus.SOLD and one_by_one

    def _is_patient(self, began_at: datetime) -> bool:
        return self._clock.now() - began_at < PATIENCE

    async def _call(self, attempt: Attempt) -> UpstreamUnavailable | None:
        """Make the first call of an attempt; what it says where it was not accepted."""
        try:
            await self._sold(attempt, await self._buy_remotely(attempt))
        except UpstreamUnavailable as error:
            # Never accepted, and nothing was sent before: this attempt is over, whatever comes next.
            await self._refuse(attempt, UNREACHABLE)
            return error
        except UpstreamRefused as error:
            await self._refuse(attempt, str(error), because=error)
        except UpstreamUnknown:
            await self._resume(attempt)
        return None

    async def _resume(self, attempt: Attempt) -> None:
        """Settle an attempt that may have bought. Raises UpstreamError to try again later."""
        supplier = self._suppliers.find(attempt.supplier)
        if supplier and not supplier.capabilities.idempotent:
            await self._give_up(attempt)
            return
        try:
            await self._sold(attempt, await self._buy_remotely(attempt))
        except UpstreamRefused as error:
            # A refusal of the repetition says nothing about the first call.
            await self._look_up(attempt, error, final=True)
        except UpstreamUnknown as error:
            await self._look_up(attempt, error, final=self._is_old(attempt))

    async def _look_up(self, attempt: Attempt, error: UpstreamError, *, final: bool) -> None:
        """Find what an attempt bought in the supplier's list; if nothing, it ends only where `final`."""
        found = await self._find_unclaimed(attempt)
        if found:
            await self._sold(attempt, found)
        elif final:
            await self._refuse(attempt, str(error), because=error)
        else:
            raise error

    async def _find_unclaimed(self, attempt: Attempt) -> list[RemoteOrder]:
        with self._suppliers.calling(attempt.supplier) as supplier:
            if not supplier.capabilities.lookup:
                return []
            remote = await supplier.orders_since(attempt.created_at - CLOCK_SKEW)
        same = [order for order in remote if order.product_ref == attempt.product_ref]
        async with self._database.read() as session:
            known = await orders.known_refs(session, attempt.supplier, [order.ref for order in same])
        return [order for order in same if order.ref not in known][: attempt.quantity]

    def _is_old(self, attempt: Attempt) -> bool:
        return self._clock.now() - attempt.created_at > LOOKUP_PATIENCE

    async def _buy_remotely(self, attempt: Attempt) -> list[RemoteOrder]:
        with self._suppliers.calling(attempt.supplier) as supplier:
            purchase = await supplier.buy(
                attempt.product_ref, quantity=attempt.quantity, key=attempt.idempotency_key
            )
            completed = [await self._completed(order, attempt.supplier) for order in purchase.orders]
        alive = [order for order in completed if order.phone_number or order.status not in ENDS]
        if not alive:
            raise ProductGone("ended before it had a number", upstream=attempt.supplier)
        return alive

    async def _completed(self, order: RemoteOrder, supplier: str) -> RemoteOrder:
        """An order with its number, asked for where the answer to `buy` did not bring it."""
        if order.phone_number:
            return order
        try:
            return await self._suppliers[supplier].get_order(order.ref)
        except UpstreamError as error:
            # Bought it is: what became of the question says nothing about that.
            raise UpstreamUnknown(str(error), upstream=supplier) from error

    async def _sold(self, attempt: Attempt, sold: list[RemoteOrder]) -> None:
        """Give the numbers to the purchase's pending orders.

        Raises UpstreamUnknown where another purchase that looked for its own has taken them all: then its
        own is still in the list.
        """
        assert attempt.id is not None
        now = self._clock.now()
        async with self._database.write() as session:
            if not await attempts.end(session, attempt.id, AttemptStatus.SOLD, now=now):
                return
            known = await orders.known_refs(session, attempt.supplier, [order.ref for order in sold])
            pending = await orders.pending_of(session, attempt.purchase_id)
            fresh = list({remote.ref: remote for remote in sold if remote.ref not in known}.values())
            if not fresh:
                raise UpstreamUnknown("taken by another purchase", upstream=attempt.supplier)
            if not all(remote.phone_number for remote in fresh):
                raise UpstreamUnknown("sold without a number", upstream=attempt.supplier)
            for order, remote in zip(pending, fresh, strict=False):
                expires_at = remote.expires_at or now + DEFAULT_LIFETIME
                await orders.move(
                    session,
                    order.id or 0,
                    OrderStatus.ACTIVE,
                    from_=[OrderStatus.PENDING],
                    supplier=attempt.supplier,
                    supplier_ref=remote.ref,
                    phone_number=remote.phone_number,
                    cost=await self._cost(session, attempt, remote),
                    activated_at=remote.created_at or now,
                    expires_at=expires_at,
                    check_at=expires_at,
                )
                count_order(session, order.id or 0, attempt.supplier, OrderStatus.ACTIVE)
                await self._rentals.apply(session, order.id or 0, remote)
                await self._plan_swap(session, order.id or 0)
            self._rentals.wake_expiry(session)
            await self._announcer.card(session, attempt.purchase_id)
        log.info("purchase.sold", purchase=attempt.purchase_id, supplier=attempt.supplier, count=len(fresh))

    async def _plan_swap(self, session: AsyncSession, order_id: int) -> None:
        found = await orders.lock_with_purchase(session, order_id)
        if found and found[0].status == OrderStatus.ACTIVE:
            await self._swaps.plan(session, *found)

    async def _cost(self, session: AsyncSession, attempt: Attempt, remote: RemoteOrder) -> int:
        """What it cost, in minor units: what the supplier says, else what its catalog said."""
        if remote.cost_decimal is None or remote.currency is None:
            return attempt.cost
        purchase = await orders.get_purchase(session, attempt.purchase_id)
        cost = self._rates.convert_decimal(remote.cost_decimal, remote.currency, purchase.currency)
        return attempt.cost if cost is None else to_minor(cost, purchase.currency)

    async def _refuse(self, attempt: Attempt, error: str, *, because: UpstreamError | None = None) -> None:
        assert attempt.id is not None
        now = self._clock.now()
        ours = isinstance(because, SupplierBroke | AccessRefused)
        async with self._database.write() as session:
            await attempts.end(
                session, attempt.id, AttemptStatus.REFUSED, now=now, error=OUR_FAULT if ours else error
            )
            if ours:
                name = "supplier_broke" if isinstance(because, SupplierBroke) else "supplier_refuses"
                # Once an hour, not once a renter.
                key = f"{attempt.supplier}:{now:%Y%m%d%H}"
                setting = self._suppliers[attempt.supplier].setting
                facts = {"supplier": attempt.supplier, "reason": str(because), "setting": setting}
                await self._announcer.alert(session, name, key, **facts)
        if isinstance(because, ProductGone):
            self._catalog.sold_out(attempt.supplier, attempt.product_ref)
        log.info("purchase.refused", purchase=attempt.purchase_id, supplier=attempt.supplier, error=error)

    async def _give_up(self, attempt: Attempt) -> None:
        """It cannot be repeated or looked up: give the money back, and tell the operator what may be lost."""
        assert attempt.id is not None
        async with self._database.write() as session:
            now = self._clock.now()
            await attempts.end(session, attempt.id, AttemptStatus.REFUSED, now=now, error=UNCLEAR)
            ref = ", ".join(str(order.id) for order in await orders.pending_of(session, attempt.purchase_id))
            key, facts = str(attempt.id), {"supplier": attempt.supplier, "ref": ref}
            await self._announcer.alert(session, "unclear", key, **facts)
            await self._fail(session, await orders.get_purchase(session, attempt.purchase_id))
        log.error("purchase.unclear", purchase=attempt.purchase_id, supplier=attempt.supplier)

    async def _fail(self, session: AsyncSession, purchase: Purchase) -> None:
        """Nobody sells it: what is still pending fails and its money goes back."""
        assert purchase.id is not None
        past = await attempts.of_purchase(session, purchase.id)
        trouble = any(attempt.error in TROUBLE for attempt in past)
        await orders.set_failure(session, purchase.id, "supplier_trouble" if trouble else "out_of_stock")
        for order in await orders.pending_of(session, purchase.id):
            await self._rentals.end_without_code(
                session, order.id or 0, purchase, OrderStatus.FAILED, from_=OrderStatus.PENDING
            )
        await self._announcer.card(session, purchase.id)

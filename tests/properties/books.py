"""What happens to money in a shop, as operations that can be cut off, repeated, and run at the same time.

Each takes a session, like the services do, and may be done again after a crash: then it changes nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db import disputes, orders, payments, users
from db.models import DisputeStatus, OrderStatus, PaymentStatus, Service
from db.session import Database
from services import ledger
from services.audit import Report, examine
from services.refunds import STARS
from services.swaps import SWAPPED

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
CURRENCY = "IDR"
SERVICE = 1

Operation = Callable[[AsyncSession], Awaitable[Any]]


class Killed(Exception):
    """The process died before the commit."""


async def open_shop(database: Database) -> None:
    async with database.write() as session:
        if await session.get(Service, SERVICE) is None:
            session.add(Service(id=SERVICE, slug="whatsapp", name="WhatsApp"))


async def commit(database: Database, operation: Operation) -> Any:
    async with database.write() as session:
        return await operation(session)


async def cut_off(database: Database, operation: Operation) -> None:
    """All of it but the commit. What it raises itself comes through."""
    try:
        async with database.write() as session:
            await operation(session)
            raise Killed
    except Killed:
        pass


async def audit(database: Database) -> Report:
    async with database.read() as session:
        return await examine(session, full=True, currency=CURRENCY, now=NOW)


def meet(renter: int) -> Operation:
    return lambda session: users.ensure(session, renter, now=NOW)


def top_up(renter: int, amount: int, key: str, *, by: str = "operator") -> Operation:
    return lambda session: ledger.top_up(session, renter, amount, by=by, key=key, currency=CURRENCY, now=NOW)


def pay(renter: int, amount: int, charge: str) -> Operation:
    """Stars come in; False where the charge is known."""

    async def operation(session: AsyncSession) -> bool:
        await users.lock(session, renter)
        if await payments.find_charge(session, charge):
            return False
        payment = await payments.add(
            session, charge_id=charge, user_id=renter, stars=1, amount=amount, currency=CURRENCY, paid_at=NOW
        )
        return await ledger.top_up(
            session, renter, amount, by=STARS, key=f"payment:{payment.id}", currency=CURRENCY, now=NOW
        )

    return operation


def take_back(renter: int, charge: str) -> Operation:
    """Telegram's store gives the Stars back, whatever became of the money; False where it had."""

    async def operation(session: AsyncSession) -> bool:
        await users.lock(session, renter)
        payment = await payments.find_charge(session, charge)
        assert payment
        taken = await payments.move(
            session, payment.id or 0, PaymentStatus.REFUNDED, from_=[PaymentStatus.PAID]
        )
        if taken:
            await ledger.take_back(
                session,
                renter,
                payment.amount,
                by=STARS,
                key=f"payment:{payment.id}:back",
                currency=CURRENCY,
                now=NOW,
            )
        return taken

    return operation


def debit(renter: int, amount: int, key: str) -> Operation:
    return lambda session: ledger.debit(session, renter, amount, key=key, currency=CURRENCY, now=NOW)


def place(renter: int, price: int, quantity: int, key: str) -> Operation:
    """The ids of the orders."""

    async def operation(session: AsyncSession) -> list[int]:
        await users.lock(session, renter)
        existing = await orders.find_purchase(session, renter, key)
        if existing:
            return [order.id or 0 for order in await orders.of_purchase(session, existing.id or 0)]
        purchase = await orders.add_purchase(
            session,
            user_id=renter,
            idempotency_key=key,
            service_id=SERVICE,
            country="ID",
            quantity=quantity,
            price=price,
            currency=CURRENCY,
            created_at=NOW,
        )
        placed = await orders.add_orders(session, purchase)
        for order_id in placed:
            await ledger.hold(session, renter, order_id, price, currency=CURRENCY, now=NOW)
            await orders.move(
                session,
                order_id,
                OrderStatus.ACTIVE,
                from_=[OrderStatus.PENDING],
                supplier="smscode",
                supplier_ref=str(order_id),
                phone_number="+62811000000",
                cost=price,
            )
        return placed

    return operation


def receive(order_id: int, price: int, *, inviter: int = 0, reward: int = 0) -> Operation:
    """The code comes, and a share goes to whoever invited; False where the order had ended, or had one."""

    async def operation(session: AsyncSession) -> bool:
        received = await orders.move(
            session, order_id, OrderStatus.RECEIVED, from_=[OrderStatus.ACTIVE], notice=None
        )
        if received:
            await ledger.capture(session, order_id, price, currency=CURRENCY, now=NOW)
        if received and reward:
            await ledger.reward(session, inviter, order_id, reward, currency=CURRENCY, now=NOW)
        return received

    return operation


def end(order_id: int, renter: int, price: int, status: OrderStatus) -> Operation:
    """No code comes; False where one had, or the order had ended before."""

    async def operation(session: AsyncSession) -> bool:
        ended = await orders.move(session, order_id, status, from_=[OrderStatus.ACTIVE], ended_at=NOW)
        if ended:
            await ledger.release(session, renter, order_id, price, currency=CURRENCY, now=NOW)
        return ended

    return operation


def swap(order_id: int, price: int) -> Operation:
    """The number is given back and the next one takes over its hold: the next order's id; None where the
    order waits no longer."""

    async def operation(session: AsyncSession) -> int | None:
        found = await orders.lock_with_purchase(session, order_id)
        assert found
        if not await orders.move(
            session, order_id, OrderStatus.CANCELED, from_=[OrderStatus.ACTIVE], ended_at=NOW, notice=SWAPPED
        ):
            return None
        next_id = await orders.add_order(session, found[1], now=NOW)
        await ledger.pass_hold(session, order_id, next_id, price, currency=CURRENCY, now=NOW)
        await orders.move(
            session,
            next_id,
            OrderStatus.ACTIVE,
            from_=[OrderStatus.PENDING],
            supplier="smscode",
            supplier_ref=str(next_id),
            phone_number="+62811000000",
            cost=price,
        )
        return next_id

    return operation


def sell_late(order_id: int, renter: int, price: int) -> Operation:
    """What came after the end is bought; False where it was before."""

    async def operation(session: AsyncSession) -> bool:
        order = await orders.lock(session, order_id)
        assert order
        if order.late_paid_at:
            return False
        await ledger.sell_late(session, renter, order_id, price, currency=CURRENCY, now=NOW)
        await orders.change(session, order_id, late_paid_at=NOW)
        return True

    return operation


def complete(order_id: int) -> Operation:
    return lambda session: orders.move(
        session, order_id, OrderStatus.COMPLETED, from_=[OrderStatus.RECEIVED], ended_at=NOW
    )


def refund(order_id: int, renter: int, price: int) -> Operation:
    """An operator finds that the renter is right; False where nothing was paid, or it went back before."""

    async def operation(session: AsyncSession) -> bool:
        await users.lock(session, renter)
        order = await orders.find(session, order_id)
        if order is None or order.status not in (OrderStatus.RECEIVED, OrderStatus.COMPLETED):
            return False
        await disputes.add(session, order_id=order_id, user_id=renter, reason="used", created_at=NOW)
        [dispute] = await disputes.of_orders(session, [order_id])
        if not await disputes.decide(session, dispute.id or 0, DisputeStatus.REFUNDED, decided_at=NOW):
            return False
        return await ledger.refund(session, renter, order_id, price, currency=CURRENCY, now=NOW)

    return operation


def pay_out(amount: int, key: str) -> Operation:
    """What was earned leaves the shop."""
    return lambda session: ledger.move(
        session,
        ledger.REVENUE,
        ledger.gateway("operator"),
        amount,
        kind="correction",
        key=key,
        currency=CURRENCY,
        now=NOW,
    )

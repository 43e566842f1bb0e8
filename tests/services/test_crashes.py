"""A crash before or after any commit is only a delay: the next life ends as one without the crash.

Here the process is a set of objects and its death a database that takes nothing any more, which is quick
enough to try everywhere; `tests/crash` kills real processes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from db.models import Invoice, Order, OrderStatus
from db.session import Database, Rank
from services.ledger import REVENUE, gateway, held
from services.payments import StarPayment
from tests.builders import COST, PRICE, RENTER, World, entries, restarted, world_on

pytestmark = pytest.mark.anyio


class Crash(OSError):
    """From here on nothing is read or written."""


class MortalDatabase(Database):
    """Dies at the n-th step: right before and right after a commit that changes something are one each."""

    steps_left: int | None = None
    is_dead = False
    changes = 0

    @asynccontextmanager
    async def write(self, rank: Rank = Rank.OTHER) -> AsyncIterator[Any]:
        self._live()
        async with super().write(rank) as session:
            yield session
            changed = await self._has_changed(session)
            self._step(changed)
        self._step(changed)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        self._live()
        async with super().read() as session:
            yield session

    @asynccontextmanager
    async def driver(self, rank: Rank = Rank.OTHER) -> AsyncIterator[Any]:
        self._live()
        async with super().driver(rank) as connection:
            yield connection
        self._step(True)

    async def _has_changed(self, session: AsyncSession) -> bool:
        connection = await session.connection()
        if not self.is_sqlite:
            return bool(await connection.scalar(text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")))
        before, self.changes = self.changes, await connection.scalar(text("SELECT total_changes()")) or 0
        return self.changes != before

    def _step(self, changed: bool) -> None:
        if changed and self.steps_left is not None:
            self.steps_left -= 1
            self.is_dead = self.is_dead or self.steps_left <= 0
        self._live()

    def _live(self) -> None:
        if self.is_dead:
            raise Crash("the process is dead")


Life = Callable[[World, str], Awaitable[Order]]
"""What the renter does with one purchase. Begun again, it goes on where it was."""


async def rent(world: World, key: str) -> Order:
    return await world.rent(key=key)


def remote(world: World, order: Order) -> Any:
    return world.vendor.orders[int(order.supplier_ref or 0)]


async def get_a_code(world: World, key: str) -> Order:
    order = await rent(world, key)
    if not remote(world, order).messages:
        await world.receive(order, "123456")
    await world.reconcile()
    if (await world.order(order)).status == OrderStatus.RECEIVED:
        await world.orders.finish(RENTER, order.id or 0)
    await world.settle()
    return await world.order(order)


lost: set[str] = set()


async def get_a_code_after_a_lost_answer(world: World, key: str) -> Order:
    if key not in lost:
        lost.add(key)
        world.vendor.trouble.fail_next("lost_answer", path="/orders/create")
    return await get_a_code(world, key)


async def cancel(world: World, key: str) -> Order:
    order = await rent(world, key)
    if order.status == OrderStatus.ACTIVE:
        await world.orders.cancel(RENTER, order.id or 0)
    await world.pass_time(minutes=2)
    return await world.order(order)


invoices: dict[str, Invoice] = {}


async def pay_with_stars_for_nothing(world: World, key: str) -> Order:
    if key not in invoices:
        invoices[key] = await world.invoices.offer_purchase(RENTER, world.intent(key=key))
    invoice = invoices[key]
    await world.payments.record(
        StarPayment(key, invoice.token, RENTER, stars=invoice.stars, paid_at=world.clock.now())
    )
    await world.settle()
    [payment] = await world.payments.of_user(RENTER, limit=1)
    [order] = await world.orders_of(payment.purchase_id or 0)
    await world.pass_time(minutes=20)
    await world.expire()
    assert {"payment_id": payment.id} in world.sent.of("refund")
    assert await world.balance(gateway("stars")) == 0
    return await world.order(order)


async def check(world: World, order: Order, ends: OrderStatus) -> None:
    assert order.status == ends
    kinds = [entry.kind for entry in await entries(world.database) if entry.order_id == order.id]
    messages = await world.messages(order)
    told = {sms_id for sms_id in world.sent.codes if sms_id in {message.id for message in messages}}
    if ends == OrderStatus.COMPLETED:
        assert kinds == ["hold", "capture"]
        assert [message.code for message in messages] == ["123456"]
        assert told == {messages[0].id}
    else:
        assert kinds == ["hold", "release"]
        assert not messages
    assert remote(world, order).status == ends.upper()
    assert await world.balance(held(order.id or 0)) == 0


@pytest.mark.parametrize(
    ("life", "ends"),
    [
        (get_a_code_after_a_lost_answer, OrderStatus.COMPLETED),
        (cancel, OrderStatus.CANCELED),
        (pay_with_stars_for_nothing, OrderStatus.EXPIRED),
    ],
)
async def test_a_crash_anywhere_is_only_a_delay(sqlite_url: str, life: Life, ends: OrderStatus):
    await die_everywhere(sqlite_url, life, ends)


async def test_a_crash_anywhere_is_only_a_delay_on_postgresql(postgresql_url: str):
    await die_everywhere(postgresql_url, get_a_code_after_a_lost_answer, OrderStatus.COMPLETED)


async def die_everywhere(database_url: str, life: Life, ends: OrderStatus) -> None:
    """One life that dies at its first step and the next that ends well, then one that dies at its second …"""
    database, crashes = MortalDatabase(database_url), 0
    async with AsyncExitStack() as lives:
        world = await lives.enter_async_context(world_on(database, money=1000 * PRICE))
        while await dies(world, database, life, f"crash{crashes}", step=crashes + 1):
            world = await lives.enter_async_context(restarted(world, database))
            await check(world, await life(world, f"crash{crashes}"), ends)
            crashes += 1
        await check_the_sum(world, crashes + 1, ends)
    await database.aclose()
    assert crashes > 15


async def dies(world: World, database: MortalDatabase, life: Life, key: str, *, step: int) -> bool:
    """Whether a life that is to die at a step gets that far; the database is well again afterwards."""
    database.steps_left = step
    with suppress(Crash):
        await life(world, key)
    await come_to_rest(world)
    died, database.steps_left, database.is_dead = database.is_dead, None, False
    return died


async def come_to_rest(world: World) -> None:
    """What was under way when the database died notices it before it is well again."""
    await world.vendor.settle()
    await world.deliveries.settle()
    stopping = asyncio.create_task(world.outbox.run())
    await asyncio.sleep(0)
    stopping.cancel()
    with suppress(asyncio.CancelledError):
        await stopping


async def check_the_sum(world: World, purchases: int, ends: OrderStatus) -> None:
    """As many numbers as purchases, and each paid for once, if at all."""
    sold = purchases if ends == OrderStatus.COMPLETED else 0
    assert len(world.vendor.orders) == purchases
    assert world.vendor.balance == 50_000_000 - sold * COST
    assert await world.balance(REVENUE) == sold * PRICE
    assert "orphan" not in world.sent.alerts

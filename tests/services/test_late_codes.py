"""What comes after an order ended without a code: kept, offered, and shown once for its price."""

import asyncio
from datetime import timedelta

import pytest

from db import orders as db_orders
from db.models import Order, OrderStatus
from db.session import Database
from services.announcer import LATE
from services.audit import Check
from services.errors import InsufficientFunds, LateCodeGone, OrderNotFound
from services.late_codes import ON_OFFER
from services.suppliers.base import RemoteSms
from tests.builders import PRICE, RENTER, World, restarted, world_on

pytestmark = pytest.mark.anyio

MONEY = 10 * PRICE


async def canceled(world: World, user_id: int = RENTER) -> Order:
    order = await world.rent(user_id)
    await world.orders.cancel(user_id, order.id or 0)
    await world.pass_time(minutes=2)
    ended = await world.order(order)
    assert ended.status == OrderStatus.CANCELED
    return ended


async def receive_late(world: World, order: Order, code: str) -> None:
    async with world.database.write() as session:
        await world.codes.record(
            session, order.id or 0, RemoteSms(code, f"Your code is {code}", world.clock.now())
        )
    await world.settle()


async def hand_to_another(world: World, order: Order) -> None:
    """The supplier rents the same number out again, to somebody else of ours."""
    world.clock.advance(timedelta(seconds=1))
    other = await world.rent(await world.renter(1002))
    async with world.database.write() as session:
        await db_orders.change(session, other.id or 0, phone_number=order.phone_number)


async def shown(world: World, order: Order) -> list[str | None]:
    """Codes that were sent, in order."""
    codes = {message.id: message.code for message in await world.messages(order)}
    return [codes[sms_id] for sms_id in world.sent.codes if sms_id in codes]


async def test_a_late_code_is_offered_and_not_shown(world: World):
    order = await canceled(world)
    await receive_late(world, order, "123456")
    assert world.sent.of(LATE) == [{"order_id": order.id}]
    assert await shown(world, order) == []
    assert await world.money() == (MONEY, 0, 0)


async def test_paying_shows_all_that_came_late_and_takes_the_price_once(world: World):
    order = await canceled(world)
    await receive_late(world, order, "111111")
    await receive_late(world, order, "222222")
    for _ in range(3):
        await world.late_codes.buy(RENTER, order.id or 0)
    await world.settle()
    assert await shown(world, order) == ["111111", "222222"]
    assert (await world.order(order)).status == OrderStatus.CANCELED
    assert await world.money() == (MONEY - PRICE, 0, PRICE)
    assert await world.kinds() == ["hold", "release", "late"]


async def test_many_taps_at_once_pay_once(database: Database):
    async with world_on(database) as world:
        order = await canceled(world)
        await receive_late(world, order, "123456")
        await asyncio.gather(*(world.late_codes.buy(RENTER, order.id or 0) for _ in range(5)))
        await world.settle()
        assert await shown(world, order) == ["123456"]
        assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_what_comes_after_it_was_paid_for_is_included(world: World):
    order = await canceled(world)
    await receive_late(world, order, "111111")
    await world.late_codes.buy(RENTER, order.id or 0)
    await world.pass_time(hours=2)
    await receive_late(world, order, "222222")
    assert await shown(world, order) == ["111111", "222222"]
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_the_offer_ends_and_begins_anew_with_another_code(world: World):
    order = await canceled(world)
    await receive_late(world, order, "111111")
    await world.pass_time(seconds=ON_OFFER.total_seconds())
    with pytest.raises(LateCodeGone, match="expired"):
        await world.late_codes.buy(RENTER, order.id or 0)
    assert await world.money() == (MONEY, 0, 0)
    await receive_late(world, order, "222222")
    await world.late_codes.buy(RENTER, order.id or 0)
    await world.settle()
    assert await shown(world, order) == ["111111", "222222"]


async def test_nothing_is_sold_while_nothing_came(world: World):
    order = await canceled(world)
    with pytest.raises(LateCodeGone):
        await world.late_codes.buy(RENTER, order.id or 0)


async def test_a_number_that_somebody_else_has_by_now_is_not_offered(world: World):
    order = await canceled(world)
    await hand_to_another(world, order)
    await receive_late(world, order, "123456")
    assert world.sent.of(LATE) == []
    assert await shown(world, order) == []


async def test_an_offer_ends_when_somebody_else_rents_the_number(world: World):
    order = await canceled(world)
    await receive_late(world, order, "123456")
    await hand_to_another(world, order)
    with pytest.raises(LateCodeGone, match="taken"):
        await world.late_codes.buy(RENTER, order.id or 0)
    assert await world.balance(f"wallet:{RENTER}") == MONEY


async def test_what_was_paid_for_includes_nothing_of_who_rents_the_number_next(world: World):
    order = await canceled(world)
    await receive_late(world, order, "111111")
    await world.late_codes.buy(RENTER, order.id or 0)
    await hand_to_another(world, order)
    await receive_late(world, order, "222222")
    assert await shown(world, order) == ["111111"]


async def test_a_wallet_that_is_short_pays_nothing_and_can_try_again(world: World):
    renter = await world.renter(1002, money=PRICE)
    order = await canceled(world, renter)
    await receive_late(world, order, "123456")
    await world.accounts.debit(renter, 1, key="spent", reason=None)
    with pytest.raises(InsufficientFunds):
        await world.late_codes.buy(renter, order.id or 0)
    await world.accounts.credit(renter, 1, key="topup", reason=None)
    await world.late_codes.buy(renter, order.id or 0)
    await world.settle()
    assert await shown(world, order) == ["123456"]
    assert await world.money(renter) == (0, 0, PRICE)


async def test_nobody_buys_the_late_code_of_another(world: World):
    order = await canceled(world)
    await receive_late(world, order, "123456")
    with pytest.raises(OrderNotFound):
        await world.late_codes.buy(await world.renter(1002), order.id or 0)


async def test_an_offer_outlives_a_restart(database: Database):
    async with world_on(database) as world:
        order = await canceled(world)
        await receive_late(world, order, "123456")
        async with restarted(world, database) as again:
            await again.late_codes.buy(RENTER, order.id or 0)
            await again.settle()
            assert await shown(again, order) == ["123456"]


async def test_the_books_know_what_was_sold_late(world: World):
    order = await canceled(world)
    await receive_late(world, order, "123456")
    await world.late_codes.buy(RENTER, order.id or 0)
    assert (await world.audit.examine(full=True)).agrees
    total = (await world.audit.earnings(days=1)).total
    assert (total.orders, total.income, total.cost) == (1, PRICE, 0)

    async with world.database.write() as session:
        await db_orders.change(session, order.id or 0, late_paid_at=None)
    [finding] = (await world.audit.examine(full=True)).findings
    assert (finding.check, finding.example) == (Check.SETTLEMENTS, f"order {order.id}")

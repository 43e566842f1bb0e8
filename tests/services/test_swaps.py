"""A number without a code is swapped for another: agreed to, under one hold, and never two codes paid."""

from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import pytest

from db.models import Order, OrderStatus
from db.session import Database
from services.errors import NotPossible, OrderNotFound
from services.ledger import held
from services.swaps import AFTER, MOST, SWAPPED
from tests.builders import COST, PANEL, PRICE, RENTER, World, restarted, world_on
from tests.services.test_crashes import MortalDatabase, dies
from tests.services.test_late_codes import receive_late

pytestmark = pytest.mark.anyio

MONEY = 10 * PRICE


async def rent(world: World) -> Order:
    """A number whose renter agreed to swaps."""
    order = await world.rent()
    await world.swaps.agree(RENTER, order.id or 0, on=True)
    return order


async def tries(world: World, order: Order) -> list[Order]:
    """All numbers of a purchase, in order."""
    return await world.orders_of(order.purchase_id)


async def wait(world: World) -> None:
    await world.pass_time(seconds=AFTER.total_seconds())


async def test_a_number_without_a_code_is_swapped_under_the_same_hold(world: World):
    order = await rent(world)
    await wait(world)
    first, second = await tries(world, order)
    assert (first.status, first.notice) == (OrderStatus.CANCELED, SWAPPED)
    assert second.status == OrderStatus.ACTIVE
    assert second.phone_number != first.phone_number
    assert (await world.balance(held(first.id or 0)), await world.balance(held(second.id or 0))) == (0, PRICE)
    assert await world.money() == (MONEY - PRICE, PRICE, 0)
    assert world.vendor.balance == 50_000_000 - COST

    await world.receive(second, "123456")
    assert await world.money() == (MONEY - PRICE, 0, PRICE)
    assert await world.kinds() == ["hold", "swap", "capture"]
    assert (await world.audit.examine(full=True)).agrees


async def test_without_consent_nothing_is_swapped(world: World):
    order = await world.rent()
    await world.pass_time(minutes=10)
    assert [one.status for one in await tries(world, order)] == [OrderStatus.ACTIVE]


async def test_consent_can_be_taken_back(world: World):
    order = await rent(world)
    await world.swaps.agree(RENTER, order.id or 0, on=False)
    await wait(world)
    assert [one.status for one in await tries(world, order)] == [OrderStatus.ACTIVE]


async def test_there_are_only_so_many_tries(world: World):
    order = await rent(world)
    for _ in range(MOST + 2):
        await wait(world)
    numbers = await tries(world, order)
    assert len(numbers) == MOST
    assert numbers[-1].status == OrderStatus.ACTIVE
    await world.pass_time(minutes=20)
    await world.expire()
    assert (await world.order(numbers[-1])).status == OrderStatus.EXPIRED
    assert await world.money() == (MONEY, 0, 0)
    assert await world.kinds() == ["hold", "swap", "swap", "release"]
    assert (await world.audit.examine(full=True)).agrees


async def test_a_code_that_comes_first_ends_it(world: World):
    order = await rent(world)
    await world.receive(order, "123456")
    await wait(world)
    assert [one.status for one in await tries(world, order)] == [OrderStatus.RECEIVED]


async def test_a_code_that_nobody_told_us_of_ends_it_too(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await rent(world)
    await world.receive(order, "123456")
    await wait(world)
    assert [one.status for one in await tries(world, order)] == [OrderStatus.RECEIVED]
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_while_nothing_fits_under_the_hold_the_number_is_kept(world: World):
    order = await rent(world)
    world.vendor.trouble.price_jump_percent = 50
    await world.refresh()
    await wait(world)
    assert [one.status for one in await tries(world, order)] == [OrderStatus.ACTIVE]
    world.vendor.trouble.price_jump_percent = 0
    await world.refresh()
    await world.pass_time(minutes=1)
    assert len(await tries(world, order)) == 2


async def test_a_supplier_that_has_not_been_tried_comes_first(database: Database):
    async with world_on(database, vendors=("smscode", "second")) as world:
        world.outside.vendors["second"].products[142].price = COST - 1_000
        await world.refresh()
        order = await rent(world)
        for _ in range(2):
            await wait(world)
        assert [one.supplier for one in await tries(world, order)] == ["second", "smscode", "second"]


async def test_a_renter_who_cancels_gets_the_money_and_no_other_number(world: World):
    order = await rent(world)
    world.vendor.trouble.always = "503"
    await wait(world)
    await world.orders.cancel(RENTER, order.id or 0)
    world.vendor.trouble.always = None
    await world.pass_time(minutes=3)
    [only] = await tries(world, order)
    assert (only.status, only.notice) == (OrderStatus.CANCELED, None)
    assert await world.money() == (MONEY, 0, 0)


async def test_a_cancellation_whose_answer_was_lost_swaps_once(world: World):
    order = await rent(world)
    world.vendor.trouble.drop_webhooks = True
    world.vendor.trouble.fail_next("lost_answer", path="/orders/cancel")
    await wait(world)
    await world.pass_time(seconds=10)
    assert [one.status for one in await tries(world, order)] == [OrderStatus.CANCELED, OrderStatus.ACTIVE]
    assert await world.kinds() == ["hold", "swap"]


async def test_a_late_code_of_a_swapped_number_is_a_late_code(world: World):
    order = await rent(world)
    await wait(world)
    await receive_late(world, order, "123456")
    assert not world.sent.codes
    await world.late_codes.buy(RENTER, order.id or 0)
    await world.settle()
    assert len(world.sent.codes) == 1
    assert await world.money() == (MONEY - 2 * PRICE, PRICE, PRICE)


async def test_only_its_renter_agrees_and_only_while_it_waits(world: World):
    order = await world.rent()
    with pytest.raises(OrderNotFound):
        await world.swaps.agree(await world.renter(1002), order.id or 0, on=True)
    await world.receive(order, "123456")
    with pytest.raises(NotPossible):
        await world.swaps.agree(RENTER, order.id or 0, on=True)


async def test_where_numbers_cannot_be_given_back_nothing_is_swapped(database: Database):
    async with world_on(database, vendors=(PANEL,)) as world:
        order = await world.rent()
        await world.swaps.agree(RENTER, order.id or 0, on=True)
        await wait(world)
        assert [one.status for one in await tries(world, order)] == [OrderStatus.ACTIVE]


async def swap_and_get_a_code(world: World, key: str) -> Order:
    """One life of a purchase; begun again, it goes on where it was."""
    order = await world.rent(key=key)
    with suppress(NotPossible):
        await world.swaps.agree(RENTER, order.id or 0, on=True)
    if len(await tries(world, order)) == 1:
        await world.pass_time(seconds=(AFTER + timedelta(seconds=15)).total_seconds())
        await world.expire()
    last = (await tries(world, order))[-1]
    if last.supplier_ref and not world.vendor.orders[int(last.supplier_ref)].messages:
        await world.receive(last, "123456")
    await world.reconcile()
    return await world.order(last)


async def test_a_crash_anywhere_is_only_a_delay(sqlite_url: str):
    database, crashes = MortalDatabase(sqlite_url), 0
    async with AsyncExitStack() as lives:
        world = await lives.enter_async_context(world_on(database, money=1000 * PRICE))
        while await dies(world, database, swap_and_get_a_code, f"crash{crashes}", step=crashes + 1):
            world = await lives.enter_async_context(restarted(world, database))
            last = await swap_and_get_a_code(world, f"crash{crashes}")
            first, second = await tries(world, last)
            assert (first.status, first.notice) == (OrderStatus.CANCELED, SWAPPED)
            assert (second.id, second.status) == (last.id, OrderStatus.RECEIVED)
            crashes += 1
        assert crashes > 20
        assert len(world.vendor.orders) == 2 * (crashes + 1)
        assert await world.money() == ((999 - crashes) * PRICE, 0, (crashes + 1) * PRICE)
        assert (await world.audit.examine(full=True)).agrees
    await database.aclose()

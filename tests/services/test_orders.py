"""Placing purchases: once a tap, never beyond the money or the limits, always at the button's price."""

import asyncio

import pytest

from db import users
from db.models import OrderStatus
from db.session import Database
from services.errors import (
    Banned,
    InsufficientFunds,
    KeyReused,
    LimitReached,
    OrderNotFound,
    OutOfStock,
    PriceChanged,
    TermsNotAccepted,
)
from services.ledger import held, wallet
from tests.builders import PRICE, RENTER, World, world_on

pytestmark = pytest.mark.anyio

MONEY = 10 * PRICE


async def test_placing_holds_the_price(world: World):
    purchase_id = await world.place()
    [order] = await world.orders_of(purchase_id)
    assert order.status == OrderStatus.PENDING
    assert await world.balance(held(order.id or 0)) == PRICE
    assert await world.money() == (MONEY - PRICE, PRICE, 0)


async def test_twenty_simultaneous_taps_on_one_button_are_one_purchase(world: World):
    intent = world.intent()
    purchases = await asyncio.gather(*(world.orders.place(RENTER, intent) for _ in range(20)))
    await world.settle()
    assert len(set(purchases)) == 1
    assert await world.kinds() == ["hold"]
    assert len(world.vendor.orders) == 1


async def test_twenty_purchases_with_money_for_three_are_three(world: World):
    poor = await world.renter(1002, money=3 * PRICE + 1)
    intents = [world.intent() for _ in range(20)]
    results = await asyncio.gather(
        *(world.orders.place(poor, intent) for intent in intents), return_exceptions=True
    )
    await world.settle()
    assert sum(isinstance(result, int) for result in results) == 3
    assert sum(isinstance(result, InsufficientFunds) for result in results) == 17
    assert await world.kinds() == ["hold"] * 3
    assert await world.balance(wallet(poor)) == 1
    assert len(world.vendor.orders) == 3


async def test_simultaneous_purchases_keep_to_the_limit(database: Database):
    async with world_on(database, open_limit=3) as world:
        intents = [world.intent() for _ in range(10)]
        results = await asyncio.gather(
            *(world.orders.place(RENTER, intent) for intent in intents), return_exceptions=True
        )
        assert sum(isinstance(result, int) for result in results) == 3
        assert sum(isinstance(result, LimitReached) for result in results) == 7


async def test_the_last_purchase_that_the_limit_allows_may_be_tapped_twice(database: Database):
    async with world_on(database, open_limit=1) as world:
        intent = world.intent()
        assert len({await world.orders.place(RENTER, intent) for _ in range(2)}) == 1
        results = await asyncio.gather(*(world.orders.place(RENTER, intent) for _ in range(10)))
        assert len(set(results)) == 1


async def test_a_purchase_counts_with_its_quantity(database: Database):
    async with world_on(database, open_limit=5) as world:
        await world.place(quantity=3)
        with pytest.raises(LimitReached) as caught:
            await world.place(quantity=3)
        assert (caught.value.limit, caught.value.per) == (5, None)


async def test_the_hourly_limit_lets_go_after_an_hour(database: Database):
    async with world_on(database, hourly_limit=2) as world:
        await world.rent(quantity=2)
        with pytest.raises(LimitReached) as caught:
            await world.place()
        assert caught.value.limit == 2
        await world.pass_time(minutes=61)
        await world.place()


async def test_a_replay_returns_the_first_purchase_whatever_changed_since(world: World):
    intent = world.intent()
    first = await world.orders.place(RENTER, intent)
    world.vendor.trouble.price_jump_percent = 50
    await world.refresh()
    assert await world.orders.place(RENTER, intent) == first


async def test_a_key_stands_for_one_intent(world: World):
    await world.place(key="same")
    with pytest.raises(KeyReused):
        await world.place(key="same", quantity=2)
    assert await world.kinds() == ["hold"]


async def test_two_renters_may_have_the_same_key(world: World):
    other = await world.renter(1002)
    assert await world.place(key="same") != await world.place(other, key="same")


async def test_the_price_on_the_button_is_charged_though_the_catalog_moved(world: World):
    world.vendor.find_product("wa", "ID").price = 10_000
    await world.refresh()
    order = await world.rent()
    await world.receive(order, "123456")
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_price_above_the_button_is_refused(world: World):
    world.vendor.trouble.price_jump_percent = 50
    await world.refresh()
    with pytest.raises(PriceChanged) as caught:
        await world.place()
    assert (caught.value.offered, caught.value.current) == (PRICE, 27_000)
    assert await world.money() == (MONEY, 0, 0)


async def test_what_nobody_sells_is_refused(world: World):
    with pytest.raises(OutOfStock):
        await world.place(country="ZZ")
    world.vendor.trouble.out_of_stock = True
    await world.refresh()
    with pytest.raises(OutOfStock):
        await world.place()
    assert await world.kinds() == []


async def test_a_wallet_that_is_too_light_buys_nothing_of_a_quantity(world: World):
    with pytest.raises(InsufficientFunds) as caught:
        await world.place(quantity=11)
    assert (caught.value.needed, caught.value.available) == (PRICE, 0)
    assert await world.money() == (MONEY, 0, 0)


async def test_the_terms_come_first(world: World):
    await world.accounts.meet(1002, name="New", username=None, language_code="en")
    await world.accounts.credit(1002, PRICE, key="gift", reason=None)
    for stranger in (1002, 1003):
        with pytest.raises(TermsNotAccepted):
            await world.place(stranger)


async def test_a_banned_renter_buys_nothing(world: World):
    async with world.database.write() as session:
        await users.set_ban(session, RENTER, banned_at=world.clock.now(), reason="fraud")
    with pytest.raises(Banned):
        await world.place()


async def test_the_tapped_message_becomes_the_card(world: World):
    purchase_id = await world.orders.place(RENTER, world.intent(), message_id=7)
    view = await world.orders.get_purchase(purchase_id)
    assert (view.purchase.message_id, view.service.name, len(view.orders)) == (7, "WhatsApp", 1)


async def test_nobody_sees_the_orders_of_another(world: World):
    order = await world.rent()
    stranger = await world.renter(1002)
    with pytest.raises(OrderNotFound):
        await world.orders.get_purchase(order.purchase_id, user_id=stranger)
    with pytest.raises(OrderNotFound):
        await world.orders.get_order(order.id or 0, user_id=stranger)
    assert await world.orders.of_user(stranger, open_only=False, limit=10) == []


async def test_a_renters_orders_come_newest_first(world: World):
    first, second = await world.rent(), await world.rent()
    await world.receive(first, "123456")
    await world.orders.finish(RENTER, first.id or 0)

    async def listed(*, open_only: bool) -> list[int | None]:
        views = await world.orders.of_user(RENTER, open_only=open_only, limit=10)
        return [view.orders[0].order.id for view in views]

    assert await listed(open_only=False) == [second.id, first.id]
    assert await listed(open_only=True) == [second.id]

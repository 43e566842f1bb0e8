"""Buying what was paid for: whatever the supplier does, one number for one price, or all the money back."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest

from db.models import OrderStatus
from db.session import Database
from services.ledger import REVENUE
from tests.builders import COST, PRICE, World, world_on

pytestmark = pytest.mark.anyio

MONEY = 10 * PRICE
STOCKED = 50_000_000
"""The sandbox's balance before anything is bought."""
BOUGHT = (MONEY - PRICE, PRICE, 0)
UNTOUCHED = (MONEY, 0, 0)


class Gate(httpx.AsyncBaseTransport):
    """Between us and the vendor: changes answers, or holds them back."""

    def __init__(self) -> None:
        self.inner: httpx.AsyncBaseTransport | None = None
        self.hold_next = 0
        self.held = asyncio.Event()
        self.open = asyncio.Event()
        self.hide_numbers = False
        self.drop_keys = False

    def before(self, inner: httpx.AsyncBaseTransport) -> "Gate":
        self.inner = inner
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.inner
        if self.drop_keys:
            request.headers.pop("idempotency-key", None)
        response = await self.inner.handle_async_request(request)
        if not request.url.path.endswith("/orders/create"):
            return response
        if self.hold_next:
            self.hold_next -= 1
            self.held.set()
            await self.open.wait()
        if self.hide_numbers:
            answer = json.loads(await response.aread())
            for order in answer["data"]["orders"]:
                order["phone_number"] = None
            return httpx.Response(200, json=answer)
        return response


@pytest.fixture
async def gated(database: Database):
    gate = Gate()
    async with world_on(database, between=gate.before) as world:
        yield world, gate


async def statuses(world: World, purchase_id: int) -> list[OrderStatus]:
    return [order.status for order in await world.orders_of(purchase_id)]


async def failure(world: World, purchase_id: int) -> str | None:
    return (await world.orders.get_purchase(purchase_id)).purchase.failure


async def test_a_purchase_brings_a_number(world: World):
    order = await world.rent()
    [remote] = world.vendor.orders.values()
    assert order.status == OrderStatus.ACTIVE
    assert (order.supplier, order.supplier_ref) == ("smscode", str(remote.id))
    assert (order.phone_number, order.cost) == (remote.phone_number, COST)
    assert order.expires_at == order.check_at == remote.expires_at
    assert await world.money() == BOUGHT


async def test_a_quantity_is_bought_in_one_call(world: World):
    purchase_id = await world.place(quantity=3)
    await world.settle()
    orders = await world.orders_of(purchase_id)
    assert [order.status for order in orders] == [OrderStatus.ACTIVE] * 3
    assert len({order.phone_number for order in orders}) == 3
    assert await world.money() == (MONEY - 3 * PRICE, 3 * PRICE, 0)


async def test_a_partial_success_releases_the_rest(world: World):
    world.vendor.find_product("wa", "ID").available = 2
    purchase_id = await world.place(quantity=5)
    await world.settle()
    assert sorted(await statuses(world, purchase_id)) == ["active"] * 2 + ["failed"] * 3
    assert await failure(world, purchase_id) == "out_of_stock"
    assert await world.money() == (MONEY - 2 * PRICE, 2 * PRICE, 0)
    assert world.vendor.balance == STOCKED - 2 * COST


async def test_sold_out_at_the_supplier_fails_and_releases(world: World):
    world.vendor.trouble.out_of_stock = True
    purchase_id = await world.place()
    await world.settle()
    assert await statuses(world, purchase_id) == [OrderStatus.FAILED]
    assert await failure(world, purchase_id) == "out_of_stock"
    assert await world.kinds() == ["hold", "release"]
    assert await world.money() == UNTOUCHED


async def test_a_supplier_that_broke_fails_releases_and_alerts_once(world: World):
    world.vendor.balance = COST - 1
    purchases = [await world.place(), await world.place()]
    await world.settle()
    for purchase_id in purchases:
        assert await statuses(world, purchase_id) == [OrderStatus.FAILED]
    assert world.sent.alerts == ["supplier_broke"]
    assert await world.money() == UNTOUCHED


async def test_a_refused_token_fails_releases_and_alerts(world: World):
    world.vendor.trouble.always = "401"
    purchase_id = await world.place()
    await world.settle()
    assert await statuses(world, purchase_id) == [OrderStatus.FAILED]
    assert world.sent.alerts == ["supplier_refuses"]
    assert await world.money() == UNTOUCHED


async def test_a_supplier_that_broke_is_noticed_after_a_lost_call_too(world: World):
    world.vendor.balance = COST - 1
    world.vendor.trouble.fail_next("timeout", path="/orders/create")
    await world.place()
    await world.settle()
    assert world.sent.alerts == ["supplier_broke"]
    assert await world.money() == UNTOUCHED


# Another supplier


@pytest.fixture
async def two(database: Database):
    """A second supplier sells the same, a little dearer."""
    async with world_on(database, vendors=("smscode", "second")) as world:
        world.vendor.find_product("wa", "ID").price = COST - 1_000
        await world.refresh()
        yield world


async def test_the_cheapest_supplier_is_asked_first(two: World):
    order = await two.rent()
    assert (order.supplier, order.cost) == ("smscode", COST - 1_000)


async def test_a_refusal_falls_back_to_the_next_supplier(two: World):
    two.vendor.trouble.out_of_stock = True
    order = await two.rent()
    assert (order.status, order.supplier, order.cost) == (OrderStatus.ACTIVE, "second", COST)
    assert await two.money() == BOUGHT


async def test_the_rest_of_a_quantity_comes_from_the_next_supplier(two: World):
    two.vendor.find_product("wa", "ID").available = 2
    purchase_id = await two.place(quantity=5)
    await two.settle()
    suppliers = [order.supplier for order in await two.orders_of(purchase_id)]
    assert sorted(map(str, suppliers)) == ["second"] * 3 + ["smscode"] * 2


async def test_a_route_above_the_price_on_the_button_is_not_taken(two: World):
    two.vendor.trouble.out_of_stock = True
    purchase_id = await two.place(price=PRICE - 1)
    await two.settle()
    assert await statuses(two, purchase_id) == [OrderStatus.FAILED]
    assert not two.outside.vendors["second"].orders


async def test_while_an_outcome_is_unknown_nobody_else_is_asked(two: World):
    two.vendor.trouble.always = "timeout"
    purchase_id = await two.place()
    await two.settle()
    assert await statuses(two, purchase_id) == [OrderStatus.PENDING]
    assert not two.outside.vendors["second"].orders


# Not accepted: nothing happened, so try again


@pytest.mark.parametrize("kind", ["429", "503"])
async def test_what_was_never_accepted_is_tried_again(world: World, kind):
    world.vendor.trouble.fail_next(kind, path="/orders/create")
    purchase_id = await world.place()
    await world.settle()
    assert await statuses(world, purchase_id) == [OrderStatus.PENDING]
    await world.pass_time(seconds=2)
    assert await statuses(world, purchase_id) == [OrderStatus.ACTIVE]
    assert world.vendor.balance == STOCKED - COST


async def test_retry_after_is_honoured(world: World):
    world.vendor.trouble.retry_after = timedelta(seconds=20)
    world.vendor.trouble.fail_next("429", path="/orders/create")
    purchase_id = await world.place()
    await world.settle()
    await world.pass_time(seconds=19)
    assert await statuses(world, purchase_id) == [OrderStatus.PENDING]
    await world.pass_time(seconds=1)
    assert await statuses(world, purchase_id) == [OrderStatus.ACTIVE]


async def test_a_supplier_that_stays_away_gives_the_money_back(world: World):
    purchase_id = await world.place()
    world.vendor.trouble.always = "503"
    await world.settle()
    for _ in range(6):
        await world.pass_time(seconds=20)
    assert await statuses(world, purchase_id) == [OrderStatus.FAILED]
    assert await failure(world, purchase_id) == "supplier_trouble"
    assert await world.money() == UNTOUCHED


# Unknown: it may have happened, so look first

UNREADABLE = ["500", "502", "html", "half_json", "empty", "timeout", "lost_answer"]


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_an_answer_that_says_nothing_ends_in_one_number(world: World, kind):
    world.vendor.trouble.fail_next(kind, path="/orders/create")
    order = await world.rent()
    assert order.status == OrderStatus.ACTIVE
    assert len(world.vendor.orders) == 1
    assert world.vendor.balance == STOCKED - COST
    assert await world.money() == BOUGHT


@pytest.mark.parametrize("kind", ["half_json", "lost_answer"])
async def test_a_number_whose_answers_are_all_lost_is_found_in_the_list(world: World, kind):
    world.vendor.trouble.fail_next(kind, times=2, path="/orders/create")
    order = await world.rent()
    assert order.supplier_ref == "1001"
    assert world.vendor.balance == STOCKED - COST


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_trouble_that_lasts_is_only_a_delay(world: World, kind):
    purchase_id = await world.place()
    world.vendor.trouble.always = kind
    await world.settle()
    await world.pass_time(minutes=5)
    assert await statuses(world, purchase_id) == [OrderStatus.PENDING]
    assert await world.money() == BOUGHT

    world.vendor.trouble.always = None
    await world.pass_time(minutes=2)
    assert await statuses(world, purchase_id) == [OrderStatus.ACTIVE]
    assert len(world.vendor.orders) == 1


async def test_trouble_of_days_is_only_a_delay(world: World):
    world.vendor.trouble.fail_next("lost_answer", path="/orders/create")
    purchase_id = await world.place()
    world.vendor.trouble.always = "503"
    await world.settle()
    await world.pass_time(hours=30)
    await world.pass_time(hours=1)
    world.vendor.trouble.always = None
    await world.pass_time(minutes=10)
    await world.expire()
    assert await statuses(world, purchase_id) == [OrderStatus.EXPIRED]
    assert await world.money() == UNTOUCHED


async def test_an_attempt_that_certainly_never_arrived_is_given_up(world: World):
    """Nothing in the list minutes after the call: it will not come, and the renter gets the money back."""
    purchase_id = await world.place()
    world.vendor.trouble.fail_next("timeout", times=50, path="/orders/create")
    await world.settle()
    for _ in range(10):
        await world.pass_time(minutes=1)
    assert await statuses(world, purchase_id) == [OrderStatus.FAILED]
    assert await world.money() == UNTOUCHED
    assert not world.vendor.orders


async def test_a_refused_repetition_does_not_forget_what_was_bought(gated: tuple[World, Gate]):
    """The supplier forgets keys, and its last money went into the number whose answer was lost."""
    world, gate = gated
    world.vendor.balance = COST
    world.vendor.trouble.fail_next("lost_answer", path="/orders/create")
    gate.drop_keys = True
    order = await world.rent()
    assert (order.status, order.supplier_ref) == (OrderStatus.ACTIVE, "1001")
    assert len(world.vendor.orders) == 1


async def test_two_purchases_with_lost_answers_get_a_number_each(world: World):
    world.vendor.trouble.fail_next("lost_answer", times=4, path="/orders/create")
    first, second = await world.place(), await world.place()
    await world.settle()
    await world.pass_time(minutes=1)
    refs = {order.supplier_ref for p in (first, second) for order in await world.orders_of(p)}
    assert refs == {"1001", "1002"}
    assert len(world.vendor.orders) == 2


async def test_a_number_that_the_answer_leaves_out_is_asked_for(gated: tuple[World, Gate]):
    world, gate = gated
    gate.hide_numbers = True
    order = await world.rent()
    assert order.phone_number == world.vendor.orders[1001].phone_number


async def test_a_bought_order_is_not_bought_again_while_its_number_cannot_be_asked_for(
    gated: tuple[World, Gate],
):
    world, gate = gated
    gate.hide_numbers = True
    world.vendor.trouble.fail_next("503", path="/orders/1001")
    purchase_id = await world.place()
    await world.settle()
    await world.pass_time(minutes=1)
    assert await statuses(world, purchase_id) == [OrderStatus.ACTIVE]
    assert len(world.vendor.orders) == 1
    assert world.vendor.balance == STOCKED - COST


async def test_a_look_in_the_list_does_not_take_anothers_number_for_good(gated: tuple[World, Gate]):
    """One answer was lost, another is late: both numbers are in the list while neither is ours yet."""
    world, gate = gated
    world.vendor.trouble.fail_next("lost_answer", times=2, path="/orders/create")
    world.vendor.trouble.fail_next("503", path="/orders")
    lost = await world.place()
    await world.settle()
    world.clock.advance(timedelta(seconds=30))
    await world.refresh()  # which finds the supplier well again

    gate.hold_next = 1
    late = await world.place()
    to_buy = await world.owed("buy")
    buying = asyncio.create_task(world.buying.buy(to_buy[1]))
    await gate.held.wait()
    world.vendor.trouble.fail_next("lost_answer", path="/orders/create")
    await world.buying.buy(to_buy[0])
    gate.open.set()
    await buying
    refs = {order.supplier_ref for p in (lost, late) for order in await world.orders_of(p)}
    assert refs == {"1001", "1002"}
    assert len(world.vendor.orders) == 2
    assert await world.balance(REVENUE) == 0

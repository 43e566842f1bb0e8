"""A supplier that can only sell: one number a call, codes by webhook, no way to ask what happened."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from db import deliveries, supplier_balances
from db.models import Attempt, AttemptStatus, OrderStatus, Orphan
from db.session import Database
from services.suppliers.base import Capabilities
from services.webhook_secrets import WebhookState
from tests.builders import (
    PANEL,
    PANEL_COST,
    PANEL_KEY,
    PANEL_PRICE,
    PUBLIC_URL,
    RENTER,
    WEBHOOK_KEY,
    World,
    restarted,
    world_on,
)

pytestmark = pytest.mark.anyio

MONEY = 100_000
UNTOUCHED = (MONEY, 0, 0)
ON_HOLD, PAID = (MONEY - PANEL_PRICE, PANEL_PRICE, 0), (MONEY - PANEL_PRICE, 0, PANEL_PRICE)


@pytest.fixture
async def world(database: Database):
    """Both suppliers; the panel is the cheaper one, for any service."""
    async with world_on(database, vendors=("smscode", PANEL), money=MONEY) as world:
        yield world


@pytest.fixture
def cheap():
    """What a Buy button for a number of the panel stands for: too cheap for anybody else."""
    return {"price": PANEL_PRICE}


class Gate(httpx.AsyncBaseTransport):
    """Between us and the panel: holds the answer back that brings a number."""

    def __init__(self) -> None:
        self.inner: httpx.AsyncBaseTransport | None = None
        self.held = asyncio.Event()
        self.open = asyncio.Event()

    def before(self, inner: httpx.AsyncBaseTransport) -> "Gate":
        self.inner = inner
        return self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert self.inner
        response = await self.inner.handle_async_request(request)
        if "/get-number/" in request.url.path:
            self.held.set()
            await self.open.wait()
        return response


@pytest.fixture
async def gated(database: Database):
    gate = Gate()
    async with world_on(database, vendors=(PANEL,), money=MONEY, between=gate.before) as world:
        yield world, gate
        gate.open.set()


async def orphans(world: World) -> list[Orphan]:
    async with world.database.read() as session:
        return list(await session.exec(select(Orphan)))


async def attempts(world: World) -> list[Attempt]:
    async with world.database.read() as session:
        return list(await session.exec(select(Attempt)))


async def post(world: World, phone_number: str, text: str, key: str = WEBHOOK_KEY) -> int:
    """A webhook as the panel sends it."""
    assert world.outside.receiver
    data = {"phone_number": phone_number, "otp_code": text[-6:], "provider": "X", "sms_text": text}
    body = json.dumps({"event": "otp_received", "data": data})
    async with httpx.AsyncClient(transport=world.outside.receiver, base_url=PUBLIC_URL) as client:
        answer = await client.post(f"/webhooks/{PANEL}/{key}", content=body)
    await world.settle()
    return answer.status_code


# Buying


async def test_a_purchase_brings_a_number_for_as_long_as_we_say(world: World, cheap):
    order = await world.rent(**cheap)
    [number] = world.panel.numbers.values()
    assert (order.status, order.supplier, order.cost) == (OrderStatus.ACTIVE, PANEL, PANEL_COST)
    assert order.phone_number == number.phone_number
    assert order.expires_at == order.check_at == world.clock.now() + timedelta(minutes=20)
    assert await world.money() == ON_HOLD


async def test_a_quantity_is_bought_one_by_one(world: World, cheap):
    purchase_id = await world.place(quantity=4, **cheap)
    await world.settle()
    orders = await world.orders_of(purchase_id)
    assert [order.status for order in orders] == [OrderStatus.ACTIVE] * 4
    assert len({order.phone_number for order in orders}) == len(world.panel.numbers) == 4


async def test_where_the_panel_runs_dry_the_rest_comes_from_another(world: World):
    world.panel.left = 2
    purchase_id = await world.place(quantity=3)
    await world.settle()
    sellers = [order.supplier for order in await world.orders_of(purchase_id)]
    assert sorted(map(str, sellers)) == [PANEL, PANEL, "smscode"]


async def test_no_number_is_refused_at_once_and_the_route_disappears_for_a_while(world: World, cheap):
    world.panel.trouble.out_of_stock = True
    purchase_id = await world.place(**cheap)
    await world.settle()
    assert [order.status for order in await world.orders_of(purchase_id)] == [OrderStatus.FAILED]
    assert await world.money() == UNTOUCHED
    line = world.catalog.line(world.service("whatsapp"), "ID")
    assert line
    assert [route.supplier for route in line.routes] == ["smscode"]
    await world.refresh()
    line = world.catalog.line(world.service("whatsapp"), "ID")
    assert line
    assert [route.supplier for route in line.routes] == [PANEL, "smscode"]


async def test_a_panel_that_cannot_be_reached_is_passed_over_at_once(world: World):
    world.panel.trouble.fail_next("429", path=PANEL_KEY)
    order = await world.rent()
    assert (order.status, order.supplier) == (OrderStatus.ACTIVE, "smscode")


@pytest.mark.parametrize("kind", ["timeout", "lost_answer", "half_json", "500"])
async def test_an_unclear_answer_fails_releases_and_flags(world: World, kind):
    world.panel.trouble.fail_next(kind, path=PANEL_KEY)
    purchase_id = await world.place(quantity=2)
    await world.settle()
    assert [order.status for order in await world.orders_of(purchase_id)] == [OrderStatus.FAILED] * 2
    assert (await world.orders.get_purchase(purchase_id)).purchase.failure == "supplier_trouble"
    assert await world.money() == UNTOUCHED
    assert world.sent.alerts == ["unclear"]
    assert len(world.panel.numbers) <= 1
    await world.pass_time(hours=1)
    assert len(world.panel.numbers) <= 1
    assert len(await attempts(world)) == 1


async def test_a_call_cut_off_by_a_crash_is_never_made_again(gated: tuple[World, Gate], cheap):
    world, gate = gated
    await world.place(**cheap)
    [message] = await world.owed("buy")
    buying = asyncio.create_task(world.buying.buy(message))
    await gate.held.wait()
    buying.cancel()
    async with restarted(world, world.database) as again:
        await again.settle()
        assert len(again.panel.numbers) == 1
        assert again.sent.alerts == ["unclear"]
        assert await again.money() == UNTOUCHED
        [attempt] = await attempts(again)
        assert attempt.status == AttemptStatus.REFUSED


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"is_active": False}, "the key is wrong"),
        ({"manager_is_active": False}, "our manager there is inactive"),
        ({"wants_user_id": True}, "set NUMBERPANEL_USER_ID"),
    ],
)
async def test_what_the_operator_must_mend_is_told_in_words(world: World, cheap, trouble, reason):
    for name, value in trouble.items():
        setattr(world.panel.account, name, value)
    purchase_id = await world.place(**cheap)
    await world.settle()
    assert (await world.orders.get_purchase(purchase_id)).purchase.failure == "supplier_trouble"
    assert world.sent.alerts == ["supplier_refuses"]
    assert reason in world.sent.of("alert")[0]["reason"]
    assert await world.money() == UNTOUCHED


# Codes


async def test_a_code_finds_its_order_by_the_number(world: World, cheap):
    order = await world.rent(**cheap)
    await world.receive(order, "123456")
    assert (await world.order(order)).status == OrderStatus.RECEIVED
    [sms] = await world.messages(order)
    assert (sms.code, sms.text, sms.late) == ("123456", "Your code is 123456", False)
    assert world.sent.codes == [sms.id]
    assert await world.money() == PAID


@pytest.mark.parametrize("form", ["full", "national", "remove_plus"])
async def test_in_whatever_format_the_number_is_written(world: World, cheap, form):
    world.panel.webhook_format = form
    order = await world.rent(**cheap)
    await world.receive(order, "123456")
    assert len(await world.messages(order)) == 1


async def test_a_repeated_webhook_shows_a_code_once(world: World, cheap):
    world.panel.trouble.duplicate_webhooks = True
    order = await world.rent(**cheap)
    await world.receive(order, "123456")
    await world.pass_time(minutes=5)
    await world.receive(order, "123456")
    assert len(world.sent.codes) == 1
    assert await world.money() == PAID


async def test_a_second_code_is_shown_and_free(world: World, cheap):
    order = await world.rent(**cheap)
    await world.receive(order, "123456")
    await world.receive(order, "654321")
    assert [sms.code for sms in await world.messages(order)] == ["123456", "654321"]
    assert await world.money() == PAID


async def test_a_number_that_came_again_belongs_to_its_newest_holder(world: World, cheap):
    await world.renter(2002)
    first = await world.rent(**cheap)
    assert first.phone_number
    world.panel.next_numbers.append(first.phone_number)
    second = await world.rent(2002, **cheap)
    assert second.phone_number == first.phone_number
    assert await post(world, first.phone_number, "Your code is 123456") == 200
    assert await world.messages(first) == []
    assert [sms.code for sms in await world.messages(second)] == ["123456"]


async def test_the_same_sms_may_come_again_for_the_next_holder(world: World, cheap):
    first = await world.rent(**cheap)
    assert first.phone_number
    await world.receive(first, "123456")
    await world.pass_time(minutes=21)
    await world.expire()
    world.panel.next_numbers.append(first.phone_number)
    second = await world.rent(**cheap)
    await post(world, first.phone_number, "Your code is 123456")
    assert [sms.code for sms in await world.messages(second)] == ["123456"]


async def test_a_whole_number_without_its_plus_is_not_taken_for_a_national_one(world: World, cheap):
    world.panel.next_numbers += ["+254712345678", "+62254712345678"]
    kenyan = await world.rent(country="KE", **cheap)
    indonesian = await world.rent(**cheap)
    assert await post(world, "254712345678", "Your code is 123456") == 200
    assert len(await world.messages(kenyan)) == 1
    assert await world.messages(indonesian) == []


async def test_national_digits_that_fit_two_countries_belong_to_nobody(world: World, cheap):
    world.panel.next_numbers += ["+62712345678", "+254712345678"]
    indonesian = await world.rent(**cheap)
    kenyan = await world.rent(country="KE", **cheap)
    assert await post(world, "0712345678", "Your code is 123456") == 200
    assert await world.messages(indonesian) + await world.messages(kenyan) == []
    assert [orphan.code for orphan in await orphans(world)] == ["123456"]


# Nobody's


async def test_an_unknown_number_is_kept_with_its_sms_and_shown(world: World):
    assert await post(world, "+62813999999", "Your code is 123456") == 200
    [orphan] = await orphans(world)
    assert (orphan.supplier, orphan.phone_number) == (PANEL, "+62813999999")
    assert (orphan.code, orphan.text) == ("123456", "Your code is 123456")
    assert world.sent.alerts == ["orphan_sms"]
    assert "62813999999" not in str(world.sent)


async def test_more_for_the_same_unknown_number_is_kept_without_another_alert(world: World):
    for code in ("111111", "222222"):
        await post(world, "+62813999999", f"Your code is {code}")
    assert [orphan.code for orphan in await orphans(world)] == ["111111", "222222"]
    assert world.sent.alerts == ["orphan_sms"]


async def test_an_sms_while_a_number_is_being_bought_waits_for_the_outcome(gated: tuple[World, Gate], cheap):
    """The webhook may be faster than the commit of the purchase whose number it is for."""
    world, gate = gated
    await world.place(**cheap)
    [message] = await world.owed("buy")
    buying = asyncio.create_task(world.buying.buy(message))
    await gate.held.wait()
    await world.panel.receive_sms(max(world.panel.numbers), "Your code is 123456")
    await world.panel.settle()
    await world.deliveries.settle()
    assert await orphans(world) == []
    gate.open.set()
    await buying
    world.clock.advance(timedelta(seconds=6))
    await world.deliveries.sweep()
    await world.settle()
    assert len(world.sent.codes) == 1
    assert await orphans(world) == []


# The end


async def test_our_clock_ends_it_and_the_money_goes_back(world: World, cheap):
    order = await world.rent(**cheap)
    await world.pass_time(minutes=20)
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.EXPIRED
    assert await world.money() == UNTOUCHED


async def test_a_number_with_its_code_is_completed_at_the_end(world: World, cheap):
    order = await world.rent(**cheap)
    await world.receive(order, "123456")
    await world.pass_time(minutes=20)
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.COMPLETED
    assert await world.money() == PAID


async def test_a_code_that_was_told_in_time_counts_though_it_is_handled_late(world: World, cheap):
    order = await world.rent(**cheap)
    data = {"phone_number": order.phone_number, "otp_code": "123456"}
    body = json.dumps({"event": "otp_received", "data": data})
    # As a crash leaves it: stored and acknowledged, and nobody has come to it.
    told = deliveries.NewDelivery(PANEL, "1", body)
    await deliveries.store(world.database, [told], received_at=world.clock.now())
    await world.pass_time(minutes=20)
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.ACTIVE
    await world.deliveries.sweep()
    await world.settle()
    await world.pass_time(seconds=5)
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.COMPLETED
    assert await world.money() == PAID


async def test_a_code_after_the_end_is_kept_and_not_shown(world: World, cheap):
    order = await world.rent(**cheap)
    await world.pass_time(minutes=21)
    await world.expire()
    await world.receive(order, "123456")
    assert [sms.late for sms in await world.messages(order)] == [True]
    assert world.sent.codes == []
    assert await orphans(world) == []
    assert await world.money() == UNTOUCHED


async def test_hours_after_the_end_it_is_nobodys(world: World, cheap):
    order = await world.rent(**cheap)
    await world.pass_time(minutes=21)
    await world.expire()
    await world.pass_time(hours=2)
    await world.receive(order, "123456")
    assert await world.messages(order) == []
    assert len(await orphans(world)) == 1


async def test_nothing_is_asked_that_the_panel_cannot_answer(world: World, cheap):
    order = await world.rent(**cheap)
    [view] = (await world.orders.get_order(order.id or 0, user_id=RENTER)).orders
    assert view.can == Capabilities()
    world.panel.trouble.always = "500"
    await world.reconcile()
    assert not world.suppliers.health(PANEL).last_error
    assert world.registration.states[PANEL] == WebhookState("by_hand")


async def test_a_balance_that_nobody_tells_is_not_asked_for(world: World):
    await world.balances.take(PANEL)
    async with world.database.read() as session:
        assert await supplier_balances.find_last(session, PANEL) is None


# Its webhook


@pytest.mark.parametrize(
    "key", ["", "/", "/guess", f"/{WEBHOOK_KEY}x", f"/{WEBHOOK_KEY}/", f"/{WEBHOOK_KEY}/x"]
)
async def test_at_any_other_path_nothing_is_there(world: World, cheap, key):
    order = await world.rent(**cheap)
    assert world.outside.receiver
    body = {"event": "otp_received", "data": {"phone_number": order.phone_number, "otp_code": "1234"}}
    async with httpx.AsyncClient(transport=world.outside.receiver, base_url=PUBLIC_URL) as client:
        answer = await client.post(f"/webhooks/{PANEL}{key}", json=body)
    assert answer.status_code == 404
    await world.settle()
    assert await world.messages(order) == []

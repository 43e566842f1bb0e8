"""What happens to a number once it is rented: its codes, and how it ends."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy

from db import orders as db_orders
from db.models import Order, OrderStatus
from db.session import Database
from sandbox.smscode import sign
from services.errors import NotPossible, OrderNotFound
from services.suppliers.base import RemoteSms
from tests.builders import COST, PRICE, PUBLIC_URL, RENTER, World, world_on

pytestmark = pytest.mark.anyio

MONEY = 10 * PRICE


async def codes_of(world: World, order: Order) -> list[str | None]:
    return [message.code for message in await world.messages(order)]


async def post(world: World, body: bytes) -> int:
    """A webhook that bears the right signature, as bytes of our own choice."""
    headers = {"X-Webhook-Signature": sign(body, world.vendor.webhook_secret or "")}
    request = httpx.Request("POST", f"{PUBLIC_URL}/webhooks/smscode", content=body, headers=headers)
    assert world.outside.receiver
    response = await world.outside.receiver.handle_async_request(request)
    await world.settle()
    return response.status_code


def otp_event(order: Order, code: str, text: str = "", *, at: str = "2026-02-25T10:00:00Z") -> bytes:
    return (
        f'{{"event":"order.otp_received","timestamp":"{at}","data":{{"order_id":{order.supplier_ref},'
        f'"otp_code":"{code}","otp_message":"{text or code}"}}}}'
    ).encode()


# Codes


async def test_the_first_code_captures_and_is_announced_once(world: World):
    order = await world.rent()
    assert await world.money() == (MONEY - PRICE, PRICE, 0)
    await world.receive(order, "123456")

    assert await codes_of(world, order) == ["123456"]
    assert len(world.sent.codes) == 1
    assert (await world.order(order)).status == OrderStatus.RECEIVED
    assert await world.kinds() == ["hold", "capture"]
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_second_code_is_shown_and_costs_nothing(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    await world.receive(order, "654321")
    assert await codes_of(world, order) == ["123456", "654321"]
    assert len(world.sent.codes) == 2
    assert await world.kinds() == ["hold", "capture"]


async def test_on_sqlite_a_code_passes_those_who_waited_to_write_before_it(sqlite_url: str):
    database = Database(sqlite_url)
    saw_code: list[bool] = []
    gate, has_begun = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.write():
            has_begun.set()
            await gate.wait()

    async def look(order: Order) -> None:
        async with database.write() as session:
            found = await db_orders.find(session, order.id or 0)
            saw_code.append(found is not None and found.status == OrderStatus.RECEIVED)

    async with world_on(database) as world:
        order = await world.rent()
        holding = asyncio.create_task(hold())
        await has_begun.wait()
        waiting = [asyncio.create_task(look(order)) for _ in range(8)]
        await asyncio.sleep(0)
        code = asyncio.create_task(world.receive(order, "123456"))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(holding, *waiting, code)
    await database.aclose()
    assert saw_code[-1]


async def test_duplicate_webhooks_show_a_code_once(world: World):
    world.vendor.trouble.duplicate_webhooks = True
    order = await world.rent()
    await world.receive(order, "123456")
    assert len(world.sent.codes) == 1


async def test_the_same_message_in_other_bytes_is_shown_once(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    assert await post(world, otp_event(order, "123456", at="2026-02-25T10:00:01Z")) == 200
    assert len(world.sent.codes) == 1


async def test_a_webhook_and_the_reconciliation_tell_of_one_code(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    await world.reconcile()
    await world.rentals.sync(await world.order(order))
    assert len(world.sent.codes) == 1


async def test_a_code_learnt_without_its_text_gets_it_later(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.receive(order, "123456")
    await world.rentals.sync(order)
    [message] = await world.messages(order)
    assert message.text is None
    await world.reconcile()
    [message] = await world.messages(order)
    assert message.text == "Your code is 123456"
    assert len(world.sent.codes) == 1


async def test_without_any_webhook_the_reconciliation_finds_the_code(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.receive(order, "123456")
    assert not world.sent.codes
    await world.reconcile()
    assert len(world.sent.codes) == 1
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_code_whose_event_was_lost_is_found_when_the_order_completes(world: World):
    order = await world.rent()
    world.vendor.trouble.drop_webhooks = True
    await world.receive(order, "123456")
    world.vendor.trouble.drop_webhooks = False
    world.vendor.finish(int(order.supplier_ref or 0))
    await world.settle()
    await world.expire()
    assert await codes_of(world, order) == ["123456"]
    assert (await world.order(order)).status == OrderStatus.COMPLETED
    assert await world.kinds() == ["hold", "capture"]


async def test_codes_in_the_wrong_order_are_both_shown(world: World):
    order = await world.rent()
    world.vendor.trouble.drop_webhooks = True
    await world.receive(order, "111111")
    await world.receive(order, "222222")
    assert await post(world, otp_event(order, "222222")) == 200
    assert await post(world, otp_event(order, "111111")) == 200
    assert await codes_of(world, order) == ["222222", "111111"]
    assert len(world.sent.codes) == 2


async def test_a_code_after_the_event_of_the_end_is_shown(world: World):
    order = await world.rent()
    await world.receive(order, "111111")
    world.vendor.finish(int(order.supplier_ref or 0))
    await world.settle()
    assert await post(world, otp_event(order, "222222")) == 200
    assert len(world.sent.codes) == 2


async def test_a_webhook_of_an_order_that_is_not_ours_changes_nothing(world: World):
    order = await world.rent()
    body = otp_event(order, "123456").replace((order.supplier_ref or "").encode(), b"999999")
    assert await post(world, body) == 200
    assert not world.sent.codes
    assert await world.money() == (MONEY - PRICE, PRICE, 0)


@pytest.mark.parametrize("event", ["order.expired", "order.canceled", "order.completed"])
async def test_a_false_event_of_an_end_changes_nothing(world: World, event: str):
    """The order itself is asked: what was said in an event may have been overtaken."""
    order = await world.rent()
    body = (
        f'{{"event":"{event}","timestamp":"2026-02-25T10:00:00Z","data":{{"order_id":{order.supplier_ref}}}}}'
    )
    assert await post(world, body.encode()) == 200
    assert (await world.order(order)).status == OrderStatus.ACTIVE


async def test_a_code_that_comes_while_the_order_is_being_finished_is_shown(world: World):
    order = await world.rent()
    await world.receive(order, "111111")
    async with world.database.write() as session:
        await db_orders.move(
            session,
            order.id or 0,
            OrderStatus.COMPLETED,
            from_=[OrderStatus.RECEIVED],
            ended_at=world.clock.now(),
        )
        coming = asyncio.create_task(post(world, otp_event(order, "222222")))
        await until_it_waits(world.database)
    assert await coming == 200
    assert [message.late for message in await world.messages(order)] == [False, False]
    assert len(world.sent.codes) == 2


async def until_it_waits(database: Database) -> None:
    """Until somebody waits for our transaction; on SQLite whoever writes does."""
    if database.is_sqlite:
        return
    waiting = sqlalchemy.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(30), database.read() as session:
        while not await (await session.connection()).scalar(waiting):
            await session.rollback()


# Resending


async def test_the_same_code_after_a_resend_is_shown_again(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    await world.pass_time(seconds=30)
    await world.orders.resend(RENTER, order.id or 0)
    await world.settle()
    assert (await world.order(order)).notice == "resent"
    await world.pass_time(seconds=5)
    await world.receive(order, "123456")
    await world.reconcile()
    assert len(world.sent.codes) == 2
    assert await world.kinds() == ["hold", "capture"]


async def test_the_same_code_within_the_second_of_the_resend_is_shown_again(world: World):
    """Suppliers tell whole seconds, our clock tells microseconds."""
    order = await world.rent()
    await world.receive(order, "123456")
    await world.pass_time(seconds=30.4)
    await world.orders.resend(RENTER, order.id or 0)
    await world.settle()
    await world.pass_time(seconds=0.3)
    await world.receive(order, "123456")
    assert len(world.sent.codes) == 2


async def test_a_code_from_before_the_resend_is_not_shown_again(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    await world.pass_time(seconds=30)
    await world.orders.resend(RENTER, order.id or 0)
    await world.settle()
    assert await post(world, otp_event(order, "123456", at="2026-02-25T10:00:01Z")) == 200
    assert len(world.sent.codes) == 1


async def test_a_refused_resend_shows_nothing_twice(world: World):
    facebook = world.service("facebook")  # which sends no second SMS
    order = await world.rent(service_id=facebook, price=6_000)
    await world.receive(order, "123456")
    await world.orders.resend(RENTER, order.id or 0)
    await world.settle()
    assert (await world.order(order)).notice == "resend_refused"
    await world.reconcile()
    assert len(world.sent.codes) == 1


async def test_a_refused_resend_can_be_asked_for_again(world: World):
    order = await world.rent(service_id=world.service("facebook"), price=6_000)
    for _ in range(2):
        await world.orders.resend(RENTER, order.id or 0)
        assert (await world.order(order)).notice == "resend_asked"
        await world.settle()
        assert (await world.order(order)).notice == "resend_refused"


async def test_resending_twice_before_the_answer_asks_once(world: World):
    order = await world.rent()
    await world.orders.resend(RENTER, order.id or 0)
    await world.orders.resend(RENTER, order.id or 0)
    await world.settle()
    assert (await world.order(order)).resends == 1


# Expiry


async def test_an_expired_order_gives_all_its_money_back(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=20)
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.EXPIRED
    assert await world.kinds() == ["hold", "release"]
    assert await world.money() == (MONEY, 0, 0)


async def test_expiry_waits_for_a_supplier_that_is_down_and_releases_later(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=20)
    world.vendor.trouble.always = "503"
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.ACTIVE
    assert await world.money() == (MONEY - PRICE, PRICE, 0)

    world.vendor.trouble.always = None
    await world.pass_time(seconds=30)
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.EXPIRED
    assert await world.money() == (MONEY, 0, 0)


async def test_a_code_that_came_just_before_the_expiry_wins(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=19, seconds=59)
    await world.receive(order, "123456")
    await world.pass_time(seconds=1)
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.COMPLETED
    assert len(world.sent.codes) == 1
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_our_clock_may_be_ahead_of_the_suppliers(world: World):
    order = await world.rent()
    async with world.database.write() as session:
        now = world.clock.now()
        await db_orders.change(session, order.id or 0, check_at=now, expires_at=now)
    await world.expire()
    order = await world.order(order)
    assert order.status == OrderStatus.ACTIVE
    assert order.check_at == world.clock.now() + timedelta(seconds=5)


async def test_an_order_that_its_supplier_has_forgotten_is_released_when_its_time_is_up(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=20)
    del world.vendor.orders[int(order.supplier_ref or 0)]
    await world.reconcile()
    assert (await world.order(order)).status == OrderStatus.ACTIVE
    await world.expire()
    assert (await world.order(order)).status == OrderStatus.EXPIRED
    assert await world.money() == (MONEY, 0, 0)


# Cancelling and finishing


async def test_cancelling_early_is_done_as_soon_as_possible(world: World):
    order = await world.rent()
    possible_at = await world.orders.cancel(RENTER, order.id or 0)
    assert possible_at == world.clock.now() + timedelta(minutes=2)
    await world.settle()
    assert (await world.order(order)).status == OrderStatus.ACTIVE
    await world.pass_time(minutes=2)
    assert (await world.order(order)).status == OrderStatus.CANCELED
    assert await world.kinds() == ["hold", "release"]
    assert await world.money() == (MONEY, 0, 0)
    assert world.vendor.balance == 50_000_000


async def test_a_code_comes_before_a_cancellation_that_waits(world: World):
    order = await world.rent()
    await world.orders.cancel(RENTER, order.id or 0)
    await world.receive(order, "123456")
    await world.pass_time(minutes=2)
    assert (await world.order(order)).status == OrderStatus.RECEIVED
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_code_that_we_have_not_heard_of_comes_before_a_cancellation(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=3)
    await world.receive(order, "123456")
    assert await world.orders.cancel(RENTER, order.id or 0) is None
    await world.settle()
    order = await world.order(order)
    assert (order.status, order.notice) == (OrderStatus.RECEIVED, None)
    assert len(world.sent.codes) == 1
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_supplier_that_wants_more_time_is_asked_again(world: World):
    order = await world.rent()
    async with world.database.write() as session:
        earlier = world.clock.now() - timedelta(minutes=5)
        await db_orders.change(session, order.id or 0, activated_at=earlier)
    assert await world.orders.cancel(RENTER, order.id or 0) is None
    await world.settle()
    assert (await world.order(order)).status == OrderStatus.ACTIVE
    await world.pass_time(minutes=2)
    assert (await world.order(order)).status == OrderStatus.CANCELED


async def test_a_cancellation_whose_answer_was_lost_ends_once(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=3)
    world.vendor.trouble.fail_next("lost_answer", path="/orders/cancel")
    await world.orders.cancel(RENTER, order.id or 0)
    await world.settle()
    await world.pass_time(seconds=5)
    order = await world.order(order)
    assert (order.status, order.notice) == (OrderStatus.CANCELED, None)
    assert await world.kinds() == ["hold", "release"]


async def test_a_refused_cancellation_can_be_tried_again(world: World):
    order = await world.rent()
    await world.pass_time(minutes=3)
    remote = world.vendor.orders[int(order.supplier_ref or 0)]
    remote.messages.append("a message without a word")  # for which the sandbox refuses to cancel
    await world.orders.cancel(RENTER, order.id or 0)
    await world.settle()
    refused = await world.order(order)
    assert (refused.status, refused.notice) == (OrderStatus.ACTIVE, "cancel_refused")
    assert refused.cancel_requested_at is None

    remote.messages.clear()
    await world.orders.cancel(RENTER, order.id or 0)
    await world.settle()
    assert (await world.order(order)).status == OrderStatus.CANCELED
    assert await world.money() == (MONEY, 0, 0)


async def test_cancelling_twice_is_cancelling_once(world: World):
    order = await world.rent()
    await world.orders.cancel(RENTER, order.id or 0)
    await world.orders.cancel(RENTER, order.id or 0)
    await world.pass_time(minutes=2)
    assert await world.kinds() == ["hold", "release"]


async def test_an_order_that_has_its_code_cannot_be_cancelled(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    with pytest.raises(NotPossible):
        await world.orders.cancel(RENTER, order.id or 0)


async def test_finishing_lets_the_number_go(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    await world.orders.finish(RENTER, order.id or 0)
    await world.orders.finish(RENTER, order.id or 0)
    await world.settle()
    assert (await world.order(order)).status == OrderStatus.COMPLETED
    assert not world.vendor.open
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_an_order_without_a_code_cannot_be_finished(world: World):
    order = await world.rent()
    with pytest.raises(NotPossible):
        await world.orders.finish(RENTER, order.id or 0)


@pytest.mark.parametrize("action", ["cancel", "finish", "resend"])
async def test_nobody_touches_the_order_of_another(world: World, action: str):
    order = await world.rent()
    stranger = await world.renter(1002)
    with pytest.raises(OrderNotFound):
        await getattr(world.orders, action)(stranger, order.id)


async def test_a_late_code_is_kept_but_not_shown_and_the_money_stays(world: World):
    order = await world.rent()
    await world.orders.cancel(RENTER, order.id or 0)
    await world.pass_time(minutes=2)
    assert await post(world, otp_event(order, "123456")) == 200
    [message] = await world.messages(order)
    assert message.late
    assert not world.sent.codes
    assert (await world.order(order)).status == OrderStatus.CANCELED
    assert await world.money() == (MONEY, 0, 0)


# Reconciliation


async def test_an_orphan_is_reported_once(world: World):
    world.vendor.buy(142, 1)
    await world.reconcile()
    await world.reconcile()
    assert world.sent.alerts == ["orphan"]


async def test_a_number_of_a_purchase_under_way_is_no_orphan(world: World):
    world.vendor.trouble.fail_next("lost_answer", times=2, path="/orders/create")
    world.vendor.trouble.fail_next("503", path="/orders")
    await world.place()
    await world.settle()
    assert len(world.vendor.orders) == 1
    await world.reconcile()
    assert not world.sent.alerts
    await world.pass_time(seconds=10)
    await world.reconcile()
    assert not world.sent.alerts
    assert await world.money() == (MONEY - PRICE, PRICE, 0)


async def test_the_reconciliation_ends_what_ended_at_the_supplier(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=3)
    world.vendor.cancel(int(order.supplier_ref or 0))
    await world.reconcile()
    assert (await world.order(order)).status == OrderStatus.CANCELED
    assert await world.money() == (MONEY, 0, 0)


async def test_a_number_bought_and_over_between_two_comparisons_is_noticed(world: World):
    await world.reconcile()
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.pass_time(minutes=3)
    world.vendor.cancel(int(order.supplier_ref or 0))
    await world.reconcile()
    assert (await world.order(order)).status == OrderStatus.CANCELED


async def test_a_missing_order_that_could_not_be_looked_up_is_looked_up_again(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    await world.reconcile()
    await world.pass_time(minutes=3)
    world.vendor.cancel(int(order.supplier_ref or 0))
    world.vendor.trouble.fail_next("503", path=f"/orders/{order.supplier_ref}")
    await world.reconcile()
    assert (await world.order(order)).status == OrderStatus.ACTIVE
    await world.reconcile()
    assert (await world.order(order)).status == OrderStatus.CANCELED


async def test_every_code_is_found_though_the_list_was_seen_before(world: World):
    world.vendor.trouble.drop_webhooks = True
    order = await world.rent()
    for code in ("123456", "234567"):
        await world.reconcile()
        await world.receive(order, code)
    await world.reconcile()
    assert [message.code for message in await world.messages(order)] == ["123456", "234567"]
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_code_listed_while_its_purchase_is_being_written_is_found_at_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    sold, waiting_of_refs = world.buying._sold, db_orders.waiting_of_refs
    bought, gate = asyncio.Event(), asyncio.Event()

    async def sold_behind_the_gate(*args: Any) -> None:
        bought.set()
        await gate.wait()
        await sold(*args)

    async def written_right_after(*args: Any) -> list[Order]:
        found = await waiting_of_refs(*args)
        gate.set()
        await renting
        return found

    monkeypatch.setattr(world.buying, "_sold", sold_behind_the_gate)
    monkeypatch.setattr(db_orders, "waiting_of_refs", written_right_after)
    world.vendor.trouble.drop_webhooks = True
    renting = asyncio.create_task(world.rent())
    await bought.wait()
    await world.vendor.receive_sms(next(iter(world.vendor.orders)), "Your code is 123456")
    await world.reconcile()
    await world.reconcile()
    assert await codes_of(world, await renting) == ["123456"]


async def test_one_suppliers_trouble_leaves_the_other_working(database: Database):
    async with world_on(database, vendors=("smscode", "second")) as world:
        world.outside.vendors["second"].trouble.always = "timeout"
        order = await world.rent()
        await world.receive(order, "123456")
        assert len(world.sent.codes) == 1
        assert world.vendor.balance == 50_000_000 - COST


async def test_a_text_without_a_code_is_shown_beside_one_with_a_code(world: World):
    order = await world.rent()
    for words, code in (("Your code is 1234", "1234"), ("Open the link to go on", None)):
        async with world.database.write() as session:
            await world.codes.record(session, order.id or 0, RemoteSms(code, words, world.clock.now()))
    await world.settle()
    assert len(world.sent.codes) == 2


async def test_an_old_code_is_not_news_after_any_number_of_resends(world: World):
    order = await world.rent()
    first = RemoteSms("1234", "Your code is 1234", world.clock.now())
    for resends in range(4):
        async with world.database.write() as session:
            await world.codes.record(session, order.id or 0, first)
            world.clock.advance(timedelta(seconds=30))
            await db_orders.change(session, order.id or 0, resends=resends + 1, resent_at=world.clock.now())
    await world.settle()
    assert len(world.sent.codes) == 1


async def test_a_closing_event_asks_nobody_while_it_is_handled(world: World):
    order = await world.rent()
    world.vendor.trouble.fail_next("503", times=5)
    body = f'{{"event":"order.expired","timestamp":"x","data":{{"order_id":{order.supplier_ref}}}}}'
    assert await post(world, body.encode()) == 200
    assert len(world.vendor.trouble.faults) == 5
    assert (await world.order(order)).check_at == world.clock.now()

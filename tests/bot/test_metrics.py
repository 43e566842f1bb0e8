"""What Prometheus reads, after things have happened."""

import asyncio
import time
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from bot.metrics import add_up, listen, measure, measured
from bot.webhooks import Readiness
from db.session import Database
from sandbox.telegram import Refusal
from services.deliveries import Source
from tests.builders import PRICE, World, world_on
from tests.crash.stage import until

pytestmark = pytest.mark.anyio


def value(name: str, **labels: str) -> float:
    """A sample as it stands; zero for one that is not there."""
    return REGISTRY.get_sample_value(name, labels) or 0


async def all_is_well() -> Readiness:
    return Readiness(ok=True, says="ready")


async def all_is_not() -> Readiness:
    return Readiness(ok=False, says="Telegram cannot be reached")


@pytest.fixture
async def world(database: Database):
    async with world_on(database) as world:
        yield world
        await world.deliveries.settle()


async def look(world: World) -> None:
    await measure(world.database, world.clock, all_is_well, leads=lambda: True)


async def test_open_orders_are_counted_by_supplier_and_state(world):
    await world.rent()
    await look(world)
    assert value("numlet_open_orders", supplier="smscode", status="active") == 1


async def test_what_is_over_is_no_longer_counted(world):
    order = await world.rent()
    await look(world)
    await world.pass_time(minutes=21)
    await world.expire()
    assert (await world.order(order)).status == "expired"
    await look(world)
    assert value("numlet_open_orders", supplier="smscode", status="active") == 0


async def test_the_end_of_an_order_is_counted_for_its_supplier(world):
    def ended(status: str) -> float:
        return value("numlet_orders_total", supplier="smscode", status=status)

    before = {status: ended(status) for status in ("active", "received", "expired")}
    await world.receive(await world.rent(), "482913")
    await world.rent()
    await world.pass_time(minutes=21)
    await world.expire()
    assert {status: ended(status) - count for status, count in before.items()} == {
        "active": 2,
        "received": 1,
        "expired": 1,
    }


async def test_what_nobody_sells_is_counted_without_a_supplier(world):
    before = value("numlet_orders_total", supplier="", status="failed")
    world.vendor.products.clear()
    await world.rent(quantity=2)
    assert value("numlet_orders_total", supplier="", status="failed") - before == 2


async def test_the_outbox_is_as_old_as_the_oldest_promise_that_came_due(world):
    await world.rent()
    async with world.database.write() as session:
        await world.announcer.alert(session, "orphan", "1")
    world.clock.advance(timedelta(seconds=40))
    async with world.database.write() as session:
        await world.announcer.alert(session, "orphan", "2")
    await look(world)
    assert value("numlet_outbox_owed", lane="REPLY") == 2
    assert value("numlet_outbox_oldest_seconds", lane="REPLY") == 40
    assert value("numlet_outbox_oldest_seconds", lane="CODE") == 0


async def test_a_promise_for_later_is_owed_and_has_no_age(world):
    async with world.database.write() as session:
        await world.outbox.add(
            session,
            "alert",
            {},
            lane="REPLY",
            serial="s",
            key="k",
            due_at=world.clock.now() + timedelta(hours=1),
        )
    world.clock.advance(timedelta(minutes=30))
    await look(world)
    assert value("numlet_outbox_owed", lane="REPLY") == 1
    assert value("numlet_outbox_oldest_seconds", lane="REPLY") == 0


async def test_a_promise_for_later_is_as_old_as_it_is_due(world):
    async with world.database.write() as session:
        later = world.clock.now() + timedelta(hours=1)
        await world.outbox.add(session, "alert", {}, lane="REPLY", serial="s", key="k", due_at=later)
    world.clock.advance(timedelta(hours=1, seconds=5))
    await look(world)
    assert value("numlet_outbox_oldest_seconds", lane="REPLY") == 5


async def test_what_was_put_off_keeps_its_age(world):
    async def fail(_message):
        raise ValueError

    world.outbox.register({"alert": fail})
    async with world.database.write() as session:
        await world.announcer.alert(session, "orphan", "1")
    failures = value("numlet_outbox_tries_total", kind="alert", result="failed")
    await world.outbox.drain()
    world.clock.advance(timedelta(seconds=1))
    await look(world)
    assert value("numlet_outbox_oldest_seconds", lane="REPLY") == 1
    assert value("numlet_outbox_tries_total", kind="alert", result="failed") - failures == 1


async def test_an_event_that_nobody_handles_shows_its_age(world):
    await world.inbox.store("somebody", "1", "{}", serial="s")
    world.clock.advance(timedelta(seconds=70))
    await look(world)
    assert value("numlet_inbox_unhandled", source="somebody") == 1
    assert value("numlet_inbox_oldest_seconds", source="somebody") == 70

    async def handle(_delivery):
        pass

    world.deliveries.register({"somebody": Source(handle, str)})
    await world.deliveries.sweep()
    await world.deliveries.settle()
    await look(world)
    assert value("numlet_inbox_unhandled", source="somebody") == 0


async def test_the_money_is_added_up_by_kind_and_comes_to_nothing(world):
    await world.receive(await world.rent(), "482913")
    await world.rent()
    await add_up(world.database)
    held = {
        kind: value("numlet_account_balance", kind=kind, currency="IDR")
        for kind in ("wallet", "held", "revenue", "gateway")
    }
    assert held == {"wallet": 8 * PRICE, "held": PRICE, "revenue": PRICE, "gateway": -10 * PRICE}
    assert sum(held.values()) == 0


async def test_what_cannot_work_and_what_stands_by_is_seen(world):
    await look(world)
    assert (value("numlet_ready"), value("numlet_leads")) == (1, 1)
    await measure(world.database, world.clock, all_is_not, leads=lambda: False)
    assert (value("numlet_ready"), value("numlet_leads")) == (0, 0)


async def test_the_gauges_are_kept_while_the_block_runs(world):
    await look(world)
    async with measured(world.database, world.clock, all_is_not, leads=lambda: False):
        await until(lambda: value("numlet_ready") == 0)


async def test_a_loop_that_is_held_up_is_noticed():
    count, lag = value("numlet_loop_lag_seconds_count"), value("numlet_loop_lag_seconds_sum")
    listening = asyncio.create_task(listen(timedelta(milliseconds=1)))
    asyncio.get_running_loop().call_soon(time.sleep, 0.05)  # the fault itself: nothing else runs meanwhile
    await until(lambda: value("numlet_loop_lag_seconds_count") > count)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert value("numlet_loop_lag_seconds_sum") - lag >= 0.04


def latencies(via: str) -> tuple[float, float]:
    """How many codes were shown, and how long they took together."""
    return value("numlet_code_seconds_count", via=via), value("numlet_code_seconds_sum", via=via)


async def test_a_code_is_timed_from_its_webhook_until_telegram_has_it(stage, ann):
    order = await stage.world.rent(42)
    count, seconds = latencies("webhook")
    methods = stage.telegram.methods
    send = methods["sendmessage"]

    def refuse(_params):
        raise Refusal(429, "Too Many Requests: retry after 7", retry_after=7)

    methods["sendmessage"] = refuse
    await stage.world.receive(order, "482913")
    methods["sendmessage"] = send
    assert latencies("webhook") == (count, seconds)
    await stage.world.pass_time(seconds=7)
    assert latencies("webhook") == (count + 1, seconds + 7)


async def test_a_code_that_had_to_be_asked_for_is_counted_apart(stage, ann):
    order = await stage.world.rent(42)
    before = latencies("webhook")[0], latencies("asking")[0]
    stage.world.outside.receiver = None
    await stage.world.receive(order, "482913")
    await stage.world.reconcile()
    assert (latencies("webhook")[0], latencies("asking")[0]) == (before[0], before[1] + 1)

"""What is not sold: it disappears at once, whatever was sold before goes on."""

from datetime import timedelta

import pytest

from db.session import Database
from services.acts import Trail
from services.errors import OutOfStock
from services.scopes import Scope
from tests.builders import PANEL, PRICE, World, restarted, world_on

pytestmark = pytest.mark.anyio

OWNER = 1


async def pause(world: World, scope: Scope, *, hours: int | None = None) -> None:
    until = world.clock.now() + timedelta(hours=hours) if hours else None
    await world.pauses.pause(scope, until=until, by=OWNER, subject=world.catalog.subject(scope))


async def resume(world: World, scope: Scope) -> None:
    await world.pauses.resume(scope, by=OWNER, subject=world.catalog.subject(scope))


def sellers(world: World, country: str = "ID") -> list[str]:
    line = world.catalog.line(world.service("whatsapp"), country)
    return [route.supplier for route in line.routes] if line else []


async def test_a_supplier_that_is_off_sells_nothing_and_the_others_do(database: Database):
    async with world_on(database, vendors=("smscode", PANEL)) as world:
        await pause(world, Scope("smscode"))
        assert Scope("smscode") in world.pauses.of_supplier("smscode")
        assert sellers(world) == [PANEL]
        async with restarted(world, database) as again:
            assert sellers(again) == [PANEL]
            await resume(again, Scope("smscode"))
            assert sellers(again) == [PANEL, "smscode"]


async def test_a_pause_is_about_what_it_names(database: Database):
    async with world_on(database, vendors=("smscode", PANEL)) as world:
        await pause(world, Scope(PANEL, world.service("whatsapp")))
        assert sellers(world) == ["smscode"]
        assert sellers(world, "KE") == []
        assert world.catalog.line(world.service("google"), "KE")
        await pause(world, Scope("", 0, "KE"))
        assert world.catalog.of_country("KE") == []


async def test_a_pause_ends_by_itself(world: World):
    await pause(world, Scope("smscode", 0, "ID"), hours=1)
    await world.pass_time(minutes=59)
    await world.pauses.end_due()
    assert sellers(world) == []
    await world.pass_time(minutes=1)
    await world.pauses.end_due()
    assert sellers(world) == ["smscode"]


async def test_a_pause_that_ended_while_nobody_led_is_over(world: World):
    await pause(world, Scope("smscode"), hours=1)
    await world.pass_time(hours=2)
    async with restarted(world, world.database) as again:
        assert sellers(again) == ["smscode"]


async def test_a_button_for_what_is_paused_buys_nothing(world: World):
    intent = world.intent()
    await pause(world, Scope(service_id=world.service("whatsapp")))
    with pytest.raises(OutOfStock):
        await world.orders.place(1001, intent)


async def test_what_is_paused_after_the_tap_is_not_bought_any_more(world: World):
    await world.place()
    await pause(world, Scope("smscode"))
    await world.settle()
    assert world.vendor.orders == {}
    assert await world.money() == (10 * PRICE, 0, 0)


async def test_numbers_that_were_sold_before_go_on(world: World):
    first, second = await world.rent(), await world.rent()
    await pause(world, Scope("smscode"))
    await world.receive(first, "482913")
    assert len(world.sent.codes) == 1
    world.clock.advance(timedelta(minutes=3))
    await world.orders.cancel(second.user_id, second.id or 0)
    await world.settle()
    assert (await world.order(second)).status == "canceled"
    world.vendor.trouble.drop_webhooks = True
    await world.vendor.receive_sms(int(first.supplier_ref or 0), "Your code is 777777")
    await world.reconcile()
    assert len(world.sent.codes) == 2


async def test_whoever_allows_what_is_blocked_from_the_start_is_not_overruled(world: World):
    telegram = world.service("telegram")
    assert list(world.pauses.of_supplier("")) == [Scope(service_id=telegram)]
    await resume(world, Scope(service_id=telegram))
    assert world.catalog.of_service(telegram)
    async with restarted(world, world.database) as again:
        assert again.catalog.of_service(telegram)


async def test_the_trail_knows_who_paused_what(world: World):
    scope = Scope("smscode", world.service("whatsapp"))
    await pause(world, scope)
    await resume(world, scope)
    await resume(world, scope)
    found = [(act.what, act.subject) for act in await Trail(world.database).newest(limit=5)]
    assert found == [("resume", "smscode · WhatsApp"), ("pause", "smscode · WhatsApp")]

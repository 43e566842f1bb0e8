"""The shelf: what can be rented now, for how much; whatever happens at a supplier, it can be read."""

import asyncio

import pytest

from db.session import Database
from services.errors import UpstreamError
from services.lines import network_key
from tests.builders import COST, PANEL, PRICE, World, empty_world_on, restarted, world_on

pytestmark = pytest.mark.anyio


def stock(world: World, country: str = "ID") -> int:
    line = world.catalog.line(world.service("whatsapp"), country)
    return line.stock if line else 0


async def fail(world: World, times: int) -> None:
    for _ in range(times):
        with pytest.raises(UpstreamError):
            await world.catalog.refresh("smscode")


async def test_a_line_bears_the_price_after_markup(world: World):
    line = world.catalog.line(world.service("whatsapp"), "ID")
    assert line
    [route] = line.routes
    assert (route.supplier, route.product_ref, route.cost, route.price) == ("smscode", "142", COST, PRICE)
    assert line.price == PRICE
    assert line.stock == world.vendor.find_product("wa", "ID").available


async def test_telegram_is_never_sold(world: World):
    assert world.vendor.find_product("tg", "ID").available
    assert world.catalog.of_service(world.service("telegram")) == []
    assert world.catalog.search("telegram") == []


async def test_inactive_services_are_not_sold(world: World):
    assert "viber" not in {service.slug for service in world.catalog.services()}


async def test_what_is_sold_out_disappears_and_comes_back(world: World):
    world.vendor.trouble.out_of_stock = True
    await world.refresh()
    assert world.catalog.services() == []
    assert world.catalog.search("whatsapp") == []
    world.vendor.trouble.out_of_stock = False
    await world.refresh()
    assert stock(world)


async def test_a_product_that_is_gone_is_sold_out(world: World):
    del world.vendor.products[142]
    await world.refresh()
    assert stock(world) == 0


async def test_a_new_price_is_the_next_price(world: World):
    world.vendor.trouble.price_jump_percent = 10
    await world.refresh()
    line = world.catalog.line(world.service("whatsapp"), "ID")
    assert line
    assert line.price == 19_800


@pytest.mark.parametrize("kind", ["timeout", "503", "html", "half_json", "empty"])
async def test_a_refresh_that_fails_leaves_everything_as_it_was(world: World, kind):
    before = world.catalog.services()
    world.vendor.trouble.always = kind
    await fail(world, 1)
    assert world.catalog.services() == before


async def test_a_supplier_out_of_order_disappears_until_it_answers(world: World):
    world.vendor.trouble.always = "503"
    await fail(world, 3)
    assert stock(world) == 0
    world.vendor.trouble.always = None
    await world.reconcile()
    assert stock(world) == 0
    await world.pass_time(seconds=30)
    await world.reconcile()
    await world.catalog.keep_up()
    assert stock(world)


async def test_two_suppliers_are_one_line(database: Database):
    async with world_on(database, vendors=("smscode", "second")) as world:
        world.outside.vendors["second"].find_product("wa", "ID").price = 10_000
        await world.refresh()
        line = world.catalog.line(world.service("whatsapp"), "ID")
        assert line
        assert [route.supplier for route in line.routes] == ["second", "smscode"]
        assert line.price == 12_000
        one = world.vendor.find_product("wa", "ID").available
        assert line.stock == 2 * one

        world.vendor.trouble.always = "timeout"
        await fail(world, 3)
        assert stock(world) == one


async def test_what_was_refused_is_offered_nowhere_from_that_moment_on(world: World):
    catalog, whatsapp, before = world.catalog, world.service("whatsapp"), world.catalog.edition()
    assert (whatsapp, "ID") in catalog.search("whatsapp indonesia")
    for line in catalog.lines():
        if line.country == "ID" or line.service_id == whatsapp:
            catalog.sold_out("smscode", line.routes[0].product_ref)
    for _ in range(2):
        assert stock(world) == 0
        assert catalog.of_service(whatsapp) == catalog.of_country("ID") == []
        assert whatsapp not in {service.id for service in catalog.services()}
        assert "ID" not in catalog.countries()
        assert all(line.country != "ID" for line in catalog.lines())
        found = catalog.search("whatsapp indonesia")
        assert not {(whatsapp, "ID"), (whatsapp, None), (None, "ID")} & set(found)
        assert catalog.edition() != before
        await catalog.keep_up()  # the second time, by a new index


async def test_what_one_supplier_refused_others_still_sell(database: Database):
    async with world_on(database, vendors=("smscode", "second")) as world:
        world.outside.vendors["second"].find_product("wa", "ID").price = 10_000
        await world.refresh()
        world.catalog.sold_out("second", "142")
        [shown] = [
            line for line in world.catalog.of_country("ID") if line.service_id == world.service("whatsapp")
        ]
        assert shown == world.catalog.line(world.service("whatsapp"), "ID")
        assert [(route.supplier, route.price) for route in shown.routes] == [("smscode", PRICE)]
        in_order = [line.price for line in world.catalog.of_country("ID")]
        assert in_order == sorted(in_order)
        await world.catalog.keep_up()
        assert world.catalog.line(world.service("whatsapp"), "ID") == shown


async def test_a_network_that_was_refused_cannot_be_chosen(database: Database):
    async with world_on(database, vendors=("smscode", PANEL)) as world:
        whatsapp = world.service("whatsapp")
        telkomsel = world.catalog.line(whatsapp, "ID", "Telkomsel")
        assert telkomsel
        world.catalog.sold_out(*telkomsel.routes[0].key)
        assert world.catalog.line(whatsapp, "ID", "Telkomsel") is None
        assert world.catalog.networks(whatsapp, "ID")
        assert world.catalog.network_name("ID", network_key("Telkomsel")) == "Telkomsel"


async def test_what_is_refused_while_the_index_is_made_is_not_in_it(world: World):
    catalog = world.catalog
    first, second = (line.routes[0].product_ref for line in catalog.of_country("ID")[:2])
    catalog.sold_out("smscode", first)
    making = asyncio.create_task(catalog.keep_up())
    await asyncio.sleep(0)
    catalog.sold_out("smscode", second)
    await making
    for _ in range(2):
        assert not {first, second} & {line.routes[0].product_ref for line in catalog.lines()}
        await catalog.keep_up()


async def test_what_was_refused_stays_hidden_until_it_is_known_to_be_back(world: World):
    """The answer that it is gone ends the refusal, and is not yet in the index."""
    world.catalog.sold_out("smscode", "142")
    world.vendor.find_product("wa", "ID").available = 0
    refreshing = asyncio.create_task(world.refresh())
    while not refreshing.done():
        assert stock(world) == 0
        await asyncio.sleep(0)
    assert stock(world) == 0
    world.vendor.find_product("wa", "ID").available = 5
    await world.refresh()
    assert stock(world) == 5


async def test_the_next_start_opens_the_shop_without_a_call(world: World):
    before = world.catalog.services()
    world.vendor.trouble.always = "timeout"
    async with restarted(world, world.database) as again:
        assert [service.id for service in again.catalog.services()] == [service.id for service in before]
        assert stock(again)


async def test_the_shop_is_stocked_when_every_supplier_has_told_what_it_sells(world: World):
    empty = World(world.database, world.outside)
    assert not empty.catalog.is_stocked
    await empty.catalog.load()
    assert empty.catalog.is_stocked  # the last run knew


async def test_a_shelf_is_filled_when_its_offers_can_be_found(database: Database):
    """Nobody is told that there is nothing while what a supplier told is still being put in order."""
    async with empty_world_on(database) as world:
        filling = asyncio.create_task(world.refresh())
        while not (world.catalog.is_stocked or filling.done()):
            assert not world.catalog.search("whatsapp")
            await asyncio.sleep(0)
        assert world.catalog.search("whatsapp")
        await filling

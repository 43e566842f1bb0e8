"""One line over all suppliers: the cheapest first, and no dearer than the button says."""

from datetime import timedelta
from typing import Any

import pytest

from db.models import OrderStatus
from db.session import Database
from services.errors import OutOfStock
from services.invoices import intent_of
from services.lines import Line, network_key
from tests.builders import (
    COST,
    PANEL,
    PANEL_COST,
    PANEL_KEY,
    PANEL_PRICE,
    PRICE,
    RENTER,
    World,
    restarted,
    world_on,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(database: Database):
    async with world_on(database, vendors=("smscode", PANEL)) as world:
        yield world


def line(
    world: World, country: str = "ID", network: str | None = None, service: str = "whatsapp"
) -> Line | None:
    return world.catalog.line(world.service(service), country, network)


def routes(world: World, *where: Any) -> list[str]:
    found = line(world, *where)
    return [route.supplier for route in found.routes] if found else []


# The shelf


async def test_a_number_for_any_service_is_a_route_of_each(world: World):
    assert routes(world) == [PANEL, "smscode"]
    assert routes(world, "ID", None, "instagram") == ["smscode", PANEL]
    found = line(world)
    assert found
    assert found.price == PANEL_PRICE


async def test_it_opens_countries_that_nobody_else_has(world: World):
    assert routes(world, "KE") == [PANEL]
    assert world.catalog.of_country("KE")


async def test_what_is_not_sold_is_not_sold_as_any_service_either(world: World):
    assert world.catalog.line(world.service("telegram"), "ID") is None


async def test_there_is_a_line_for_a_service_that_nobody_lists(world: World):
    found = line(world, service="any-service")
    assert found
    assert [route.supplier for route in found.routes] == [PANEL]


async def test_a_panel_alone_sells_what_everybody_knows(database: Database):
    async with world_on(database, vendors=(PANEL,)) as world:
        assert routes(world) == [PANEL]
        assert world.catalog.search("whatsapp indonesia")[0] == (world.service("whatsapp"), "ID")


async def test_an_untold_stock_is_no_number(world: World):
    found = line(world)
    kenyan = line(world, "KE")
    assert found
    assert kenyan
    assert (found.stock, found.is_stock_told) == (world.vendor.find_product("wa", "ID").available, False)
    assert (kenyan.stock, kenyan.is_stock_told, kenyan.most) == (0, False, 100)


async def test_at_the_same_price_who_tells_the_stock_comes_first(world: World):
    world.vendor.find_product("wa", "ID").price = PANEL_COST
    await world.refresh()
    assert routes(world) == ["smscode", PANEL]


async def test_the_next_start_knows_it_all(world: World):
    async with restarted(world, world.database) as again:
        assert routes(again) == [PANEL, "smscode"]
        assert [found.network for found in again.catalog.networks(again.service("whatsapp"), "ID")] == [
            "Indosat",
            "Telkomsel",
        ]


async def test_a_country_that_the_panel_gives_up_is_sold_out(world: World):
    del world.panel.countries[2]
    await world.refresh()
    assert line(world, "KE") is None


# Buying


async def test_a_refusal_falls_back_under_the_same_hold(world: World):
    world.panel.trouble.out_of_stock = True
    order = await world.rent()
    assert (order.status, order.supplier, order.cost) == (OrderStatus.ACTIVE, "smscode", COST)
    assert await world.kinds() == ["hold"]


async def test_never_above_the_price_on_the_button(world: World):
    world.panel.trouble.out_of_stock = True
    order = await world.rent(price=PRICE - 1)
    assert order.status == OrderStatus.FAILED
    assert not world.vendor.orders


async def test_who_cannot_be_reached_is_asked_again_where_nobody_else_sells(world: World):
    world.panel.trouble.fail_next("429", path=PANEL_KEY)
    purchase_id = await world.place(country="KE")
    await world.settle()
    assert [order.status for order in await world.orders_of(purchase_id)] == [OrderStatus.PENDING]
    await world.pass_time(seconds=2)
    assert [order.status for order in await world.orders_of(purchase_id)] == [OrderStatus.ACTIVE]


async def test_a_rest_of_one_by_one_is_bought_after_a_pause(world: World):
    world.panel.trouble.fail_next("429", path=PANEL_KEY)
    world.panel.trouble.faults.insert(0, world.panel.trouble.faults[0])
    purchase_id = await world.place(country="KE", quantity=3)
    await world.settle()
    for _ in range(4):
        await world.pass_time(seconds=5)
    assert [order.status for order in await world.orders_of(purchase_id)] == [OrderStatus.ACTIVE] * 3
    assert len(world.panel.numbers) == 3


async def test_a_supplier_out_of_order_is_left_alone_and_the_other_sells(world: World):
    """Three unclear answers cost three renters their number; the fourth does not meet the panel."""
    world.panel.trouble.always = "500"
    for _ in range(3):
        await world.rent(price=PANEL_PRICE)
    assert world.suppliers.health(PANEL).is_down
    assert routes(world) == ["smscode"]
    with pytest.raises(OutOfStock):
        await world.place(country="KE")
    assert (await world.rent()).supplier == "smscode"


async def test_after_the_rest_a_harmless_call_finds_it_well_again(world: World):
    world.panel.trouble.always = "500"
    for _ in range(3):
        await world.rent(price=PANEL_PRICE)
    world.panel.trouble.always = None
    await world.suppliers.probe(PANEL)
    assert world.suppliers.health(PANEL).is_down
    world.clock.advance(timedelta(seconds=30))
    await world.suppliers.probe(PANEL)
    assert not world.suppliers.health(PANEL).is_down
    assert not world.panel.numbers
    assert routes(world) == [PANEL, "smscode"]


# Mobile networks


async def test_networks_can_be_chosen_where_a_supplier_has_them(world: World):
    names = [found.network for found in world.catalog.networks(world.service("whatsapp"), "ID")]
    assert names == ["Indosat", "Telkomsel"]
    assert world.catalog.networks(world.service("whatsapp"), "KE") == []
    assert world.catalog.networks(world.service("telegram"), "ID") == []


async def test_a_network_that_was_asked_for_is_the_one_bought(world: World):
    order = await world.rent(network="Telkomsel")
    [number] = world.panel.numbers.values()
    assert number.operator
    assert (order.status, number.operator.name) == (OrderStatus.ACTIVE, "Telkomsel")


async def test_without_a_wish_no_network_is_named(world: World):
    await world.rent()
    [number] = world.panel.numbers.values()
    assert number.operator is None


async def test_who_wants_a_network_gets_no_other(world: World):
    world.panel.trouble.out_of_stock = True
    order = await world.rent(network="Telkomsel")
    assert order.status == OrderStatus.FAILED
    assert not world.vendor.orders


async def test_a_network_is_part_of_what_a_key_stands_for(world: World):
    intent = world.intent(network="Telkomsel")
    first = await world.orders.place(1001, intent)
    assert await world.orders.place(1001, intent) == first


async def test_a_network_is_known_by_its_key_though_it_is_sold_out(world: World):
    world.panel.operators.clear()
    await world.refresh()
    assert world.catalog.network_name("ID", network_key("Telkomsel")) == "Telkomsel"
    assert line(world, network="Telkomsel") is None
    assert world.catalog.network_name("ID", network_key("Aslan")) is None


async def test_an_invoice_for_one_number_keeps_the_network(world: World):
    intent = world.intent(network="Telkomsel", price=PANEL_PRICE)
    assert intent_of(await world.invoices.offer_purchase(RENTER, intent)) == intent

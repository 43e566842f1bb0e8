"""How often and how soon codes come: what is counted, what is told, and what routing makes of it."""

from datetime import timedelta
from typing import Any

import pytest

from db import outcomes
from db.models import OrderStatus, Outcome
from db.session import Database
from services.errors import PriceChanged
from services.lines import Line, Sort, arranged
from services.odds import FAILED, UNKNOWN, Kind, Measured
from tests.builders import PANEL, PANEL_PRICE, PRICE, RENTER, World, restarted, world_on

pytestmark = pytest.mark.anyio

KEY = ("day", "service_id", "country", "supplier", "network", "bucket")


@pytest.fixture
async def both(database: Database):
    """Two suppliers, of which the panel is the cheaper one."""
    async with world_on(database, vendors=("smscode", PANEL)) as world:
        yield world


async def counted(world: World) -> dict[int, int]:
    """How many orders are in each bucket, whatever they were for."""
    found: dict[int, int] = {}
    async with world.database.read() as session:
        async for rows in outcomes.totals(session, since=0, at_a_time=10):
            for *_kind, bucket, orders in rows:
                found[bucket] = found.get(bucket, 0) + orders
    return found


async def went(world: World, supplier: str = "smscode", country: str = "ID", **buckets: int) -> None:
    """So many orders for WhatsApp: `failed`, or with a code within a bucket: `b0`, `b1` …"""
    day = int(world.clock.now().timestamp()) // 86_400
    for name, orders in buckets.items():
        bucket = FAILED if name == "failed" else int(name[1:])
        key: tuple[Any, ...] = (day, world.service("whatsapp"), country, supplier, "", bucket)
        async with world.database.write() as session:
            row = await session.get(Outcome, key) or Outcome(**dict(zip(KEY, key, strict=True)), orders=0)
            row.orders += orders
            session.add(row)
    await world.odds.refresh()
    await world.refresh()


def kind(world: World, supplier: str = "smscode", country: str = "ID") -> Kind:
    return Kind(world.service("whatsapp"), country, supplier)


def line(world: World, country: str = "ID") -> Line:
    found = world.catalog.line(world.service("whatsapp"), country)
    assert found
    return found


# What is counted


async def test_a_first_code_counts_by_how_long_it_took(world: World):
    order = await world.rent()
    await world.pass_time(seconds=25)
    await world.receive(order, "123456")
    await world.receive(order, "654321")
    assert await counted(world) == {2: 1}


async def test_an_order_that_expired_counts_against_its_route(world: World):
    await world.rent()
    await world.pass_time(minutes=20)
    await world.expire()
    assert await counted(world) == {FAILED: 1}


async def test_who_gives_up_at_once_says_nothing_about_the_number(world: World):
    order = await world.rent()
    await world.orders.cancel(RENTER, order.id or 0)
    await world.pass_time(minutes=2)
    assert (await world.order(order)).status == OrderStatus.CANCELED
    assert await counted(world) == {}


async def test_who_gives_up_after_a_fair_wait_had_no_code(world: World):
    order = await world.rent()
    await world.pass_time(minutes=3)
    await world.orders.cancel(RENTER, order.id or 0)
    await world.settle()
    assert await counted(world) == {FAILED: 1}


async def test_an_order_without_a_number_says_nothing(world: World):
    world.vendor.products[142].available = 0
    await world.place()
    await world.settle()
    assert await counted(world) == {}


async def test_what_is_older_than_the_window_says_nothing_and_is_forgotten_later(world: World):
    await went(world, b1=30)
    await world.pass_time(days=31)
    await world.odds.refresh()
    assert world.odds.measured(kind(world)) is None
    assert await counted(world) == {1: 30}
    await world.pass_time(days=150)
    await world.odds.refresh()
    assert await counted(world) == {}


# What is told


async def test_few_orders_are_not_told(world: World):
    await went(world, b1=15, failed=4)
    assert line(world).odds is None
    await went(world, b1=1)
    assert line(world).odds == Measured(percent=80, seconds=20)


async def test_many_orders_are_told_to_a_percent_and_nothing_is_certain(world: World):
    await went(world, b1=184, failed=16)
    assert line(world).odds == Measured(percent=92, seconds=20)
    await went(world, b1=100_000)
    assert line(world).odds == Measured(percent=99, seconds=20)


async def test_half_of_the_codes_came_within_what_is_told(world: World):
    await went(world, b0=10, b3=10, b8=19)
    assert line(world).odds == Measured(percent=95, seconds=45)
    await went(world, b11=100)
    assert line(world).odds == Measured(percent=99, seconds=None)


async def test_what_was_counted_outlives_a_restart(database: Database):
    async with world_on(database) as world:
        await went(world, b1=16, failed=4)
        async with restarted(world, database) as again:
            assert line(again).odds == Measured(percent=80, seconds=20)


# What is expected


async def test_without_orders_all_are_alike(both: World):
    assert both.odds.rate(kind(both)) == both.odds.rate(kind(both, PANEL)) == UNKNOWN


async def test_a_country_without_orders_is_expected_to_be_as_its_supplier_is(world: World):
    await went(world, country="IN", failed=300)
    assert world.odds.rate(kind(world, country="ID")) < 0.1


async def test_a_few_bad_orders_do_not_condemn_a_route_that_others_speak_for(world: World):
    await went(world, country="IN", b1=300)
    await went(world, country="ID", failed=2)
    assert 0.6 < world.odds.rate(kind(world, country="ID")) < 0.95


# Routing


async def test_the_cheapest_comes_first_until_it_is_known_to_fail(both: World):
    assert [route.supplier for route in line(both).routes] == [PANEL, "smscode"]
    await went(both, PANEL, b1=40, failed=60)
    await went(both, "smscode", b1=95, failed=5)
    assert [route.supplier for route in line(both).routes] == ["smscode", PANEL]
    assert (line(both).price, line(both).lowest) == (PRICE, PANEL_PRICE)
    assert line(both).odds == Measured(percent=95, seconds=20)


async def test_the_best_route_is_bought_and_the_next_one_under_the_same_hold(both: World):
    await went(both, PANEL, b1=10, failed=90)
    await went(both, "smscode", b1=95, failed=5)
    assert (await both.rent()).supplier == "smscode"
    both.vendor.products[142].available = 0
    order = await both.rent()
    assert (order.supplier, order.status) == (PANEL, OrderStatus.ACTIVE)
    assert await both.balance(f"held:{order.id}") == PRICE


async def test_a_button_keeps_its_price_when_a_dearer_route_becomes_the_best(both: World):
    await went(both, PANEL, b1=10, failed=90)
    await went(both, "smscode", b1=95, failed=5)
    order = await both.rent(price=PANEL_PRICE)
    assert order.supplier == PANEL
    assert await both.balance(f"held:{order.id}") == PANEL_PRICE
    with pytest.raises(PriceChanged):
        await both.place(price=PANEL_PRICE - 1)


# The shelf


async def test_lines_are_arranged_by_price_odds_or_stock(world: World):
    def a_line(country: str, price: int, stock: int, percent: int | None) -> Line:
        [route] = line(world).routes
        odds = None if percent is None else Measured(percent, 20)
        return Line(1, country, (type(route)("s", "1", 1, price, stock),), None, odds)

    lines = [a_line("AA", 3, 10, 90), a_line("BB", 1, 20, None), a_line("CC", 2, 5, 95)]
    countries = {sort: "".join(one.country[0] for one in arranged(lines, sort)) for sort in Sort}
    assert countries == {Sort.PRICE: "BCA", Sort.ODDS: "CAB", Sort.STOCK: "BAC"}


async def test_counting_is_part_of_the_commit_that_it_counts(world: World):
    order = await world.rent()
    world.clock.advance(timedelta(minutes=20))
    with pytest.raises(RuntimeError):
        async with world.database.write() as session:
            remote = await world.suppliers["smscode"].get_order(order.supplier_ref or "")
            await world.rentals.apply(session, order.id or 0, remote)
            raise RuntimeError
    assert await counted(world) == {}

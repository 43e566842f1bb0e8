"""Rules for prices: the most exact one wins, and nothing is sold below cost unawares."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.session import Database
from services.acts import Trail
from services.errors import BelowCost, PriceChanged
from services.pricing import Rule
from services.repricing import Repricing
from services.scopes import Scope, Scoped
from tests.builders import COST, PANEL, PRICE, World, restarted, world_on

pytestmark = pytest.mark.anyio

OWNER = 1
PLAIN = Rule(Decimal(20))


def price(world: World, country: str = "ID") -> int:
    line = world.catalog.line(world.service("whatsapp"), country)
    assert line
    return line.price


def repricing(world: World) -> Repricing:
    return Repricing(world.catalog, world.pricing)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule(Decimal(20)), 18_000),
        (Rule(Decimal("12.5")), 16_875),
        (Rule(Decimal(20), fixed=250), 18_250),
        (Rule(Decimal(20), minimum=25_000), 25_000),
        (Rule(Decimal("12.5"), step=500), 17_000),
        (Rule(Decimal(20), step=500), 18_000),
        (Rule(Decimal(-10)), 15_000),
        (Rule(Decimal(-10), step=1_000), 15_000),
        (Rule(Decimal(-10), below_cost=True), 13_500),
        (Rule(Decimal(-100), below_cost=True), 1),
    ],
)
def test_a_price_follows_from_the_cost(rule: Rule, expected: int):
    assert rule.price(COST) == expected


@given(
    cost=st.integers(1, 10**9),
    percent=st.decimals(-100, 1000, places=2),
    fixed=st.integers(0, 10**6),
    minimum=st.integers(0, 10**6),
    step=st.integers(1, 10**5),
)
def test_only_a_rule_that_may_lose_ever_does(cost, percent, fixed, minimum, step):
    rule = Rule(percent, fixed, minimum, step)
    assert rule.price(cost) >= max(cost, minimum)
    assert rule.price(cost) % step == 0
    losing = Rule(percent, fixed, minimum, step, below_cost=True)
    assert (losing.price(cost) < cost) == rule.loses(cost)
    assert losing.price(cost) > 0


SCOPES = [
    Scope(),
    Scope("smscode"),
    Scope("", 0, "ID"),
    Scope("", 7),
    Scope("smscode", 0, "ID"),
    Scope("smscode", 7),
    Scope("", 7, "ID"),
    Scope("smscode", 7, "ID"),
]
"""From the least exact to the most."""


@pytest.mark.parametrize("most", range(len(SCOPES)))
def test_the_most_exact_one_wins(most: int):
    scoped = Scoped({scope: number for number, scope in enumerate(SCOPES[: most + 1])})
    assert scoped.find("smscode", 7, "ID") == most
    assert list(scoped.things) == SCOPES[: most + 1]


def test_what_names_a_service_says_nothing_of_numbers_for_any():
    scoped = Scoped({Scope("smscode", 7): "service", Scope("", 0, "ID"): "country", Scope("smscode"): "all"})
    assert scoped.find("smscode", None, "ID") == "country"
    assert scoped.find("smscode", None, "KE") == "all"
    assert scoped.find("other", None, "KE") is None


async def test_a_rule_applies_at_once_and_after_a_restart(world: World):
    whatsapp = world.service("whatsapp")
    scope = Scope("", whatsapp, "ID")
    await repricing(world).save(scope, Rule(Decimal("33.33"), step=500), by=OWNER)
    assert price(world) == 20_000
    async with restarted(world, world.database) as again:
        assert price(again) == 20_000
        await repricing(again).remove(scope, by=OWNER)
        assert price(again) == PRICE


async def test_a_second_rule_about_the_same_takes_the_place_of_the_first(world: World):
    for percent in (30, 40):
        await repricing(world).save(Scope("smscode"), Rule(Decimal(percent)), by=OWNER)
    assert price(world) == 21_000
    assert list(world.pricing.tariff.rules) == [Scope("smscode")]


async def test_a_button_with_an_old_price_says_so(world: World):
    intent = world.intent()
    await repricing(world).save(Scope(), Rule(Decimal(50)), by=OWNER)
    with pytest.raises(PriceChanged) as caught:
        await world.orders.place(1001, intent)
    assert (caught.value.offered, caught.value.current) == (PRICE, 22_500)
    assert await world.money() == (10 * PRICE, 0, 0)


async def test_a_number_for_any_service_costs_what_its_service_does(database: Database):
    async with world_on(database, vendors=("smscode", PANEL)) as world:
        whatsapp, google = world.service("whatsapp"), world.service("google")
        await repricing(world).save(Scope(PANEL, whatsapp), Rule(Decimal(100)), by=OWNER)
        line, other = world.catalog.line(whatsapp, "KE"), world.catalog.line(google, "KE")
        assert line
        assert other
        assert (line.price, other.price) == (20_000, 12_000)
        prices = {network.network: network.price for network in world.catalog.networks(whatsapp, "ID")}
        assert prices == {"Indosat": 20_000, "Telkomsel": 20_000}


async def test_a_preview_counts_what_would_change(world: World):
    for_sale = len(world.catalog.lines())
    seen = await repricing(world).preview(Scope(), Rule(Decimal(20), minimum=PRICE))
    cheap = [line for line in world.catalog.lines() if line.price < PRICE]
    assert cheap
    assert (seen.lines, seen.dearer, seen.cheaper) == (for_sale, len(cheap), 0)
    assert seen.rise
    assert seen.rise.before == min(line.price for line in cheap)
    assert seen.fall is None
    assert price(world) == PRICE


async def test_what_would_be_sold_below_cost_is_refused_unless_forced(world: World):
    scope, rule = Scope("", world.service("whatsapp"), "ID"), Rule(Decimal(-50))
    seen = await repricing(world).preview(scope, rule)
    assert seen.fall
    assert (seen.below_cost, seen.fall.after) == (1, 7_500)
    with pytest.raises(BelowCost):
        await repricing(world).save(scope, rule, by=OWNER)
    assert price(world) == PRICE
    await repricing(world).save(scope, rule, by=OWNER, forced=True)
    assert price(world) == 7_500


async def test_prices_follow_costs_that_rise_above_an_unforced_rule(world: World):
    scope = Scope("", world.service("whatsapp"), "ID")
    await repricing(world).save(scope, Rule(Decimal(-100), minimum=COST), by=OWNER)
    assert price(world) == COST
    world.vendor.trouble.price_jump_percent = 10
    await world.refresh()
    assert price(world) == 16_500


async def test_the_trail_has_before_and_after(world: World):
    await repricing(world).save(Scope("smscode"), Rule(Decimal("30.5"), fixed=100, step=500), by=OWNER)
    await repricing(world).save(Scope("smscode"), PLAIN, by=OWNER)
    newest, first = await Trail(world.database).newest(limit=2)
    assert first.subject == "smscode"
    assert (first.before, first.after) == ({}, {"markup": "30.5 %", "fixed": 100, "step": 500})
    assert (newest.before, newest.after) == (first.after, {"markup": "20 %"})

"""Figures that are exact, from real orders, on both databases."""

from datetime import timedelta

import pytest

from db.statistics import Newcomers, Sale
from services.odds import FAILED
from services.statistics import Period, Statistics
from tests.builders import COST, PANEL, PRICE, World, world_on

pytestmark = pytest.mark.anyio

ANN, BEN, CAT = 11, 12, 13


@pytest.fixture
async def shop(database):
    """Day 1: Ann has a code. Day 2: Ann has another, Ben's order expires, Cat only looks.

    It is 10 in the morning when it begins.
    """
    async with world_on(database, vendors=("smscode",), money=0) as world:
        await world.renter(ANN, money=5 * PRICE)
        await world.receive(await world.rent(ANN), "482913")
        await world.pass_time(days=1)
        await world.accounts.meet(CAT, name="Cat", username=None, language_code="en")
        await world.renter(BEN, money=PRICE)
        late = await world.rent(ANN)
        await world.pass_time(seconds=40)
        await world.receive(late, "771204")
        await world.rent(BEN)
        await world.pass_time(minutes=21)
        await world.expire()
        yield world


def statistics(world: World) -> Statistics:
    return Statistics(world.database, world.clock)


async def test_money_is_summed_by_day_without_gaps(shop: World):
    figures = statistics(shop)
    days = await figures.money(figures.period(7))
    assert [(money.income, money.cost) for _, money in days] == [(0, 0)] * 5 + [(PRICE, COST)] * 2
    assert days[-1][0] == shop.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)


async def test_today_is_told_by_the_hours_that_have_begun(shop: World):
    figures = statistics(shop)
    hours = await figures.money(figures.period(1))
    assert [moment.hour for moment, _ in hours] == list(range(11))
    assert [money.income for _, money in hours] == [0] * 10 + [PRICE]


async def test_a_refund_is_taken_from_the_day_on_which_it_was_made(shop: World):
    order = await shop.rent(ANN)
    await shop.receive(order, "900100")
    dispute = await shop.disputes.report(ANN, order.id or 0, "wrong_code")
    await shop.disputes.refund(dispute.id or 0, by=1)
    figures = statistics(shop)
    assert (await figures.money(figures.period(7)))[-1][1].income == PRICE


async def test_orders_are_counted_by_service_and_country_with_their_codes(shop: World):
    figures = statistics(shop)
    assert await figures.sales(figures.period(7)) == [Sale("WhatsApp", "ID", orders=3, codes=2)]
    assert await figures.sales(figures.period(1)) == [Sale("WhatsApp", "ID", orders=2, codes=1)]


async def test_a_renter_is_new_on_the_day_of_the_first_order_alone(shop: World):
    figures = statistics(shop)
    days = await figures.buyers(figures.period(7))
    assert [(buyers.all, buyers.new) for _, buyers in days] == [(0, 0)] * 5 + [(1, 1), (2, 1)]


async def test_newcomers_are_followed_as_far_as_they_got(shop: World):
    figures = statistics(shop)
    week = await figures.newcomers(figures.period(7))
    # The renter of every test's shop, who never ordered, is among them.
    assert week == Newcomers(came=4, accepted=3, had_money=2, ordered=2, coded=1, coded_again=1)
    today = await figures.newcomers(figures.period(1))
    assert today == Newcomers(came=2, accepted=1, had_money=1, ordered=1, coded=0, coded_again=0)


async def test_whoever_was_only_given_money_has_not_come(shop: World):
    figures = statistics(shop)
    came = (await figures.newcomers(figures.period(7))).came
    await shop.accounts.credit(99, 1_000, key="gift", reason=None)
    assert (await figures.newcomers(figures.period(7))).came == came


async def test_how_orders_went_is_told_by_supplier(shop: World):
    figures = statistics(shop)
    [speed] = await figures.speeds(figures.period(7))
    assert (speed.supplier, speed.orders, speed.codes, speed.percent) == ("smscode", 3, 2, 67)
    assert speed.median_seconds == 10
    [today] = await figures.speeds(figures.period(1))
    assert (today.counts[FAILED], today.percent, today.median_seconds) == (1, 50, 45)


async def test_a_period_is_held_against_the_one_before_it(shop: World):
    figures = statistics(shop)
    summary = await figures.summary(figures.period(1))
    now, before = summary.now, summary.before
    assert (now.income, now.margin, now.orders, now.buyers, now.new_buyers) == (
        PRICE,
        PRICE - COST,
        2,
        2,
        1,
    )
    assert (before.income, before.margin, before.orders, before.buyers, before.new_buyers) == (
        PRICE,
        PRICE - COST,
        1,
        1,
        1,
    )
    assert (now.speed.percent, before.speed.percent) == (50, 100)


async def test_what_is_compared_has_had_the_same_time(shop: World):
    period = Period.of(7, shop.clock.now())
    assert period.until - period.since == period.before.until - period.before.since
    assert period.before.until == shop.clock.now() - timedelta(days=7)


async def test_a_new_shop_has_nothing_to_tell(database):
    async with world_on(database, vendors=(PANEL,), money=0) as world:
        figures = statistics(world)
        period = figures.period(30)
        assert await figures.sales(period) == []
        assert await figures.speeds(period) == []
        summary = await figures.summary(period)
        assert (summary.now.income, summary.now.orders, summary.now.speed.percent) == (0, 0, None)

"""Alarms, in the chat and by SMS: once when something is wrong, once when it is over."""

from contextlib import suppress
from datetime import timedelta

import pytest

from bot.views.alarms import text
from db.models import OutboxMessage
from services.acts import Trail
from services.alarms import Alarms, Word
from services.announcer import CODE
from services.errors import UpstreamError, UpstreamUnavailable, UpstreamUnknown
from services.low_balances import LowBalances
from services.orphans import Orphans
from services.phones import Wish
from services.roles import Role
from services.supervision import Supervision
from services.team import Team
from tests.builders import COST, CURRENCY, RENTER, World, restarted
from tests.services.test_phones import PHONE, link

pytestmark = pytest.mark.anyio

HOURS = 6
PATIENCE = timedelta(minutes=2)
BAD, GOOD = Word("breaker_open", {"supplier": "it"}), Word("breaker_closed", {"supplier": "it"})


@pytest.fixture
async def operator(world: World) -> World:
    """The renter is an operator, too, and wants to hear of trouble."""
    await link(world)
    await world.phones.wish(RENTER, Wish.ALARMS, on=True)
    world.outside.phones.texts.clear()
    return world


def alarms_of(world: World, *admin_ids: int) -> Alarms:
    team = Team(world.database, world.clock, world.outbox, owner_ids=admin_ids or (RENTER,))
    return Alarms(world.database, world.clock, world.texting, world.announcer, team, text)


async def note(world: World, alarms: Alarms, *, is_bad: bool, minutes: int = 0) -> list[str]:
    """What stands on the operator's phone after so many minutes of it."""
    for _ in range(minutes or 1):
        await alarms.note("it", is_bad=is_bad, begins=BAD, ends=GOOD, after=PATIENCE)
        await world.settle()
        world.clock.advance(timedelta(minutes=1))
    return ["good" if "works again" in said else "bad" for said in world.outside.phones.at(PHONE)]


async def test_what_lasts_is_told_once_and_so_is_its_end(operator: World):
    alarms = alarms_of(operator)
    assert await note(operator, alarms, is_bad=True, minutes=2) == []
    assert await note(operator, alarms, is_bad=True, minutes=5) == ["bad"]
    assert await note(operator, alarms, is_bad=False, minutes=3) == ["bad", "good"]


async def test_what_passes_soon_is_not_told(operator: World):
    alarms = alarms_of(operator)
    for _ in range(3):
        await note(operator, alarms, is_bad=True)
        assert await note(operator, alarms, is_bad=False) == []


async def test_the_next_incident_is_told_anew(operator: World):
    alarms = alarms_of(operator)
    for _ in range(2):
        await note(operator, alarms, is_bad=True, minutes=3)
        said = await note(operator, alarms, is_bad=False)
    assert said == ["bad", "good"] * 2


async def test_a_restart_neither_forgets_nor_repeats(operator: World, database):
    await note(operator, alarms_of(operator), is_bad=True, minutes=2)
    async with restarted(operator, database) as again:
        assert await note(again, alarms_of(again), is_bad=True) == ["bad"]
    async with restarted(again, database) as third:
        await note(third, alarms_of(third), is_bad=True)
        assert await note(third, alarms_of(third), is_bad=False) == ["bad", "good"]


@pytest.mark.parametrize("case", ["no operator any more", "does not wish it"])
async def test_only_operators_who_wish_it_are_texted(operator: World, case):
    if case == "does not wish it":
        await operator.phones.wish(RENTER, Wish.ALARMS, on=False)
    alarms = alarms_of(operator, 1 if case == "no operator any more" else RENTER)
    assert await note(operator, alarms, is_bad=True, minutes=4) == []


def low_balances(world: World, hours: int = HOURS) -> LowBalances:
    return LowBalances(
        world.database,
        world.clock,
        world.suppliers,
        world.rates,
        alarms_of(world),
        currency=CURRENCY,
        hours=hours,
    )


async def texts_at(world: World, balance: int) -> int:
    """How many texts the operator has after a look at such a balance."""
    world.vendor.balance = balance
    await low_balances(world).check("smscode")
    await world.settle()
    return len(world.outside.phones.at(PHONE))


async def test_a_balance_that_lasts_for_hours_only_is_told(operator: World):
    await operator.rent()
    # One number in six hours is what it costs: its price lasts for six more.
    assert await texts_at(operator, COST) == 0
    assert await texts_at(operator, COST - 1) == 1
    assert "smscode lasts less than 6 h" in operator.outside.phones.at(PHONE)[0]
    assert await texts_at(operator, COST + 1) == 1
    assert await texts_at(operator, 2 * COST) == 2


async def test_a_number_without_a_code_costs_nothing_in_the_end(operator: World):
    await operator.rent()
    await operator.pass_time(minutes=20)
    await operator.expire()
    assert await texts_at(operator, 1) == 0


async def test_what_was_spent_long_ago_is_not_the_present_spend(operator: World):
    order = await operator.rent()
    await operator.receive(order, "482913")
    await operator.pass_time(hours=7)
    assert await texts_at(operator, 1) == 0


async def test_it_can_be_switched_off(operator: World):
    await operator.rent()
    operator.vendor.balance = 1
    await low_balances(operator, hours=0).check("smscode")
    await operator.settle()
    assert operator.outside.phones.at(PHONE) == []


def supervision(world: World) -> Supervision:
    return Supervision(world.database, world.clock, world.suppliers, alarms_of(world))


async def watch(world: World, *, minutes: int) -> list[str]:
    """The alerts so far, after so many minutes of looking."""
    for _ in range(minutes):
        await supervision(world).look()
        await world.pass_time(minutes=1)
    await supervision(world).look()
    await world.settle()
    return world.sent.alerts


async def break_down(world: World) -> None:
    for _ in range(3):
        with suppress(UpstreamError), world.suppliers.calling("smscode", always=True):
            raise UpstreamUnknown("no answer")


async def test_a_supplier_that_stays_out_of_order_is_told_in_the_chat_and_by_sms(operator: World):
    await break_down(operator)
    await supervision(operator).look()
    assert operator.sent.alerts == []
    assert await watch(operator, minutes=3) == ["breaker_open"]
    with operator.suppliers.calling("smscode"):
        pass
    assert await watch(operator, minutes=2) == ["breaker_open", "breaker_closed"]
    assert [text.split(".")[0] for text in operator.outside.phones.at(PHONE)] == [
        "Numlet: smscode has been out of order since 25 Feb 10:00 UTC",
        "Numlet: smscode works again",
    ]


async def test_a_supplier_that_is_back_within_a_minute_is_no_news(operator: World):
    await break_down(operator)
    await supervision(operator).look()
    await operator.pass_time(seconds=31)
    with operator.suppliers.calling("smscode"):
        pass
    assert await watch(operator, minutes=3) == []


async def test_codes_that_wait_are_told_and_so_is_their_end(operator: World):
    order = await operator.rent()

    async def unreachable(message: OutboxMessage) -> None:
        raise UpstreamUnavailable("not now", upstream="telegram")

    operator.outbox.register({CODE: unreachable})
    await operator.receive(order, "482913")
    assert await watch(operator, minutes=3) == ["codes_late"]
    operator.outbox.register({CODE: operator.sent.record})
    assert await watch(operator, minutes=30) == ["codes_late", "codes_in_time"]


async def test_what_is_unexplained_is_an_incident_until_somebody_has_looked(operator: World):
    operator.vendor.buy(142, 1)
    await operator.reconcile()
    assert await watch(operator, minutes=2) == ["orphan"]
    orphans = Orphans(operator.database, operator.clock)
    [orphan] = await orphans.newest(limit=2)
    for _ in range(2):
        await orphans.settle(up_to=orphan.id or 0, by=RENTER)
    assert await watch(operator, minutes=2) == ["orphan", "orphans_settled"]
    [act] = await Trail(operator.database).newest(limit=5)
    assert (act.what, act.after) == ("orphans", {"settled": 1})
    operator.vendor.buy(142, 1)
    await operator.reconcile()
    assert await watch(operator, minutes=1) == ["orphan", "orphans_settled", "orphan"]


async def test_a_low_balance_is_told_in_the_chat_too(operator: World):
    await operator.rent()
    await texts_at(operator, COST - 1)
    await texts_at(operator, 2 * COST)
    told = [(alert["name"], alert["supplier"]) for alert in operator.sent.of("alert")]
    assert told == [("low_balance", "smscode"), ("low_balance_over", "smscode")]


async def test_managers_are_texted_like_owners(operator: World):
    await operator.team.appoint(RENTER, Role.MANAGER, by=1)
    assert await note(operator, operator.alarms, is_bad=True, minutes=4) == ["bad"]


async def test_support_is_not_texted_about_the_shop(operator: World):
    await operator.team.appoint(RENTER, Role.SUPPORT, by=1)
    assert await note(operator, operator.alarms, is_bad=True, minutes=4) == []

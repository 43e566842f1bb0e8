"""How a vendor's calls went within the last hour."""

from datetime import UTC, datetime, timedelta

import pytest

from services.errors import ProductGone, UpstreamUnknown
from services.recent_calls import MOST, RecentCalls, Summary
from tests.builders import World

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)


def test_there_is_nothing_to_say_of_no_calls():
    assert RecentCalls().summary(NOW) is None


def test_times_are_those_that_half_and_all_but_one_in_twenty_do_not_exceed():
    calls = RecentCalls()
    for number in range(100, 0, -1):
        calls.note(NOW, number / 100, answered=number > 1)
    assert calls.summary(NOW) == Summary(count=100, answered=99, median=0.5, p95=0.95)


def test_one_failure_of_many_is_not_rounded_away():
    assert Summary(1000, 999, 0, 0).percent == 99


def test_what_was_longer_ago_than_an_hour_does_not_count():
    calls = RecentCalls()
    calls.note(NOW, 1, answered=False)
    calls.note(NOW + timedelta(minutes=30), 2, answered=True)
    assert calls.summary(NOW + timedelta(minutes=61)) == Summary(1, 1, 2, 2)
    assert calls.summary(NOW + timedelta(minutes=91)) is None


def test_no_more_is_remembered_than_fits():
    calls = RecentCalls()
    for _ in range(MOST + 5):
        calls.note(NOW, 1, answered=True)
    summary = calls.summary(NOW)
    assert summary
    assert summary.count == MOST


@pytest.mark.anyio
async def test_a_refusal_is_an_answer_and_trouble_is_none(world: World):
    before = world.suppliers.health("smscode").recent.summary(world.clock.now())
    assert before
    for error in (ProductGone("no stock"), UpstreamUnknown("no answer")):
        with pytest.raises(type(error)), world.suppliers.calling("smscode"):
            raise error
    after = world.suppliers.health("smscode").recent.summary(world.clock.now())
    assert after
    assert (after.count - before.count, after.answered - before.answered) == (2, 1)

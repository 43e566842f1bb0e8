"""Closed, open, half-open."""

from datetime import UTC, datetime, timedelta

import pytest

from services.breaker import OPENS_AFTER, REST, Breaker, State

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
LATER = NOW + REST


@pytest.fixture
def open_breaker() -> Breaker:
    breaker = Breaker()
    assert [breaker.fail(NOW) for _ in range(OPENS_AFTER)] == [False] * (OPENS_AFTER - 1) + [True]
    return breaker


def test_a_success_in_between_keeps_it_closed():
    breaker = Breaker()
    for _ in range(3):
        for _ in range(OPENS_AFTER - 1):
            breaker.fail(NOW)
        breaker.succeed(NOW)
    assert breaker.state(NOW) is State.CLOSED
    assert breaker.admit(NOW) is None


def test_while_it_is_open_nobody_passes(open_breaker):
    assert open_breaker.admit(NOW + timedelta(seconds=10)) == REST - timedelta(seconds=10)


def test_what_goes_well_during_the_rest_does_not_end_it(open_breaker):
    open_breaker.succeed(NOW + timedelta(seconds=10))
    assert open_breaker.state(NOW + timedelta(seconds=10)) is State.OPEN


def test_what_fails_during_the_rest_does_not_prolong_it(open_breaker):
    assert not open_breaker.fail(NOW + timedelta(seconds=10))
    assert open_breaker.state(LATER) is State.HALF_OPEN


def test_after_the_rest_one_call_at_a_time_may_try(open_breaker):
    assert open_breaker.admit(LATER) is None
    assert open_breaker.admit(LATER)
    open_breaker.leave()
    assert open_breaker.admit(LATER) is None


def test_a_trial_that_goes_well_closes_it(open_breaker):
    open_breaker.succeed(LATER)
    assert open_breaker.state(LATER) is State.CLOSED
    assert not open_breaker.fail(LATER)


def test_a_trial_that_fails_opens_it_for_another_rest(open_breaker):
    assert open_breaker.fail(LATER)
    assert open_breaker.state(LATER + REST - timedelta(seconds=1)) is State.OPEN
    assert open_breaker.state(LATER + REST) is State.HALF_OPEN

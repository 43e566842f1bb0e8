from datetime import UTC, datetime, timedelta

import pytest

from services.suppliers.pacing import Pacer, parse_retry_after

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)


class Stopwatch:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def time(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def pacer_for(watch: Stopwatch) -> Pacer:
    """Thirty calls at once, then one every 2.5 seconds."""
    return Pacer(60, per=timedelta(minutes=1), time=watch.time, sleep=watch.sleep)


async def test_a_burst_passes_at_once_and_the_rest_comes_at_a_steady_rate():
    watch = Stopwatch()
    pacer = pacer_for(watch)
    passed = []
    for _ in range(33):
        await pacer.wait()
        passed.append(watch.seconds - 1000)
    assert passed == [0] * 30 + [2.5, 5, 7.5]


async def test_a_pause_earns_a_new_burst_but_never_a_bigger_one():
    watch = Stopwatch()
    pacer = pacer_for(watch)
    await pacer.wait()
    await watch.sleep(3600)
    for _ in range(30):
        await pacer.wait()
    assert watch.seconds == 4600
    await pacer.wait()
    assert watch.seconds == 4602.5


async def test_no_window_ever_holds_more_calls_than_the_limit():
    watch = Stopwatch()
    pacer = pacer_for(watch)
    passed = []
    for number in range(600):
        if number % 90 == 0:
            await watch.sleep(25)
        await pacer.wait()
        passed.append(watch.seconds)
    assert all(later - earlier > 60 for earlier, later in zip(passed, passed[60:], strict=False))


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("0", timedelta(0)),
        ("Wed, 25 Feb 2026 10:00:45 GMT", timedelta(seconds=45)),
        ("Wed, 25 Feb 2026 09:00:00 GMT", timedelta(0)),
        ("9" * 400, timedelta(days=1)),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, wait):
    assert parse_retry_after(header, NOW) == wait

"""Hours in which nobody is sent to: how they are written, and when they end."""

from datetime import UTC, datetime, time

import pytest

from services.quiet_hours import QuietHours


def at(hour: int, minute: int = 0, day: int = 21) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end", "zone"),
    [
        ("22-8", time(22), time(8), "UTC"),
        ("22:30 – 07:15 Asia/Jakarta", time(22, 30), time(7, 15), "Asia/Jakarta"),
        ("1.00-5.30 +7", time(1), time(5, 30), "+7"),
    ],
)
def test_a_span_is_read_as_people_write_it(text: str, start: time, end: time, zone: str):
    quiet = QuietHours.read(text)
    assert quiet == QuietHours(start, end, zone)
    assert QuietHours.read(str(quiet)) == quiet


@pytest.mark.parametrize(
    "text", ["", "22", "22-22", "25-8", "22:70-8", "22-8 Nowhere/Land", "22-8 +99", "never"]
)
def test_what_is_no_span_is_not_taken_for_one(text: str):
    assert QuietHours.read(text) is None


@pytest.mark.parametrize(
    ("span", "moment", "end"),
    [
        ("22-8", at(21, 59), None),
        ("22-8", at(22), at(8, day=22)),
        ("22-8", at(7, 59), at(8)),
        ("22-8", at(8), None),
        ("9-17", at(12), at(17)),
        ("9-17", at(17), None),
        ("22-8 Asia/Jakarta", at(15), at(1, day=22)),
        ("22-8 Asia/Jakarta", at(2), None),
    ],
)
def test_quiet_ends_at_the_hour_of_its_zone(span: str, moment: datetime, end: datetime | None):
    quiet = QuietHours.read(span)
    assert quiet
    assert quiet.end_after(moment) == end


def test_the_night_on_which_clocks_are_changed_ends_at_the_same_hour():
    quiet = QuietHours.read("22-8 Europe/Berlin")
    assert quiet
    assert quiet.end_after(datetime(2026, 10, 24, 21, tzinfo=UTC)) == datetime(2026, 10, 25, 7, tzinfo=UTC)

"""Callback data: small, signed, and worth nothing to anybody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.buttons import MAX_BYTES, Buttons, ForgedButton, StaleButton, Tap, action_of, base36, new_key

BUTTONS = Buttons(b"secret")
ANN, BEN = 42, 43


def test_what_is_packed_is_unpacked():
    data = BUTTONS.pack(ANN, "confirm", 71, "ID", 3)
    tap = BUTTONS.unpack(ANN, data)
    assert tap == Tap("confirm", ("1z", "ID", "3"))
    assert (tap.number(0), tap.number(2)) == (71, 3)
    assert action_of(data) == "confirm"


def test_the_largest_buy_button_fits():
    largest = BUTTONS.pack(2**52, "buy", new_key(), 2**31, "ID", 100, 10**15)
    assert len(largest.encode()) <= MAX_BYTES


def test_a_button_of_somebody_else_is_refused():
    with pytest.raises(ForgedButton):
        BUTTONS.unpack(BEN, BUTTONS.pack(ANN, "home"))


def test_a_button_of_another_installation_is_refused():
    with pytest.raises(ForgedButton):
        Buttons(b"another").unpack(ANN, BUTTONS.pack(ANN, "home"))


@given(at=st.integers(0, 63), replacement=st.characters(codec="ascii"))
def test_no_character_can_be_changed(at, replacement):
    data = BUTTONS.pack(ANN, "buy", "abcdefgh", 3, "ID", 1, 18_000)
    at %= len(data)
    changed = data[:at] + replacement + data[at + 1 :]
    if changed != data:
        with pytest.raises((ForgedButton, StaleButton)):
            BUTTONS.unpack(ANN, changed)


@pytest.mark.parametrize("data", ["", "home", "0:home:AAAAAAAAAAA", "🤷", ":::::"])
def test_what_another_version_drew_is_out_of_date(data):
    with pytest.raises(StaleButton):
        BUTTONS.unpack(ANN, data)


@given(st.integers(0, 10**18))
def test_base_36_is_what_int_reads(number):
    assert int(base36(number), 36) == number

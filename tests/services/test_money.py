from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.money import exponent, format_amount, parse_amount, to_decimal, to_minor

NBSP = "\N{NO-BREAK SPACE}"
CURRENCIES = st.sampled_from(["IDR", "USD", "EUR", "JPY", "KWD", "INR", "RUB"])
LOCALES = st.sampled_from(["en", "id", "ru", "hi", "es", "ar", "ar-EG", "pt-br"])
AMOUNTS = st.integers(0, 10**15)


@pytest.mark.parametrize(("currency", "places"), [("IDR", 0), ("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3)])
def test_exponent_is_the_minor_unit_of_the_currency(currency, places):
    assert exponent(currency) == places


@pytest.mark.parametrize("code", ["", "usd", "XXXX", "ZZZ", "rupiah"])
def test_an_unknown_currency_is_named_in_the_error(code):
    with pytest.raises(ValueError, match=f"{code!r} is not the ISO 4217 code"):
        exponent(code)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (100_000, "IDR", "en", f"Rp{NBSP}100,000"),
        (100_000, "IDR", "id", f"Rp{NBSP}100.000"),
        (100_000, "IDR", "ru", f"100{NBSP}000{NBSP}Rp"),
        (-100_000, "IDR", "en", f"-Rp{NBSP}100,000"),
        (1250, "USD", "en", "$12.50"),
        (1200, "USD", "en", "$12.00"),
        (1250, "EUR", "es", f"12,50{NBSP}€"),
        (1234, "KWD", "en", f"KWD{NBSP}1.234"),
        (1234, "JPY", "en", "¥1,234"),
        (123_456_789, "INR", "hi", "₹12,34,567.89"),
        (1250, "USD", "xx-nowhere", "$12.50"),
    ],
)
def test_amounts_are_written_as_the_reader_knows_them(amount, currency, locale, text):
    assert format_amount(amount, currency, locale) == text


@given(AMOUNTS, CURRENCIES, LOCALES)
def test_what_is_shown_can_be_typed_back(amount, currency, locale):
    assert parse_amount(format_amount(amount, currency, locale), currency) == amount


@given(AMOUNTS, CURRENCIES)
def test_decimals_and_minor_units_convert_exactly(amount, currency):
    assert to_minor(to_decimal(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("100000", "IDR", 100_000),
        ("100,000", "IDR", 100_000),
        ("100.000", "IDR", 100_000),
        ("100 000", "IDR", 100_000),
        (f"Rp{NBSP}100.000", "IDR", 100_000),
        ("rp100000", "IDR", 100_000),
        ("Rp. 100.000,-", "IDR", 100_000),
        ("Rp 100.000,00", "IDR", 100_000),
        ("IDR 1.000.000", "IDR", 1_000_000),
        ("1,00,000", "IDR", 100_000),
        ("١٠٠٬٠٠٠", "IDR", 100_000),
        ("१००", "IDR", 100),
        ("12.50", "USD", 1250),
        ("12,50", "USD", 1250),
        ("$12.50", "USD", 1250),
        ("12.5 usd", "USD", 1250),
        ("US$12,50", "USD", 1250),
        (" 12 ", "USD", 1200),
        ("$.50", "USD", 50),
        ("١٢٫٥٠", "USD", 1250),
        ("1,234", "USD", 123_400),
        ("1.234,50", "EUR", 123_450),
        ("1'234.50", "EUR", 123_450),
        ("1 234,5 €", "EUR", 123_450),
        ("0,500", "KWD", 500),
        ("1.234", "KWD", 1234),
        ("0", "USD", 0),
        ("1000000000000000", "IDR", 10**15),
    ],
)
def test_amounts_are_understood_however_people_type_them(text, currency, amount):
    assert parse_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "IDR"),
        ("   ", "IDR"),
        ("Rp", "IDR"),
        ("lots", "IDR"),
        ("-5", "IDR"),
        ("−5", "IDR"),
        ("+5", "IDR"),
        ("5-", "IDR"),
        ("1e5", "IDR"),
        ("100.5", "IDR"),
        ("100,00", "IDR"),
        ("$100", "IDR"),
        ("10 10", "IDR"),
        ("1,2,3", "IDR"),
        ("1000000000000001", "IDR"),
        ("9" * 5000, "IDR"),
        ("12.345", "USD"),
        ("12.3456", "USD"),
        ("0,345", "USD"),
        ("12.", "USD"),
        (".", "USD"),
        ("1.234,56,78", "USD"),
        ("1,234.50.1", "USD"),
        ("12٫5٫5", "USD"),
        ("$12 USD", "USD"),
        ("12 EUR", "USD"),
        ("½", "USD"),
    ],
)
def test_anything_doubtful_is_refused(text, currency):
    with pytest.raises(ValueError, match=r"."):
        parse_amount(text, currency)


@given(st.text(max_size=30), CURRENCIES)
def test_any_text_is_an_amount_or_a_value_error(text, currency):
    try:
        amount = parse_amount(text, currency)
    except ValueError:
        return
    assert 0 <= amount <= 10**15


def test_fractions_of_a_minor_unit_round_up_unless_told_otherwise():
    assert to_minor(Decimal("0.921"), "USD") == 93
    assert to_minor(Decimal("0.921"), "USD", ROUND_FLOOR) == 92
    assert to_minor(Decimal("15000.2"), "IDR") == 15_001

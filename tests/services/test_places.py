import pytest

from services.places import (
    country_name,
    currency_for_language,
    flag,
    format_phone,
    get_locale,
    mask_phone,
)


def test_countries_have_names_in_the_readers_language():
    assert country_name("ID") == "Indonesia"
    assert country_name("ID", "hi") == "इंडोनेशिया"
    assert country_name("BR", "pt-br") == "Brasil"
    assert country_name("DE", "xx-nowhere") == "Germany"


def test_a_country_without_a_name_shows_its_code():
    assert country_name("QX") == "QX"


@pytest.mark.parametrize("code", ["", "-", "_", "xx", "xx-yy-zz", "123", "../../etc"])
def test_any_language_code_has_a_locale(code):
    assert get_locale(code).language == "en"


def test_an_unknown_region_falls_back_to_its_language():
    assert get_locale("ru-XQ").language == "ru"


def test_flags_are_regional_indicators():
    assert flag("ID") == "🇮🇩"
    assert flag("us") == "🇺🇸"


def test_phone_numbers_are_shown_in_international_form():
    assert format_phone("+6281234567890") == "+62 812-3456-7890"


@pytest.mark.parametrize("text", ["", "hello", "+", "081234567890"])
def test_what_is_no_number_is_shown_unchanged(text):
    assert format_phone(text) == text


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+6281234567890", "+62 ••• 7890"),
        ("+12025550123", "+1 ••• 0123"),
        ("+6212345", "+62 ••• 45"),
        ("hello", "•••"),
        ("081234567890", "•••"),
    ],
)
def test_masked_numbers_keep_the_country_and_the_end(phone, masked):
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("language", "currency"),
    [
        ("id", "IDR"),
        ("en", "USD"),
        ("en-GB", "GBP"),
        ("hi", "INR"),
        ("ru", "RUB"),
        ("es", "EUR"),
        ("pt-br", "BRL"),
        ("pt", "BRL"),
        ("ar", "SAR"),
        ("ar-EG", "EGP"),
        ("zh-hans", "CNY"),
        ("tlh", None),
        ("", None),
    ],
)
def test_a_language_suggests_a_currency(language, currency):
    assert currency_for_language(language) == currency

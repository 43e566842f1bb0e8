"""Countries, phone numbers and languages, as people read them.

Countries are ISO 3166-1 alpha-2 codes in upper case, phone numbers E.164, languages the codes that
Telegram sends ("id", "pt-br").
"""

from functools import lru_cache

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.numbers import get_territory_currencies

LANGUAGES = ("en", "hi", "id", "ru", "es", "ar")
"""Languages that the bot speaks, and in which countries and amounts are understood."""

CURRENCIES = ("USD", "EUR", "IDR", "INR", "RUB", "SAR", "AED", "EGP", "MXN", "BRL", "PKR", "NGN")
"""Which renters may choose to see prices in; each costs a look at its rate with every refresh."""

# Babel goes by population and says Egypt; most of those who pay in Arabic know the Gulf's riyal.
_TERRITORIES = {"ar": "SA"}


@lru_cache(maxsize=256)
def get_locale(code: str) -> Locale:
    """Babel's locale for a language code of any origin; English for what Babel has never heard of."""
    try:
        return Locale.parse(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        language = code.replace("_", "-").partition("-")[0]
        return get_locale(language) if language and language != code else Locale("en")


def country_name(iso: str, locale: str = "en") -> str:
    """The country's name in the reader's language; the code itself where it has no name."""
    name: str = get_locale(locale).territories.get(iso, iso)
    return name


def flag(iso: str) -> str:
    """The emoji: both letters as regional indicator symbols."""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in iso.upper())


def format_phone(e164: str) -> str:
    """International form, "+62 812-3456-7890"; unchanged when it is no number."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def parse_phone(text: str, region: str | None = None) -> str | None:
    """E.164 of a number as people write it; without the plus it is one of `region`. None for what is none."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of(e164: str) -> str | None:
    """Where the number is at home; None for what belongs to no country."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return None


def mask_phone(e164: str) -> str:
    """For logs and operators: "+62 ••• 7890", never more than half of the subscriber's digits."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return "•••"
    digits = str(number.national_number)
    shown = digits[-min(4, len(digits) // 2) :] if len(digits) > 1 else ""
    return f"+{number.country_code} ••• {shown}".rstrip()


def currency_for_language(language_code: str) -> str | None:
    """A guess at the reader's own money: the currency of the likeliest country of their language."""
    territory = _likely_territory(language_code)
    currencies = get_territory_currencies(territory) if territory else []
    return currencies[0] if currencies else None


def _likely_territory(language_code: str) -> str | None:
    tag = language_code.replace("-", "_").lower()
    try:
        named = Locale.parse(tag).territory
    except (UnknownLocaleError, ValueError):
        named = None
    if named or tag in _TERRITORIES:
        return named or _TERRITORIES[tag]
    likely = get_global("likely_subtags")
    subtags: str = likely.get(tag) or likely.get(tag.partition("_")[0]) or ""
    return subtags.rpartition("_")[2] or None

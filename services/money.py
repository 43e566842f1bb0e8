"""Amounts: ints of minor units of a currency inside, what people read and type outside."""

import re
import unicodedata
from copy import copy
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

from babel.numbers import (
    NumberPattern,
    get_currency_precision,
    get_currency_symbol,
    is_currency,
)

from services.places import LANGUAGES, get_locale

_LARGEST = 10**15

# ISO 4217 counts in sen, but nobody has seen one for decades: rupiah are whole.
_EXPONENTS = {"IDR": 0}
# CLDR writes "IDR" outside Indonesia; everybody who has paid in rupiah knows "Rp".
_SYMBOLS = {"IDR": "Rp"}
_TYPED_SYMBOLS = {"IDR": ("Rp", "Rp."), "INR": ("Rs", "Rs.")}

# CLDR sets a no-break space between a currency's letters and the digits; Babel leaves it out.
_LETTER_MEETS_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")

_WHOLE = re.compile(
    r"""\d*
    | \d{1,3} (?P<mark>[., ']) \d{3} (?: (?P=mark)\d{3} )*               # 1,234,567
    | \d{1,2} (?P<indian>[., ']) (?: \d{2}(?P=indian) )* \d{3}           # 12,34,567""",
    re.VERBOSE,
)


class BadAmount(ValueError):
    """What somebody typed is no amount of `currency`.

    `reason`: shape, decimals (more than the currency has), too_large, or ambiguous.
    """

    def __init__(self, reason: str, text: str, currency: str) -> None:
        super().__init__(f"{text!r}: {reason}")
        self.reason = reason
        self.text = text
        self.currency = currency


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """How many decimals the currency has. Raises ValueError for a code that no currency has."""
    if not is_currency(currency):
        raise ValueError(f"{currency!r} is not the ISO 4217 code of a currency, such as IDR or USD.")
    return _EXPONENTS.get(currency, get_currency_precision(currency))


def to_minor(decimal: Decimal, currency: str, rounding: str = ROUND_CEILING) -> int:
    """Minor units; fractions of them round up unless told otherwise, so that no price falls below cost."""
    return int(decimal.scaleb(exponent(currency)).to_integral_value(rounding))


def to_decimal(amount: int, currency: str) -> Decimal:
    """Units as people say them: 1250 US cents are 12.50 dollars."""
    return Decimal(amount).scaleb(-exponent(currency))


def format_amount(amount: int, currency: str, locale: str = "en") -> str:
    """Minor units as the reader's language writes them: "Rp 100,000", "12,50 €"."""
    text = _pattern(currency, locale).apply(
        to_decimal(amount, currency), get_locale(locale), currency=currency, currency_digits=False
    )
    if currency in _SYMBOLS:
        text = text.replace(get_currency_symbol(currency, get_locale(locale)), _SYMBOLS[currency])
    return _LETTER_MEETS_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def parse_amount(text: str, currency: str) -> int:
    """Minor units from what a person typed, whichever way they write thousands and decimals.

    A point or comma before three digits separates thousands where the currency has no decimals, and
    decimals where it has three. Raises BadAmount for anything that could mean two amounts, has more
    decimals than the currency, is negative, too large or in another currency.
    """
    places = exponent(currency)
    number = _without_symbol(_plain(text), currency)
    point = _decimal_point(number, currency)
    whole, fraction = number.split(point, 1) if point else (number, "0")
    if not (_WHOLE.fullmatch(whole) and fraction.isdecimal() and number):
        raise BadAmount("shape", text, currency)
    decimals = fraction.rstrip("0")
    if len(decimals) > places:
        raise BadAmount("decimals", text, currency)
    amount = int(re.sub(r"\D", "", whole) + decimals.ljust(places, "0") or "0")
    if amount > _LARGEST:
        raise BadAmount("too_large", text, currency)
    return amount


@lru_cache(maxsize=256)
def _pattern(currency: str, locale: str) -> NumberPattern:
    pattern: NumberPattern = copy(get_locale(locale).currency_formats["standard"])
    pattern.frac_prec = (exponent(currency), exponent(currency))
    return pattern


def _plain(text: str) -> str:
    """The text in ASCII digits and plain spaces, without marks of direction, in lower case."""
    visible = (char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    digits = "".join(str(unicodedata.decimal(char, char)) for char in visible)
    return " ".join(digits.replace("’", "'").replace("٬", "'").casefold().split())


@lru_cache(maxsize=256)
def _symbols(currency: str) -> tuple[str, ...]:
    """Everything the currency is called next to a number, longest first."""
    local = {get_currency_symbol(currency, get_locale(language)) for language in LANGUAGES}
    names = {currency, *local, *_TYPED_SYMBOLS.get(currency, ())}
    return tuple(sorted(map(_plain, names), key=len, reverse=True))


def _without_symbol(text: str, currency: str) -> str:
    text = text.removesuffix(",-")  # "Rp 100.000,-" is how Indonesian price tags end
    for symbol in _symbols(currency):
        if text.startswith(symbol):
            return text.removeprefix(symbol).strip()
        if text.endswith(symbol):
            return text.removesuffix(symbol).strip()
    return text


def _decimal_point(number: str, currency: str) -> str:
    """The character that separates decimals in `number`; empty where none does. Raises BadAmount."""
    places = exponent(currency)
    if "٫" in number:
        return "٫"
    position = max(number.rfind("."), number.rfind(","))
    if position < 0:
        return ""
    mark, head, tail = number[position], number[:position], number[position + 1 :]
    if mark in head:
        return ""
    if re.search(r"[., ']", head):
        return mark
    thousands = re.fullmatch(r"[1-9]\d{0,2}", head) and len(tail) == 3
    if not thousands and places == 0:
        raise BadAmount("decimals", number, currency)
    if not thousands or places >= 3:
        return mark
    if mark == "." and places:
        raise BadAmount("ambiguous", number, currency)
    return ""

"""The words of one language: gettext's catalogues, and how it writes amounts, countries and numbers."""

import gettext
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from babel.numbers import format_decimal

from services import places
from services.money import format_amount

DOMAIN = "numlet"
LOCALES = Path(__file__).parent / "locales"


@dataclass(frozen=True, slots=True)
class Language:
    """English where there is no catalogue. Every text that a person reads goes through here."""

    code: str
    """The language that texts are written in; amounts and names follow it."""
    words: gettext.NullTranslations

    @classmethod
    def of(cls, code: str) -> "Language":
        """`code`: as Telegram tells it ("en", "pt-br")."""
        return _load(code)

    def _(self, message: str) -> str:
        return self.words.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        return self.words.ngettext(singular, plural, count)

    def money(self, amount: int, currency: str) -> str:
        """Minor units, as the reader writes them: "Rp 18,000"."""
        return format_amount(amount, currency, self.code)

    def country(self, iso: str) -> str:
        """With its flag: "🇮🇩 Indonesia"."""
        return f"{places.flag(iso)} {places.country_name(iso, self.code)}"

    def number(self, number: int | Decimal) -> str:
        return format_decimal(number, locale=places.get_locale(self.code))


@lru_cache(maxsize=256)
def _load(code: str) -> Language:
    tag = code.replace("-", "_")
    try:
        words = gettext.translation(DOMAIN, LOCALES, languages=[tag, tag.partition("_")[0]])
    except FileNotFoundError:
        return Language("en", gettext.NullTranslations())
    return Language(tag, words)

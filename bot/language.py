"""The words of one language, and how it writes amounts, countries, numbers and dates.

Catalogues are gettext's `.po` files, read as they are: there is nothing to compile and nothing to be out of
date. English needs none, it stands in the code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from services import places
from services.money import format_amount
from services.places import get_locale
from services.well_known import ANY_SERVICE

ENGLISH = "en"
LOCALES = Path(__file__).parent / "locales"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
# Babel calls the language by the country's name.
_OWN_NAMES = {"id": "Bahasa Indonesia"}


class Catalogues:
    """The translations in some directories, one file a language, each read when it is first needed."""

    def __init__(self, *directories: Path) -> None:
        self._directories = list(directories)
        self._words: dict[str, GNUTranslations | None] = {}

    @property
    def codes(self) -> list[str]:
        """The languages that the bot speaks, English first."""
        found = {path.stem for directory in self._directories for path in directory.glob("*.po")}
        return [ENGLISH, *sorted(found)]

    def add(self, directory: Path) -> None:
        """Its languages go before those of the same name that are known."""
        self._directories.insert(0, directory)
        self._words.clear()

    def remove(self, directory: Path) -> None:
        self._directories.remove(directory)
        self._words.clear()

    def find(self, code: str) -> GNUTranslations | None:
        """What is not translated yet, or marked as doubtful, stays English."""
        if code not in self._words:
            paths = (directory / f"{code}.po" for directory in self._directories)
            path = next((path for path in paths if path.exists()), None)
            self._words[code] = _read(path) if path else None
        return self._words[code]

    def load(self) -> None:
        """Read them all, so that later nobody waits for it."""
        for code in self.codes:
            self.find(code)


CATALOGUES = Catalogues(LOCALES)


def _read(path: Path) -> GNUTranslations:
    """By way of gettext's binary form, so that its own code chooses among plurals."""
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return GNUTranslations(compiled)


@dataclass(frozen=True)
class Language:
    """English where there is no catalogue. Every text that a person reads goes through here."""

    code: str
    """The language that texts are written in; amounts and names follow it."""
    words: NullTranslations

    @classmethod
    def of(cls, code: str) -> "Language":
        """`code`: as Telegram tells it ("en", "pt-br")."""
        tag = str(get_locale(code))
        for name in (tag, tag.partition("_")[0]):
            if words := CATALOGUES.find(name):
                return cls(tag, words)
        return cls(ENGLISH, _NO_WORDS)

    @cached_property
    def locale(self) -> Locale:
        return get_locale(self.code)

    @property
    def is_right_to_left(self) -> bool:
        return self.locale.text_direction == "rtl"

    def _(self, message: str) -> str:
        return self._text(self.words.gettext(message))

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        return self._text(self.words.ngettext(singular, plural, count))

    def _text(self, translated: str) -> str:
        return _RightToLeft(translated) if self.is_right_to_left else translated

    def isolate(self, text: str) -> str:
        """For what stands among words without being one of them: a name, a price, a number.

        Written from right to left, it keeps its own direction and does not turn what is around it.
        """
        return _isolate(text) if self.is_right_to_left else text

    def money(self, amount: int, currency: str) -> str:
        """Minor units, as the reader writes them: "Rp 18,000"."""
        return format_amount(amount, currency, self.code)

    def country(self, iso: str) -> str:
        """With its flag: "🇮🇩 Indonesia"."""
        return f"{places.flag(iso)} {places.country_name(iso, self.code)}"

    def service(self, name: str) -> str:
        """A proper name, but for what stands for all that have none."""
        return self._("Any service") if name == ANY_SERVICE["name"] else name

    def number(self, number: int | Decimal) -> str:
        return format_decimal(number, locale=self.locale)

    def percent(self, percent: int) -> str:
        """Of a hundred: "92%"."""
        return format_percent(Decimal(percent) / 100, locale=self.locale)

    def join(self, items: Iterable[str]) -> str:
        """ "a, b, and c"."""
        return format_list(list(items), locale=self.locale)

    def time(self, at: datetime, *, seconds: bool = False) -> str:
        """ "21 Nov 03:45", in UTC."""
        form = "d MMM HH:mm:ss" if seconds else "d MMM HH:mm"
        return self.isolate(format_datetime(at, form, tzinfo=UTC, locale=self.locale))


_NO_WORDS = NullTranslations()


def own_name(code: str) -> str:
    """What those who speak a language call it: "Español"."""
    name = _OWN_NAMES.get(code) or get_locale(code).get_display_name() or code
    return name[:1].upper() + name[1:]


class _RightToLeft(str):
    """A text that is written from right to left: what is filled in keeps a direction of its own."""

    def format(self, *args: object, **values: object) -> str:
        return self.format_map(values)

    def format_map(self, values: Mapping[str, object]) -> str:  # type: ignore[override]
        return super().format_map(_Isolated(values))


class _Isolated(dict[str, str]):
    """Looks values up when they are asked for, so that a mapping with defaults keeps them."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __missing__(self, name: str) -> str:
        return _isolate(str(self._values[name]))


def _isolate(text: str) -> str:
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}" if text else text

"""What people type, matched with what the shop sells: "watsap indonesia", "вотсап +62", "🇮🇩 wa".

Everything that a service or a country is called is a key. A query is cut in two at every space, and each
half looked up as a service and as a country; whatever fits the query best comes first.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Generic, TypeVar

import phonenumbers
from babel.core import get_global
from rapidfuzz import fuzz, process

from services import nicknames
from services.places import LANGUAGES, country_name

T = TypeVar("T")
_Named = tuple[dict[int, float], dict[str, float]]
"""Services and countries that some words may name, with scores."""
_Reading = tuple[int | None, str | None, float]

_EXACT = 100.0
_NICKNAME = 96.0
"""For what a service is called, but not by its supplier."""
_WORD = 90.0
"""For a word out of a longer name: "korea" of "south korea"."""
_PREFIX = 60.0
"""For the beginning of a key, plus a share for how much of it was typed."""
_CUTOFF = 74.0
"""Below this likeness (0 to 100) a misspelling is another word."""
_FUZZY_LETTERS = 4
"""Shorter words are too close to one another to guess at."""
_HALF = 0.5
"""What a service or a country is worth beside words that mean nothing."""
_GAP = 0.75
"""What both are worth with such words between them."""
_PER_HALF = 12
_MAX_LETTERS = 64
_MAX_WORDS = 6

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_APOSTROPHE = re.compile("['’ʼ`]")
_LATIN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфхыэіў", "abvgdeziiklmnoprstufhyeiu", strict=True))
    | {"ж": "zh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "yu", "я": "ya", "ъ": "", "ь": ""}
)
"""Cyrillic, after `normalize`, as it sounds."""


@dataclass(frozen=True, slots=True)
class Match:
    """A service, a country, or one of each; `score` is 0 to 100."""

    service_id: int | None
    country: str | None
    score: float


def normalize(text: str) -> str:
    """Lower case without accents and punctuation, one space between words, flags as country codes."""
    text = _FLAG.sub(lambda flag: f" {_letters(flag.group())} ", text)
    # Decomposing brings forth capitals (㎒ is MHz), and folding case new characters to decompose.
    folded = unicodedata.normalize("NFKD", text).casefold()
    decomposed = _APOSTROPHE.sub("", unicodedata.normalize("NFKD", folded))
    kept = (
        char if char.isalnum() or category == "Mc" else " "
        for char in decomposed
        if (category := unicodedata.category(char)) not in ("Mn", "Cf")
    )
    return " ".join("".join(kept).split())


def _letters(flag: str) -> str:
    return "".join(chr(ord(symbol) - 0x1F1E6 + ord("A")) for symbol in flag)


class _Names(Generic[T]):
    """Keys of one kind of thing, found exactly, by how they begin, or by likeness."""

    def __init__(self) -> None:
        self._weights: dict[str, dict[T, float]] = {}
        self._sorted: list[str] = []
        self._fuzzy: list[str] = []

    def add(self, thing: T, name: str, weight: float = _EXACT) -> None:
        self.add_key(thing, normalize(name), weight)

    def add_key(self, thing: T, key: str, weight: float = _EXACT) -> None:
        """`key`: a name in its normal form."""
        if key:
            self._put(key, thing, weight)
        for word in key.split():
            if len(word) >= _FUZZY_LETTERS:
                self._put(word, thing, min(weight, _WORD))

    def freeze(self) -> None:
        self._sorted = sorted(self._weights)
        self._fuzzy = [key for key in self._sorted if len(key) >= _FUZZY_LETTERS]

    def find(self, text: str) -> dict[T, float]:
        """The things that `text` may name, with scores, best first."""
        found: dict[T, float] = {}
        spellings = {text, text.translate(_LATIN)}
        for key, likeness in chain.from_iterable(map(self._keys, sorted(spellings))):
            for thing, weight in self._weights[key].items():
                found[thing] = max(found.get(thing, 0), weight * likeness / 100)
        return dict(sorted(found.items(), key=lambda item: -item[1])[:_PER_HALF])

    def _put(self, key: str, thing: T, weight: float) -> None:
        weights = self._weights.setdefault(key, {})
        weights[thing] = max(weight, weights.get(thing, 0))

    def _keys(self, text: str) -> Iterator[tuple[str, float]]:
        if text in self._weights:
            yield text, 100.0
        if len(text) > 1:
            yield from self._beginning_with(text)
        if len(text) >= _FUZZY_LETTERS and text not in self._weights:
            likely = process.extract(
                text, self._fuzzy, scorer=fuzz.ratio, processor=None, score_cutoff=_CUTOFF, limit=_PER_HALF
            )
            yield from ((key, likeness) for key, likeness, _ in likely)

    def _beginning_with(self, text: str) -> Iterator[tuple[str, float]]:
        for index in range(bisect_left(self._sorted, text), len(self._sorted)):
            key = self._sorted[index]
            if not key.startswith(text):
                return
            yield key, _PREFIX + (100 - _PREFIX) * len(text) / len(key)


class SearchIndex:
    """Everything in the shop by name; build a new one when the catalog changes."""

    def __init__(
        self, services: Iterable[tuple[int, str, tuple[str, ...]]], countries: Collection[str]
    ) -> None:
        """`services` as (id, name, aliases), the most wanted first; `countries` as ISO codes."""
        self._services: _Names[int] = _Names()
        for service_id, name, aliases in services:
            for called in (name, *aliases):
                self._services.add(service_id, called)
            for called, weight in _nicknames(name):
                self._services.add(service_id, called, weight)
        self._services.freeze()
        self._countries = _country_names(frozenset(countries))

    def find(self, text: str, *, limit: int = 10) -> list[Match]:
        """What `text` may mean, best first; nothing for what means nothing."""
        words = normalize(text[:_MAX_LETTERS]).split()[:_MAX_WORDS]
        best: dict[tuple[int | None, str | None], float] = {}
        for service_id, country, score in self._readings(words):
            pair = (service_id, country)
            best[pair] = max(score, best.get(pair, 0))
        ranked = sorted(best.items(), key=lambda item: -item[1])
        return [Match(service_id, country, score) for (service_id, country), score in ranked[:limit]]

    def _readings(self, words: list[str]) -> Iterator[_Reading]:
        heads = [self._named(words[:cut]) for cut in range(1, len(words))]
        tails = [self._named(words[cut:]) for cut in range(1, len(words))]
        yield from _alone(self._named(words))
        for head, tail in zip(heads, tails, strict=True):
            yield from _together(head, tail)
        strong_heads, strong_tails = [*map(_strong, heads)], [*map(_strong, tails)]
        for named in strong_heads + strong_tails:
            yield from _alone(named, share=_HALF)
        for cut, head in enumerate(strong_heads):
            for tail in strong_tails[cut + 1 :]:
                yield from _together(head, tail, share=_GAP)

    def _named(self, words: list[str]) -> _Named:
        text = " ".join(words)
        return self._services.find(text), self._countries.find(text)


def _strong(named: _Named) -> _Named:
    """Without what is merely possible: where other words mean nothing, these must mean something."""
    services, countries = named
    return (
        {service: score for service, score in services.items() if score >= _CUTOFF},
        {country: score for country, score in countries.items() if score >= _CUTOFF},
    )


def _alone(named: _Named, share: float = 1) -> Iterator[_Reading]:
    services, countries = named
    yield from ((service, None, score * share) for service, score in services.items())
    yield from ((None, country, score * share) for country, score in countries.items())


def _together(head: _Named, tail: _Named, share: float = 1) -> Iterator[_Reading]:
    for services, countries in ((head[0], tail[1]), (tail[0], head[1])):
        for service, service_score in services.items():
            for country, country_score in countries.items():
                yield service, country, (service_score + country_score) / 2 * share


def _nicknames(name: str) -> Iterator[tuple[str, float]]:
    """Those of each word: "gmail" leads to Google before it leads to Google Voice."""
    words = normalize(name).split()
    weight = _NICKNAME if len(words) == 1 else _WORD
    yield from ((called, weight) for word in words for called in nicknames.SERVICES.get(word, ()))


def service_keys(name: str) -> list[str]:
    """What people call a service of this name, for whoever searches elsewhere."""
    return [called for called, _ in _nicknames(name)]


def country_keys(country: str) -> set[str]:
    """What people call a country, with its dial code."""
    dialed = phonenumbers.country_code_for_region(country)
    return _called(country) | ({str(dialed)} if dialed else set())


def find_country(text: str) -> str | None:
    """The country in the world that `text` most likely names."""
    words = " ".join(normalize(text[:_MAX_LETTERS]).split()[:_MAX_WORDS])
    names = _country_names(frozenset(phonenumbers.SUPPORTED_REGIONS))
    return next(iter(names.find(words)), None)


@lru_cache(maxsize=4)
def _country_names(countries: frozenset[str]) -> _Names[str]:
    """Shared between indexes: the catalog changes often, the countries in it hardly ever."""
    names: _Names[str] = _Names()
    for country in sorted(countries):
        for key in _spelled(country):
            names.add_key(country, key)
    for dial_code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in filter(countries.__contains__, regions):
            # The first region is the one that people mean: +1 is the United States before Jamaica.
            names.add(region, str(dial_code), _EXACT if region == regions[0] else _WORD)
    names.freeze()
    return names


def learn_names() -> None:
    """Read the names of countries in all languages: a fifth of a second, once, that no index should take."""
    _spelled("US")


@lru_cache(maxsize=512)
def _spelled(country: str) -> frozenset[str]:
    """What a country is called, in normal form."""
    return frozenset(map(normalize, _called(country)))


def _called(country: str) -> set[str]:
    """Names in all languages, ISO codes of two and three letters, nicknames."""
    local = (country_name(country, language) for language in LANGUAGES)
    return {country, *local, *_other_codes().get(country, ()), *nicknames.COUNTRIES.get(country, ())}


@lru_cache(maxsize=1)
def _other_codes() -> dict[str, list[str]]:
    """Babel's aliases the other way round: US is called USA, GB is called UK and GBR."""
    codes: dict[str, list[str]] = {}
    for alias, territories in get_global("territory_aliases").items():
        if alias.isalpha() and len(territories) == 1:
            codes.setdefault(territories[0], []).append(alias)
    return codes

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import SUPPORTED_REGIONS

from services.search import Match, SearchIndex, normalize

WHATSAPP, GOOGLE, GOOGLE_VOICE, INSTAGRAM, DRUGSTORE = 1, 2, 3, 4, 5
SERVICES: list[tuple[int, str, tuple[str, ...]]] = [
    (WHATSAPP, "WhatsApp", ("wa",)),
    (GOOGLE, "Google / YouTube / Gmail", ("go",)),
    (GOOGLE_VOICE, "Google Voice", ("gf",)),
    (INSTAGRAM, "Instagram+Threads", ("ig",)),
    (DRUGSTORE, "McDonald’s", ()),
]


@pytest.fixture(scope="module")
def index():
    return SearchIndex(SERVICES, SUPPORTED_REGIONS)


def best(index: SearchIndex, text: str) -> tuple[int | None, str | None] | None:
    matches = index.find(text)
    return (matches[0].service_id, matches[0].country) if matches else None


@pytest.mark.parametrize(
    "text",
    [
        "whatsapp indonesia",
        "WhatsApp, Indonesia!",
        "watsap indonesia",
        "whats app indonezia",
        "indonesia whatsapp",
        "wa id",
        "wa idn",
        "wa +62",
        "+62 wa",
        "🇮🇩 wa",
        "wa🇮🇩",
        "wa индонезия",
        "wa इंडोनेशिया",
        "wa إندونيسيا",
        "wa indo",
        "whatsapp number for indonesia",
    ],
)
def test_a_service_and_a_country_are_found_however_they_are_typed(index, text):
    assert best(index, text) == (WHATSAPP, "ID")


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("indonesia", "ID"),
        ("usa", "US"),
        ("uk", "GB"),
        ("uae", "AE"),
        ("+1", "US"),
        ("+7", "RU"),
        ("south africa", "ZA"),
        ("Sudáfrica", "ZA"),
        ("united kingdom", "GB"),
        ("untied kingdom", "GB"),
        ("cote d'ivoire", "CI"),
        ("ivory coast", "CI"),
        ("turkey", "TR"),
        ("vietnm", "VN"),
        ("россия", "RU"),
        ("भारत", "IN"),
    ],
)
def test_a_country_alone_is_found_in_many_languages(index, text, country):
    assert best(index, text) == (None, country)


@pytest.mark.parametrize(
    ("text", "service_id"),
    [
        ("whatsapp", WHATSAPP),
        ("whatsap", WHATSAPP),
        ("whats", WHATSAPP),
        ("WA", WHATSAPP),
        ("gmail", GOOGLE),
        ("google voice", GOOGLE_VOICE),
        ("instgram", INSTAGRAM),
        ("mcdonalds", DRUGSTORE),
        ("buy whatsapp", WHATSAPP),
    ],
)
def test_a_service_alone_is_found(index, text, service_id):
    assert best(index, text) == (service_id, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("google voice usa", (GOOGLE_VOICE, "US")),
        ("google south africa", (GOOGLE, "ZA")),
        ("united kingdom google voice", (GOOGLE_VOICE, "GB")),
    ],
)
def test_names_of_several_words_stay_whole(index, text, expected):
    assert best(index, text) == expected


@pytest.mark.parametrize("text", ["", "   ", "!?", "asdfgh qwerty", "how are you", "z", "👍", "привет"])
def test_nonsense_finds_nothing(index, text):
    assert index.find(text) == []


def test_an_exact_match_scores_highest_and_results_are_ranked(index):
    matches = index.find("google usa", limit=5)
    scores = [match.score for match in matches]
    assert scores == sorted(scores, reverse=True)
    assert len(matches) == 5
    assert index.find("whatsapp")[0] == Match(WHATSAPP, None, 100)


def test_a_shared_dial_code_finds_all_its_countries_the_largest_first(index):
    countries = [match.country for match in index.find("+7")]
    assert countries[:2] == ["RU", "KZ"]


def test_only_countries_in_the_shop_are_found():
    assert best(SearchIndex(SERVICES, ["US"]), "whatsapp indonesia") == (WHATSAPP, None)


def test_a_shop_without_goods_finds_nothing():
    assert SearchIndex([], []).find("whatsapp indonesia") == []


@given(st.text(max_size=200))
def test_any_text_can_be_searched(index, text):
    assert all(0 < match.score <= 100 for match in index.find(text))


@given(st.text(max_size=50))
def test_normal_text_is_its_own_normal_form(text):
    once = normalize(text)
    assert normalize(once) == once


def test_a_query_over_a_full_shop_is_cheap():
    services = [(number, f"Service {number:x} Shop", (f"s{number}",)) for number in range(150)]
    index = SearchIndex(services, SUPPORTED_REGIONS)
    queries = ["watsap indonesia", "sevrice 1f unted kingdom", "the quick brown fox jumps over"]
    fastest = min(_seconds_for(index, queries) for _ in range(5))
    assert fastest / len(queries) < 0.010  # about 0.5 ms; the rest is for slow and busy machines


def _seconds_for(index: SearchIndex, queries: list[str]) -> float:
    started = time.perf_counter()
    for query in queries:
        index.find(query)
    return time.perf_counter() - started

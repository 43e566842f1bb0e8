"""Every catalogue is complete and fits: nothing missing, unused, doubtful or broken in any language."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from gettext import c2py
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from bot import translations
from bot.commands import description, operator_commands, renter_commands, short_description
from bot.language import CATALOGUES, LOCALES, Language
from services.places import get_locale
from services.roles import Role
from tests.bot.catalogues import PSEUDO, write_pseudo

COMMAND_LIMIT, DESCRIPTION_LIMIT, SHORT_DESCRIPTION_LIMIT = 256, 512, 120
"""What Telegram takes."""
BILL_LIMITS = {"Top-up": 32, "One number": 32}
"""Titles of invoices."""
SHORT, GROWTH = 24, 2.2
"""A text of no more than so many characters may stand on a button: a translation may be so much longer."""

_FIELD = re.compile(r"\{(\w+)\}")
_TAG = re.compile(r"</?\w+[^>]*>")
_COMMAND = re.compile(r"(?<![\w<])/[a-z]+\b")


@pytest.fixture(scope="session")
def pseudo(tmp_path_factory) -> Path:
    return write_pseudo(tmp_path_factory.mktemp("locales"))


@pytest.fixture(params=[path.stem for path in sorted(LOCALES.glob("*.po"))] + [PSEUDO])
def path(request, pseudo) -> Path:
    """Each catalogue of ours, and one that a machine made, which shows that the checks can be met."""
    return pseudo if request.param == PSEUDO else LOCALES / f"{request.param}.po"


@pytest.fixture
def catalog(path) -> Catalog:
    return translations.read(path)


def test_every_text_in_the_code_is_found():
    """The extraction does not look into f-strings on every Python."""
    found = {text.id if isinstance(text.id, str) else text.id[0] for text in translations.texts() if text.id}
    written = {
        call.args[0].value
        for file in sorted(Path(translations.__file__).parent.rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and _is_translation(call.func)
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert written <= found


def _is_translation(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("_", "ngettext")


def messages(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def pairs(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Each text, and each form of its translation."""
    for message in messages(catalog):
        text = message.id if isinstance(message.id, str) else message.id[-1]
        yield from ((text, form) for form in translations.forms(message))


def signs(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(pattern.findall(text))


def test_the_catalogue_is_named_after_its_language(path):
    assert str(get_locale(path.stem)) == path.stem


def test_nothing_is_missing_and_nothing_is_unused(catalog):
    assert {message.id for message in messages(catalog)} == {
        message.id for message in messages(translations.texts())
    }
    assert not catalog.obsolete


def test_nothing_is_doubtful_or_empty(catalog):
    assert list(translations.open_texts(catalog)) == []


def test_plurals_have_all_their_forms(catalog):
    plurals = [message for message in messages(catalog) if isinstance(message.id, tuple)]
    assert plurals
    assert {len(translations.forms(message)) for message in plurals} == {catalog.num_plurals}


def test_what_is_filled_in_is_the_same(catalog):
    single = [(m.id, *translations.forms(m)) for m in messages(catalog) if isinstance(m.id, str)]
    assert [(x, t) for x, t in single if signs(_FIELD, t).keys() != signs(_FIELD, x).keys()] == []


def test_a_plural_leaves_its_number_out_only_where_it_stands_for_one_number(catalog):
    """ "One number", "رقمان": but a form that is for 1, 21 and 31 has to say which."""
    form_of = c2py(catalog.plural_expr)
    numbers = Counter(form_of(count) for count in range(1000))
    wrong = []
    for message in messages(catalog):
        if isinstance(message.id, tuple):
            fields = signs(_FIELD, message.id[1]).keys()
            for form, translated in enumerate(translations.forms(message)):
                missing = fields - signs(_FIELD, translated).keys()
                unknown = signs(_FIELD, translated).keys() - fields
                if unknown or len(missing) > (1 if numbers[form] == 1 else 0):
                    wrong.append((message.id[1], translated))
    assert wrong == []


def test_braces_stand_for_nothing_else(catalog):
    assert [t for _, t in pairs(catalog) if re.search(r"[{}]", _FIELD.sub("", t))] == []


def test_formatting_is_the_same(catalog):
    assert [(x, t) for x, t in pairs(catalog) if signs(_TAG, t) != signs(_TAG, x)] == []


def test_html_is_not_broken_by_a_stray_sign(catalog):
    assert [t for _, t in pairs(catalog) if re.search(r"[<>]", _TAG.sub("", t))] == []


def test_commands_are_not_translated(catalog):
    assert [(x, t) for x, t in pairs(catalog) if signs(_COMMAND, t).keys() != signs(_COMMAND, x).keys()] == []


def test_spaces_at_the_ends_and_empty_lines_are_kept(catalog):
    def shape(text: str) -> tuple[bool, bool, int]:
        return text[:1].isspace(), text[-1:].isspace(), text.count("\n")

    assert [(x, t) for x, t in pairs(catalog) if shape(t) != shape(x)] == []


def test_short_texts_stay_short_enough_for_a_button(catalog):
    def room(text: str) -> float:
        return max(16, GROWTH * len(text))

    short = [(x, t) for x, t in pairs(catalog) if len(x) <= SHORT]
    assert short
    assert [(x, t) for x, t in short if len(t) > room(x)] == []


def test_titles_of_invoices_fit(catalog):
    translated = dict(pairs(catalog))
    assert [title for title, limit in BILL_LIMITS.items() if len(translated[title]) > limit] == []


def test_what_telegram_shows_of_the_bot_fits(path):
    CATALOGUES.add(path.parent)
    try:
        language = Language.of(path.stem)
        commands = renter_commands(language) + operator_commands(language, Role.OWNER)
        assert language.code == path.stem
        assert max(len(says) for _, says in commands) <= COMMAND_LIMIT
        assert len(description(language)) <= DESCRIPTION_LIMIT
        assert len(short_description(language)) <= SHORT_DESCRIPTION_LIMIT
    finally:
        CATALOGUES.remove(path.parent)


def test_texts_in_the_code_have_names_for_what_is_filled_in():
    unnamed = re.compile(r"\{\W?\}|\{\d+\}|%[sd]")
    found = [x for x, _ in pairs(translations.texts()) if unnamed.search(x)]
    assert found == []


def test_a_catalogue_is_begun_and_kept_up_to_date(tmp_path):
    path = tmp_path / "locales" / "ar.po"
    begun = translations.update(path)
    assert len(list(translations.open_texts(begun))) == len(translations.texts())
    assert begun.num_plurals == 6
    text = path.read_text()
    path.write_text(text.replace('msgid "My orders"\nmsgstr ""', 'msgid "My orders"\nmsgstr "طلباتي"'))
    with path.open("a") as file:
        file.write('\nmsgid "Something that was dropped"\nmsgstr "x"\n')
    updated = translations.update(path)
    assert "My orders" not in translations.open_texts(updated)
    assert "طلباتي" in path.read_text()
    assert "Something that was dropped" not in path.read_text()
    again = path.read_text()
    translations.update(path)
    assert path.read_text() == again

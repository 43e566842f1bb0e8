"""What rules and pauses are about, in words; and the lists from which a service or a country is chosen."""

from dataclasses import dataclass
from typing import NamedTuple

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import ROWS, Page, Reader, View, bold, columns, escape, pager
from services.scopes import Scope

PRICE, PAUSE = "p", "h"
"""What something is chosen for."""
SERVICE, COUNTRY = "s", "c"
"""What is chosen."""


@dataclass(frozen=True, slots=True)
class Named:
    """A scope, with the name of its service where it has one."""

    scope: Scope
    service: str = ""

    def words(self, language: Language) -> str:
        """Plain text: "smscode · WhatsApp · 🇮🇩 Indonesia"; what is not named is any."""
        country = language.country(self.scope.country) if self.scope.country else ""
        parts = [part for part in (self.scope.supplier, language.service(self.service), country) if part]
        return " · ".join(parts) or language._("Everything")


class Choice(NamedTuple):
    """A question for a service or a country, as its buttons carry it."""

    purpose: str
    kind: str
    supplier: str
    service_id: int = 0
    """What has been chosen before."""


def suppliers(reader: Reader, names: list[str]) -> View:
    """The first question about a new rule."""
    _ = reader.language._
    choices = [("", _("All suppliers")), *((name, name) for name in names)]
    return View.of(
        [bold(_("New price rule")), "", _("Whose numbers is it for?")],
        [
            *columns(
                reader.button(label, "pick", *Choice(PRICE, SERVICE, name), 0) for name, label in choices
            ),
            [reader.button(_("‹ Prices"), "pricing", 0)],
        ],
    )


def choices(reader: Reader, choice: Choice, page: Page[tuple[int | str, str]]) -> View:
    """`page`: what can be chosen, with its name."""
    _ = reader.language._
    search = reader.button(_("🔎 Search"), "askpick", *choice)
    return View.of(
        [*_question(reader.language, choice), *([] if page.items else ["", _("There is nothing yet.")])],
        [
            [_any(reader, choice)] if choice.purpose == PRICE and not page.number else [],
            *columns(_button(reader, choice, key, name) for key, name in page.items),
            pager(reader, page, "pick", *choice),
            [search, _back(reader, choice)],
        ],
    )


def ask_name(reader: Reader, choice: Choice) -> View:
    _ = reader.language._
    text = (
        _("Write a part of the service's name.")
        if choice.kind == SERVICE
        else _("Write a part of the country's name, or its two letters.")
    )
    return View.of(
        [*_question(reader.language, choice), "", text, _("To leave: /cancel")], [[_back(reader, choice)]]
    )


def matches(reader: Reader, choice: Choice, text: str, found: list[tuple[int | str, str]]) -> View:
    """What was found for a name that was typed, as much as fits on a page."""
    _ = reader.language._
    nothing = [] if found else [_("Nothing found.")]
    return View.of(
        [*_question(reader.language, choice), "", escape(f"“{text}”"), *nothing],
        [
            *columns(_button(reader, choice, key, name) for key, name in found[:ROWS]),
            [reader.button(_("🔎 Search"), "askpick", *choice), reader.button(_("All"), "pick", *choice, 0)],
            [_back(reader, choice)],
        ],
    )


def _question(language: Language, choice: Choice) -> list[str]:
    _ = language._
    if choice.purpose == PRICE:
        title = _("New price rule")
        text = _("Which service is it for?") if choice.kind == SERVICE else _("Which country is it for?")
    else:
        title = choice.supplier or _("Blocklist")
        text = (
            _("Which service shall not be sold?")
            if choice.kind == SERVICE
            else _("Which country shall not be sold?")
        )
    return [bold(title), "", text]


def _any(reader: Reader, choice: Choice) -> InlineKeyboardButton:
    _ = reader.language._
    if choice.kind == SERVICE:
        return _button(reader, choice, 0, _("All services"))
    return _button(reader, choice, "", _("All countries"))


def _button(reader: Reader, choice: Choice, key: int | str, name: str) -> InlineKeyboardButton:
    """Where choosing leads: to the next question, or to what it is chosen for."""
    if choice.kind == COUNTRY:
        action = "prnew" if choice.purpose == PRICE else "haltfor"
        return reader.button(name, action, choice.supplier, choice.service_id, str(key))
    if choice.purpose == PRICE:
        return reader.button(name, "pick", PRICE, COUNTRY, choice.supplier, int(key), 0)
    return reader.button(name, "haltfor", choice.supplier, int(key), "")


def _back(reader: Reader, choice: Choice) -> InlineKeyboardButton:
    _ = reader.language._
    if choice.purpose == PRICE:
        return reader.button(_("‹ Prices"), "pricing", 0)
    if choice.supplier:
        return reader.button(f"‹ {choice.supplier}", "supplier", choice.supplier)
    return reader.button(_("‹ Blocklist"), "blocklist", 0)

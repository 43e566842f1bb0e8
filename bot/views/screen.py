"""A screen and what it is made of."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bot.buttons import Buttons
from bot.language import Language
from services.rates import Exchange

T = TypeVar("T")
Row = list[InlineKeyboardButton]

SUCCESS, DANGER = KeyboardButtonStyle.SUCCESS, KeyboardButtonStyle.DANGER
ROWS = 10
"""How many rows of a list fit on a phone above its navigation."""
_SHORT = 18
"""A longer label needs a row of its own."""
_COPY_LIMIT = 256


@dataclass(frozen=True, slots=True)
class View:
    """A message: HTML and the buttons below it."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None

    @classmethod
    def of(cls, lines: Iterable[str], rows: Iterable[Row] = ()) -> "View":
        """From lines, each below the other, and rows of buttons; empty rows are left out."""
        kept = [row for row in rows if row]
        return cls("\n".join(lines).strip(), InlineKeyboardMarkup(kept) if kept else None)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who will read it: in their language, with buttons that work for them alone."""

    user_id: int
    language: Language
    buttons: Buttons
    exchange: Exchange | None = None
    """Into the money that they think in, where it is not the shop's and the rate is known."""

    def about(self, amount: int) -> str:
        """What follows an amount of the shop's money: " (≈ $1.10)", or nothing."""
        own = self.exchange.convert(amount) if self.exchange else 0
        if not self.exchange or not own:
            return ""
        return " " + self.language.isolate(f"(≈ {self.language.money(own, self.exchange.target)})")

    def button(
        self, label: str, action: str, *args: int | str, style: str | None = None
    ) -> InlineKeyboardButton:
        data = self.buttons.pack(self.user_id, action, *args)
        return InlineKeyboardButton(label, callback_data=data, style=style)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; pages count from zero."""

    items: Sequence[T]
    number: int = 0
    more: bool = False
    """Whether there is a page after this one."""

    @classmethod
    def of(cls, items: Sequence[T], number: int, size: int) -> "Page[T]":
        """The page of a whole list; the last one where the list has become shorter meanwhile."""
        number = min(number, max(0, (len(items) - 1) // size))
        start = number * size
        return cls(items[start : start + size], number, more=len(items) > start + size)

    @classmethod
    def read(cls, found: Sequence[T], number: int, size: int) -> "Page[T]":
        """From one more than a page shows: that one tells whether there is another."""
        return cls(found[:size], number, more=len(found) > size)


def pager(reader: Reader, page: Page[T], action: str, *args: int | str) -> Row:
    """Buttons to the pages beside this one; the page number follows `args`."""
    _ = reader.language._
    row = []
    if page.number:
        row.append(reader.button(_("‹ Previous"), action, *args, page.number - 1))
    if page.more:
        row.append(reader.button(_("Next ›"), action, *args, page.number + 1))
    return row


def columns(buttons: Iterable[InlineKeyboardButton], width: int = 2) -> list[Row]:
    """Short labels side by side, long ones alone."""
    rows: list[Row] = []
    for button in buttons:
        fits = rows and len(rows[-1]) < width
        if fits and all(len(other.text) <= _SHORT for other in (*rows[-1], button)):
            rows[-1].append(button)
        else:
            rows.append([button])
    return rows


def copy_button(label: str, text: str) -> InlineKeyboardButton:
    """Puts `text` on the clipboard; Telegram takes no more than 256 characters."""
    return InlineKeyboardButton(label, copy_text=CopyTextButton(text[:_COPY_LIMIT]))


def escape(text: str) -> str:
    return html.escape(text, quote=False)


def bold(text: str) -> str:
    return f"<b>{escape(text)}</b>"


def title(language: Language, service: str, country: str) -> str:
    """What a number is for: "WhatsApp · 🇮🇩 Indonesia"."""
    return f"{language.isolate(bold(language.service(service)))} · {escape(language.country(country))}"


def code(text: str) -> str:
    """Copied by a tap on it."""
    return f"<code>{escape(text)}</code>"


def moment(at: datetime) -> str:
    """How far away it is, kept up to date by the reader's own Telegram; older ones show the time.

    That has no words in it, so it reads the same in every language.
    """
    return f'<tg-time unix="{int(at.timestamp())}" format="r">{at:%Y-%m-%d %H:%M} UTC</tg-time>'

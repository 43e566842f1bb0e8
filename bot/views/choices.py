"""In which language the bot speaks to somebody, and in which money it counts beside the shop's."""

from collections.abc import Sequence

from babel.numbers import get_currency_name
from telegram import InlineKeyboardButton

from bot.language import Language, own_name
from bot.views.screen import Reader, Row, View, bold, columns, escape
from db.models import User

NO_CURRENCY = "none"
"""Stands in a button for the wish to see no other currency."""
_IN_A_ROW = 3


def lines(language: Language, currency: str | None) -> list[str]:
    """For `/settings`; `currency`: the one that prices are also shown in."""
    _ = language._
    shown = currency_name(language, currency) if currency else _("no other currency")
    return [
        _("Language: {name}").format(name=bold(own_name(language.code))),
        _("Prices also in: {currency}").format(currency=bold(shown)),
    ]


def row(reader: Reader) -> Row:
    _ = reader.language._
    return [language_button(reader), reader.button(_("Currency"), "currency")]


def language_button(reader: Reader) -> InlineKeyboardButton:
    """The globe is for those who cannot read the word."""
    return reader.button(reader.language._("🌐 Language"), "language")


def languages(reader: Reader, codes: Sequence[str], user: User) -> View:
    """Each by the name that its speakers give it."""
    _ = reader.language._
    chosen = user.chosen_language
    return View.of(
        [bold(_("Language")), "", _("In which language shall I write to you?")],
        [
            *columns(reader.button(_marked(own_name(code), code == chosen), "speak", code) for code in codes),
            [reader.button(_marked(_("As in Telegram"), chosen is None), "speak", "")],
            [_settings_button(reader)],
        ],
    )


def currencies(reader: Reader, codes: Sequence[str], user: User, shop_currency: str) -> View:
    _ = reader.language._
    chosen = user.chosen_currency
    buttons = [reader.button(_marked(code, code == chosen), "countin", code) for code in codes]
    shop = bold(currency_name(reader.language, shop_currency))
    return View.of(
        [
            bold(_("Currency")),
            "",
            _("You pay in {currency}. Beside it I can show about how much that is in your own money.").format(
                currency=shop
            ),
        ],
        [
            *columns(buttons, _IN_A_ROW),
            [reader.button(_marked(_("No other currency"), chosen == ""), "countin", NO_CURRENCY)],
            [reader.button(_marked(_("By my language"), chosen is None), "countin", "")],
            [_settings_button(reader)],
        ],
    )


def currency_name(language: Language, currency: str) -> str:
    """ "US Dollar (USD)"."""
    name = escape(get_currency_name(currency, locale=language.locale))
    return f"{name} ({currency})"


def _marked(label: str, is_chosen: bool) -> str:
    return f"✓ {label}" if is_chosen else label


def _settings_button(reader: Reader) -> InlineKeyboardButton:
    return reader.button(reader.language._("‹ Settings"), "settings")

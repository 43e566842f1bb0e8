"""Choosing what a rule or a pause is about: from a list, or by a part of its name."""

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.views import scopes as views
from bot.views.scopes import SERVICE, Choice, Named
from bot.views.screen import ROWS, Page
from services import places
from services.scopes import Scope

NAME = "name of a choice"
"""The conversation's state: a part of a name is awaited."""
END = ConversationHandler.END
ECHO = 64
"""As much of what was typed as is repeated in the answer."""


async def ask_name(update: Update, context: Context) -> None:
    choice = _choice(read_tap(update, context))
    context.typed.clear()
    context.typed["choice"] = list(choice)
    await show(update, context, views.ask_name(reader_of(context), choice))
    raise ApplicationHandlerStop(NAME)


async def take_name(update: Update, context: Context) -> None:
    choice, text = Choice(*context.typed["choice"]), said(update)[:ECHO]
    context.typed.clear()
    found = [one for one in _choices(context, choice) if _is_meant(context, text.casefold(), *one)]
    await show(update, context, views.matches(reader_of(context), choice, text, found))
    raise ApplicationHandlerStop(END)


def named(context: Context, scope: Scope) -> Named:
    """With the name that its service has by now."""
    service = context.shop.catalog.service(scope.service_id) if scope.service_id else None
    return Named(scope, service.name if service else "")


def read_scope(tap: Tap) -> Scope:
    """The first three arguments of a button."""
    return Scope(tap.args[0], tap.number(1), tap.args[2])


async def _tap_pick(update: Update, context: Context, tap: Tap) -> None:
    choice = _choice(tap)
    page = Page.of(_choices(context, choice), tap.number(4), ROWS)
    await show(update, context, views.choices(reader_of(context), choice, page))


def _choice(tap: Tap) -> Choice:
    return Choice(tap.args[0], tap.args[1], tap.args[2], tap.number(3))


def _choices(context: Context, choice: Choice) -> list[tuple[int | str, str]]:
    """By name: the key that its button carries, and the name."""
    catalog, language = context.shop.catalog, context.language
    if choice.kind == SERVICE:
        return [(service.id or 0, language.service(service.name)) for service in catalog.known_services()]
    found = [(iso, places.country_name(iso, language.code)) for iso in catalog.known_countries()]
    return [(iso, language.country(iso)) for iso, _ in sorted(found, key=lambda one: one[1])]


def _is_meant(context: Context, text: str, key: int | str, name: str) -> bool:
    """By a part of its name, or by all of its short one: "wa", "id"."""
    service = context.shop.catalog.service(key) if isinstance(key, int) else None
    short = service.code if service else str(key)
    return text in name.casefold() or text == short.casefold()


ACTS: Acts = {"pick": _tap_pick}

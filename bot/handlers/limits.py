"""How much one renter may buy, where that is not what goes for everybody."""

import re
from typing import NoReturn

from telegram import Update
from telegram.ext import ApplicationHandlerStop

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.people import end_with_card, show_card, whom
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.views import people as views
from services.people import MOST_ALLOWED, Limits

LIMITS = "limits"
"""The conversation's state: two numbers are awaited."""
_TWO_NUMBERS = re.compile(r"(\d{1,5})[\s,;/]+(\d{1,5})", re.ASCII)


async def ask(update: Update, context: Context) -> None:
    tap = read_tap(update, context)
    context.typed.clear()
    context.typed["user"] = tap.number(0)
    await _ask(update, context)


async def take(update: Update, context: Context) -> None:
    found = _TWO_NUMBERS.fullmatch(said(update))
    limits = [int(number) for number in found.groups()] if found else []
    if not limits or not all(0 < limit <= MOST_ALLOWED for limit in limits):
        most = context.language.number(MOST_ALLOWED)
        problem = context.language._("I need two whole numbers from 1 to {most}.")
        await _ask(update, context, problem.format(most=most))
    user_id = whom(context)
    await context.shop.people.set_limits(user_id, Limits(*limits), by=context.user.id)
    await end_with_card(update, context, user_id)


async def _ask(update: Update, context: Context, problem: str = "") -> NoReturn:
    shop = context.shop
    user = await shop.accounts.get(whom(context))
    view = views.ask_limits(reader_of(context), user, shop.orders.limits_of(user), problem)
    await show(update, context, view)
    raise ApplicationHandlerStop(LIMITS)


async def _tap_as_for_all(update: Update, context: Context, tap: Tap) -> None:
    user_id = tap.number(0)
    await context.shop.people.set_limits(user_id, Limits(), by=context.user.id)
    await show_card(update, context, user_id)


ACTS: Acts = {"nolimits": _tap_as_for_all}

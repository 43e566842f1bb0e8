"""Keeping somebody out, and letting them back in."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.people import (
    ask_about,
    ask_again,
    end_with_card,
    read_id,
    show_card,
    whom,
)
from bot.handlers.screens import Acts, reader_of, said, show
from bot.views import operator as operator_views
from services.people import REASON_LIMIT

REASON = "ban reason"


async def ban(update: Update, context: Context) -> None:
    """`/ban ID [reason]`."""
    user_id = read_id(context)
    if user_id is None:
        await show(update, context, operator_views.usage(reader_of(context), "/ban ID [reason]"))
        return
    await context.shop.people.ban(user_id, by=context.user.id, reason=" ".join((context.args or [])[1:]))
    await show_card(update, context, user_id)


async def unban(update: Update, context: Context) -> None:
    """`/unban ID`."""
    user_id = read_id(context)
    if user_id is None:
        await show(update, context, operator_views.usage(reader_of(context), "/unban ID"))
        return
    await context.shop.people.unban(user_id, by=context.user.id)
    await show_card(update, context, user_id)


async def ask_reason(update: Update, context: Context) -> None:
    await ask_about(update, context, REASON)


async def take_reason(update: Update, context: Context) -> None:
    reason, user_id = said(update), whom(context)
    if len(reason) > REASON_LIMIT:
        await ask_again(update, context, REASON)
    await context.shop.people.ban(user_id, by=context.user.id, reason=reason)
    await end_with_card(update, context, user_id)


async def _tap_unban(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.people.unban(tap.number(0), by=context.user.id)
    await show_card(update, context, tap.number(0))


ACTS: Acts = {"unban": _tap_unban}

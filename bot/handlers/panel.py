"""`/admin`: where everything begins for those who work here."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, reader_of, show
from bot.views import panel as views


async def command(update: Update, context: Context) -> None:
    assert context.role
    await show(update, context, views.panel(reader_of(context), context.role))


async def _tap_panel(update: Update, context: Context, tap: Tap) -> None:
    await command(update, context)


ACTS: Acts = {"panel": _tap_panel}

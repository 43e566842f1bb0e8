"""What we keep about somebody, and how they are forgotten: they ask, an owner does it."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.people import show_card
from bot.handlers.screens import Acts, reader_of, show
from bot.views import people as people_views
from bot.views import privacy as views


async def command(update: Update, context: Context) -> None:
    """`/privacy`."""
    days = context.shop.retention_days
    await show(update, context, views.privacy(reader_of(context), retention_days=days))


async def _show(update: Update, context: Context, tap: Tap) -> None:
    await command(update, context)


async def _ask(update: Update, context: Context, tap: Tap) -> None:
    await show(update, context, views.ask_erasure(reader_of(context)))


async def _request(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.people.ask_erasure(context.user.id)
    await show(update, context, views.erasure_asked(reader_of(context)))


async def _ask_erase(update: Update, context: Context, tap: Tap) -> None:
    shop, user_id = context.shop, tap.number(0)
    found, ties = await shop.accounts.get(user_id), await shop.people.ties(user_id)
    view = people_views.ask_erase(reader_of(context), found, ties, currency=shop.currency)
    await show(update, context, view)


async def _erase(update: Update, context: Context, tap: Tap) -> None:
    """The button that says what would be left behind forces it; the other one does not."""
    user_id, forced = tap.number(0), bool(tap.number(1))
    await context.shop.people.erase(user_id, by=context.user.id, forced=forced)
    await show_card(update, context, user_id)


RENTER: Acts = {"privacy": _show, "forgetme": _ask, "doforgetme": _request}
ACTS: Acts = {"askerase": _ask_erase, "erase": _erase}

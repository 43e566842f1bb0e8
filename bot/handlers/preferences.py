"""`/settings`: what renters choose for themselves."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, needs_terms, reader_of, show
from bot.views import preferences as views
from bot.views.screen import View
from services.phones import Wish


async def command(update: Update, context: Context) -> None:
    if not await needs_terms(update, context, Tap("settings", ())):
        await show(update, context, await settings_view(context))


async def settings_view(context: Context, *, news: str = "") -> View:
    """`news`: what has just changed."""
    shop, texting = context.shop, None
    if any(True for _ in shop.senders):
        texting = views.TextingState(
            phone=await shop.phones.find(context.user.id),
            price=shop.forwarding.price,
            currency=shop.currency,
            is_operator=context.user.id in context.shop.admin_ids,
        )
    return views.settings(reader_of(context), texting, news=news)


async def _tap_settings(update: Update, context: Context, tap: Tap) -> None:
    await show(update, context, await settings_view(context))


async def _tap_wish(update: Update, context: Context, tap: Tap) -> None:
    wish, on = Wish(tap.args[0]), bool(tap.number(1))
    if wish is Wish.CODES:
        await context.shop.forwarding.switch(context.user.id, on=on)
    else:
        await context.shop.phones.wish(context.user.id, wish, on=on)
    await show(update, context, await settings_view(context))


async def _tap_unlink(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.phones.unlink(context.user.id)
    await show(update, context, await settings_view(context))


ACTS: Acts = {"settings": _tap_settings, "wish": _tap_wish, "phoneunlink": _tap_unlink}

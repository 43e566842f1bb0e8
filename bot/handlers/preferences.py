"""`/settings`: what renters choose for themselves."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, needs_terms, reader_of, show
from bot.views import preferences as views
from bot.views.screen import View
from services.phones import Wish
from services.roles import Right


async def command(update: Update, context: Context) -> None:
    if not await needs_terms(update, context, Tap("settings", ())):
        await show(update, context, await settings_view(context))


async def settings_view(context: Context, *, news: str = "") -> View:
    """`news`: what has just changed."""
    shop, texting = context.shop, None
    if any(True for _ in shop.senders):
        phone = await shop.phones.find(context.user.id)
        texting = views.TextingState(
            phone=phone,
            price=shop.forwarding.price,
            currency=shop.currency,
            is_operator=context.may(Right.SHOP),
            heeds_stop=phone is not None and await shop.switchboard.heeds_stop(phone.phone_number),
        )
    reader = reader_of(context)
    currency = reader.exchange.target if reader.exchange else None
    rewards = shop.invitations.are_open
    return views.settings(reader, context.user, texting, currency=currency, rewards=rewards, news=news)


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


async def _tap_chat_news(update: Update, context: Context, tap: Tap) -> None:
    accounts = context.shop.accounts
    await accounts.take_broadcasts(context.user.id, on=bool(tap.number(0)))
    context.user = await accounts.get(context.user.id)
    await show(update, context, await settings_view(context))


async def _tap_reward_news(update: Update, context: Context, tap: Tap) -> None:
    accounts = context.shop.accounts
    await accounts.tell_of_rewards(context.user.id, on=bool(tap.number(0)))
    context.user = await accounts.get(context.user.id)
    await show(update, context, await settings_view(context))


async def _tap_code_erasure(update: Update, context: Context, tap: Tap) -> None:
    await show(update, context, views.code_erasure(reader_of(context), context.user))


async def _tap_erase_codes(update: Update, context: Context, tap: Tap) -> None:
    accounts = context.shop.accounts
    await accounts.erase_codes_after(context.user.id, tap.number(0) or None)
    context.user = await accounts.get(context.user.id)
    await _tap_code_erasure(update, context, tap)


ACTS: Acts = {
    "settings": _tap_settings,
    "wish": _tap_wish,
    "phoneunlink": _tap_unlink,
    "chatnews": _tap_chat_news,
    "rewardnews": _tap_reward_news,
    "codeerasure": _tap_code_erasure,
    "erasecodes": _tap_erase_codes,
}

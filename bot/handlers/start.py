"""The first screens: terms, home, and what explains the bot."""

from telegram import ChatMember, Update
from telegram.constants import ChatType

from bot.buttons import Tap
from bot.context import Context
from bot.handlers import inviting, redeeming
from bot.handlers.home import show_home
from bot.handlers.screens import Acts, meet, reader_of, show
from bot.views import start as views
from services.roles import Right


async def start(update: Update, context: Context) -> None:
    """`/start [parameter]`: what stood in the link that they followed."""
    parameter = context.args[0] if context.args else ""
    if parameter.startswith(redeeming.LINK):
        await redeeming.follow(update, context, parameter.removeprefix(redeeming.LINK))
    elif context.user.terms_accepted_at:
        await show_home(update, context)
    else:
        welcome = await inviting.welcome(context, parameter)
        await show(update, context, views.terms(reader_of(context), welcome=welcome))


async def help_(update: Update, context: Context) -> None:
    await show(update, context, views.help_(reader_of(context), is_operator=context.may(Right.DESK)))


async def terms(update: Update, context: Context) -> None:
    reader = reader_of(context)
    accepted = context.user.terms_accepted_at
    await show(update, context, views.accepted_terms(reader) if accepted else views.terms(reader))


async def cancel(update: Update, context: Context) -> None:
    """Outside of a conversation there is nothing to leave."""
    await show(update, context, views.nothing_to_cancel(reader_of(context)))


async def unknown(update: Update, context: Context) -> None:
    await show(update, context, views.unknown_command(reader_of(context)))


async def not_text(update: Update, context: Context) -> None:
    await show(update, context, views.not_text(reader_of(context)))


async def note_block(update: Update, context: Context) -> None:
    """A renter has blocked the bot, or let it back in."""
    change = update.my_chat_member
    assert change
    if change.chat.type != ChatType.PRIVATE:
        return
    if change.new_chat_member.status == ChatMember.BANNED:
        await context.shop.accounts.mark_blocked(change.from_user.id)
    else:
        await meet(context, change.from_user)


async def _show_help(update: Update, context: Context, tap: Tap) -> None:
    await help_(update, context)


async def _show_terms(update: Update, context: Context, tap: Tap) -> None:
    await terms(update, context)


ACTS: Acts = {"help": _show_help, "terms": _show_terms}

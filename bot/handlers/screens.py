"""What all handlers share: who is there, what they tapped, and how to show them something."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

from telegram import Update
from telegram import User as TelegramUser
from telegram.constants import ChatType
from telegram.error import BadRequest
from telegram.ext import ApplicationHandlerStop

from bot import messages
from bot.buttons import Tap, action_of
from bot.context import Context
from bot.language import ENGLISH, Language
from bot.views import start as views
from bot.views.screen import Reader, View
from db.models import User
from services.errors import Banned
from services.places import currency_for_language
from services.rates import Exchange

Act: TypeAlias = Callable[[Update, Context, Tap], Awaitable[None]]
"""What a tap does. It answers the tap, by `show` or `answer`."""
Acts: TypeAlias = Mapping[str, Act]

_COMMANDS_OF_THE_BANNED = {
    "/orders",
    "/balance",
    "/terms",
    "/privacy",
    "/paysupport",
    "/support",
    "/language",
    "/cancel",
}
_ACTIONS_OF_THE_BANNED = {
    "orders",
    "list",
    "ordered",
    "open",
    "number",
    "purchase",
    "cancel",
    "finish",
    "resend",
    "balance",
    "statement",
    "timeline",
    "forgetme",
    "doforgetme",
    "support",
    "problem",
    "problemis",
    "problemtext",
    "language",
    "speak",
}

_WRITING = {"support", "order"}
"""What stands among somebody's data while they write to support, or what is wrong with an order."""


async def admit(update: Update, context: Context) -> None:
    """The doorman: lets in private messages and taps, and knows who comes.

    The banned get to what is theirs already. Raises Banned for all else.
    """
    if update.my_chat_member:
        return
    person, chat = update.effective_user, update.effective_chat
    if person is None or not (update.message or update.callback_query):
        raise ApplicationHandlerStop
    if chat and chat.type != ChatType.PRIVATE:
        await _decline(update)
        raise ApplicationHandlerStop
    context.user = await meet(context, person)
    if context.user.banned_at and not context.role and not _is_open_to_banned(update, context):
        raise Banned(context.user.ban_reason)


def _is_open_to_banned(update: Update, context: Context) -> bool:
    if update.callback_query:
        return action_of(update.callback_query.data or "") in _ACTIONS_OF_THE_BANNED
    assert update.message
    words = (update.message.text or "").split()
    if words and words[0].startswith("/"):
        return words[0].partition("@")[0] in _COMMANDS_OF_THE_BANNED
    # Whether a reply is one to support, `support.take_reply` finds out.
    return not _WRITING.isdisjoint(context.user_data or ()) or update.message.reply_to_message is not None


async def meet(context: Context, person: TelegramUser) -> User:
    """Write down who they are today."""
    return await context.shop.accounts.meet(
        person.id,
        name=person.full_name,
        username=person.username,
        language_code=person.language_code or ENGLISH,
    )


async def _decline(update: Update) -> None:
    """In a group: say where to find us, to those who speak to us."""
    person = update.effective_user
    view = views.private_only(Language.of((person and person.language_code) or ENGLISH))
    if update.callback_query:
        await update.callback_query.answer(view.text, show_alert=True)
    elif update.message and (update.message.text or "").startswith("/"):
        await update.message.reply_text(view.text)


def reader_of(context: Context) -> Reader:
    return Reader(context.user.id, context.language, context.shop.buttons, own_money(context))


def own_money(context: Context) -> Exchange | None:
    """The way into the currency that they chose, or else that of their language."""
    shop, user = context.shop, context.user
    own = currency_for_language(user.language) if user.chosen_currency is None else user.chosen_currency
    return shop.rates.find(shop.currency, own) if own and own != shop.currency else None


def read_tap(update: Update, context: Context) -> Tap:
    """Raises BadButton."""
    query = update.callback_query
    assert query
    return context.shop.buttons.unpack(context.user.id, query.data or "")


def said(update: Update) -> str:
    """What they wrote, without the space around it."""
    assert update.message
    return (update.message.text or "").strip()


def tapped_message_id(update: Update) -> int | None:
    """The message whose button was tapped."""
    query = update.callback_query
    return query.message.message_id if query and query.message else None


async def needs_terms(update: Update, context: Context, then: Tap | None = None) -> bool:
    """Show the terms to those who have not accepted them; `then` is where Accept leads them."""
    if context.user.terms_accepted_at:
        return False
    await show(update, context, views.terms(reader_of(context), then))
    return True


async def show(update: Update, context: Context, view: View) -> None:
    """In place of the menu that was tapped; as a new message to somebody who wrote."""
    await answer(update)
    message_id = tapped_message_id(update)
    if message_id is None or not await messages.edit(context.bot, context.user.id, message_id, view):
        await messages.send(context.bot, context.user.id, view)


async def show_below(update: Update, context: Context, view: View) -> None:
    """As a new message, leaving the one that was tapped as it is: it is a card."""
    await answer(update)
    await messages.send(context.bot, context.user.id, view)


async def answer(update: Update, text: str = "", *, alert: bool = False) -> None:
    """End the waiting of somebody who tapped, with a word at the top of their screen."""
    if update.callback_query:
        # Too old to be answered: nobody waits any more.
        with suppress(BadRequest):
            await update.callback_query.answer(text or None, show_alert=alert)

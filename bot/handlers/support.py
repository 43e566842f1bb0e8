"""`/support` for the renter, and answers of operators in their private chats."""

from telegram import Message, Update
from telegram.ext import ApplicationHandlerStop

from bot.context import Context
from bot.handlers.screens import read_tap, reader_of, show, show_below
from bot.views import support as views
from services.errors import Banned
from services.roles import Right

WRITING = "support"
"""The state of the conversation: whatever they write is carried."""
OPEN = "support"
"""Set among a renter's data while they write to support: the doorman lets the banned do that."""


async def command(update: Update, context: Context) -> None:
    """`/support`."""
    context.typed.clear()
    context.typed[OPEN] = True
    await show(update, context, views.screen(reader_of(context)))
    raise ApplicationHandlerStop(WRITING)


async def ask(update: Update, context: Context) -> None:
    """By a button; one below somebody's words leaves them as they are."""
    below = bool(read_tap(update, context).args)
    context.typed.clear()
    context.typed[OPEN] = True
    await (show_below if below else show)(update, context, views.screen(reader_of(context)))
    raise ApplicationHandlerStop(WRITING)


async def take(update: Update, context: Context) -> None:
    """Carry it. Only the first message is confirmed: who writes three lines reads one word for them."""
    assert update.message
    await _write(context, update.message)
    if context.typed.get(OPEN) is True:
        context.typed[OPEN] = "written"
        await show(update, context, views.sent(reader_of(context)))
    raise ApplicationHandlerStop(WRITING)


async def take_reply(update: Update, context: Context) -> None:
    """A reply to what was carried here belongs to that conversation, whatever else is going on.

    Raises Banned for those who reply to anything else.
    """
    message = update.message
    if message is None or message.reply_to_message is None:
        return
    replied_id, person = message.reply_to_message.message_id, context.user
    if context.may(Right.PEOPLE) and await _answer(context, message, replied_id):
        raise ApplicationHandlerStop
    if await context.shop.support.renter_behind(person.id, replied_id) == person.id:
        await _write(context, message)
        raise ApplicationHandlerStop
    if person.banned_at and not context.role and not context.typed.get(OPEN):
        raise Banned(person.ban_reason)


async def _answer(context: Context, message: Message, replied_id: int) -> bool:
    """An operator replies in their private chat: to a renter's words, or to the card of a dispute."""
    shop, by = context.shop, context.user.id
    dispute_id = await shop.disputes.asked(by, replied_id, by)
    if dispute_id and message.text:
        await shop.disputes.reject(dispute_id, by=by, text=message.text)
        return True
    renter_id = await shop.support.renter_behind(by, replied_id)
    renter_id = renter_id or await shop.disputes.renter_behind(by, replied_id)
    if renter_id in (None, by):
        return False
    await shop.support.answer(renter_id, message.message_id, by=by, chat_id=by, reply_to=replied_id)
    return True


async def _write(context: Context, message: Message) -> None:
    replied = message.reply_to_message
    await context.shop.support.write(
        context.user.id, message.message_id, reply_to=replied.message_id if replied else None
    )

"""The operators' group: what is written in a renter's topic goes to the renter, if its author may answer.

Nothing else of the bot reacts here.
"""

from telegram import Message, Update
from telegram.error import BadRequest
from telegram.ext import ApplicationHandlerStop, filters

from bot.buttons import ForgedButton
from bot.context import Context
from bot.handlers import access, disputes
from bot.language import Language
from bot.views import support as views
from bot.views.screen import View
from db.models import User
from services.roles import Right

ENGLISH = Language.of("en")
_ACTS = {Right.PEOPLE: disputes.PEOPLE, Right.MONEY: disputes.MONEY}


async def take(update: Update, context: Context) -> None:
    """Everything that comes from the group, before any other handler sees it."""
    chat, person = update.effective_chat, update.effective_user
    if chat is None or chat.id != context.shop.support.chat_id or chat.id > 0:
        return
    if person:
        # Not written down: to be in the group makes nobody a renter.
        shop = context.shop
        context.user = await shop.accounts.find(person.id) or User(id=person.id, created_at=shop.clock.now())
    if update.callback_query:
        await _tap(update, context)
    elif update.message:
        await _read(update, update.message, context)
    raise ApplicationHandlerStop


async def _tap(update: Update, context: Context) -> None:
    """The group's buttons are signed for the group; the right is that of whoever taps. Raises BadButton."""
    assert update.callback_query
    assert update.effective_chat
    tap = context.shop.buttons.unpack(update.effective_chat.id, update.callback_query.data or "")
    for right, acts in _ACTS.items():
        if tap.action in acts:
            access.check(context, right)
            return await acts[tap.action](update, context, tap)
    raise ForgedButton


async def _read(update: Update, message: Message, context: Context) -> None:
    support, topic_id = context.shop.support, message.message_thread_id
    renter_id = await support.renter_of(topic_id) if topic_id else None
    if renter_id is None or topic_id is None:
        return
    if message.forum_topic_closed or message.forum_topic_reopened:
        await support.note_closed(topic_id, closed=bool(message.forum_topic_closed))
    elif filters.StatusUpdate.ALL.check_update(update):
        return
    elif not context.may(Right.PEOPLE):
        await _say(message, views.no_right(ENGLISH))
    elif (message.text or "").startswith("/"):
        await _obey(message, topic_id, context)
    else:
        await _answer(message, renter_id, context)


async def _obey(message: Message, topic_id: int, context: Context) -> None:
    """`/close`; other commands belong into the private chat."""
    if (message.text or "").split()[0].partition("@")[0] != "/close":
        return
    try:
        await context.bot.close_forum_topic(message.chat.id, topic_id)
    except BadRequest as error:
        if "not_modified" not in error.message.lower():
            return await _say(message, views.cannot_close(ENGLISH))
    await context.shop.support.note_closed(topic_id, closed=True)
    await _say(message, views.closed(ENGLISH))


async def _answer(message: Message, renter_id: int, context: Context) -> None:
    shop, by, replied = context.shop, context.user.id, message.reply_to_message
    if replied and message.text:
        dispute_id = await shop.disputes.asked(message.chat.id, replied.message_id, by)
        if dispute_id:
            return await shop.disputes.reject(dispute_id, by=by, text=message.text)
    await shop.support.answer(
        renter_id,
        message.message_id,
        by=by,
        chat_id=message.chat.id,
        reply_to=replied.message_id if replied else None,
    )


async def _say(message: Message, view: View) -> None:
    """Below what was written."""
    await message.reply_html(view.text, do_quote=True)

"""Linking one's own phone: the number, shared or typed, and the code that was texted to it."""

from functools import partial
from typing import NoReturn

from telegram import ReplyKeyboardMarkup, ReplyKeyboardRemove, Update
from telegram.constants import ParseMode
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.context import Context
from bot.handlers.preferences import settings_view
from bot.handlers.screens import answer, needs_terms, read_tap, reader_of, said, show
from bot.views import errors
from bot.views import preferences as views
from bot.views.screen import View
from services.errors import AskedTooOften, CodeSpent, CodeWrong, CustomerError, PhoneOutOfReach, PhoneStopped
from services.places import parse_phone

PHONE, CODE = "own phone", "own code"
END = ConversationHandler.END


async def ask_phone(update: Update, context: Context) -> None:
    """A tap on Link my phone."""
    read_tap(update, context)
    if await needs_terms(update, context):
        raise ApplicationHandlerStop(END)
    await answer(update)
    await _ask_phone(context)


async def _ask_phone(context: Context, problem: str = "") -> NoReturn:
    context.typed["linking"] = "yes"
    keyboard = views.share_keyboard(context.language)
    await _say(context, views.ask_phone(reader_of(context), problem=problem), keyboard)
    raise ApplicationHandlerStop(PHONE)


async def take_phone(update: Update, context: Context) -> None:
    """The update's id is the key: handled twice, it texts once."""
    number = await _read_phone(update, context)
    try:
        await context.shop.phones.ask(
            context.user.id,
            number,
            key=str(update.update_id),
            words=partial(views.check_text, context.language),
        )
    except (PhoneOutOfReach, PhoneStopped) as error:
        await _ask_phone(context, _sentence(context, error))
    except AskedTooOften as error:
        await _end(context, _sentence(context, error))
    await _say(context, views.ask_code(reader_of(context), number), ReplyKeyboardRemove())
    raise ApplicationHandlerStop(CODE)


async def _read_phone(update: Update, context: Context) -> str:
    """E.164. Asks again for what is no number, or somebody else's."""
    assert update.message
    contact = update.message.contact
    if contact and contact.user_id != context.user.id:
        await _ask_phone(context, views.foreign_contact(context.language))
    # Some of Telegram's apps leave out the plus.
    number = f"+{contact.phone_number.lstrip('+')}" if contact else said(update)
    return parse_phone(number) or await _ask_phone(context, views.no_phone(context.language))


async def take_code(update: Update, context: Context) -> None:
    code = "".join(said(update).split())
    try:
        phone = await context.shop.phones.prove(context.user.id, code)
    except CodeWrong as error:
        await show(update, context, View.of([_sentence(context, error)]))
        raise ApplicationHandlerStop(CODE) from None
    except CodeSpent as error:
        news = _sentence(context, error)
    else:
        news = views.linked(context.language, phone)
    context.typed.clear()
    await show(update, context, await settings_view(context, news=news))
    raise ApplicationHandlerStop(END)


async def leave(context: Context, view: View) -> bool:
    """Put the keyboard away that asks for the number; False where there is none."""
    if not context.typed.get("linking"):
        return False
    context.typed.clear()
    await _say(context, view, ReplyKeyboardRemove())
    return True


async def _end(context: Context, words: str) -> NoReturn:
    context.typed.clear()
    await _say(context, View.of([words]), ReplyKeyboardRemove())
    raise ApplicationHandlerStop(END)


async def _say(context: Context, view: View, markup: ReplyKeyboardMarkup | ReplyKeyboardRemove) -> None:
    await context.bot.send_message(context.user.id, view.text, reply_markup=markup, parse_mode=ParseMode.HTML)


def _sentence(context: Context, error: CustomerError) -> str:
    return errors.sentence(error, context.language, context.shop.currency)

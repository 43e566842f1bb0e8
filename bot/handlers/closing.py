"""`/maintenance`: closing the shop for a while, and opening it again."""

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.views import closing as views
from bot.views import operator as operator_views
from services.maintenance import TEXT_LIMIT

FORM = "/maintenance on [text] | off"
TEXT = "closing text"


async def command(update: Update, context: Context) -> None:
    """`/maintenance on [text] | off`; without a word, how it stands."""
    words = context.args or []
    shop, by = context.shop, context.user.id
    text = " ".join(words[1:])
    match words[:1]:
        case ["on"] if len(text) <= TEXT_LIMIT:
            await shop.maintenance.close(text, by=by)
        case ["off"]:
            await shop.maintenance.open(by=by)
        case []:
            pass
        case _:
            await show(
                update, context, operator_views.usage(reader_of(context), FORM, _problem(context, text))
            )
            return
    await _show(update, context)


async def ask_text(update: Update, context: Context) -> None:
    read_tap(update, context)
    await show(update, context, views.ask_text(reader_of(context)))
    raise ApplicationHandlerStop(TEXT)


async def take_text(update: Update, context: Context) -> None:
    text = said(update)
    if len(text) > TEXT_LIMIT:
        await show(update, context, views.ask_text(reader_of(context), _problem(context, text)))
        raise ApplicationHandlerStop(TEXT)
    await context.shop.maintenance.close(text, by=context.user.id)
    await _show(update, context)
    raise ApplicationHandlerStop(ConversationHandler.END)


def _problem(context: Context, text: str) -> str:
    if len(text) <= TEXT_LIMIT:
        return ""
    says = context.language.ngettext(
        "The text may have at most {limit} character.",
        "The text may have at most {limit} characters.",
        TEXT_LIMIT,
    )
    return says.format(limit=context.language.number(TEXT_LIMIT))


async def _show(update: Update, context: Context) -> None:
    notice = await context.shop.maintenance.notice()
    await show(update, context, views.state(reader_of(context), notice))


async def _tap_state(update: Update, context: Context, tap: Tap) -> None:
    await _show(update, context)


async def _tap_close(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.maintenance.close(by=context.user.id)
    await _show(update, context)


async def _tap_open(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.maintenance.open(by=context.user.id)
    await _show(update, context)


ACTS: Acts = {"maintenance": _tap_state, "close": _tap_close, "reopen": _tap_open}

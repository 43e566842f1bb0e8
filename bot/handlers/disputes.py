"""Problems with orders: reported on the renter's card, decided wherever operators see them."""

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot import messages
from bot.buttons import Tap
from bot.carrier import draw_case, facts
from bot.context import Context
from bot.handlers.screens import Acts, answer, read_tap, reader_of, said, show, show_below
from bot.language import Language
from bot.views import disputes as views
from bot.views import problems
from bot.views.screen import ROWS, Page, Reader, View
from services.disputes import ANSWERS, REASONS

PROBLEM = "problem"
"""The state of the conversation: the renter writes what went wrong."""


async def problem(update: Update, context: Context, tap: Tap) -> None:
    """From an order's card, which stays as it is."""
    order_id, reader = tap.number(0), reader_of(context)
    known = await context.shop.disputes.check(context.user.id, order_id)
    view = problems.reported(reader, known) if known else problems.ask_reason(reader, order_id)
    await show_below(update, context, view)


async def problem_is(update: Update, context: Context, tap: Tap) -> None:
    order_id, reason = tap.number(0), tap.args[1]
    assert reason in REASONS
    dispute = await context.shop.disputes.report(context.user.id, order_id, reason)
    await show(update, context, problems.reported(reader_of(context), dispute))


async def ask_text(update: Update, context: Context) -> None:
    order_id = read_tap(update, context).number(0)
    context.typed.clear()
    context.typed["order"] = order_id
    await show(update, context, problems.ask_text(reader_of(context), order_id))
    raise ApplicationHandlerStop(PROBLEM)


async def take_text(update: Update, context: Context) -> None:
    order_id = context.typed["order"]
    dispute = await context.shop.disputes.report(context.user.id, order_id, "other", text=said(update))
    context.typed.clear()
    await show(update, context, problems.reported(reader_of(context), dispute))
    raise ApplicationHandlerStop(ConversationHandler.END)


async def open_ones(update: Update, context: Context, tap: Tap) -> None:
    number = tap.number(0)
    found = await context.shop.disputes.open_ones(limit=ROWS + 1, offset=number * ROWS)
    page = Page.read(found, number, ROWS)
    await show(update, context, views.open_ones(reader_of(context), page))


async def case(update: Update, context: Context, tap: Tap) -> None:
    """The dispute as it stands, without a question."""
    await _ask_words(update, context, tap.number(0), None)
    view, _ = await draw_case(context.shop, tap.number(0), _chat_id(update))
    await _redraw(update, context, view)


async def refund(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.disputes.refund(tap.number(0), by=context.user.id)
    await case(update, context, tap)


async def reject(update: Update, context: Context, tap: Tap) -> None:
    """Why? Nothing is decided yet."""
    shown = await context.shop.disputes.get(tap.number(0))
    await _ask_words(update, context, tap.number(0), None)
    await _redraw(update, context, views.ask_answer(_reader(update, context), shown))


async def reject_as(update: Update, context: Context, tap: Tap) -> None:
    assert tap.args[1] in ANSWERS
    await context.shop.disputes.reject(tap.number(0), by=context.user.id, answer=tap.args[1])
    await case(update, context, tap)


async def reject_in_words(update: Update, context: Context, tap: Tap) -> None:
    """From now on the operator's reply to this message is the reason."""
    shown = await context.shop.disputes.get(tap.number(0))
    await _ask_words(update, context, tap.number(0), context.user.id)
    await _redraw(update, context, views.ask_words(_reader(update, context), shown))


async def show_facts(update: Update, context: Context, tap: Tap) -> None:
    """What is known of a renter, as of now."""
    renter = await context.shop.accounts.get(tap.number(0))
    await _redraw(update, context, await facts(context.bot, context.shop, renter, _chat_id(update)))


async def _ask_words(update: Update, context: Context, dispute_id: int, operator_id: int | None) -> None:
    """The message that is tapped is the dispute's card in this chat from now on."""
    assert update.callback_query
    assert update.callback_query.message
    await context.shop.disputes.adopt_card(
        dispute_id, _chat_id(update), update.callback_query.message.message_id, asks_words_of=operator_id
    )


async def _redraw(update: Update, context: Context, view: View) -> None:
    """In the message that was tapped, in whichever chat."""
    assert update.callback_query
    assert update.callback_query.message
    await answer(update)
    await messages.edit(context.bot, _chat_id(update), update.callback_query.message.message_id, view)


def _reader(update: Update, context: Context) -> Reader:
    """In a group the buttons are the group's; whoever taps them is asked for the right."""
    return Reader(_chat_id(update), Language.of("en"), context.shop.buttons)


def _chat_id(update: Update) -> int:
    assert update.effective_chat
    return update.effective_chat.id


RENTER: Acts = {"problem": problem, "problemis": problem_is}
PEOPLE: Acts = {
    "disputes": open_ones,
    "case": case,
    "reject": reject,
    "rejectas": reject_as,
    "rejectwords": reject_in_words,
    "facts": show_facts,
}
MONEY: Acts = {"refundorder": refund}

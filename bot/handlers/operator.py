"""Money by hand, and single orders."""

from dataclasses import dataclass

import structlog
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot import messages
from bot.buttons import Tap
from bot.context import Context
from bot.handlers.people import ask_about, ask_again, read_id, whom
from bot.handlers.screens import Acts, reader_of, said, show
from bot.language import Language
from bot.views import operator as views
from bot.views.errors import bad_amount
from services.money import BadAmount, parse_amount

log = structlog.get_logger()

CREDIT_FORM, DEBIT_FORM = "/credit ID AMOUNT [reason]", "/debit ID AMOUNT [reason]"
CREDIT, DEBIT = "credit", "debit"
"""States of the conversation: an amount is awaited."""
END = ConversationHandler.END
REASON_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Transfer:
    """What `/credit` and `/debit` were given; minor units."""

    user_id: int
    amount: int
    reason: str | None


async def credit(update: Update, context: Context) -> None:
    """The update's id is the idempotency key: handled twice, it credits once."""
    transfer = await _read_transfer(update, context, CREDIT_FORM)
    if transfer:
        await _credit(update, context, transfer)


async def _credit(update: Update, context: Context, transfer: Transfer) -> None:
    shop = context.shop
    key = f"update:{update.update_id}"
    fresh = await shop.accounts.credit(
        transfer.user_id, transfer.amount, key=key, reason=transfer.reason, by=context.user.id
    )
    settled = await shop.accounts.settled_by(key)
    wallet = await shop.accounts.wallet(transfer.user_id, moves=0)
    view = views.credited(
        reader_of(context), transfer.user_id, transfer.amount, wallet, repeated=not fresh, settled=settled
    )
    await show(update, context, view)
    if fresh:
        await _tell_renter(context, transfer, settled)


async def debit(update: Update, context: Context) -> None:
    transfer = await _read_transfer(update, context, DEBIT_FORM)
    if transfer:
        await _debit(update, context, transfer)


async def _debit(update: Update, context: Context, transfer: Transfer) -> None:
    shop = context.shop
    await shop.accounts.get(transfer.user_id)
    fresh = await shop.accounts.debit(
        transfer.user_id,
        transfer.amount,
        key=f"update:{update.update_id}",
        reason=transfer.reason,
        by=context.user.id,
    )
    wallet = await shop.accounts.wallet(transfer.user_id, moves=0)
    view = views.debited(reader_of(context), transfer.user_id, transfer.amount, wallet, repeated=not fresh)
    await show(update, context, view)


async def ask_credit(update: Update, context: Context) -> None:
    await ask_about(update, context, CREDIT)


async def take_credit(update: Update, context: Context) -> None:
    transfer = await _read_typed(update, context, CREDIT)
    context.typed.clear()
    await _credit(update, context, transfer)
    raise ApplicationHandlerStop(END)


async def ask_debit(update: Update, context: Context) -> None:
    await ask_about(update, context, DEBIT)


async def take_debit(update: Update, context: Context) -> None:
    transfer = await _read_typed(update, context, DEBIT)
    context.typed.clear()
    await _debit(update, context, transfer)
    raise ApplicationHandlerStop(END)


async def order(update: Update, context: Context) -> None:
    order_id = read_id(context)
    if order_id is None:
        await show(update, context, views.usage(reader_of(context), "/order ID"))
    else:
        await show_order(update, context, order_id)


async def show_order(update: Update, context: Context, order_id: int) -> None:
    view = await context.shop.orders.get_order(order_id)
    timeline = await context.shop.timelines.of_order(order_id)
    await show(update, context, views.order(reader_of(context), view, timeline))


async def _read_transfer(update: Update, context: Context, form: str) -> Transfer | None:
    """What the command says; None, and an answer that helps, for what cannot be read."""
    arguments = context.args or []
    user_id = read_id(context)
    if user_id is None or len(arguments) < 2:
        await show(update, context, views.usage(reader_of(context), form))
        return None
    amount, problem = _read_amount(context, arguments[1])
    if problem:
        await show(update, context, views.usage(reader_of(context), form, problem))
        return None
    return Transfer(user_id, amount, " ".join(arguments[2:])[:REASON_LIMIT] or None)


async def _read_typed(update: Update, context: Context, question: str) -> Transfer:
    """ "100000 for the delay", about whom it was asked; what cannot be read is asked for again."""
    words = said(update).split()
    amount, problem = _read_amount(context, words[0] if words else "")
    if problem:
        await ask_again(update, context, question, problem)
    return Transfer(whom(context), amount, " ".join(words[1:])[:REASON_LIMIT] or None)


def _read_amount(context: Context, text: str) -> tuple[int, str]:
    """Minor units, and what is wrong with the text."""
    try:
        amount = parse_amount(text, context.shop.currency)
    except BadAmount as error:
        return 0, bad_amount(error, context.language)
    return amount, "" if amount else context.language._("The amount must be more than zero.")


async def _tell_renter(context: Context, transfer: Transfer, settled: int) -> None:
    """They are glad to know; if they cannot be reached, the money is there all the same."""
    accounts = context.shop.accounts
    renter, wallet = await accounts.get(transfer.user_id), await accounts.wallet(transfer.user_id, moves=0)
    language = Language.of(renter.language)
    view = views.news_of_credit(language, transfer.amount, wallet, transfer.reason, settled=settled)
    try:
        await messages.send(context.bot, transfer.user_id, view)
    except TelegramError as error:
        log.info("credit.renter_not_told", user=transfer.user_id, error=type(error).__name__)


async def _tap_order(update: Update, context: Context, tap: Tap) -> None:
    await show_order(update, context, tap.number(0))


ORDER_ACTS: Acts = {"order": _tap_order}

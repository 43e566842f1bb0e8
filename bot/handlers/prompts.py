"""What takes typing: a search, a quantity, an amount, a code … One conversation, so nobody is ever in two.

It stands before all other handlers. What it uses up stops there; any other command or tap leaves the
conversation and goes on to whom it is meant for.
"""

import warnings
from collections.abc import Callable, Collection
from typing import Any

from telegram import Update
from telegram.ext import (
    ApplicationHandlerStop,
    CallbackQueryHandler,
    CommandHandler,
    ConversationHandler,
    MessageHandler,
    filters,
)
from telegram.warnings import PTBUserWarning

from bot.buttons import action_of
from bot.context import Context
from bot.handlers import (
    broadcast,
    browse,
    payments,
    redeeming,
    searching,
    sender_ids,
    senders,
    vouchers,
)
from bot.handlers.screens import needs_terms, read_tap, reader_of, show
from bot.views import browse as views
from bot.views import payments as payment_views
from bot.views import start as start_views
from services.money import parse_amount

SEARCH, QUANTITY, AMOUNT = "search", "quantity", "amount"
END = ConversationHandler.END


async def ask_search(update: Update, context: Context) -> None:
    read_tap(update, context)
    if await needs_terms(update, context):
        raise ApplicationHandlerStop(END)
    await show(update, context, views.ask_search(reader_of(context)))
    raise ApplicationHandlerStop(SEARCH)


async def take_search(update: Update, context: Context) -> None:
    await searching.search(update, context)
    raise ApplicationHandlerStop(END)


async def ask_quantity(update: Update, context: Context) -> None:
    tap = read_tap(update, context)
    if await needs_terms(update, context):
        raise ApplicationHandlerStop(END)
    wanted = _wanted(context)
    wanted.update(service=tap.number(0), country=tap.args[1])
    if network := browse.network_of(context, tap.args[1], tap.args[2:]):
        wanted["network"] = network
    await _show_question(update, context)


async def take_quantity(update: Update, context: Context) -> None:
    assert update.message
    wanted = _wanted(context)
    where, network = (wanted["service"], wanted["country"]), wanted.get("network")
    found = browse.find_line(context, *where, network)
    quantity = _read_quantity(update.message.text or "")
    if found and not 1 <= quantity <= min(found[1].most, views.MOST):
        await _show_question(update, context, wrong=True)
    view = await browse.confirm_view(context, *where, quantity, network)
    wanted.clear()
    await show(update, context, view)
    raise ApplicationHandlerStop(END)


async def ask_amount(update: Update, context: Context) -> None:
    read_tap(update, context)
    if await needs_terms(update, context):
        raise ApplicationHandlerStop(END)
    await _ask_amount(update, context)


async def take_amount(update: Update, context: Context) -> None:
    """An invoice for it, rounded up to whole Stars. What is refused can be typed again."""
    assert update.message
    shop, _ = context.shop, context.language._
    try:
        amount = parse_amount(update.message.text or "", shop.currency)
    except ValueError as error:
        await _ask_amount(update, context, str(error))
        return
    stars = shop.invoices.stars_for(amount)
    if not stars:
        problem = _("That is too much.") if stars is None else _("That is nothing.")
        await _ask_amount(update, context, problem)
        return
    await payments.offer_topup(update, context, stars)
    raise ApplicationHandlerStop(END)


async def _ask_amount(update: Update, context: Context, problem: str = "") -> None:
    shop = context.shop
    view = payment_views.ask_amount(reader_of(context), shop.invoices.rate, shop.currency, problem)
    await show(update, context, view)
    raise ApplicationHandlerStop(AMOUNT)


async def leave(update: Update, context: Context) -> None:
    """`/cancel`."""
    _wanted(context).clear()
    await show(update, context, start_views.left(reader_of(context)))
    raise ApplicationHandlerStop(END)


async def step_aside(update: Update, context: Context) -> int:
    """They are on to something else."""
    _wanted(context).clear()
    return END


async def _show_question(update: Update, context: Context, *, wrong: bool = False) -> None:
    wanted = _wanted(context)
    found = browse.find_line(context, wanted["service"], wanted["country"], wanted.get("network"))
    if found is None:
        wanted.clear()
        await show(update, context, views.gone(reader_of(context)))
        raise ApplicationHandlerStop(END)
    await show(update, context, views.ask_quantity(reader_of(context), *found, wrong=wrong))
    raise ApplicationHandlerStop(QUANTITY)


def _wanted(context: Context) -> dict[str, Any]:
    """What the number is for whose quantity is asked; kept until the conversation ends."""
    assert context.user_data is not None
    return context.user_data


def _read_quantity(text: str) -> int:
    """Zero for what is no quantity."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= len(str(views.MOST)) else 0


def _asks(action: str) -> Callable[[object], bool]:
    return lambda data: isinstance(data, str) and action_of(data) == action


def conversation(admin_ids: Collection[int]) -> ConversationHandler[Context]:
    typed = filters.UpdateType.MESSAGE & filters.TEXT & ~filters.COMMAND
    sent = filters.UpdateType.MESSAGE & ~filters.COMMAND & ~filters.StatusUpdate.ALL
    operators = filters.User(admin_ids)
    with warnings.catch_warnings():
        # It warns that a tap on any menu counts, not only on the newest; that is meant.
        warnings.simplefilter("ignore", PTBUserWarning)
        return ConversationHandler(
            entry_points=[
                CommandHandler("broadcast", broadcast.begin, filters.UpdateType.MESSAGE & operators),
                CallbackQueryHandler(broadcast.begin_by_tap, _asks("bcnew")),
                CallbackQueryHandler(broadcast.ask_link, _asks("bclink")),
                CallbackQueryHandler(broadcast.ask_time, _asks("bctime")),
                CallbackQueryHandler(ask_search, _asks("search")),
                CallbackQueryHandler(ask_quantity, _asks("other")),
                CallbackQueryHandler(senders.ask_phone, _asks("texttest")),
                CallbackQueryHandler(senders.ask_country, _asks("textroute")),
                CallbackQueryHandler(sender_ids.ask_name, _asks("sidnumber")),
                CallbackQueryHandler(sender_ids.ask_otp, _asks("sidverify")),
                CallbackQueryHandler(sender_ids.ask_alpha, _asks("sidname")),
                CallbackQueryHandler(redeeming.ask, _asks("redeem")),
                CommandHandler("redeem", redeeming.command, filters.UpdateType.MESSAGE),
                CallbackQueryHandler(vouchers.ask, _asks("newvoucher")),
                CallbackQueryHandler(ask_amount, _asks("amount")),
            ],
            states={
                SEARCH: [MessageHandler(typed, take_search)],
                QUANTITY: [MessageHandler(typed, take_quantity)],
                senders.PHONE: [MessageHandler(typed, senders.take_phone)],
                senders.COUNTRY: [MessageHandler(typed, senders.take_country)],
                sender_ids.NAME: [MessageHandler(typed, sender_ids.take_name)],
                sender_ids.NUMBER: [MessageHandler(typed, sender_ids.take_number)],
                sender_ids.OTP: [MessageHandler(typed, sender_ids.take_otp)],
                sender_ids.ALPHA: [MessageHandler(typed, sender_ids.take_alpha)],
                broadcast.CONTENT: [MessageHandler(sent, broadcast.take_message)],
                broadcast.LINK: [MessageHandler(typed, broadcast.take_link)],
                broadcast.TIME: [MessageHandler(typed, broadcast.take_time)],
                redeeming.CODE: [MessageHandler(typed, redeeming.take)],
                vouchers.VOUCHER: [MessageHandler(typed, vouchers.take)],
                AMOUNT: [MessageHandler(typed, take_amount)],
            },
            fallbacks=[
                CommandHandler("cancel", leave, filters.UpdateType.MESSAGE),
                MessageHandler(filters.UpdateType.MESSAGE & filters.COMMAND, step_aside),
                CallbackQueryHandler(step_aside),
            ],
            name="prompt",
            persistent=True,
            allow_reentry=True,
            per_chat=False,
        )

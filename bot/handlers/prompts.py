"""What takes typing. It is one conversation, so nobody is ever in two.

It stands before all other handlers. What it uses up stops there; any other command or tap leaves the
conversation and goes on to whom it is meant for.
"""

import warnings
from collections.abc import Callable, Mapping

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
from bot.commands import COMMANDS
from bot.context import Context
from bot.handlers import (
    access,
    bans,
    broadcast,
    browse,
    closing,
    disputes,
    limits,
    linking,
    operator,
    payments,
    people,
    pricing,
    redeeming,
    scopes,
    searching,
    sender_ids,
    senders,
    support,
    team,
    vouchers,
)
from bot.handlers.screens import needs_terms, read_tap, reader_of, said, show
from bot.views import browse as browse_views
from bot.views import offers
from bot.views import payments as payment_views
from bot.views import pricing as pricing_views
from bot.views import start as start_views
from bot.views.errors import bad_amount
from services.money import BadAmount, parse_amount
from services.roles import Right

SEARCH, QUANTITY, AMOUNT = "search", "quantity", "amount"
END = ConversationHandler.END


async def ask_search(update: Update, context: Context) -> None:
    read_tap(update, context)
    if await needs_terms(update, context):
        raise ApplicationHandlerStop(END)
    await show(update, context, browse_views.ask_search(reader_of(context)))
    raise ApplicationHandlerStop(SEARCH)


async def take_search(update: Update, context: Context) -> None:
    await searching.search(update, context)
    raise ApplicationHandlerStop(END)


async def ask_quantity(update: Update, context: Context) -> None:
    tap = read_tap(update, context)
    if await needs_terms(update, context):
        raise ApplicationHandlerStop(END)
    wanted = context.typed
    wanted.update(service=tap.number(0), country=tap.args[1])
    if network := browse.network_of(context, tap.args[1], tap.args[2:]):
        wanted["network"] = network
    await _show_question(update, context)


async def take_quantity(update: Update, context: Context) -> None:
    wanted = context.typed
    where, network = (wanted["service"], wanted["country"]), wanted.get("network")
    found = browse.find_line(context, *where, network)
    quantity = _read_quantity(said(update))
    if found and not 1 <= quantity <= min(found[1].most, offers.MOST):
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
    shop = context.shop
    try:
        amount = parse_amount(said(update), shop.currency)
    except BadAmount as error:
        await _ask_amount(update, context, bad_amount(error, context.language))
        return
    stars = shop.invoices.stars_for(amount)
    if not stars:
        rate = shop.invoices.rate
        problem = payment_views.out_of_range(context.language, amount, rate, shop.currency)
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
    view = start_views.left(reader_of(context))
    if not await linking.leave(context, view):
        context.typed.clear()
        await show(update, context, view)
    raise ApplicationHandlerStop(END)


async def step_aside(update: Update, context: Context) -> int:
    """They are on to something else."""
    context.typed.clear()
    return END


async def _show_question(update: Update, context: Context, *, wrong: bool = False) -> None:
    wanted = context.typed
    found = browse.find_line(context, wanted["service"], wanted["country"], wanted.get("network"))
    if found is None:
        wanted.clear()
        await show(update, context, browse_views.gone(reader_of(context)))
        raise ApplicationHandlerStop(END)
    await show(update, context, offers.ask_quantity(reader_of(context), *found, wrong=wrong))
    raise ApplicationHandlerStop(QUANTITY)


def _read_quantity(text: str) -> int:
    """Zero for what is no quantity."""
    return int(text) if text.isdecimal() and len(text) <= len(str(offers.MOST)) else 0


def _asks(action: str) -> Callable[[object], bool]:
    return lambda data: isinstance(data, str) and action_of(data) == action


_TYPED = filters.UpdateType.MESSAGE & filters.TEXT & ~filters.COMMAND
_SHARED = filters.UpdateType.MESSAGE & filters.CONTACT
_SENT = filters.UpdateType.MESSAGE & ~filters.COMMAND & ~filters.StatusUpdate.ALL

ASKED: Mapping[Right, Mapping[str, access.Handler]] = {
    Right.PEOPLE: {
        "askpeople": people.ask_query,
        "asknote": people.ask_note,
        "askletter": people.ask_letter,
    },
    Right.BAN: {"askban": bans.ask_reason, "asklimits": limits.ask},
    Right.MONEY: {
        "askcredit": operator.ask_credit,
        "askdebit": operator.ask_debit,
        "newvoucher": vouchers.ask,
    },
    Right.SHOP: {
        "texttest": senders.ask_phone,
        "textroute": senders.ask_country,
        "sidnumber": sender_ids.ask_name,
        "sidverify": sender_ids.ask_otp,
        "sidname": sender_ids.ask_alpha,
        "askpick": scopes.ask_name,
        **dict.fromkeys(pricing_views.VALUES, pricing.ask_value),
    },
    Right.BROADCAST: {
        "bcnew": broadcast.begin_by_tap,
        "bclink": broadcast.ask_link,
        "bctime": broadcast.ask_time,
        "bcquiet": broadcast.ask_quiet,
    },
    Right.MAINTENANCE: {"askclosing": closing.ask_text},
    Right.TEAM: {"askmember": team.ask_member},
}
"""Operators' buttons that ask for something to be typed, by the right that they need."""
_ANSWERED: Mapping[Right, Mapping[str, access.Handler]] = {
    Right.PEOPLE: {
        people.QUERY: people.take_query,
        people.NOTE: people.take_note,
        people.LETTER: people.take_letter,
    },
    Right.BAN: {bans.REASON: bans.take_reason, limits.LIMITS: limits.take},
    Right.MONEY: {
        operator.CREDIT: operator.take_credit,
        operator.DEBIT: operator.take_debit,
        vouchers.VOUCHER: vouchers.take,
    },
    Right.SHOP: {
        senders.PHONE: senders.take_phone,
        senders.COUNTRY: senders.take_country,
        sender_ids.NAME: sender_ids.take_name,
        sender_ids.NUMBER: sender_ids.take_number,
        sender_ids.OTP: sender_ids.take_otp,
        sender_ids.ALPHA: sender_ids.take_alpha,
        scopes.NAME: scopes.take_name,
        pricing.VALUE: pricing.take_value,
    },
    Right.BROADCAST: {
        broadcast.CONTENT: broadcast.take_message,
        broadcast.LINK: broadcast.take_link,
        broadcast.TIME: broadcast.take_time,
        broadcast.QUIET: broadcast.take_quiet,
    },
    Right.MAINTENANCE: {closing.TEXT: closing.take_text},
    Right.TEAM: {team.MEMBER: team.take_member},
}
"""What they type, by state; the right is looked at again, as it may be gone by then."""


def conversation() -> ConversationHandler[Context]:
    with warnings.catch_warnings():
        # It warns that a tap on any menu counts, not only on the newest; that is meant.
        warnings.simplefilter("ignore", PTBUserWarning)
        return ConversationHandler(
            entry_points=[
                CallbackQueryHandler(ask_search, _asks("search")),
                CallbackQueryHandler(ask_quantity, _asks("other")),
                CallbackQueryHandler(ask_amount, _asks("amount")),
                CallbackQueryHandler(linking.ask_phone, _asks("phonelink")),
                CallbackQueryHandler(redeeming.ask, _asks("redeem")),
                CallbackQueryHandler(support.ask, _asks("support")),
                CallbackQueryHandler(disputes.ask_text, _asks("problemtext")),
                CommandHandler("support", support.command, filters.UpdateType.MESSAGE),
                CommandHandler("redeem", redeeming.command, filters.UpdateType.MESSAGE),
                CommandHandler(
                    "broadcast",
                    access.step(COMMANDS["broadcast"], broadcast.begin),
                    filters.UpdateType.MESSAGE,
                ),
                *(
                    CallbackQueryHandler(access.step(right, ask), _asks(action))
                    for right, asked in ASKED.items()
                    for action, ask in asked.items()
                ),
            ],
            states={
                SEARCH: [MessageHandler(_TYPED, take_search)],
                QUANTITY: [MessageHandler(_TYPED, take_quantity)],
                AMOUNT: [MessageHandler(_TYPED, take_amount)],
                linking.PHONE: [MessageHandler(_TYPED | _SHARED, linking.take_phone)],
                linking.CODE: [MessageHandler(_TYPED, linking.take_code)],
                redeeming.CODE: [MessageHandler(_TYPED, redeeming.take)],
                support.WRITING: [MessageHandler(_SENT, support.take)],
                disputes.PROBLEM: [MessageHandler(_TYPED, disputes.take_text)],
                **{
                    state: [
                        MessageHandler(
                            _SENT if state == broadcast.CONTENT else _TYPED, access.step(right, take)
                        )
                    ]
                    for right, answered in _ANSWERED.items()
                    for state, take in answered.items()
                },
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

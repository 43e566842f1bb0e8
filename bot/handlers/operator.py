"""Commands that only operators have; to everybody else they do not exist."""

import asyncio
from dataclasses import dataclass

import structlog
from telegram import Update
from telegram.error import TelegramError

from bot import messages
from bot.buttons import Tap
from bot.context import Context
from bot.handlers import broadcast
from bot.handlers.screens import Acts, reader_of, show
from bot.language import Language
from bot.views import operator as views
from services.errors import UpstreamError
from services.money import parse_amount, to_minor
from services.suppliers.base import Supplier

log = structlog.get_logger()

CREDIT_FORM, DEBIT_FORM = "/credit ID AMOUNT [reason]", "/debit ID AMOUNT [reason]"
LAST_ORDERS = 5
ORPHANS = 10
REASON_LIMIT = 200
LARGEST_ID = 2**52
"""Telegram's ids have at most 52 significant bits."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What `/credit` and `/debit` were given; minor units."""

    user_id: int
    amount: int
    reason: str | None


async def credit(update: Update, context: Context) -> None:
    """The update's id is the idempotency key: handled twice, it credits once."""
    shop = context.shop
    transfer = await _read_transfer(update, context, CREDIT_FORM)
    if transfer is None:
        return
    key = f"update:{update.update_id}"
    fresh = await shop.accounts.credit(transfer.user_id, transfer.amount, key=key, reason=transfer.reason)
    settled = await shop.accounts.settled_by(key)
    wallet = await shop.accounts.wallet(transfer.user_id, moves=0)
    view = views.credited(
        reader_of(context), transfer.user_id, transfer.amount, wallet, repeated=not fresh, settled=settled
    )
    await show(update, context, view)
    if fresh:
        await _tell_renter(context, transfer, settled)


async def debit(update: Update, context: Context) -> None:
    shop = context.shop
    transfer = await _read_transfer(update, context, DEBIT_FORM)
    if transfer is None:
        return
    await shop.accounts.get(transfer.user_id)
    fresh = await shop.accounts.debit(
        transfer.user_id, transfer.amount, key=f"update:{update.update_id}", reason=transfer.reason
    )
    wallet = await shop.accounts.wallet(transfer.user_id, moves=0)
    view = views.debited(reader_of(context), transfer.user_id, transfer.amount, wallet, repeated=not fresh)
    await show(update, context, view)


async def user(update: Update, context: Context) -> None:
    user_id = _read_id(context)
    if user_id is None:
        await show(update, context, views.usage(reader_of(context), "/user ID"))
    else:
        await _show_user(update, context, user_id)


async def users(update: Update, context: Context) -> None:
    found = await context.shop.accounts.search(" ".join(context.args or []))
    await show(update, context, views.users(reader_of(context), found))


async def order(update: Update, context: Context) -> None:
    order_id = _read_id(context)
    if order_id is None:
        await show(update, context, views.usage(reader_of(context), "/order ID"))
    else:
        await _show_order(update, context, order_id)


async def suppliers(update: Update, context: Context) -> None:
    states = await asyncio.gather(*(_state(context, supplier) for supplier in context.shop.suppliers))
    await show(update, context, views.suppliers(reader_of(context), states))


async def orphans(update: Update, context: Context) -> None:
    found = await context.shop.desk.orphans(ORPHANS)
    await show(update, context, views.orphans(reader_of(context), found))


async def panel(update: Update, context: Context) -> None:
    await show(update, context, views.panel(reader_of(context)))


async def _show_user(update: Update, context: Context, user_id: int) -> None:
    shop = context.shop
    found = await shop.accounts.get(user_id)
    wallet = await shop.accounts.wallet(user_id)
    recent = await shop.orders.of_user(user_id, open_only=False, limit=LAST_ORDERS)
    await show(update, context, views.user(reader_of(context), found, wallet, recent))


async def _show_order(update: Update, context: Context, order_id: int) -> None:
    view = await context.shop.orders.get_order(order_id)
    attempts = await context.shop.desk.attempts(view.purchase.id or 0)
    await show(update, context, views.order(reader_of(context), view, attempts))


async def _state(context: Context, supplier: Supplier) -> views.SupplierState:
    """How a supplier is doing; its balance is asked for now."""
    shop, name = context.shop, supplier.name
    words = await _balance_in_words(context, supplier) if supplier.capabilities.balance else None
    webhook = shop.webhook_states.get(name, context.language._("not registered yet"))
    return views.SupplierState(name, shop.suppliers.health(name), words, webhook, supplier.remarks())


async def _balance_in_words(context: Context, supplier: Supplier) -> str:
    try:
        with context.shop.suppliers.calling(supplier.name, always=True):
            balance = await supplier.balance()
    except UpstreamError as error:
        return context.language._("unknown ({error})").format(error=error)
    return context.language.money(to_minor(balance.amount_decimal, balance.currency), balance.currency)


async def _read_transfer(update: Update, context: Context, form: str) -> Transfer | None:
    """What the command says; None, and an answer that helps, for what cannot be read."""
    arguments = context.args or []
    user_id = _read_id(context)
    if user_id is None or len(arguments) < 2:
        await show(update, context, views.usage(reader_of(context), form))
        return None
    try:
        amount = parse_amount(arguments[1], context.shop.currency)
        problem = "" if amount else context.language._("The amount must be more than zero.")
    except ValueError as error:
        amount, problem = 0, str(error)
    if problem:
        await show(update, context, views.usage(reader_of(context), form, problem))
        return None
    return Transfer(user_id, amount, " ".join(arguments[2:])[:REASON_LIMIT] or None)


def _read_id(context: Context) -> int | None:
    text = context.args[0] if context.args else ""
    return int(text) if text.isdecimal() and 0 < int(text) < LARGEST_ID else None


async def _tell_renter(context: Context, transfer: Transfer, settled: int) -> None:
    """They are glad to know; if they cannot be reached, the money is there all the same."""
    accounts = context.shop.accounts
    renter, wallet = await accounts.get(transfer.user_id), await accounts.wallet(transfer.user_id, moves=0)
    language = Language.of(renter.language_code)
    view = views.news_of_credit(language, transfer.amount, wallet, transfer.reason, settled=settled)
    try:
        await messages.send(context.bot, transfer.user_id, view)
    except TelegramError as error:
        log.info("credit.renter_not_told", user=transfer.user_id, error=type(error).__name__)


async def _tap_panel(update: Update, context: Context, tap: Tap) -> None:
    await panel(update, context)


async def _tap_suppliers(update: Update, context: Context, tap: Tap) -> None:
    await suppliers(update, context)


async def _tap_orphans(update: Update, context: Context, tap: Tap) -> None:
    await orphans(update, context)


async def _tap_users(update: Update, context: Context, tap: Tap) -> None:
    await users(update, context)


async def _tap_user(update: Update, context: Context, tap: Tap) -> None:
    await _show_user(update, context, tap.number(0))


async def _tap_order(update: Update, context: Context, tap: Tap) -> None:
    await _show_order(update, context, tap.number(0))


ACTS: Acts = {
    **broadcast.ACTS,
    "panel": _tap_panel,
    "suppliers": _tap_suppliers,
    "orphans": _tap_orphans,
    "users": _tap_users,
    "user": _tap_user,
    "order": _tap_order,
}

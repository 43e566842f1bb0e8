"""Telegram Stars: top-ups, paying for one number, and refunds."""

import structlog
from telegram import LabeledPrice, Update
from telegram.error import BadRequest
from telegram.ext import ApplicationHandlerStop

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.browse import confirm_view, network_of
from bot.handlers.screens import Acts, answer, meet, needs_terms, reader_of, show
from bot.views import payments as views
from bot.views.errors import sentence
from bot.views.screen import ROWS, Page, View
from db.models import Invoice
from services.errors import PriceChanged
from services.invoices import CURRENCY
from services.orders import Intent
from services.payments import StarPayment

log = structlog.get_logger()

LAST_PAYMENTS = 3
TOPUP = Tap("topup", ())


async def topup_command(update: Update, context: Context) -> None:
    if not await needs_terms(update, context, TOPUP):
        await topup(update, context, TOPUP)


async def paysupport(update: Update, context: Context) -> None:
    recent = await context.shop.payments.of_user(context.user.id, limit=LAST_PAYMENTS)
    await show(update, context, views.paysupport(reader_of(context), recent))


async def _tap_paysupport(update: Update, context: Context, tap: Tap) -> None:
    await paysupport(update, context)


async def topup(update: Update, context: Context, tap: Tap) -> None:
    await show(update, context, await topup_view(context))


async def topup_view(context: Context) -> View:
    """The ways to more money."""
    shop, reader = context.shop, reader_of(context)
    if not shop.invoices.rate:
        return views.not_sold(reader)
    wallet = await shop.accounts.wallet(context.user.id, moves=0)
    allowance = await shop.invoices.allowance(context.user.id)
    return views.topup(reader, shop.invoices.rate, wallet, allowance)


async def deposit(update: Update, context: Context, tap: Tap) -> None:
    await offer_topup(update, context, tap.number(0))


async def offer_topup(update: Update, context: Context, stars: int) -> None:
    """Raises InvoiceRefused, StarsLimitReached."""
    invoice = await context.shop.invoices.offer_topup(context.user.id, stars)
    await _send(update, context, invoice, views.topup_bill(context.language, invoice))


async def pay(update: Update, context: Context, tap: Tap) -> None:
    """An invoice for exactly the number on the confirm screen."""
    shop = context.shop
    network = network_of(context, tap.args[2], tap.args[4:])
    intent = Intent(tap.args[0], tap.number(1), tap.args[2], 1, tap.number(3), network)
    service = shop.catalog.service(intent.service_id)
    assert service
    try:
        invoice = await shop.invoices.offer_purchase(context.user.id, intent)
    except PriceChanged as change:
        await answer(update, sentence(change, context.language, shop.currency), alert=True)
        where = intent.service_id, intent.country
        await show(update, context, await confirm_view(context, *where, 1, network, was=intent.price))
    else:
        await _send(update, context, invoice, views.purchase_bill(context.language, invoice, service))


async def _send(update: Update, context: Context, invoice: Invoice, bill: views.Bill) -> None:
    await answer(update)
    await context.bot.send_invoice(
        context.user.id,
        bill.title,
        bill.description,
        payload=invoice.token,
        currency=CURRENCY,
        prices=[LabeledPrice(bill.title, invoice.stars)],
        # With it, a forwarded copy leads to the bot instead of being paid by somebody else.
        start_parameter="topup",
    )


async def check(update: Update, context: Context) -> None:
    """Telegram asks whether a payment may go ahead. A refusal is answered where all errors are."""
    query = update.pre_checkout_query
    assert query
    await context.shop.invoices.check(
        query.from_user.id, query.invoice_payload, stars=query.total_amount, currency=query.currency
    )
    try:
        await query.answer(ok=True)
    except BadRequest:
        log.warning("checkout.too_late", update_id=update.update_id)
    raise ApplicationHandlerStop


async def take(update: Update, context: Context) -> None:
    """Stars were paid, by whoever it was: somebody banned, too."""
    message, person = update.message, update.effective_user
    assert message
    assert message.successful_payment
    assert person
    await meet(context, person)
    paid = message.successful_payment
    await context.shop.payments.record(
        StarPayment(
            charge_id=paid.telegram_payment_charge_id,
            payload=paid.invoice_payload,
            user_id=person.id,
            stars=paid.total_amount,
            paid_at=message.date,
        )
    )
    raise ApplicationHandlerStop


async def take_back(update: Update, context: Context) -> None:
    """Stars went back to who had paid them."""
    assert update.message
    assert update.message.refunded_payment
    await context.shop.refunds.note_refunded(update.message.refunded_payment.telegram_payment_charge_id)
    raise ApplicationHandlerStop


async def of_user(update: Update, context: Context, tap: Tap) -> None:
    user_id, number = tap.number(0), tap.number(1)
    found = await context.shop.payments.of_user(user_id, limit=ROWS + 1, offset=number * ROWS)
    page = Page.read(found, number, ROWS)
    await show(update, context, views.of_user(reader_of(context), user_id, page))


async def payment(update: Update, context: Context, tap: Tap) -> None:
    await _show_payment(update, context, tap.number(0))


async def refund(update: Update, context: Context, tap: Tap) -> None:
    """Ask once more before giving it back."""
    await _show_payment(update, context, tap.number(0), confirm=True)


async def give_back(update: Update, context: Context, tap: Tap) -> None:
    """However often it is tapped, it goes back once."""
    await context.shop.refunds.refund(tap.number(0), by=context.user.id)
    await _show_payment(update, context, tap.number(0))


async def _show_payment(update: Update, context: Context, payment_id: int, *, confirm: bool = False) -> None:
    shown = await context.shop.payments.get(payment_id)
    wallet = await context.shop.accounts.wallet(shown.user_id, moves=0)
    await show(update, context, views.payment(reader_of(context), shown, wallet, confirm=confirm))


ACTS: Acts = {"topup": topup, "paysupport": _tap_paysupport, "deposit": deposit, "pay": pay}
OPERATOR_ACTS: Acts = {"payments": of_user, "payment": payment, "refund": refund, "giveback": give_back}

"""A renter's orders: the lists, the cards, and what can be done with a number."""

from datetime import timedelta
from math import ceil

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, answer, needs_terms, reader_of, show, tapped_message_id
from bot.views import cards
from bot.views import lists as views
from bot.views.screen import ROWS, Page

OPEN_ORDERS = Tap("orders", ("open", "0"))


async def command(update: Update, context: Context) -> None:
    if not await needs_terms(update, context, OPEN_ORDERS):
        await orders(update, context, OPEN_ORDERS)


async def balance_command(update: Update, context: Context) -> None:
    then = Tap("balance", ())
    if not await needs_terms(update, context, then):
        await balance(update, context, then)


async def orders(update: Update, context: Context, tap: Tap) -> None:
    open_only, number = tap.args[0] == "open", tap.number(1)
    # One more than is shown tells whether there is another page.
    found = await context.shop.orders.of_user(
        context.user.id, open_only=open_only, limit=ROWS + 1, offset=number * ROWS
    )
    page = Page(found[:ROWS], number, more=len(found) > ROWS)
    await show(update, context, views.orders(reader_of(context), page, open_only=open_only))


async def balance(update: Update, context: Context, tap: Tap) -> None:
    wallet = await context.shop.accounts.wallet(context.user.id)
    await show(update, context, views.balance(reader_of(context), wallet))


async def open_order(update: Update, context: Context, tap: Tap) -> None:
    """Turn the list into the order's card, which is kept up to date from now on."""
    orders, user_id, order_id = context.shop.orders, context.user.id, tap.number(0)
    view = await orders.get_order(order_id, user_id=user_id)
    # Adopted before it is read: whatever changes after that comes to this message.
    await orders.adopt_card(view.purchase.id or 0, message_id=tapped_message_id(update))
    await number(update, context, tap)


async def number(update: Update, context: Context, tap: Tap) -> None:
    """One number of a purchase."""
    view = await context.shop.orders.get_order(tap.number(0), user_id=context.user.id)
    await show(update, context, cards.order_card(reader_of(context), view, view.orders[0]))


async def purchase(update: Update, context: Context, tap: Tap) -> None:
    """All numbers of a purchase."""
    view = await context.shop.orders.get_purchase(tap.number(0), user_id=context.user.id)
    await show(update, context, cards.card(reader_of(context), view, tap.number(1)))


async def cancel(update: Update, context: Context, tap: Tap) -> None:
    _ = context.language._
    possible_at = await context.shop.orders.cancel(context.user.id, tap.number(0))
    if possible_at is None:
        await answer(update, _("Canceling…"))
        return
    minutes = ceil((possible_at - context.shop.clock.now()) / timedelta(minutes=1))
    text = context.language.ngettext(
        "The supplier allows this in {minutes} minute. It will be canceled then, unless a code comes first.",
        "The supplier allows this in {minutes} minutes. It will be canceled then, unless a code comes first.",
        minutes,
    )
    await answer(update, text.format(minutes=context.language.number(minutes)), alert=True)


async def finish(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.orders.finish(context.user.id, tap.number(0))
    await answer(update, context.language._("Finished."))


async def resend(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.orders.resend(context.user.id, tap.number(0))
    await answer(update, context.language._("Asking for another SMS…"))


ACTS: Acts = {
    "orders": orders,
    "balance": balance,
    "open": open_order,
    "number": number,
    "purchase": purchase,
    "cancel": cancel,
    "finish": finish,
    "resend": resend,
}

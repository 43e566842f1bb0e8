"""A renter's orders: the lists, the cards, and what can be done with a number."""

import csv
from datetime import timedelta
from math import ceil
from pathlib import Path

from telegram import Update

from bot.books import packed
from bot.buttons import StaleButton, Tap
from bot.context import Context
from bot.handlers.payments import topup_view
from bot.handlers.screens import (
    Acts,
    answer,
    needs_terms,
    reader_of,
    show,
    show_below,
    tapped_message_id,
)
from bot.spreadsheet import cell
from bot.views import cards
from bot.views import lists as views
from bot.views.browse import NAMES
from bot.views.errors import sentence
from bot.views.lists import Shelf
from bot.views.screen import ROWS, Page
from db.models import Service
from services.errors import InsufficientFunds

OPEN_ORDERS = Tap("orders", ("open", "0"))
_WITH_CODE = {Shelf.WITH_CODE: True, Shelf.WITHOUT_CODE: False}


async def command(update: Update, context: Context) -> None:
    if not await needs_terms(update, context, OPEN_ORDERS):
        await orders(update, context, OPEN_ORDERS)


async def balance_command(update: Update, context: Context) -> None:
    then = Tap("balance", ())
    if not await needs_terms(update, context, then):
        await balance(update, context, then)


async def orders(update: Update, context: Context, tap: Tap) -> None:
    await _list(update, context, Shelf(tap.args[0]), tap.number(1))


async def sifted(update: Update, context: Context, tap: Tap) -> None:
    """The history of one service; of all of them where the button names none. Raises StaleButton."""
    shelf, service_id = Shelf(tap.args[0]), tap.number(1)
    service = None
    if service_id and shelf is not Shelf.OPEN:
        service = context.shop.catalog.service(service_id)
        if service is None:
            raise StaleButton
    await _list(update, context, shelf, tap.number(2), service)


async def _list(
    update: Update, context: Context, shelf: Shelf, number: int, service: Service | None = None
) -> None:
    found = await context.shop.orders.of_user(
        context.user.id,
        open_only=shelf is Shelf.OPEN,
        with_code=_WITH_CODE.get(shelf),
        service_id=service.id if service else None,
        limit=ROWS + 1,
        offset=number * ROWS,
    )
    page = Page.read(found, number, ROWS)
    await show(update, context, views.orders(reader_of(context), page, shelf, service))


async def ordered_services(update: Update, context: Context, tap: Tap) -> None:
    """Ask for which service the history shall be shown."""
    shelf, number = Shelf(tap.args[0]), tap.number(1)
    found = await context.shop.orders.services_of(context.user.id)
    page = Page.of(found, number, size=NAMES)
    await show(update, context, views.ordered_services(reader_of(context), page, shelf))


async def balance(update: Update, context: Context, tap: Tap) -> None:
    wallet = await context.shop.accounts.wallet(context.user.id)
    await show(update, context, views.balance(reader_of(context), wallet))


async def statement(update: Update, context: Context, tap: Tap) -> None:
    """All moves of their own money, as a file."""
    await answer(update)
    shop, user_id = context.shop, context.user.id
    name = f"statement-{shop.clock.now():%Y-%m-%d}.csv"

    async def write(directory: Path) -> None:
        # With its mark, spreadsheets know that it is UTF-8.
        with (directory / name).open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file)
            table.writerow(views.statement_header(context.language))
            async for lines in shop.statements.of_user(user_id):
                table.writerows(map(cell, views.statement_row(context.language, line)) for line in lines)

    async with packed(name, write) as file:
        await context.bot.send_document(user_id, file)


async def timeline(update: Update, context: Context, tap: Tap) -> None:
    """What happened to one of their orders, below its card."""
    shop = context.shop
    view = await shop.orders.get_order(tap.number(0), user_id=context.user.id)
    found = (await shop.timelines.of_order(tap.number(0))).for_renter()
    shown = views.timeline(reader_of(context), view, found, retention_days=shop.retention_days)
    await show_below(update, context, shown)


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
    if view.purchase.quantity == 1:
        view = await context.shop.orders.get_purchase(view.purchase.id or 0)
    await show(update, context, cards.order_card(reader_of(context), view, view.orders[-1]))


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


async def swap(update: Update, context: Context, tap: Tap) -> None:
    """Agree that the number is swapped where no code comes, or take that back."""
    on = bool(tap.number(1))
    await context.shop.swaps.agree(context.user.id, tap.number(0), on=on)
    _ = context.language._
    says = _("It will be swapped if no code comes.") if on else _("It will not be swapped.")
    await answer(update, says)


async def resend(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.orders.resend(context.user.id, tap.number(0))
    await answer(update, context.language._("Asking for another SMS…"))


async def late_code(update: Update, context: Context, tap: Tap) -> None:
    """Buy what came after an order had ended. A card stays a card; the offer says that it was taken."""
    shop, order_id = context.shop, tap.number(0)
    try:
        await shop.late_codes.buy(context.user.id, order_id)
    except InsufficientFunds as error:
        await answer(update, sentence(error, context.language, shop.currency), alert=True)
        await show_below(update, context, await topup_view(context))
        return
    view = await shop.orders.get_order(order_id, user_id=context.user.id)
    if tapped_message_id(update) == view.purchase.message_id:
        await answer(update, context.language._("Bought."))
    else:
        await show(update, context, cards.late_bought(reader_of(context), view))


ACTS: Acts = {
    "latecode": late_code,
    "orders": orders,
    views.LIST: sifted,
    "ordered": ordered_services,
    "balance": balance,
    "statement": statement,
    "timeline": timeline,
    "open": open_order,
    "number": number,
    "purchase": purchase,
    "cancel": cancel,
    "finish": finish,
    "resend": resend,
    "swap": swap,
}

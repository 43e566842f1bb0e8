"""Renters as operators see them: found, looked at, written to, noted about."""

from typing import NoReturn

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.home import home_view
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.language import Language
from bot.views import lists
from bot.views import operator as operator_views
from bot.views import people as views
from bot.views import start as start_views
from bot.views.screen import ROWS, Page, Reader
from db.models import User
from services.orders import PurchaseView
from services.people import LETTER_LIMIT, NOTE_LIMIT

QUERY, NOTE, LETTER = "people query", "note", "letter"
END = ConversationHandler.END
QUERY_BYTES = 32
"""As much of a query as the buttons to its other pages can carry."""
LARGEST_ID = 2**63
LAST_ORDERS, LAST_NOTES = 3, 2


async def user(update: Update, context: Context) -> None:
    """`/user ID`."""
    user_id = read_id(context)
    if user_id is None:
        await show(update, context, operator_views.usage(reader_of(context), "/user ID"))
    else:
        await show_card(update, context, user_id)


async def users(update: Update, context: Context) -> None:
    """`/users [text]`."""
    await _show_found(update, context, " ".join(context.args or []), 0)


async def ask_query(update: Update, context: Context) -> None:
    read_tap(update, context)
    await show(update, context, views.ask_query(reader_of(context)))
    raise ApplicationHandlerStop(QUERY)


async def take_query(update: Update, context: Context) -> None:
    await _show_found(update, context, said(update), 0)
    raise ApplicationHandlerStop(END)


async def ask_note(update: Update, context: Context) -> None:
    await ask_about(update, context, NOTE)


async def take_note(update: Update, context: Context) -> None:
    """The update's id is the key: handled twice, it is one note."""
    text = said(update)
    if len(text) > NOTE_LIMIT:
        await ask_again(update, context, NOTE)
    user_id = whom(context)
    await context.shop.people.add_note(user_id, text, by=context.user.id, key=f"update:{update.update_id}")
    await end_with_card(update, context, user_id)


async def ask_letter(update: Update, context: Context) -> None:
    await ask_about(update, context, LETTER)


async def take_letter(update: Update, context: Context) -> None:
    text = said(update)
    if len(text) > LETTER_LIMIT:
        await ask_again(update, context, LETTER)
    user_id = whom(context)
    await context.shop.people.write(user_id, text, by=context.user.id, key=f"update:{update.update_id}")
    context.typed.clear()
    await show(update, context, views.letter_promised(reader_of(context), user_id))
    raise ApplicationHandlerStop(END)


async def show_card(update: Update, context: Context, user_id: int) -> None:
    """Raises UserNotFound."""
    shop = context.shop
    found = await shop.accounts.get(user_id)
    card = views.Card(
        user=found,
        role=shop.team.role_of(found),
        wallet=await shop.accounts.wallet(user_id, moves=3),
        orders=await shop.orders.of_user(user_id, open_only=False, limit=LAST_ORDERS),
        notes=await shop.people.notes(user_id, limit=LAST_NOTES),
        inviter_id=await shop.invitations.inviter_of(user_id),
        allowance=shop.orders.limits_of(found),
    )
    await show(update, context, views.card(reader_of(context), card, context.rights))


async def _show_found(update: Update, context: Context, text: str, number: int) -> None:
    text = _carried(text)
    found = await context.shop.people.search(text, limit=ROWS + 1, offset=number * ROWS)
    page = Page.read(found, number, ROWS)
    await show(update, context, views.found(reader_of(context), page, text))


async def _tap_people(update: Update, context: Context, tap: Tap) -> None:
    await _show_found(update, context, tap.args[0], tap.number(1))


async def _tap_user(update: Update, context: Context, tap: Tap) -> None:
    await show_card(update, context, tap.number(0))


async def _tap_notes(update: Update, context: Context, tap: Tap) -> None:
    user_id, number = tap.number(0), tap.number(1)
    notes = await context.shop.people.notes(
        user_id, limit=views.NOTES_A_PAGE + 1, offset=number * views.NOTES_A_PAGE
    )
    page = Page.read(notes, number, views.NOTES_A_PAGE)
    await show(update, context, views.notes(reader_of(context), user_id, page))


async def _tap_orders(update: Update, context: Context, tap: Tap) -> None:
    user_id, number = tap.number(0), tap.number(1)
    found = await context.shop.orders.of_user(user_id, open_only=False, limit=ROWS + 1, offset=number * ROWS)
    page = Page.read(found, number, ROWS)
    await show(update, context, views.orders(reader_of(context), user_id, page))


async def _tap_see(update: Update, context: Context, tap: Tap) -> None:
    """Their screens in words: buttons that are theirs are drawn, and never sent."""
    shop = context.shop
    renter = await shop.accounts.get(tap.number(0))
    theirs = Reader(renter.id, Language.of(renter.language), shop.buttons)
    home = await home_view(context, renter, theirs) if renter.terms_accepted_at else start_views.terms(theirs)
    found = await shop.orders.of_user(renter.id, open_only=True, limit=ROWS + 1)
    page = Page.read([_without_numbers(view) for view in found], 0, ROWS)
    orders = lists.orders(theirs, page, lists.Shelf.OPEN)
    await show(update, context, views.seen(reader_of(context), renter, home, orders))


def _without_numbers(view: PurchaseView) -> PurchaseView:
    """Numbers are their renter's alone."""
    for shown in view.orders:
        shown.order.phone_number = None
    return view


async def ask_about(update: Update, context: Context, question: str) -> NoReturn:
    """A tap that asks for something to be typed about somebody."""
    user_id = read_tap(update, context).number(0)
    context.typed.clear()
    context.typed["user"] = user_id
    await _ask(update, context, question, await context.shop.accounts.get(user_id))


async def ask_again(update: Update, context: Context, question: str, problem: str = "") -> NoReturn:
    """What was typed cannot be used."""
    problem = problem or context.language._("That is too long.")
    await _ask(update, context, question, await context.shop.accounts.get(whom(context)), problem)


async def _ask(update: Update, context: Context, question: str, about: User, problem: str = "") -> NoReturn:
    await show(update, context, views.ask(reader_of(context), question, about, problem))
    raise ApplicationHandlerStop(question)


async def end_with_card(update: Update, context: Context, user_id: int) -> NoReturn:
    context.typed.clear()
    await show_card(update, context, user_id)
    raise ApplicationHandlerStop(END)


def whom(context: Context) -> int:
    """About whom something is typed."""
    return int(context.typed["user"])


def read_id(context: Context) -> int | None:
    """The first word of a command; None where it is no id."""
    text = context.args[0] if context.args else ""
    return int(text) if text.isdecimal() and len(text) < 20 and 0 < int(text) < LARGEST_ID else None


def _carried(text: str) -> str:
    """A query as its buttons carry it."""
    text = " ".join(text.replace(":", " ").split())
    return text.encode()[:QUERY_BYTES].decode(errors="ignore").strip()


ACTS: Acts = {
    "people": _tap_people,
    "user": _tap_user,
    "notes": _tap_notes,
    "theirs": _tap_orders,
    "see": _tap_see,
}

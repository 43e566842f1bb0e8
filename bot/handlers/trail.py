"""`/audit log [ID]`: who did what."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.people import LARGEST_ID
from bot.handlers.screens import Acts, reader_of, show
from bot.views import operator as operator_views
from bot.views import trail as views
from bot.views.screen import Page

FORM = "/audit log [ID]"


async def log(update: Update, context: Context) -> None:
    """The newest acts; with an id those by or about one person."""
    words = (context.args or [])[1:]
    text = words[0] if words else "0"
    if not text.isdecimal() or int(text) >= LARGEST_ID:
        await show(update, context, operator_views.usage(reader_of(context), FORM))
    else:
        await _show(update, context, int(text), 0)


async def _tap_trail(update: Update, context: Context, tap: Tap) -> None:
    await _show(update, context, tap.number(0), tap.number(1))


async def _show(update: Update, context: Context, person_id: int, number: int) -> None:
    """`person_id`: 0 for everybody."""
    shop, size = context.shop, views.ACTS_A_PAGE
    acts = await shop.trail.newest(person_id=person_id or None, limit=size + 1, offset=number * size)
    page = Page.read(acts, number, size)
    people = {act.operator_id for act in page.items} | {act.user_id for act in page.items if act.user_id}
    names = {user_id: found.name for user_id in people if (found := await shop.accounts.find(user_id))}
    view = views.trail(reader_of(context), page, person_id, names, currency=shop.currency)
    await show(update, context, view)


ACTS: Acts = {"trail": _tap_trail}

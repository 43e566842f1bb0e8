"""Who works here, for owners."""

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.people import show_card
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.views import team as views
from bot.views.screen import ROWS, Page
from services.roles import Role

MEMBER = "member"


async def ask_member(update: Update, context: Context) -> None:
    read_tap(update, context)
    await show(update, context, views.ask_member(reader_of(context)))
    raise ApplicationHandlerStop(MEMBER)


async def take_member(update: Update, context: Context) -> None:
    """Only somebody found for certain: an id or an @username is one person's."""
    text = said(update).lstrip("@").lower()
    found = await context.shop.people.search(text, limit=10)
    exact = [one for one in found if text in (str(one.id), (one.username or "").lower())]
    if len(exact) != 1:
        await show(update, context, views.ask_member(reader_of(context), wrong=True))
        raise ApplicationHandlerStop(MEMBER)
    await show_card(update, context, exact[0].id)
    raise ApplicationHandlerStop(ConversationHandler.END)


async def _tap_team(update: Update, context: Context, tap: Tap) -> None:
    shop = context.shop
    page = Page.of(list((await shop.team.roles()).items()), tap.number(0), ROWS)
    names = {user_id: found.name for user_id, _ in page.items if (found := await shop.accounts.find(user_id))}
    await show(update, context, views.team(reader_of(context), page, names))


async def _tap_role(update: Update, context: Context, tap: Tap) -> None:
    """Appoint; without a role, dismiss."""
    user_id, role = tap.number(0), Role(tap.args[1]) if tap.args[1] else None
    await context.shop.team.appoint(user_id, role, by=context.user.id)
    await show_card(update, context, user_id)


ACTS: Acts = {"team": _tap_team, "role": _tap_role}

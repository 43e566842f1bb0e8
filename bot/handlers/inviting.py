"""Invitations: a renter's own link, and those who come by one."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, needs_terms, reader_of, show
from bot.views import invitations as views
from bot.views.invitations import Reward

LINK = "i_"
"""Begins the start parameter of an invitation's link."""


async def command(update: Update, context: Context) -> None:
    then = Tap("invite", ())
    if not await needs_terms(update, context, then):
        await invite(update, context, then)


async def invite(update: Update, context: Context, tap: Tap) -> None:
    shop, reader = context.shop, reader_of(context)
    if not shop.invitations.are_open:
        await show(update, context, views.closed(reader))
        return
    invites = await shop.invitations.of_user(context.user.id)
    link = f"{context.bot.link}?start={LINK}{invites.token}"
    await show(
        update, context, views.invite(reader, invites, _reward(context), link=link, currency=shop.currency)
    )


async def welcome(context: Context, parameter: str) -> list[str]:
    """What somebody new reads above the terms who came by a link; nothing where it does not count."""
    if not parameter.startswith(LINK):
        return []
    inviter = await context.shop.invitations.accept(context.user.id, parameter.removeprefix(LINK))
    return views.invited(context.language, inviter.name, _reward(context)) if inviter else []


def _reward(context: Context) -> Reward:
    invitations = context.shop.invitations
    return Reward(invitations.percent, invitations.purchases)


ACTS: Acts = {"invite": invite}

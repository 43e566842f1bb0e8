"""`/start` with what stood in a link: to an offer, or for operators to somebody's card, or to an order."""

import re
from collections.abc import Awaitable, Callable

from telegram import Update

from bot.buttons import Tap, base36
from bot.context import Context
from bot.handlers import browse, operator, people, start
from bot.handlers.screens import needs_terms
from services.lines import Line
from services.roles import Right

_DESK: dict[str, Callable[[Update, Context, int], Awaitable[None]]] = {
    "user": people.show_card,
    "order": operator.show_order,
}
_CARD = re.compile(r"(user|order)_(\d{1,18})", re.ASCII)
_OFFER = re.compile("b_([0-9a-z]{1,7})_([A-Z]{2})")


async def follow(update: Update, context: Context) -> None:
    """To everybody else such a link is none."""
    parameter = context.args[0] if context.args else ""
    if (card := _CARD.fullmatch(parameter)) and context.may(Right.PEOPLE):
        await _DESK[card[1]](update, context, int(card[2]))
    elif offer := _OFFER.fullmatch(parameter):
        await _show_offer(update, context, Tap("confirm", (offer[1], offer[2], "1")))
    else:
        await start.start(update, context)


async def _show_offer(update: Update, context: Context, then: Tap) -> None:
    """Its price of today; whoever is new accepts the terms first, and comes there by that."""
    if not await needs_terms(update, context, then):
        await browse.confirm(update, context, then)


def offer_link(bot_link: str, line: Line) -> str:
    """A link that anybody may follow to the last look before buying."""
    return f"{bot_link}?start=b_{base36(line.service_id)}_{line.country}"

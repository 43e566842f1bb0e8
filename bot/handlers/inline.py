"""Inline mode: `@bot whatsapp id`, typed in any chat, offers cards that lead whoever taps to the price."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain, islice

from telegram import InlineQueryResultsButton, Update
from telegram.error import BadRequest

from bot.context import Context
from bot.errors import language_of
from bot.handlers.home import popular
from bot.handlers.links import offer_link
from bot.handlers.searching import find
from bot.views import inline as views
from bot.views.browse import Found
from db.models import Service
from services.catalog import Catalog
from services.lines import Line

MOST_CARDS = 20
PER_GROUP = 5
"""Cards of a service, or a country, where the words name no more than that."""
CACHE = timedelta(seconds=30)
"""How old a price on a card may be; what is paid is on the button in the bot."""


async def answer(update: Update, context: Context) -> None:
    """Prices for all, and nothing about whoever asks: whatever they pick is read by others."""
    query = update.inline_query
    assert query
    language, shop, bot = await language_of(context, query.from_user), context.shop, context.bot
    offers = list(islice(_offers(context, query.query), MOST_CARDS))
    cards = [
        views.card(language, service, line, shop.currency, link=offer_link(bot.link, line))
        for service, line in offers
    ]
    to_shop = InlineQueryResultsButton(views.to_the_shop(language), start_parameter="shop")
    # Too late: they have typed on, and the next query is on its way.
    with suppress(BadRequest):
        # In the language of whoever asks, so not to be kept for others.
        await query.answer(cards, cache_time=CACHE, is_personal=True, button=None if cards else to_shop)


def _offers(context: Context, text: str) -> Iterator[tuple[Service, Line]]:
    """What is for sale and may be meant, each once, best first; without words, what most people want."""
    catalog = context.shop.catalog
    found = find(catalog, text) if text.strip() else [Found(service=known) for known in popular(context)]
    pairs = [one.line for one in found if one.line]
    groups = [] if pairs else [_some_of(catalog, one) for one in found]
    seen: set[tuple[int, str]] = set()
    for line in chain(pairs, *groups):
        key = line.service_id, line.country
        service = catalog.service(line.service_id)
        if service and key not in seen:
            seen.add(key)
            yield service, line


def _some_of(catalog: Catalog, found: Found) -> Sequence[Line]:
    """The cheapest lines of a service or a country."""
    if found.service and found.service.id is not None:
        return catalog.of_service(found.service.id)[:PER_GROUP]
    return catalog.of_country(found.country)[:PER_GROUP] if found.country else []

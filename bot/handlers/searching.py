"""What people write: "watsap indonesia" as a search, `/buy wa id` straight to the price."""

from telegram import Update

from bot.buttons import Tap, base36
from bot.context import Context
from bot.handlers import browse
from bot.handlers.home import popular
from bot.handlers.screens import needs_terms, reader_of, said, show
from bot.views import browse as views
from bot.views.browse import Found
from services.catalog import Catalog

ECHO = 64
"""As much of a query as is repeated in the answer."""
ALL_SERVICES = Tap("services", ("0",))


async def buy(update: Update, context: Context) -> None:
    """`/buy [service] [country]`: as far as the words lead."""
    text = " ".join(context.args or [])
    found = find(context.shop.catalog, text)
    then = _way_to(found[0]) if found else ALL_SERVICES
    if await needs_terms(update, context, then):
        return
    if missed := context.shop.catalog.missed(text):
        await _show_missed(update, context, *missed, found)
    elif text and not found:
        await _show_nothing(update, context, text)
    else:
        await browse.ACTS[then.action](update, context, then)


async def search(update: Update, context: Context) -> None:
    """Any text that is no command: what it can mean, or straight to the price where that is one thing."""
    assert update.message
    if update.message.via_bot == context.bot.bot:
        return  # a card of our own inline results: it has its button
    text = said(update)
    found = find(context.shop.catalog, text)
    if await needs_terms(update, context, _way_to(found[0]) if found else None):
        return
    pairs = [one for one in found if one.line]
    if missed := context.shop.catalog.missed(text):
        await _show_missed(update, context, *missed, found)
    elif len(pairs) == 1 and found[0].line:
        then = _way_to(found[0])
        await browse.ACTS[then.action](update, context, then)
    elif found:
        view = views.results(reader_of(context), text[:ECHO], pairs or found, context.shop.currency)
        await show(update, context, view)
    else:
        await _show_nothing(update, context, text)


async def _show_missed(
    update: Update, context: Context, service_id: int, country: str, found: list[Found]
) -> None:
    service = context.shop.catalog.service(service_id)
    assert service
    view = views.missed(reader_of(context), service, country, found, context.shop.currency)
    await show(update, context, view)


async def _show_nothing(update: Update, context: Context, text: str) -> None:
    is_stocked = context.shop.catalog.is_stocked
    view = views.nothing_found(reader_of(context), text[:ECHO], popular(context), is_stocked=is_stocked)
    await show(update, context, view)


def find(catalog: Catalog, text: str) -> list[Found]:
    """What is for sale and may be meant, best first."""
    return [
        Found(
            service=catalog.service(service_id) if service_id is not None else None,
            country=country,
            line=catalog.line(service_id, country) if service_id is not None and country else None,
        )
        for service_id, country in catalog.search(text)
    ]


def _way_to(found: Found) -> Tap:
    """The button that leads there."""
    if found.service is None:
        return Tap("country", (found.country or "", "0"))
    service_id = base36(found.service.id or 0)
    if found.country:
        return Tap("confirm", (service_id, found.country, "1"))
    return Tap("service", (service_id, "0"))

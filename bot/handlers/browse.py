"""From the shelves to the Buy button."""

from collections.abc import Sequence

from telegram import Update

from bot.buttons import Tap, new_key
from bot.context import Context
from bot.handlers.screens import Acts, answer, reader_of, show, show_below, tapped_message_id
from bot.views import browse as views
from bot.views import offers
from bot.views.errors import sentence
from bot.views.screen import ROWS, Page, View
from db.models import Service
from services.errors import PriceChanged
from services.favourites import Choice
from services.lines import Line, Sort, arranged
from services.orders import Intent


async def services(update: Update, context: Context, tap: Tap) -> None:
    page = Page.of(context.shop.catalog.services(), tap.number(0), views.NAMES)
    await show(update, context, views.services(reader_of(context), page))


async def countries(update: Update, context: Context, tap: Tap) -> None:
    page = Page.of(context.shop.catalog.countries(), tap.number(0), views.NAMES)
    await show(update, context, views.countries(reader_of(context), page))


async def service(update: Update, context: Context, tap: Tap) -> None:
    """Its countries, the cheapest first."""
    await _show_service(update, context, tap.number(0), Sort.PRICE, tap.number(1))


async def sorted_service(update: Update, context: Context, tap: Tap) -> None:
    """Its countries in another order."""
    await _show_service(update, context, tap.number(0), Sort(tap.args[1]), tap.number(2))


async def _show_service(update: Update, context: Context, service_id: int, sort: Sort, number: int) -> None:
    reader, shop = reader_of(context), context.shop
    known, lines = shop.catalog.service(service_id), shop.catalog.of_service(service_id)
    if known is None or not lines:
        await show(update, context, views.gone(reader))
        return
    page = Page.of(arranged(lines, sort), number, ROWS)
    has_odds = any(line.odds for line in lines)
    shelf = views.service(reader, known, page, shop.currency, sort=sort, has_odds=has_odds)
    await show(update, context, shelf)


async def country(update: Update, context: Context, tap: Tap) -> None:
    """Its services."""
    reader, shop, iso = reader_of(context), context.shop, tap.args[0]
    lines = shop.catalog.of_country(iso)
    found = [(known, line) for line in lines if (known := shop.catalog.service(line.service_id))]
    if not found:
        await show(update, context, views.gone(reader))
        return
    page = Page.of(found, tap.number(1), ROWS)
    await show(update, context, views.country(reader, iso, page, shop.currency))


async def confirm(update: Update, context: Context, tap: Tap) -> None:
    network = network_of(context, tap.args[1], tap.args[3:])
    view = await confirm_view(context, tap.number(0), tap.args[1], tap.number(2), network)
    await show(update, context, view)


async def again(update: Update, context: Context, tap: Tap) -> None:
    """The same once more, below the card of the last time."""
    network = network_of(context, tap.args[1], tap.args[2:])
    await show_below(update, context, await confirm_view(context, tap.number(0), tap.args[1], 1, network))


async def pin(update: Update, context: Context, tap: Tap) -> None:
    """Star an offer, or take its star away; the screen stays what it was."""
    network = network_of(context, tap.args[1], tap.args[4:])
    choice = Choice(tap.number(0), tap.args[1], network)
    if tap.number(3):
        await context.shop.favourites.pin(context.user.id, choice)
    else:
        await context.shop.favourites.unpin(context.user.id, choice)
    view = await confirm_view(context, choice.service_id, choice.country, tap.number(2), network)
    await show(update, context, view)


async def networks(update: Update, context: Context, tap: Tap) -> None:
    """The optional step before buying: one mobile network, where a supplier lets us choose."""
    reader, shop = reader_of(context), context.shop
    found = find_line(context, tap.number(0), tap.args[1])
    if found is None:
        await show(update, context, views.gone(reader))
        return
    lines = [found[1], *shop.catalog.networks(tap.number(0), tap.args[1])]
    page = Page.of(lines, tap.number(3), ROWS)
    await show(update, context, offers.networks(reader, found[0], page, tap.number(2), shop.currency))


async def buy(update: Update, context: Context, tap: Tap) -> None:
    """The tap that spends money. However often it comes, the key in it buys once; the card follows."""
    network = network_of(context, tap.args[2], tap.args[5:])
    intent = Intent(tap.args[0], tap.number(1), tap.args[2], tap.number(3), tap.number(4), network)
    try:
        await context.shop.orders.place(context.user.id, intent, message_id=tapped_message_id(update))
    except PriceChanged as change:
        await answer(update, sentence(change, context.language, context.shop.currency), alert=True)
        asked = intent.service_id, intent.country, intent.quantity, network
        await show(update, context, await confirm_view(context, *asked, was=intent.price))
    else:
        await answer(update, context.language._("Getting your number…"))


async def confirm_view(
    context: Context,
    service_id: int,
    iso: str,
    quantity: int,
    network: str | None = None,
    *,
    was: int | None = None,
) -> View:
    """The last look before buying, with a key of its own; or that there is nothing left to buy."""
    shop = context.shop
    found = find_line(context, service_id, iso, network)
    choice = Choice(service_id, iso, network)
    is_pinned = await shop.favourites.is_pinned(context.user.id, choice)
    if found is None:
        service = shop.catalog.service(service_id) if network is None else None
        wanted = (service, iso) if service else None
        return views.gone(reader_of(context), wanted, pinned=choice if is_pinned else None)
    known, line = found
    quantity = min(quantity, line.most)
    offer = offers.Offer(
        service=known,
        line=line,
        quantity=quantity,
        wallet=await shop.accounts.wallet(context.user.id, moves=0),
        key=new_key(),
        was=was,
        stars=shop.invoices.stars_for(line.price) if quantity == 1 else None,
        has_networks=bool(shop.catalog.networks(service_id, iso)),
        is_pinned=is_pinned,
    )
    return offers.confirm(reader_of(context), offer)


def find_line(
    context: Context, service_id: int, iso: str, network: str | None = None
) -> tuple[Service, Line] | None:
    known = context.shop.catalog.service(service_id)
    line = context.shop.catalog.line(service_id, iso, network)
    return (known, line) if known and line else None


def network_of(context: Context, iso: str, arguments: Sequence[str]) -> str | None:
    """The mobile network that the last argument of a button names, where it has one."""
    if not arguments:
        return None
    # One that nobody has heard of is sold out, not any: a renter gets what they asked for.
    return context.shop.catalog.network_name(iso, int(arguments[0], 36)) or ""


ACTS: Acts = {
    "services": services,
    "countries": countries,
    "service": service,
    "sorted": sorted_service,
    "country": country,
    "confirm": confirm,
    "networks": networks,
    "again": again,
    "pin": pin,
    "buy": buy,
}

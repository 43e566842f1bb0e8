"""The home screen."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, reader_of, show, show_below
from bot.views import home as views
from bot.views.screen import Reader, View
from db.models import Service, User
from services.favourites import Choice

POPULAR = 12
"""How many services are suggested."""
WELL_KNOWN = ("whatsapp", "google", "instagram", "facebook", "tiktok", "discord", "uber", "amazon")
"""Slugs of what people come for anywhere: they stand behind what our own renters want most."""


async def home_view(context: Context, user: User, reader: Reader) -> View:
    """Somebody's home screen."""
    shop = context.shop
    home = await shop.homes.of_user(user.id)
    newest = None
    if home.newest:
        order, purchase = home.newest
        service = shop.catalog.service(purchase.service_id)
        newest = (order, service, purchase.country) if service else None
    facts = views.Facts(
        available=home.available,
        currency=shop.currency,
        pinned=_offers(context, home.pinned),
        bought=_offers(context, home.bought),
        popular=popular(context),
        open_orders=home.open_orders,
        newest=newest,
        works_here=shop.team.role_of(user) is not None,
        closed=await shop.maintenance.notice(),
        page_url=shop.page_url,
    )
    return views.home(reader, facts)


def popular(context: Context) -> list[Service]:
    """What is for sale and wanted most, by our own renters and elsewhere; after it the best stocked."""
    popularity = context.shop.popularity
    known = {slug: rank for rank, slug in enumerate(WELL_KNOWN)}

    def rank(service: Service) -> tuple[int, int]:
        return popularity.rank(service.id or 0), known.get(service.slug, len(known))

    return sorted(context.shop.catalog.services(), key=rank)[:POPULAR]


def _offers(context: Context, choices: tuple[Choice, ...]) -> list[views.Offer]:
    """Sold-out ones, too, as long as we know their service."""
    catalog = context.shop.catalog
    return [
        views.Offer(service, choice, catalog.line(choice.service_id, choice.country, choice.network))
        for choice in choices
        if (service := catalog.service(choice.service_id))
    ]


async def show_home(update: Update, context: Context) -> None:
    await show(update, context, await home_view(context, context.user, reader_of(context)))


async def _tap_home(update: Update, context: Context, tap: Tap) -> None:
    await show_home(update, context)


async def _tap_menu(update: Update, context: Context, tap: Tap) -> None:
    """Home, below a card."""
    await show_below(update, context, await home_view(context, context.user, reader_of(context)))


async def _tap_more(update: Update, context: Context, tap: Tap) -> None:
    await show(update, context, views.more(reader_of(context)))


ACTS: Acts = {"home": _tap_home, "menu": _tap_menu, "more": _tap_more}

"""Being told when something is cheaper, or back in stock."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.browse import find_line
from bot.handlers.screens import Acts, reader_of, show
from bot.views import browse as browse_views
from bot.views import lookouts as views
from bot.views.screen import View


async def ask(update: Update, context: Context, tap: Tap) -> None:
    found = find_line(context, tap.number(0), tap.args[1])
    reader, currency = reader_of(context), context.shop.currency
    view = views.ask(reader, *found, currency) if found else browse_views.gone(reader)
    await show(update, context, view)


async def add(update: Update, context: Context, tap: Tap) -> None:
    """Zero stands for any price: in stock again."""
    shop, (service_id, iso, below) = context.shop, (tap.number(0), tap.args[1], tap.number(2))
    service = shop.catalog.service(service_id)
    assert service
    await shop.lookouts.add(context.user.id, service_id, iso, below or None)
    await show(update, context, views.added(reader_of(context), service, iso, below, shop.currency))


async def listed(update: Update, context: Context, tap: Tap) -> None:
    await show(update, context, await _list(context))


async def remove(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.lookouts.remove(context.user.id, tap.number(0))
    await show(update, context, await _list(context))


async def _list(context: Context) -> View:
    shop = context.shop
    found = [
        (one, service)
        for one in await shop.lookouts.of_user(context.user.id)
        if (service := shop.catalog.service(one.service_id))
    ]
    return views.listed(reader_of(context), found, shop.currency)


ACTS: Acts = {"cheaper": ask, "lookout": add, "lookouts": listed, "unlookout": remove}

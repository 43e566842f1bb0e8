"""`/suppliers`: how they are doing, their webhooks, and what is not sold: at one of them or at all."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.scopes import named, read_scope
from bot.handlers.screens import Acts, answer, reader_of, show
from bot.views import suppliers as views
from bot.views.scopes import Named
from bot.views.screen import ROWS, Page
from services.errors import UpstreamError
from services.scopes import Scope

ORPHANS = 10


async def command(update: Update, context: Context) -> None:
    shop = context.shop
    view = views.suppliers(reader_of(context), await shop.standings.all(), shop.currency)
    await show(update, context, view)


async def _tap_suppliers(update: Update, context: Context, tap: Tap) -> None:
    await command(update, context)


async def _tap_supplier(update: Update, context: Context, tap: Tap) -> None:
    await _show_supplier(update, context, tap.args[0])


async def _tap_orphans(update: Update, context: Context, tap: Tap) -> None:
    await _show_orphans(update, context, tap.number(0))


async def _tap_settled(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.orphans.settle(up_to=tap.number(0), by=context.user.id)
    await _show_orphans(update, context, 0)


async def _show_orphans(update: Update, context: Context, number: int) -> None:
    found = await context.shop.orphans.newest(limit=ORPHANS + 1, offset=number * ORPHANS)
    page = Page.read(found, number, ORPHANS)
    await show(update, context, views.orphans(reader_of(context), page))


async def _tap_register(update: Update, context: Context, tap: Tap) -> None:
    await _call(update, context, tap.args[0], context.shop.registration.register_again)


async def _tap_test(update: Update, context: Context, tap: Tap) -> None:
    await _call(update, context, tap.args[0], context.shop.registration.test)


async def _tap_blocklist(update: Update, context: Context, tap: Tap) -> None:
    await _show_pauses(update, context, "", tap.number(0))


async def _tap_pauses(update: Update, context: Context, tap: Tap) -> None:
    await _show_pauses(update, context, tap.args[0], tap.number(1))


async def _tap_pause(update: Update, context: Context, tap: Tap) -> None:
    """One that is over by now is not there any more: then the others are shown."""
    scope = read_scope(tap)
    found = context.shop.pauses.of_supplier(scope.supplier)
    if scope in found:
        await show(update, context, views.pause(reader_of(context), named(context, scope), found[scope]))
    else:
        await _show_where(update, context, scope)


async def _tap_ask_how_long(update: Update, context: Context, tap: Tap) -> None:
    await show(update, context, views.ask_how_long(reader_of(context), named(context, read_scope(tap))))


async def _tap_halt(update: Update, context: Context, tap: Tap) -> None:
    shop, scope, hours = context.shop, read_scope(tap), tap.number(3)
    until = shop.clock.now() + timedelta(hours=hours) if hours else None
    subject = shop.catalog.subject(scope)
    await shop.pauses.pause(scope, until=until, by=context.user.id, subject=subject)
    await _show_where(update, context, scope)


async def _tap_unhalt(update: Update, context: Context, tap: Tap) -> None:
    shop, scope = context.shop, read_scope(tap)
    await shop.pauses.resume(scope, by=context.user.id, subject=shop.catalog.subject(scope))
    await _show_where(update, context, scope)


async def _call(update: Update, context: Context, name: str, work: Callable[..., Awaitable[None]]) -> None:
    """Do something about a supplier's webhook, and show what came of it."""
    if name in context.shop.suppliers:
        try:
            await work(name, by=context.user.id)
        except UpstreamError as error:
            says = context.language._("{supplier} did not do it: {error}")
            await answer(update, says.format(supplier=name, error=error)[:200], alert=True)
    await _show_supplier(update, context, name)


async def _show_supplier(update: Update, context: Context, name: str) -> None:
    reader, shop = reader_of(context), context.shop
    standing = await shop.standings.find(name)
    if standing is None:
        await show(update, context, views.gone(reader))
    else:
        await show(update, context, views.supplier(reader, standing, _pauses(context, name), shop.currency))


async def _show_pauses(update: Update, context: Context, supplier: str, number: int) -> None:
    page = Page.of(_pauses(context, supplier), number, ROWS)
    await show(update, context, views.pauses(reader_of(context), supplier, page))


async def _show_where(update: Update, context: Context, scope: Scope) -> None:
    """The list that a pause is in."""
    if scope.supplier:
        await _show_supplier(update, context, scope.supplier)
    else:
        await _show_pauses(update, context, "", 0)


def _pauses(context: Context, supplier: str) -> list[tuple[Named, datetime | None]]:
    """Of parts of what is sold, in the order of their names."""
    found = context.shop.pauses.of_supplier(supplier)
    parts = [(named(context, scope), until) for scope, until in found.items() if scope != Scope(supplier)]
    return sorted(parts, key=lambda part: part[0].words(context.language))


ACTS: Acts = {
    "suppliers": _tap_suppliers,
    "supplier": _tap_supplier,
    "orphans": _tap_orphans,
    "settled": _tap_settled,
    "hookset": _tap_register,
    "hooktest": _tap_test,
    "blocklist": _tap_blocklist,
    "halts": _tap_pauses,
    "halted": _tap_pause,
    "haltfor": _tap_ask_how_long,
    "halt": _tap_halt,
    "unhalt": _tap_unhalt,
}

"""`/audit`: whether all sums agree, and what the shop earns."""

from telegram import Update

from bot.buttons import Tap
from bot.context import Context
from bot.handlers import trail
from bot.handlers.screens import Acts, reader_of, show
from bot.views import audit as views


async def command(update: Update, context: Context) -> None:
    """`/audit`, `/audit log [ID]`."""
    if (context.args or [""])[0] == "log":
        await trail.log(update, context)
    else:
        await _show_report(update, context, full=False)


async def _show_report(update: Update, context: Context, *, full: bool) -> None:
    shop = context.shop
    report = await shop.watch.look(full=full)
    watched, books = await shop.watch.watched(), await shop.audit.suppliers(days=1)
    await show(update, context, views.report(reader_of(context), report, watched, books))


async def _tap_audit(update: Update, context: Context, tap: Tap) -> None:
    await _show_report(update, context, full=bool(tap.number(0)))


async def _tap_margin(update: Update, context: Context, tap: Tap) -> None:
    shop, days = context.shop, tap.number(0)
    earnings, books = await shop.audit.earnings(days=days), await shop.audit.suppliers(days=days)
    view = views.earnings(reader_of(context), earnings, books, tap.args[1], shop.currency)
    await show(update, context, view)


ACTS: Acts = {"audit": _tap_audit, "margin": _tap_margin}

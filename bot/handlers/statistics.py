"""`/stats`: figures of a period, pictures of them, and the figures behind each."""

import csv
import io
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import InputMediaPhoto, Update
from telegram.constants import ParseMode

from bot.buttons import StaleButton, Tap
from bot.context import Context
from bot.handlers.screens import Acts, answer, reader_of, show, show_below, tapped_message_id
from bot.language import ENGLISH, Language
from bot.pictures import NotDrawn
from bot.spreadsheet import cell
from bot.views import charts
from bot.views import statistics as views
from bot.views.screen import View
from services.lanes import Lane
from services.statistics import Period, Statistics

FIRST_SHOWN = 7
FIGURES: dict[str, Callable[[Statistics, Period], Awaitable[Any]]] = {
    "money": Statistics.money,
    "sales": Statistics.sales,
    "suppliers": Statistics.speeds,
    "renters": Statistics.buyers,
    "funnel": Statistics.newcomers,
    "speed": Statistics.speeds,
}
"""What each picture shows."""


async def command(update: Update, context: Context) -> None:
    """`/stats`."""
    await _show_summary(update, context, FIRST_SHOWN)


async def _tap_stats(update: Update, context: Context, tap: Tap) -> None:
    await _show_summary(update, context, tap.number(0))


async def _show_summary(update: Update, context: Context, days: int) -> None:
    statistics = context.shop.statistics
    summary = await statistics.summary(statistics.period(days))
    await show(update, context, views.summary(reader_of(context), summary, context.shop.currency))


async def _tap_picture(update: Update, context: Context, tap: Tap) -> None:
    """In place of the picture whose button was tapped; below a text."""
    name, period, figures = await _figures(context, tap)
    drawn = [
        charts.chart(language, name, period, figures, context.shop.currency)
        for language in (context.language, Language.of(ENGLISH))
    ]
    wanted = [chart for chart in drawn if chart]
    if not wanted:
        await answer(update, views.nothing_yet(reader_of(context)), alert=True)
        return
    # Drawing takes a second or two: the button must not wait for it.
    await answer(update)
    try:
        picture = await context.shop.pictures.draw(*wanted)
    except NotDrawn:
        await show_below(update, context, views.not_drawn(reader_of(context), name, period))
        return
    await _show_picture(update, context, picture, views.picture(reader_of(context), name, period))


async def _show_picture(update: Update, context: Context, picture: bytes, view: View) -> None:
    query = update.callback_query
    message = query.message if query else None
    if message is None or not getattr(message, "photo", None):
        await context.bot.send_photo(
            context.user.id, picture, view.text, reply_markup=view.keyboard, parse_mode=ParseMode.HTML
        )
        return
    await context.bot.edit_message_media(
        InputMediaPhoto(picture, view.text, parse_mode=ParseMode.HTML),
        context.user.id,
        tapped_message_id(update),
        reply_markup=view.keyboard,
        rate_limit_args=Lane.EDIT,
    )


async def _tap_figures(update: Update, context: Context, tap: Tap) -> None:
    await answer(update)
    name, period, figures = await _figures(context, tap)
    table = charts.table(name, figures, context.shop.currency)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(table.header)
    writer.writerows(map(cell, row) for row in table.rows)
    await context.bot.send_document(
        context.user.id,
        written.getvalue().encode(),
        filename=f"{name}-{period.since:%Y-%m-%d}-{period.until:%Y-%m-%d}.csv",
    )


async def _figures(context: Context, tap: Tap) -> tuple[str, Period, Any]:
    """The picture that a button names, its period, and what it shows. Raises StaleButton."""
    name, statistics = tap.args[0], context.shop.statistics
    if name not in FIGURES:
        raise StaleButton
    period = statistics.period(tap.number(1))
    return name, period, await FIGURES[name](statistics, period)


ACTS: Acts = {"stats": _tap_stats, "picture": _tap_picture, "figures": _tap_figures}

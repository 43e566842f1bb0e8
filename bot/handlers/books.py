"""`/export`: the books as documents."""

from telegram import Update

from bot.books import BOOKS, TooLarge
from bot.buttons import StaleButton, Tap
from bot.context import Context
from bot.handlers.screens import Acts, answer, reader_of, show, show_below
from bot.views import books as views

UPLOAD_SECONDS = 120
"""For 50 MB on a slow line."""


async def command(update: Update, context: Context) -> None:
    await show(update, context, views.offer(reader_of(context)))


async def _tap_export(update: Update, context: Context, tap: Tap) -> None:
    await command(update, context)


async def _tap_book(update: Update, context: Context, tap: Tap) -> None:
    book = tap.args[0]
    if book not in BOOKS:
        raise StaleButton
    # Writing takes a while: the button must not wait for it.
    await answer(update)
    try:
        async with context.shop.books.document(book, by=context.user.id) as file:
            await context.bot.send_document(
                context.user.id,
                file,
                write_timeout=UPLOAD_SECONDS,
                read_timeout=UPLOAD_SECONDS,
            )
    except TooLarge:
        await show_below(update, context, views.too_large(reader_of(context)))


ACTS: Acts = {"export": _tap_export, "book": _tap_book}

"""The operator's vouchers: the list, one of them, and making one in a line or step by step."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap, new_key
from bot.context import Context
from bot.handlers.redeeming import LINK
from bot.handlers.screens import Acts, read_tap, reader_of, said, show
from bot.views import operator as operator_views
from bot.views import vouchers as views
from bot.views.errors import bad_amount, sentence
from bot.views.screen import ROWS, Page
from db.models import Voucher
from services.errors import WordRefused
from services.money import BadAmount, parse_amount
from services.vouchers import LARGEST_AMOUNT, LONGEST, MOST_USES, Draft

FORM = "/vouchers AMOUNT USES LIFETIME [WORD]"
VOUCHER = "voucher"
"""Where the conversation waits for the next answer about a new voucher."""
END = ConversationHandler.END
HOUR = timedelta(hours=1)
_LIFETIME = re.compile(r"(\d{1,4})\s*([hd])\w*", re.ASCII)


class Unreadable(ValueError):
    """An answer that cannot be used; the text says why, in the operator's words."""


async def command(update: Update, context: Context) -> None:
    """`/vouchers`: the list; with arguments, a new one. The update's id is its idempotency key."""
    words = context.args or []
    if not words:
        await vouchers(update, context, Tap("vouchers", ("0",)))
        return
    try:
        if len(words) < len(_READERS):
            raise Unreadable
        draft = _draft([read(context, word) for read, word in zip(_READERS, words, strict=False)])
    except Unreadable as error:
        await show(update, context, operator_views.usage(reader_of(context), FORM, str(error)))
        return
    word = " ".join(words[len(_READERS) :]) or None
    await _create(update, context, draft, key=f"update:{update.update_id}", word=word)


async def vouchers(update: Update, context: Context, tap: Tap) -> None:
    number, shop = tap.number(0), context.shop
    found = await shop.vouchers.newest(limit=ROWS + 1, offset=number * ROWS)
    page = Page.read(found.vouchers, number, ROWS)
    view = views.vouchers(
        reader_of(context), page, given_out=found.given_out, currency=shop.currency, now=shop.clock.now()
    )
    await show(update, context, view)


async def voucher(update: Update, context: Context, tap: Tap) -> None:
    await _show(update, context, await context.shop.vouchers.get(tap.number(0)))


async def ask_revoke(update: Update, context: Context, tap: Tap) -> None:
    found, now = await context.shop.vouchers.get(tap.number(0)), context.shop.clock.now()
    await show(update, context, views.ask_revoke(reader_of(context), found, now=now))


async def revoke(update: Update, context: Context, tap: Tap) -> None:
    await _show(update, context, await context.shop.vouchers.revoke(tap.number(0), by=context.user.id))


async def create(update: Update, context: Context, tap: Tap) -> None:
    """The tap below the preview. However often it comes, the key in it makes one voucher."""
    draft = _draft([tap.number(at) for at in range(len(_READERS))])
    await _create(update, context, draft, key=tap.args[-1])


async def ask(update: Update, context: Context) -> None:
    """A new one, step by step: its amount, its uses, its lifetime, and then a last look."""
    read_tap(update, context)
    data = context.typed
    data.clear()
    data.update(answers=[], key=new_key())
    await _ask_next(update, context)


async def take(update: Update, context: Context) -> None:
    """The next answer; after the last question, a word that shall be the code."""
    data, text = context.typed, said(update)
    answers: list[int] = data["answers"]
    try:
        if len(answers) == len(_READERS):
            await _create(update, context, _draft(answers), key=data["key"], word=text)
            data.clear()
            raise ApplicationHandlerStop(END)
        answers.append(_READERS[len(answers)](context, text))
    except (Unreadable, WordRefused) as error:
        await _ask_next(update, context, problem=_problem(context, error))
    await _ask_next(update, context)


async def _ask_next(update: Update, context: Context, *, problem: str = "") -> NoReturn:
    reader, currency, data = reader_of(context), context.shop.currency, context.typed
    answers: list[int] = data["answers"]
    if len(answers) < len(_READERS):
        view = views.question(reader, len(answers), currency, problem=problem)
    else:
        view = views.preview(reader, _draft(answers), currency=currency, key=data["key"], problem=problem)
    await show(update, context, view)
    raise ApplicationHandlerStop(VOUCHER)


async def _create(
    update: Update, context: Context, draft: Draft, *, key: str, word: str | None = None
) -> None:
    """Raises WordRefused."""
    made = await context.shop.vouchers.create(context.user.id, draft, key=key, word=word)
    await _show(update, context, made)


async def _show(update: Update, context: Context, found: Voucher) -> None:
    link, now = f"{context.bot.link}?start={LINK}{found.code}", context.shop.clock.now()
    await show(update, context, views.voucher(reader_of(context), found, link=link, now=now))


def _draft(answers: list[int]) -> Draft:
    amount, max_uses, hours = answers
    return Draft(amount, max_uses, hours * HOUR)


def _read_amount(context: Context, text: str) -> int:
    try:
        amount = parse_amount(text, context.shop.currency)
    except BadAmount as error:
        raise Unreadable(bad_amount(error, context.language)) from error
    if not 0 < amount <= LARGEST_AMOUNT:
        most = context.language.money(LARGEST_AMOUNT, context.shop.currency)
        raise Unreadable(
            context.language._("The amount must be more than zero and at most {most}.").format(most=most)
        )
    return amount


def _read_uses(context: Context, text: str) -> int:
    text = text.strip()
    uses = int(text) if text.isdecimal() and len(text) <= len(str(MOST_USES)) else 0
    if not 0 < uses <= MOST_USES:
        most = context.language.number(MOST_USES)
        raise Unreadable(
            context.language._("The uses must be a whole number from 1 to {most}.").format(most=most)
        )
    return uses


def _read_lifetime(context: Context, text: str) -> int:
    """Hours."""
    found = _LIFETIME.fullmatch(text.strip().lower())
    hours = int(found[1]) * (24 if found[2] == "d" else 1) if found else 0
    if not 0 < hours <= LONGEST // HOUR:
        says = context.language.ngettext(
            "The lifetime must be like 12h or 30d, and at most {days} day.",
            "The lifetime must be like 12h or 30d, and at most {days} days.",
            LONGEST.days,
        )
        raise Unreadable(says.format(days=context.language.number(LONGEST.days)))
    return hours


_READERS: tuple[Callable[[Context, str], int], ...] = (_read_amount, _read_uses, _read_lifetime)
"""How each answer about a new voucher is read, in the order in which they are asked for."""


def _problem(context: Context, error: Unreadable | WordRefused) -> str:
    if isinstance(error, WordRefused):
        return sentence(error, context.language, context.shop.currency)
    return str(error)


ACTS: Acts = {
    "vouchers": vouchers,
    "voucher": voucher,
    "askrevoke": ask_revoke,
    "revoke": revoke,
    "create": create,
}

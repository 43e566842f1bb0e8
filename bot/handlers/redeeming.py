"""A voucher's code becomes money, whether it is typed, tapped on or followed as a link."""

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.screens import Acts, needs_terms, read_tap, reader_of, said, show
from bot.views import vouchers as views
from bot.views.errors import sentence
from services.errors import TooManyGuesses, VoucherRefused
from services.vouchers import WORD, read_code, topup_key

LINK = "v_"
"""Begins the start parameter of a voucher's link."""
CODE = "code"
"""Where the conversation waits for one."""
END = ConversationHandler.END


async def command(update: Update, context: Context) -> None:
    """`/redeem [CODE]`; without one it asks for it. The conversation's, as all that asks."""
    text = " ".join(context.args or [])
    if text:
        await follow(update, context, text)
        raise ApplicationHandlerStop(END)
    if await needs_terms(update, context, Tap("balance", ())):
        raise ApplicationHandlerStop(END)
    await _ask(update, context)


async def ask(update: Update, context: Context) -> None:
    read_tap(update, context)
    if await needs_terms(update, context):
        raise ApplicationHandlerStop(END)
    await _ask(update, context)


async def take(update: Update, context: Context) -> None:
    await _redeem(update, context, said(update))
    raise ApplicationHandlerStop(END)


async def follow(update: Update, context: Context, text: str) -> None:
    """Redeem at once; whoever has not accepted the terms is led on to it by Accept."""
    code = read_code(text)
    then = Tap("usecode", (code,)) if WORD.fullmatch(code) else Tap("balance", ())
    if not await needs_terms(update, context, then):
        await _redeem(update, context, text)


async def _ask(update: Update, context: Context) -> None:
    context.typed.clear()
    await show(update, context, views.ask_code(reader_of(context)))
    raise ApplicationHandlerStop(CODE)


async def _redeem(update: Update, context: Context, text: str) -> None:
    shop, reader = context.shop, reader_of(context)
    try:
        voucher = await shop.vouchers.redeem(context.user.id, text)
    except (VoucherRefused, TooManyGuesses) as error:
        words = sentence(error, context.language, shop.currency)
        await show(update, context, views.refused(reader, words))
    else:
        wallet = await shop.accounts.wallet(context.user.id, moves=0)
        settled = await shop.accounts.settled_by(topup_key(voucher, context.user.id))
        await show(update, context, views.redeemed(reader, voucher, wallet, settled=settled))


async def _use_code(update: Update, context: Context, tap: Tap) -> None:
    await _redeem(update, context, tap.args[0])


ACTS: Acts = {"usecode": _use_code}

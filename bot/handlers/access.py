"""Who may: the one place where rights are checked, whether somebody types a command, taps or answers."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from telegram import Update
from telegram.ext import ConversationHandler

from bot.buttons import ForgedButton
from bot.context import Context
from bot.handlers import start
from services.roles import Right

Handler: TypeAlias = Callable[[Update, Context], Coroutine[Any, Any, Any]]


def check(context: Context, right: Right) -> None:
    """Raises ForgedButton: whoever lacks the right was never given such a button, or no longer has any."""
    if not context.may(right):
        raise ForgedButton


def command(right: Right, handler: Handler) -> Handler:
    """To whoever lacks the right there is no such command."""

    async def run(update: Update, context: Context) -> None:
        await (handler if context.may(right) else start.unknown)(update, context)

    return run


def step(right: Right, handler: Handler) -> Handler:
    """A step of a conversation. Whoever lacks the right by now leaves it: what they write is a renter's."""

    async def run(update: Update, context: Context) -> Any:
        if update.callback_query:
            check(context, right)
        elif not context.may(right):
            context.typed.clear()
            return ConversationHandler.END
        return await handler(update, context)

    return run

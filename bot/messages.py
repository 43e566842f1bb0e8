"""Puts a view into a chat."""

from collections.abc import Iterator
from contextlib import contextmanager

from telegram import Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError

from bot.context import Bot
from bot.views.screen import View
from services.errors import UpstreamUnavailable
from services.lanes import Lane
from services.senders.telegram import pause_of


@contextmanager
def reaching_telegram() -> Iterator[None]:
    """What may work later becomes UpstreamUnavailable; Forbidden and BadRequest stay as they are.

    After a timeout the message may have arrived. It is sent again all the same: a code twice does no
    harm, a code never does.
    """
    try:
        yield
    except RetryAfter as error:
        pause = pause_of(error)
        raise UpstreamUnavailable("told to wait", upstream="telegram", retry_after=pause) from error
    except BadRequest:
        raise
    except NetworkError as error:
        raise UpstreamUnavailable(type(error).__name__, upstream="telegram") from error


def reason_of(error: TelegramError) -> str:
    """What Telegram says before the colon; behind it may stand a piece of the message, even a code."""
    return error.message.partition(":")[0]


async def send(
    bot: Bot, chat_id: int, view: View, lane: Lane = Lane.REPLY, *, topic_id: int | None = None
) -> Message:
    """`topic_id`: where in a group with topics. Raises TelegramError."""
    return await bot.send_message(
        chat_id,
        view.text,
        message_thread_id=topic_id,
        reply_markup=view.keyboard,
        parse_mode=ParseMode.HTML,
        rate_limit_args=lane,
    )


async def edit(bot: Bot, chat_id: int, message_id: int, view: View) -> bool:
    """False where that message cannot be edited (any more). Raises TelegramError."""
    try:
        await bot.edit_message_text(
            view.text,
            chat_id,
            message_id,
            reply_markup=view.keyboard,
            parse_mode=ParseMode.HTML,
            rate_limit_args=Lane.EDIT,
        )
    except BadRequest as error:
        # Telegram has no error codes for these, only words.
        words = error.message.lower()
        if "message is not modified" in words:
            return True
        if "message to edit not found" in words or "can't be edited" in words:
            return False
        raise
    return True

"""Puts a view into a chat."""

from telegram import Message
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.context import Bot
from bot.views.screen import View
from services.lanes import Lane


async def send(bot: Bot, chat_id: int, view: View, lane: Lane = Lane.REPLY) -> Message:
    """Raises TelegramError."""
    return await bot.send_message(
        chat_id, view.text, reply_markup=view.keyboard, parse_mode=ParseMode.HTML, rate_limit_args=lane
    )


async def edit(bot: Bot, chat_id: int, message_id: int, view: View, lane: Lane = Lane.EDIT) -> bool:
    """False where that message cannot be edited (any more). Raises TelegramError."""
    try:
        await bot.edit_message_text(
            view.text,
            chat_id,
            message_id,
            reply_markup=view.keyboard,
            parse_mode=ParseMode.HTML,
            rate_limit_args=lane,
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

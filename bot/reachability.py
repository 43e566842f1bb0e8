"""Whether Telegram can be reached. Where it cannot, operators are texted: the chat is no way to tell them."""

from datetime import timedelta

from telegram.error import NetworkError

from bot.context import Bot
from bot.updates import Polling
from services.alarms import Alarms, Word

PATIENCE = timedelta(minutes=2)


class TelegramWatch:
    def __init__(self, bot: Bot, polling: Polling, alarms: Alarms, *, polls: bool) -> None:
        """`polls`: whether updates are fetched, which tells by itself; else Telegram is asked."""
        self._bot = bot
        self._polling = polling
        self._alarms = alarms
        self._polls = polls

    async def look(self) -> None:
        await self._alarms.note(
            "telegram",
            is_bad=not await self._is_reached(),
            after=PATIENCE,
            begins=Word("telegram_lost", in_chat=False),
            ends=Word("telegram_back", in_chat=False),
        )

    async def _is_reached(self) -> bool:
        if self._polling.trouble or self._polls:
            return self._polling.trouble is None
        try:
            await self._bot.get_me()
        except NetworkError:
            return False
        return True

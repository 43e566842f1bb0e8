"""Carries a broadcast's copies into people's chats."""

from collections.abc import Sequence
from datetime import timedelta

import httpx
import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot import messages
from bot.context import Bot, Shop
from bot.language import Language
from bot.messages import reaching_telegram, reason_of
from bot.views import broadcast as views
from bot.views.screen import Reader
from db.models import Broadcast, OutboxMessage
from services.broadcasts import OriginalGone, Outcome, is_recallable
from services.lanes import Lane
from services.senders.telegram import pause_of

log = structlog.get_logger()

CONNECT_AGAIN = timedelta(seconds=5)
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class TelegramCourier:
    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def deliver(self, broadcast: Broadcast, user_id: int) -> Outcome:
        """Copy the broadcast's messages into a renter's chat. Raises OriginalGone."""
        try:
            return Outcome("sent", await self._copy(broadcast, user_id))
        except Forbidden as error:
            return Outcome("blocked", error=error.message)
        except RetryAfter as error:
            return Outcome("owed", retry_after=pause_of(error))
        except BadRequest as error:
            if "to copy not found" in error.message.lower():
                raise OriginalGone from error
            return Outcome("failed", error=reason_of(error))
        except NetworkError as error:
            # It may have arrived: Telegram has no key by which it would know the message again.
            return _after_silence(error)
        except TelegramError as error:
            return Outcome("failed", error=type(error).__name__)

    async def _copy(self, broadcast: Broadcast, user_id: int) -> tuple[int, ...]:
        author, originals = broadcast.author_id, broadcast.message_ids
        if len(originals) > 1:
            copies = await self._bot.copy_messages(user_id, author, originals, rate_limit_args=Lane.BULK)
            return tuple(copy.message_id for copy in copies)
        copy = await self._bot.copy_message(
            user_id,
            author,
            originals[0],
            reply_markup=keyboard(broadcast.links),
            rate_limit_args=Lane.BULK,
        )
        return (copy.message_id,)

    async def take_back(self, user_id: int, message_ids: Sequence[int]) -> bool:
        """Delete what was sent; False where Telegram refuses. Raises UpstreamUnavailable."""
        try:
            with reaching_telegram():
                return await self._bot.delete_messages(user_id, message_ids, rate_limit_args=Lane.BULK)
        except (BadRequest, Forbidden):
            return False


async def draw_panel(bot: Bot, shop: Shop, broadcast: Broadcast, *, panel_id: int | None = None) -> None:
    """Show its author how far it has come, in the message `panel_id` or in its own."""
    now = shop.clock.now()
    author = await shop.accounts.get(broadcast.author_id)
    reader = Reader(author.id, Language.of(author.language), shop.buttons)
    texts = await shop.broadcasts.texts(broadcast)
    view = views.panel(reader, broadcast, now, texts, recallable=is_recallable(broadcast, now))
    panel_id = panel_id or broadcast.panel_id
    if panel_id is None or not await messages.edit(bot, author.id, panel_id, view):
        await messages.send(bot, author.id, view)


class Panels:
    """The worker that keeps panels up to date."""

    def __init__(self, bot: Bot, shop: Shop) -> None:
        self._bot = bot
        self._shop = shop

    async def draw(self, message: OutboxMessage) -> None:
        """Raises UpstreamUnavailable."""
        broadcast = await self._shop.broadcasts.get(message.payload["broadcast_id"])
        try:
            with reaching_telegram():
                await draw_panel(self._bot, self._shop, broadcast)
        except (BadRequest, Forbidden) as error:
            log.warning("panel.refused", broadcast=broadcast.id, error=reason_of(error))


def keyboard(links: list[list[str]]) -> InlineKeyboardMarkup | None:
    """A button a row."""
    if not links:
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(text, url=url)] for text, url in links])


def _after_silence(error: NetworkError) -> Outcome:
    if isinstance(error.__cause__, NEVER_SENT):
        return Outcome("owed", retry_after=CONNECT_AGAIN)
    return Outcome("unknown", error=type(error).__name__)

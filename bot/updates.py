"""Telegram's updates: into the inbox, from polling or webhook alike, and out of it into the handlers."""

import asyncio
import json
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, Update
from telegram.error import Conflict, NetworkError, RetryAfter, TelegramError
from telegram.warnings import PTBUserWarning

from bot.context import App
from bot.errors import process
from services.inbox import Delivery, Inbox
from services.senders.telegram import pause_of

log = structlog.get_logger()

# The library would rather parse updates itself; see `Polling._poll` for why it must not.
warnings.filterwarnings("ignore", message=".*getUpdates.*", category=PTBUserWarning)

TELEGRAM = "telegram"
ALLOWED_UPDATES = ["message", "callback_query", "inline_query", "pre_checkout_query", "my_chat_member"]
_OF_THEIR_OWN = {"pre_checkout_query": "checkout", "inline_query": "inline"}
POLL_SECONDS = 25
PAUSE_SECONDS = 2.0
CONFLICT_PAUSE_SECONDS = 10.0


def update_id_of(update: Any) -> int:
    """Raises KeyError or TypeError for what is no update."""
    return int(update["update_id"])


def serial_of(update: dict[str, Any]) -> str:
    """Updates of one person are handled in order, those of different people in parallel.

    Somebody who pays waits for no other update, not even their own: Telegram gives us ten seconds. And no
    other waits for what is asked with every letter that they type in another chat.
    """
    for kind, content in update.items():
        if kind != "update_id" and isinstance(content, dict):
            sender = content.get("from") or content.get("chat")
            series = _OF_THEIR_OWN.get(kind, "person")
            return f"{series}:{sender.get('id', 0) if isinstance(sender, dict) else 0}"
    return "person:0"


def serial_of_body(body: str) -> str:
    return serial_of(json.loads(body))


def handler(application: App) -> Callable[[Delivery], Awaitable[None]]:
    """Hands stored updates to python-telegram-bot."""

    async def handle(delivery: Delivery) -> None:
        content = delivery.message if delivery.message is not None else json.loads(delivery.body)
        update = Update.de_json(content, application.bot)
        await process(application, update)

    return handle


class Polling:
    """Long polling. The next offset, which is Telegram's receipt, is sent only after the batch is on disk."""

    def __init__(self, bot: Bot, inbox: Inbox) -> None:
        self._bot = bot
        self._inbox = inbox
        self.trouble: str | None = "has not reached Telegram yet"
        """What keeps updates from coming; None while they come."""

    async def run(self) -> None:
        offset = 0
        while True:
            pause = PAUSE_SECONDS
            try:
                offset = await self._poll(offset)
            except RetryAfter as error:
                pause = pause_of(error).total_seconds()
                self.note("Telegram asks to wait")
            except Conflict:
                pause = CONFLICT_PAUSE_SECONDS
                self.note("another process takes this bot's updates: stop it, or give this one another token")
            except NetworkError as error:
                self.note(f"Telegram cannot be reached: {error}")
            except TelegramError as error:
                self.note(f"Telegram refuses: {error}")
            except (SQLAlchemyError, OSError) as error:
                self.note(f"the database does not take updates: {type(error).__name__}")
            except Exception:  # whatever it is, the next poll may be better, and silence would be worse
                log.exception("polling.failed")
                self.note("updates cannot be taken; the log says why")
            else:
                self.note(None)
                continue
            await asyncio.sleep(pause)

    async def _poll(self, offset: int) -> int:
        # Raw, not as objects: one update that the library cannot read must not hold up the others.
        updates = await self._bot.do_api_request(
            "getUpdates",
            api_kwargs={"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": ALLOWED_UPDATES},
            read_timeout=POLL_SECONDS + 10,
        )
        await asyncio.gather(
            *(
                self._inbox.store(
                    TELEGRAM,
                    str(update_id_of(update)),
                    json.dumps(update, ensure_ascii=False),
                    serial=serial_of(update),
                    message=update,
                )
                for update in updates
            )
        )
        return max((update_id_of(update) + 1 for update in updates), default=offset)

    def note(self, trouble: str | None) -> None:
        """Say what keeps updates from coming; None: they come."""
        if trouble and trouble != self.trouble:
            log.warning("polling.trouble", trouble=trouble)
        self.trouble = trouble

"""python-telegram-bot, set up for us, and the first words with Telegram."""

import asyncio
from collections.abc import Callable

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError
from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ApplicationBuilder, ContextTypes, Defaults
from telegram.request import HTTPXRequest

from bot.context import App, Context
from bot.persistence import StoredConversations
from bot.settings import Settings
from bot.updates import ALLOWED_UPDATES, TELEGRAM
from db.session import Database
from services.certificates import trusted
from services.keys import Keys
from services.senders.telegram import Lanes

log = structlog.get_logger()

CONNECT_PAUSE_SECONDS = 3
# More requests at once only slow the HTTP client down; Telegram's own limit binds long before.
TELEGRAM_CONNECTIONS = 8


def telegram_application(settings: Settings, database: Database) -> App:
    """python-telegram-bot with our lanes and our store; polling, jobs and concurrency are ours too."""
    assert settings.bot_token
    limits = httpx.Limits(
        max_connections=TELEGRAM_CONNECTIONS,
        max_keepalive_connections=TELEGRAM_CONNECTIONS,
        keepalive_expiry=60,
    )
    request = HTTPXRequest(
        connection_pool_size=TELEGRAM_CONNECTIONS,
        connect_timeout=5,
        read_timeout=15,
        write_timeout=15,
        pool_timeout=30,
        httpx_kwargs={"limits": limits, "verify": trusted()},
    )
    return (
        ApplicationBuilder()
        .token(settings.bot_token.get_secret_value())
        .base_url(f"{settings.bot_api_url}/bot")
        .base_file_url(f"{settings.bot_api_url}/file/bot")
        .request(request)
        .get_updates_request(HTTPXRequest(httpx_kwargs={"verify": trusted()}))
        .rate_limiter(Lanes())
        .defaults(
            Defaults(parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True))
        )
        .context_types(ContextTypes(context=Context))
        .persistence(StoredConversations(database))
        .updater(None)
        .job_queue(None)
        .build()
    )


async def connect(
    application: App, settings: Settings, keys: Keys, *, note: Callable[[str | None], None]
) -> None:
    """Say hello to Telegram and settle how updates come, again and again until it works.

    `note` is told what keeps it from working, and None at last.
    """
    while True:
        try:
            await _say_hello(application, settings, keys)
        except InvalidToken:
            trouble = "Telegram does not know this BOT_TOKEN: copy it from @BotFather again"
        except TelegramError as error:
            trouble = f"Telegram cannot be reached: {error}"
        except (SQLAlchemyError, OSError) as error:
            trouble = f"the database does not answer: {type(error).__name__}"
        else:
            return note(None)
        note(trouble)
        log.error("telegram.not_connected", reason=trouble)
        await asyncio.sleep(CONNECT_PAUSE_SECONDS)


async def _say_hello(application: App, settings: Settings, keys: Keys) -> None:
    await application.initialize()
    if settings.bot_updates == "polling":
        await application.bot.delete_webhook()
    else:
        await application.bot.set_webhook(
            f"{settings.public_url}/webhooks/{TELEGRAM}",
            secret_token=keys.telegram,
            allowed_updates=ALLOWED_UPDATES,
        )

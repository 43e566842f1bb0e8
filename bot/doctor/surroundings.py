"""What `numlet doctor` says of what is around the program: the machine, and where webhooks lead."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from dotenv import dotenv_values
from sqlalchemy import make_url
from telegram import Bot

from bot.doctor.findings import Finding
from bot.settings import THIS_MACHINE, Settings
from services.suppliers.base import Supplier

LEAST_DISK_MIB = 200
MOST_SKEW = timedelta(seconds=20)


def misspelt(env_file: str) -> Iterator[Finding]:
    """Lines of the file that are no setting, but nearly; the rest may be somebody else's."""
    known = [name.upper() for name in Settings.model_fields]
    for name in dotenv_values(env_file) if env_file else ():
        if name not in known and (meant := get_close_matches(name, known, n=1, cutoff=0.85)):
            yield Finding(name, f"is no setting; {env_file} has it", f"Is {meant[0]} meant?", is_note=True)


def disk(settings: Settings) -> Finding | None:
    """Room for a SQLite database, and leave to write there; of PostgreSQL's disk we know nothing."""
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() != "sqlite":
        return None
    folder = Path(url.database or "").absolute().parent
    if not os.access(folder, os.W_OK):
        return Finding("disk", f"{folder} cannot be written to", "Let the bot's user own that folder.")
    free = shutil.disk_usage(folder).free // 2**20
    if free < LEAST_DISK_MIB:
        return Finding("disk", f"{free} MiB free in {folder}", "Make room: codes are lost to a full disk.")
    return Finding("disk", f"{free:,} MiB free in {folder}")


async def clock(settings: Settings) -> Finding | None:
    """Our time beside Telegram's, as it stands in an answer; None where there is no answer."""
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.head(settings.bot_api_url)
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (httpx.HTTPError, KeyError, ValueError):
        return None
    ahead = datetime.now(UTC) - theirs
    if abs(ahead) <= MOST_SKEW:
        return Finding("clock", "agrees with Telegram's")
    side = "ahead of" if ahead > timedelta(0) else "behind"
    return Finding(
        "clock",
        f"{abs(ahead).total_seconds():.0f} s {side} Telegram's",
        "Have it set by the network (timedatectl set-ntp true): orders end by it.",
    )


async def telegram_delivery(bot: Bot, settings: Settings) -> Iterator[Finding]:
    """Whether Telegram's own account of how updates come is what the settings say. Raises TelegramError."""
    info = await bot.get_webhook_info()
    return _telegram_notes(bot, settings, info.url, info.last_error_message)


def _telegram_notes(bot: Bot, settings: Settings, url: str, trouble: str | None) -> Iterator[Finding]:
    if settings.bot_updates == "polling" and url:
        says = f"sends updates to {urlsplit(url).netloc}, while BOT_UPDATES is polling"
        advice = "run ends that. Make sure that no other program uses this token."
        yield Finding("Telegram", says, advice, is_note=True)
    if settings.bot_updates == "webhook" and trouble:
        advice = "Check PUBLIC_URL, its certificate and the reverse proxy."
        yield Finding("Telegram", f"could not deliver an update to us: {trouble}", advice, is_note=True)
    if bot.bot.has_topics_enabled:
        yield Finding(
            "Telegram",
            "Threaded Mode is on: it costs 15 % of every purchase with Stars",
            "Switch it off at @BotFather, Bot Settings.",
            is_note=True,
        )


async def webhook(supplier: Supplier, settings: Settings) -> Finding | None:
    """Where a supplier sends our webhooks, if it can be asked. Raises UpstreamError."""
    if not (settings.public_url and supplier.capabilities.webhook_setup):
        return None
    known = await supplier.webhook()
    about = f"{supplier.name} webhook"
    if known.disabled_reason:
        advice = "run registers it again; check that PUBLIC_URL is reached from the internet."
        return Finding(about, f"switched off there: {known.disabled_reason}", advice, is_note=True)
    if known.url != f"{settings.public_url}/webhooks/{supplier.name}":
        place = urlsplit(known.url).netloc or "nowhere"
        return Finding(about, f"leads to {place} as yet", "run registers PUBLIC_URL.", is_note=True)
    return Finding(about, "leads here")


def address(settings: Settings) -> Finding | None:
    """An address at which nobody outside may send a webhook."""
    parts = urlsplit(settings.public_url)
    if not settings.public_url or parts.scheme == "https" or parts.hostname in THIS_MACHINE:
        return None
    return Finding("PUBLIC_URL", "is not https", "Telegram and suppliers send webhooks to https only.")

"""The program's own secrets: made at the first start, kept in the database."""

import secrets
from dataclasses import dataclass, field

from db import settings
from db.session import Database
from services.clock import Clock


@dataclass(frozen=True, slots=True)
class Keys:
    buttons: bytes = field(repr=False)
    """Signs what buttons carry."""
    telegram: str = field(repr=False)
    """What Telegram's webhook must show."""


async def read_keys(database: Database, clock: Clock) -> Keys:
    """The same at every start, and in every process on one database."""
    async with database.write() as session:
        now = clock.now()
        buttons = await settings.get_or_create(session, "key:buttons", secrets.token_hex(32), now=now)
        telegram = await settings.get_or_create(session, "key:telegram", secrets.token_hex(32), now=now)
    return Keys(bytes.fromhex(buttons), telegram)

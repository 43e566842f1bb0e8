"""`numlet run`, in a process that kills itself with -9 right after the commit it was told."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from bot import logs, running
from bot.settings import read_settings
from db.session import Database, Rank

die_after = int(os.environ["DIE_AFTER"])
fuse = Path(os.environ["FUSE"])
commits = 0


def count() -> None:
    global commits
    if die_after and fuse.exists():
        commits += 1
        if commits >= die_after:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalDatabase(Database):
    @asynccontextmanager
    async def write(self, rank: Rank = Rank.OTHER) -> AsyncIterator[Any]:
        async with super().write(rank) as session:
            yield session
        count()

    @asynccontextmanager
    async def driver(self, rank: Rank = Rank.OTHER) -> AsyncIterator[Any]:
        async with super().driver(rank) as connection:
            yield connection
        count()


running.Database = MortalDatabase  # type: ignore[attr-defined]
settings = read_settings()
logs.configure(settings.log_level, settings.log_format, secrets=[])
uvloop.run(running.run(settings))

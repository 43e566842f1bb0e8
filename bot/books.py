"""The books as documents for a chat, and how any long table becomes one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from bot.sheets import SHEETS, write
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock

BOOKS = {sheet.name.removesuffix(".csv"): sheet for sheet in SHEETS}
ZIPPED_FROM_BYTES = 1_000_000
LARGEST_BYTES = 50_000_000
"""Telegram takes no larger document from a bot."""


class TooLarge(Exception):
    """Telegram would not take it."""


class Books:
    """Writes one when it is asked for, and keeps nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    @asynccontextmanager
    async def document(self, book: str, *, by: int) -> AsyncIterator[Path]:
        """A file, zipped where it is large, that is there for as long as the context.

        Who asked for it is written down. Raises TooLarge.
        """
        sheet = BOOKS[book]
        async with self._database.write() as session:
            await acts.record(session, What.EXPORT, by=by, now=self._clock.now(), subject=sheet.name)
        async with packed(sheet.name, partial(write, self._database, sheet)) as file:
            if file.stat().st_size > LARGEST_BYTES:
                raise TooLarge
            yield file


@asynccontextmanager
async def packed(name: str, fill: Callable[[Path], Awaitable[object]]) -> AsyncIterator[Path]:
    """A file of that name, zipped where it is large, that is there for as long as the context.

    `fill` writes it into the directory that it is given.
    """
    with TemporaryDirectory(prefix="numlet-") as directory:
        await fill(Path(directory))
        file = Path(directory) / name
        if file.stat().st_size > ZIPPED_FROM_BYTES:
            file = await asyncio.to_thread(_zipped, file)
        yield file


def _zipped(file: Path) -> Path:
    path = file.with_suffix(".csv.zip")
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.write(file, file.name)
    return path

"""A spare place beside a database: empty, apart from it, and gone afterwards."""

import asyncio
from pathlib import Path

import pytest

from db import migrate, settings
from db.leadership import Leadership
from db.session import Database
from db.spare import spare
from services.clock import SystemClock

pytestmark = pytest.mark.anyio

NOW = SystemClock().now()


async def read(url: str) -> str | None:
    database = Database(url)
    try:
        async with database.read() as session:
            return await settings.find(session, "whose")
    finally:
        await database.aclose()


async def write(url: str, value: str) -> None:
    database = Database(url)
    try:
        async with database.write() as session:
            await settings.put(session, "whose", value, now=NOW)
    finally:
        await database.aclose()


async def test_what_happens_there_does_not_happen_here(database_url):
    await write(database_url, "ours")
    async with spare(database_url, name="spare") as url:
        database = Database(url)
        assert await migrate.current_revision(database) is None
        await migrate.upgrade(database)
        await database.aclose()
        assert await read(url) is None
        await write(url, "theirs")
        assert await read(url) == "theirs"
    assert await read(database_url) == "ours"


async def test_a_folder_that_takes_no_files_is_said(tmp_path: Path):
    with pytest.raises(OSError, match="absent"):
        async with spare(f"sqlite:///{tmp_path / 'absent' / 'numlet.db'}", name="spare"):
            pass


async def test_both_can_be_led_at_the_same_time(postgresql_url):
    async with spare(postgresql_url, name="spare") as url, asyncio.timeout(10):
        ours, theirs = Database(postgresql_url), Database(url)
        async with Leadership(ours).won(lambda: None) as lost, Leadership(theirs).won(lambda: None):
            assert not lost.is_set()
        await ours.aclose()
        await theirs.aclose()

"""`numlet selftest` keeps its hands off what is there, finds what is wrong, and says so."""

from pathlib import Path

import asyncpg
import pytest

from bot.rehearsal import Broken, Rehearsal
from bot.selftest import Step, play, rehearse
from bot.settings import read_settings
from bot.stage import BotProcess
from db.session import Database
from sandbox.clock import Clock
from sandbox.smscode import SmsCode
from sandbox.telegram import Telegram
from sandbox.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


async def schemas(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'")
    finally:
        await connection.close()
    return sorted(row["nspname"] for row in names)


async def test_every_promise_is_rehearsed_and_nothing_is_left_behind(empty_url, tmp_path, capsys):
    settings = read_settings(
        _env_file=None,
        database_url=empty_url,
        order_limit=1,
        order_limit_per_hour=1,
        currency="CHF",
        numberpanel_key="key",
    )
    assert await rehearse(settings, codes=5)
    said = capsys.readouterr().out
    assert "In IDR, not in CHF" in said
    assert "numberpanel is not rehearsed" in said
    assert said.count("\nok ") == 11
    assert "webhook → code at Telegram" in said
    assert list(tmp_path.iterdir()) == []
    if empty_url.startswith("postgresql"):
        assert await schemas(empty_url) == ["information_schema", "public"]


async def test_a_step_that_fails_is_the_last_and_says_what_to_do(tmp_path: Path, capsys):
    log = tmp_path / "log"
    log.write_text("early\n" * 50 + "the disk is full\n")

    async def well() -> str:
        return "seen"

    async def badly() -> str:
        raise Broken("a code never came")

    steps = [Step("one", well, "-"), Step("two", badly, "Look at the disk."), Step("three", well, "-")]
    assert not await play(steps, log)
    said = capsys.readouterr().out
    assert "two: a code never came" in said
    assert "→ Look at the disk." in said
    assert "the disk is full" in said
    assert "three" not in said


async def test_a_bot_that_has_ended_is_not_waited_for(sqlite_url):
    clock = Clock()
    database = Database(sqlite_url)
    world = World(clock, Telegram(clock), SmsCode(clock))
    try:
        rehearsal = Rehearsal(world, BotProcess({}), database, read_settings(_env_file=None))
        with pytest.raises(Broken, match="the bot has ended"):
            await rehearsal.purchase()
    finally:
        await database.aclose()
        await world.aclose()

"""Two processes on one PostgreSQL: both take webhooks, one acts, and the other follows when it dies."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bot.stage import OPERATOR, BotProcess, environment
from db.leadership import LOCK
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Person, Telegram
from tests.crash.stage import codes_shown, prepare, says, stage, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

SELDOM = {"RECONCILE_SECONDS": "3600"}
"""So that a code can only have come by webhook."""
STANDBY = "standby: another process leads"


class Pair:
    """Two bots on one database, in one world. The supplier's webhooks arrive at the second."""

    def __init__(self, world: World, origin: str, database_url: str) -> None:
        self.telegram, self.smscode = world.telegram, world.smscode
        second = environment(origin, self.telegram.token, database_url) | SELDOM
        first = environment(origin, self.telegram.token, database_url) | SELDOM
        self.first = BotProcess(first | {"PUBLIC_URL": second["PUBLIC_URL"]})
        self.second = BotProcess(second)

    @property
    def renter(self) -> Person:
        return self.telegram.people[1001]

    @property
    def operator(self) -> Person:
        return self.telegram.people[OPERATOR]

    async def until_it_says(self, bot: BotProcess, what: str) -> None:
        async def says_it() -> bool:
            return await says(bot) == what

        await until(says_it)

    async def one_leads(self) -> bool:
        return {await says(self.first), await says(self.second)} == {"ready", STANDBY}

    async def buy(self) -> None:
        await self.renter.press("Buy")
        await self.renter.wait_for(lambda message: "+62" in message.text)

    async def receive(self, code: str) -> None:
        """A code arrives and is shown."""
        shown = codes_shown(self)
        newest = max(self.smscode.orders)
        await self.smscode.receive_sms(newest, f"Your code is {code}")
        await until(lambda: codes_shown(self) > shown)


@asynccontextmanager
async def two_bots(database_url: str) -> AsyncIterator[Pair]:
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock, code_after=None))
    async with serving(world) as origin:
        pair = Pair(world, origin, database_url)
        try:
            await pair.first.start()
            await pair.until_it_says(pair.first, "ready")
            await pair.second.start()
            await pair.until_it_says(pair.second, STANDBY)
            await prepare(pair)
            yield pair
        finally:
            await pair.first.kill()
            await pair.second.kill()


async def test_the_one_that_stands_by_takes_webhooks_for_the_one_that_leads(postgresql_url: str):
    async with two_bots(postgresql_url) as pair:
        await pair.buy()
        await pair.receive("482913")
        assert codes_shown(pair) == 1


async def test_when_the_leader_is_killed_the_other_goes_on(postgresql_url: str):
    async with two_bots(postgresql_url) as pair:
        await pair.buy()
        await pair.first.kill()
        await pair.receive("482913")
        await pair.until_it_says(pair.second, "ready")
        assert codes_shown(pair) == 1


async def test_a_leader_that_loses_its_connection_steps_down(postgresql_url: str):
    async with two_bots(postgresql_url) as pair:
        await pair.buy()
        connection = await asyncpg.connect(postgresql_url)
        try:
            holders = await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND ((classid::bigint << 32) | objid::bigint) = $1 AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())",
                LOCK,
            )
        finally:
            await connection.close()
        assert len(holders) == 1
        # Whoever is faster leads now; nobody ever does beside it.
        await pair.receive("482913")
        await until(pair.one_leads)
        assert codes_shown(pair) == 1


async def test_sqlite_refuses_a_second_process_in_words(tmp_path):
    url = f"sqlite:///{tmp_path / 'numlet.db'}"
    async with stage(tmp_path, url) as on:
        await on.start_bot()
        await on.bot.until_ready()
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            env=environment("http://127.0.0.1:9", on.telegram.token, url),
            stderr=subprocess.PIPE,
        )
        _out, said = await second.communicate()
        assert second.returncode == 1
        assert "in use by another numlet" in said.decode()
        await on.bot.kill()
        await on.start_bot()
        await on.bot.until_ready()

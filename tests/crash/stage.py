"""A real bot process on a real sandbox, over real HTTP, that dies where it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.demo import OPERATOR, BotProcess, environment
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Person, Telegram


async def until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait for something that real processes bring about."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


class Stage:
    """The people, the supplier, and the mortal bot."""

    def __init__(self, world: World, origin: str, database_url: str, folder: Path) -> None:
        self.telegram = world.telegram
        self.smscode = world.smscode
        self.database_url = database_url
        self.fuse = folder / "armed"
        """The bot counts its commits from when this file appears."""
        settings = environment(origin, self.telegram.token, database_url) | {
            "RECONCILE_SECONDS": "1",
            "FUSE": str(self.fuse),
        }
        self.bot = BotProcess(settings, "tests.crash.mortal")

    @property
    def renter(self) -> Person:
        return self.telegram.people[1001]

    @property
    def operator(self) -> Person:
        return self.telegram.people[OPERATOR]

    async def start_bot(self, *, die_after: int = 0) -> None:
        """`die_after`: after how many commits, from when the fuse is lit, it kills itself with -9."""
        self.fuse.unlink(missing_ok=True)
        await self.bot.start(DIE_AFTER=str(die_after))


@asynccontextmanager
async def stage(
    folder: Path, database_url: str, *, code_after: timedelta | None = None
) -> AsyncIterator[Stage]:
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock, code_after=code_after))
    async with serving(world) as origin:
        on = Stage(world, origin, database_url, folder)
        try:
            yield on
        finally:
            await on.bot.kill()

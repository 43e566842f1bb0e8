"""A real bot process on a real sandbox, over real HTTP, that dies where it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Protocol

import httpx

from bot.stage import OPERATOR, BotProcess, environment
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Message, Person, Telegram

CREDIT = 1_000_000


async def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for something that real processes bring about; the condition may have to be awaited."""
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if await holds if isawaitable(holds) else holds:
                return
            await asyncio.sleep(0.02)


class Stage:
    """The people, the supplier, and the mortal bot."""

    def __init__(
        self, world: World, origin: str, database_url: str, folder: Path, changed: Mapping[str, str]
    ) -> None:
        """`changed`: settings of the bot that are not the sandbox's usual ones."""
        self.telegram = world.telegram
        self.smscode = world.smscode
        self.database_url = database_url
        self.fuse = folder / "armed"
        """The bot counts its commits from when this file appears."""
        settings = environment(origin, self.telegram.token, database_url) | {
            "RECONCILE_SECONDS": "1",
            "FUSE": str(self.fuse),
            **changed,
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
        await self.bot.until_ready()


@asynccontextmanager
async def stage(
    folder: Path, database_url: str, *, code_after: timedelta | None = None, changed: Mapping[str, str] = {}
) -> AsyncIterator[Stage]:
    """`changed`: settings of the bot that are not the sandbox's usual ones."""
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock, code_after=code_after))
    async with serving(world) as origin:
        on = Stage(world, origin, database_url, folder, changed)
        try:
            yield on
        finally:
            await on.bot.kill()


async def says(bot: BotProcess) -> str:
    """Whether it is ready, in its own words."""
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{bot.address}/readyz")).text.strip()
        except httpx.TransportError:
            return "nothing"


class Cast(Protocol):
    """Whoever has a renter and an operator on stage."""

    @property
    def renter(self) -> Person: ...

    @property
    def operator(self) -> Person: ...


async def prepare(on: Cast) -> None:
    """A renter with money, one tap before buying."""
    await on.renter.say("/start")
    await on.renter.tap("Accept")
    await on.operator.say("/start")
    await on.operator.say(f"/credit {on.renter.id} {CREDIT}")
    await on.operator.wait_for(lambda message: "Rina" in message.text or str(on.renter.id) in message.text)
    await find_offer(on.renter)


async def find_offer(renter: Person) -> None:
    """Ask until the shelves of a new shop are filled."""
    while True:
        asked = await renter.say("/buy whatsapp indonesia")
        answer = await renter.wait_for(
            lambda seen: _offers(seen) or "still being filled" in seen.text, after=asked
        )
        if _offers(answer):
            return


def _offers(message: Message) -> bool:
    return any("Buy for" in button.text for row in message.buttons for button in row)


def codes_shown(on: Cast) -> int:
    return sum(
        1
        for message in on.renter.messages
        if message.from_bot
        for row in message.buttons
        for button in row
        if button.copy_text and button.copy_text.isdecimal()
    )

"""The rehearsed world: a clock, Telegram with a few people, the vendors, and a hand on the bot itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex

from sandbox.cellcast import Cellcast
from sandbox.clock import Clock
from sandbox.numberpanel import NumberPanel
from sandbox.phones import Phones, Sender
from sandbox.smscode import SmsCode
from sandbox.smsgateway24 import SmsGateway24
from sandbox.supplier import Supplier
from sandbox.telegram import Forum, Person, Telegram

BotControl = Callable[[], Awaitable[None]]

CAST = ((1001, "Rina", "Renter"), (1002, "Ben", "Renter"), (1, "Olga", "Operator"))
"""Telegram id, name and role of the people on the page."""
SUPPORT_CHAT, SUPPORT_TITLE = -1001000000001, "Support"
"""Telegram id and title of the group in which operators answer renters."""
NEVER_ANSWERED = timedelta(minutes=1)
"""How long a missing answer hangs here: longer than any client waits."""
CROWD = range(9001, 9201)
"""Telegram ids of people who only fill the shop."""
TOKEN_LIFETIME = timedelta(hours=1)
"""Of smsgateway24's, so that a demo that runs for long has one renewed."""


@dataclass
class World:
    clock: Clock
    telegram: Telegram
    smscode: SmsCode
    restart_bot: BotControl | None = None
    kill_bot: BotControl | None = None
    """What the page offers to do to the bot; it shows no switch for what is None."""
    bot_alive: Callable[[], bool] | None = None
    phones: Phones = field(default_factory=Phones)
    numberpanel: NumberPanel = field(init=False)
    cellcast: Cellcast = field(init=False)
    smsgateway24: SmsGateway24 = field(init=False)
    cast: dict[Person, str] = field(init=False)
    """The people on the page, and their roles."""
    forum: Forum = field(init=False)
    """The operators' group, with a topic for each renter who writes to support."""
    id: str = field(default_factory=lambda: token_hex(4))
    """By which a page knows this world from one of before."""
    crowd: list[Person] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.cast = {self.telegram.person(id, name, name.lower()): role for id, name, role in CAST}
        operators = [person for person, role in self.cast.items() if role == "Operator"]
        self.forum = self.telegram.forum(SUPPORT_CHAT, SUPPORT_TITLE, *operators)
        self.numberpanel = NumberPanel(self.clock)
        self.cellcast = Cellcast(self.clock, self.phones)
        self.smsgateway24 = SmsGateway24(self.clock, self.phones, token_lifetime=TOKEN_LIFETIME)
        troubles = [supplier.trouble for supplier in self.suppliers.values()]
        for trouble in (*troubles, *(sender.trouble for sender in self.senders)):
            trouble.hang = NEVER_ANSWERED

    @property
    def suppliers(self) -> dict[str, Supplier]:
        """Those whose numbers can be rented, by name; the page has their switches, too."""
        suppliers: tuple[Supplier, ...] = (self.smscode, self.numberpanel)
        return {supplier.name: supplier for supplier in suppliers}

    @property
    def senders(self) -> tuple[Sender, ...]:
        """Those who make phones ring; the page has their switches."""
        return (self.cellcast, self.smsgateway24)

    async def call_crowd(self) -> None:
        """Have many people write to the bot, once."""
        if not self.crowd:
            self.crowd = [self.telegram.person(id, f"Guest {id}") for id in CROWD]
            for person in self.crowd:
                await person.say("/start")

    async def run(self) -> None:
        """Let everything happen at its time, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for supplier in self.suppliers.values():
                tasks.create_task(supplier.run())
            for sender in self.senders:
                tasks.create_task(sender.run())

    async def aclose(self) -> None:
        """End what waits: long polls, and the pages that are open."""
        self.closed = True
        await self.telegram.aclose()
        for supplier in self.suppliers.values():
            await supplier.aclose()

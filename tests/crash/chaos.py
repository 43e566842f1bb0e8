"""Two bots on one PostgreSQL, purchases and codes at a steady rate, and somebody who pulls plugs.

A minute of it, with its figures: `./numlet bench chaos`.
"""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any

import httpx
from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.process import http_server
from bot.stage import BotProcess, environment
from db import ledger as db_ledger
from db import outbox as db_outbox
from db.models import Order, OrderStatus, OutboxMessage, Sms
from db.session import Database
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Message, Person, Telegram
from services.accounts import Accounts
from services.announcer import CODE
from services.clock import SystemClock
from services.ledger import REVENUE, wallet
from tests.crash.stage import CREDIT, says, until

RENTERS = range(2001, 2031)
CODE_AFTER = timedelta(seconds=0.5)
PAUSE_SECONDS = (2.0, 6.0)
"""Between one renter's purchases."""
PLUG_SECONDS = (1.5, 4.0)
"""Between one pulled plug and the next."""
DARK_SECONDS = (0.0, 2.0)
"""Until a killed process is started again."""


@dataclass
class Figures:
    kills: int = 0
    kills_of_the_leader: int = 0
    takeovers: list[float] = field(default_factory=list)
    """Seconds from the leader's death to the other being ready."""
    purchases: int = 0
    codes: int = 0
    shown_again: int = 0
    """Codes that Telegram took just before the plug was pulled, and that were sent once more."""

    def __str__(self) -> str:
        slowest = max(self.takeovers, default=0)
        median = sorted(self.takeovers)[len(self.takeovers) // 2] if self.takeovers else 0
        return (
            f"kills {self.kills} (of the leader {self.kills_of_the_leader});"
            f" takeovers {len(self.takeovers)}, median {median:.2f} s, slowest {slowest:.2f} s;"
            f" purchases {self.purchases}, codes {self.codes}, sent again {self.shown_again}"
        )


class Balancer:
    """One address for both: hands each webhook to one that answers, as a load balancer does."""

    def __init__(self, bots: list[BotProcess]) -> None:
        self.bots = bots
        self._client = httpx.AsyncClient(timeout=3)
        self.app = Starlette(routes=[Route("/webhooks/{source}", self.forward, methods=["POST"])])

    async def forward(self, request: Request) -> Response:
        body = await request.body()
        for bot in random.sample(self.bots, len(self.bots)):
            with suppress(httpx.HTTPError):
                url = f"{bot.address}{request.url.path}"
                answer = await self._client.post(url, content=body, headers=dict(request.headers))
                return Response(status_code=answer.status_code)
        return Response(status_code=502)

    async def aclose(self) -> None:
        await self._client.aclose()


class Chaos:
    def __init__(self, world: World, database: Database, bots: list[BotProcess]) -> None:
        self.world = world
        self.database = database
        self.bots = bots
        self.pause = PAUSE_SECONDS
        """Between two purchases of one renter, at least and at most."""
        self.figures = Figures()
        self.renters = [world.telegram.person(id, f"Renter {id}", started=True) for id in RENTERS]

    async def prepare(self) -> None:
        """Everybody has money and has accepted the terms."""
        accounts = Accounts(self.database, SystemClock(), currency="IDR")
        for renter in self.renters:
            await accounts.meet(renter.id, name=renter.name, username=None, language_code="en")
            await accounts.accept_terms(renter.id)
            await accounts.credit(renter.id, CREDIT * 100, key=f"chaos:{renter.id}", reason=None)
        product = self.world.smscode.find_product("wa", "ID")
        product.available, self.world.smscode.balance = 10**6, 10**10

    async def rage(self, seconds: float) -> None:
        """Pull plugs until the time is up; then let everything come to its end."""
        plugs = asyncio.create_task(self._pull_plugs())
        await self.shop(seconds)
        plugs.cancel()
        await asyncio.gather(plugs, return_exceptions=True)
        for bot in self.bots:
            if not bot.alive:
                await bot.start()
        await self.come_to_rest()

    async def shop(self, seconds: float) -> None:
        """Everybody buys, again and again."""
        shopping = [asyncio.create_task(self._shop(renter)) for renter in self.renters]
        await asyncio.sleep(seconds)
        for task in shopping:
            task.cancel()
        await asyncio.gather(*shopping, return_exceptions=True)

    async def come_to_rest(self, *, seconds: float = 120) -> None:
        """Wait until nothing is owed to anybody, and every number has had its code or its end."""
        try:
            await until(self._is_quiet, seconds=seconds)
        except TimeoutError:
            raise AssertionError(f"still under way: {await self._under_way()}") from None

    async def _shop(self, renter: Person) -> None:
        while True:
            asked = await renter.say("/buy whatsapp indonesia")
            with suppress(TimeoutError):
                offer = await renter.wait_for(_offers_to_buy, after=asked, timeout=30)
                await renter.press("Buy", offer)
            await asyncio.sleep(random.uniform(*self.pause))

    async def _pull_plugs(self) -> None:
        while True:
            await asyncio.sleep(random.uniform(*PLUG_SECONDS))
            bot = random.choice(self.bots)
            [other] = [another for another in self.bots if another is not bot]
            led, stood_by = await says(bot) == "ready", (await says(other)).startswith("standby")
            await bot.kill()
            self.figures.kills += 1
            if led:
                self.figures.kills_of_the_leader += 1
            if led and stood_by:
                self.figures.takeovers.append(await _seconds_until_ready(other))
            await asyncio.sleep(random.uniform(*DARK_SECONDS))
            await bot.start()

    async def _is_quiet(self) -> bool:
        return not any(await self._under_way())

    async def _under_way(self) -> tuple[dict[str, Any], list[Any], int]:
        """What each lane owes, orders that wait, and updates that nobody has fetched."""
        async with self.database.read() as session:
            owed = await db_outbox.backlog(session, now=SystemClock().now())
            waiting = await session.exec(
                select(Order.id, Order.status).where(
                    col(Order.status).in_((OrderStatus.PENDING, OrderStatus.ACTIVE))
                )
            )
            return owed, list(waiting), len(self.world.telegram.updates.pending)

    async def check(self) -> None:
        """Every promise kept: asserts, and fills the figures."""
        async with self.database.read() as session:
            assert await db_ledger.total(session) == 0
            orders = list(await session.exec(select(Order)))
            messages = list(await session.exec(select(Sms)))
            tries = dict(
                (
                    await session.exec(
                        select(OutboxMessage.dedupe_key, OutboxMessage.attempts).where(
                            OutboxMessage.kind == CODE
                        )
                    )
                ).all()
            )
            for renter in self.renters:
                assert await db_ledger.held_for(session, renter.id) == 0
                assert await db_ledger.balance(session, wallet(renter.id)) >= 0
            earned = await db_ledger.balance(session, REVENUE)
        bought = {order.supplier_ref for order in orders if order.supplier_ref}
        assert bought == {str(ref) for ref in self.world.smscode.orders}, "bought and forgotten"
        paid = [order for order in orders if order.status in (OrderStatus.RECEIVED, OrderStatus.COMPLETED)]
        assert earned == 18_000 * len(paid)
        owners = {order.id: order.user_id for order in orders}
        due = Counter((owners[sms.order_id], sms.code or "") for sms in messages)
        # A try may be cut off by a crash more than once.
        again = Counter[tuple[int, str]]()
        for sms in messages:
            again[owners[sms.order_id], sms.code or ""] += max(0, tries.get(f"code:{sms.id}", 0) - 1)
        shown = Counter((renter.id, code) for renter in self.renters for code in _codes(renter))
        assert not due - shown, "codes that nobody saw"
        assert not (shown - due) - again, "codes shown again without a crash between"
        self.figures.purchases = len(orders)
        self.figures.codes = due.total()
        self.figures.shown_again = (shown - due).total()


async def _seconds_until_ready(bot: BotProcess) -> float:
    began = monotonic()

    async def is_ready() -> bool:
        return await says(bot) == "ready"

    await until(is_ready)
    return monotonic() - began


def _offers_to_buy(message: Message) -> bool:
    return any(button.text.startswith("Buy") for row in message.buttons for button in row)


def _codes(renter: Person) -> list[str]:
    """Those that were sent; the card of a number that is done with shows its codes once more."""
    return [
        button.copy_text
        for message in renter.messages
        if message.from_bot
        for row in message.buttons
        for button in row
        if button.copy_text and button.copy_text.isdecimal() and message.text.startswith(button.copy_text)
    ]


@asynccontextmanager
async def chaos(database_url: str, *, processes: int = 2, speed: float = 1.0) -> AsyncIterator[Chaos]:
    """`speed`: how much sooner than documented the outside does everything."""
    clock = Clock(speed)
    world = World(clock, Telegram(clock), SmsCode(clock, code_after=CODE_AFTER))
    database = Database(database_url)
    async with serving(world) as origin:
        bots: list[BotProcess] = []
        balancer = Balancer(bots)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            for _ in range(processes):
                settings = environment(origin, world.telegram.token, database_url) | {
                    "PUBLIC_URL": address,
                    "RECONCILE_SECONDS": "1",
                    "ORDER_LIMIT": "100000",
                    "ORDER_LIMIT_PER_HOUR": "100000",
                    "LOG_LEVEL": "ERROR",
                }
                bots.append(BotProcess(settings))
            server = http_server(balancer.app)
            balancing = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                for bot in bots:
                    await bot.start()
                    await bot.until_ready()
                raging = Chaos(world, database, bots)
                await raging.prepare()
                yield raging
            finally:
                for bot in bots:
                    await bot.kill()
                server.should_exit = True
                await balancing
                await balancer.aclose()
                await database.aclose()

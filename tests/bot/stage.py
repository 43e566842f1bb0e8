"""The bot on stage: our handlers on a real database, between the play Telegram and the play supplier."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import httpx
from telegram import Update
from telegram.ext import ApplicationBuilder, BaseRateLimiter, ContextTypes
from telegram.request import HTTPXRequest

from bot import handlers
from bot.books import Books
from bot.buttons import Buttons
from bot.carrier import Carrier
from bot.context import SHOP, App, Context, Shop
from bot.courier import Panels, TelegramCourier
from bot.errors import process
from bot.outgoing import Outgoing
from bot.persistence import StoredConversations
from bot.pictures import Pictures
from sandbox.telegram import Message, Person, Telegram
from services.acts import Trail
from services.broadcast_sending import Sending
from services.broadcasts import BROADCAST, PANEL, RECALL, Broadcasts
from services.favourites import Favourites
from services.home import Homes
from services.lanes import Lane
from services.maintenance import Maintenance
from services.orphans import Orphans
from services.popularity import Popularity
from services.rates import Rates
from services.refunds import REFUND
from services.repricing import Repricing
from services.senders.stars import TelegramStars
from services.standings import Standings
from services.stars import Stars
from services.statements import Statements
from services.statistics import Statistics
from services.timelines import Timelines
from tests.builders import CURRENCY, OWNERS, World

KEY = b"a key that signs the buttons of tests"
(OPERATOR,) = OWNERS


class NoLimits(BaseRateLimiter[Lane]):
    """Lets everything pass at once and remembers in which lane it went."""

    def __init__(self) -> None:
        self.passed: list[tuple[str, Lane | None]] = []

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Lane | None,
    ) -> Any:
        self.passed.append((endpoint, rate_limit_args))
        return await callback(*args, **kwargs)


class Stage:
    """`open` it, and whatever people say or tap is handled, one update after another."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.telegram = Telegram(world.clock)
        self.shop = Shop(
            accounts=world.accounts,
            broadcasts=Broadcasts(world.database, world.clock, world.outbox),
            orders=world.orders,
            invoices=world.invoices,
            payments=world.payments,
            refunds=world.refunds,
            catalog=world.catalog,
            favourites=Favourites(world.database, world.clock),
            homes=Homes(world.database),
            popularity=Popularity(world.database, world.clock),
            rates=Rates({CURRENCY, "USD"}),
            suppliers=world.suppliers,
            standings=Standings(
                world.clock, world.suppliers, world.low_balances, world.pauses, world.registration
            ),
            registration=world.registration,
            pauses=world.pauses,
            repricing=Repricing(world.catalog, world.pricing),
            senders=world.senders,
            switchboard=world.switchboard,
            sender_ids=world.sender_ids,
            texting=world.texting,
            phones=world.phones,
            forwarding=world.forwarding,
            late_codes=world.late_codes,
            lookouts=world.lookouts,
            swaps=world.swaps,
            orphans=Orphans(world.database, world.clock),
            people=world.people,
            team=world.team,
            trail=Trail(world.database),
            maintenance=Maintenance(world.database, world.clock),
            support=world.support,
            disputes=world.disputes,
            timelines=Timelines(world.database),
            statements=Statements(world.database),
            vouchers=world.vouchers,
            invitations=world.invitations,
            audit=world.audit,
            statistics=Statistics(world.database, world.clock),
            pictures=Pictures(),
            books=Books(world.database, world.clock),
            watch=world.watch,
            clock=world.clock,
            buttons=Buttons(KEY),
            currency=CURRENCY,
            retention_days=30,
            page_url="",
        )
        self.limiter = NoLimits()
        self.application = self._new_application()

    def _new_application(self) -> App:
        request = HTTPXRequest(httpx_kwargs={"transport": httpx.ASGITransport(self.telegram.app)})
        application: App = (
            ApplicationBuilder()
            .token(self.telegram.token)
            .base_url("http://telegram.test/bot")
            .request(request)
            .rate_limiter(self.limiter)
            .context_types(ContextTypes(context=Context))
            .persistence(StoredConversations(self.world.database))
            .updater(None)
            .job_queue(None)
            .build()
        )
        handlers.register(application, self.shop)
        outgoing = Outgoing(application.bot, self.shop, self.world.announcer)
        world, account = self.world, TelegramStars(application.bot)
        self.stars = Stars(world.database, world.clock, world.payments, world.refunds, account)
        sending = Sending(
            self.world.database,
            self.world.clock,
            self.world.outbox,
            TelegramCourier(application.bot),
            self.world.texting,
        )
        self.world.outbox.register(
            {
                BROADCAST: sending.send,
                RECALL: sending.recall,
                PANEL: Panels(application.bot, self.shop).draw,
                REFUND: self.stars.refund,
                **outgoing.workers(),
                **Carrier(application.bot, self.shop).workers(),
            }
        )
        return application

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Stage"]:
        await self.application.initialize()
        for supplier in self.world.suppliers:
            await self.shop.rates.refresh(supplier)
        playing = asyncio.create_task(self._play())
        try:
            yield self
        finally:
            # What is being handled is cut off nowhere but in the tests that are about it.
            if not playing.done():
                with suppress(TimeoutError):
                    async with asyncio.timeout(30):
                        await self.settle()
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing
            await self.application.shutdown()
            await self.telegram.aclose()

    async def restart(self) -> None:
        """Lose whatever is only in memory."""
        self.application = self._new_application()
        await self.application.initialize()

    def use_pictures(self, pictures: Pictures) -> None:
        """Draw with these from now on."""
        self.shop = replace(self.shop, pictures=pictures)
        self.application.bot_data[SHOP] = self.shop

    async def handle(self, update: dict[str, Any]) -> None:
        """One update, and all that follows from it."""
        parsed = Update.de_json(update, self.application.bot)
        assert parsed
        await process(self.application, parsed)
        await self.world.settle()

    async def settle(self) -> None:
        """Wait until every update has been handled."""
        await self.telegram.until(lambda: not self.telegram.updates.pending)

    async def _play(self) -> None:
        updates = self.telegram.updates
        while True:
            await self.telegram.bell.until(lambda: bool(updates.pending))
            update = next(iter(updates.pending.values()))
            await self.handle(update.wire())
            updates.settle(update)

    def person(self, id: int, name: str = "Ann", **who: Any) -> Person:
        return self.telegram.person(id, name, **who)

    async def renter(self, id: int = 42, *, money: int = 0, **who: Any) -> Person:
        """Somebody who has used the bot before."""
        await self.world.renter(id, money=money)
        return self.telegram.person(id, started=True, **who)


def labels(message: Message) -> list[str]:
    return [button.text for row in message.buttons for button in row]


def refusing(stage, method, refusal):
    """Have Telegram refuse every call of a method; gives back how to stop that."""
    methods = stage.telegram.methods
    kept = methods[method]

    def refuse(params):
        raise refusal

    methods[method] = refuse
    return lambda: methods.update({method: kept})

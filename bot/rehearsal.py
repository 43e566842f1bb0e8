"""A rehearsal of the shop: the real bot in a process of its own, in the sandbox, step by step.

Each step is a promise put to the test, and answers in one line what it has seen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from time import perf_counter

import httpx

from bot.settings import Settings
from bot.stage import BotProcess
from db.session import Database
from sandbox.smscode import Order, Status, sign
from sandbox.telegram import Button, Message, Person
from sandbox.world import World
from services.accounts import Accounts, Wallet
from services.audit import Audit
from services.clock import SystemClock
from services.money import format_amount

CROWD = range(2001, 2021)
"""Those who stand for a busy shop."""
SINGLE = range(3001, 3011)
"""One for each step, so that no step meets a limit because of another."""
PATIENCE_SECONDS = 30.0
LIFETIME_SECONDS = 2.0
"""How long a number lives where a step waits for its end: twenty minutes, sped up."""
BETWEEN_CODES_SECONDS = 0.04
"""Below Telegram's limit of thirty messages a second, which is not what is measured."""
CREDIT = 10**9


class Broken(Exception):
    """A promise was not kept; the text says what was seen instead."""


@dataclass(frozen=True)
class Latencies:
    """Milliseconds, sorted."""

    webhooks: list[float]
    """From the supplier's POST until its 200."""
    codes: list[float]
    """From the supplier's POST until the message with the code is at Telegram."""
    taps: list[float]
    """From a tap until its answer is at Telegram."""


class Rehearsal:
    def __init__(self, world: World, bot: BotProcess, database: Database, settings: Settings) -> None:
        """`settings`: those of the bot in the rehearsal."""
        self.world = world
        self.bot = bot
        self.latencies: Latencies | None = None
        self._settings = settings
        self._accounts = Accounts(database, SystemClock(), currency=settings.currency)
        self._audit = Audit(database, SystemClock(), currency=settings.currency)
        self._crowd = [world.telegram.person(id, f"Renter {id}", started=True) for id in CROWD]
        self._single = [world.telegram.person(id, f"Renter {id}", started=True) for id in SINGLE]
        self._newcomers = iter(self._single)
        for group in world.smscode.limits:
            world.smscode.limits[group] = 10**6

    async def give_money(self) -> None:
        """Everybody has accepted the terms and has money, before the bot has started."""
        for person in (*self._single, *self._crowd):
            await self._accounts.meet(person.id, name=person.name, username=None, language_code="en")
            await self._accounts.accept_terms(person.id)
            await self._accounts.credit(person.id, CREDIT, key=f"selftest:{person.id}", reason=None)

    # The steps.

    async def start(self) -> str:
        await self.bot.start()
        await self.bot.until_ready()
        await self._until(
            lambda: self.world.smscode.webhook_url, "no webhook was registered with the supplier"
        )
        await self._offer(next(self._newcomers))
        return "ready; catalog read, webhook registered"

    async def purchase(self) -> str:
        renter = next(self._newcomers)
        order = await self._buy(renter)
        held = (await self._wallet(renter)).held
        _expect(held > 0, "nothing was put on hold for the number")
        await self._receive(renter, order, "100001")
        await self._until_wallet(renter, CREDIT - held, "the price held is not the price taken")
        return f"a number was bought, its code shown, {self._money(held)} taken"

    async def lost_webhook(self) -> str:
        renter = next(self._newcomers)
        order = await self._buy(renter)
        with self._trouble("drop_webhooks"):
            seconds = await self._receive(renter, order, "100002")
        return f"its code came all the same, by asking the supplier, after {seconds:.1f} s"

    async def repeated_webhook(self) -> str:
        renter = next(self._newcomers)
        order = await self._buy(renter)
        with self._trouble("duplicate_webhooks"):
            await self._receive(renter, order, "100003")
            await self.world.smscode.settle()
        await self._receive(renter, order, "100004")
        _expect(_shown(renter, "100003") == 1, "a code was shown more than once")
        return "told twice, shown once"

    async def forged_webhook(self) -> str:
        url = self.world.smscode.webhook_url
        assert url
        body = b'{"event":"order.otp_received","data":{}}'
        async with httpx.AsyncClient() as client:
            headers = {"X-Webhook-Signature": sign(body, "a forger's guess")}
            status = (await client.post(url, content=body, headers=headers)).status_code
        _expect(status == 401, f"a webhook with a forged signature was answered {status}, not 401")
        return "refused with 401"

    async def crash(self) -> str:
        """Killed when the supplier has sold and its answer is lost; the code comes while nobody is there."""
        smscode, bought, renter = self.world.smscode, len(self._orders), next(self._newcomers)
        offer = await self._offer(renter)
        smscode.trouble.fail_next("lost_answer", path="/orders/create")
        await renter.press("Buy", offer)
        await self._until(lambda: len(self._orders) > bought, "nothing was bought")
        await self.bot.kill()
        killed_at = perf_counter()
        order = self._orders[max(self._orders)]
        await smscode.receive_sms(order.id, "Your code is 100005", "100005")
        await smscode.settle()
        await self.bot.start()
        await self.bot.until_ready()
        await self._until(lambda: _shown(renter, "100005"), "the code of before the restart never came")
        seconds = perf_counter() - killed_at
        _expect(len(self._orders) == bought + 1, "the number was bought twice")
        _expect((await self._wallet(renter)).held == 0, "money stayed on hold")
        _expect(_shown(renter, "100005") == 1, "the code was shown twice")
        return f"bought once, paid once, its code shown {seconds:.1f} s after the kill"

    async def expiry(self) -> str:
        renter = next(self._newcomers)
        with self._short_lives():
            await self._until_over(await self._buy(renter))
        await self._until_wallet(renter, CREDIT, "the money did not go back in full")
        return "no code came: all money went back"

    async def refund(self) -> str:
        renter, payments = next(self._newcomers), self.world.telegram.payments
        offer = await self._offer(renter)
        if not any("⭐" in button.text for row in offer.buttons for button in row):
            return "left out: a number is not sold for Stars with these settings"
        purse, bought = payments.purses[renter.id], len(self._orders)
        with self._short_lives():
            await renter.press("Pay", offer)
            invoice = await renter.wait_for(_is_invoice, after=offer, timeout=PATIENCE_SECONDS)
            payment = await renter.pay(invoice)
            _expect(payment.paid, f"the payment was refused: {payment.error}")
            await self._until(lambda: len(self._orders) > bought, "nothing was bought for the Stars")
            await self._until_over(self._orders[max(self._orders)])
        await self._until(
            lambda: payments.purses[renter.id] == purse,
            "the Stars did not go back",
        )
        await self._until_wallet(renter, CREDIT, "Stars that went back left something in the wallet")
        return "no code came: the Stars went back by themselves"

    async def busy(self, codes: int) -> str:
        """A code every 40 ms, to everybody in turn."""
        orders = await asyncio.gather(*(self._buy(person) for person in self._crowd))
        delivered = len(self.world.smscode.deliveries)
        times = []
        for at in range(codes):
            times.append(await self._time_code(orders[at % len(orders)], f"2{at:05}"))
            await asyncio.sleep(BETWEEN_CODES_SECONDS)
        await self.world.smscode.settle()
        last = list(self.world.smscode.deliveries)[delivered:]
        taps = await self._time_taps(codes)
        self.latencies = Latencies(sorted(each.milliseconds for each in last), sorted(times), sorted(taps))
        return f"{codes} codes and {codes} taps"

    async def stop(self) -> str:
        await self.bot.stop()
        _expect(self.bot.exit_status == 0, f"asked to end, it ended with status {self.bot.exit_status}")
        return "ended when asked to"

    async def audit(self) -> str:
        report = await self._audit.examine(full=True)
        wrong = ", ".join(finding.check for finding in report.findings)
        _expect(report.agrees, f"the books do not agree: {wrong}")
        return f"all sums agree, over {report.entries} moves of money"

    # What the steps are made of.

    @property
    def _orders(self) -> dict[int, Order]:
        return self.world.smscode.orders

    async def _offer(self, person: Person) -> Message:
        """The last screen before a purchase; asked for again while the catalog is being read."""
        for _ in range(int(PATIENCE_SECONDS)):
            self._expect_alive()
            asked = await person.say("/buy whatsapp indonesia")
            try:
                return await person.wait_for(_offers_to_buy, after=asked, timeout=1)
            except TimeoutError:
                continue
        raise Broken("nothing is for sale: the supplier's catalog was not read")

    async def _buy(self, person: Person) -> Order:
        offer = await self._offer(person)
        await person.press("Buy", offer)
        await self._until(lambda: self._sold(person, offer), "no number came")
        [order] = self._sold(person, offer)
        return order

    def _sold(self, person: Person, offer: Message) -> list[Order]:
        """The orders whose numbers stand in the chat from the offer on: the offer itself becomes the card."""
        cards = [message.text for message in person.messages if message.from_bot and message.id >= offer.id]
        return [order for order in self._orders.values() if any(order.phone_number in text for text in cards)]

    async def _receive(self, renter: Person, order: Order, code: str) -> float:
        """A code reaches the number; the seconds until it is shown."""
        began = perf_counter()
        await self.world.smscode.receive_sms(order.id, f"Your code is {code}", code)
        await self._until(lambda: _shown(renter, code), "a code never came")
        return perf_counter() - began

    async def _time_code(self, order: Order, code: str) -> float:
        """Milliseconds until the code is at Telegram."""
        arrived: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        def watch(message: Message) -> None:
            if code in message.text and not arrived.done():
                arrived.set_result(perf_counter())

        self.world.telegram.on_send = watch
        began = perf_counter()
        await self.world.smscode.receive_sms(order.id, f"Your code is {code}", code)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return (await arrived - began) * 1000
        except TimeoutError:
            raise Broken(f"a code did not reach Telegram within {PATIENCE_SECONDS:.0f} s") from None
        finally:
            self.world.telegram.on_send = None

    async def _time_taps(self, taps: int) -> list[float]:
        """Everybody taps the first button of their menu, in turn. Milliseconds until each answer."""
        menus = await asyncio.gather(*(_open_menu(person) for person in self._crowd))
        times = []
        for at in range(taps):
            person, menu = self._crowd[at % len(self._crowd)], menus[at % len(menus)]
            began = perf_counter()
            # The menu is stateless, so its first button works on, whatever it was edited into since.
            await person.use(menu.message, menu.button, timeout=PATIENCE_SECONDS)
            times.append((perf_counter() - began) * 1000)
            await asyncio.sleep(BETWEEN_CODES_SECONDS)
        return times

    async def _until_over(self, order: Order) -> None:
        await self._until(lambda: order.status is Status.EXPIRED, "the supplier's clock stands still")

    async def _until_wallet(self, renter: Person, amount: int, otherwise: str) -> None:
        """So much is there, and nothing on hold."""

        async def is_as_wanted() -> bool:
            wallet = await self._wallet(renter)
            return (wallet.available, wallet.held) == (amount, 0)

        await self._until(is_as_wanted, otherwise)

    async def _wallet(self, renter: Person) -> Wallet:
        return await self._accounts.wallet(renter.id, moves=0)

    async def _until(self, condition: Callable[[], object | Awaitable[object]], otherwise: str) -> None:
        """Raises Broken with the words of `otherwise`, where it does not come true in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    holds = condition()
                    if await holds if isawaitable(holds) else holds:
                        return
                    self._expect_alive()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise Broken(f"{otherwise} (waited {PATIENCE_SECONDS:.0f} s)") from None

    def _expect_alive(self) -> None:
        _expect(self.bot.alive, "the bot has ended")

    @contextmanager
    def _trouble(self, switch: str) -> Iterator[None]:
        setattr(self.world.smscode.trouble, switch, True)
        try:
            yield
        finally:
            setattr(self.world.smscode.trouble, switch, False)

    @contextmanager
    def _short_lives(self) -> Iterator[None]:
        """What is bought now lives for seconds."""
        self.world.clock.speed = 20 * 60 / LIFETIME_SECONDS
        try:
            yield
        finally:
            self.world.clock.speed = 1

    def _money(self, amount: int) -> str:
        return format_amount(amount, self._settings.currency)


@dataclass(frozen=True)
class _Menu:
    message: Message
    button: Button


async def _open_menu(person: Person) -> _Menu:
    asked = await person.say("/start")
    message = await person.wait_for(
        lambda message: bool(_first_button(message)), after=asked, timeout=PATIENCE_SECONDS
    )
    button = _first_button(message)
    assert button
    return _Menu(message, button)


def _first_button(message: Message) -> Button | None:
    """The first that asks the bot something."""
    buttons = (button for row in message.buttons for button in row)
    return next((button for button in buttons if button.callback_data), None)


def _shown(person: Person, code: str) -> int:
    """How many messages the person has that copy the code."""
    buttons = (button for message in person.messages for row in message.buttons for button in row)
    return sum(button.copy_text == code for button in buttons)


def _offers_to_buy(message: Message) -> bool:
    return any(button.text.startswith("Buy") for row in message.buttons for button in row)


def _is_invoice(message: Message) -> bool:
    return "invoice" in message.attachment


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)

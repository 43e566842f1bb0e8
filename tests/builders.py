"""A shop in miniature: our services on a real database, the sandbox in process, a clock to move."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import httpx
import stamina
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.views import alarms as alarm_views
from bot.webhooks import Readiness, accept_supplier, create_app
from db import ledger as db_ledger
from db import offers
from db import orders as db_orders
from db import sms as db_sms
from db.models import LedgerEntry, Order, OutboxMessage, Sms, WebhookDelivery
from db.session import Database
from sandbox.cellcast import Cellcast as CellcastVendor
from sandbox.clock import ManualClock
from sandbox.numberpanel import NumberPanel as Panel
from sandbox.numberpanel.catalog import Country, Operator
from sandbox.phones import Phones
from sandbox.smscode import SmsCode as Vendor
from sandbox.smsgateway24 import SmsGateway24 as SmsGateway24Vendor
from services.accounts import Accounts
from services.alarms import Alarms
from services.announcer import ALERT, CARD, CODE, LATE, LOOKOUT, NOTICE, PAYMENT, REWARD, TEXT, Announcer
from services.answers import Answers
from services.audit import Audit
from services.buying import Buying
from services.catalog import Catalog
from services.codes import Codes
from services.deliveries import Deliveries, Source
from services.disputes import CASE, VERDICT, Disputes
from services.forwarding import FORWARD, Forwarding, listeners
from services.inbox import Inbox
from services.invitations import Invitations
from services.invoices import Invoices
from services.late_codes import LateCodes
from services.ledger import REVENUE, wallet
from services.lookouts import Lookouts
from services.low_balances import LowBalances
from services.odds import Odds
from services.orders import Intent, Orders
from services.outbox import Outbox
from services.pauses import Pauses
from services.payments import Payments
from services.people import LETTER, People
from services.phones import PhoneBook
from services.pricing import Pricing
from services.rates import Rates
from services.reconciliation import Reconciliation
from services.refunds import REFUND, Refunds
from services.rentals import Rentals, event_serial
from services.sender_ids import SenderIdBook
from services.senders.base import Sender
from services.senders.cellcast import Cellcast
from services.senders.smsgateway24 import Login, SmsGateway24
from services.supplier_balances import SupplierBalances
from services.suppliers.base import Supplier
from services.suppliers.numberpanel import NumberPanel
from services.suppliers.smscode import SmsCode
from services.supply import Senders, Suppliers
from services.support import CARRY, REMOVE_TOPIC, Support
from services.swaps import SWAP, Swaps
from services.switchboard import Switchboard
from services.team import ROLE, Team
from services.text_tracking import TextTracking
from services.texting import SMS, Texting
from services.vouchers import Vouchers
from services.watch import Watch
from services.webhook_secrets import WebhookRegistration, WebhookSecrets

CURRENCY = "IDR"
COST = 15_000
PRICE = 18_000
"""Of one WhatsApp number in Indonesia."""
STARS = 90
"""What that costs in Telegram Stars."""
STARS_RATE = 200
NEWCOMER_LIMIT = 1000
COMPLAIN_WITHIN = timedelta(days=30)
SMS_PRICE = 500
"""Of each part of an SMS that forwards a code."""
RENTER = 1001
OWNERS = frozenset({1})
PUBLIC_URL = "https://bot.example"
TOKEN = "sandbox-smscode-token"
PANEL = "numberpanel"
PANEL_COST, PANEL_PRICE = 10_000, 12_000
PANEL_KEY = "the-panel-api-key"
WEBHOOK_KEY = "an-unguessable-path"

_keys = count(1)


class Sent(list[tuple[str, dict[str, Any]]]):
    """What the outbox told people, in order: kind and payload."""

    async def record(self, message: OutboxMessage) -> None:
        self.append((message.kind, message.payload))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [payload for sent, payload in self if sent == kind]

    @property
    def codes(self) -> list[int]:
        """Ids of the messages shown."""
        return [payload["sms_id"] for payload in self.of(CODE)]

    @property
    def alerts(self) -> list[str]:
        return [payload["name"] for payload in self.of(ALERT)]


@dataclass
class Outside:
    """What is not ours and outlives us: the supplier, the people, the time."""

    clock: ManualClock = field(default_factory=ManualClock)
    vendors: dict[str, Vendor] = field(default_factory=dict)
    panel: Panel | None = None
    sent: Sent = field(default_factory=Sent)
    phones: Phones = field(default_factory=Phones)
    receiver: httpx.AsyncBaseTransport | None = None
    """Where webhooks arrive; None while we are down."""

    def __post_init__(self) -> None:
        self.cellcast = CellcastVendor(self.clock, self.phones)
        self.smsgateway24 = SmsGateway24Vendor(self.clock, self.phones)

    @property
    def all(self) -> list[Vendor | Panel]:
        return [*self.vendors.values(), *([self.panel] if self.panel else [])]

    def add_vendor(self, name: str) -> None:
        vendor = Vendor(self.clock, token=TOKEN, transport=httpx.MockTransport(self._receive))
        # A short shelf is quick to fill.
        vendor.products = {
            id: product for id, product in vendor.products.items() if product.country.code == "ID"
        }
        self.vendors[name] = vendor

    def add_panel(self) -> None:
        """It sells in Indonesia, too, where smscode does, and in Kenya, where smscode does not."""
        panel = self.panel = Panel(self.clock, key=PANEL_KEY, transport=httpx.MockTransport(self._receive))
        panel.webhook_url = f"{PUBLIC_URL}/webhooks/{PANEL}/{WEBHOOK_KEY}"
        panel.countries = {
            1: Country(1, "Indonesia", "62", "813########", ""),
            2: Country(2, "Kenya", "254", "712######", ""),
        }
        panel.operators = {
            11: Operator(11, "Telkomsel", 1),
            12: Operator(12, "Indosat", 1),
        }

    async def _receive(self, request: httpx.Request) -> httpx.Response:
        if self.receiver is None:
            raise httpx.ConnectError("nobody listens")
        return await self.receiver.handle_async_request(request)


class World:
    """One life of our process. `restarted` begins the next one on the same database."""

    def __init__(
        self,
        database: Database,
        outside: Outside,
        *,
        open_limit: int = 100,
        hourly_limit: int = 1000,
        sender: type[Cellcast] = Cellcast,
        with_phones: bool = False,
        invite_percent: Decimal = Decimal(5),
        stars_rate: int = STARS_RATE,
        sms_price: int | None = SMS_PRICE,
        support_chat_id: int | None = None,
        between: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = lambda transport: transport,
    ) -> None:
        """`with_phones`: also text through phones of our own. `between`: puts something between us and
        the vendors."""
        clock = outside.clock
        self.database, self.outside, self.clock, self.sent = database, outside, clock, outside.sent
        connected: list[Supplier] = [
            _supplier(name, outside, between(httpx.ASGITransport(vendor.app)))
            for name, vendor in outside.vendors.items()
        ]
        if outside.panel:
            connected.append(_panel(outside.panel, between(httpx.ASGITransport(outside.panel.app))))
        self.suppliers = Suppliers(connected, clock)
        rates = Rates({CURRENCY})
        self.pricing, self.pauses = Pricing(database, clock), Pauses(database, clock)
        self.odds = Odds(database, clock)
        self.catalog = Catalog(
            database, clock, self.suppliers, self.pricing, self.pauses, rates, self.odds, currency=CURRENCY
        )
        self.outbox = Outbox(database, clock)
        announcer = self.announcer = Announcer(self.outbox)
        self.lookouts = Lookouts(database, clock, self.catalog, announcer)
        self.accounts = Accounts(database, clock, currency=CURRENCY)
        self.orders = Orders(
            database,
            clock,
            self.catalog,
            self.suppliers,
            self.outbox,
            announcer,
            currency=CURRENCY,
            open_limit=open_limit,
            hourly_limit=hourly_limit,
        )
        self.vouchers = Vouchers(database, clock, announcer, currency=CURRENCY)
        self.invitations = Invitations(database, clock, announcer, percent=invite_percent, purchases=3)
        self.refunds = Refunds(database, clock, self.outbox, announcer)
        self.invoices = Invoices(
            database,
            clock,
            self.orders,
            currency=CURRENCY,
            rate=stars_rate,
            newcomer_limit=NEWCOMER_LIMIT,
        )
        self.payments = Payments(
            database, clock, self.orders, self.refunds, announcer, currency=CURRENCY, rate=stars_rate
        )
        self.people = People(database, clock, self.outbox, announcer, owner_ids=OWNERS)
        self.team = Team(database, clock, self.outbox, owner_ids=OWNERS)
        self.support = Support(database, clock, self.outbox, announcer, self.team, chat_id=support_chat_id)
        self.disputes = Disputes(
            database, clock, self.outbox, announcer, self.refunds, self.support, within=COMPLAIN_WITHIN
        )
        cellcast = sender(
            token=outside.cellcast.token,
            clock=clock,
            transport=httpx.ASGITransport(outside.cellcast.app),
        )
        phones = [_smsgateway24(outside)] if with_phones else []
        self.senders = Senders([cellcast, *phones], clock)
        self.switchboard = Switchboard(database, clock, self.senders)
        self.texting = Texting(database, clock, self.senders, self.switchboard, self.outbox, announcer)
        self.phones = PhoneBook(database, clock, self.switchboard, self.texting, announcer)
        self.forwarding = Forwarding(
            database,
            clock,
            self.outbox,
            self.texting,
            self.phones,
            announcer,
            price=sms_price,
            currency=CURRENCY,
        )
        self.texting.register(listeners(self.phones, self.forwarding))
        self.swaps = Swaps(database, clock, self.catalog, self.suppliers, self.outbox, announcer)
        self.late_codes = LateCodes(database, clock, announcer, self.invitations, self.forwarding)
        self.codes = Codes(clock, announcer, self.invitations, self.forwarding, self.late_codes, self.odds)
        self.rentals = Rentals(
            database, clock, self.suppliers, announcer, self.refunds, self.codes, self.odds, self.swaps
        )
        self.reconciliation = Reconciliation(
            database, clock, self.suppliers, self.rentals, self.codes, announcer
        )
        self.buying = Buying(
            database, clock, self.catalog, self.suppliers, rates, self.rentals, announcer, self.swaps
        )
        self.rates = rates
        self.sender_ids = SenderIdBook(database, clock, self.senders)
        self.text_tracking = TextTracking(database, clock, self.senders, self.texting)
        self.answers = Answers(database, clock, self.senders, self.phones)
        self.outbox.register(
            {
                SMS: self.texting.send,
                FORWARD: self.forwarding.forward,
                "buy": self.buying.buy,
                SWAP: self.swaps.ask,
                "cancel": self.rentals.cancel,
                "finish": self.rentals.finish,
                "resend": self.rentals.resend,
                **dict.fromkeys(
                    (CODE, LATE, LOOKOUT, CARD, ALERT, REWARD, TEXT, PAYMENT, REFUND, LETTER, ROLE, NOTICE),
                    self.sent.record,
                ),
                **dict.fromkeys((CARRY, REMOVE_TOPIC, CASE, VERDICT), self.sent.record),
            }
        )
        self.deliveries = Deliveries(database, clock)
        self.deliveries.register(
            {
                s.name: Source(partial(self.rentals.handle_event, s.name), partial(event_serial, s))
                for s in self.suppliers
            }
        )
        self.inbox = Inbox(database, clock)
        self.inbox.take = self.deliveries.take
        self.webhook_secrets = WebhookSecrets(database, clock)
        self.registration = WebhookRegistration(
            database, clock, self.suppliers, self.webhook_secrets, public_url=PUBLIC_URL
        )
        self.audit = Audit(database, clock, currency=CURRENCY)
        self.alarms = Alarms(database, clock, self.texting, announcer, self.team, alarm_views.text)
        self.watch = Watch(database, clock, self.audit, self.alarms)
        self.low_balances = LowBalances(
            database, clock, self.suppliers, rates, self.alarms, currency=CURRENCY, hours=6
        )
        self.balances = SupplierBalances(database, clock, self.suppliers, rates, announcer, currency=CURRENCY)

    @property
    def vendor(self) -> Vendor:
        return self.outside.vendors["smscode"]

    @property
    def panel(self) -> Panel:
        assert self.outside.panel
        return self.outside.panel

    def service(self, name: str) -> int:
        """Its id."""
        return self._services[name]

    async def start(self) -> None:
        """What a process does when it starts."""
        await self.odds.refresh()
        await self.catalog.load()
        await self._learn_services()
        await self.webhook_secrets.load()
        endpoints = {s.name: accept_supplier(s, self.webhook_secrets, self.inbox) for s in self.suppliers}
        self.outside.receiver = httpx.ASGITransport(create_app(endpoints, ready=_nothing_is_missing))
        await self.outbox.recover()
        await self.deliveries.sweep(older_than=timedelta(0))
        await self.settle()

    async def aclose(self) -> None:
        self.outside.receiver = None
        for vendor in (*self.suppliers, *self.senders):
            await vendor.aclose()

    async def register_webhooks(self) -> None:
        for supplier in self.suppliers:
            await self.registration.register(supplier.name)

    async def refresh(self) -> None:
        for supplier in self.suppliers:
            await self.catalog.refresh(supplier.name)
        await self._learn_services()

    async def _learn_services(self) -> None:
        async with self.database.read() as session:
            self._services = {service.slug: service.id or 0 for service in await offers.services(session)}

    async def settle(self) -> None:
        """Let everything happen that needs no more time."""
        for vendor in self.outside.all:
            await vendor.tick()
            await vendor.settle()
        await self.inbox.settle()
        await self.deliveries.settle()
        await self.outbox.drain()

    async def pass_time(self, **duration: float) -> None:
        self.clock.advance(timedelta(**duration))
        await self.settle()

    async def reconcile(self) -> None:
        for supplier in self.suppliers:
            await self.reconciliation.reconcile(supplier.name)
        await self.settle()

    async def expire(self) -> None:
        await self.rentals.expire_due()
        await self.settle()

    async def renter(self, user_id: int = RENTER, *, money: int = 10 * PRICE) -> int:
        """Somebody who accepted the terms and has that much."""
        await self.accounts.meet(user_id, name="Rina", username=None, language_code="en")
        await self.accounts.accept_terms(user_id)
        if money:
            await self.accounts.credit(user_id, money, key=f"start:{user_id}", reason=None)
        return user_id

    def intent(self, **changes: Any) -> Intent:
        """A button for one WhatsApp number in Indonesia."""
        values: dict[str, Any] = {
            "key": f"k{next(_keys)}",
            "service_id": self.service("whatsapp"),
            "country": "ID",
        }
        return Intent(**({**values, "quantity": 1, "price": PRICE} | changes))

    async def place(self, user_id: int = RENTER, **changes: Any) -> int:
        return await self.orders.place(user_id, self.intent(**changes))

    async def rent(self, user_id: int = RENTER, **changes: Any) -> Order:
        """A number that was bought, and waits."""
        purchase_id = await self.place(user_id, **changes)
        await self.settle()
        return (await self.orders_of(purchase_id))[0]

    async def receive(self, order: Order, code: str) -> None:
        """An SMS reaches a rented number."""
        assert order.supplier
        assert order.supplier_ref
        text = f"Your code is {code}"
        if order.supplier == PANEL:
            await self.panel_receives(order.phone_number or "", text)
        else:
            await self.outside.vendors[order.supplier].receive_sms(int(order.supplier_ref), text)
            await self.settle()

    async def panel_receives(self, phone_number: str, text: str) -> None:
        """An SMS reaches a number that the panel handed out, whoever knows of it."""
        number = next(n for n in self.panel.numbers.values() if n.phone_number == phone_number)
        await self.panel.receive_sms(number.id, text)
        await self.settle()

    async def orders_of(self, purchase_id: int) -> list[Order]:
        async with self.database.read() as session:
            return await db_orders.of_purchase(session, purchase_id)

    async def order(self, order: Order) -> Order:
        """The same order, as it stands now."""
        async with self.database.read() as session:
            found = await db_orders.find(session, order.id or 0)
        assert found
        return found

    async def messages(self, order: Order) -> list[Sms]:
        async with self.database.read() as session:
            return await db_sms.of_orders(session, [order.id or 0])

    async def owed(self, kind: str) -> list[OutboxMessage]:
        """Promises of a kind that are not kept yet, oldest first."""
        async with self.database.read() as session:
            owed = select(OutboxMessage).where(
                OutboxMessage.kind == kind, col(OutboxMessage.done_at).is_(None)
            )
            return list(await session.exec(owed.order_by(col(OutboxMessage.id))))

    async def balance(self, account: str) -> int:
        return await balance(self.database, account)

    async def money(self, user_id: int = RENTER) -> tuple[int, int, int]:
        """What the renter has, has on hold, and has paid to us; and nothing is lost or made."""
        async with self.database.read() as session:
            assert await db_ledger.total(session) == 0
            return (
                await db_ledger.balance(session, wallet(user_id)),
                await db_ledger.held_for(session, user_id),
                await db_ledger.balance(session, REVENUE),
            )

    async def kinds(self) -> list[str]:
        """The kinds of all ledger entries but the first top-ups, oldest first."""
        return [entry.kind for entry in await entries(self.database) if entry.kind != "topup"]


def _supplier(name: str, outside: Outside, transport: httpx.AsyncBaseTransport) -> SmsCode:
    supplier = SmsCode(token=TOKEN, clock=outside.clock, transport=transport)
    supplier.name = name
    return supplier


def _smsgateway24(outside: Outside) -> Sender:
    vendor = outside.smsgateway24
    return SmsGateway24(
        login=Login(vendor.access.email, vendor.access.password),
        clock=outside.clock,
        transport=httpx.ASGITransport(vendor.app),
    )


def _panel(vendor: Panel, transport: httpx.AsyncBaseTransport) -> Supplier:
    return NumberPanel(
        key=PANEL_KEY,
        url="https://panel.example",
        cost_decimal=Decimal(PANEL_COST),
        currency=CURRENCY,
        lifetime=timedelta(minutes=20),
        webhook_key=WEBHOOK_KEY,
        clock=vendor.clock,
        transport=transport,
    )


async def _nothing_is_missing() -> Readiness:
    return Readiness(ok=True, says="ready")


async def entries(database: Database) -> Sequence[LedgerEntry]:
    """The whole ledger, oldest first."""
    async with database.read() as session:
        return list(await session.exec(select(LedgerEntry).order_by(col(LedgerEntry.id))))


async def balance(database: Database, account: str) -> int:
    async with database.read() as session:
        return await db_ledger.balance(session, account)


async def deliveries_of(session: AsyncSession, source: str) -> list[WebhookDelivery]:
    """Everything kept of a source, oldest first."""
    kept = select(WebhookDelivery).where(WebhookDelivery.source == source)
    return list(await session.exec(kept.order_by(col(WebhookDelivery.id))))


@asynccontextmanager
async def world_on(
    database: Database, *, vendors: Sequence[str] = ("smscode",), money: int = 10 * PRICE, **settings: Any
) -> AsyncIterator[World]:
    """A shop that is open, with its shelf filled and one renter with money."""
    async with empty_world_on(database, vendors=vendors, **settings) as world:
        await world.refresh()
        await world.register_webhooks()
        await world.renter(money=money)
        yield world


@asynccontextmanager
async def empty_world_on(
    database: Database, *, vendors: Sequence[str] = ("smscode",), **settings: Any
) -> AsyncIterator[World]:
    """A shop that has opened for the first time: nobody was asked yet what there is."""
    outside = Outside()
    for name in vendors:
        if name == PANEL:
            outside.add_panel()
        else:
            outside.add_vendor(name)
    async with AsyncExitStack() as stack:
        stack.enter_context(stamina.set_testing(True, attempts=1))
        world = World(database, outside, **settings)
        stack.push_async_callback(world.aclose)
        for vendor in outside.all:
            stack.push_async_callback(vendor.aclose)
        await world.start()
        yield world


@asynccontextmanager
async def restarted(world: World, database: Database) -> AsyncIterator[World]:
    """The next life after a crash: nothing of the last one is left but what is on disk."""
    await world.aclose()
    again = World(database, world.outside)
    try:
        await again.start()
        yield again
    finally:
        await again.aclose()

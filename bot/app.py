"""The composition root: everything is built here and nowhere else. To read it is to know the whole."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from bot import commands, handlers
from bot.buttons import Buttons
from bot.client import connect, telegram_application
from bot.context import App, Shop
from bot.courier import Panels, TelegramCourier
from bot.jobs import Jobs
from bot.metrics import measured
from bot.outgoing import Outgoing
from bot.process import calm_garbage_collector, http_server, stop_on_signals
from bot.reachability import TelegramWatch
from bot.settings import Settings, WrongSettings
from bot.suppliers import connect_suppliers
from bot.updates import TELEGRAM, Polling, handler, serial_of_body
from bot.webhooks import Readiness, accept_supplier, accept_telegram, create_app
from db import migrate
from db import settings as stored_settings
from db.leadership import InUse, Leadership, only_process
from db.session import Database
from services.accounts import Accounts
from services.acts import Trail
from services.alarms import Alarms
from services.announcer import Announcer
from services.audit import Audit
from services.broadcast_sending import Sending
from services.broadcasts import BROADCAST, PANEL, RECALL, Broadcasts
from services.buying import Buying
from services.catalog import Catalog
from services.clock import Clock, SystemClock
from services.deliveries import Deliveries, Source
from services.desk import Desk
from services.forwarding import FORWARD, Forwarding, listeners
from services.inbox import Inbox
from services.invitations import Invitations
from services.invoices import Invoices
from services.keys import Keys, read_keys
from services.low_balances import LowBalances
from services.maintenance import Maintenance
from services.orders import Orders
from services.outbox import Outbox
from services.payments import Payments
from services.people import People
from services.phones import PhoneBook
from services.places import LANGUAGES, currency_for_language
from services.pricing import Pricing
from services.rates import Rates
from services.refunds import REFUND, Refunds
from services.rentals import Rentals, event_serial
from services.retention import Retention
from services.sender_ids import SenderIdBook
from services.senders.base import Sender
from services.senders.cellcast import Cellcast
from services.senders.smsgateway24 import Login, SmsGateway24
from services.senders.stars import TelegramStars
from services.stars import Stars
from services.supplier_balances import SupplierBalances
from services.suppliers.base import Supplier
from services.supply import Senders, Suppliers
from services.switchboard import Switchboard
from services.team import Team
from services.text_tracking import TextTracking
from services.texting import SMS, Texting
from services.vouchers import Vouchers
from services.watch import Watch
from services.webhook_secrets import WebhookRegistration, WebhookSecrets

log = structlog.get_logger()

CATALOG_EVERY = timedelta(minutes=2)
REGISTER_EVERY = timedelta(minutes=1)
BALANCE_EVERY = timedelta(minutes=10)
TELEGRAM_EVERY = timedelta(seconds=15)
TEXTS_EVERY = timedelta(seconds=5)
SWEEP_EVERY = timedelta(seconds=5)
PROBE_EVERY = timedelta(seconds=5)
STARS_EVERY = timedelta(minutes=5)
RETENTION_EVERY = timedelta(hours=6)
AUDIT_EVERY = timedelta(minutes=5)
BALANCES_EVERY = timedelta(hours=1)
LEAD_PAUSE_SECONDS = 1
BACKLOG = 2048


def connect_senders(settings: Settings, clock: Clock) -> list[Sender]:
    """Every sender of SMS whose settings are there; a new one is one more branch."""
    connected: list[Sender] = []
    if settings.cellcast_token:
        token = settings.cellcast_token.get_secret_value()
        connected.append(Cellcast(token=token, url=settings.cellcast_url, clock=clock))
    if settings.smsgateway24_token or settings.smsgateway24_password:
        connected.append(_smsgateway24(settings, clock))
    return connected


def _smsgateway24(settings: Settings, clock: Clock) -> SmsGateway24:
    token, login = settings.smsgateway24_token, None
    if settings.smsgateway24_email and settings.smsgateway24_password:
        login = Login(settings.smsgateway24_email, settings.smsgateway24_password.get_secret_value())
    return SmsGateway24(
        token=token.get_secret_value() if token else None,
        login=login,
        device_id=settings.smsgateway24_device_id,
        url=settings.smsgateway24_url,
        clock=clock,
    )


@dataclass
class Reception:
    """What every process does: take in what the outside tells us, and stand ready to lead."""

    settings: Settings
    clock: Clock
    keys: Keys
    database: Database
    suppliers: list[Supplier]
    senders: list[Sender]
    inbox: Inbox
    webhook_secrets: WebhookSecrets
    leadership: Leadership
    leading: "Numlet | None" = None
    """The parts that act, while this process leads."""

    @property
    def http(self) -> Starlette:
        endpoints = {s.name: accept_supplier(s, self.webhook_secrets, self.inbox) for s in self.suppliers}
        endpoints[TELEGRAM] = accept_telegram(self.keys.telegram, self.inbox)
        return create_app(endpoints, ready=self.readiness)

    async def readiness(self) -> Readiness:
        try:
            await self.database.ping()
        except (SQLAlchemyError, OSError) as error:
            return Readiness(ok=False, says=f"the database does not answer: {type(error).__name__}")
        if self.leading:
            trouble = self.leading.polling.trouble
            return Readiness(ok=not trouble, says=trouble or "ready")
        if self.leadership.stands_by:
            return Readiness(ok=True, says="standby: another process leads")
        return Readiness(ok=False, says="starting")


@dataclass
class Numlet:
    """The parts that act, wired together; built anew each time that a process comes to lead."""

    settings: Settings
    keys: Keys
    database: Database
    suppliers: Suppliers
    catalog: Catalog
    rentals: Rentals
    outbox: Outbox
    inbox: Inbox
    deliveries: Deliveries
    text_tracking: TextTracking
    registration: WebhookRegistration
    jobs: Jobs
    stars: Stars
    retention: Retention
    watch: Watch
    balances: SupplierBalances
    team: Team
    application: App
    polling: Polling
    low_balances: LowBalances
    telegram_watch: TelegramWatch


def build(reception: Reception) -> Numlet:
    """Construct every part, once. Nothing runs yet and nothing is called."""
    settings, database, clock = reception.settings, reception.database, reception.clock
    suppliers = Suppliers(reception.suppliers, clock)
    pricing = Pricing(settings.markup_percent)
    shown = {currency_for_language(language) for language in LANGUAGES} - {None}
    rates = Rates({settings.currency, *(currency for currency in shown if currency)})
    catalog = Catalog(database, clock, suppliers, pricing, rates, currency=settings.currency)
    outbox = Outbox(database, clock)
    announcer = Announcer(outbox)
    accounts = Accounts(database, clock, currency=settings.currency)
    orders = Orders(
        database,
        clock,
        catalog,
        suppliers,
        outbox,
        announcer,
        currency=settings.currency,
        open_limit=settings.order_limit,
        hourly_limit=settings.order_limit_per_hour,
    )
    invitations = Invitations(
        database,
        clock,
        announcer,
        percent=settings.invite_percent,
        purchases=settings.invite_purchases,
    )
    refunds = Refunds(database, clock, outbox, announcer)
    rate = settings.stars_rate if settings.stars_are_sold else 0
    invoices = Invoices(
        database,
        clock,
        orders,
        currency=settings.currency,
        rate=rate,
        newcomer_limit=settings.stars_newcomer_limit,
    )
    payments = Payments(database, clock, orders, refunds, announcer, currency=settings.currency, rate=rate)
    senders = Senders(reception.senders, clock)
    switchboard = Switchboard(database, clock, senders)
    texting = Texting(database, clock, senders, switchboard, outbox, announcer)
    phones = PhoneBook(database, clock, switchboard, texting, announcer)
    forwarding = Forwarding(
        database,
        clock,
        outbox,
        texting,
        phones,
        announcer,
        price=settings.sms_price,
        currency=settings.currency,
    )
    texting.register(listeners(phones, forwarding))
    rentals = Rentals(database, clock, suppliers, announcer, refunds, invitations, forwarding)
    buying = Buying(database, clock, catalog, suppliers, rates, rentals, announcer)
    deliveries = Deliveries(database, clock)
    registration = WebhookRegistration(suppliers, reception.webhook_secrets, public_url=settings.public_url)
    broadcasts = Broadcasts(database, clock, outbox)
    audit = Audit(database, clock, currency=settings.currency)
    watch = Watch(database, clock, audit, announcer)
    team = Team(database, clock, outbox, owner_ids=settings.admin_ids)
    shop = Shop(
        accounts=accounts,
        broadcasts=broadcasts,
        orders=orders,
        invoices=invoices,
        payments=payments,
        refunds=refunds,
        catalog=catalog,
        rates=rates,
        suppliers=suppliers,
        senders=senders,
        switchboard=switchboard,
        sender_ids=SenderIdBook(database, clock, senders),
        texting=texting,
        phones=phones,
        forwarding=forwarding,
        desk=Desk(database),
        vouchers=Vouchers(database, clock, announcer, currency=settings.currency),
        invitations=invitations,
        audit=audit,
        watch=watch,
        people=People(database, clock, outbox, announcer, owner_ids=settings.admin_ids),
        team=team,
        trail=Trail(database),
        maintenance=Maintenance(database, clock),
        clock=clock,
        buttons=Buttons(reception.keys.buttons),
        currency=settings.currency,
        admin_ids=settings.admin_ids,
        retention_days=settings.retention_days,
        webhook_states=registration.states,
    )
    application = telegram_application(settings, database)
    handlers.register(application, shop)
    outgoing = Outgoing(application.bot, shop, database, announcer)
    sending = Sending(database, clock, outbox, TelegramCourier(application.bot), texting)
    stars = Stars(database, clock, payments, refunds, TelegramStars(application.bot))
    outbox.register(
        {
            "buy": buying.buy,
            "cancel": rentals.cancel,
            "finish": rentals.finish,
            "resend": rentals.resend,
            SMS: texting.send,
            FORWARD: forwarding.forward,
            BROADCAST: sending.send,
            RECALL: sending.recall,
            PANEL: Panels(application.bot, shop).draw,
            REFUND: stars.refund,
            **outgoing.workers(),
        }
    )
    deliveries.register(
        {
            supplier.name: Source(
                partial(rentals.handle_event, supplier.name), partial(event_serial, supplier)
            )
            for supplier in suppliers
        }
    )
    alarms = Alarms(database, clock, texting, admin_ids=settings.admin_ids)
    low_balances = LowBalances(
        database,
        clock,
        suppliers,
        rates,
        alarms,
        currency=settings.currency,
        hours=settings.low_balance_hours,
    )
    polling = Polling(application.bot, reception.inbox)
    return Numlet(
        settings=settings,
        keys=reception.keys,
        database=database,
        suppliers=suppliers,
        catalog=catalog,
        rentals=rentals,
        outbox=outbox,
        inbox=reception.inbox,
        deliveries=deliveries,
        text_tracking=TextTracking(database, clock, senders, texting),
        registration=registration,
        jobs=Jobs(clock, rentals),
        stars=stars,
        retention=Retention(database, clock, keep=settings.retention),
        watch=watch,
        balances=SupplierBalances(database, clock, suppliers, rates, announcer, currency=settings.currency),
        team=team,
        application=application,
        polling=polling,
        low_balances=low_balances,
        telegram_watch=TelegramWatch(
            application.bot, polling, alarms, polls=settings.bot_updates == "polling"
        ),
    )


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises WrongSettings for what no waiting would mend."""
    if settings.bot_token is None:
        raise WrongSettings(
            "BOT_TOKEN is not set: get one from @BotFather and put it into .env,"
            " or try everything without one: ./numlet demo"
        )
    database = Database(settings.database_url.get_secret_value())
    try:
        with only_process(database):
            reception = await open_reception(settings, database, SystemClock())
            stop = stop_on_signals()
            watching = measured(
                database, reception.clock, reception.readiness, leads=lambda: reception.leading is not None
            )
            async with served(reception), watching:
                leading = asyncio.create_task(lead(reception, stop))
                leading.add_done_callback(partial(_stop_if_broken, stop))
                await stop.wait()
                log.info("numlet.stopping")
                leading.cancel()
                await asyncio.gather(leading, return_exceptions=True)
    except InUse as error:
        raise WrongSettings(
            f"{error} is in use by another numlet. SQLite serves one process: stop the other one,"
            " or move to PostgreSQL (numlet copy-database), which serves any number"
        ) from None
    finally:
        await database.aclose()


async def open_reception(settings: Settings, database: Database, clock: Clock) -> Reception:
    """Bring the database up to date and read what all processes on it share. Raises WrongSettings."""
    await migrate.upgrade(database)
    await check_currency(database, clock, settings.currency)
    suppliers = connect_suppliers(settings, clock)
    return Reception(
        settings=settings,
        clock=clock,
        keys=await read_keys(database, clock),
        database=database,
        suppliers=suppliers,
        senders=connect_senders(settings, clock),
        inbox=Inbox(database, clock),
        webhook_secrets=WebhookSecrets(database, clock),
        leadership=Leadership(database),
    )


async def check_currency(database: Database, clock: Clock, currency: str) -> None:
    """Raises WrongSettings where the database counts in another currency."""
    async with database.write() as session:
        counted = await stored_settings.get_or_create(session, "currency", currency, now=clock.now())
    if counted != currency:
        raise WrongSettings(
            f"CURRENCY is {currency}, but this database counts in {counted}: set it back,"
            " or use another database for the new currency"
        )


@asynccontextmanager
async def served(reception: Reception) -> AsyncIterator[None]:
    """The HTTP server: first up, so that no webhook is missed, and closed before what it feeds."""
    await reception.webhook_secrets.load()
    settings = reception.settings
    server = http_server(reception.http)
    try:
        listener = socket.create_server((settings.http_host, settings.http_port), backlog=BACKLOG)
    except OSError as error:
        address = f"{settings.http_host}:{settings.http_port}"
        raise WrongSettings(f"HTTP_HOST, HTTP_PORT: cannot listen on {address}: {error.strerror}") from error
    with listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving
            await reception.inbox.settle()
            for supplier in reception.suppliers:
                await supplier.aclose()
            for sender in reception.senders:
                await sender.aclose()


async def lead(reception: Reception, stop: asyncio.Event) -> None:
    """Act whenever it is this process's turn, and stop at once when it no longer is."""
    while True:
        try:
            await _lead_once(reception, stop)
        except (SQLAlchemyError, OSError) as error:
            log.error("numlet.cannot_lead", error=type(error).__name__)
        await asyncio.sleep(LEAD_PAUSE_SECONDS)


async def _lead_once(reception: Reception, stop: asyncio.Event) -> None:
    news = asyncio.Event()
    async with reception.leadership.won(on_wake=news.set) as lost:
        numlet = build(reception)
        async with connected(numlet, lost, stop), scheduled(numlet), _following(numlet, news):
            reception.leading = numlet
            log.info("numlet.leads", suppliers=[supplier.name for supplier in numlet.suppliers])
            calm_garbage_collector()
            try:
                await lost.wait()
            finally:
                reception.leading = None
        log.error("numlet.lost_the_lead")


@asynccontextmanager
async def connected(numlet: Numlet, lost: asyncio.Event, stop: asyncio.Event) -> AsyncIterator[None]:
    """Telegram and the outbox. While Telegram cannot be reached, codes and webhooks wait on disk.

    Should either loop ever end by itself, the program stops rather than limp: a restart loses nothing.
    """
    await numlet.catalog.load()
    await numlet.outbox.recover()
    numlet.inbox.take = numlet.deliveries.take
    tasks = [asyncio.create_task(_talk(numlet)), asyncio.create_task(numlet.outbox.run())]
    for task in tasks:
        task.add_done_callback(partial(_stop_if_broken, stop))
    try:
        await numlet.deliveries.sweep(older_than=timedelta(0))
        yield
    finally:
        numlet.inbox.take = None
        if lost.is_set():
            # Another process leads by now, and takes up what this one lets go of.
            numlet.outbox.abandon()
            numlet.deliveries.abandon()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await numlet.deliveries.settle()
        if numlet.application.running:
            await numlet.application.stop()
        await numlet.application.shutdown()


async def _talk(numlet: Numlet) -> None:
    """Connect to Telegram, however long that takes, handle what waits, and receive."""
    application, polling = numlet.application, numlet.polling
    await connect(application, numlet.settings, numlet.keys, note=polling.note)
    await application.start()
    # Only now: what Telegram's side stored earlier, in this life or the last, waits for this.
    numlet.deliveries.register({TELEGRAM: Source(handler(application), serial_of_body)})
    await numlet.deliveries.sweep(older_than=timedelta(0))
    await commands.publish(application.bot, await numlet.team.roles())
    if numlet.settings.bot_updates == "polling":
        await polling.run()


def _stop_if_broken(stop: asyncio.Event, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("numlet.broken", exc_info=error)
        stop.set()


@asynccontextmanager
async def _following(numlet: Numlet, news: asyncio.Event) -> AsyncIterator[None]:
    """Take up what other processes put into the inbox, as soon as they say so."""

    async def follow() -> None:
        while True:
            await news.wait()
            news.clear()
            try:
                await numlet.deliveries.take_up_new()
            except (SQLAlchemyError, OSError) as error:
                log.warning("inbox.not_read", error=type(error).__name__)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()


@asynccontextmanager
async def scheduled(numlet: Numlet) -> AsyncIterator[None]:
    """Everything that happens by the clock."""
    jobs = numlet.jobs
    for supplier in numlet.suppliers:
        name = supplier.name
        jobs.every(CATALOG_EVERY, f"{name} catalog", partial(numlet.catalog.refresh, name), at_once=True)
        jobs.every(
            numlet.settings.reconcile_every, f"{name} reconcile", partial(numlet.rentals.reconcile, name)
        )
        jobs.every(
            REGISTER_EVERY, f"{name} webhook", partial(numlet.registration.register, name), at_once=True
        )
        jobs.every(BALANCES_EVERY, f"{name} balance", partial(numlet.balances.take, name), at_once=True)
        jobs.every(PROBE_EVERY, f"{name} probe", partial(numlet.suppliers.probe, name))
        jobs.every(BALANCE_EVERY, f"{name} low balance", partial(numlet.low_balances.check, name))
    jobs.every(TELEGRAM_EVERY, "telegram", numlet.telegram_watch.look)
    jobs.every(TEXTS_EVERY, "texts", numlet.text_tracking.follow)
    jobs.every(SWEEP_EVERY, "deliveries", numlet.deliveries.sweep)
    jobs.every(STARS_EVERY, "stars", partial(_reconcile_stars, numlet))
    jobs.every(RETENTION_EVERY, "retention", numlet.retention.erase_old)
    jobs.every(AUDIT_EVERY, "audit", numlet.watch.tick)
    await jobs.start()
    try:
        yield
    finally:
        jobs.stop()


async def _reconcile_stars(numlet: Numlet) -> None:
    """Once Telegram has been reached; before that there is nobody to ask."""
    if numlet.application.running:
        await numlet.stars.reconcile()

"""The composition root: everything is built here and nowhere else. To read it is to know the whole."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ApplicationBuilder, ContextTypes, Defaults
from telegram.request import HTTPXRequest

from bot import commands, handlers
from bot.buttons import Buttons
from bot.context import App, Context, Shop
from bot.jobs import Jobs
from bot.metrics import measure
from bot.outgoing import Outgoing
from bot.persistence import StoredConversations
from bot.process import calm_garbage_collector, http_server, stop_on_signals
from bot.settings import Settings, WrongSettings
from bot.updates import ALLOWED_UPDATES, TELEGRAM, Polling, handler, serial_of_body
from bot.webhooks import accept_supplier, accept_telegram, create_app
from db import migrate
from db import settings as stored_settings
from db.session import Database
from services.accounts import Accounts
from services.announcer import Announcer
from services.buying import Buying
from services.catalog import Catalog
from services.clock import Clock, SystemClock
from services.deliveries import Deliveries, Source
from services.desk import Desk
from services.keys import Keys, read_keys
from services.orders import Orders
from services.outbox import Outbox
from services.places import LANGUAGES, currency_for_language
from services.pricing import Pricing
from services.rates import Rates
from services.rentals import Rentals, event_serial
from services.retention import Retention
from services.senders.telegram import Lanes
from services.suppliers.base import Supplier
from services.suppliers.smscode import SmsCode
from services.supply import Suppliers
from services.webhook_secrets import WebhookSecrets

log = structlog.get_logger()

CATALOG_EVERY = timedelta(minutes=2)
REGISTER_EVERY = timedelta(minutes=1)
SWEEP_EVERY = timedelta(seconds=5)
MEASURE_EVERY = timedelta(seconds=15)
RETENTION_EVERY = timedelta(hours=6)
CONNECT_PAUSE_SECONDS = 3
# More requests at once only slow the HTTP client down; Telegram's own limit binds long before.
TELEGRAM_CONNECTIONS = 8
BACKLOG = 2048


def connect_suppliers(settings: Settings, clock: Clock) -> list[Supplier]:
    """Every supplier whose settings are there; a new one is one more branch."""
    connected: list[Supplier] = []
    if settings.smscode_token:
        token = settings.smscode_token.get_secret_value()
        connected.append(SmsCode(token=token, url=settings.smscode_url, clock=clock))
    return connected


def telegram_application(settings: Settings, database: Database) -> App:
    """python-telegram-bot with our lanes and our store; polling, jobs and concurrency are ours too."""
    assert settings.bot_token
    limits = httpx.Limits(
        max_connections=TELEGRAM_CONNECTIONS,
        max_keepalive_connections=TELEGRAM_CONNECTIONS,
        keepalive_expiry=60,
    )
    request = HTTPXRequest(
        connection_pool_size=TELEGRAM_CONNECTIONS,
        connect_timeout=5,
        read_timeout=15,
        write_timeout=15,
        pool_timeout=30,
        httpx_kwargs={"limits": limits},
    )
    return (
        ApplicationBuilder()
        .token(settings.bot_token.get_secret_value())
        .base_url(f"{settings.bot_api_url}/bot")
        .base_file_url(f"{settings.bot_api_url}/file/bot")
        .request(request)
        .rate_limiter(Lanes())
        .defaults(
            Defaults(parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True))
        )
        .context_types(ContextTypes(context=Context))
        .persistence(StoredConversations(database))
        .updater(None)
        .job_queue(None)
        .build()
    )


@dataclass
class Numlet:
    """The parts that run, wired together."""

    settings: Settings
    keys: Keys
    database: Database
    suppliers: Suppliers
    catalog: Catalog
    rentals: Rentals
    outbox: Outbox
    deliveries: Deliveries
    webhook_secrets: WebhookSecrets
    jobs: Jobs
    retention: Retention
    application: App
    polling: Polling
    http: Starlette


def build(settings: Settings, database: Database, clock: Clock, keys: Keys) -> Numlet:
    """Construct every part, once. Nothing runs yet and nothing is called."""
    suppliers = Suppliers(connect_suppliers(settings, clock), clock)
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
    rentals = Rentals(database, clock, suppliers, announcer)
    buying = Buying(database, clock, catalog, suppliers, rates, rentals, announcer)
    deliveries = Deliveries(database, clock)
    webhook_secrets = WebhookSecrets(database, clock, suppliers)
    shop = Shop(
        accounts=accounts,
        orders=orders,
        catalog=catalog,
        rates=rates,
        suppliers=suppliers,
        desk=Desk(database),
        clock=clock,
        buttons=Buttons(keys.buttons),
        currency=settings.currency,
        admin_ids=settings.admin_ids,
        retention_days=settings.retention_days,
        webhook_states=webhook_secrets.states,
    )
    application = telegram_application(settings, database)
    handlers.register(application, shop)
    outgoing = Outgoing(application.bot, shop, database, announcer)
    outbox.register(
        {
            "buy": buying.buy,
            "cancel": rentals.cancel,
            "finish": rentals.finish,
            "resend": rentals.resend,
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
    polling = Polling(application.bot, deliveries)
    endpoints = {s.name: accept_supplier(s, webhook_secrets, deliveries) for s in suppliers}
    endpoints[TELEGRAM] = accept_telegram(keys.telegram, deliveries)
    return Numlet(
        settings=settings,
        keys=keys,
        database=database,
        suppliers=suppliers,
        catalog=catalog,
        rentals=rentals,
        outbox=outbox,
        deliveries=deliveries,
        webhook_secrets=webhook_secrets,
        jobs=Jobs(clock, rentals),
        retention=Retention(database, clock, keep=settings.retention),
        application=application,
        polling=polling,
        http=create_app(endpoints, ready=partial(missing, database, polling)),
    )


async def missing(database: Database, polling: Polling) -> str | None:
    """What keeps the bot from working, in words; None when nothing does."""
    try:
        await database.ping()
    except (SQLAlchemyError, OSError) as error:
        return f"the database does not answer: {type(error).__name__}"
    return polling.trouble


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises WrongSettings for what no waiting would mend."""
    if settings.bot_token is None:
        raise WrongSettings(
            "BOT_TOKEN is not set: get one from @BotFather and put it into .env,"
            " or try everything without one: ./numlet demo"
        )
    clock = SystemClock()
    database = Database(settings.database_url.get_secret_value())
    try:
        await migrate.upgrade(database)
        await check_currency(database, clock, settings.currency)
        numlet = build(settings, database, clock, await read_keys(database, clock))
        stop = stop_on_signals()
        async with served(numlet), connected(numlet, stop), scheduled(numlet):
            log.info("numlet.ready", suppliers=[supplier.name for supplier in numlet.suppliers])
            calm_garbage_collector()
            await stop.wait()
            log.info("numlet.stopping")
    finally:
        await database.aclose()


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
async def served(numlet: Numlet) -> AsyncIterator[None]:
    """The HTTP server: first up, so that no webhook is missed, and closed before what it feeds."""
    await numlet.catalog.load()
    await numlet.webhook_secrets.load()
    settings = numlet.settings
    server = http_server(numlet.http)
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
            await numlet.deliveries.settle()


@asynccontextmanager
async def connected(numlet: Numlet, stop: asyncio.Event) -> AsyncIterator[None]:
    """Telegram and the outbox. While Telegram cannot be reached, codes and webhooks wait on disk.

    Should either loop ever end by itself, the program stops rather than limp: a restart loses nothing.
    """
    application = numlet.application
    await numlet.outbox.recover()
    await numlet.deliveries.sweep(older_than=timedelta(0))
    tasks = [asyncio.create_task(_talk(numlet)), asyncio.create_task(numlet.outbox.run())]
    for task in tasks:
        task.add_done_callback(partial(_stop_if_broken, stop))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await numlet.deliveries.settle()
        if application.running:
            await application.stop()
        await application.shutdown()
        for supplier in numlet.suppliers:
            await supplier.aclose()


async def _talk(numlet: Numlet) -> None:
    """Connect to Telegram, however long that takes, handle what waits, and receive."""
    application, bot = numlet.application, numlet.application.bot
    await _connect(numlet)
    numlet.polling.trouble = None
    await application.start()
    # Only now: what Telegram's side stored earlier, in this life or the last, waits for this.
    numlet.deliveries.register({TELEGRAM: Source(handler(application), serial_of_body)})
    await numlet.deliveries.sweep(older_than=timedelta(0))
    await commands.publish(bot, numlet.settings.admin_ids)
    if numlet.settings.bot_updates == "polling":
        await numlet.polling.run()


async def _connect(numlet: Numlet) -> None:
    """Say hello to Telegram and settle how updates come, again and again until it works."""
    while True:
        try:
            await _say_hello(numlet.application, numlet.settings, numlet.keys)
        except InvalidToken:
            trouble = "Telegram does not know this BOT_TOKEN: copy it from @BotFather again"
        except TelegramError as error:
            trouble = f"Telegram cannot be reached: {error}"
        except (SQLAlchemyError, OSError) as error:
            trouble = f"the database does not answer: {type(error).__name__}"
        else:
            return
        numlet.polling.trouble = trouble
        log.error("telegram.not_connected", reason=trouble)
        await asyncio.sleep(CONNECT_PAUSE_SECONDS)


def _stop_if_broken(stop: asyncio.Event, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("numlet.broken", exc_info=error)
        stop.set()


async def _say_hello(application: App, settings: Settings, keys: Keys) -> None:
    await application.initialize()
    if settings.bot_updates == "polling":
        await application.bot.delete_webhook()
    else:
        await application.bot.set_webhook(
            f"{settings.public_url}/webhooks/{TELEGRAM}",
            secret_token=keys.telegram,
            allowed_updates=ALLOWED_UPDATES,
        )


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
        jobs.every(REGISTER_EVERY, f"{name} webhook", partial(_register, numlet, name), at_once=True)
    jobs.every(SWEEP_EVERY, "deliveries", numlet.deliveries.sweep)
    jobs.every(MEASURE_EVERY, "metrics", partial(measure, numlet.database))
    jobs.every(RETENTION_EVERY, "retention", numlet.retention.erase_old)
    await jobs.start()
    try:
        yield
    finally:
        jobs.stop()


async def _register(numlet: Numlet, supplier: str) -> None:
    """Register a supplier's webhook until it is; afterwards there is nothing to do."""
    if not numlet.webhook_secrets.is_settled(supplier):
        await numlet.webhook_secrets.register(supplier, numlet.settings.public_url)

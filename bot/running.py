"""The life of the program: it serves, comes to lead, talks to Telegram, acts by the clock, and stops."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot import commands
from bot.app import Numlet, Reception, build
from bot.client import connect
from bot.language import CATALOGUES
from bot.metrics import measured
from bot.process import calm_garbage_collector, http_server, stop_on_signals
from bot.senders import connect_senders
from bot.settings import Settings, WrongSettings
from bot.suppliers import connect_suppliers
from bot.updates import TELEGRAM, handler, serial_of_body
from bot.upkeep import bring_up_to_date
from db import settings as stored_settings
from db.leadership import InUse, Leadership, only_process
from db.session import Database
from services.clock import Clock, SystemClock
from services.deliveries import Source
from services.inbox import Inbox
from services.keys import read_keys
from services.webhook_secrets import WebhookSecrets

log = structlog.get_logger()

CATALOG_EVERY = timedelta(minutes=2)
HIDDEN_EVERY = timedelta(seconds=5)
ODDS_EVERY = timedelta(minutes=10)
REGISTER_EVERY = timedelta(minutes=1)
BALANCE_EVERY = timedelta(minutes=10)
TELEGRAM_EVERY = timedelta(seconds=15)
TEXTS_EVERY = timedelta(seconds=5)
ANSWERS_EVERY = timedelta(seconds=15)
SWEEP_EVERY = timedelta(seconds=5)
PROBE_EVERY = timedelta(seconds=5)
STARS_EVERY = timedelta(minutes=5)
RETENTION_EVERY = timedelta(hours=6)
AUDIT_EVERY = timedelta(minutes=5)
SUPERVISION_EVERY = timedelta(seconds=15)
PAUSES_EVERY = timedelta(seconds=15)
BALANCES_EVERY = timedelta(hours=1)
LEAD_PAUSE_SECONDS = 1
BACKLOG = 2048


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
    await bring_up_to_date(database)
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
    await numlet.odds.refresh()
    await numlet.popularity.refresh()
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
    await asyncio.gather(
        connect(application, numlet.settings, numlet.keys, note=polling.note),
        asyncio.to_thread(CATALOGUES.load),
    )
    await application.start()
    # Only now: what Telegram's side stored earlier, in this life or the last, waits for this.
    numlet.deliveries.register({TELEGRAM: Source(handler(application), serial_of_body)})
    await numlet.deliveries.sweep(older_than=timedelta(0))
    publishing = commands.publish(
        application.bot, await numlet.team.members(), page_url=numlet.settings.page_url
    )
    if numlet.settings.bot_updates == "polling":
        # Nobody waits for an answer until all menus are set, in every language.
        await asyncio.gather(publishing, polling.run())
    else:
        await publishing


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
        jobs.every(CATALOG_EVERY, f"{name} catalog", partial(_refresh, numlet, name), at_once=True)
        jobs.every(
            numlet.settings.reconcile_every,
            f"{name} reconcile",
            partial(numlet.reconciliation.reconcile, name),
        )
        jobs.every(
            REGISTER_EVERY, f"{name} webhook", partial(numlet.registration.register, name), at_once=True
        )
        if supplier.capabilities.balance:
            jobs.every(BALANCES_EVERY, f"{name} balance", partial(numlet.balances.take, name), at_once=True)
            jobs.every(BALANCE_EVERY, f"{name} low balance", partial(numlet.low_balances.check, name))
        jobs.every(PROBE_EVERY, f"{name} probe", partial(numlet.suppliers.probe, name))
    jobs.every(HIDDEN_EVERY, "catalog", numlet.catalog.keep_up)
    jobs.every(ODDS_EVERY, "odds", numlet.odds.refresh)
    jobs.every(ODDS_EVERY, "popularity", numlet.popularity.refresh)
    jobs.every(TELEGRAM_EVERY, "telegram", numlet.telegram_watch.look)
    jobs.every(TEXTS_EVERY, "texts", numlet.text_tracking.follow)
    jobs.every(ANSWERS_EVERY, "answers", numlet.answers.read)
    jobs.every(SWEEP_EVERY, "deliveries", numlet.deliveries.sweep)
    jobs.every(STARS_EVERY, "stars", partial(_reconcile_stars, numlet))
    jobs.every(RETENTION_EVERY, "retention", numlet.retention.erase_old)
    jobs.every(AUDIT_EVERY, "audit", numlet.watch.tick)
    jobs.every(SUPERVISION_EVERY, "supervision", numlet.supervision.look)
    jobs.every(PAUSES_EVERY, "pauses", numlet.pauses.end_due)
    await jobs.start()
    try:
        yield
    finally:
        jobs.stop()


async def _refresh(numlet: Numlet, supplier: str) -> None:
    """What is for sale, and then who waited for that."""
    await numlet.catalog.refresh(supplier)
    await numlet.lookouts.check()


async def _reconcile_stars(numlet: Numlet) -> None:
    """Once Telegram has been reached; before that there is nobody to ask."""
    if numlet.application.running:
        await numlet.stars.reconcile()

"""What Prometheus reads that has to be asked for; counters and times are kept where things happen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog
from prometheus_client import Gauge, Histogram
from sqlalchemy.exc import SQLAlchemyError

from bot.webhooks import Readiness
from db import deliveries, ledger, orders, outbox
from db.session import Database
from services.clock import Clock
from services.outbox import LANES

log = structlog.get_logger()

READY = Gauge("numlet_ready", "1 while /readyz answers 200")
LEADS = Gauge("numlet_leads", "1 in the process that acts, 0 in those that stand by")
ORDERS = Gauge("numlet_open_orders", "Orders that are not over", ["supplier", "status"])
INBOX = Gauge("numlet_inbox_unhandled", "Stored, and not handled yet", ["source"])
INBOX_AGE = Gauge("numlet_inbox_oldest_seconds", "Age of the oldest that is not handled yet", ["source"])
OWED = Gauge("numlet_outbox_owed", "Messages owed to the outside", ["lane"])
OWED_AGE = Gauge(
    "numlet_outbox_oldest_seconds", "Age of the oldest message owed whose time has come", ["lane"]
)
BALANCES = Gauge(
    "numlet_account_balance", "All accounts of a kind together, in minor units", ["kind", "currency"]
)
LAG = Histogram(
    "numlet_loop_lag_seconds",
    "How late the event loop does what is due",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)

MEASURE_EVERY = timedelta(seconds=15)
ADD_UP_EVERY = timedelta(minutes=5)
"""Reads every account, so less often."""
LISTEN_EVERY = timedelta(seconds=0.5)
STOP_WITHIN_SECONDS = 2

Ready = Callable[[], Awaitable[Readiness]]


@asynccontextmanager
async def measured(
    database: Database, clock: Clock, ready: Ready, *, leads: Callable[[], bool]
) -> AsyncIterator[None]:
    """Keep the gauges up to date while the block runs. Every process does: one that stops acting would
    otherwise go on reporting what it last saw."""
    stop = asyncio.Event()
    looks = [
        asyncio.create_task(
            _repeat(MEASURE_EVERY, stop, lambda: measure(database, clock, ready, leads=leads))
        ),
        asyncio.create_task(_repeat(ADD_UP_EVERY, stop, lambda: add_up(database))),
    ]
    listening = asyncio.create_task(listen(LISTEN_EVERY))
    try:
        yield
    finally:
        listening.cancel()
        # A question that is cut off costs the database its connection.
        stop.set()
        _, unanswered = await asyncio.wait(looks, timeout=STOP_WITHIN_SECONDS)
        for look in unanswered:
            look.cancel()
        await asyncio.gather(listening, *unanswered, return_exceptions=True)


async def _repeat(interval: timedelta, stop: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    while not stop.is_set():
        try:
            await work()
        except (SQLAlchemyError, OSError) as error:
            log.warning("metrics.not_measured", error=type(error).__name__)
        except Exception:  # whatever it is, the next look may be better
            log.exception("metrics.broken")
        with suppress(TimeoutError):
            async with asyncio.timeout(interval.total_seconds()):
                await stop.wait()


async def measure(database: Database, clock: Clock, ready: Ready, *, leads: Callable[[], bool]) -> None:
    """Count what waits. Costs what is open and owed, not what there ever was."""
    READY.set((await ready()).ok)
    LEADS.set(leads())
    now = clock.now()
    async with database.read() as session:
        open_orders = await orders.count_by_state(session)
        inbox = await deliveries.backlog(session)
        owed = await outbox.backlog(session, now=now)
    # Cleared, because what a label stood for may be gone.
    for gauge in (ORDERS, INBOX, INBOX_AGE):
        gauge.clear()
    for (supplier, status), count in open_orders.items():
        ORDERS.labels(supplier, status).set(count)
    for source, (count, oldest_at) in inbox.items():
        INBOX.labels(source).set(count)
        INBOX_AGE.labels(source).set((now - oldest_at).total_seconds())
    for lane in LANES:
        count, due_since = owed.get(lane, (0, None))
        OWED.labels(lane).set(count)
        OWED_AGE.labels(lane).set((now - due_since).total_seconds() if due_since else 0)


async def add_up(database: Database) -> None:
    """Where the money is. The sum over all kinds is zero, always."""
    async with database.read() as session:
        balances = await ledger.balance_by_kind(session)
    BALANCES.clear()
    for (kind, currency), balance in balances.items():
        BALANCES.labels(kind, currency).set(balance)


async def listen(interval: timedelta) -> None:
    """Note how late the loop wakes us, again and again: whatever holds it, codes wait for it, too."""
    seconds, time = interval.total_seconds(), asyncio.get_running_loop().time
    while True:
        due_at = time() + seconds
        await asyncio.sleep(seconds)
        LAG.observe(max(0.0, time() - due_at))

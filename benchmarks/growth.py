"""A million users and a hundred thousand open orders: what the program takes to start, to hold and to run.

The database is filled by SQL; the program is the real one, its supplier and Telegram are the sandbox's.
"""

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any, cast

import httpx
from sqlalchemy import text

from benchmarks.catalog import watch
from benchmarks.load import median
from bot.process import calm_garbage_collector
from bot.stage import OPERATOR, BotProcess, environment
from db import migrate, orders
from db.session import Database
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import Order, SmsCode
from sandbox.telegram import Telegram
from services.clock import SystemClock
from services.reconciliation import Reconciliation
from services.suppliers import smscode
from services.supply import Suppliers
from tests.conftest import fresh_postgresql
from tests.crash.stage import until

USERS, OPEN, CLOSED = 1_000_000, 100_000, 1_000_000
EXPIRING, PER_SECOND = 300, 10
UNTIL_FIRST = timedelta(seconds=25)
WATCHED_SECONDS = 30
PATIENCE_SECONDS = 60
"""For the last of those that expire, on a machine that has too much to do."""
COMPARISONS = 5
TOKEN = "sandbox-smscode-token"
CHUNK = 64 * 1024
"""As much of an answer as comes at once."""
NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :most)",
    "postgresql": "WITH numbers AS (SELECT n FROM generate_series(1, :most) AS n)",
}
MILLION = (
    "INSERT INTO user_account (id, name, language_code, created_at, seen_at, terms_accepted_at)"
    " {numbers} SELECT 1000000 + n, 'Renter ' || n, 'en', :now, :now, :now FROM numbers",
    "INSERT INTO account (name, currency, balance, may_go_below_zero)"
    " {numbers} SELECT 'wallet:' || (1000000 + n), 'IDR', 0, false FROM numbers",
)
CLOSED_ORDERS = (
    "INSERT INTO purchase (id, user_id, idempotency_key, service_id, country, quantity, price, currency,"
    " created_at) {numbers} SELECT 1000000 + n, 1000000 + n, 'closed:' || n, 1, 'ID', 1, 5000, 'IDR', :now"
    " FROM numbers",
    "INSERT INTO number_order (id, purchase_id, user_id, status, supplier, supplier_ref, phone_number, cost,"
    " created_at, activated_at, expires_at, check_at, ended_at, resends) {numbers}"
    " SELECT 1000000 + n, 1000000 + n, 1000000 + n, 'expired', 'smscode', 'old' || n, '+62800', 1, :now,"
    " :now, :now, :now, :now, 0 FROM numbers",
)

OPEN_ORDERS = (
    "INSERT INTO purchase (id, user_id, idempotency_key, service_id, country, quantity, price, currency,"
    " created_at) VALUES (:id, :user, 'open', 1, 'ID', 1, 5000, 'IDR', :ends)",
    "INSERT INTO number_order (id, purchase_id, user_id, status, supplier, supplier_ref, phone_number, cost,"
    " created_at, activated_at, expires_at, check_at, resends) VALUES (:id, :id, :user, 'active',"
    " 'smscode', :ref, '+62800', 1, :ends, :ends, :ends, :ends, 0)",
    "INSERT INTO account (name, currency, balance, may_go_below_zero) VALUES (:held, 'IDR', 5000, false)",
)


async def on_sqlite() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        return await _measure(url)


async def on_postgresql() -> dict[str, float]:
    async with fresh_postgresql() as url:
        return await _measure(url)


async def _measure(url: str) -> dict[str, float]:
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock, balance=10**12))
    database = Database(url)
    await migrate.upgrade(database)
    rented = _rent(world.smscode)
    await _fill(database, rented)
    ticks = [await _tick(database) for _ in range(50)]
    compared = await _compare(database, world)
    async with serving(world) as origin:
        settings = environment(origin, world.telegram.token, url) | {
            "PUBLIC_URL": "",
            "LOG_LEVEL": "ERROR",
        }
        busy = await _compare_again_and_again(world, BotProcess(settings | {"RECONCILE_SECONDS": "5"}))
        quiet = BotProcess(settings | {"RECONCILE_SECONDS": "900"})
        answers, late = await _expire(database, world, quiet)
    await database.aclose()
    return {
        "tick, nothing due, ms (bar: at most 5)": median(ticks),
        **compared,
        **busy,
        **answers,
        "lateness of expiries, p50 ms": late[len(late) // 2],
        "lateness of expiries, p99 ms (bar: at most 50)": late[int(len(late) * 0.99)],
    }


async def _compare(database: Database, world: World) -> dict[str, float]:
    """What comparing our orders with the supplier's costs a loop that does nothing else, of its own work."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(world.smscode.app), base_url="http://v"
    ) as client:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        said = (await client.get("/v1/orders/active", headers=headers)).raise_for_status().content
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, stream=_Body(said)))
    clock = SystemClock()
    supplier = smscode.SmsCode(token=TOKEN, clock=clock, transport=answer)
    # Nothing follows from a comparison where both say the same.
    nobody = cast(Any, None)
    suppliers = Suppliers([supplier], clock)
    reconciliation = Reconciliation(database, clock, suppliers, nobody, nobody, nobody)
    calm_garbage_collector()
    worked: list[float] = []
    watching = asyncio.create_task(watch(worked, []))
    used = thread_time()
    for _ in range(COMPARISONS):
        await reconciliation.reconcile(supplier.name)
    used = (thread_time() - used) / COMPARISONS
    watching.cancel()
    await supplier.aclose()
    return {
        "a comparison, loop time in all, ms": used * 1000,
        "the same in one piece, longest ms (bar: at most 50)": max(worked),
    }


class _Body(httpx.AsyncByteStream):
    """An answer as it comes over a network: in parts."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), CHUNK):
            yield self._content[start : start + CHUNK]
            await asyncio.sleep(0)


async def _compare_again_and_again(world: World, bot: BotProcess) -> dict[str, float]:
    began = perf_counter()
    await bot.start()
    try:
        await bot.until_ready()
        ready, used_to_start = perf_counter() - began, _cpu_seconds(bot.pid)
        async with _probing(bot) as held:
            used = _cpu_seconds(bot.pid)
            await asyncio.sleep(WATCHED_SECONDS)
            used = _cpu_seconds(bot.pid) - used
        return {
            "start, s (bar: at most 3)": ready,
            "the same, of the processor's time": used_to_start,
            "memory, MiB (bar: at most 250)": _memory(bot.pid),
            "processor, % of a core": used / WATCHED_SECONDS * 100,
            "loop held by the clock, p99 ms": held[int(len(held) * 0.99)],
            "the same, longest, with what other programs took": held[-1],
        }
    finally:
        await bot.stop()


async def _expire(database: Database, world: World, bot: BotProcess) -> tuple[dict[str, float], list[float]]:
    """How long commands take; and how late orders end whose time is up, in ms, sorted."""
    vendor = world.smscode
    first = datetime.now(UTC) + UNTIL_FIRST
    # The supplier knows a tenth of a second before we look, so that the wait is all ours.
    async with database.write() as session:
        for number, order in zip(range(1, EXPIRING + 1), list(vendor.open.values()), strict=False):
            ends = first + timedelta(seconds=number / PER_SECOND)
            vendor.agenda.add(ends - timedelta(milliseconds=100), partial(vendor.expire, order))
            await orders.change(session, number, expires_at=ends, check_at=ends)

    async def all_have_ended() -> bool:
        return len(await _lateness(database)) == EXPIRING

    await bot.start()
    try:
        await bot.until_ready()
        answers = await _commands(world)
        await asyncio.sleep((first - datetime.now(UTC)).total_seconds() + EXPIRING / PER_SECOND)
        await until(all_have_ended, seconds=PATIENCE_SECONDS)
    finally:
        await bot.stop()
    return answers, await _lateness(database)


async def _lateness(database: Database) -> list[float]:
    """Of the orders that have ended by now: milliseconds, sorted."""
    async with database.read() as session:
        found = [await orders.find(session, number) for number in range(1, EXPIRING + 1)]
    return sorted(
        (order.ended_at - order.expires_at).total_seconds() * 1000
        for order in found
        if order and order.ended_at and order.expires_at
    )


def _rent(vendor: SmsCode) -> list[Order]:
    """Let the supplier know the open orders too."""
    product = vendor.find_product("wa", "ID")
    product.available = 2 * OPEN
    return [order for _ in range(OPEN // 1000) for order in vendor.buy(product.id, 1000)]


async def _fill(database: Database, rented: list[Order]) -> None:
    now = _moment(datetime.now(UTC), database)
    numbers = NUMBERS["sqlite" if database.is_sqlite else "postgresql"]
    async with database.write() as session:
        connection = await session.connection()
        # Without its id, which is 1: the program adds services of its own after it.
        await connection.execute(text("INSERT INTO service (slug, name, code) VALUES ('x', 'X', 'x')"))
        for parts, most in ((MILLION, USERS), (CLOSED_ORDERS, CLOSED)):
            for part in parts:
                values = {"most": most, "now": now} if ":now" in part else {"most": most}
                await connection.execute(text(part.format(numbers=numbers)), values)
        rows = [_row(number, order, database) for number, order in enumerate(rented, 1)]
        for statement in OPEN_ORDERS:
            await connection.execute(text(statement), rows)
        # As a database that grew by itself would know.
        await connection.execute(text("ANALYZE"))


def _row(number: int, order: Order, database: Database) -> dict[str, Any]:
    ends = _moment(order.expires_at, database)
    user, held = 1_000_000 + number, f"held:{number}"
    return {"id": number, "user": user, "ref": str(order.id), "ends": ends, "held": held}


def _moment(moment: datetime, database: Database) -> Any:
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds") if database.is_sqlite else moment


async def _tick(database: Database) -> float:
    """What the expiry job asks when nothing is due, in ms."""
    began = perf_counter()
    async with database.read() as session:
        assert not await orders.due(session, now=datetime.now(UTC), limit=500)
    async with database.read() as session:
        await orders.next_check(session)
    return (perf_counter() - began) * 1000


async def _commands(world: World) -> dict[str, float]:
    """From a command to its answer, in ms."""
    operator = world.telegram.people[OPERATOR]
    await operator.say("/start")
    await operator.tap("Accept")
    took: dict[str, list[float]] = {}
    for _ in range(3):
        for command, name in (("/orders", "/orders, ms"), ("/user 1077777", "/user ID, ms")):
            await asyncio.sleep(1.2)  # Telegram's limit for one chat
            began = perf_counter()
            said = await operator.say(command)
            await operator.wait_for(lambda _message: True, after=said, timeout=30)
            took.setdefault(name, []).append((perf_counter() - began) * 1000)
    return {name: median(times) for name, times in took.items()}


@asynccontextmanager
async def _probing(bot: BotProcess) -> AsyncIterator[list[float]]:
    """How long the loop kept the cheapest request waiting: in ms, sorted, filled at the end.

    From another process: this one plays the supplier, whose long answers hold it up.
    """
    _, port = bot.address.rsplit(":", 1)
    probe = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.probe", "127.0.0.1", port, stdin=PIPE, stdout=PIPE
    )
    held: list[float] = []
    try:
        yield held
    finally:
        output, _ = await probe.communicate(b"")
        held.extend(json.loads(output))


def _memory(pid: int) -> float:
    """Resident MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise ValueError("no VmRSS")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100

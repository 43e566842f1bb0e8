"""What the audit costs on a ledger of a million entries, and what a commit waits for meanwhile."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from time import perf_counter

import asyncpg

from db import settings
from db.migrate import upgrade
from db.session import Database
from services.audit import Audit
from services.clock import SystemClock

ORDERS, RENTERS, TOP_UPS = 250_000, 300_000, 505_000
COMMITS = 300
POSTGRES = os.environ.get("NUMLET_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")

# One order of fifty waits for its code; every other one was captured.
SHOP = """
INSERT INTO service (id, slug, name, code) VALUES (1, 'whatsapp', 'WhatsApp', 'wa');
INSERT INTO user_account (id, name, language_code, created_at) SELECT i, '', 'en', {at} FROM {renters};
INSERT INTO account SELECT 'wallet:' || i, 'IDR', 0, false FROM {renters};
INSERT INTO account SELECT 'held:' || i, 'IDR', 0, false FROM {orders};
INSERT INTO account VALUES ('revenue', 'IDR', 0, false), ('gateway:operator', 'IDR', 0, true);
INSERT INTO purchase
    (id, user_id, idempotency_key, service_id, country, quantity, price, currency, created_at)
    SELECT i, i, 'k' || i, 1, 'ID', 1, 18000, 'IDR', {at} FROM {orders};
INSERT INTO number_order
    (id, purchase_id, user_id, status, supplier, supplier_ref, phone_number, cost, created_at, resends)
    SELECT i, i, i, CASE WHEN i % 50 = 0 THEN 'active' ELSE 'completed' END,
    'smscode', '' || i, '+62811', 15000, {at}, 0 FROM {orders};
INSERT INTO ledger_entry (source, destination, amount, currency, kind, idempotency_key, created_at)
    SELECT 'gateway:operator', 'wallet:' || (1 + i % {count}), 100000, 'IDR', 'topup', 't' || i, {at}
    FROM {top_ups};
INSERT INTO ledger_entry (source, destination, amount, currency, kind, idempotency_key, order_id, created_at)
    SELECT 'wallet:' || i, 'held:' || i, 18000, 'IDR', 'hold', 'order:' || i || ':hold', i, {at}
    FROM {orders};
INSERT INTO ledger_entry (source, destination, amount, currency, kind, idempotency_key, order_id, created_at)
    SELECT 'held:' || i, 'revenue', 18000, 'IDR', 'capture', 'order:' || i || ':settle', i, {at}
    FROM {orders} WHERE i % 50 <> 0;
UPDATE account SET balance
    = coalesce((SELECT sum(amount) FROM ledger_entry WHERE destination = name), 0)
    - coalesce((SELECT sum(amount) FROM ledger_entry WHERE source = name), 0)
"""


async def measure() -> dict[str, float]:
    """On SQLite, and on PostgreSQL where there is a server."""
    with tempfile.TemporaryDirectory() as folder:
        figures = await _measure(f"sqlite:///{Path(folder) / 'bench.db'}", "SQLite")
    try:
        async with _server() as url:
            return figures | await _measure(url, "PostgreSQL")
    except OSError:
        return figures


async def _measure(url: str, name: str) -> dict[str, float]:
    database = Database(url)
    try:
        await upgrade(database)
        await _fill(database)
        return {f"{name}: {what}": figure for what, figure in (await _look(database)).items()}
    finally:
        await database.aclose()


async def _look(database: Database) -> dict[str, float]:
    audit = Audit(database, SystemClock(), currency="IDR")
    quiet = await _commits(database)
    quick, _ = await _examine(audit, full=False)
    looking = asyncio.create_task(_examine(audit, full=True))
    busy = await _commits(database)
    full, entries = await looking
    return {
        "entries": entries,
        "quick look, ms": quick,
        "full look, ms": full,
        "commit p99 ms, quiet": quiet[int(len(quiet) * 0.99)],
        "commit p99 ms, meanwhile": busy[int(len(busy) * 0.99)],
    }


async def _examine(audit: Audit, *, full: bool) -> tuple[float, int]:
    """Milliseconds, and how many entries there were."""
    began = perf_counter()
    report = await audit.examine(full=full)
    assert report.agrees
    return (perf_counter() - began) * 1000, report.entries or 0


async def _commits(database: Database) -> list[float]:
    """Milliseconds of small commits, one after another, sorted."""
    times = []
    for number in range(COMMITS):
        began = perf_counter()
        async with database.write() as session:
            await settings.put(session, "bench", str(number), now=SystemClock().now())
        times.append((perf_counter() - began) * 1000)
    return sorted(times)


async def _fill(database: Database) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n"
    at = "'2026-02-25 10:00:00.000000'" if database.is_sqlite else "timestamptz '2026-02-25 10:00:00Z'"
    statements = SHOP.format(
        at=at,
        count=RENTERS,
        renters=f"({numbers.format(RENTERS)}) AS r",
        orders=f"({numbers.format(ORDERS)}) AS o",
        top_ups=f"({numbers.format(TOP_UPS)}) AS t",
    )
    async with database.write() as session:
        connection = await session.connection()
        for statement in statements.split(";\n"):
            await connection.exec_driver_sql(statement)
        await connection.exec_driver_sql("ANALYZE")


@asynccontextmanager
async def _server() -> AsyncIterator[str]:
    """A database of this run alone."""
    name = f"numlet_bench_{token_hex(6)}"
    server = await asyncpg.connect(f"{POSTGRES}/postgres", timeout=5)
    try:
        await server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{POSTGRES}/{name}"
        finally:
            await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await server.close()

"""A catalog of 100 services in 150 countries at 3 suppliers: what a refresh costs the event loop."""

import asyncio
import string
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.process import calm_garbage_collector
from db import migrate
from db.session import Database
from services.breaker import OPENS_AFTER
from services.catalog import Catalog
from services.clock import Clock, SystemClock
from services.odds import Odds
from services.pauses import Pauses
from services.pricing import Pricing
from services.rates import Rates
from services.suppliers.base import Capabilities, Quote
from services.supply import Suppliers

SERVICES = 100
COUNTRIES = [first + second for first in string.ascii_uppercase for second in string.ascii_uppercase][:150]
SUPPLIERS = ("a", "b", "c")
ROUNDS = 3


class Vendor:
    """Sells everything; a tenth of its prices change from one question to the next."""

    capabilities = Capabilities(services=True)

    def __init__(self, name: str) -> None:
        self.name = name
        self._asked = 0

    async def exchange_rate(self, currency: str, pivot: str) -> Decimal:
        return Decimal(1)

    async def quotes(self) -> list[Quote]:
        self._asked += 1
        found: list[Quote] = []
        for service in range(SERVICES):
            found += self._quotes_of(service)
            await asyncio.sleep(0)
        return found

    def _quotes_of(self, service: int) -> list[Quote]:
        return [
            Quote(
                f"{service}-{country}",
                country,
                Decimal(1000 + service + (0 if number % 10 else self._asked)),
                "IDR",
                stock=50,
                service_name=f"Service {service}",
                service_code=f"s{service}",
            )
            for number, country in enumerate(COUNTRIES)
        ]


def catalog_on(database: Database, suppliers: Suppliers, clock: Clock) -> Catalog:
    pricing, pauses, odds = Pricing(database, clock), Pauses(database, clock), Odds(database, clock)
    return Catalog(database, clock, suppliers, pricing, pauses, Rates({"IDR"}), odds, currency="IDR")


async def measure() -> dict[str, float]:
    worked: list[float] = []
    away: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.db'}")
        await migrate.upgrade(database)
        clock = SystemClock()
        suppliers = Suppliers([Vendor(name) for name in SUPPLIERS], clock)  # type: ignore[misc]
        catalog = catalog_on(database, suppliers, clock)
        calm_garbage_collector()
        watching = asyncio.create_task(watch(worked, away))
        began, used = time.perf_counter(), time.thread_time()
        for _ in range(ROUNDS):
            for name in SUPPLIERS:
                await catalog.refresh(name)
        count = ROUNDS * len(SUPPLIERS)
        took, used = (time.perf_counter() - began) / count, (time.thread_time() - used) / count
        watching.cancel()
        hidden = await _hide(catalog, suppliers, clock)
        await database.aclose()
    return {
        "offers of a supplier": SERVICES * len(COUNTRIES),
        "refresh, ms": took * 1000,
        "of them in the loop, ms": used * 1000,
        "loop held, longest ms of its own work (bar: at most 50)": max(worked),
        "the same by the clock, with what other programs took": max(away),
        **hidden,
    }


async def _hide(catalog: Catalog, suppliers: Suppliers, clock: Clock) -> dict[str, float]:
    """A product is refused, a supplier goes out of order: what a reader pays until there is a new index."""
    worked: list[float] = []
    read: list[float] = []
    watching = asyncio.create_task(watch(worked, []))
    for name in SUPPLIERS[1:]:
        catalog.sold_out(*catalog.lines()[0].routes[0].key)
        read.append(await _read(catalog))
        await catalog.keep_up()
        for _ in range(OPENS_AFTER):
            suppliers.health(name).breaker.fail(clock.now())
        read.append(await _read(catalog))
        await catalog.keep_up()
    watching.cancel()
    return {
        "something hidden: reading all services and one, longest ms": max(read),
        "the same: loop held, longest ms of its own work (bar: at most 50)": max(worked),
    }


async def _read(catalog: Catalog) -> float:
    await asyncio.sleep(0.002)
    began = time.thread_time()
    catalog.of_service(catalog.services()[0].id or 0)
    took = (time.thread_time() - began) * 1000
    await asyncio.sleep(0.002)
    return took


async def watch(worked: list[float], away: list[float]) -> Any:
    """How long the loop was away each time, in ms: of its own work, where other programs do not count,
    and by the clock."""
    while True:
        before, work_before = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.001)
        worked.append((time.thread_time() - work_before) * 1000)
        away.append((time.perf_counter() - before) * 1000)

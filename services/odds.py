"""How often, and how soon, a code comes: counted from our own orders, and careful with small numbers.

An order that had its code counts for its route, one that ended without counts against it: when it expired,
and when it was given up after a fair wait. What was canceled sooner says nothing.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, islice
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from db import outcomes
from db.models import Order, OrderStatus, Purchase
from db.session import Database
from services.clock import Clock

WINDOW = timedelta(days=30)
KEPT = timedelta(days=180)
"""How long counts are kept: the statistics hold 90 days against the 90 before them."""
FAIR_WAIT = timedelta(minutes=2)
"""Who waited that long for a code and then gave up had none."""
LIMITS = (10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200)
"""Seconds; a code is counted under the first of them within which it came."""
FAILED = -1
"""Where those without a code are counted."""
SAMPLE = 20
"""Fewer orders than that are not shown to anybody."""
LARGE_SAMPLE = 100
"""From then on a single percent means something."""
PRIOR = 10
"""So many orders of the wider kind count beside a route's own."""
UNKNOWN = 0.7
"""The rate of a shop that has not sold anything yet. All routes share it, so it decides nothing."""
SLICE = 500


class Kind(NamedTuple):
    """What is measured apart from everything else."""

    service_id: int
    country: str
    supplier: str
    network: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What may be told to people."""

    percent: int
    """How many of 100 orders had a code: from 1 to 99, in steps of five where there were few."""
    seconds: int | None
    """Half of the codes came within that; None where it is more than twenty minutes."""


@dataclass(slots=True)
class _Tally:
    codes: int = 0
    orders: int = 0

    def add(self, other: "_Tally") -> None:
        self.codes += other.codes
        self.orders += other.orders

    def rate(self, prior: float) -> float:
        """The mean of a Beta distribution that begins as `PRIOR` orders with the prior rate."""
        return (self.codes + PRIOR * prior) / (self.orders + PRIOR)


@dataclass(frozen=True, slots=True)
class _Book:
    """All that is known at a moment; replaced whole."""

    rates: dict[Kind, float] = field(default_factory=dict)
    measured: dict[Kind, Measured] = field(default_factory=dict)
    in_country: dict[tuple[str, str], float] = field(default_factory=dict)
    """By supplier and country: for what it has not sold there yet."""
    of_supplier: dict[str, float] = field(default_factory=dict)
    of_shop: float = UNKNOWN


class Odds:
    """Written with the orders themselves, read again every few minutes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._book = _Book()

    async def note_code(self, session: AsyncSession, order: Order, purchase: Purchase) -> None:
        """An order's first code is here."""
        waited = self._clock.now() - (order.activated_at or order.created_at)
        await self._count(session, order, purchase, bisect_left(LIMITS, waited.total_seconds()))

    async def note_end(
        self, session: AsyncSession, order: Order, purchase: Purchase, status: OrderStatus
    ) -> None:
        """An order has ended without a code. `order`: as it was before."""
        gave_up_at = order.cancel_requested_at or self._clock.now()
        waited = gave_up_at - (order.activated_at or order.created_at)
        if status is OrderStatus.EXPIRED or waited >= FAIR_WAIT:
            await self._count(session, order, purchase, FAILED)

    async def _count(self, session: AsyncSession, order: Order, purchase: Purchase, bucket: int) -> None:
        await outcomes.count(
            session,
            day=day_of(self._clock.now()),
            service_id=purchase.service_id,
            country=purchase.country,
            supplier=order.supplier or "",
            network=purchase.network or "",
            bucket=bucket,
        )

    async def refresh(self) -> None:
        """Read the counts of the window anew, and forget older ones."""
        now = self._clock.now()
        async with self._database.write() as session:
            await outcomes.purge(session, before=day_of(now - KEPT))
        found: dict[Kind, dict[int, int]] = defaultdict(dict)
        async with self._database.read() as session:
            async for rows in outcomes.totals(session, since=day_of(now - WINDOW), at_a_time=SLICE):
                for service_id, country, supplier, network, bucket, count in rows:
                    found[Kind(service_id, country, supplier, network or None)][bucket] = count
        self._book = await _written(found)

    def rate(self, kind: Kind) -> float:
        """The share of orders that get a code, estimated: few orders say little more than wider kinds do."""
        book = self._book
        rate = book.rates.get(kind) or book.in_country.get((kind.supplier, kind.country))
        return rate or book.of_supplier.get(kind.supplier, book.of_shop)

    def measured(self, kind: Kind) -> Measured | None:
        """None where there were too few orders to say."""
        return self._book.measured.get(kind)


async def _written(found: dict[Kind, dict[int, int]]) -> _Book:
    """From counts to rates, the widest kind first; others have their turn in between."""
    shop = _Tally()
    suppliers: dict[str, _Tally] = defaultdict(_Tally)
    countries: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for part in _slices(found):
        for kind in part:
            tally = _tally(found[kind])
            for wider in (shop, suppliers[kind.supplier], countries[kind.supplier, kind.country]):
                wider.add(tally)
        await asyncio.sleep(0)
    of_shop = shop.rate(UNKNOWN)
    of_supplier = {name: tally.rate(of_shop) for name, tally in suppliers.items()}
    in_country = {where: tally.rate(of_supplier[where[0]]) for where, tally in countries.items()}
    book = _Book({}, {}, in_country, of_supplier, of_shop)
    for part in _slices(found):
        for kind in part:
            tally = _tally(found[kind])
            rate = book.rates[kind] = tally.rate(in_country[kind.supplier, kind.country])
            if tally.orders >= SAMPLE:
                book.measured[kind] = Measured(_percent(rate, tally.orders), median_of(found[kind]))
        await asyncio.sleep(0)
    return book


def _tally(counts: dict[int, int]) -> _Tally:
    orders = sum(counts.values())
    return _Tally(orders - counts.get(FAILED, 0), orders)


def _percent(rate: float, orders: int) -> int:
    """Never certain, either way."""
    step = 1 if orders >= LARGE_SAMPLE else 5
    return min(max(step * round(100 * rate / step), step), 100 - step)


def median_of(counts: dict[int, int]) -> int | None:
    """The limit within which half of the codes came."""
    sums = list(accumulate(counts.get(bucket, 0) for bucket in range(len(LIMITS) + 1)))
    middle = bisect_left(sums, sums[-1] / 2)
    return LIMITS[middle] if sums[-1] and middle < len(LIMITS) else None


def day_of(moment: datetime) -> int:
    """In UTC, counted from 1 January 1970."""
    return int(moment.timestamp() // timedelta(days=1).total_seconds())


def _slices(found: Iterable[Kind]) -> Iterator[list[Kind]]:
    rest = iter(found)
    while part := list(islice(rest, SLICE)):
        yield part

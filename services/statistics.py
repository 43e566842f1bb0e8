"""How the shop fares: sums over a period, and beside them those of the period before it.

Days are days in UTC. The last day of a period is not over yet, so the period before it ends at the same hour
of its own last day: what is compared has had the same time.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession

from db import outcomes
from db import statistics as db_statistics
from db.session import Database
from db.statistics import Buyers, Money, Newcomers, Sale, Step
from services.clock import Clock
from services.odds import FAILED, LIMITS, day_of, median_of

_Row = TypeVar("_Row", Money, Buyers)


@dataclass(frozen=True, slots=True)
class Period:
    """Today and the days before it."""

    days: int
    since: datetime
    until: datetime

    @classmethod
    def of(cls, days: int, now: datetime) -> "Period":
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(days, midnight - timedelta(days=days - 1), now)

    @property
    def before(self) -> "Period":
        """As many days earlier."""
        shift = timedelta(days=self.days)
        return Period(self.days, self.since - shift, self.until - shift)

    @property
    def step(self) -> Step:
        return Step.HOUR if self.days == 1 else Step.DAY

    @property
    def moments(self) -> list[datetime]:
        """The beginnings of its days, or of today's hours; also of those that are still to come today."""
        length, count = (timedelta(hours=1), 24) if self.days == 1 else (timedelta(days=1), self.days)
        return [self.since + number * length for number in range(count)]


@dataclass(frozen=True, slots=True)
class Speed:
    """How orders through one supplier, or all of them, went: what `services/odds.py` counts."""

    supplier: str
    counts: dict[int, int]
    """Orders by bucket."""

    @property
    def orders(self) -> int:
        """Those that say something: with a code, or without one after a fair wait."""
        return sum(self.counts.values())

    @property
    def codes(self) -> int:
        return self.orders - self.counts.get(FAILED, 0)

    @property
    def percent(self) -> int | None:
        """How many of 100 orders had a code; None without any order."""
        return round(100 * self.codes / self.orders) if self.orders else None

    @property
    def median_seconds(self) -> int | None:
        """Half of the codes came within that; None without any, and where it is more than twenty minutes."""
        return median_of(self.counts)


@dataclass(frozen=True, slots=True)
class Figures:
    """A period in a few numbers."""

    income: int
    cost: int
    orders: int
    buyers: int
    new_buyers: int
    came: int
    """How many people wrote to the bot for the first time."""
    speed: Speed

    @property
    def margin(self) -> int:
        return self.income - self.cost


@dataclass(frozen=True, slots=True)
class Summary:
    period: Period
    now: Figures
    before: Figures


class Statistics:
    """Counts when it is asked, in the database, and keeps nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def period(self, days: int) -> Period:
        return Period.of(days, self._clock.now())

    async def summary(self, period: Period) -> Summary:
        async with self._database.read() as session:
            return Summary(period, await _figures(session, period), await _figures(session, period.before))

    async def money(self, period: Period) -> list[tuple[datetime, Money]]:
        """For each day, or hour of today."""
        async with self._database.read() as session:
            rows = await db_statistics.money(
                session, since=period.since, until=period.until, step=period.step
            )
        return _filled(period, rows, lambda at: Money(at, 0, 0))

    async def sales(self, period: Period) -> list[Sale]:
        """By service and country, the most frequent first."""
        async with self._database.read() as session:
            return await db_statistics.sales(session, since=period.since, until=period.until)

    async def buyers(self, period: Period) -> list[tuple[datetime, Buyers]]:
        """For each day, or hour of today."""
        async with self._database.read() as session:
            rows = await db_statistics.buyers(
                session, since=period.since, until=period.until, step=period.step
            )
        return _filled(period, rows, lambda at: Buyers(at, 0, 0))

    async def newcomers(self, period: Period) -> Newcomers:
        async with self._database.read() as session:
            return await db_statistics.newcomers(session, since=period.since, until=period.until)

    async def speeds(self, period: Period) -> list[Speed]:
        """Of each supplier, the one with the most orders first."""
        async with self._database.read() as session:
            return await _speeds(session, period)


async def _figures(session: AsyncSession, period: Period) -> Figures:
    since, until = period.since, period.until
    moves = await db_statistics.money(session, since=since, until=until, step=Step.DAY)
    sold = await db_statistics.sales(session, since=since, until=until)
    buyers, new_buyers = await db_statistics.count_buyers(session, since=since, until=until)
    newcomers = await db_statistics.newcomers(session, since=since, until=until)
    return Figures(
        income=sum(move.income for move in moves),
        cost=sum(move.cost for move in moves),
        orders=sum(sale.orders for sale in sold),
        buyers=buyers,
        new_buyers=new_buyers,
        came=newcomers.came,
        speed=together(await _speeds(session, period)),
    )


async def _speeds(session: AsyncSession, period: Period) -> list[Speed]:
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    since, until = day_of(period.since), day_of(period.since) + period.days
    for supplier, bucket, orders in await outcomes.by_supplier(session, since=since, until=until):
        counts[supplier][bucket] = orders
    speeds = [Speed(supplier, found) for supplier, found in counts.items()]
    return sorted(speeds, key=lambda speed: (-speed.orders, speed.supplier))


def together(speeds: Sequence[Speed]) -> Speed:
    """All suppliers as one."""
    buckets = (FAILED, *range(len(LIMITS) + 1))
    sums = {bucket: sum(speed.counts.get(bucket, 0) for speed in speeds) for bucket in buckets}
    return Speed("", {bucket: count for bucket, count in sums.items() if count})


def _filled(
    period: Period, rows: Sequence[_Row], empty: Callable[[str], _Row]
) -> list[tuple[datetime, _Row]]:
    """A row for every moment that has begun."""
    found = {row.at: row for row in rows}
    begun = takewhile(lambda moment: moment <= period.until, period.moments)
    written = ((moment, moment.strftime(period.step.value[0])) for moment in begun)
    return [(moment, found.get(at) or empty(at)) for moment, at in written]

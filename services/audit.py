"""Whether all sums agree, and what the shop earns. Reads only, and changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel.ext.asyncio.session import AsyncSession

from db import audit as db_audit
from db import margin as db_margin
from db import payments, supplier_balances
from db.audit import Difference, Group
from db.models import SupplierBalance
from db.session import Database
from services.clock import Clock

MAY_GO_BELOW_ZERO = ("gateway:", "debt")
"""Accounts that stand for somebody outside who owes us."""
STARS_LOCKED_FOR = timedelta(days=21)
"""How long Telegram keeps Stars before it pays them out."""


class Check(StrEnum):
    SUM = "sum"
    """All accounts together are zero, in each currency."""
    BELOW_ZERO = "below_zero"
    """No wallet, hold or revenue is negative."""
    HOLDS = "holds"
    """What is on hold is the price of the orders that wait for a code, one by one."""
    DEBTS = "debts"
    """Nobody has money and a debt."""
    GUARD = "guard"
    """The database refuses to change ledger entries."""
    BALANCES = "balances"
    """Every balance is the sum of the account's entries."""
    SETTLEMENTS = "settlements"
    """Every ended order was captured or released in full, as its state says, and a code that came late was
    paid for in full where it was sold."""
    PAYMENTS = "payments"
    """What came in through Stars is what was credited for payments that have not gone back."""
    CREDITS = "credits"
    """Every payment in Stars was credited to whoever paid, as it was worth."""
    REFUNDS = "refunds"
    """Every order that was refunded had been paid for, and gave back as much to its renter."""


QUICK = (Check.SUM, Check.BELOW_ZERO, Check.HOLDS, Check.DEBTS, Check.GUARD)
"""Those that need not go through the whole ledger."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree: how many times, by how much in all, and one of them."""

    check: Check
    count: int
    amount: int
    """Minor units of `currency`; negative only where a sum is."""
    currency: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    at: datetime
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    groups: tuple[Group, ...]
    stars: "StarBooks"
    entries: int | None
    """How many the ledger has; None where they were not counted."""

    @property
    def agrees(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class StarBooks:
    """Whole Telegram Stars."""

    received: int
    returned: int
    """Of those, what went back to who paid, or is on its way."""
    locked: int
    """Of those that were kept, what Telegram does not pay out yet."""


@dataclass(frozen=True, slots=True)
class Margin:
    """Minor units of the shop's currency."""

    orders: int = 0
    """Captured: their first code came, or was bought late."""
    income: int = 0
    """What they brought, less what was given back, and less rewards for invitations."""
    cost: int = 0
    """What their numbers cost us."""

    @property
    def profit(self) -> int:
        return self.income - self.cost

    def __add__(self, other: "Margin") -> "Margin":
        return Margin(self.orders + other.orders, self.income + other.income, self.cost + other.cost)


@dataclass(frozen=True, slots=True)
class Earnings:
    """Margins of a period; the richest supplier and service first, the newest day first."""

    days: int
    total: Margin
    suppliers: Sequence[tuple[str, Margin]]
    services: Sequence[tuple[str, Margin]]
    by_day: Sequence[tuple[str, Margin]]


@dataclass(frozen=True, slots=True)
class SupplierBooks:
    """How a supplier's balance went over a period; minor units of its own currency."""

    last: SupplierBalance
    topped_up: int
    """What came in there that our orders do not explain: top-ups, in all likelihood."""
    unexplained: int
    """The rest that they do not explain; negative where the supplier took more than they cost."""


class Audit:
    """The books, looked at from outside."""

    def __init__(self, database: Database, clock: Clock, *, currency: str) -> None:
        self._database = database
        self._clock = clock
        self._currency = currency

    async def examine(self, *, full: bool) -> Report:
        """Take the time that it needs: `full` goes through the whole ledger, twice."""
        async with self._database.read() as session:
            return await examine(session, full=full, currency=self._currency, now=self._clock.now())

    async def earnings(self, *, days: int) -> Earnings:
        """Of today and the days before it, in UTC."""
        today = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        async with self._database.read() as session:
            rows = await db_margin.rows(session, since=today - timedelta(days=days - 1))
        margins = [(row, Margin(row.orders, row.income, row.cost)) for row in rows]
        return Earnings(
            days,
            sum((margin for _, margin in margins), Margin()),
            _richest_first((row.supplier, margin) for row, margin in margins),
            _richest_first((row.service, margin) for row, margin in margins),
            sorted(_grouped((row.day, margin) for row, margin in margins).items(), reverse=True),
        )

    async def suppliers(self, *, days: int) -> list[SupplierBooks]:
        """Each supplier that has told its balance, by what it told in the last `days` times 24 hours."""
        since = self._clock.now() - timedelta(days=days)
        async with self._database.read() as session:
            last = await supplier_balances.latest(session)
            period = await supplier_balances.since(session, since)
        return [_books(one, [each for each in period if each.supplier == one.supplier]) for one in last]


async def examine(session: AsyncSession, *, full: bool, currency: str, now: datetime) -> Report:
    """As `Audit.examine`, in the caller's session."""
    groups = await db_audit.groups(session)
    findings = [*_sums(groups), *_below_zero(groups)]
    findings += _found(Check.HOLDS, await db_audit.wrong_holds(session), currency)
    findings += _found(Check.DEBTS, await db_audit.wrong_debts(session), currency)
    if not await db_audit.is_guarded(session):
        findings.append(Finding(Check.GUARD, 1, 0, currency))
    entries = None
    if full:
        findings += _found(Check.BALANCES, await db_audit.wrong_balances(session), currency)
        findings += _found(Check.SETTLEMENTS, await db_audit.wrong_settlements(session), currency)
        findings += _found(Check.PAYMENTS, await db_audit.wrong_payments(session), currency)
        findings += _found(Check.CREDITS, await db_audit.wrong_credits(session), currency)
        findings += _found(Check.REFUNDS, await db_audit.wrong_refunds(session), currency)
        entries = await db_audit.count_entries(session)
    stars = StarBooks(*await payments.totals(session, locked_since=now - STARS_LOCKED_FOR))
    return Report(now, tuple(Check) if full else QUICK, tuple(findings), tuple(groups), stars, entries)


def _sums(groups: Iterable[Group]) -> list[Finding]:
    totals: dict[str, int] = {}
    for group in groups:
        totals[group.currency] = totals.get(group.currency, 0) + group.balance
    return [Finding(Check.SUM, 1, total, currency) for currency, total in totals.items() if total]


def _below_zero(groups: Iterable[Group]) -> list[Finding]:
    return [
        Finding(Check.BELOW_ZERO, group.below_zero, group.debts, group.currency, group.name)
        for group in groups
        if group.below_zero and not group.name.startswith(MAY_GO_BELOW_ZERO)
    ]


def _found(check: Check, wrong: Difference, currency: str) -> list[Finding]:
    return [Finding(check, wrong.count, wrong.amount, currency, wrong.example)] if wrong.count else []


def _books(last: SupplierBalance, period: Iterable[SupplierBalance]) -> SupplierBooks:
    changes = [(one.unexplained or 0, one.tolerance) for one in period]
    topped_up = sum(change for change, tolerance in changes if change > tolerance)
    return SupplierBooks(last, topped_up, sum(change for change, _ in changes) - topped_up)


def _grouped(margins: Iterable[tuple[str, Margin]]) -> dict[str, Margin]:
    sums: dict[str, Margin] = {}
    for name, margin in margins:
        sums[name] = sums.get(name, Margin()) + margin
    return sums


def _richest_first(margins: Iterable[tuple[str, Margin]]) -> list[tuple[str, Margin]]:
    return sorted(_grouped(margins).items(), key=lambda item: item[1].profit, reverse=True)

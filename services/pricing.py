"""From what a number costs us to what it costs the renter."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from db import pricing_rules
from db.models import PricingRule
from db.session import Database
from services import acts
from services.acts import What
from services.clock import Clock
from services.scopes import Scope, Scoped

HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """Amounts are minor units of the shop's currency."""

    percent: Decimal
    """On the cost; below zero it takes something off."""
    fixed: int = 0
    minimum: int = 0
    step: int = 1
    """Prices are rounded up to multiples of it."""
    below_cost: bool = False
    """Whether a number may be sold for less than it costs us; otherwise what is asked is never less."""

    def price(self, cost: int) -> int:
        """The renter's price for something that costs us `cost`; rounded up, the one rounding there is."""
        return self._rounded(self._asked(cost) if self.below_cost else max(self._asked(cost), cost))

    def loses(self, cost: int) -> bool:
        """Whether it asks for less than `cost`."""
        return self._rounded(self._asked(cost)) < cost

    def _asked(self, cost: int) -> int:
        exact = cost * (100 + self.percent) / 100
        return max(int(-(-exact // 1)) + self.fixed, self.minimum, 1)

    def _rounded(self, amount: int) -> int:
        return -(-amount // self.step) * self.step


class Tariff:
    """All rules of a moment, and what goes for the rest. It never changes: another takes its place."""

    def __init__(self, default: Rule, rules: Scoped[Rule]) -> None:
        self.default = default
        self._rules = rules

    @property
    def rules(self) -> dict[Scope, Rule]:
        """The most exact last."""
        return self._rules.things

    @property
    def services(self) -> frozenset[int]:
        """Those that have rules of their own."""
        return self._rules.services

    def own(self, scope: Scope) -> Rule | None:
        """The rule about exactly this."""
        return self._rules.things.get(scope)

    def rule(self, supplier: str, service_id: int | None, country: str) -> Rule:
        """The most exact one that fits."""
        return self._rules.find(supplier, service_id, country) or self.default

    def with_rule(self, scope: Scope, rule: Rule | None) -> "Tariff":
        """The same but for one rule; None leaves it out."""
        rules = self._rules.with_thing(scope, rule) if rule else self._rules.without(scope)
        return Tariff(self.default, rules)


class Pricing:
    """Keeps the rules, and tells whoever draws prices that they have changed."""

    def __init__(self, database: Database, clock: Clock, *, markup_percent: Decimal = Decimal(20)) -> None:
        self._database = database
        self._clock = clock
        self.tariff = Tariff(Rule(markup_percent), Scoped({}))
        self._listeners: list[Callable[[], Awaitable[None]]] = []

    def follow(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Call it after each change."""
        self._listeners.append(listener)

    async def load(self) -> None:
        async with self._database.read() as session:
            rows = await pricing_rules.all_rules(session)
        rules = {Scope(row.supplier, row.service_id, row.country): _rule(row) for row in rows}
        self.tariff = Tariff(self.tariff.default, Scoped(rules))

    async def save(self, scope: Scope, rule: Rule, *, by: int, subject: str) -> None:
        """Have a rule apply from now on, in place of the one about the same. `subject`: its scope, in
        words."""
        async with self._database.write() as session:
            await pricing_rules.put(session, scope, **_row(rule), updated_at=self._clock.now())
            await self._record(session, self.tariff.own(scope), rule, by=by, subject=subject)
        await self._change(scope, rule)

    async def remove(self, scope: Scope, *, by: int, subject: str) -> None:
        """Let the next less exact rule apply."""
        if (rule := self.tariff.own(scope)) is None:
            return
        async with self._database.write() as session:
            await pricing_rules.remove(session, scope)
            await self._record(session, rule, None, by=by, subject=subject)
        await self._change(scope, None)

    async def _change(self, scope: Scope, rule: Rule | None) -> None:
        self.tariff = self.tariff.with_rule(scope, rule)
        for listener in self._listeners:
            await listener()

    async def _record(
        self, session: AsyncSession, was: Rule | None, rule: Rule | None, *, by: int, subject: str
    ) -> None:
        await acts.record(
            session,
            What.PRICE,
            by=by,
            now=self._clock.now(),
            subject=subject,
            before=_facts(was),
            after=_facts(rule),
        )


def _rule(row: PricingRule) -> Rule:
    percent = Decimal(row.markup) / HUNDREDTHS
    return Rule(percent, row.fixed, row.minimum, row.step, row.below_cost)


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "markup": int(rule.percent * HUNDREDTHS),
        "fixed": rule.fixed,
        "minimum": rule.minimum,
        "step": rule.step,
        "below_cost": rule.below_cost,
    }


def _facts(rule: Rule | None) -> dict[str, Any]:
    """As the trail shows it."""
    if rule is None:
        return {}
    facts: dict[str, Any] = {"markup": f"{rule.percent.normalize():f} %"}
    facts |= {"fixed": rule.fixed} if rule.fixed else {}
    facts |= {"minimum": rule.minimum} if rule.minimum else {}
    facts |= {"step": rule.step} if rule.step > 1 else {}
    return facts | ({"below_cost": True} if rule.below_cost else {})

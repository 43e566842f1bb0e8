"""Changing prices with open eyes: what a rule would do to everything that is for sale, before it does."""

import asyncio
from dataclasses import dataclass, replace
from operator import attrgetter

from services.catalog import Catalog
from services.errors import BelowCost
from services.pricing import Pricing, Rule, Tariff
from services.scopes import Scope

SLICE = 200
"""How many lines are gone through before others get their turn."""


@dataclass(frozen=True, slots=True)
class Change:
    """The price of a line, in minor units of the shop's currency."""

    service_id: int
    country: str
    before: int
    after: int

    @property
    def ratio(self) -> float:
        return self.after / self.before


@dataclass(slots=True)
class Preview:
    """What a rule would change."""

    lines: int = 0
    """All that is for sale."""
    dearer: int = 0
    cheaper: int = 0
    below_cost: int = 0
    """Lines that the rule would sell for less than they cost us."""
    least: Change | None = None
    """The cheapest of the new prices."""
    most: Change | None = None
    """The most expensive of them."""
    rise: Change | None = None
    """The greatest, for its price."""
    fall: Change | None = None

    @property
    def changed(self) -> int:
        return self.dearer + self.cheaper

    def take(self, change: Change) -> None:
        self.lines += 1
        if change.before == change.after:
            return
        self.least = min(self.least or change, change, key=attrgetter("after"))
        self.most = max(self.most or change, change, key=attrgetter("after"))
        if change.after > change.before:
            self.dearer += 1
            self.rise = max(self.rise or change, change, key=attrgetter("ratio"))
        else:
            self.cheaper += 1
            self.fall = min(self.fall or change, change, key=attrgetter("ratio"))


class Repricing:
    def __init__(self, catalog: Catalog, pricing: Pricing) -> None:
        self._catalog = catalog
        self._pricing = pricing

    @property
    def tariff(self) -> Tariff:
        return self._pricing.tariff

    async def preview(self, scope: Scope, rule: Rule | None) -> Preview:
        """Compare all prices of now with those under a rule, or without the one about `scope` (None).

        Where it would sell below cost, those prices are shown: it can be saved so, or not at all.
        """
        rule = rule and replace(rule, below_cost=True)
        tariff, seen = self.tariff.with_rule(scope, rule), Preview()
        for number, line in enumerate(self._catalog.lines()):
            if not number % SLICE:
                await asyncio.sleep(0)
            rules = [(tariff.rule(r.supplier, line.service_id, line.country), r.cost) for r in line.routes]
            price = min(found.price(cost) for found, cost in rules)
            seen.take(Change(line.service_id, line.country, line.price, price))
            seen.below_cost += any(found is rule and found.loses(cost) for found, cost in rules)
        return seen

    async def save(self, scope: Scope, rule: Rule, *, by: int, forced: bool = False) -> None:
        """Have a rule apply from now on. Raises BelowCost unless `forced`.

        Where it is not forced and costs rise later, prices follow them: nothing is sold below cost.
        """
        if not forced and (count := (await self.preview(scope, rule)).below_cost):
            raise BelowCost(count=count)
        await self._pricing.save(
            scope, replace(rule, below_cost=forced), by=by, subject=self._catalog.subject(scope)
        )

    async def remove(self, scope: Scope, *, by: int) -> None:
        await self._pricing.remove(scope, by=by, subject=self._catalog.subject(scope))

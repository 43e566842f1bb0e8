"""The index of what is for sale: a snapshot, and how one is made of the offers of all suppliers."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from db.models import Service
from db.offers import Terms
from services.lines import Line, Route
from services.odds import Kind, Odds
from services.pauses import Pauses
from services.pricing import Pricing
from services.search import SearchIndex

KeyT = TypeVar("KeyT", int, str)
ItemT = TypeVar("ItemT")
Offers = Mapping[tuple[str, str], Terms]
"""By supplier and product."""
Routes = dict[tuple[int | None, str], list[Route]]
"""By service (None: for any) and country."""

SLICE = 500
"""Of tens of thousands of offers, how many are gone through before others get their turn."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is not offered for now, whatever its supplier says of its stock."""

    suppliers: frozenset[str] = frozenset()
    """Those that are out of order."""
    routes: frozenset[tuple[str, str]] = frozenset()
    """By supplier and product: those that were refused."""

    def covers(self, route: tuple[str, str]) -> bool:
        return route[0] in self.suppliers or route in self.routes


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """A snapshot of everything for sale; replaced whole, so readers never see half of a refresh."""

    lines: dict[tuple[int, str], Line] = field(default_factory=dict)
    networks: Routes = field(default_factory=dict)
    """Those that lead to one mobile network."""
    by_service: dict[int, list[Line]] = field(default_factory=dict)
    """The best stocked first, and the lines of each from the cheapest on."""
    by_country: dict[str, list[Line]] = field(default_factory=dict)
    """Likewise."""
    search: SearchIndex | None = None
    told: frozenset[str] = frozenset()
    """The suppliers whose offers are in it."""
    hidden: Hidden = Hidden()
    """What was left out."""


class Indexing:
    """Makes indexes, at the prices, odds and pauses of the moment; the loop has its turn all the while."""

    def __init__(self, pricing: Pricing, pauses: Pauses, odds: Odds) -> None:
        self._pricing = pricing
        self._pauses = pauses
        self._odds = odds

    async def build(
        self,
        offers: Offers,
        services: Mapping[int, Service],
        suppliers: Container[str],
        hidden: Hidden,
        *,
        told: frozenset[str],
    ) -> Index:
        """`suppliers`: those that are connected."""
        routes, networks = await self._routes(offers, suppliers, hidden)
        lines: dict[tuple[int, str], Line] = {}
        for part in slices((await self._spread(routes, services)).items()):
            lines.update((key, self.line(*key, found)) for key, found in part)
            await asyncio.sleep(0)
        by_service = await _grouped(lines.values(), lambda line: line.service_id)
        by_country = await _grouped(lines.values(), lambda line: line.country)
        names = [(key, services[key].name, (services[key].code,)) for key in by_service]
        search = SearchIndex(names, list(by_country))
        return Index(lines, networks, by_service, by_country, search, told, hidden)

    def line(
        self, service_id: int, country: str, routes: Iterable[Route], network: str | None = None
    ) -> Line:
        """Routes in order of their price for a code that comes: the price divided by the odds of it.

        Of two that are equal, the cheaper one, and then the one whose supplier tells what there is.
        """

        def rank(route: Route) -> tuple[float, int, bool]:
            rate = self._odds.rate(Kind(service_id, country, route.supplier, route.network))
            return route.price / rate, route.price, route.stock is None

        ranked = tuple(sorted(routes, key=rank))
        odds = self._odds.measured(Kind(service_id, country, ranked[0].supplier, network))
        return Line(service_id, country, ranked, network, odds)

    def for_service(self, service_id: int, country: str, routes: list[Route]) -> list[Route]:
        """Routes for any service as they are sold for one, which may have rules and pauses of its own."""
        tariff = self._pricing.tariff
        if service_id in self._pauses.services:
            routes = [r for r in routes if not self._pauses.stops(r.supplier, service_id, country)]
        if service_id in tariff.services:
            rules = (tariff.rule(route.supplier, service_id, country) for route in routes)
            routes = [replace(r, price=rule.price(r.cost)) for r, rule in zip(routes, rules, strict=True)]
        return routes

    async def _routes(
        self, offers: Offers, suppliers: Container[str], hidden: Hidden
    ) -> tuple[Routes, Routes]:
        """What can be had now: to whichever mobile network comes, and to one of them."""
        routes: Routes = defaultdict(list)
        networks: Routes = defaultdict(list)
        for part in slices(list(offers.items())):
            for key, terms in part:
                is_there = key[0] in suppliers and terms.stock != 0 and not hidden.covers(key)
                if is_there and not self._pauses.stops(key[0], terms.service_id, terms.country):
                    found = routes if terms.network is None else networks
                    found[terms.service_id, terms.country].append(self._route(*key, terms))
            await asyncio.sleep(0)
        return routes, networks

    def _route(self, supplier: str, product_ref: str, terms: Terms) -> Route:
        rule = self._pricing.tariff.rule(supplier, terms.service_id, terms.country)
        price = rule.price(terms.cost)
        return Route(supplier, product_ref, terms.cost, price, terms.stock, terms.network)

    async def _spread(self, routes: Routes, services: Iterable[int]) -> dict[tuple[int, str], list[Route]]:
        """Routes by service and country, those for any service under each that may be sold."""
        found: dict[tuple[int, str], list[Route]] = defaultdict(list)
        for part in slices(routes.items()):
            for (service_id, country), some in part:
                if service_id is not None:
                    found[service_id, country] += some
                    continue
                for id in services:
                    if own := self.for_service(id, country, some):
                        found[id, country] += own
            await asyncio.sleep(0)
        return found


def slices(items: Iterable[ItemT]) -> Iterator[list[ItemT]]:
    """All of them, in lists of which each takes a few milliseconds."""
    rest = iter(items)
    while part := list(islice(rest, SLICE)):
        yield part


async def _grouped(lines: Iterable[Line], key: Callable[[Line], KeyT]) -> dict[KeyT, list[Line]]:
    """Lines by key, the best stocked first, and of each the cheapest first."""
    groups: dict[KeyT, list[Line]] = defaultdict(list)
    for part in slices(lines):
        for line in part:
            groups[key(line)].append(line)
        await asyncio.sleep(0)
    stocks: dict[KeyT, int] = {}
    for k, own in groups.items():
        own.sort(key=lambda line: line.price)
        stocks[k] = sum(line.stock for line in own)
        await asyncio.sleep(0)
    return {k: groups[k] for k in sorted(groups, key=lambda k: -stocks[k])}

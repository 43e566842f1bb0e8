"""What can be rented now, and for how much. Refreshed in the background; no reader waits for anybody.

What is refused, or whose supplier goes out of order, is hidden from readers at once; the index, which takes
a good part of a second, is made without it a little later.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import structlog

from db import offers
from db.models import Service
from db.offers import Terms
from db.session import Database
from services.catalog_index import SLICE, Hidden, Index, Indexing, slices
from services.clock import Clock
from services.lines import Line, Route, Sort, arranged, network_key
from services.money import to_minor
from services.odds import Odds
from services.pauses import Pauses
from services.pricing import Pricing
from services.rates import Rates
from services.scopes import Scope
from services.search import Match, learn_names
from services.suppliers.base import Quote
from services.supply import Suppliers
from services.well_known import ANY_SERVICE, WELL_KNOWN

log = structlog.get_logger()

MOST_STOCK = 1_000_000
SUBJECT_LIMIT = 64
"""Characters that the trail keeps of what an act was about."""
_MEANT, _FOUND = 200, 20
"""How many meanings of a query are looked at, and how many of those that are for sale are told."""
_SURE = 90
"""What the best meaning must score for us to say that it is sold out."""


class Catalog:
    """The shop's shelf."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        suppliers: Suppliers,
        pricing: Pricing,
        pauses: Pauses,
        rates: Rates,
        odds: Odds,
        *,
        currency: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._pricing = pricing
        self._pauses = pauses
        self._rates = rates
        self._indexing = Indexing(pricing, pauses, odds)
        self._currency = currency
        self._services: dict[int, Service] = {}
        self._offers: dict[tuple[str, str], Terms] = {}
        """By supplier and product."""
        self._told: set[str] = set()
        self._sold_out: frozenset[tuple[str, str]] = frozenset()
        """Routes that were refused since their supplier last told its stock."""
        self._index = Index()
        self._building = asyncio.Lock()
        pricing.follow(self._rebuild)
        pauses.follow(self._rebuild)

    async def load(self) -> None:
        """At start: what the last run knew, so that the shop opens at once."""
        await asyncio.to_thread(learn_names)
        await self._pricing.load()
        await self._pauses.load()
        async with self._database.read() as session:
            self._know_services(await offers.services(session))
            async for part in offers.all_terms(session, at_a_time=SLICE):
                self._offers.update(part)
        self._told = {supplier for supplier, _ in self._offers}
        await self._rebuild()

    async def refresh(self, supplier: str) -> None:
        """Ask a supplier for all it sells and write down what changed.

        Raises UpstreamError; then everything stays as it was.
        """
        refused = {key for key in self._sold_out if key[0] == supplier}
        with self._suppliers.calling(supplier, always=True) as connected:
            await self._rates.refresh(connected)
            quotes = await connected.quotes()
        await self._add_services(quotes)
        changed = await self._changes(supplier, quotes)
        for part in slices(changed.items()):
            rows = [self._row(supplier, ref, terms) for ref, terms in part]
            # In commits of their own, so that nobody who has to write waits for all of them.
            async with self._database.write() as session:
                await offers.put(session, rows)
        self._offers.update(((supplier, ref), terms) for ref, terms in changed.items())
        self._told.add(supplier)
        # What was refused since we asked stays hidden: the answer may be older.
        await self._rebuild(told_again=refused)
        log.info("catalog.refreshed", supplier=supplier, products=len(quotes), changed=len(changed))

    def sold_out(self, supplier: str, product_ref: str) -> None:
        """A route was refused for want of numbers: hide it until its supplier tells its stock again."""
        self._sold_out |= {(supplier, product_ref)}

    async def keep_up(self) -> None:
        """Make the index anew where something else is hidden by now than when it was made."""
        if self._hidden() != self._index.hidden:
            await self._rebuild()

    @property
    def is_stocked(self) -> bool:
        """Whether every supplier has told what it sells, in this life of the shop or an earlier one."""
        return all(supplier.name in self._index.told for supplier in self._suppliers)

    def service(self, service_id: int) -> Service | None:
        return self._services.get(service_id)

    def known_services(self) -> list[Service]:
        """All that was ever for sale, or is blocked, by name."""
        return sorted(self._services.values(), key=lambda service: service.name.casefold())

    def known_countries(self) -> set[str]:
        """All where something was ever for sale."""
        return {terms.country for terms in self._offers.values()}

    def services(self) -> list[Service]:
        """Everything that has a line, best stocked first."""
        return [self._services[key] for key, own in self._index.by_service.items() if any(self._shown(own))]

    def countries(self) -> list[str]:
        """Every country that has a line, best stocked first."""
        return [key for key, own in self._index.by_country.items() if any(self._shown(own))]

    def edition(self) -> object:
        """Unequal to every other whenever what is for sale may be different."""
        return self._index, self._hidden()

    def lines(self) -> list[Line]:
        """Everything that is for sale."""
        return list(self._shown(self._index.lines.values()))

    def subject(self, scope: Scope) -> str:
        """What a rule or a pause is about, for the trail: "smscode · WhatsApp · ID"."""
        service = self._services.get(scope.service_id)
        parts = (scope.supplier, service.name if service else "", scope.country)
        return " · ".join(part for part in parts if part)[:SUBJECT_LIMIT]

    def of_service(self, service_id: int) -> list[Line]:
        """A service's lines, cheapest first."""
        return arranged(self._shown(self._index.by_service.get(service_id, ())), Sort.PRICE)

    def of_country(self, country: str) -> list[Line]:
        """A country's lines, cheapest first."""
        return arranged(self._shown(self._index.by_country.get(country, ())), Sort.PRICE)

    def line(self, service_id: int, country: str, network: str | None = None) -> Line | None:
        """`network`: only routes that lead to this mobile network."""
        if network is None:
            found = self._index.lines.get((service_id, country))
            return next(self._shown([found]), None) if found else None
        lines = self.networks(service_id, country)
        return next((line for line in lines if line.network == network), None)

    def networks(self, service_id: int, country: str) -> list[Line]:
        """A line for each mobile network that can be chosen, by name."""
        networks = self._index.networks
        any_service = self._indexing.for_service(service_id, country, networks.get((None, country), []))
        found: dict[str, list[Route]] = defaultdict(list)
        for route in (*networks.get((service_id, country), ()), *any_service):
            found[route.network or ""].append(route)
        lines = [self._indexing.line(service_id, country, found[name], name) for name in sorted(found)]
        return list(self._shown(lines)) if self.line(service_id, country) else []

    def network_name(self, country: str, key: int) -> str | None:
        """The mobile network of a country that a button means by its `network_key`, for sale or not."""
        names = {offer.network for offer in self._offers.values() if offer.country == country}
        return next((name for name in names if name and network_key(name) == key), None)

    def search(self, text: str) -> list[tuple[int | None, str | None]]:
        """What a person may mean by `text`: services, countries and pairs that are for sale, best first."""
        # Far more than are shown: pairs that nobody sells must not push out those that are sold.
        pairs = ((match.service_id, match.country) for match in self._meant(text, limit=_MEANT))
        return list(islice((pair for pair in pairs if self._is_sold(*pair)), _FOUND))

    def missed(self, text: str) -> tuple[int, str] | None:
        """The service and the country that `text` surely names, where nobody sells that pair now."""
        for match in self._meant(text, limit=1):
            service_id, country = match.service_id, match.country
            if service_id is None or country is None or match.score < _SURE:
                continue
            if not self._is_sold(service_id, country):
                return service_id, country
        return None

    def _meant(self, text: str, *, limit: int) -> list[Match]:
        return self._index.search.find(text, limit=limit) if self._index.search else []

    def _is_sold(self, service_id: int | None, country: str | None) -> bool:
        if service_id is not None and country is not None:
            return self.line(service_id, country) is not None
        index = self._index
        own = index.by_country.get(country or "") if service_id is None else index.by_service.get(service_id)
        return any(self._shown(own or ()))

    def _shown(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Lines of the index without the routes that have been hidden since it was made."""
        hidden = self._hidden()
        if hidden == self._index.hidden:
            yield from lines
            return
        for line in lines:
            left = [route for route in line.routes if not hidden.covers(route.key)]
            if len(left) == len(line.routes):
                yield line
            elif left:
                yield self._indexing.line(line.service_id, line.country, left, line.network)

    def _hidden(self) -> Hidden:
        down = frozenset(s.name for s in self._suppliers if self._suppliers.health(s.name).is_down)
        return Hidden(down, self._sold_out)

    async def _add_services(self, quotes: Iterable[Quote]) -> None:
        known = {service.slug for service in self._services.values()}
        codes = {quote.service_name: quote.service_code for quote in quotes}
        new = {slug(name): {"name": name, "code": code} for name, code in codes.items() if name}
        rows = [{"slug": key} | row for key, row in new.items() if key]
        if None in codes:
            names_come = any(supplier.capabilities.services for supplier in self._suppliers)
            rows += [ANY_SERVICE] if names_come else [ANY_SERVICE, *WELL_KNOWN]
        rows = [row for row in rows if row["slug"] not in known]
        if rows:
            async with self._database.write() as session:
                await offers.add_services(session, rows)
                self._know_services(await offers.services(session))

    def _know_services(self, services: Iterable[Service]) -> None:
        self._services = {service.id: service for service in services if service.id is not None}

    async def _changes(self, supplier: str, quotes: Iterable[Quote]) -> dict[str, Terms]:
        """By product, what differs from what is known; what is gone, with a stock of zero."""
        ids = {service.slug: service.id for service in self._services.values()}
        by_name: dict[str | None, int | None] = {None: None}
        changed: dict[str, Terms] = {}
        gone = {ref for seller, ref in self._offers if seller == supplier}
        for part in slices(quotes):
            for quote in part:
                name = quote.service_name
                if name not in by_name:
                    by_name[name] = ids.get(slug(name or ""))
                terms = self._terms(quote, by_name[name])
                if terms:
                    gone.discard(quote.product_ref)
                    if terms != self._offers.get((supplier, quote.product_ref)):
                        changed[quote.product_ref] = terms
            await asyncio.sleep(0)
        known = {ref: self._offers[supplier, ref] for ref in gone}
        return changed | {ref: terms._replace(stock=0) for ref, terms in known.items() if terms.stock != 0}

    def _terms(self, quote: Quote, service_id: int | None) -> Terms | None:
        """None for what cannot be sold: no price in our currency, or no name."""
        if quote.service_name is not None and service_id is None:
            return None
        cost = self._rates.convert_decimal(quote.cost_decimal, quote.currency, self._currency)
        if cost is None or cost <= 0:
            return None
        stock = None if quote.stock is None else min(max(quote.stock, 0), MOST_STOCK)
        return Terms(service_id, quote.country, quote.network, to_minor(cost, self._currency), stock)

    def _row(self, supplier: str, product_ref: str, terms: Terms) -> dict[str, Any]:
        own = {"supplier": supplier, "product_ref": product_ref, "updated_at": self._clock.now()}
        return terms._asdict() | own

    async def _rebuild(self, told_again: Collection[tuple[str, str]] = ()) -> None:
        """`told_again`: refused routes whose supplier has told its stock since."""
        async with self._building:
            hidden = self._hidden()
            hidden = replace(hidden, routes=hidden.routes.difference(told_again))
            told = frozenset(self._told)
            # What is refused meanwhile is not in it yet, and hidden from readers until the next one is made.
            self._index = await self._indexing.build(
                self._offers, self._services, self._suppliers, hidden, told=told
            )
            self._sold_out = self._sold_out.difference(told_again)


def slug(name: str) -> str:
    """What makes two suppliers' names the same service: letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "-", name.casefold())[:64].strip("-")

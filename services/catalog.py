"""What can be rented now, and for how much. Refreshed in the background; no reader waits for anybody."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from db import offers
from db.models import Offer, Service
from db.session import Database
from services.clock import Clock
from services.money import to_minor
from services.pricing import Pricing
from services.rates import Rates
from services.search import SearchIndex
from services.suppliers.base import Quote
from services.supply import Suppliers

log = structlog.get_logger()

KeyT = TypeVar("KeyT", int, str)

MOST_STOCK = 1_000_000
BLOCKED_SERVICES = frozenset({"telegram"})
"""Telegram's terms for bots forbid renting numbers for Telegram itself."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way to get a number. `cost` and `price` are minor units of the shop's currency."""

    supplier: str
    product_ref: str
    cost: int
    price: int
    stock: int


@dataclass(frozen=True, slots=True)
class Line:
    """One service in one country: the best price and the stock over all suppliers that are well."""

    service_id: int
    country: str
    routes: tuple[Route, ...]
    """Cheapest first, never empty."""

    @property
    def price(self) -> int:
        return self.routes[0].price

    @property
    def stock(self) -> int:
        return sum(route.stock for route in self.routes)


@dataclass(frozen=True, slots=True)
class Group:
    """All lines of a service, or of a country."""

    key: int | str
    lines: tuple[Line, ...]

    @property
    def price(self) -> int:
        """The lowest."""
        return min(line.price for line in self.lines)

    @property
    def stock(self) -> int:
        return sum(line.stock for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Index:
    """A snapshot of everything for sale; replaced whole, so readers never see half of a refresh."""

    lines: dict[tuple[int, str], Line] = field(default_factory=dict)
    by_service: dict[int, Group] = field(default_factory=dict)
    by_country: dict[str, Group] = field(default_factory=dict)
    search: SearchIndex | None = None


class Catalog:
    """The shop's shelf."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        suppliers: Suppliers,
        pricing: Pricing,
        rates: Rates,
        *,
        currency: str,
        blocked: Collection[str] = BLOCKED_SERVICES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._pricing = pricing
        self._rates = rates
        self._currency = currency
        self._blocked = blocked
        self._services: dict[int, Service] = {}
        self._offers: dict[tuple[str, str], Offer] = {}
        self._index = _Index()
        self._down: frozenset[str] = frozenset()

    async def load(self) -> None:
        """At start: what the last run knew, so that the shop opens at once."""
        async with self._database.read() as session:
            self._know_services(await offers.services(session))
            self._offers = {(o.supplier, o.product_ref): o for o in await offers.all_offers(session)}
        self._rebuild()

    async def refresh(self, supplier: str) -> None:
        """Ask a supplier for all it sells and write down what changed.

        Raises UpstreamError; then everything stays as it was.
        """
        with self._suppliers.calling(supplier) as connected:
            await self._rates.refresh(connected)
            quotes = await connected.quotes()
        await self._add_services(quotes)
        changed = self._changes(supplier, quotes)
        async with self._database.write() as session:
            await offers.put(session, [_row(offer) for offer in changed])
        self._offers |= {(offer.supplier, offer.product_ref): offer for offer in changed}
        self._rebuild()
        log.info("catalog.refreshed", supplier=supplier, products=len(quotes), changed=len(changed))

    def service(self, service_id: int) -> Service | None:
        return self._services.get(service_id)

    def services(self) -> list[Group]:
        """Everything that has a line, best stocked first."""
        return list(self._current().by_service.values())

    def countries(self) -> list[Group]:
        """Every country that has a line, best stocked first."""
        return list(self._current().by_country.values())

    def of_service(self, service_id: int) -> Group | None:
        """A service's lines, cheapest first."""
        return self._current().by_service.get(service_id)

    def of_country(self, country: str) -> Group | None:
        """A country's lines, cheapest first."""
        return self._current().by_country.get(country)

    def line(self, service_id: int, country: str) -> Line | None:
        return self._current().lines.get((service_id, country))

    def search(self, text: str) -> list[tuple[int | None, str | None]]:
        """What a person may mean by `text`: services, countries and pairs that are for sale, best first."""
        index = self._current()
        if index.search is None:
            return []
        found = [(match.service_id, match.country) for match in index.search.find(text, limit=20)]
        return [pair for pair in found if None in pair or pair in index.lines]

    def _current(self) -> _Index:
        """The index without suppliers that are out of order."""
        if self._down_now() != self._down:
            self._rebuild()
        return self._index

    def _down_now(self) -> frozenset[str]:
        return frozenset(s.name for s in self._suppliers if self._suppliers.health(s.name).is_down)

    async def _add_services(self, quotes: Iterable[Quote]) -> None:
        known = {service.slug for service in self._services.values()}
        new = {slug(quote.service_name): quote for quote in quotes}
        rows = [
            {"slug": key, "name": quote.service_name, "code": quote.service_code}
            for key, quote in new.items()
            if key and key not in known
        ]
        if rows:
            async with self._database.write() as session:
                await offers.add_services(session, rows)
                self._know_services(await offers.services(session))

    def _know_services(self, services: Iterable[Service]) -> None:
        self._services = {service.id: service for service in services if service.id is not None}

    def _changes(self, supplier: str, quotes: Iterable[Quote]) -> list[Offer]:
        """Offers that differ from what is known; those that are gone, with a stock of zero."""
        ids = {service.slug: service.id for service in self._services.values()}
        fresh = [
            offer
            for quote in quotes
            if (offer := self._offer(supplier, quote, ids.get(slug(quote.service_name))))
        ]
        seen = {offer.product_ref for offer in fresh}
        gone = [
            Offer(**(_row(offer) | {"stock": 0, "updated_at": self._clock.now()}))
            for offer in self._offers.values()
            if offer.supplier == supplier and offer.product_ref not in seen and offer.stock
        ]
        return [offer for offer in fresh if not self._is_known(offer)] + gone

    def _is_known(self, offer: Offer) -> bool:
        known = self._offers.get((offer.supplier, offer.product_ref))
        return known is not None and _terms(known) == _terms(offer)

    def _offer(self, supplier: str, quote: Quote, service_id: int | None) -> Offer | None:
        """None for what cannot be sold: no price in our currency, no name, or a blocked service."""
        cost = self._rates.convert_decimal(quote.cost_decimal, quote.currency, self._currency)
        if cost is None or cost <= 0 or service_id is None or slug(quote.service_name) in self._blocked:
            return None
        return Offer(
            supplier=supplier,
            product_ref=quote.product_ref,
            service_id=service_id,
            country=quote.country,
            cost=to_minor(cost, self._currency),
            stock=min(max(quote.stock, 0), MOST_STOCK),
            updated_at=self._clock.now(),
        )

    def _rebuild(self) -> None:
        self._down = self._down_now()
        routes: dict[tuple[int, str], list[Route]] = defaultdict(list)
        for offer in self._offers.values():
            if offer.stock > 0 and offer.supplier in self._suppliers and offer.supplier not in self._down:
                routes[offer.service_id, offer.country].append(self._route(offer))
        lines = {
            key: Line(*key, tuple(sorted(found, key=lambda route: route.price)))
            for key, found in routes.items()
        }
        by_service = _groups(lines.values(), lambda line: line.service_id)
        by_country = _groups(lines.values(), lambda line: line.country)
        names = [(key, *self._names(key)) for key in by_service]
        self._index = _Index(lines, by_service, by_country, SearchIndex(names, list(by_country)))

    def _names(self, service_id: int) -> tuple[str, tuple[str, ...]]:
        service = self._services[service_id]
        return service.name, (service.code,)

    def _route(self, offer: Offer) -> Route:
        return Route(
            offer.supplier, offer.product_ref, offer.cost, self._pricing.price(offer.cost), offer.stock
        )


def slug(name: str) -> str:
    """What makes two suppliers' names the same service: letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "-", name.casefold())[:64].strip("-")


def _terms(offer: Offer) -> tuple[int, str, int, int]:
    return offer.service_id, offer.country, offer.cost, offer.stock


def _row(offer: Offer) -> dict[str, Any]:
    return offer.model_dump(exclude={"id"})


def _groups(lines: Iterable[Line], key: Callable[[Line], KeyT]) -> dict[KeyT, Group]:
    """Lines by key, cheapest first; the keys by stock, the best stocked first."""
    found: dict[KeyT, list[Line]] = defaultdict(list)
    for line in lines:
        found[key(line)].append(line)
    groups = {k: Group(k, tuple(sorted(v, key=lambda line: line.price))) for k, v in found.items()}
    return dict(sorted(groups.items(), key=lambda item: -item[1].stock))

"""What can be rented now, and for how much. Refreshed in the background; no reader waits for anybody."""

import re
import zlib
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
from services.well_known import ANY_SERVICE, WELL_KNOWN

log = structlog.get_logger()

KeyT = TypeVar("KeyT", int, str)

MOST_STOCK = 1_000_000
BLOCKED_SERVICES = frozenset({"telegram"})
"""Telegram's terms for bots forbid renting numbers for Telegram itself."""
SOME = 100
"""What an untold stock counts as, where it must be compared."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way to get a number. `cost` and `price` are minor units of the shop's currency."""

    supplier: str
    product_ref: str
    cost: int
    price: int
    stock: int | None
    """None where the supplier does not tell."""
    network: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.supplier, self.product_ref


@dataclass(frozen=True, slots=True)
class Line:
    """One service in one country: the best price and the stock over all suppliers that are well."""

    service_id: int
    country: str
    routes: tuple[Route, ...]
    """Cheapest first, never empty."""
    network: str | None = None
    """The mobile network that all routes lead to; None: whichever comes."""

    @property
    def price(self) -> int:
        return self.routes[0].price

    @property
    def stock(self) -> int:
        """As far as it is told."""
        return sum(route.stock or 0 for route in self.routes)

    @property
    def is_stock_told(self) -> bool:
        return all(route.stock is not None for route in self.routes)

    @property
    def most(self) -> int:
        """How many numbers may be asked for at once, as far as anybody knows."""
        return sum(SOME if route.stock is None else route.stock for route in self.routes)


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
    networks: dict[tuple[int | None, str], list[Route]] = field(default_factory=dict)
    """Routes to one mobile network, by service (None: for any) and country."""
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
        self._sold_out: set[tuple[str, str]] = set()
        """Routes that were refused since their supplier last told its stock."""
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
        with self._suppliers.calling(supplier, always=True) as connected:
            await self._rates.refresh(connected)
            quotes = await connected.quotes()
        await self._add_services(quotes)
        changed = self._changes(supplier, quotes)
        async with self._database.write() as session:
            await offers.put(session, [_row(offer) for offer in changed])
        self._offers |= {(offer.supplier, offer.product_ref): offer for offer in changed}
        self._sold_out = {key for key in self._sold_out if key[0] != supplier}
        self._rebuild()
        log.info("catalog.refreshed", supplier=supplier, products=len(quotes), changed=len(changed))

    def sold_out(self, supplier: str, product_ref: str) -> None:
        """A route was refused for want of numbers: hide it until its supplier tells its stock again."""
        self._sold_out.add((supplier, product_ref))
        self._rebuild()

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

    def line(self, service_id: int, country: str, network: str | None = None) -> Line | None:
        """`network`: only routes that lead to this mobile network."""
        if network is None:
            return self._current().lines.get((service_id, country))
        lines = self.networks(service_id, country)
        return next((line for line in lines if line.network == network), None)

    def networks(self, service_id: int, country: str) -> list[Line]:
        """A line for each mobile network that can be chosen, by name."""
        index = self._current()
        if (service_id, country) not in index.lines:
            return []
        found: dict[str, list[Route]] = defaultdict(list)
        for key in ((service_id, country), (None, country)):
            for route in index.networks.get(key, ()):
                found[route.network or ""].append(route)
        return [Line(service_id, country, _sorted(found[name]), name) for name in sorted(found)]

    def network_name(self, country: str, key: int) -> str | None:
        """The mobile network of a country that a button means by its `network_key`, for sale or not."""
        names = {offer.network for offer in self._offers.values() if offer.country == country}
        return next((name for name in names if name and network_key(name) == key), None)

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
        new = {
            slug(quote.service_name): {"name": quote.service_name, "code": quote.service_code}
            for quote in quotes
            if quote.service_name
        }
        rows = [{"slug": key} | row for key, row in new.items() if key]
        if any(quote.service_name is None for quote in quotes):
            names_come = any(supplier.capabilities.services for supplier in self._suppliers)
            rows += [ANY_SERVICE] if names_come else [ANY_SERVICE, *WELL_KNOWN]
        rows = [row for row in rows if row["slug"] not in known]
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
            if (offer := self._offer(supplier, quote, ids.get(slug(quote.service_name or ""))))
        ]
        seen = {offer.product_ref for offer in fresh}
        gone = [
            Offer(**(_row(offer) | {"stock": 0, "updated_at": self._clock.now()}))
            for offer in self._offers.values()
            if offer.supplier == supplier and offer.product_ref not in seen and offer.stock != 0
        ]
        return [offer for offer in fresh if not self._is_known(offer)] + gone

    def _is_known(self, offer: Offer) -> bool:
        known = self._offers.get((offer.supplier, offer.product_ref))
        return known is not None and _terms(known) == _terms(offer)

    def _offer(self, supplier: str, quote: Quote, service_id: int | None) -> Offer | None:
        """None for what cannot be sold: no price in our currency, no name, or a blocked service."""
        cost = self._rates.convert_decimal(quote.cost_decimal, quote.currency, self._currency)
        if cost is None or cost <= 0:
            return None
        if quote.service_name is not None and (
            service_id is None or slug(quote.service_name) in self._blocked
        ):
            return None
        return Offer(
            supplier=supplier,
            product_ref=quote.product_ref,
            service_id=service_id,
            country=quote.country,
            network=quote.network,
            cost=to_minor(cost, self._currency),
            stock=None if quote.stock is None else min(max(quote.stock, 0), MOST_STOCK),
            updated_at=self._clock.now(),
        )

    def _rebuild(self) -> None:
        self._down = self._down_now()
        routes: dict[tuple[int | None, str], list[Route]] = defaultdict(list)
        networks: dict[tuple[int | None, str], list[Route]] = defaultdict(list)
        for offer in self._offers.values():
            if self._is_live(offer):
                found = routes if offer.network is None else networks
                found[offer.service_id, offer.country].append(self._route(offer))
        lines = {key: Line(*key, _sorted(found)) for key, found in self._spread(routes).items()}
        by_service = _groups(lines.values(), lambda line: line.service_id)
        by_country = _groups(lines.values(), lambda line: line.country)
        names = [(key, *self._names(key)) for key in by_service]
        self._index = _Index(lines, networks, by_service, by_country, SearchIndex(names, list(by_country)))

    def _is_live(self, offer: Offer) -> bool:
        key = offer.supplier, offer.product_ref
        is_well = offer.supplier in self._suppliers and offer.supplier not in self._down
        return is_well and offer.stock != 0 and key not in self._sold_out

    def _spread(
        self, routes: dict[tuple[int | None, str], list[Route]]
    ) -> dict[tuple[int, str], list[Route]]:
        """Routes by service and country, those for any service under each that may be sold."""
        found: dict[tuple[int, str], list[Route]] = defaultdict(list)
        sellable = [id for id, service in self._services.items() if service.slug not in self._blocked]
        for (service_id, country), some in routes.items():
            for id in [service_id] if service_id is not None else sellable:
                found[id, country] += some
        return found

    def _names(self, service_id: int) -> tuple[str, tuple[str, ...]]:
        service = self._services[service_id]
        return service.name, (service.code,)

    def _route(self, offer: Offer) -> Route:
        price = self._pricing.price(offer.cost)
        return Route(offer.supplier, offer.product_ref, offer.cost, price, offer.stock, offer.network)


def slug(name: str) -> str:
    """What makes two suppliers' names the same service: letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "-", name.casefold())[:64].strip("-")


def network_key(name: str) -> int:
    """A mobile network's name, short enough for a button."""
    return zlib.crc32(name.encode())


def _terms(offer: Offer) -> tuple[int | None, str, str | None, int, int | None]:
    return offer.service_id, offer.country, offer.network, offer.cost, offer.stock


def _sorted(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Cheapest first; of two, the one whose supplier tells what there is."""
    return tuple(sorted(routes, key=lambda route: (route.price, route.stock is None)))


def _row(offer: Offer) -> dict[str, Any]:
    return offer.model_dump(exclude={"id"})


def _groups(lines: Iterable[Line], key: Callable[[Line], KeyT]) -> dict[KeyT, Group]:
    """Lines by key, cheapest first; the keys by stock, the best stocked first."""
    found: dict[KeyT, list[Line]] = defaultdict(list)
    for line in lines:
        found[key(line)].append(line)
    groups = {k: Group(k, tuple(sorted(v, key=lambda line: line.price))) for k, v in found.items()}
    return dict(sorted(groups.items(), key=lambda item: -item[1].stock))

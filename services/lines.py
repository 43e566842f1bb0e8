"""What is for sale, in shapes: routes to numbers, and lines of them."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.odds import Measured

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
    """Best first, never empty: in the order in which they are tried."""
    network: str | None = None
    """The mobile network that all routes lead to; None: whichever comes."""
    odds: Measured | None = None
    """Of the best route; None while too little is known."""

    @property
    def price(self) -> int:
        """The best route's."""
        return self.routes[0].price

    @property
    def lowest(self) -> int:
        """The cheapest route's price."""
        return min(route.price for route in self.routes)

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


class Sort(StrEnum):
    """What lines are arranged by; short, for buttons."""

    PRICE = "p"
    ODDS = "o"
    STOCK = "s"


def arranged(lines: Iterable[Line], sort: Sort) -> list[Line]:
    """The cheapest, the surest or the best stocked first; of those that are alike, the cheapest."""
    cheapest = sorted(lines, key=lambda line: line.price)
    match sort:
        case Sort.PRICE:
            return cheapest
        case Sort.ODDS:
            return sorted(cheapest, key=lambda line: -line.odds.percent if line.odds else 0)
        case Sort.STOCK:
            return sorted(cheapest, key=lambda line: -line.stock)


def network_key(name: str) -> int:
    """A mobile network's name, short enough for a button."""
    return zlib.crc32(name.encode())

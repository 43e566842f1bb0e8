"""Exchange rates, as a supplier tells them: for pricing, and to show an amount in a renter's own money."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from services.errors import UpstreamBroken, UpstreamRefused
from services.money import to_decimal, to_minor
from services.suppliers.base import Supplier

PIVOT = "IDR"
"""The currency that every rate is kept against: the one that the main supplier counts in."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Between two currencies, at the rate of a moment: for showing, never for charging."""

    source: str
    target: str
    rate: Decimal
    """Units of `target` that one of `source` is worth, as people say them."""

    def convert(self, amount: int) -> int:
        """Minor units to minor units, to the nearest."""
        return to_minor(to_decimal(amount, self.source) * self.rate, self.target, ROUND_HALF_UP)


class Rates:
    """Rates of the moment. Empty until the first refresh: then nothing is converted but like to like."""

    def __init__(self, currencies: Collection[str]) -> None:
        self._currencies = set(currencies) - {PIVOT}
        self._pivots: dict[str, Decimal] = {PIVOT: Decimal(1)}
        """How many rupiah one unit of a currency is worth."""

    async def refresh(self, supplier: Supplier) -> None:
        """Ask for every currency; one that the supplier does not know stays unknown."""
        for currency in self._currencies:
            try:
                rate = await supplier.exchange_rate(currency, PIVOT)
            except (UpstreamRefused, UpstreamBroken):
                continue  # its prices matter more than a rate that only decorates them
            if rate:
                self._pivots[currency] = rate

    def convert_decimal(self, amount: Decimal, source: str, target: str) -> Decimal | None:
        """Units of `target` as people say them; None while the rate is unknown."""
        if source == target:
            return amount
        if source not in self._pivots or target not in self._pivots:
            return None
        return amount * self._pivots[source] / self._pivots[target]

    def find(self, source: str, target: str) -> Exchange | None:
        """None while the rate is unknown."""
        rate = self.convert_decimal(Decimal(1), source, target)
        return Exchange(source, target, rate) if rate else None

    def convert(self, amount: int, source: str, target: str) -> int | None:
        """Minor units to minor units, to the nearest: for showing, never for charging."""
        exchange = self.find(source, target)
        return exchange.convert(amount) if exchange else None

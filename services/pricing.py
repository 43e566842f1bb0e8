"""From what a number costs us to what it costs the renter."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Pricing:
    """The shop's markup. Prices are minor units of the shop's currency and never below cost."""

    markup_percent: Decimal = Decimal(20)

    def price(self, cost: int) -> int:
        """The renter's price for something that costs us `cost`; rounded up, the one rounding there is."""
        exact = cost * (100 + self.markup_percent) / 100
        return int(-(-exact // 1))

"""Tells operators in time that a supplier must be paid: when what is there lasts for hours only."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from db import orders
from db.session import Database
from services.alarms import Alarms, Word
from services.clock import Clock
from services.money import to_decimal
from services.rates import Rates
from services.suppliers.base import Balance
from services.supply import Suppliers

HOURS = 6
SPAN = timedelta(hours=HOURS)
"""What was spent in so long is the present spend."""
RECOVERED = Decimal("1.5")
"""It is over when the balance lasts so many times longer: no alarm for every order around the edge."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a supplier costs us at present."""

    per_hour: int
    """Minor units of the shop's currency."""
    hours_left: Decimal | None
    """How long the balance lasts; None where nothing is spent, or the rate is unknown."""


class LowBalances:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        suppliers: Suppliers,
        rates: Rates,
        alarms: Alarms,
        *,
        currency: str,
        hours: int,
    ) -> None:
        """`hours`: a balance that lasts less long is low; zero: none ever is."""
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._rates = rates
        self._alarms = alarms
        self._currency = currency
        self._hours = hours

    async def check(self, name: str) -> None:
        """Ask a supplier for our balance and compare it with what it costs an hour. Raises UpstreamError."""
        if not self._hours:
            return
        with self._suppliers.calling(name) as supplier:
            balance = await supplier.balance()
        left = (await self.forecast(name, balance)).hours_left
        incident = f"balance:{name}"
        is_known = await self._alarms.find(incident) is not None
        limit = self._hours * (RECOVERED if is_known else 1)
        await self._alarms.note(
            incident,
            is_bad=left is not None and left < limit,
            begins=Word("low_balance", {"supplier": name, "hours": self._hours}),
            ends=Word("low_balance_over", {"supplier": name}),
        )

    async def forecast(self, name: str, balance: Balance) -> Forecast:
        """How long a balance lasts if the next hours are like the last ones."""
        async with self._database.read() as session:
            spent = await orders.spent_since(session, name, since=self._clock.now() - SPAN)
        ours = self._rates.convert_decimal(balance.amount_decimal, balance.currency, self._currency)
        per_hour = spent // HOURS
        if not spent or ours is None:
            return Forecast(per_hour, None)
        return Forecast(per_hour, ours / to_decimal(spent, self._currency) * HOURS)

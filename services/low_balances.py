"""Tells operators in time that a supplier must be paid: when what is there lasts for hours only."""

from datetime import timedelta
from decimal import Decimal

from db import orders
from db.session import Database
from services.alarms import Alarms
from services.clock import Clock
from services.money import to_decimal
from services.rates import Rates
from services.suppliers.base import Balance
from services.supply import Suppliers

SPAN = timedelta(hours=6)
"""What was spent in so long is the present spend."""
RECOVERED = Decimal("1.5")
"""It is over when the balance lasts so many times longer: no alarm for every order around the edge."""


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
        left = await self._hours_left(name, balance)
        incident = f"balance:{name}"
        is_known = await self._alarms.find(incident) is not None
        limit = self._hours * (RECOVERED if is_known else 1)
        await self._alarms.note(
            incident,
            is_bad=left is not None and left < limit,
            begins=f"Numlet: our balance at {name} lasts less than {self._hours} h. Please top it up.",
            ends=f"Numlet: our balance at {name} is high enough again.",
        )

    async def _hours_left(self, name: str, balance: Balance) -> Decimal | None:
        """None where nothing is spent, or the rate is unknown."""
        async with self._database.read() as session:
            spent = await orders.spent_since(session, name, since=self._clock.now() - SPAN)
        ours = self._rates.convert_decimal(balance.amount_decimal, balance.currency, self._currency)
        if not spent or ours is None:
            return None
        return ours / to_decimal(spent, self._currency) * int(SPAN.total_seconds()) / 3600

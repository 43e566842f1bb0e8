"""What suppliers keep of our money, against what our orders say that they should.

The balance is the supplier's own word, and exact. What we expect is exact as well where the shop counts in
the supplier's currency and the supplier says what each number cost; else it is the cost of its catalog,
or one converted at today's rate. A top-up there looks like money that our orders do not explain, and
hides a smaller loss of the same hour.
"""

from datetime import datetime, timedelta

import structlog

from db import supplier_balances
from db.models import SupplierBalance
from db.session import Database
from db.supplier_balances import Spending
from services.announcer import Announcer
from services.clock import Clock
from services.money import to_minor
from services.rates import Rates
from services.suppliers.base import Balance
from services.supply import Suppliers

log = structlog.get_logger()

SETTLING = timedelta(seconds=30)
"""An order that changed less than this ago may be seen one way there and another way here."""
ESTIMATE_PERCENT = 5
"""How far costs that were converted may be from what was taken."""


class SupplierBalances:
    """Asks for balances and keeps them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        suppliers: Suppliers,
        rates: Rates,
        announcer: Announcer,
        *,
        currency: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._suppliers = suppliers
        self._rates = rates
        self._announcer = announcer
        self._currency = currency

    async def take(self, name: str) -> None:
        """Ask a supplier that tells, compare with the last time, and report a loss. Raises UpstreamError."""
        if not self._suppliers[name].capabilities.balance:
            return
        asked_at = self._clock.now()
        with self._suppliers.calling(name) as supplier:
            balance = await supplier.balance()
        now = self._clock.now()
        # Goes through all its orders, so not inside the transaction that writes.
        async with self._database.read() as session:
            spending = await supplier_balances.spending(session, name, now=now, since=asked_at - SETTLING)
        await self._keep(name, balance, spending, now)

    async def _keep(self, name: str, balance: Balance, spending: Spending, now: datetime) -> None:
        amount = to_minor(balance.amount_decimal, balance.currency)
        async with self._database.write() as session:
            last = await supplier_balances.find_last(session, name)
            unexplained, tolerance = self._compare(last, amount, balance.currency, spending)
            taken = await supplier_balances.add(
                session,
                supplier=name,
                amount=amount,
                currency=balance.currency,
                spent=spending.spent,
                under_way=spending.under_way,
                unexplained=unexplained,
                tolerance=tolerance,
                taken_at=now,
            )
            if last and unexplained is not None and unexplained < -tolerance:
                log.error("supplier.took_more", supplier=name, amount=-unexplained, tolerance=tolerance)
                await self._announcer.alert(
                    session,
                    "supplier_took_more",
                    f"{name}:{taken.id}",
                    supplier=name,
                    amount=-unexplained,
                    currency=balance.currency,
                    since=last.taken_at.isoformat(),
                )

    def _compare(
        self, last: SupplierBalance | None, amount: int, currency: str, spending: Spending
    ) -> tuple[int | None, int]:
        """What our orders do not explain, and how much of that is no news; minor units of `currency`."""
        if last is None or last.currency != currency:
            return None, 0
        taken = self._rates.convert(spending.spent - last.spent, self._currency, currency)
        under_way = self._rates.convert(spending.under_way + last.under_way, self._currency, currency)
        if taken is None or under_way is None:
            return None, 0
        estimate = 0 if currency == self._currency else abs(taken) * ESTIMATE_PERCENT // 100
        return amount - last.amount + taken, under_way + estimate

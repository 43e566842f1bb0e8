"""How each supplier is doing: what the operators' desk shows of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.breaker import State
from services.clock import Clock
from services.errors import UpstreamError
from services.low_balances import Forecast, LowBalances
from services.pauses import Pauses
from services.recent_calls import Summary
from services.scopes import Scope
from services.suppliers.base import Balance, Supplier
from services.supply import Health, Suppliers
from services.webhook_secrets import WebhookRegistration, WebhookState

PATIENCE_SECONDS = 5
"""How long an operator waits for a balance."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one supplier now."""

    supplier: Supplier
    health: Health
    breaker: State
    calls: Summary | None
    """Of the last hour."""
    balance: Balance | None
    trouble: str
    """Why the balance is not known; empty where it is, and where the supplier never tells it."""
    forecast: Forecast | None
    webhook: WebhookState | None
    """None while nobody has looked."""
    pauses: Mapping[Scope, datetime | None]
    """What is not bought there, with the end where there is one."""

    @property
    def name(self) -> str:
        return self.supplier.name

    @property
    def is_off(self) -> bool:
        return Scope(self.name) in self.pauses


class Standings:
    def __init__(
        self,
        clock: Clock,
        suppliers: Suppliers,
        low_balances: LowBalances,
        pauses: Pauses,
        registration: WebhookRegistration,
    ) -> None:
        self._clock = clock
        self._suppliers = suppliers
        self._low_balances = low_balances
        self._pauses = pauses
        self._registration = registration

    async def all(self) -> list[Standing]:
        """Of every connected supplier; their balances are asked for now, all at once."""
        return list(await asyncio.gather(*(self._of(supplier) for supplier in self._suppliers)))

    async def find(self, name: str) -> Standing | None:
        """None for a supplier that has been disconnected since."""
        supplier = self._suppliers.find(name)
        return await self._of(supplier) if supplier else None

    async def _of(self, supplier: Supplier) -> Standing:
        name = supplier.name
        balance, trouble = None, ""
        if supplier.capabilities.balance:
            try:
                balance = await self._balance(supplier)
            except (UpstreamError, TimeoutError) as error:
                trouble = str(error) or "no answer in time"
        health, now = self._suppliers.health(name), self._clock.now()
        return Standing(
            supplier,
            health,
            health.breaker.state(now),
            health.recent.summary(now),
            balance,
            trouble,
            await self._low_balances.forecast(name, balance) if balance else None,
            self._registration.states.get(name),
            self._pauses.of_supplier(name),
        )

    async def _balance(self, supplier: Supplier) -> Balance:
        """Raises UpstreamError, TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            with self._suppliers.calling(supplier.name, always=True):
                return await supplier.balance()

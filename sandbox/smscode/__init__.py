"""smscode.gg, the main supplier, as its API v1 documentation describes it."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import httpx

from sandbox.clock import Agenda, Clock
from sandbox.smscode.api import Api
from sandbox.smscode.errors import ApiError
from sandbox.smscode.orders import Order, Status
from sandbox.smscode.rentals import Rentals
from sandbox.smscode.webhooks import Delivery, Webhooks, sign
from sandbox.trouble import Trouble

__all__ = ["ApiError", "Delivery", "Order", "SmsCode", "Status", "sign"]


class SmsCode(Rentals):
    """The vendor put together: one customer's rentals, the API over them, and the webhooks out of them."""

    def __init__(
        self,
        clock: Clock,
        *,
        token: str = "sandbox-smscode-token",
        balance: int = 50_000_000,
        code_after: timedelta | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`code_after`: a code arrives by itself that long after a purchase. `transport`: for webhooks."""
        agenda, trouble = Agenda(clock), Trouble()
        self.webhooks = Webhooks(agenda, trouble, transport)
        super().__init__(agenda, trouble, self.webhooks.announce, balance=balance, code_after=code_after)
        self.api = Api(self, self.webhooks, token=token)
        self.app = self.api.app

    @property
    def webhook_url(self) -> str | None:
        return self.webhooks.url

    @property
    def webhook_secret(self) -> str | None:
        return self.webhooks.secret

    @property
    def deliveries(self) -> deque[Delivery]:
        """The last events sent, oldest first."""
        return self.webhooks.deliveries

    @property
    def limits(self) -> dict[str, int]:
        """Requests allowed in 60 s, by group of endpoints; raise them where a load test needs more."""
        return self.api.limits.allowed

    async def tick(self) -> None:
        """Let happen what has fallen due: expiries, codes that arrive by themselves, delayed webhooks."""
        self.agenda.run_due()

    async def run(self) -> None:
        """Let everything happen at its time, until cancelled."""
        await self.agenda.run()

    async def settle(self) -> None:
        """Wait until the webhooks on their way have been delivered or given up."""
        await self.webhooks.settle()

    async def aclose(self) -> None:
        await self.webhooks.aclose()

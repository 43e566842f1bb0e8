"""smscode.gg, the main supplier, as its API v1 documentation describes it."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from itertools import islice

import httpx

from sandbox.catalog_data import Product
from sandbox.clock import Agenda, Clock
from sandbox.courier import Delivery
from sandbox.smscode.api import Api
from sandbox.smscode.errors import ApiError
from sandbox.smscode.orders import Order, Status
from sandbox.smscode.rentals import Rentals
from sandbox.smscode.webhooks import Webhooks, sign
from sandbox.supplier import Rented, Stock
from sandbox.trouble import SWITCHES, Trouble

__all__ = ["ApiError", "Order", "SmsCode", "Status", "sign"]


class SmsCode(Rentals):
    """The vendor put together: one customer's rentals, the API over them, and the webhooks out of them."""

    name = "smscode"
    switches = SWITCHES

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

    def rented(self, limit: int) -> list[Rented]:
        """The newest first."""
        return [_rented(order) for order in islice(reversed(self.orders.values()), limit)]

    def stocked(self, limit: int) -> list[Stock]:
        """The products that were rented last first; one that the examples use, where none was."""
        rented = dict.fromkeys(order.product.id for order in reversed(self.orders.values()))
        ids = list(islice(rented, limit)) or [self.find_product("wa", "ID").id]
        return [_stock(self.products[id], self.price(self.products[id])) for id in ids]

    def set_stock(self, product_id: int, available: int) -> None:
        if product_id not in self.products:
            raise ApiError("NOT_FOUND", "Product not found")
        self.products[product_id].available = available

    def set_balance(self, amount: int) -> None:
        self.balance = amount

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


def _stock(product: Product, price: int) -> Stock:
    return Stock(product.id, product.name, price, product.available)


def _rented(order: Order) -> Rented:
    return Rented(
        id=order.id,
        phone_number=order.phone_number,
        label=order.product.service.name,
        country=order.product.country.name,
        emoji=order.product.country.emoji,
        status=order.status.lower(),
        is_open=order.is_open,
        code=order.otp_code,
        expires_at=order.expires_at,
        received_at=order.otp_received_at,
    )

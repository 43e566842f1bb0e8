"""The number panel, the second supplier, as its documentation describes it."""

from __future__ import annotations

import json
from collections import deque
from datetime import timedelta
from itertools import islice

import httpx

from sandbox.clock import Agenda, Clock
from sandbox.courier import Courier, Delivery, Parcel
from sandbox.numberpanel.api import Account, Api
from sandbox.numberpanel.errors import ApiError
from sandbox.numberpanel.numbers import Format, Number, Numbers
from sandbox.supplier import Rented, Stock
from sandbox.trouble import SWITCHES, Trouble

__all__ = ["Account", "ApiError", "Number", "NumberPanel"]

PROVIDER = "SMS_GATEWAY_PROVIDER_NAME"


class NumberPanel(Numbers):
    """The panel put together: one customer's numbers, the API over them, and the webhooks out of them."""

    name = "numberpanel"
    # Nothing is signed, so there is nothing to forge; and no price is told.
    switches = SWITCHES - {"forge_webhooks", "price_jump_percent"}
    balance = None

    def __init__(
        self,
        clock: Clock,
        *,
        key: str = "sandbox-numberpanel-key",
        code_after: timedelta | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`code_after`: a code arrives by itself that long after a purchase. `transport`: for webhooks."""
        agenda, trouble = Agenda(clock), Trouble()
        super().__init__(agenda, trouble, self._tell, code_after=code_after)
        self.courier = Courier(agenda, trouble, transport)
        self.account = Account(key)
        self.api = Api(self.account, self)
        self.app = self.api.app
        self.webhook_url: str | None = None
        """Typed into the profile by a person; nothing checks it."""
        self.webhook_format: Format = "full"
        """Whether webhooks follow the format of the request is not documented."""

    @property
    def deliveries(self) -> deque[Delivery]:
        """The last events sent, oldest first."""
        return self.courier.deliveries

    def rented(self, limit: int) -> list[Rented]:
        """The newest first."""
        return [_rented(number) for number in islice(reversed(self.numbers.values()), limit)]

    def stocked(self, limit: int) -> list[Stock]:
        return []

    def set_stock(self, product_id: int, available: int) -> None:
        raise ApiError(404, "The panel tells no stock")

    def set_balance(self, amount: int) -> None:
        raise ApiError(404, "The panel tells no balance")

    def expire_now(self, number_id: int) -> None:
        raise ApiError(404, "A number of the panel's never expires")

    def _tell(self, number: Number, text: str, code: str | None) -> None:
        """Without signature, id or time. Source: section Webhook: otp_received."""
        if self.webhook_url is None:
            return
        data = {
            "phone_number": number.written(self.webhook_format),
            "otp_code": code,
            "provider": PROVIDER,
            "sms_text": text,
        }
        body = json.dumps({"event": "otp_received", "data": data}).encode()
        headers = {"Content-Type": "application/json"}
        self.courier.send(Parcel("otp_received", number.id, self.webhook_url, body, headers))

    async def tick(self) -> None:
        """Let happen what has fallen due: codes that arrive by themselves, delayed webhooks."""
        self.agenda.run_due()

    async def run(self) -> None:
        """Let everything happen at its time, until cancelled."""
        await self.agenda.run()

    async def settle(self) -> None:
        """Wait until the webhooks on their way have been delivered or given up."""
        await self.courier.settle()

    async def aclose(self) -> None:
        await self.courier.aclose()


def _rented(number: Number) -> Rented:
    """It stays the customer's, so it is always open, whatever has come."""
    return Rented(
        id=number.id,
        phone_number=number.phone_number,
        label=number.operator.name if number.operator else "Any service",
        country=number.country.name,
        emoji=number.country.emoji,
        status="otp_received" if number.messages else "active",
        is_open=True,
        code=number.code,
        received_at=number.received_at,
    )

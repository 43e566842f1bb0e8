"""What the world and its page need of a supplier that is played, whoever it is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.types import ASGIApp

from sandbox.courier import Delivery
from sandbox.trouble import Trouble


class Refused(Exception):
    """Something that this supplier does not do."""


@dataclass(frozen=True)
class Rented:
    """A number in somebody's hands, as the page shows it."""

    id: int
    phone_number: str
    label: str
    """What it was rented for."""
    country: str
    emoji: str
    status: str
    is_open: bool
    code: str | None
    expires_at: datetime | None = None
    received_at: datetime | None = None
    """When the last SMS came."""


@dataclass(frozen=True)
class Stock:
    """How many numbers of one product there are, as the page shows it."""

    id: int
    name: str
    price: int
    """Whole IDR."""
    available: int


class Supplier(Protocol):
    trouble: Trouble

    @property
    def name(self) -> str: ...
    @property
    def app(self) -> ASGIApp: ...
    @property
    def switches(self) -> frozenset[str]:
        """Which switches of its trouble mean something here."""

    @property
    def balance(self) -> int | None: ...
    @property
    def webhook_url(self) -> str | None: ...
    @property
    def deliveries(self) -> deque[Delivery]: ...
    def rented(self, limit: int) -> list[Rented]:
        """The newest first."""

    def stocked(self, limit: int) -> list[Stock]:
        """The products whose stock can be changed, those that were rented last first."""

    def set_stock(self, product_id: int, available: int, /) -> None:
        """Raises Refused."""

    def set_balance(self, amount: int, /) -> None:
        """Whole IDR. Raises Refused."""

    def expire_now(self, number_id: int, /) -> None:
        """Let the time of a number be over. Raises Refused."""

    async def receive_sms(self, number_id: int, text: str, /) -> None:
        """An SMS reaches a number. Raises Refused."""

    async def run(self) -> None: ...
    async def aclose(self) -> None: ...

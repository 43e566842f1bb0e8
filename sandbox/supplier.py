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

    async def receive_sms(self, number_id: int, text: str, /) -> None:
        """An SMS reaches a number. Raises Refused."""

    async def run(self) -> None: ...
    async def aclose(self) -> None: ...

"""The port to a supplier: what the shop may ask of anyone who rents numbers out.

One file a vendor beside this one turns its HTTP into these shapes and into the errors of
`services.errors`; nothing of a vendor's own vocabulary leaves its file.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this supplier can do; the bot offers no button for what it cannot."""

    cancel: bool = False
    finish: bool = False
    resend: bool = False
    lookup: bool = False
    """Orders can be asked for, one by one and as a list: outcomes are never guessed."""
    cancel_after: timedelta = timedelta(0)
    """Younger orders cannot be cancelled."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A supplier's price now for one number of one service in one country."""

    product_ref: str
    service_name: str
    service_code: str
    """The vendor's own short name, which people also type ("wa")."""
    country: str
    """ISO 3166-1 alpha-2, upper case."""
    cost_decimal: Decimal
    """In units of `currency` as people say them (15000 rupiah, 0.92 dollars)."""
    currency: str
    stock: int


class RemoteStatus(StrEnum):
    ACTIVE = "active"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """A status this program has not heard of: change nothing, look again later."""


@dataclass(frozen=True, slots=True)
class RemoteSms:
    code: str | None
    text: str | None
    received_at: datetime | None
    """By the supplier's clock, aware UTC."""


@dataclass(frozen=True, slots=True)
class RemoteOrder:
    """One number as the supplier sees it; fields it did not tell are None."""

    ref: str
    status: RemoteStatus
    phone_number: str | None = None
    """E.164."""
    product_ref: str | None = None
    cost_decimal: Decimal | None = None
    currency: str | None = None
    """Of `cost_decimal`."""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    sms: RemoteSms | None = None
    failed_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a call to `buy` brought: fewer numbers than asked for is a success too."""

    orders: list[RemoteOrder]


@dataclass(frozen=True, slots=True)
class Balance:
    amount_decimal: Decimal
    currency: str


class EventKind(StrEnum):
    SMS = "sms"
    COMPLETED = "completed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    TEST = "test"
    OTHER = "other"
    """An event that came to be after this program: stored, without effect."""


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook, understood. `order_ref` names the supplier's order; a test event has none."""

    kind: EventKind
    order_ref: str | None = None
    phone_number: str | None = None
    sms: RemoteSms | None = None


@dataclass(frozen=True, slots=True)
class WebhookState:
    """What the supplier has on record about us; `url` is empty where nothing is configured."""

    url: str
    secret: str = field(repr=False)
    disabled_reason: str | None = None


class Supplier(Protocol):
    """Every method that calls the vendor raises `UpstreamError`s and nothing else.

    Money never depends on the answer being read: after `UpstreamUnknown` the caller looks the
    order up; after `UpstreamUnavailable` it repeats the call with the same key.
    """

    name: str
    """Short, lower case, stable: it stands in the database."""
    capabilities: Capabilities
    signature_header: str
    """Where its webhooks bear their signature, in lower case."""

    async def quotes(self) -> list[Quote]:
        """All products with their present price and stock, active ones only."""

    async def exchange_rate(self, base: str, quote: str) -> Decimal | None:
        """How many units of `quote` one unit of `base` is worth; None for a pair it does not know."""

    async def balance(self) -> Balance:
        """Our own balance with the supplier."""

    async def buy(self, product_ref: str, *, quantity: int, key: str) -> Purchase:
        """Rent up to `quantity` numbers.

        `key` names this intent for ever: the same key with the same product and quantity never buys
        twice. Raises ProductGone, SupplierBroke, AccessRefused, UpstreamUnavailable, UpstreamUnknown.
        """

    async def get_order(self, ref: str) -> RemoteOrder:
        """One order. Raises RemoteOrderNotFound."""

    async def open_orders(self) -> list[RemoteOrder]:
        """Every order that still waits for a code or may get another one."""

    async def orders_since(self, since: datetime) -> list[RemoteOrder]:
        """All orders created at or after `since`, newest first, whatever their status."""

    async def cancel(self, ref: str) -> None:
        """Give the number back for a refund. Raises CancelTooEarly, RemoteOrderNotFound, UpstreamRefused."""

    async def finish(self, ref: str) -> None:
        """Let go of a number that has had its code."""

    async def resend(self, ref: str) -> bool:
        """Ask for another SMS; False where the service does not support it."""

    async def webhook(self) -> WebhookState:
        """The supplier's present webhook configuration."""

    async def set_webhook(self, *, url: str, secret: str) -> WebhookState:
        """Point the supplier's webhooks at `url`, signed with `secret`."""

    async def test_webhook(self) -> int:
        """Have the supplier call our webhook; the HTTP status that our own server gave it."""

    def verify(self, body: bytes, signature: str | None, *, secret: str) -> None:
        """Check the signature over the raw bytes in constant time. Raises BadSignature."""

    def parse_event(self, body: bytes) -> Event:
        """Read a verified body. Raises BadEvent."""

    async def aclose(self) -> None:
        """Close the connections."""

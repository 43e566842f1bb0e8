"""The port to a supplier: what the shop may ask of anyone who rents numbers out.

One file a vendor beside this one turns its HTTP into these shapes and into the errors of
`services.errors`; nothing of a vendor's own vocabulary leaves its file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from services.errors import UpstreamRefused


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this supplier can do; the bot offers no button for what it cannot."""

    services: bool = False
    """Numbers are sold for a certain service; otherwise each takes the codes of any."""
    cancel: bool = False
    finish: bool = False
    resend: bool = False
    lookup: bool = False
    """Orders can be asked for, one by one and as a list: outcomes are never guessed."""
    idempotent: bool = False
    """A purchase may be repeated under its key; otherwise one without an answer is given up."""
    several: bool = False
    """Several numbers come in one call; otherwise they are bought one by one."""
    balance: bool = False
    webhook_setup: bool = False
    """Its webhook is read, set and tried through the API; otherwise by hand, on its site."""
    cancel_after: timedelta = timedelta(0)
    """Younger orders cannot be cancelled."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A supplier's price now for one number of one service in one country."""

    product_ref: str
    country: str
    """ISO 3166-1 alpha-2, upper case."""
    cost_decimal: Decimal
    """In units of `currency` as people say them (15000 rupiah, 0.92 dollars)."""
    currency: str
    stock: int | None = None
    """None where the vendor does not tell."""
    service_name: str | None = None
    """None for a number that takes the codes of any service."""
    service_code: str = ""
    """The vendor's own short name, which people also type ("wa")."""
    network: str | None = None
    """The mobile network that the number is sure to be in; None: whichever comes."""


class RemoteStatus(StrEnum):
    ACTIVE = "active"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """A status this program has not heard of: change nothing, look again later."""


class RemoteSms(NamedTuple):
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


class Event(NamedTuple):
    """One webhook, understood. Where there is no `order_ref`, the number says whose it is."""

    kind: EventKind
    order_ref: str | None = None
    phone_number: str | None = None
    """E.164; without its plus where the vendor may have written it some other way."""
    sms: RemoteSms | None = None


class WebhookPost(NamedTuple):
    """A webhook as it came, for the adapter to check that it is the vendor's."""

    body: bytes
    headers: Mapping[str, str]
    """Their names in lower case."""
    key: str = ""
    """What follows `/webhooks/<name>/` in its path."""
    secret: str = ""
    """What was agreed with the vendor by `set_webhook`; empty while nothing is."""


@dataclass(frozen=True, slots=True)
class WebhookState:
    """What the supplier has on record about us; `url` is empty where nothing is configured."""

    url: str
    secret: str = field(repr=False)
    disabled_reason: str | None = None


class Supplier(Protocol):
    """Every method that calls the vendor raises `UpstreamError`s and nothing else.

    Money never depends on the answer being read: after `UpstreamUnknown` the caller looks the
    order up, or gives it up where that cannot be done; after `UpstreamUnavailable` it repeats the
    call with the same key. Adapters of vendors that cannot do all of it begin from `Limited`.
    """

    name: str
    """Short, lower case, stable: it stands in the database."""
    capabilities: Capabilities
    setting: str
    """Which setting holds its credentials: what an operator mends when they are refused."""

    def remarks(self) -> Sequence[str]:
        """What keeps it from selling all that it could, in sentences for the operator.

        Complete once `quotes` has been called.
        """

    async def quotes(self) -> list[Quote]:
        """All products with their present price and stock, active ones only."""

    async def exchange_rate(self, base: str, quote: str) -> Decimal | None:
        """How many units of `quote` one unit of `base` is worth; None for a pair it does not know."""

    async def balance(self) -> Balance:
        """Our own balance with the supplier."""

    async def buy(self, product_ref: str, *, quantity: int, key: str) -> Purchase:
        """Rent up to `quantity` numbers.

        `key` names this intent for ever: where the vendor is `idempotent`, the same key with the same
        product and quantity never buys twice; elsewhere every call buys. Raises ProductGone,
        SupplierBroke, AccessRefused, UpstreamUnavailable, UpstreamUnknown.
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

    def verify(self, post: WebhookPost) -> None:
        """Check in constant time that it is the vendor's. Raises BadSignature, WrongAddress."""

    def parse_event(self, body: bytes) -> Event:
        """Read a verified body. Raises BadEvent."""

    def delivery_id(self, body: bytes, event: Event) -> str:
        """Names a webhook in at most 80 characters; what bears the name of another is its repetition."""

    async def aclose(self) -> None:
        """Close the connections."""


class Limited:
    """The port's calls that not every vendor has, all refused: adapters override what theirs can do."""

    name: str

    def remarks(self) -> Sequence[str]:
        return ()

    async def exchange_rate(self, base: str, quote: str) -> Decimal | None:
        return None

    async def balance(self) -> Balance:
        raise self._cannot("tell our balance")

    async def get_order(self, ref: str) -> RemoteOrder:
        raise self._cannot("be asked for an order")

    async def open_orders(self) -> list[RemoteOrder]:
        raise self._cannot("list orders")

    async def orders_since(self, since: datetime) -> list[RemoteOrder]:
        raise self._cannot("list orders")

    async def cancel(self, ref: str) -> None:
        raise self._cannot("cancel")

    async def finish(self, ref: str) -> None:
        raise self._cannot("finish")

    async def resend(self, ref: str) -> bool:
        raise self._cannot("resend")

    async def webhook(self) -> WebhookState:
        raise self._cannot("tell where its webhooks go")

    async def set_webhook(self, *, url: str, secret: str) -> WebhookState:
        raise self._cannot("be told where its webhooks go")

    async def test_webhook(self) -> int:
        raise self._cannot("rehearse a webhook")

    def _cannot(self, what: str) -> UpstreamRefused:
        return UpstreamRefused(f"{self.name} cannot {what}", upstream=self.name)

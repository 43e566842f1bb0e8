"""From a tap on Buy to the messages that arrive on a number."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import AutoString, Field, SQLModel

from db.models.base import BIG_KEY


class OrderStatus(StrEnum):
    PENDING = "pending"
    """Paid for, not bought yet: the price is on hold."""
    ACTIVE = "active"
    """We have a number and wait for its code."""
    RECEIVED = "received"
    """The first code came and the price was captured; more codes may follow."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


OPEN = (OrderStatus.PENDING, OrderStatus.ACTIVE, OrderStatus.RECEIVED)


class AttemptStatus(StrEnum):
    STARTED = "started"
    """Committed before the supplier is called: after a crash the same key is sent again."""
    SOLD = "sold"
    REFUSED = "refused"


class Purchase(SQLModel, table=True):
    """One tap on a Buy button: `quantity` numbers, each an order of its own, shown on one card."""

    __tablename__ = "purchase"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        CheckConstraint("quantity BETWEEN 1 AND 100", name="quantity_in_range"),
        CheckConstraint("price > 0", name="price_positive"),
        Index("ix_purchase_user_id_created_at", "user_id", "created_at"),
        Index("ix_purchase_created_at", "created_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    idempotency_key: str = Field(max_length=64)
    service_id: int = Field(foreign_key="service.id")
    country: str = Field(max_length=2)
    network: str | None = Field(default=None, max_length=64)
    """The mobile network that was asked for; None: whichever comes."""
    quantity: int
    price: int = Field(sa_type=BigInteger)
    """Per number, as it stood on the button, in minor units of `currency`."""
    currency: str = Field(max_length=3)
    message_id: int | None = Field(default=None, sa_type=BigInteger)
    """The card in the renter's chat, edited in place; None until there is one."""
    failure: str | None = Field(default=None, max_length=32)
    """Why numbers are missing: out_of_stock, supplier_trouble; the card finds the words."""
    stars: int | None = None
    """What was paid in Telegram Stars for exactly this; None where the wallet paid."""
    swap_agreed_at: datetime | None = None
    """When the renter agreed that a number without a code is swapped for another; None where they did not."""
    created_at: datetime


class Order(SQLModel, table=True):
    """One number for one renter."""

    __tablename__ = "number_order"
    __table_args__ = (
        UniqueConstraint("supplier", "supplier_ref"),
        CheckConstraint(
            "status IN ('pending','active','received','completed','failed','canceled','expired')",
            name="status_known",
        ),
        CheckConstraint(
            "status IN ('pending','failed','canceled')"
            " OR (supplier IS NOT NULL AND supplier_ref IS NOT NULL AND phone_number IS NOT NULL)",
            name="number_known",
        ),
        # The work lists: each covers only the rows that still need somebody.
        Index(
            "ix_number_order_due",
            "check_at",
            sqlite_where=text("status IN ('active','received')"),
            postgresql_where=text("status IN ('active','received')"),
        ),
        Index(
            "ix_number_order_waiting",
            "activated_at",
            sqlite_where=text("status IN ('active','received')"),
            postgresql_where=text("status IN ('active','received')"),
        ),
        Index(
            "ix_number_order_open",
            "user_id",
            sqlite_where=text("status IN ('pending','active','received')"),
            postgresql_where=text("status IN ('pending','active','received')"),
        ),
        Index("ix_number_order_user_id_id", "user_id", "id"),
        # Where webhooks name a number instead of an order.
        Index("ix_number_order_supplier_phone_number", "supplier", "phone_number"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    purchase_id: int = Field(foreign_key="purchase.id", sa_type=BigInteger, index=True)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    status: OrderStatus = Field(default=OrderStatus.PENDING, sa_type=AutoString)
    supplier: str | None = Field(default=None, max_length=32)
    supplier_ref: str | None = Field(default=None, max_length=64)
    phone_number: str | None = Field(default=None, max_length=20, index=True)
    """E.164; empty once its renter was erased."""
    cost: int | None = Field(default=None, sa_type=BigInteger)
    """What the supplier took, in minor units of the purchase's currency."""
    created_at: datetime
    activated_at: datetime | None = None
    expires_at: datetime | None = None
    """The supplier's own expiry."""
    check_at: datetime | None = None
    """When to ask the supplier how it ended: at first `expires_at`, later while it cannot be asked."""
    cancel_requested_at: datetime | None = None
    swap_requested_at: datetime | None = None
    """When the cancellation was asked for in order to try another number."""
    resent_at: datetime | None = None
    resends: int = 0
    ended_at: datetime | None = None
    late_until: datetime | None = None
    """Until when what came after the end can be bought; None where nothing came, or where somebody else had
    the number by then."""
    late_paid_at: datetime | None = None
    """When the renter bought what came after the end."""
    notice: str | None = Field(default=None, max_length=32)
    """A word for the card about the last thing that was asked: resend_asked, resend_refused …"""


class Attempt(SQLModel, table=True):
    """One call that buys from one supplier, written down before it is made."""

    __tablename__ = "attempt"
    __table_args__ = (
        CheckConstraint("status IN ('started','sold','refused')", name="status_known"),
        # One purchase buys from one supplier at a time.
        Index(
            "uq_attempt_running",
            "purchase_id",
            unique=True,
            sqlite_where=text("status = 'started'"),
            postgresql_where=text("status = 'started'"),
        ),
        Index("ix_attempt_purchase_id", "purchase_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    purchase_id: int = Field(foreign_key="purchase.id", sa_type=BigInteger)
    supplier: str = Field(max_length=32)
    product_ref: str = Field(max_length=64)
    quantity: int
    cost: int = Field(sa_type=BigInteger)
    """Expected cost per number, minor units of the purchase's currency."""
    idempotency_key: str = Field(unique=True, max_length=64)
    """What the supplier is told; sent again unchanged for as long as the outcome is unknown."""
    status: AttemptStatus = Field(default=AttemptStatus.STARTED, sa_type=AutoString)
    error: str | None = None
    created_at: datetime
    ended_at: datetime | None = None


class Sms(SQLModel, table=True):
    """One message that arrived on a rented number; `fingerprint` makes it one, however it was learnt."""

    __tablename__ = "sms"
    __table_args__ = (UniqueConstraint("order_id", "fingerprint"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    order_id: int = Field(foreign_key="number_order.id", sa_type=BigInteger)
    fingerprint: str = Field(max_length=80)
    code: str | None = None
    text: str | None = None
    received_at: datetime
    shown_at: datetime | None = None
    """When Telegram took the message with this code; None while it is owed, or is withheld as late."""
    cleared_at: datetime | None = None
    """When its message was deleted from the chat, as the renter wished; the card shows it no more either."""
    late: bool = False
    """It came after the money had gone back: kept, and shown only where that is paid for."""

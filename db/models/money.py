"""Wallets, the ledger, and what comes in by Telegram Stars."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import AutoString, Field, SQLModel

from db.models.base import BIG_KEY


class InvoicePurpose(StrEnum):
    TOPUP = "topup"
    PURCHASE = "purchase"


class PaymentStatus(StrEnum):
    PAID = "paid"
    REFUNDING = "refunding"
    """It was decided, the money is out of the wallet, and Telegram has been promised a call."""
    REFUNDED = "refunded"


class Account(SQLModel, table=True):
    """A place where money is: `wallet:<user>`, `held:<order>`, `held:text:<id>`, `revenue` and so on."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("balance >= 0 OR may_go_below_zero", name="never_negative"),)

    name: str = Field(primary_key=True, max_length=64)
    currency: str = Field(max_length=3)
    balance: int = Field(default=0, sa_type=BigInteger)
    """Always the sum of the entries to it less the entries from it; kept by `services.ledger.move` alone."""
    may_go_below_zero: bool = False
    """Gateways stand for the world outside, which owes us what it paid in; debts for renters who owe us."""


class LedgerEntry(SQLModel, table=True):
    """One immutable move of money. Triggers refuse updates and deletes; a mistake is corrected by another."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        CheckConstraint("amount > 0", name="positive"),
        CheckConstraint("source <> destination", name="goes_somewhere"),
        Index("ix_ledger_entry_source_id", "source", "id"),
        Index("ix_ledger_entry_destination_id", "destination", "id"),
        Index("ix_ledger_entry_created_at", "created_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    source: str = Field(foreign_key="account.name", max_length=64)
    destination: str = Field(foreign_key="account.name", max_length=64)
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    kind: str = Field(max_length=16)
    """topup, hold, capture, release, refund, reward, correction; return (of a payment), debt, settlement."""
    order_id: int | None = Field(default=None, foreign_key="number_order.id", sa_type=BigInteger)
    idempotency_key: str = Field(unique=True, max_length=96)
    """Names one intent: the same move cannot be made twice."""
    reason: str | None = None
    created_at: datetime


class Invoice(SQLModel, table=True):
    """What we offered for Telegram Stars: an amount for the wallet, or exactly one number."""

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint("purpose IN ('topup','purchase')", name="purpose_known"),
        CheckConstraint("stars BETWEEN 1 AND 10000", name="stars_in_range"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(
            "purpose = 'topup'"
            " OR (intent_key IS NOT NULL AND service_id IS NOT NULL AND country IS NOT NULL)",
            name="intent_known",
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    token: str = Field(unique=True, max_length=32)
    """The invoice's payload: nobody can guess another's."""
    purpose: InvoicePurpose = Field(sa_type=AutoString)
    stars: int
    amount: int = Field(sa_type=BigInteger)
    """What the wallet gets, in minor units of `currency`; for a purchase exactly its price."""
    currency: str = Field(max_length=3)
    intent_key: str | None = Field(default=None, max_length=64)
    """For a purchase: the key, service, country and network of the button that was tapped."""
    service_id: int | None = Field(default=None, foreign_key="service.id")
    country: str | None = Field(default=None, max_length=2)
    network: str | None = Field(default=None, max_length=64)
    created_at: datetime
    expires_at: datetime
    """No payment is let in after this; one that was on its way is honoured."""
    paid_at: datetime | None = None


class Payment(SQLModel, table=True):
    """One charge of Telegram Stars, once, however often we are told of it."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("status IN ('paid','refunding','refunded')", name="status_known"),
        CheckConstraint("stars > 0", name="stars_positive"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_payment_user_id_paid_at", "user_id", "paid_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    charge_id: str = Field(unique=True, max_length=255)
    """Telegram's name for it, by which it is refunded."""
    invoice_id: int | None = Field(default=None, unique=True, foreign_key="invoice.id", sa_type=BigInteger)
    """The invoice that it settled; None where that was somebody else's, paid already, or gone."""
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    """Who paid."""
    stars: int
    amount: int = Field(sa_type=BigInteger)
    """What the wallet got, in minor units of `currency`."""
    currency: str = Field(max_length=3)
    status: PaymentStatus = Field(default=PaymentStatus.PAID, sa_type=AutoString)
    purchase_id: int | None = Field(default=None, unique=True, foreign_key="purchase.id", sa_type=BigInteger)
    """What it bought by itself."""
    paid_at: datetime
    """Telegram's time of it."""
    refunded_at: datetime | None = None
    refund_reason: str | None = Field(default=None, max_length=32)
    """no_code, operator, dispute, store, or why the purchase was refused; the chat finds the words."""
    refunded_by: int | None = Field(default=None, sa_type=BigInteger)
    """The operator who decided it; None where it goes by itself."""

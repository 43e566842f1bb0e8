"""The tables. A wrong state should be impossible to write, so the rules that can live here do.

Amounts are integers of minor units of the `currency` beside them. Every datetime is aware UTC
(SQLModel maps it to a column type that refuses naive values and restores the zone on SQLite).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, Integer, MetaData, UniqueConstraint, text
from sqlmodel import AutoString, Field, SQLModel

SQLModel.metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A plain BigInteger primary key does not count up by itself on SQLite.
BIG_KEY = BigInteger().with_variant(Integer, "sqlite")


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


class InvoicePurpose(StrEnum):
    TOPUP = "topup"
    PURCHASE = "purchase"


class PaymentStatus(StrEnum):
    PAID = "paid"
    REFUNDING = "refunding"
    """It was decided, the money is out of the wallet, and Telegram has been promised a call."""
    REFUNDED = "refunded"


class User(SQLModel, table=True):
    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("role IN ('manager','support')", name="role_known"),
        Index(
            "ix_user_account_team",
            "role",
            sqlite_where=text("role IS NOT NULL"),
            postgresql_where=text("role IS NOT NULL"),
        ),
    )

    id: int = Field(primary_key=True, sa_type=BigInteger)
    """Telegram's user id, up to 52 bits; also the id of the private chat."""
    name: str = ""
    username: str | None = Field(default=None, index=True)
    language_code: str = "en"
    terms_accepted_at: datetime | None = None
    blocked_at: datetime | None = None
    """When the renter blocked the bot; nothing is sent until they come back."""
    banned_at: datetime | None = None
    ban_reason: str | None = None
    role: str | None = Field(default=None, max_length=16)
    """manager or support; owners are named in the settings. None for renters."""
    erasure_asked_at: datetime | None = None
    """When they asked to be forgotten; None once they are."""
    created_at: datetime
    seen_at: datetime | None = None


class Note(SQLModel, table=True):
    """What an operator wants to remember about a renter; renters never see it."""

    __tablename__ = "note"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger, index=True)
    author_id: int = Field(sa_type=BigInteger)
    text: str
    idempotency_key: str = Field(unique=True, max_length=64)
    created_at: datetime


class Act(SQLModel, table=True):
    """Something that an operator did, written in the commit of what was done."""

    __tablename__ = "act"
    __table_args__ = (
        Index("ix_act_operator_id_id", "operator_id", "id"),
        Index("ix_act_user_id_id", "user_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    operator_id: int = Field(sa_type=BigInteger)
    what: str = Field(max_length=32)
    """One of `services.acts.What`."""
    user_id: int | None = Field(default=None, sa_type=BigInteger)
    """About whom."""
    subject: str | None = Field(default=None, max_length=64)
    """About what else: a broadcast's number, a sender, a country."""
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """What has changed, by name; amounts are minor units of the shop's currency."""
    at: datetime


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


class Service(SQLModel, table=True):
    """Something that sends codes (WhatsApp), the same one whoever supplies its numbers."""

    __tablename__ = "service"

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    name: str
    code: str = ""
    """What suppliers call it and people type: "wa"."""


class Offer(SQLModel, table=True):
    """What one supplier asks for one number now. Never deleted, only out of stock."""

    __tablename__ = "offer"
    __table_args__ = (
        UniqueConstraint("supplier", "product_ref"),
        CheckConstraint("cost > 0", name="cost_positive"),
        CheckConstraint("stock >= 0", name="stock_not_negative"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    supplier: str = Field(max_length=32)
    product_ref: str = Field(max_length=64)
    service_id: int | None = Field(default=None, foreign_key="service.id")
    """None for a number that takes the codes of any service."""
    country: str = Field(max_length=2)
    network: str | None = Field(default=None, max_length=64)
    """The mobile network that the number is sure to be in; None: whichever comes."""
    cost: int = Field(sa_type=BigInteger)
    """What it costs us, rounded up to minor units of the shop's currency."""
    stock: int | None = None
    """None where the supplier does not tell."""
    updated_at: datetime


class Purchase(SQLModel, table=True):
    """One tap on a Buy button: `quantity` numbers, each an order of its own, shown on one card."""

    __tablename__ = "purchase"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        CheckConstraint("quantity BETWEEN 1 AND 100", name="quantity_in_range"),
        CheckConstraint("price > 0", name="price_positive"),
        Index("ix_purchase_user_id_created_at", "user_id", "created_at"),
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
    resent_at: datetime | None = None
    resends: int = 0
    ended_at: datetime | None = None
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
    """no_code, operator, store, or why the purchase was refused; the chat finds the words."""
    refunded_by: int | None = Field(default=None, sa_type=BigInteger)
    """The operator who decided it; None where it goes by itself."""


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
    late: bool = False
    """It came after the money had gone back: kept, not shown for free."""


class Voucher(SQLModel, table=True):
    """A code that puts `amount` into the wallet of whoever writes it, once each."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("max_uses > 0", name="max_uses_positive"),
        CheckConstraint("uses BETWEEN 0 AND max_uses", name="uses_in_range"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    code: str = Field(unique=True, max_length=20)
    """As it is compared: capital letters and digits, nothing between them."""
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    max_uses: int
    uses: int = 0
    expires_at: datetime
    revoked_at: datetime | None = None
    created_by: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    created_at: datetime
    idempotency_key: str = Field(unique=True, max_length=64)
    """Names the operator's intent: asked twice, one voucher is made."""


class Redemption(SQLModel, table=True):
    """One use of a voucher."""

    __tablename__ = "redemption"

    voucher_id: int = Field(primary_key=True, foreign_key="voucher.id", sa_type=BigInteger)
    user_id: int = Field(primary_key=True, foreign_key="user_account.id", sa_type=BigInteger)
    redeemed_at: datetime


class WrongGuess(SQLModel, table=True):
    """Somebody wrote a voucher's code that there is not. Kept for as long as it counts against them."""

    __tablename__ = "wrong_guess"
    __table_args__ = (Index("ix_wrong_guess_user_id_guessed_at", "user_id", "guessed_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    guessed_at: datetime = Field(index=True)


class InviteLink(SQLModel, table=True):
    """What a renter's invitations are known by: random, so that a link does not tell whose it is."""

    __tablename__ = "invite_link"

    user_id: int = Field(primary_key=True, foreign_key="user_account.id", sa_type=BigInteger)
    token: str = Field(unique=True, max_length=32)


class Invitation(SQLModel, table=True):
    """A renter who came by somebody's link. Nobody comes twice."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint("friend_id <> inviter_id", name="not_oneself"),
        CheckConstraint("purchases >= 0", name="purchases_not_negative"),
    )

    friend_id: int = Field(primary_key=True, foreign_key="user_account.id", sa_type=BigInteger)
    inviter_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger, index=True)
    invited_at: datetime
    purchases: int = 0
    """How many of the friend's captured orders have counted for a reward."""


class WebhookDelivery(SQLModel, table=True):
    """One thing the outside told us, raw, stored before it was acknowledged."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index(
            "ix_webhook_delivery_unhandled",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    source: str = Field(max_length=32)
    external_id: str = Field(max_length=80)
    body: str
    received_at: datetime
    handled_at: datetime | None = None
    attempts: int = 0
    error: str | None = None


class OutboxMessage(SQLModel, table=True):
    """A promise to the outside, committed with the fact that caused it."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_message_owed",
            "lane",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_outbox_message_serial",
            "serial",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    lane: str = Field(max_length=16)
    kind: str = Field(max_length=32)
    serial: str = Field(max_length=64)
    """Messages with the same serial are done one after another, in order of id."""
    payload: dict[str, Any] = Field(sa_type=JSON)
    dedupe_key: str = Field(unique=True, max_length=96)
    created_at: datetime
    due_at: datetime
    claimed_until: datetime | None = None
    attempts: int = 0
    done_at: datetime | None = None
    error: str | None = None
    """Why it was last put off or given up."""


class Orphan(SQLModel, table=True):
    """A number at a supplier that no purchase of ours explains, or an SMS for such a number."""

    __tablename__ = "orphan"
    __table_args__ = (UniqueConstraint("supplier", "supplier_ref"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    supplier: str = Field(max_length=32)
    supplier_ref: str = Field(max_length=64)
    """The supplier's order; for an SMS that names none, the webhook that brought it."""
    phone_number: str | None = Field(default=None, max_length=24)
    code: str | None = None
    text: str | None = None
    found_at: datetime


class TextStatus(StrEnum):
    QUEUED = "queued"
    """Owed: no sender has been called, or it certainly did not take it."""
    SENDING = "sending"
    """Committed before the sender is called: who finds it later cannot know whether it was."""
    ACCEPTED = "accepted"
    """The sender has it. Where that sender tells no more, this is the last that is known."""
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Certainly not sent, or not delivered; `failure` says why."""
    UNKNOWN = "unknown"
    """It may have been sent, so it is never sent again."""


class TextMessage(SQLModel, table=True):
    """One SMS of ours to one phone."""

    __tablename__ = "text_message"
    __table_args__ = (
        CheckConstraint(
            "status IN ('queued','sending','accepted','sent','delivered','failed','unknown')",
            name="status_known",
        ),
        CheckConstraint("status IN ('queued','failed') OR sender IS NOT NULL", name="sender_known"),
        CheckConstraint("parts > 0", name="parts_positive"),
        Index(
            "ix_text_message_due",
            "check_at",
            sqlite_where=text("check_at IS NOT NULL"),
            postgresql_where=text("check_at IS NOT NULL"),
        ),
        Index(
            "ix_text_message_queued",
            "user_id",
            sqlite_where=text("status = 'queued'"),
            postgresql_where=text("status = 'queued'"),
        ),
        Index(
            "ix_text_message_broadcast",
            "broadcast_id",
            "status",
            sqlite_where=text("broadcast_id IS NOT NULL"),
            postgresql_where=text("broadcast_id IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    purpose: str = Field(max_length=16)
    """What it is for: test, check (of a phone that is being linked), forward, news, alarm."""
    idempotency_key: str = Field(unique=True, max_length=96)
    """Names one intent: a repeated one is not texted again."""
    user_id: int | None = Field(default=None, foreign_key="user_account.id", sa_type=BigInteger)
    """On whose behalf."""
    phone_number: str = Field(max_length=20)
    """E.164."""
    body: str | None = None
    """None after it was erased."""
    parts: int
    """How many SMS the body takes: what senders charge for."""
    charge: int | None = Field(default=None, sa_type=BigInteger)
    """What `user_id` pays for it, on hold until it is sent: minor units of the shop's currency."""
    broadcast_id: int | None = Field(default=None, foreign_key="broadcast.id", sa_type=BigInteger)
    status: TextStatus = Field(default=TextStatus.QUEUED, sa_type=AutoString)
    sender: str | None = Field(default=None, max_length=32)
    sender_ref: str | None = Field(default=None, max_length=64)
    """The sender's own id of it; None where it gave none."""
    failure: str | None = Field(default=None, max_length=32)
    """In one word: no_sender, invalid, unsubscribed, no_credit, access_refused, refused, unreachable,
    withdrawn, not_delivered."""
    check_at: datetime | None = None
    """When to ask the sender how it fares; None where there is nothing to ask (any more)."""
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    """Worth nothing after this: no sender is asked any more."""


class LinkedPhone(SQLModel, table=True):
    """A renter's own phone, proven by a code that was texted to it, and what may be texted to it."""

    __tablename__ = "linked_phone"

    user_id: int = Field(primary_key=True, foreign_key="user_account.id", sa_type=BigInteger)
    phone_number: str = Field(unique=True, max_length=20)
    """E.164. Whoever proves it last has it."""
    forwards_codes: bool = False
    takes_news: bool = False
    takes_alarms: bool = False
    """Heeded for operators only."""
    linked_at: datetime


class PhoneCheck(SQLModel, table=True):
    """A code that was texted to a phone to prove whose it is. A renter's newest one counts."""

    __tablename__ = "phone_check"
    __table_args__ = (
        Index("ix_phone_check_user_id_id", "user_id", "id"),
        Index("ix_phone_check_phone_number_sent_at", "phone_number", "sent_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    phone_number: str = Field(max_length=20)
    code: str = Field(max_length=8)
    idempotency_key: str = Field(unique=True, max_length=64)
    tries: int = 0
    """Wrong ones."""
    sent_at: datetime
    proven_at: datetime | None = None


class BroadcastStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    """Promised for `starts_at`, or waiting for the one before it."""
    SENDING = "sending"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


class Broadcast(SQLModel, table=True):
    """One message from the operator to many renters, and how far it has come."""

    __tablename__ = "broadcast"
    __table_args__ = (
        CheckConstraint(
            "status IN ('draft','scheduled','sending','paused','stopped','done')", name="status_known"
        ),
        # One at a time: the next waits.
        Index(
            "uq_broadcast_sending",
            "status",
            unique=True,
            sqlite_where=text("status = 'sending'"),
            postgresql_where=text("status = 'sending'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    author_id: int = Field(sa_type=BigInteger)
    """The operator's Telegram id; also the chat that holds the original and the progress."""
    status: BroadcastStatus = Field(default=BroadcastStatus.DRAFT, sa_type=AutoString)
    message_ids: list[int] = Field(sa_type=JSON)
    """The original: one message of the author's, or all of an album."""
    album: str | None = Field(default=None, max_length=64)
    """Telegram's id of the album that is being sent in, piece by piece."""
    links: list[list[str]] = Field(default_factory=list, sa_type=JSON)
    """Buttons under it: text and address of each."""
    audience: str = Field(default="all", max_length=32)
    total: int = 0
    """How many the audience counted when it began."""
    last_user_id: int = Field(default=0, sa_type=BigInteger)
    """Renters are taken in order of id; whoever comes up to this one has had their turn."""
    sent: int = 0
    blocked: int = 0
    failed: int = 0
    unknown: int = 0
    """Sending was cut off, and Telegram cannot be asked: not sent again, so that nobody gets it twice."""
    recalled: int = 0
    text_body: str | None = None
    """The message's words, for SMS; None where it has none."""
    by_text: bool = False
    """Whether those who want news by SMS are texted, too, after the chats."""
    text_total: int | None = None
    """How many phones that were when the texting began."""
    text_last_user_id: int = Field(default=0, sa_type=BigInteger)
    text_setbacks: int = 0
    """How many texts had failed for want of a working sender when it was last paused for that."""
    trouble: str | None = Field(default=None, max_length=32)
    """Why it was paused by itself: original_gone, sender_trouble; the panel finds the words."""
    panel_id: int | None = Field(default=None, sa_type=BigInteger)
    """The message in the author's chat that shows how far it has come."""
    created_at: datetime
    starts_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class BroadcastDelivery(SQLModel, table=True):
    """What became of a broadcast for one renter."""

    __tablename__ = "broadcast_delivery"
    __table_args__ = (
        CheckConstraint(
            "status IN ('owed','sending','sent','blocked','failed','unknown','recalled')", name="status_known"
        ),
        Index(
            "ix_broadcast_delivery_unsettled",
            "broadcast_id",
            sqlite_where=text("status IN ('owed','sending')"),
            postgresql_where=text("status IN ('owed','sending')"),
        ),
    )

    broadcast_id: int = Field(primary_key=True, foreign_key="broadcast.id", sa_type=BigInteger)
    user_id: int = Field(primary_key=True, foreign_key="user_account.id", sa_type=BigInteger)
    status: str = Field(max_length=16)
    """Committed as sending before Telegram is called; owed where it certainly did not take it."""
    message_ids: list[int] = Field(default_factory=list, sa_type=JSON)
    """In the renter's chat, for a recall."""
    error: str | None = None
    at: datetime


class SupplierBalance(SQLModel, table=True):
    """What a supplier said of our balance there, beside what our orders say that it has kept."""

    __tablename__ = "supplier_balance"
    __table_args__ = (Index("ix_supplier_balance_supplier_id", "supplier", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    supplier: str = Field(max_length=32)
    amount: int = Field(sa_type=BigInteger)
    """Minor units of `currency`, which is the supplier's own."""
    currency: str = Field(max_length=3)
    spent: int = Field(sa_type=BigInteger)
    """The cost of all orders that it was not seen to refund, in minor units of the shop's currency."""
    under_way: int = Field(sa_type=BigInteger)
    """How much of that it may have taken or given back just now, in minor units of the shop's currency."""
    unexplained: int | None = Field(default=None, sa_type=BigInteger)
    """By how much it changed otherwise than our orders since the last time, in minor units of `currency`:
    more than zero where there is more than expected. None where there is nothing to compare with."""
    tolerance: int = Field(default=0, sa_type=BigInteger)
    """So much either way is no news, in minor units of `currency`."""
    taken_at: datetime


class Conversation(SQLModel, table=True):
    """Where a renter stands in something that takes typing step by step."""

    __tablename__ = "conversation"

    name: str = Field(primary_key=True, max_length=32)
    key: str = Field(primary_key=True, max_length=64)
    state: str = Field(max_length=32)
    context: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Setting(SQLModel, table=True):
    """What the program remembers about itself: webhook secrets, the signing key of buttons."""

    __tablename__ = "setting"

    key: str = Field(primary_key=True, max_length=64)
    value: str
    updated_at: datetime

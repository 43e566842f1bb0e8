"""SMS of ours, and the renters' own phones."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import AutoString, Field, SQLModel

from db.models.base import BIG_KEY


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
    reason: str | None = Field(default=None, max_length=120)
    """Why it failed, in the sender's own words, where they can hold nothing secret."""
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


class StoppedPhone(SQLModel, table=True):
    """A phone that has answered STOP, whoever it belongs to: nothing is texted to it any more."""

    __tablename__ = "stopped_phone"

    phone_number: str = Field(primary_key=True, max_length=20)
    """E.164."""
    sender: str = Field(max_length=32)
    """Whose text was answered."""
    stopped_at: datetime


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

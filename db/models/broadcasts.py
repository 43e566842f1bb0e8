"""One message for many."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, text
from sqlmodel import AutoString, Field, SQLModel

from db.models.base import BIG_KEY


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
    quiet_hours: str | None = Field(default=None, max_length=64)
    """In which hours of the day nobody is sent to, as `services/quiet_hours.py` writes them."""
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

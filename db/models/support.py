"""What renters and operators write to each other, and problems with orders."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import AutoString, Field, SQLModel

from db.models.base import BIG_KEY


class DisputeStatus(StrEnum):
    OPEN = "open"
    REFUNDED = "refunded"
    REJECTED = "rejected"


class SupportTopic(SQLModel, table=True):
    """Where in the operators' group the conversation with a renter stands."""

    __tablename__ = "support_topic"
    __table_args__ = (UniqueConstraint("chat_id", "topic_id"),)

    user_id: int = Field(foreign_key="user_account.id", primary_key=True, sa_type=BigInteger)
    chat_id: int = Field(sa_type=BigInteger)
    """The group; where that is another by now, the topic counts as gone."""
    topic_id: int = Field(sa_type=BigInteger)
    closed_at: datetime | None = None
    """When operators closed it; the renter's next message opens it again."""
    created_at: datetime


class SupportMessage(SQLModel, table=True):
    """One copy of a message that is carried between a renter and those who answer; never its words."""

    __tablename__ = "support_message"
    __table_args__ = (
        UniqueConstraint("chat_id", "message_id", "to_chat_id"),
        Index("ix_support_message_to_chat_id_copy_id", "to_chat_id", "copy_id"),
        Index("ix_support_message_to_chat_id_header_id", "to_chat_id", "header_id"),
        Index("ix_support_message_user_id_created_at", "user_id", "created_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    """The renter whose conversation it belongs to."""
    author_id: int = Field(sa_type=BigInteger)
    """The renter, or the operator who answers."""
    chat_id: int = Field(sa_type=BigInteger)
    message_id: int = Field(sa_type=BigInteger)
    """With `chat_id`: the original."""
    reply_to: int | None = Field(default=None, sa_type=BigInteger)
    """The message in the same chat that the original answers."""
    to_chat_id: int = Field(sa_type=BigInteger)
    copy_id: int | None = Field(default=None, sa_type=BigInteger)
    """The copy, once it is there."""
    header_id: int | None = Field(default=None, sa_type=BigInteger)
    """The line above the copy that says who wrote, where one is needed."""
    created_at: datetime


class Dispute(SQLModel, table=True):
    """A renter's problem with one order, and what an operator decided."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("status IN ('open','refunded','rejected')", name="status_known"),
        CheckConstraint("reason IN ('no_code','wrong_code','used','other')", name="reason_known"),
        CheckConstraint("(status = 'open') = (decided_at IS NULL)", name="decided_once"),
        Index(
            "ix_dispute_open",
            "created_at",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    order_id: int = Field(foreign_key="number_order.id", unique=True, sa_type=BigInteger)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger, index=True)
    reason: str = Field(max_length=16)
    text: str | None = None
    """The renter's own words, where no ready reason fitted."""
    status: DisputeStatus = Field(default=DisputeStatus.OPEN, sa_type=AutoString)
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: int | None = Field(default=None, sa_type=BigInteger)
    answer: str | None = Field(default=None, max_length=16)
    """Why it was rejected: one of `services.disputes.ANSWERS`; the chat finds the words."""
    answer_text: str | None = None
    """The operator's own words instead."""


class DisputeCard(SQLModel, table=True):
    """The message that shows operators a dispute, in one chat."""

    __tablename__ = "dispute_card"
    __table_args__ = (UniqueConstraint("chat_id", "message_id"),)

    dispute_id: int = Field(foreign_key="dispute.id", primary_key=True, sa_type=BigInteger)
    chat_id: int = Field(primary_key=True, sa_type=BigInteger)
    message_id: int = Field(sa_type=BigInteger)
    asks_words_of: int | None = Field(default=None, sa_type=BigInteger)
    """The operator whose reply to this message is the reason for a rejection."""

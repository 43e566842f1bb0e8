"""What the outside told us, and what we promised it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from db.models.base import BIG_KEY


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
    failing_since: datetime | None = None
    """When it first failed of the tries since it was due, or since it was last deferred."""
    done_at: datetime | None = None
    error: str | None = None
    """Why it was last put off or given up."""

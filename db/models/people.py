"""Who writes to the bot, and what operators did and noted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Index, text, true
from sqlmodel import Field, SQLModel

from db.models.base import BIG_KEY


class User(SQLModel, table=True):
    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("role IN ('manager','support')", name="role_known"),
        Index("ix_user_account_created_at", "created_at"),
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
    """As Telegram told it last."""
    chosen_language: str | None = Field(default=None, max_length=16)
    """None while they read what Telegram speaks to them."""
    chosen_currency: str | None = Field(default=None, max_length=3)
    """In which prices are shown beside the shop's: ISO 4217. Empty for none, None for their language's."""
    terms_accepted_at: datetime | None = None
    blocked_at: datetime | None = None
    """When the renter blocked the bot; nothing is sent until they come back."""
    banned_at: datetime | None = None
    ban_reason: str | None = None
    role: str | None = Field(default=None, max_length=16)
    """manager or support; owners are named in the settings. None for renters."""
    open_limit: int | None = None
    """How many orders may be open at once; None: as many as the settings say. So is the next."""
    hourly_limit: int | None = None
    """How many numbers may be bought within an hour."""
    takes_broadcasts: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    """Whether news of the shop reaches them in the chat."""
    told_of_rewards: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    """Whether a message comes for each reward that an invitation earns."""
    codes_erased_after: int | None = None
    """After how many minutes a code's message is deleted from their chat; None: never."""
    erasure_asked_at: datetime | None = None
    """When they asked to be forgotten; None once they are."""
    created_at: datetime
    seen_at: datetime | None = None

    @property
    def language(self) -> str:
        """The code of the language that they read."""
        return self.chosen_language or self.language_code


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

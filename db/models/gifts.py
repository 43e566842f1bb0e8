"""Money that is given: vouchers and invitations."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from db.models.base import BIG_KEY


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

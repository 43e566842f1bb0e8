"""What renters wait for."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from db.models.base import BIG_KEY


class Lookout(SQLModel, table=True):
    """A renter is to be told when something costs less than `below`; gone once they are."""

    __tablename__ = "lookout"
    __table_args__ = (
        UniqueConstraint("user_id", "service_id", "country"),
        CheckConstraint("below > 0", name="below_positive"),
        Index("ix_lookout_service_id_country_below", "service_id", "country", "below"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_KEY)
    user_id: int = Field(foreign_key="user_account.id", sa_type=BigInteger)
    service_id: int = Field(foreign_key="service.id")
    country: str = Field(max_length=2)
    below: int = Field(sa_type=BigInteger)
    """Minor units of the shop's currency; `services/lookouts.py` has a number for any price."""
    created_at: datetime
    expires_at: datetime = Field(index=True)

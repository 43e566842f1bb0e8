"""What renters have pinned."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class Favourite(SQLModel, table=True):
    """An offer that somebody wants at hand, whether it is for sale at the moment or not."""

    __tablename__ = "favourite"

    user_id: int = Field(primary_key=True, foreign_key="user_account.id", sa_type=BigInteger)
    service_id: int = Field(primary_key=True, foreign_key="service.id")
    country: str = Field(primary_key=True, max_length=2)
    network: str = Field(default="", primary_key=True, max_length=64)
    """Empty for whichever mobile network comes."""
    created_at: datetime

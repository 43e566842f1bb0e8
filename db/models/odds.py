"""What our orders tell about suppliers."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel


class Outcome(SQLModel, table=True):
    """How many orders of one day went the same way; written in the commit in which each of them did."""

    __tablename__ = "outcome"
    __table_args__ = (CheckConstraint("orders > 0", name="orders_positive"),)

    day: int = Field(primary_key=True)
    """In UTC, counted from 1 January 1970."""
    service_id: int = Field(primary_key=True, foreign_key="service.id")
    country: str = Field(primary_key=True, max_length=2)
    supplier: str = Field(primary_key=True, max_length=32)
    network: str = Field(primary_key=True, max_length=64)
    """Empty where none was asked for."""
    bucket: int = Field(primary_key=True)
    """-1: no code came; else which of the limits of `services/odds.py` it came within."""
    orders: int

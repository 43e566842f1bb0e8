"""What is for sale, and what suppliers say of themselves."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from db.models.base import BIG_KEY


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
    settled_at: datetime | None = None
    """When an operator said that it had been looked into."""


class PricingRule(SQLModel, table=True):
    """How prices follow from costs, for some of what is sold; of several that fit, the most exact wins."""

    __tablename__ = "pricing_rule"
    __table_args__ = (
        CheckConstraint("markup >= -10000", name="markup_leaves_a_price"),
        CheckConstraint("fixed >= 0", name="fixed_not_negative"),
        CheckConstraint("minimum >= 0", name="minimum_not_negative"),
        CheckConstraint("step > 0", name="step_positive"),
    )

    supplier: str = Field(default="", primary_key=True, max_length=32)
    """Empty for any; so is the country, and the service where it is 0."""
    service_id: int = Field(default=0, primary_key=True)
    country: str = Field(default="", primary_key=True, max_length=2)
    markup: int
    """Hundredths of a percent on the cost; below zero it takes something off."""
    fixed: int = Field(default=0, sa_type=BigInteger)
    """Added to that; as `minimum` and `step`, minor units of the shop's currency."""
    minimum: int = Field(default=0, sa_type=BigInteger)
    step: int = Field(default=1, sa_type=BigInteger)
    """Prices are rounded up to multiples of it."""
    below_cost: bool = False
    """Whether a number may be sold for less than it costs us."""
    updated_at: datetime


class Pause(SQLModel, table=True):
    """Something that is not sold: a service or a country, at one supplier or at all, or all of a supplier."""

    __tablename__ = "pause"
    __table_args__ = (
        CheckConstraint("supplier <> '' OR service_id <> 0 OR country <> ''", name="about_something"),
    )

    supplier: str = Field(default="", primary_key=True, max_length=32)
    """Empty for any; so is the country, and the service where it is 0."""
    service_id: int = Field(default=0, primary_key=True)
    country: str = Field(default="", primary_key=True, max_length=2)
    until: datetime | None = None
    """None: until somebody ends it."""
    since: datetime

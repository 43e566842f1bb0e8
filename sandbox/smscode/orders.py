"""A rented number, and the forms in which the API shows it.

Each answer shows a different choice of fields: mind which. Source: smscode API v1 documentation, sections
Orders and Webhook Events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sandbox.catalog_data import Product

Shape = dict[str, Any]


class Status(StrEnum):
    ACTIVE = "ACTIVE"
    OTP_RECEIVED = "OTP_RECEIVED"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


OPEN = frozenset({Status.ACTIVE, Status.OTP_RECEIVED})


@dataclass(eq=False)
class Order:
    id: int
    product: Product
    phone_number: str
    amount: int
    """What was debited: whole IDR."""
    created_at: datetime
    expires_at: datetime
    status: Status = Status.ACTIVE
    otp_code: str | None = None
    otp_message: str | None = None
    otp_received_at: datetime | None = None
    canceled_at: datetime | None = None
    messages: list[str] = field(default_factory=list)
    """Every SMS so far; the `otp_` fields know only the last one, and a resend clears them."""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in whole seconds, with a Z."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None


def listed(order: Order) -> Shape:
    """In the list of orders, and alone."""
    return {
        "id": order.id,
        "status": order.status,
        "created_at": moment(order.created_at),
        "product_id": order.product.id,
        "phone_number": order.phone_number,
        "amount": order.amount,
        "otp_code": order.otp_code,
        "otp_received_at": moment(order.otp_received_at),
        "expires_at": moment(order.expires_at),
        "canceled_at": moment(order.canceled_at),
        "failed_reason": None,
    }


def active(order: Order) -> Shape:
    """Among the active orders: the only place to read the whole SMS, and without the number."""
    return {
        "id": order.id,
        "status": order.status,
        "otp_code": order.otp_code,
        "otp_message": order.otp_message,
        "otp_received_at": moment(order.otp_received_at),
        "expires_at": moment(order.expires_at),
        "failed_reason": None,
    }


def created(order: Order) -> Shape:
    """As the answer to its purchase, which tells neither price nor product."""
    return {
        "id": order.id,
        "status": order.status,
        "phone_number": order.phone_number,
        "otp_code": order.otp_code,
        "otp_received_at": moment(order.otp_received_at),
        "expires_at": moment(order.expires_at),
        "failed_reason": None,
    }


def announced(order: Order) -> Shape:
    """As the data of a webhook event. Only one event's is documented; the others carry the same keys."""
    return {
        "order_id": order.id,
        "phone_number": order.phone_number,
        "otp_code": order.otp_code,
        "otp_message": order.otp_message,
        "product_id": order.product.id,
        "country": order.product.country.name,
        "platform": order.product.service.name,
    }

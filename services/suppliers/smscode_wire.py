"""smscode.gg, API v1: what its JSON looks like, and the same in the port's shapes.

Fields that a method does not need are not named here; fields that later versions add are ignored.
Source: smscode API v1 documentation, sections Endpoints and Webhook events.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
)

from services.suppliers.base import (
    Event,
    EventKind,
    Quote,
    RemoteOrder,
    RemoteSms,
    RemoteStatus,
    WebhookState,
)

CURRENCY = "IDR"
PRODUCTS_PER_PAGE = 10_000
PART = 250
"""How many elements of a long list are read at once."""
NOT_READ = (msgspec.DecodeError, ValueError, RecursionError)
"""What reading an event may raise."""

_STATUSES = {
    "ACTIVE": RemoteStatus.ACTIVE,
    "OTP_RECEIVED": RemoteStatus.RECEIVED,
    "COMPLETED": RemoteStatus.COMPLETED,
    "CANCELED": RemoteStatus.CANCELED,
    "EXPIRED": RemoteStatus.EXPIRED,
}

_EVENTS = {
    "order.otp_received": EventKind.SMS,
    "order.completed": EventKind.COMPLETED,
    "order.canceled": EventKind.CANCELED,
    "order.expired": EventKind.EXPIRED,
    "webhook.test": EventKind.TEST,
}


def _status(name: object) -> RemoteStatus:
    return _STATUSES.get(str(name), RemoteStatus.UNKNOWN)


def _error_code(code: object) -> str:
    # It ends up in logs, so only what can be a code gets through.
    return code.upper() if isinstance(code, str) and re.fullmatch(r"[A-Za-z_]{1,64}", code) else "UNNAMED"


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as exc:
        raise ValueError("no such moment in UTC") from exc


def _clean(text: str) -> str | None:
    # GSM's "@" is byte 0, which careless gateways pass on and PostgreSQL refuses in a text.
    return text.replace("\0", "").strip() or None


def _e164(number: str | None) -> str | None:
    return f"+{number.removeprefix('+')}" if number else None


REF = re.compile(r"[1-9][0-9]{0,18}")
Ref = Annotated[str, Field(pattern=f"^{REF.pattern}$")]
"""Their integer id as our string."""
Status = Annotated[RemoteStatus, BeforeValidator(_status)]
Moment = Annotated[datetime, AfterValidator(_utc)]
Text = Annotated[str, AfterValidator(_clean)]
Phone = Annotated[Text, AfterValidator(_e164)]


class Shape(BaseModel):
    # An answer may hold codes and phone numbers: pydantic must not quote it in an error.
    model_config = ConfigDict(hide_input_in_errors=True, coerce_numbers_to_str=True)


T = TypeVar("T")
ShapeT = TypeVar("ShapeT", bound=Shape)


class Answer(Shape, Generic[T]):
    success: Literal[True]
    data: T


class Meta(msgspec.Struct, frozen=True):
    limit: Annotated[int, msgspec.Meta(ge=1)] = PRODUCTS_PER_PAGE


class LongList(msgspec.Struct):
    """An answer with any number of elements, which are read in parts: see `parts`."""

    success: bool
    data: list[msgspec.Raw]
    meta: Meta = Meta()

    @classmethod
    def model_validate_json(cls, content: bytes) -> "LongList":
        answer = msgspec.json.decode(content, type=cls)
        if not answer.success:
            raise msgspec.ValidationError("no success")
        return answer


class Failure(Shape):
    class Error(Shape):
        code: Annotated[str, BeforeValidator(_error_code)] = "UNNAMED"

    error: Error


class Country(Shape):
    id: int
    code: Annotated[str, AfterValidator(str.upper)]
    active: bool


class Service(Shape):
    id: int
    code: str
    name: str
    active: bool


class Product(Shape):
    id: Ref
    country_id: int
    platform_id: int
    available: int
    price: int
    active: bool


class Rate(Shape):
    base_currency: str
    quote_currency: str
    rate: Annotated[Decimal, Field(gt=0)]


class Funds(Shape):
    currency: str
    balance: int


class Order(Shape):
    """List, get, active and create each show another part of this (section Which field appears where)."""

    id: Ref
    status: Status
    phone_number: Phone | None = None
    product_id: Ref | None = None
    amount: int | None = None
    created_at: Moment | None = None
    expires_at: Moment | None = None
    otp_code: Text | None = None
    otp_message: Text | None = None
    otp_received_at: Moment | None = None


class Created(Shape):
    orders: list[Order]


class Outcome(Shape):
    order_id: Ref
    status: Status


class Resent(Shape):
    resent: bool


class WebhookConfig(Shape):
    webhook_url: str | None
    webhook_secret: str | None = Field(repr=False)
    webhook_disabled_reason: str | None = None


class WebhookTest(Shape):
    status_code: int | None


class Notice(msgspec.Struct):
    """Read by msgspec, in half of the time that pydantic takes, because every code comes this way."""

    event: str
    timestamp: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class NoticeOrder(msgspec.Struct):
    order_id: int | str
    phone_number: int | str | None = None
    otp_code: int | str | None = None
    otp_message: str | None = None


read_notice = msgspec.json.Decoder(Notice).decode
read_notice_order = msgspec.json.Decoder(NoticeOrder).decode


def quotes(
    products: Iterable[Product], *, countries: Iterable[Country], services: Iterable[Service]
) -> Iterator[Quote]:
    """The active products of an active service in an active country that has an ISO code."""
    country_codes = {
        country.id: country.code for country in countries if country.active and len(country.code) == 2
    }
    active_services = {service.id: service for service in services if service.active}
    for product in products:
        country = country_codes.get(product.country_id)
        service = active_services.get(product.platform_id)
        if product.active and country and service:
            yield Quote(
                product_ref=product.id,
                service_name=service.name,
                service_code=service.code,
                country=country,
                cost_decimal=Decimal(product.price),
                currency=CURRENCY,
                stock=max(product.available, 0),
            )


def parts(elements: list[msgspec.Raw], shape: type[ShapeT]) -> Iterator[list[ShapeT]]:
    """The elements in lists that take a few milliseconds each, so that whoever reads them can pause."""
    read = TypeAdapter(list[shape]).validate_json  # type: ignore[valid-type]
    for start in range(0, len(elements), PART):
        yield read(b"[%b]" % b",".join(elements[start : start + PART]))


def remote_order(order: Order) -> RemoteOrder:
    return RemoteOrder(
        ref=order.id,
        status=order.status,
        phone_number=order.phone_number,
        product_ref=order.product_id,
        cost_decimal=None if order.amount is None else Decimal(order.amount),
        currency=None if order.amount is None else CURRENCY,
        created_at=order.created_at,
        expires_at=order.expires_at,
        sms=_sms(order.otp_code, order.otp_message, order.otp_received_at),
    )


def webhook_state(config: WebhookConfig) -> WebhookState:
    return WebhookState(
        url=config.webhook_url or "",
        secret=config.webhook_secret or "",
        disabled_reason=config.webhook_disabled_reason,
    )


def event(body: bytes) -> Event:
    """Raises one of NOT_READ for what is no event, and for a code that belongs to no order."""
    notice = read_notice(body)
    kind = _EVENTS.get(notice.event, EventKind.OTHER)
    if kind in (EventKind.TEST, EventKind.OTHER):
        return Event(kind)
    try:
        order = read_notice_order(notice.data)
        ref = _ref(order.order_id)
    except NOT_READ:
        if kind is EventKind.SMS:
            raise
        # Nobody documented this payload, and reconciliation finds out what it meant.
        return Event(EventKind.OTHER)
    sms = None
    if kind is EventKind.SMS:
        sms = _sms(_text(order.otp_code), _text(order.otp_message), _moment(notice.timestamp))
    return Event(kind, order_ref=ref, phone_number=_e164(_text(order.phone_number)), sms=sms)


def _ref(order_id: int | str) -> str:
    ref = str(order_id)
    if not REF.fullmatch(ref):
        raise ValueError("not an id of theirs")
    return ref


def _text(value: int | str | None) -> str | None:
    return None if value is None else _clean(str(value))


def _moment(timestamp: object) -> datetime | None:
    try:
        return _utc(datetime.fromisoformat(timestamp))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _sms(code: str | None, text: str | None, received_at: datetime | None) -> RemoteSms | None:
    return RemoteSms(code=code, text=text, received_at=received_at) if code or text else None

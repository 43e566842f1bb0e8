"""The number panel: what its JSON looks like, and the same in the port's shapes.

Fields that are not named here are ignored: the documentation says that there are more, and not which.
Source: number panel API documentation, sections GET /api/init, GET /api/get-number and Webhook.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from services.countries import find_country
from services.suppliers.base import Event, EventKind, Quote, RemoteSms

OTP_RECEIVED = "otp_received"
_PRODUCT = re.compile(r"(\d{1,18})\.([A-Z]{2})(?:\.(\d{1,18}))?")
_NETWORK_LETTERS = 64


def _clean(text: str | None) -> str | None:
    # GSM's "@" is byte 0, which careless gateways pass on and PostgreSQL refuses in a text.
    return (text or "").replace("\0", "").strip() or None


def _number(written: str) -> str:
    """E.164 where it has a plus, else only digits: it may be a national number."""
    digits = re.sub(r"[^0-9]", "", written)
    if not 4 <= len(digits) <= 20:
        raise ValueError("no phone number")
    return f"+{digits}" if written.strip().startswith("+") else digits


Text = Annotated[str | None, AfterValidator(_clean)]


class Shape(BaseModel):
    # An answer may hold codes and phone numbers: pydantic must not quote it in an error.
    model_config = ConfigDict(hide_input_in_errors=True, coerce_numbers_to_str=True)


ShapeT = TypeVar("ShapeT", bound=Shape)


class Answer(Shape):
    status: Literal["success"]


class Country(Shape):
    id: int
    name: str
    phone_code: str | None = None


class Operator(Shape):
    id: int
    name: str
    country_id: int


class Directory(Shape):
    countries: list[Country]
    operators: list[Operator] = []


class Init(Answer):
    data: Directory


class Number(Shape):
    phone_number: Annotated[str, Field(min_length=1)]


class Taken(Answer):
    data: Number


class Notice(Shape):
    event: StrictStr
    data: Any = None


class Otp(Shape):
    phone_number: Annotated[str, AfterValidator(_number)]
    otp_code: Text = None
    sms_text: Text = None


@dataclass(frozen=True, slots=True)
class Product:
    """What can be asked for: a country, perhaps one mobile network in it."""

    country_id: int
    country: str
    """ISO code, so that a number can be read without asking what the id stands for."""
    operator_id: int | None = None

    @classmethod
    def parse(cls, ref: str) -> "Product | None":
        found = _PRODUCT.fullmatch(ref)
        if found is None:
            return None
        country_id, country, operator_id = found.groups()
        return cls(int(country_id), country, int(operator_id) if operator_id else None)

    @property
    def ref(self) -> str:
        operator = "" if self.operator_id is None else f".{self.operator_id}"
        return f"{self.country_id}.{self.country}{operator}"


def quotes(directory: Directory, *, cost_decimal: Decimal, currency: str) -> Iterator[Quote]:
    """Each country that we know, and each of its mobile networks: for any service, of unknown stock."""
    found = {country.id: iso for country in directory.countries if (iso := _iso(country))}
    for country_id, iso in found.items():
        yield Quote(Product(country_id, iso).ref, iso, cost_decimal, currency)
    for operator in directory.operators:
        network = operator.name.strip()[:_NETWORK_LETTERS]
        if network and (iso := found.get(operator.country_id)):
            ref = Product(operator.country_id, iso, operator.id).ref
            yield Quote(ref, iso, cost_decimal, currency, network=network)


def unknown_countries(directory: Directory) -> Sequence[str]:
    """Those that are not matched with an ISO code, as the panel writes them."""
    return [
        f"{country.name} (+{(country.phone_code or '?').removeprefix('+')})"
        for country in directory.countries
        if _iso(country) is None
    ]


def event(body: bytes) -> Event:
    """Raises ValidationError for what is no event, and for a code that belongs to no number."""
    notice = Notice.model_validate_json(body)
    if notice.event != OTP_RECEIVED:
        return Event(EventKind.OTHER)
    otp = Otp.model_validate(notice.data)
    if not (otp.otp_code or otp.sms_text):
        return Event(EventKind.OTHER)
    return Event(
        EventKind.SMS,
        phone_number=otp.phone_number,
        # It came when we heard of it: the panel tells no time.
        sms=RemoteSms(code=otp.otp_code, text=otp.sms_text, received_at=None),
    )


def _iso(country: Country) -> str | None:
    return find_country(country.name, country.phone_code or "")

"""smsgateway24.com, API v1.0: what its forms and its JSON look like, and the same in the port's shapes.

Everything is asked for in form fields. Fields that a method does not need are not named here; fields that
later versions add are ignored. Source: smsgateway24 API documentation, v1.0.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from services.senders import base
from services.senders.base import Answer, Contact, Delivery, Progress, Text

Form = Mapping[str, str | int]

_DELIVERIES = {
    # In the order of time: new, queued for sending, taken by the phone.
    1: Delivery.ACCEPTED,
    3: Delivery.ACCEPTED,
    2: Delivery.ACCEPTED,
    6: Delivery.SENT,
    7: Delivery.DELIVERED,
    # Not delivered; not sent: failure, no service, null PDU, radio off, no permission (twice).
    **dict.fromkeys((8, 9, 10, 11, 12, 100, 101), Delivery.FAILED),
}
INCOMING = 5


def _rows(value: object) -> object:
    """A map by id, which an empty one need not be: PHP writes it as an array."""
    if isinstance(value, list):
        return {str(place): row for place, row in enumerate(value)}
    return value or {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """None for a zone that nobody here knows: a wrong moment would be worse."""
    match value:
        case {"date": str(date), "timezone": str(zone)}:
            try:
                return _in_zone(date, zone).astimezone(UTC)
            except (KeyError, ValueError, OverflowError):
                return None
    return None


def _in_zone(date: str, zone: str) -> datetime:
    if zone == "UTC":  # known even where the machine has no time zones
        return datetime.fromisoformat(date).replace(tzinfo=UTC)
    if zone.startswith(("+", "-")):
        return datetime.fromisoformat(date + zone)
    return datetime.fromisoformat(date).replace(tzinfo=ZoneInfo(zone))


Ref = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,18}$")]
"""Their integer id as our string."""
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
RowT = TypeVar("RowT")
Rows = Annotated[dict[str, RowT], BeforeValidator(_rows)]


class Shape(BaseModel):
    # An answer may hold texts, phone numbers and the token: pydantic must not quote it in an error.
    model_config = ConfigDict(hide_input_in_errors=True, coerce_numbers_to_str=True)


class Verdict(Shape):
    """What every answer begins with. The list of devices has no `error`."""

    error: int | None = None
    message: Annotated[str, BeforeValidator(_text)] = ""


class Token(Shape):
    token: Annotated[str, Field(pattern=r"^[!-~]+$", repr=False)]


class SavedSms(Shape):
    sms_id: Ref


class SavedMany(Shape):
    """No ids come back, so that the word of success is all there is to go by."""

    error: Literal[0]


class SavedTag(Shape):
    tag_id: Ref


class SavedContact(Shape):
    contact_id: Ref


class SavedNewsletter(Shape):
    # A client of the vendor's own reads the second.
    paket_id: Ref = Field(validation_alias=AliasChoices("paket_id", "paket"))


class SmsStatus(Shape):
    sms_id: Ref
    status: int
    status_description: Annotated[str, BeforeValidator(_text)] = ""


class Sms(Shape):
    id: Ref
    sendto: str | None = None
    body: str | None = None
    pakettitle: str | None = None
    address: str | None = None
    """The sender of one that came in, by that name where the vendor documents it for webhooks."""
    deviceid: str | None = None
    customerid: int | None = None
    status: int
    created: Moment = None

    @property
    def is_incoming(self) -> bool:
        return self.status == INCOMING


class SmsList(Shape):
    """What an empty list looks like is not documented: no map, an empty one, or an array."""

    smss: Rows[Sms] = Field(default_factory=dict)


class SmsCount(Shape):
    count: int


class SimInfo(Shape):
    slot: int = Field(validation_alias="Slot")
    number: str | None = Field(default=None, validation_alias="Number")
    country: str | None = Field(default=None, validation_alias="CountryIso")
    carrier: str | None = Field(default=None, validation_alias="CarrierName")


class Device(Shape):
    id: Ref
    title: str | None = None
    lastseen: Moment = None
    siminfo: list[SimInfo] | None = None


class DeviceList(Shape):
    count: int
    device: Rows[Device] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """The phone and its SIM that send."""

    device_id: str
    sim: int = 0

    def fields(self) -> dict[str, str | int]:
        number = int(self.device_id) if self.device_id.isdecimal() else self.device_id
        return {"device_id": number, "sim": self.sim}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages to list; what is None does not narrow it. Moments are aware UTC."""

    device_id: int | None = None
    status: int | None = None
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    sim: int | None = None
    customer_id: int | None = None
    phone_number: str | None = None
    newest_first: bool = False
    zone: str | None = None
    """The name of the time zone that moments are told in."""

    def form(self, *, only_count: bool = False) -> Form:
        fields = {
            "device_id": self.device_id,
            "status": self.status,
            "begindate": _sms_moment(self.begins_at),
            "enddate": _sms_moment(self.ends_at),
            "sim": self.sim,
            "customerid": self.customer_id,
            "onlycount": 1 if only_count else None,
            "phone": self.phone_number,
            "orderbydesc": 1 if self.newest_first else None,
            "timezone": self.zone,
        }
        return {name: value for name, value in fields.items() if value is not None}


def sms_form(text: Text, contact: Contact, origin: Origin) -> Form:
    """One message. Our own number for it comes back in lists, where it can be found by it."""
    at = {"timetosend": moment} if (moment := _sms_moment(text.send_at)) else {}
    return {
        "sendto": contact.phone_number,
        "body": text.body,
        **origin.fields(),
        "customerid": contact.id,
        "urgent": int(text.urgent),
        **at,
    }


def batch_form(token: str, messages: Iterable[Form]) -> Form:
    """JSON inside of a form field, and the token inside of that."""
    return {"datajson": json.dumps({"token": token, "smsdata": list(messages)})}


def newsletter_form(
    title: str, body: str, *, tags: Sequence[str], origin: Origin, send_at: datetime | None
) -> Form:
    # Of a form that no other call has.
    at = f"{send_at.astimezone(UTC):%d.%m.%Y %H:%M:%S}" if send_at else "0"
    return {"title": title, "body": body, "tags": ",".join(tags), **origin.fields(), "time_to_send": at}


def newsletter_title(title: str, contacts: Sequence[Contact]) -> str:
    """With the range of our numbers in it: no message of a newsletter bears one."""
    ids = [contact.id for contact in contacts]
    return f"{title} #{min(ids)}-{max(ids)}"


def is_of_newsletter(sms: Sms, contact_id: int, body: str) -> bool:
    """Whether a newsletter of ours to this contact, with these words, has made that message."""
    found = re.search(r"#([0-9]+)-([0-9]+)$", sms.pakettitle or "")
    is_among = found is not None and int(found[1]) <= contact_id <= int(found[2])
    return is_among and (sms.body or "").split() == body.split()


def _sms_moment(at: datetime | None) -> str | None:
    """In UTC: the documentation names no zone, and its examples come back two hours later in +02:00."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else None


def progress(status: SmsStatus) -> Progress:
    delivery = _DELIVERIES.get(status.status, Delivery.UNKNOWN)
    words = plain_words(status.status_description, ()) if delivery is Delivery.FAILED else None
    return Progress(delivery, words)


def device(device: Device) -> base.Device:
    return base.Device(
        ref=device.id,
        name=(device.title or "").strip() or device.id,
        sims=tuple(_sim(sim) for sim in device.siminfo or ()),
        last_seen_at=device.lastseen,
    )


def homes(devices: Iterable[base.Device]) -> dict[str | None, str]:
    """By phone, the country of its first SIM: whoever writes to it from there may leave out the country."""
    return {device.ref: sim.country for device in devices for sim in reversed(device.sims) if sim.country}


def answer(sms: Sms, home: str | None) -> Answer:
    number = _e164(sms.address or sms.sendto, home or "")
    return Answer(sms.id, number, sms.body or "", sms.created)


def _sim(sim: SimInfo) -> base.Sim:
    country = (sim.country or "").strip().upper()
    return base.Sim(
        slot=sim.slot,
        carrier=(sim.carrier or "").strip(),
        phone_number=_e164(sim.number, country),
        country=country if re.fullmatch(r"[A-Z]{2}", country) else None,
    )


def _e164(number: str | None, country: str) -> str | None:
    """Phones report what their SIM has on it: with or without a plus, after a space, or nothing."""
    try:
        parsed = phonenumbers.parse(number or "", country or None)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def digits(number: str | None) -> str:
    return re.sub(r"\D", "", number or "")


def plain_words(message: str, sent: Iterable[Any]) -> str | None:
    """Their sentence about a refusal, where it cannot hold a number, a code or anything that was sent."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z ,;.'!()-]{0,99}", message):
        return None
    return None if any(len(str(value)) > 3 and str(value) in message for value in sent) else message

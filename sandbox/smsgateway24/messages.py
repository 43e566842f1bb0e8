"""An SMS on the server, and the forms in which the API shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from sandbox.smsgateway24.dates import Shape, show_moment


class Status(IntEnum):
    """In the order of time 1, 3, 2: the vendor numbered them so "for backward compatibility"."""

    NEW = 1
    TAKEN = 2
    QUEUED = 3
    INCOMING = 5
    SENT = 6
    DELIVERED = 7
    NOT_DELIVERED = 8
    GENERIC_FAILURE = 9
    NO_SERVICE = 10
    NULL_PDU = 11
    RADIO_OFF = 12
    NOT_ALLOWED = 100
    NOT_ALLOWED_AT_ALL = 101


TITLES = {
    # The first, the second and the seventh stand in examples, the others only in the list of statuses.
    Status.NEW: "New",
    Status.TAKEN: "sending",
    Status.QUEUED: "Queued for sending",
    Status.INCOMING: "Incoming SMS",
    Status.SENT: "SMS sent by phone",
    Status.DELIVERED: "delivered",
    Status.NOT_DELIVERED: "SMS was NOT delivered",
    Status.GENERIC_FAILURE: "Not sent at all, generic failure",
    Status.NO_SERVICE: "Not sent, no service",
    Status.NULL_PDU: "Not sent, null PDU",
    Status.RADIO_OFF: "Not sent, radio off",
    Status.NOT_ALLOWED: "Not sent, NOT ALLOWED",
    Status.NOT_ALLOWED_AT_ALL: "Not sent, NOT ALLOWED",
}


@dataclass(frozen=True)
class Newsletter:
    id: int
    title: str
    body: str


@dataclass(eq=False)
class Message:
    id: int
    sendto: str
    body: str
    device_id: int
    created_at: datetime
    sim: int = 0
    customer_id: int | None = None
    urgent: bool = False
    send_at: datetime | None = None
    sent_at: datetime | None = None
    status: Status = Status.NEW
    newsletter: Newsletter | None = None


def show_message(message: Message, zone: str) -> Shape:
    """As `getallsms` lists it."""
    letter = message.newsletter
    return {
        "id": message.id,
        "sendto": message.sendto,
        "body": message.body,
        "customerid": message.customer_id,
        "status": message.status,
        "statustitle": TITLES[message.status],
        "deviceid": message.device_id,
        "urgent": message.urgent or None,
        "created": show_moment(message.created_at, zone),
        "senttime": show_moment(message.sent_at, zone),
        "timetosend": show_moment(message.send_at, zone),
        "sim": message.sim,
        "paketid": letter.id if letter else None,
        "pakettitle": letter.title if letter else None,
        "paketbody": letter.body if letter else None,
    }

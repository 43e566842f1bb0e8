"""The customer's Android phones, which fetch messages from the server and send them from their SIMs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.smsgateway24.dates import Shape, human_form, show_moment

LONG_AGO = datetime(2020, 4, 20, 20, 51, 34, tzinfo=UTC)


@dataclass(frozen=True)
class Sim:
    slot: int
    number: str
    country: str
    """ISO 3166-1 alpha-2, in lower case."""
    carrier: str
    icc_id: str = "89014103211118510720"
    roaming: bool = False


@dataclass(eq=False)
class Device:
    id: int
    title: str
    sims: list[Sim]
    imei: str = "null"
    """With that as a text, where it is not known."""
    serial_number: str = "unknown"
    created_at: datetime = LONG_AGO
    seen_at: datetime = LONG_AGO
    app_version: str = "12.1.21"
    is_app_current: bool = False
    sms_delay: int | None = None
    """Between two SMS. No unit is documented; here seconds."""
    request_delay: int = 1
    """Between two looks at the server. No unit is documented; here seconds."""
    subscription: bool = True

    online: bool = True
    """Switched on, in the net, and the app's start button tapped."""
    reports_delivery: bool = True
    """Where its network sends no reports, "sent" is the last that is heard of an SMS."""
    failure: int | None = None
    """The status in which what it sends from now on ends: 8 to 12, 100 or 101. None: all goes well."""
    free_at: datetime = LONG_AGO
    """When it may send the next SMS."""

    def has_number(self, number: str) -> bool:
        return any(sim.number.strip() == number for sim in self.sims)


def new_devices() -> list[Device]:
    """A phone that works, and one that has lain in a drawer for years."""
    sims = [
        Sim(0, "+4915752982212", "de", "Drillisch (o2)", icc_id="8949226172233934327"),
        Sim(1, " 6281234567890", "id", "Telkomsel"),
    ]
    drawer = [Sim(0, " 15555215554", "us", "Android (T-Mobile)")]
    return [
        Device(260, "Phone on the counter", sims, imei="358240051111110", is_app_current=True),
        Device(1297, "Phone in the drawer", drawer, subscription=False, online=False),
    ]


def show_device(device: Device, zone: str) -> Shape:
    """As `getalldevices` lists it."""
    return {
        "id": device.id,
        "title": device.title,
        "number": None,
        "imei": device.imei,
        "created": show_moment(device.created_at, zone),
        "createdhumanformat": human_form(device.created_at),
        "lastseen": show_moment(device.seen_at, zone),
        "lastseenhumanformat": human_form(device.seen_at),
        "serialnumber": device.serial_number,
        "siminfo": [_show_sim(sim) for sim in device.sims],
        "appversion": device.app_version,
        "isappversionactual": device.is_app_current,
        "delaybetweeneachsms": device.sms_delay,
        "delaybetweenrequest": device.request_delay,
        "subscription": device.subscription,
    }


def _show_sim(sim: Sim) -> Shape:
    """All of it is text."""
    return {
        "Slot": str(sim.slot),
        "IccId": sim.icc_id,
        "Number": sim.number,
        "Roaming": str(int(sim.roaming)),
        "CountryIso": sim.country,
        "CarrierName": sim.carrier,
    }

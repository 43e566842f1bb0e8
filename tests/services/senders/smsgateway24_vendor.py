"""The vendor that the adapter's tests talk to: it answers in the bodies of the documentation."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx

from sandbox.clock import ManualClock
from services.senders.base import Contact, Text
from services.senders.smsgateway24 import Login, SmsGateway24

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
LATER = datetime(2019, 7, 1, 23, 50, tzinfo=UTC)
TOKEN = "df427bfcf113c9a21c6771803501"
RENEWED = "abbde3e31e9d026c02f41119fc551111e"
LOGIN = Login("owner@shop.example", "Geheim!Geheim!")
PHONE = "+4915752982212"

SAVED = {"error": 0, "sms_id": 62807347, "message": "Sms has been saved successfully"}
SAVED_MANY = {"error": 0, "message": "Sms has been saved successfully"}
GOT_TOKEN = {"error": 0, "message": "OK", "token": RENEWED}
LOGIN_INCORRECT = {"error": 1, "message": "Login or password incorrect"}
TOKEN_INCORRECT = {"error": 1, "message": "Token incorrect"}

SMS = {
    "id": 22074938,
    "sendto": PHONE,
    "body": "Test message from API",
    "customerid": 19921,
    "status": 1,
    "statustitle": "New",
    "deviceid": 260,
    "urgent": True,
    "created": {"date": "2021-07-11 13:04:46.000000", "timezone_type": 1, "timezone": "+02:00"},
    "senttime": None,
    "timetosend": {"date": "2021-08-01 14:00:00.000000", "timezone_type": 1, "timezone": "+02:00"},
    "sim": 0,
    "paketid": None,
    "pakettitle": None,
    "paketbody": None,
}
EMULATOR: dict[str, Any] = {
    "id": 1576,
    "title": "AOSP_on_IA_Emulator",
    "number": None,
    "imei": "358240051111110",
    "created": {"date": "2020-03-28 20:10:29.000000", "timezone_type": 3, "timezone": "UTC"},
    "createdhumanformat": "28.03.2020 20:10:29",
    "lastseen": {"date": "2020-04-23 17:02:21.000000", "timezone_type": 3, "timezone": "UTC"},
    "lastseenhumanformat": "23.04.2020 17:02:21",
    "serialnumber": "EMULATOR30X0X5X0",
    "siminfo": [
        {
            "Slot": "0",
            "IccId": "89014103211118510720",
            "Number": " 15555215554",
            "Roaming": "0",
            "CountryIso": "us",
            "CarrierName": "Android (T-Mobile)",
        }
    ],
    "appversion": "12.1.21",
    "isappversionactual": False,
    "delaybetweeneachsms": None,
    "delaybetweenrequest": 1,
    "subscription": True,
}
OLD_PHONE = EMULATOR | {
    "id": 1297,
    "title": "Android_SDK_built_for_x86",
    "imei": "null",
    "created": {"date": "2020-01-20 14:01:05.000000", "timezone_type": 3, "timezone": "UTC"},
    "createdhumanformat": "20.01.2020 14:01:05",
    "lastseen": {"date": "2020-04-20 20:51:34.000000", "timezone_type": 3, "timezone": "UTC"},
    "lastseenhumanformat": "20.04.2020 20:51:34",
    "serialnumber": "unknown",
    "siminfo": [
        {
            "Slot": "0",
            "IccId": "8949226172233934327",
            "Number": PHONE,
            "Roaming": "1",
            "CountryIso": "de",
            "CarrierName": "Drillisch (o2)",
        }
    ],
    "delaybetweeneachsms": 5,
    "delaybetweenrequest": 10,
    "subscription": False,
}
DEVICES = {"count": 2, "device": {"1576": EMULATOR, "1297": OLD_PHONE}, "message": ""}


class Vendor:
    """Answers each call by its name and remembers what it was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[request.url.path.removeprefix("/getdata/")]
        if callable(answer):
            answer = answer(form(request))
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def calls(self) -> list[str]:
        return [request.url.path.removeprefix("/getdata/") for request in self.requests]

    @property
    def form(self) -> dict[str, str]:
        """Of the last request."""
        return form(self.requests[-1])


def form(request: httpx.Request) -> dict[str, str]:
    assert request.method == "POST"
    assert not request.url.query
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return dict(parse_qsl(request.content.decode(), keep_blank_values=True, strict_parsing=True))


def tokens(*valid: str) -> Any:
    """Answers to `addsms` under a token that is valid, and refuses others."""
    return lambda asked: SAVED if asked["token"] in valid else TOKEN_INCORRECT


@asynccontextmanager
async def smsgateway24_over(answers: dict[str, Any], **settings: Any):
    vendor = Vendor(answers)
    usual: dict[str, Any] = {"token": TOKEN, "device_id": "260", "clock": ManualClock(NOW)}
    sender = SmsGateway24(transport=httpx.MockTransport(vendor), **usual | settings)
    try:
        yield sender, vendor
    finally:
        await sender.aclose()


def text(*numbers: str, body: str = "Your code is 123456", first_id: int = 19921, **details: Any) -> Text:
    """Contacts are counted from `first_id`; one that can be reached by default."""
    contacts = tuple(Contact(id, number) for id, number in enumerate(numbers or (PHONE,), start=first_id))
    return Text(body, contacts, **details)


def seen(ago: timedelta) -> dict[str, Any]:
    return {"date": f"{NOW - ago:%Y-%m-%d %H:%M:%S.%f}", "timezone_type": 3, "timezone": "UTC"}


def listed(*messages):
    smss = {str(message["id"]): message for message in messages}
    return {"error": 0, "smss": smss, "count": len(smss), "message": "Ok"}

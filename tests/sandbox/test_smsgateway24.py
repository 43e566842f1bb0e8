"""The ten calls, and the phones behind them: what they answer, refuse and do by themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.clock import ManualClock
from sandbox.phones import Phones
from sandbox.smsgateway24 import Device, Sim, SmsGateway24, Status

pytestmark = pytest.mark.anyio

PHONE = "+4915752982212"
SMS = {"sendto": PHONE, "body": "Your code is 123456", "device_id": "260"}
SAVED = "Sms has been saved successfully"


class Play:
    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock(datetime(2023, 11, 2, 21, 44, 43, tzinfo=UTC))
        self.phones = Phones()
        self.vendor = SmsGateway24(self.clock, self.phones, **options)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.vendor.app), base_url="https://smsgateway24.com/getdata"
        )

    async def call(self, name: str, **fields: Any) -> Any:
        """With the token."""
        return await self.post(name, token=self.vendor.access.token, **fields)

    async def post(self, name: str, **fields: Any) -> Any:
        response = await self.client.post(f"/{name}", data=fields)
        assert response.status_code == 200
        return response.json()

    async def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        await self.vendor.tick()


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def counter(play: Play) -> Device:
    return play.vendor.devices[260]


async def status(play: Play, sms_id: int) -> int:
    status: int = (await play.call("getsmsstatus", sms_id=sms_id))["status"]
    return status


# The way in


async def test_a_login_is_answered_with_a_token(play: Play):
    login = {"email": "owner@shop.example", "pass": "sandbox-smsgateway24-password"}
    answer = await play.post("gettoken", **login)
    assert answer == {"error": 0, "message": "OK", "token": play.vendor.access.token}
    assert await play.post("gettoken", **login) == answer
    assert (await play.client.get("/gettoken", params=login)).json() == answer


@pytest.mark.parametrize("call", ["gettoken", "smstosend"])
async def test_a_wrong_login_is_refused_inside_of_a_success(play: Play, call: str):
    answer = await play.post(call, **SMS, **{"email": "owner@shop.example", "pass": "guess"})
    assert answer == {"error": 1, "message": "Login or password incorrect"}
    assert not play.vendor.messages


@pytest.mark.parametrize(
    "call",
    ["addsms", "getallsms", "getsmsstatus", "savetag", "savecontact", "savepaket", "getalldevices"],
)
async def test_a_wrong_token_is_refused_by_every_call(play: Play, call: str):
    assert (await play.post(call, token="guess", **SMS))["error"] == 1
    assert (await play.post("addalotofsms", datajson='{"token": "guess", "smsdata": []}'))["error"] == 1


async def test_a_token_can_run_out():
    play = Play(token_lifetime=timedelta(hours=1))
    first = play.vendor.access.token
    play.clock.advance(timedelta(minutes=59))
    assert (await play.post("getalldevices", token=first))["message"] == "OK"
    play.clock.advance(timedelta(minutes=1))
    assert (await play.post("getalldevices", token=first))["error"] == 1
    assert play.vendor.access.token != first


# Sending


@pytest.mark.parametrize("method", ["query", "form", "multipart"])
async def test_an_sms_is_saved_however_it_is_asked_for(play: Play, method: str):
    fields = SMS | {"token": play.vendor.access.token, "sendto": "+49 157 52982212"}
    options: dict[str, Any] = {
        "query": {"method": "GET", "params": fields},
        "form": {"method": "POST", "data": fields},
        "multipart": {"method": "POST", "files": {name: (None, value) for name, value in fields.items()}},
    }[method]
    answer = (await play.client.request(url="/addsms", **options)).json()
    assert answer == {"error": 0, "sms_id": 62807347, "message": SAVED}
    assert play.vendor.messages[62807347].sendto == PHONE


async def test_a_login_can_come_with_the_sms(play: Play):
    login = {"email": "owner@shop.example", "pass": "sandbox-smsgateway24-password"}
    answer = await play.post("smstosend", **login, **SMS)
    assert answer == {"error": 0, "sms_id": 62807347, "message": SAVED}


async def test_several_numbers_become_several_sms_under_one_id(play: Play):
    answer = await play.call("addsms", **SMS | {"sendto": f"{PHONE},+1 17642031984"})
    assert [sms.sendto for sms in play.vendor.messages.values()] == [PHONE, "+117642031984"]
    assert answer["sms_id"] == max(play.vendor.messages)


@pytest.mark.parametrize("wrong", [{"sendto": ""}, {"body": ""}, {"device_id": "261"}, {"device_id": ""}])
async def test_an_sms_that_cannot_be_is_refused(play: Play, wrong: dict[str, str]):
    assert (await play.call("addsms", **SMS | wrong))["error"] == 1
    assert not play.vendor.messages


async def test_many_sms_are_saved_and_no_ids_are_told(play: Play):
    items = [
        {
            "sendto": "015752982212",
            "body": "Your password is 12345",
            "sim": 1,
            "timetosend": "2019-07-01 23:50:00",
            "device_id": 260,
            "customerid": 122,
            "urgent": 1,
        },
        {"sendto": "015752982212", "body": "Regular SMS. Not urgnet", "sim": 1, "device_id": "260"},
    ]
    asked = {"token": play.vendor.access.token, "smsdata": items}
    assert await play.post("addalotofsms", datajson=json.dumps(asked)) == {"error": 0, "message": SAVED}
    first, second = play.vendor.messages.values()
    assert (first.urgent, first.customer_id, second.urgent, second.customer_id) == (True, 122, False, 0)


@pytest.mark.parametrize("datajson", ["", "[]", "{}", '{"token": "', '{"token": "T", "smsdata": [5]}'])
async def test_what_is_no_json_of_sms_is_refused(play: Play, datajson: str):
    answer = await play.post("addalotofsms", datajson=datajson.replace("T", play.vendor.access.token))
    assert answer["error"] == 1


async def test_one_bad_item_stops_the_batch(play: Play):
    items = [SMS, SMS | {"device_id": "261"}]
    asked = {"token": play.vendor.access.token, "smsdata": items}
    assert (await play.post("addalotofsms", datajson=json.dumps(asked)))["error"] == 1
    assert not play.vendor.messages


# What the phones do


async def test_an_sms_goes_its_way_by_the_clock(play: Play):
    sms_id = (await play.call("addsms", **SMS))["sms_id"]
    seen = [await status(play, sms_id)]
    for _ in range(7):
        await play.wait(1)
        seen.append(await status(play, sms_id))
    assert list(dict.fromkeys(seen)) == [1, 3, 2, 6, 7]
    (text,) = play.phones.texts
    assert (text.vendor, text.sender, text.to, text.text) == (
        "smsgateway24",
        "+4915752982212",
        PHONE,
        "Your code is 123456",
    )


async def test_the_status_is_told_as_documented(play: Play):
    sms_id = (await play.call("addsms", **SMS))["sms_id"]
    assert await play.call("getsmsstatus", sms_id=sms_id) == {
        "error": 0,
        "sms_id": sms_id,
        "status": 1,
        "status_description": "New",
        "message": "Ok",
    }
    assert (await play.call("getsmsstatus", sms_id=1))["error"] == 1


async def test_a_jump_of_the_clock_leaves_nothing_behind(play: Play):
    sms_id = (await play.call("addsms", **SMS))["sms_id"]
    await play.wait(3600)
    assert await status(play, sms_id) == Status.DELIVERED


async def test_texts_wait_for_a_phone_that_is_off(play: Play):
    play.vendor.trouble.phones_off = True
    sms_id = (await play.call("addsms", **SMS))["sms_id"]
    await play.wait(7200)
    assert await status(play, sms_id) == Status.NEW
    play.vendor.trouble.phones_off = False
    await play.wait(60)
    assert await status(play, sms_id) == Status.DELIVERED


async def test_without_reports_of_its_network_nothing_is_heard_after_sent(play: Play, counter: Device):
    counter.reports_delivery = False
    sms_id = (await play.call("addsms", **SMS))["sms_id"]
    await play.wait(3600)
    assert await status(play, sms_id) == Status.SENT


@pytest.mark.parametrize("failure", [8, 9, 10, 11, 12, 100, 101])
async def test_a_phone_can_fail_in_each_documented_way(play: Play, counter: Device, failure: int):
    counter.failure = failure
    sms_id = (await play.call("addsms", **SMS))["sms_id"]
    await play.wait(60)
    assert await status(play, sms_id) == failure
    assert not play.phones.texts


async def test_urgent_texts_go_first_and_the_others_keep_their_distance(play: Play, counter: Device):
    counter.sms_delay = 5
    for number, urgent in enumerate((0, 0, 1)):
        await play.call("addsms", **SMS | {"body": f"text {number}", "urgent": urgent})
    await play.wait(60)
    assert [text.text for text in play.phones.texts] == ["text 2", "text 0", "text 1"]
    first, second, third = (text.at for text in play.phones.texts)
    assert second - first == third - second == timedelta(seconds=5)


@pytest.mark.parametrize("form", ["2023-11-02 23:00:00", "2023-11-02 23:00", "2023-11-03"])
async def test_an_sms_waits_for_its_time_in_utc(play: Play, form: str):
    sms_id = (await play.call("addsms", **SMS | {"timetosend": form}))["sms_id"]
    await play.wait(3600)
    assert await status(play, sms_id) == Status.NEW
    await play.wait(7200)
    assert await status(play, sms_id) == Status.DELIVERED


async def test_a_time_in_the_past_is_at_once_and_no_time_is_refused(play: Play):
    await play.call("addsms", **SMS | {"timetosend": "2019-07-01 23:50:00"})
    await play.wait(60)
    assert play.phones.at(PHONE) == ["Your code is 123456"]
    assert (await play.call("addsms", **SMS | {"timetosend": "tomorrow"}))["error"] == 1


# Lists


async def test_messages_are_listed_by_their_id_in_the_zone_of_the_account(play: Play):
    sms_id = (await play.call("addsms", **SMS | {"urgent": 1}))["sms_id"]
    answer = await play.call("getallsms")
    assert answer == {
        "error": 0,
        "smss": {
            "62807347": {
                "id": sms_id,
                "sendto": PHONE,
                "body": "Your code is 123456",
                "customerid": None,
                "status": 1,
                "statustitle": "New",
                "deviceid": 260,
                "urgent": True,
                "created": {
                    "date": "2023-11-02 22:44:43.000000",
                    "timezone_type": 3,
                    "timezone": "Europe/Paris",
                },
                "senttime": None,
                "timetosend": None,
                "sim": 0,
                "paketid": None,
                "pakettitle": None,
                "paketbody": None,
            }
        },
        "count": 1,
        "message": "Ok",
    }


async def test_an_empty_list_is_an_array_and_a_count_has_no_list(play: Play):
    assert await play.call("getallsms") == {"error": 0, "smss": [], "count": 0, "message": "Ok"}
    await play.call("addsms", **SMS)
    assert await play.call("getallsms", onlycount=1) == {"error": 0, "count": 1, "message": "Ok"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [0, 1, 2]),
        ({"device_id": 1297}, [1]),
        ({"status": 5}, [2]),
        ({"begindate": "2023-11-02 21:45:00"}, [1, 2]),
        ({"enddate": "2023-11-02 21:45:00"}, [0]),
        ({"begindate": "2023-11-03"}, []),
        ({"sim": 1}, [0]),
        ({"customerid": 7}, [0]),
        ({"phone": "+49 157 52982212"}, [0]),
        ({"orderbydesc": 1}, [2, 1, 0]),
    ],
)
async def test_a_list_can_be_narrowed(play: Play, wanted: dict[str, Any], found: list[int]):
    await play.call("addsms", **SMS | {"sim": 1, "customerid": 7})
    await play.wait(60)
    await play.call("addsms", **SMS | {"device_id": "1297", "sendto": "+61400000000"})
    play.vendor.receive(260, "+61400000001", "STOP")
    smss = (await play.call("getallsms", **wanted))["smss"]
    assert [int(sms_id) - 62807347 for sms_id in smss] == found


async def test_moments_can_be_told_in_another_zone(play: Play):
    await play.call("addsms", **SMS)
    (sms,) = (await play.call("getallsms", timezone="Australia/Sydney"))["smss"].values()
    assert sms["created"]["date"] == "2023-11-03 08:44:43.000000"
    assert (await play.call("getallsms", timezone="Atlantis/Centre"))["error"] == 1


async def test_devices_are_listed_as_documented_without_an_error(play: Play):
    emulator = Device(
        1576,
        "AOSP_on_IA_Emulator",
        [Sim(0, " 15555215554", "us", "Android (T-Mobile)")],
        imei="358240051111110",
        serial_number="EMULATOR30X0X5X0",
        created_at=datetime(2020, 3, 28, 20, 10, 29, tzinfo=UTC),
        seen_at=datetime(2020, 4, 23, 17, 2, 21, tzinfo=UTC),
        online=False,
    )
    play.vendor.devices.clear()
    play.vendor.devices[1576] = emulator
    assert await play.call("getalldevices") == {
        "count": 1,
        "device": {
            "1576": {
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
        },
        "message": "OK",
    }


async def test_a_phone_that_is_on_has_just_been_seen(play: Play):
    devices = (await play.call("getalldevices"))["device"]
    assert devices["260"]["lastseen"]["date"] == "2023-11-02 21:44:43.000000"
    assert devices["1297"]["lastseen"]["date"] == "2020-04-20 20:51:34.000000"


# Newsletters


async def test_a_newsletter_goes_once_to_every_contact_of_its_tags(play: Play):
    tags = [(await play.call("savetag", title=title))["tag_id"] for title in ("Buyers", "Berlin")]
    assert await play.call("savetag", title="Buyers") == {"error": 0, "tag_id": 8303, "message": "OK"}
    contact = {"phone": PHONE, "fullname": "Rina"}
    saved = await play.call("savecontact", tag_id=tags[0], **contact)
    assert saved == {"error": 0, "contact_id": 15954765, "message": "ok"}
    await play.call("savecontact", tag_id=tags[1], **contact)
    await play.call("savecontact", tag_id=tags[1], phone="+61400000000", fullname="Ben")
    letter = {"title": "July", "device_id": 260, "body": "We are open", "tags": "8303,8304", "sim": 0}
    assert (await play.call("savepaket", **letter, time_to_send="0"))["paket_id"] == 501
    await play.wait(60)
    assert [text.to for text in play.phones.texts] == [PHONE, "+61400000000"]
    (first, _) = (await play.call("getallsms"))["smss"].values()
    assert (first["paketid"], first["pakettitle"], first["paketbody"]) == (501, "July", "We are open")


async def test_a_newsletter_has_a_form_of_dates_of_its_own(play: Play):
    tag = (await play.call("savetag", title="Buyers"))["tag_id"]
    await play.call("savecontact", tag_id=tag, phone=PHONE, fullname="Rina")
    letter = {"title": "July", "device_id": 260, "body": "We are open", "tags": tag}
    assert (await play.call("savepaket", **letter, time_to_send="2023-11-03 10:00:00"))["error"] == 1
    await play.call("savepaket", **letter, time_to_send="03.11.2023 10:00:00")
    await play.wait(3600)
    assert not play.phones.texts
    await play.wait(24 * 3600)
    assert play.phones.at(PHONE) == ["We are open"]


async def test_a_tag_that_never_was_is_refused(play: Play):
    assert (await play.call("savecontact", tag_id=5, phone=PHONE, fullname="Rina"))["error"] == 1
    letter = {"title": "July", "device_id": 260, "body": "We are open", "tags": "5"}
    assert (await play.call("savepaket", **letter))["error"] == 1

"""What the adapter says to smsgateway24, and what it makes of every documented answer."""

import json
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from sandbox.clock import ManualClock
from sandbox.phones import Phones as PlayedPhones
from sandbox.smsgateway24 import SmsGateway24 as SmsGateway24Vendor
from services.errors import AccessRefused, UpstreamRefused, UpstreamUnavailable
from services.senders.base import (
    Answering,
    Contact,
    Delivery,
    Device,
    Metered,
    Newsletters,
    Outcome,
    Phones,
    Receipt,
    Searchable,
    SenderIds,
    Sim,
    Text,
    Tracked,
)
from services.senders.smsgateway24 import Login, SmsGateway24
from services.senders.smsgateway24_wire import Origin, batch_form, sms_form
from tests.services.senders.smsgateway24_vendor import (
    DEVICES,
    EMULATOR,
    GOT_TOKEN,
    LATER,
    LOGIN,
    LOGIN_INCORRECT,
    NOW,
    OLD_PHONE,
    PHONE,
    RENEWED,
    SAVED,
    SAVED_MANY,
    TOKEN,
    TOKEN_INCORRECT,
    form,
    seen,
    smsgateway24_over,
    text,
    tokens,
)

pytestmark = pytest.mark.anyio


async def test_it_can_be_followed_and_searched_and_has_phones():
    async with smsgateway24_over({}) as (sender, _):
        assert all(
            isinstance(sender, ability) for ability in (Tracked, Searchable, Phones, Newsletters, Answering)
        )
        assert not any(isinstance(sender, ability) for ability in (Metered, SenderIds))
        assert sender.countries is None


async def test_one_text_is_sent_with_the_token():
    async with smsgateway24_over({"addsms": SAVED}) as (sender, vendor):
        wanted = text(urgent=True, send_at=LATER)
        receipts = await sender.send(wanted)
    assert receipts == [Receipt(wanted.contacts[0], Outcome.ACCEPTED, ref="62807347")]
    assert vendor.calls == ["addsms"]
    assert vendor.form == {
        "token": TOKEN,
        "sendto": PHONE,
        "body": "Your code is 123456",
        "device_id": "260",
        "timetosend": "2019-07-01 23:50:00",
        "sim": "0",
        "customerid": "19921",
        "urgent": "1",
    }


async def test_an_answer_may_have_the_token_in_it_as_well():
    async with smsgateway24_over({"addsms": SAVED | {"token": TOKEN}}) as (sender, _):
        (receipt,) = await sender.send(text())
    assert receipt.ref == "62807347"


async def test_without_a_time_a_text_goes_at_once_and_not_before_others():
    async with smsgateway24_over({"addsms": SAVED}) as (sender, vendor):
        await sender.send(text())
    assert "timetosend" not in vendor.form
    assert vendor.form["urgent"] == "0"


async def test_a_time_is_told_in_utc():
    async with smsgateway24_over({"addsms": SAVED}) as (sender, vendor):
        at = datetime(2026, 2, 26, 6, 30, tzinfo=timezone(timedelta(hours=7)))
        await sender.send(text(send_at=at))
    assert vendor.form["timetosend"] == "2026-02-25 23:30:00"


async def test_every_character_arrives_as_it_is():
    body = "Kode+Anda: 1&2=3 ✓\nJangan dibagikan %2B"
    async with smsgateway24_over({"addsms": SAVED}) as (sender, vendor):
        await sender.send(text(body=body))
    assert vendor.form["body"] == body


async def test_many_texts_are_sent_in_one_call_without_refs():
    async with smsgateway24_over({"getalldevices": DEVICES, "addalotofsms": SAVED_MANY}) as (sender, vendor):
        wanted = text("015", "+4915752982212", "+6281234567890", first_id=122)
        receipts = await sender.send(wanted)
    assert [(receipt.contact.id, receipt.outcome, receipt.ref) for receipt in receipts] == [
        (122, Outcome.INVALID, None),
        (123, Outcome.ACCEPTED, None),
        (124, Outcome.ACCEPTED, None),
    ]
    assert vendor.calls == ["getalldevices", "addalotofsms"]
    assert list(vendor.form) == ["datajson"]
    asked = json.loads(vendor.form["datajson"])
    assert asked["token"] == TOKEN
    assert [(sms["sendto"], sms["customerid"]) for sms in asked["smsdata"]] == [
        ("+4915752982212", 123),
        ("+6281234567890", 124),
    ]


def test_the_json_of_many_is_the_documented_one():
    contact, origin = Contact(122, "015752982212"), Origin("260", sim=1)
    first = Text("Your password is 12345", (contact,), urgent=True, send_at=LATER)
    second = Text("Regular SMS. Not urgnet", (contact,), send_at=LATER)
    sent = batch_form(TOKEN, [sms_form(wanted, contact, origin) for wanted in (first, second)])
    assert json.loads(str(sent["datajson"])) == {
        "token": "df427bfcf113c9a21c6771803501",
        "smsdata": [
            {
                "sendto": "015752982212",
                "body": "Your password is 12345",
                "sim": 1,
                "timetosend": "2019-07-01 23:50:00",
                "device_id": 260,
                "customerid": 122,
                "urgent": 1,
            },
            {
                "sendto": "015752982212",
                "body": "Regular SMS. Not urgnet",
                "sim": 1,
                "timetosend": "2019-07-01 23:50:00",
                "device_id": 260,
                "customerid": 122,
                "urgent": 0,
            },
        ],
    }


@pytest.mark.parametrize(
    "number", ["", "015752982212", "+49 157 52982212", f"{PHONE},{PHONE}", "+49157x", "+0"]
)
async def test_what_is_no_number_is_refused_before_any_call(number):
    async with smsgateway24_over({}) as (sender, vendor):
        for numbers in ([number], [number, number]):
            receipts = await sender.send(text(*numbers))
            assert {receipt.outcome for receipt in receipts} == {Outcome.INVALID}
    assert not vendor.requests


async def test_the_phone_seen_last_sends_with_its_first_sim():
    sims = [EMULATOR["siminfo"][0] | {"Slot": "1"}]
    devices = {
        "7": EMULATOR | {"id": 7, "lastseen": None},
        "8": EMULATOR | {"id": 8, "lastseen": seen(timedelta(minutes=1)), "siminfo": sims},
        "9": EMULATOR | {"id": 9, "lastseen": seen(timedelta(hours=1))},
    }
    answers = {"getalldevices": {"count": 3, "device": devices}, "addsms": SAVED}
    async with smsgateway24_over(answers, device_id=None) as (sender, vendor):
        await sender.send(text())
    assert (vendor.form["device_id"], vendor.form["sim"]) == ("8", "1")


async def test_the_phone_is_chosen_again_every_five_minutes():
    clock = ManualClock(NOW)
    answers = {"getalldevices": DEVICES, "addsms": SAVED}
    async with smsgateway24_over(answers, device_id=None, clock=clock) as (sender, vendor):
        await sender.send(text())
        await sender.send(text())
        assert vendor.calls == ["getalldevices", "addsms", "addsms"]
        clock.advance(timedelta(minutes=5))
        await sender.send(text())
    assert vendor.calls[3:] == ["getalldevices", "addsms"]


@pytest.mark.parametrize(
    ("devices", "device_id"),
    [
        ({"count": 0, "device": []}, None),
        ({"count": 0, "device": {}}, None),
        ({"count": 0, "message": "OK"}, None),
        (DEVICES, "260"),
    ],
)
async def test_a_check_finds_that_there_is_no_phone(devices, device_id):
    async with smsgateway24_over({"getalldevices": devices}, device_id=device_id) as (sender, _):
        with pytest.raises(UpstreamRefused, match="registered"):
            await sender.check()


@pytest.mark.parametrize("device_id", ["1576", None])
async def test_a_check_only_reads(device_id):
    async with smsgateway24_over({"getalldevices": DEVICES}, device_id=device_id) as (sender, vendor):
        await sender.check()
    assert vendor.calls == ["getalldevices"]
    assert vendor.form == {"token": TOKEN}


async def test_devices_are_told_with_their_sims_and_when_they_were_seen():
    async with smsgateway24_over({"getalldevices": DEVICES}) as (sender, _):
        devices = await sender.devices()
    assert devices == [
        Device(
            ref="1576",
            name="AOSP_on_IA_Emulator",
            sims=(Sim(0, "Android (T-Mobile)", "+15555215554", "US"),),
            last_seen_at=datetime(2020, 4, 23, 17, 2, 21, tzinfo=UTC),
        ),
        Device(
            ref="1297",
            name="Android_SDK_built_for_x86",
            sims=(Sim(0, "Drillisch (o2)", PHONE, "DE"),),
            last_seen_at=datetime(2020, 4, 20, 20, 51, 34, tzinfo=UTC),
        ),
    ]


async def test_a_device_may_be_without_almost_everything():
    bare = {
        "id": 5,
        "title": None,
        "lastseen": None,
        "siminfo": [{"Slot": "1", "Number": "", "CountryIso": ""}],
    }
    bald = OLD_PHONE | {"id": 6, "siminfo": None}
    async with smsgateway24_over({"getalldevices": {"count": 2, "device": [bare, bald]}}) as (sender, _):
        first, second = await sender.devices()
    assert first == Device(ref="5", name="5", sims=(Sim(1, "", None, None),), last_seen_at=None)
    assert second.sims == ()


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("UTC", 17),
        ("Europe/Paris", 15),
        ("+02:00", 15),
        ("-03:30", 20),
        ("Atlantis", None),
        ("../x", None),
        ("", None),
    ],
)
async def test_moments_are_understood_in_every_zone(zone, hour):
    moment = {"date": "2020-04-23 17:02:21.000000", "timezone_type": 3, "timezone": zone}
    devices = {"count": 1, "device": {"5": EMULATOR | {"lastseen": moment}}}
    async with smsgateway24_over({"getalldevices": devices}) as (sender, _):
        (device,) = await sender.devices()
    assert (device.last_seen_at and device.last_seen_at.hour) == hour


async def test_a_token_is_got_with_the_login_once():
    answers = {"gettoken": GOT_TOKEN, "addsms": tokens(RENEWED)}
    async with smsgateway24_over(answers, token=None, login=LOGIN) as (sender, vendor):
        await sender.send(text())
        await sender.send(text())
    assert vendor.calls == ["gettoken", "addsms", "addsms"]
    assert form(vendor.requests[0]) == {"email": "owner@shop.example", "pass": "Geheim!Geheim!"}


async def test_a_token_that_has_run_out_is_renewed_and_the_text_sent_once():
    answers = {"gettoken": GOT_TOKEN, "addsms": tokens(RENEWED)}
    async with smsgateway24_over(answers, login=LOGIN) as (sender, vendor):
        (receipt,) = await sender.send(text())
    assert receipt.ref == "62807347"
    assert vendor.calls == ["addsms", "gettoken", "addsms"]
    assert vendor.form["token"] == RENEWED


async def test_a_token_is_renewed_before_many_are_sent():
    def devices(asked):
        return DEVICES if asked["token"] == RENEWED else TOKEN_INCORRECT

    answers = {"gettoken": GOT_TOKEN, "getalldevices": devices, "addalotofsms": SAVED_MANY}
    async with smsgateway24_over(answers, login=LOGIN) as (sender, vendor):
        await sender.send(text(PHONE, PHONE))
    assert vendor.calls == ["getalldevices", "gettoken", "getalldevices", "addalotofsms"]
    assert json.loads(vendor.form["datajson"])["token"] == RENEWED


async def test_a_refusal_that_another_token_does_not_mend_stays_one():
    answers = {"gettoken": GOT_TOKEN, "addsms": {"error": 1, "message": "Device not found"}}
    async with smsgateway24_over(answers, login=LOGIN) as (sender, vendor):
        with pytest.raises(UpstreamRefused, match="Device not found") as caught:
            await sender.send(text())
    assert (caught.value.code, caught.value.upstream) == ("Device not found", "smsgateway24")
    assert vendor.calls == ["addsms", "gettoken", "addsms"]


async def test_nothing_is_repeated_under_the_same_token():
    answers = {"gettoken": GOT_TOKEN | {"token": TOKEN}, "addsms": TOKEN_INCORRECT}
    async with smsgateway24_over(answers, login=LOGIN) as (sender, vendor):
        with pytest.raises(AccessRefused):
            await sender.send(text())
    assert vendor.calls == ["addsms", "gettoken"]


async def test_a_wrong_login_is_said_to_be_one():
    async with smsgateway24_over({"gettoken": LOGIN_INCORRECT}, token=None, login=LOGIN) as (sender, vendor):
        with pytest.raises(AccessRefused, match="Login or password incorrect"):
            await sender.send(text())
    assert vendor.calls == ["gettoken"]


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.Response(500), httpx.Response(200)])
async def test_while_there_is_no_token_the_login_goes_with_the_text(failure):
    answers = {"gettoken": failure, "smstosend": SAVED}
    async with smsgateway24_over(answers, token=None, login=LOGIN) as (sender, vendor):
        (receipt,) = await sender.send(text(urgent=True, send_at=LATER))
    assert receipt.ref == "62807347"
    assert vendor.form == {
        "email": "owner@shop.example",
        "pass": "Geheim!Geheim!",
        "sendto": PHONE,
        "body": "Your code is 123456",
        "device_id": "260",
        "timetosend": "2019-07-01 23:50:00",
        "sim": "0",
        "customerid": "19921",
        "urgent": "1",
    }


async def test_a_refused_read_without_a_login_is_asked_once():
    async with smsgateway24_over({"getalldevices": {"error": 1, "message": "no"}}) as (sender, vendor):
        with pytest.raises(AccessRefused):
            await sender.devices()
    assert len(vendor.requests) == 1


async def test_no_phone_can_be_chosen_while_there_is_no_answer():
    answers = {"getalldevices": httpx.ReadTimeout("slow")}
    async with smsgateway24_over(answers, device_id=None) as (sender, vendor):
        with pytest.raises(UpstreamUnavailable):
            await sender.send(text())
    assert vendor.calls == ["getalldevices"]


async def test_a_day_with_the_vendor_needs_nobody_to_log_in_again():
    clock, phones = ManualClock(NOW), PlayedPhones()
    vendor = SmsGateway24Vendor(clock, phones, token_lifetime=timedelta(hours=1))
    login = Login(vendor.access.email, vendor.access.password)
    sender = SmsGateway24(login=login, clock=clock, transport=httpx.ASGITransport(vendor.app))
    for hour in range(24):
        (receipt,) = await sender.send(text(body=f"hour {hour}", first_id=hour + 1))
        clock.advance(timedelta(hours=1))
        assert (await sender.progress(receipt.ref or "")).delivery is Delivery.DELIVERED
    await sender.aclose()
    assert phones.at(PHONE) == [f"hour {hour}" for hour in range(24)]

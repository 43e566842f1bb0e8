"""What the adapter says to smsgateway24, and what it makes of every documented answer."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from sandbox.clock import ManualClock
from sandbox.phones import Phones as PlayedPhones
from sandbox.smsgateway24 import SmsGateway24 as SmsGateway24Vendor
from services.errors import AccessRefused, UpstreamBroken, UpstreamRefused, UpstreamUnavailable
from services.senders.base import (
    Answer,
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
from services.senders.smsgateway24_wire import Filter, Origin, batch_form, sms_form
from tests.services.senders.smsgateway24_vendor import (
    DEVICES,
    EMULATOR,
    GOT_TOKEN,
    LOGIN,
    LOGIN_INCORRECT,
    NOW,
    OLD_PHONE,
    PHONE,
    RENEWED,
    SAVED,
    SAVED_MANY,
    SMS,
    TOKEN,
    TOKEN_INCORRECT,
    form,
    seen,
    smsgateway24_over,
    text,
    tokens,
)

pytestmark = pytest.mark.anyio

LATER = datetime(2019, 7, 1, 23, 50, tzinfo=UTC)


async def test_it_can_be_followed_and_searched_and_has_phones():
    async with smsgateway24_over({}) as (sender, _):
        assert all(
            isinstance(sender, ability) for ability in (Tracked, Searchable, Phones, Newsletters, Answering)
        )
        assert not any(isinstance(sender, ability) for ability in (Metered, SenderIds))
        assert sender.countries is None


# Sending


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


# The phone that sends


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


# The way in


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


# What became of a text


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        (1, Delivery.ACCEPTED),
        (3, Delivery.ACCEPTED),
        (2, Delivery.ACCEPTED),
        (6, Delivery.SENT),
        (7, Delivery.DELIVERED),
        (8, Delivery.FAILED),
        (9, Delivery.FAILED),
        (10, Delivery.FAILED),
        (11, Delivery.FAILED),
        (12, Delivery.FAILED),
        (100, Delivery.FAILED),
        (101, Delivery.FAILED),
        (4, Delivery.UNKNOWN),
        (5, Delivery.UNKNOWN),
        (77, Delivery.UNKNOWN),
    ],
)
async def test_every_status_is_understood(status, delivery):
    answer = {
        "error": 0,
        "sms_id": 22074698,
        "status": status,
        "status_description": "New",
        "message": "Ok",
    }
    async with smsgateway24_over({"getsmsstatus": answer}) as (sender, vendor):
        assert (await sender.progress("22074698")).delivery is delivery
    assert vendor.form == {"token": TOKEN, "sms_id": "22074698"}


@pytest.mark.parametrize(
    ("status", "description", "reason"),
    [
        (10, "Not sent, no service", "Not sent, no service"),
        (100, "Not sent, NOT ALLOWED (see the app)", "Not sent, NOT ALLOWED (see the app)"),
        (8, f"Not delivered to {PHONE}", None),
        (8, None, None),
        (7, "delivered", None),
    ],
)
async def test_why_a_text_failed_is_told_in_words_that_can_hold_no_secret(status, description, reason):
    answer = {"error": 0, "sms_id": 5, "status": status, "status_description": description}
    async with smsgateway24_over({"getsmsstatus": answer}) as (sender, _):
        assert (await sender.progress("5")).reason == reason


async def test_the_status_of_another_message_is_not_believed():
    answer = {"error": 0, "sms_id": 5, "status": 7, "status_description": "", "message": ""}
    async with smsgateway24_over({"getsmsstatus": answer}) as (sender, _):
        with pytest.raises(UpstreamBroken):
            await sender.progress("22074698")


async def test_a_message_that_never_was_is_refused_and_a_strange_ref_is_not_asked_for():
    answers = {"getsmsstatus": {"error": 1, "message": "Sms not found"}}
    async with smsgateway24_over(answers) as (sender, vendor):
        for ref in ("5", "five", "-1", ""):
            with pytest.raises(UpstreamRefused):
                await sender.progress(ref)
    assert vendor.calls == ["getsmsstatus"]


async def test_statuses_are_asked_for_at_a_bounded_pace():
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    answer = {"error": 0, "sms_id": 5, "status": 7, "status_description": "", "message": ""}
    async with smsgateway24_over({"getsmsstatus": answer}, sleep=sleep) as (sender, _):
        for _ in range(120):
            await sender.progress("5")
    assert len(waits) >= 50
    assert waits[-1] > 30


# Looking for what was sent


def listed(*messages):
    smss = {str(message["id"]): message for message in messages}
    return {"error": 0, "smss": smss, "count": len(smss), "message": "Ok"}


async def test_a_text_is_found_by_our_own_number_for_it():
    since = datetime(2021, 7, 11, 11, 4, 46, 900_000, tzinfo=UTC)
    async with smsgateway24_over({"getallsms": listed(SMS)}) as (sender, vendor):
        wanted = text()
        assert await sender.find_sent(wanted, since=since) == [
            Receipt(wanted.contacts[0], Outcome.ACCEPTED, ref="22074938")
        ]
    assert vendor.form == {
        "token": TOKEN,
        "begindate": "2021-07-10 20:04:46",
        "customerid": "19921",
    }


@pytest.mark.parametrize(
    "other",
    [
        {"customerid": 19922},
        {"customerid": None},
        {"sendto": "+4915752982213"},
        {"sendto": None},
        {"status": 5},
        {"created": {"date": "2021-07-11 13:04:45.000000", "timezone_type": 1, "timezone": "+02:00"}},
    ],
)
async def test_other_messages_are_not_taken_for_it(other):
    since = datetime(2021, 7, 11, 11, 4, 46, tzinfo=UTC)
    async with smsgateway24_over({"getallsms": listed(SMS | other)}) as (sender, _):
        assert await sender.find_sent(text(), since=since) == []


@pytest.mark.parametrize(
    "nothing",
    [
        {"error": 0, "smss": [], "count": 0, "message": "Ok"},
        {"error": 0, "smss": {}, "count": 0, "message": "Ok"},
        {"error": 0, "count": 0, "message": ""},
    ],
)
async def test_nothing_is_found_in_an_empty_list_of_any_shape(nothing):
    async with smsgateway24_over({"getallsms": nothing}) as (sender, _):
        assert await sender.find_sent(text(), since=NOW) == []


async def test_many_are_found_in_one_list_with_their_refs():
    def answer(asked):
        return {"error": 0, "count": 3, "message": "Ok"} if "onlycount" in asked else messages

    spaced = SMS | {"id": 7, "customerid": 19923, "sendto": "+62 812-3456-7890"}
    messages = listed(SMS, spaced, SMS | {"id": 8, "customerid": 0})
    async with smsgateway24_over({"getallsms": answer}) as (sender, vendor):
        wanted = text(PHONE, "+61400000000", "+6281234567890")
        receipts = await sender.find_sent(wanted, since=datetime(2021, 7, 11, tzinfo=UTC))
    assert [(receipt.contact.id, receipt.ref) for receipt in receipts] == [(19921, "22074938"), (19923, "7")]
    assert len(vendor.requests) == 2
    assert "customerid" not in vendor.form


async def test_a_list_that_is_too_long_is_not_asked_for():
    def answer(asked):
        return {"error": 0, "count": 5001, "message": "Ok"} if "onlycount" in asked else listed()

    async with smsgateway24_over({"getallsms": answer}) as (sender, vendor):
        await sender.find_sent(text(PHONE, PHONE), since=NOW)
    asked = [form(request) for request in vendor.requests]
    assert [(one.get("customerid"), one.get("phone")) for one in asked] == [
        (None, None),
        ("19921", None),
        (None, PHONE),
        ("19922", None),
        (None, PHONE),
    ]


async def test_a_list_can_be_narrowed_in_every_documented_way():
    wanted = Filter(
        device_id=260,
        status=7,
        begins_at=datetime(2021, 7, 1, tzinfo=UTC),
        ends_at=datetime(2021, 8, 1, 23, 59, 59, tzinfo=UTC),
        sim=0,
        customer_id=19921,
        phone_number=PHONE,
        newest_first=True,
        zone="Australia/Sydney",
    )
    documented = {
        "token": TOKEN,
        "device_id": "260",
        "status": "7",
        "begindate": "2021-07-01 00:00:00",
        "enddate": "2021-08-01 23:59:59",
        "sim": "0",
        "customerid": "19921",
        "phone": PHONE,
        "orderbydesc": "1",
        "timezone": "Australia/Sydney",
    }
    async with smsgateway24_over({"getallsms": listed(SMS)}) as (sender, vendor):
        (message,) = await sender.list_messages(wanted)
        assert vendor.form == documented
        assert await sender.count_messages(wanted) == 1
        assert vendor.form == documented | {"onlycount": "1"}
    assert (message.id, message.customerid) == ("22074938", 19921)


async def test_the_documented_list_is_read():
    paris = {"date": "2023-11-02 22:44:43.000000", "timezone_type": 3, "timezone": "Europe/Paris"}
    row = {
        "id": 62050971,
        "sendto": "+4912312312332",
        "body": "Hello! Thank you for Order! ",
        "customerid": None,
        "status": 2,
        "statustitle": "sending",
        "deviceid": 11231,
        "urgent": None,
        "created": paris,
        "senttime": None,
        "timetosend": None,
        "paketid": None,
        "pakettitle": None,
        "paketbody": None,
    }
    delivered = row | {"id": 62051117, "status": 7, "statustitle": "delivered"}
    answer = {"smss": {"62050971": row, "62051117": delivered}}
    async with smsgateway24_over({"getallsms": answer}) as (sender, _):
        messages = await sender.list_messages(Filter())
    assert [(message.id, message.status) for message in messages] == [("62050971", 2), ("62051117", 7)]
    assert messages[0].created == datetime(2023, 11, 2, 21, 44, 43, tzinfo=UTC)


# What people answer


async def test_answers_are_asked_for_by_their_status_and_read_from_either_field():
    came_in = SMS | {"status": 5, "customerid": None, "body": "STOP", "deviceid": 1297}
    answers = {
        "getallsms": listed(
            came_in | {"id": 10, "sendto": None, "address": PHONE},
            came_in | {"id": 9, "sendto": "0157 52982212"},
            came_in | {"id": 11, "sendto": "MyBank", "created": None, "body": None},
            SMS | {"id": 12},
        ),
        "getalldevices": DEVICES,
    }
    came_at = datetime(2021, 7, 11, 11, 4, 46, tzinfo=UTC)
    async with smsgateway24_over(answers) as (sender, vendor):
        told = await sender.answers(since=datetime(2021, 7, 11, 11, tzinfo=UTC), after="8")
    assert told == [
        Answer("9", PHONE, "STOP", came_at),
        Answer("10", PHONE, "STOP", came_at),
        Answer("11", None, "", None),
    ]
    assert form(vendor.requests[0]) == {"token": TOKEN, "status": "5", "begindate": "2021-07-10 20:00:00"}
    assert vendor.calls == ["getallsms", "getalldevices"]


async def test_without_new_answers_nothing_else_is_asked():
    async with smsgateway24_over({"getallsms": listed(SMS | {"status": 5})}) as (sender, vendor):
        assert await sender.answers(since=datetime(2021, 7, 11, tzinfo=UTC), after="22074938") == []
    assert vendor.calls == ["getallsms"]


# Tags, contacts and newsletters


async def test_a_tag_is_saved():
    async with smsgateway24_over({"savetag": {"error": 0, "tag_id": 8303, "message": "OK"}}) as (
        sender,
        vendor,
    ):
        assert await sender.save_tag("Colleagues") == "8303"
    assert vendor.form == {"token": TOKEN, "title": "Colleagues"}


async def test_a_contact_is_saved_with_its_tag():
    answer = {"error": 0, "contact_id": 15954765, "message": "ok"}
    async with smsgateway24_over({"savecontact": answer}) as (sender, vendor):
        assert await sender.save_contact(PHONE, tag="8303", full_name="Rina") == "15954765"
    assert vendor.form == {"token": TOKEN, "phone": PHONE, "tag_id": "8303", "fullname": "Rina"}


@pytest.mark.parametrize("answer", [{"paket_id": 501, "contact_id": 5}, {"paket": 501}])
async def test_a_newsletter_goes_to_tags(answer):
    async with smsgateway24_over({"savepaket": {"error": 0, "message": "OK"} | answer}) as (sender, vendor):
        letter = await sender.create_newsletter("July", "We are open", tags=["12", "13", "14"])
    assert letter == "501"
    assert vendor.form == {
        "token": TOKEN,
        "title": "July",
        "device_id": "260",
        "body": "We are open",
        "tags": "12,13,14",
        "sim": "0",
        "time_to_send": "0",
    }


async def test_a_newsletter_has_a_form_of_dates_of_its_own():
    answer = {"error": 0, "paket_id": 501, "message": "OK"}
    async with smsgateway24_over({"savepaket": answer}) as (sender, vendor):
        await sender.create_newsletter("July", "We are open", tags=["12"], send_at=LATER)
    assert vendor.form["time_to_send"] == "01.07.2019 23:50:00"


TAGGED = {
    "savetag": {"error": 0, "tag_id": 8303, "message": "OK"},
    "savecontact": {"error": 0, "contact_id": 15954765, "message": "ok"},
    "savepaket": {"error": 0, "message": "OK", "paket_id": 501},
}


async def test_a_newsletter_has_a_tag_of_its_own_with_its_phones_and_no_names():
    async with smsgateway24_over(TAGGED) as (sender, vendor):
        wanted = text(PHONE, "015", "+6281234567890", first_id=11, body="We are open")
        receipts = await sender.send_newsletter("Broadcast 7", wanted)
    assert [(receipt.contact.id, receipt.outcome, receipt.ref) for receipt in receipts] == [
        (11, Outcome.ACCEPTED, None),
        (12, Outcome.INVALID, None),
        (13, Outcome.ACCEPTED, None),
    ]
    assert vendor.calls == ["savetag", "savecontact", "savecontact", "savepaket"]
    tag, first, second, letter = [form(request) for request in vendor.requests]
    assert re.fullmatch(r"Broadcast 7 #11-13 [0-9a-f]{8}", tag.pop("title"))
    assert tag == {"token": TOKEN}
    assert [first, second] == [
        {"token": TOKEN, "phone": PHONE, "tag_id": "8303", "fullname": "Renter 11"},
        {"token": TOKEN, "phone": "+6281234567890", "tag_id": "8303", "fullname": "Renter 13"},
    ]
    assert letter == {
        "token": TOKEN,
        "title": "Broadcast 7 #11-13",
        "device_id": "260",
        "body": "We are open",
        "tags": "8303",
        "sim": "0",
        "time_to_send": "0",
    }


async def test_no_two_newsletters_share_a_tag():
    async with smsgateway24_over(TAGGED) as (sender, vendor):
        for _ in range(2):
            await sender.send_newsletter("Broadcast 7", text())
    titles = [form(request)["title"] for request in vendor.requests if request.url.path.endswith("savetag")]
    assert len(set(titles)) == 2


async def test_a_newsletter_to_nobody_is_no_call():
    async with smsgateway24_over({}) as (sender, vendor):
        (receipt,) = await sender.send_newsletter("Broadcast 7", text("015"))
    assert receipt.outcome is Outcome.INVALID
    assert not vendor.requests


async def test_a_phone_that_is_refused_does_not_keep_others_from_their_newsletter():
    def answer(asked):
        refusal = {"error": 1, "message": "Phone incorrect"}
        return refusal if asked["phone"] == PHONE else TAGGED["savecontact"]

    async with smsgateway24_over(TAGGED | {"savecontact": answer}) as (sender, vendor):
        refused, accepted = await sender.send_newsletter("Broadcast 7", text(PHONE, "+6281234567890"))
        assert (refused.outcome, refused.reason) == (Outcome.REFUSED, "Phone incorrect")
        assert accepted.outcome is Outcome.ACCEPTED
        assert vendor.calls[-1] == "savepaket"
        (alone,) = await sender.send_newsletter("Broadcast 7", text(PHONE))
        assert alone.outcome is Outcome.REFUSED
        assert vendor.calls[-1] == "savecontact"


NEWSLETTER = SMS | {
    "customerid": None,
    "body": "We are open\r\ntoday",
    "paketid": 501,
    "pakettitle": "Broadcast 7 #19900-19930",
}


async def test_a_message_of_a_newsletter_is_found_by_its_title():
    def answer(asked):
        return listed() if "customerid" in asked else listed(NEWSLETTER)

    async with smsgateway24_over({"getallsms": answer}) as (sender, vendor):
        wanted = text(body="We are open\ntoday")
        (receipt,) = await sender.find_sent(wanted, since=datetime(2021, 7, 11, 11, 4, tzinfo=UTC))
    assert receipt == Receipt(wanted.contacts[0], Outcome.ACCEPTED, ref="22074938")
    assert vendor.form == {"token": TOKEN, "begindate": "2021-07-10 20:04:00", "phone": PHONE}


@pytest.mark.parametrize(
    "other",
    [
        {"pakettitle": "Broadcast 7 #19922-19930"},
        {"pakettitle": "Broadcast 7 #19900-19920"},
        {"pakettitle": "Summer sale"},
        {"pakettitle": None},
        {"body": "We are closed today"},
        {"sendto": "+4915752982213"},
        {"status": 5},
        {"created": {"date": "2021-07-10 13:04:46.000000", "timezone_type": 1, "timezone": "+02:00"}},
    ],
)
async def test_other_newsletters_are_not_taken_for_it(other):
    async with smsgateway24_over({"getallsms": listed(NEWSLETTER | other)}) as (sender, _):
        wanted = text(body="We are open today")
        assert await sender.find_sent(wanted, since=datetime(2021, 7, 11, 11, 4, tzinfo=UTC)) == []


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

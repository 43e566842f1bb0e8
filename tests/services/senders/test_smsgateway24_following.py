"""How texts through smsgateway24 fare: their states, how they are found again, and what is answered."""

from datetime import UTC, datetime

import pytest

from services.errors import UpstreamBroken, UpstreamRefused
from services.senders.base import (
    Answer,
    Delivery,
    Outcome,
    Receipt,
)
from services.senders.smsgateway24_wire import Filter
from tests.services.senders.smsgateway24_vendor import (
    DEVICES,
    NOW,
    PHONE,
    SMS,
    TOKEN,
    form,
    listed,
    smsgateway24_over,
    text,
)

pytestmark = pytest.mark.anyio


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

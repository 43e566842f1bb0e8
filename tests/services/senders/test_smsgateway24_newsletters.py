"""News through smsgateway24: tags, contacts and newsletters."""

import re
from datetime import UTC, datetime

import pytest

from services.senders.base import (
    Outcome,
    Receipt,
)
from tests.services.senders.smsgateway24_vendor import (
    LATER,
    PHONE,
    SMS,
    TOKEN,
    form,
    listed,
    smsgateway24_over,
    text,
)

pytestmark = pytest.mark.anyio


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

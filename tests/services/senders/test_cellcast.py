"""What the adapter says to Cellcast, and what it makes of every documented answer."""

import traceback
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import httpx
import pytest

from services.errors import (
    AccessRefused,
    NameInvalid,
    NameRequired,
    NoCredit,
    NumberInvalid,
    NumberRequired,
    NumberTaken,
    OtpRefused,
    UpstreamBroken,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.senders.base import Outcome, Usage
from services.senders.cellcast import Cellcast
from tests.services.senders.cellcast_vendor import (
    BAD_CONTACTS,
    EXPIRED,
    HEAD,
    NUMBER_EXISTS,
    PHONE,
    QUEUED,
    TOKEN,
    FixedClock,
    cellcast_over,
    failure,
    queued,
    success,
    text,
)

pytestmark = pytest.mark.anyio

FORMS = ["+61400000000", "61400000000", "0400000000", "400000000"]
FOREIGN = ["+6281234567890", "+61212345678", "81234567890", "+614000000000", "4000", "+61 400 000 000", ""]
ADD, VERIFY = "/api/v1/customNumber/add", "/api/v1/customNumber/verifyCustomNumber"
OTP_SENT = "OTP sent to your number successfully"
LOW = "Your balance is too low for this request, please recharge."


def outcomes(receipts):
    return [receipt.outcome for receipt in receipts]


async def test_the_token_is_verified():
    answer = success("Token verified successfully!", {"token": TOKEN})
    async with cellcast_over(answer) as (sender, vendor):
        await sender.check()
    assert vendor.asked == ("GET", "/api/v1/user/token/verify")
    assert vendor.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert vendor.requests[0].headers["Accept"] == "application/json"


async def test_a_text_is_sent_as_documented():
    async with cellcast_over(queued()) as (sender, vendor):
        (receipt,) = await sender.send(text(sender_id="+61400000001"))
    assert vendor.asked == ("POST", "/api/v1/gateway")
    assert vendor.requests[0].headers["Content-Type"] == "application/json"
    assert vendor.sent == {
        "message": "Hi",
        "contacts": [PHONE],
        "customString": "numlet-1",
        "sender": "+61400000001",
    }
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.ref == "6752c2575e08b2d1eca6d294"


@pytest.mark.parametrize("number", FORMS)
async def test_every_documented_form_of_a_number_arrives_as_the_one_that_all_texts_allow(number):
    async with cellcast_over(queued()) as (sender, vendor):
        (receipt,) = await sender.send(text(number))
    assert vendor.sent["contacts"] == [PHONE]
    assert receipt.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("number", FOREIGN)
async def test_other_numbers_are_refused_before_the_call(number):
    async with cellcast_over(queued()) as (sender, vendor):
        (receipt,) = await sender.send(text(number))
        with pytest.raises(NumberInvalid):
            await sender.add_number("Desk", number)
    assert receipt.outcome is Outcome.INVALID
    assert vendor.requests == []


async def test_receipts_follow_the_contacts_whatever_the_order_of_the_answer():
    second = QUEUED | {"Number": "+61400000002", "MessageId": "b"}
    async with cellcast_over(queued(queueResponse=[second, QUEUED])) as (sender, vendor):
        receipts = await sender.send(text(PHONE, "+6281234567890", "0400000002", PHONE))
    assert vendor.sent["contacts"] == [PHONE, "+61400000002"]
    assert [receipt.contact.id for receipt in receipts] == [1, 2, 3, 4]
    assert outcomes(receipts) == ["accepted", "invalid", "accepted", "accepted"]
    assert [receipt.ref for receipt in receipts] == [QUEUED["MessageId"], None, "b", QUEUED["MessageId"]]


@pytest.mark.parametrize(
    "element",
    [
        "+61400000002",
        "400000002",
        61400000002,
        {"Contact": "400000002"},
        {"number": {"Number": "+61400000002"}},
    ],
)
@pytest.mark.parametrize(
    ("field", "outcome"), [("invalidContacts", "invalid"), ("unsubscribeContacts", "unsubscribed")]
)
async def test_refused_contacts_are_found_whatever_they_are_wrapped_in(field, outcome, element):
    async with cellcast_over(queued(**{field: [element]})) as (sender, _):
        receipts = await sender.send(text(PHONE, "+61400000002"))
    assert outcomes(receipts) == ["accepted", outcome]


@pytest.mark.parametrize(
    ("totals", "outcome"),
    [
        ({"totalInvalidContact": 1}, "invalid"),
        ({"totalUnsubscribeContact": 1}, "unsubscribed"),
        ({}, "unknown"),
        ({"totalInvalidContact": 2}, "unknown"),
    ],
)
async def test_a_contact_that_is_not_named_goes_by_the_totals(totals, outcome):
    async with cellcast_over(queued(**totals)) as (sender, _):
        receipts = await sender.send(text(PHONE, "+61400000002"))
    assert outcomes(receipts) == ["accepted", outcome]


async def test_a_contact_that_was_not_queued_is_not_taken_for_accepted():
    entry = QUEUED | {"Result": "Something else."}
    async with cellcast_over(queued(queueResponse=[entry])) as (sender, _):
        assert outcomes(await sender.send(text())) == ["unknown"]


async def test_a_schedule_is_told_in_utc():
    at = datetime(2024, 8, 15, 0, 58, 0, 981_000, tzinfo=timezone(timedelta(hours=10)))
    async with cellcast_over(queued()) as (sender, vendor):
        await sender.send(text(send_at=at))
    assert vendor.sent["scheduleAt"] == "2024-08-14T14:58:00.981Z"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ("one\ntwo\n\nthree", "one\r\ntwo\r\n\r\nthree"),
        ("a\r\nb", "a\r\nb"),
        ("Hi {{[First Name]}}", "Hi { {[First Name]}}"),
        ("{{{[x]}}", "{{ {[x]}}"),
    ],
)
async def test_line_breaks_are_theirs_and_templates_are_disarmed(body, sent):
    async with cellcast_over(queued()) as (sender, vendor):
        await sender.send(text(body=body))
    assert vendor.sent["message"] == sent


async def test_usage_is_read_as_documented():
    page = {
        "items": [
            {"_id": "zapier", "total": 11, "totalCreditAmount": 0},
            {"_id": "wordpress", "total": 17, "totalCreditAmount": 9.1},
        ],
        "total": 2,
        "limit": 10,
        "current": 1,
        "totalPages": 1,
        "pagingCounter": 1,
        "hasPrevPage": False,
        "hasNextPage": False,
        "offset": 0,
        "prevPage": None,
        "nextPage": None,
    }
    async with cellcast_over(success("Success", page)) as (sender, vendor):
        used = await sender.usage()
    assert vendor.asked == ("GET", "/api/v2/report/message/quick-api-credit-usage?campType=sms")
    assert used == [Usage("zapier", 11, Decimal(0)), Usage("wordpress", 17, Decimal("9.1"))]


async def test_a_business_name_is_requested_as_documented():
    data = {
        "isDeleted": False,
        "isDefault": False,
        "_id": "6764ecd0adc3a30000000000",
        "businessname": "Pizza",
        "user": "67458f462d96c90000000000",
        "requestedAt": "2024-12-20T04:04:32.661Z",
        "status": "REQUESTED",
        "createdBy": "67458f462d96c90000000000",
        "createdAt": "2024-12-20T04:04:32.662Z",
        "updatedAt": "2024-12-20T04:04:32.662Z",
        "__v": 0,
    }
    answer = success("Request added successfully for business name!", data)
    async with cellcast_over(answer) as (sender, vendor):
        await sender.request_name("Pizza", phone_number="0400000000")
    assert vendor.asked == ("POST", "/api/v1/business/add")
    assert vendor.sent == {"businessname": "Pizza", "customerContact": PHONE}


@pytest.mark.parametrize("name", ["", "Pi", "Pizza Business", "Pizza!", "Пицца"])
async def test_a_name_that_no_sender_id_can_have_is_refused_before_the_call(name):
    async with cellcast_over(success("never", {})) as (sender, vendor):
        with pytest.raises(NameInvalid):
            await sender.request_name(name)
    assert vendor.requests == []


@pytest.mark.parametrize(
    ("words", "detail", "usable"),
    [
        ("Custom number created", "Success create new custom number", True),
        (OTP_SENT, OTP_SENT, False),
    ],
)
async def test_a_number_is_added_and_only_the_words_tell_whether_it_can_be_used(words, detail, usable):
    answer = success(words, {"success": True, "message": detail}, show_message=1)
    async with cellcast_over(answer) as (sender, vendor):
        assert await sender.add_number("Custom Number", "400000000") is usable
    assert vendor.asked == ("POST", ADD)
    assert vendor.sent == {"name": "Custom Number", "number": PHONE}


async def test_a_number_is_verified_as_documented():
    async with cellcast_over(success("OTP Verified Successfully!", {})) as (sender, vendor):
        await sender.verify_number("Custom Number", PHONE, otp="123456")
    assert vendor.asked == ("POST", VERIFY)
    assert vendor.sent == {"name": "Custom Number", "number": PHONE, "otp": "123456"}


async def verify_token(sender: Cellcast):
    await sender.check()


async def send(sender: Cellcast):
    await sender.send(text())


async def read_usage(sender: Cellcast):
    await sender.usage()


async def request_name(sender: Cellcast):
    await sender.request_name("Pizza")


async def add(sender: Cellcast):
    await sender.add_number("Desk", PHONE)


async def verify(sender: Cellcast):
    await sender.verify_number("Desk", PHONE, otp="123456")


READS, EFFECTS = [verify_token, read_usage], [send, request_name, add, verify]
EMPTY_NAME = {"status": True, "message": "Busniess Name is required!", "data": 400, "error": {}}


@pytest.mark.parametrize("call", READS + EFFECTS)
async def test_every_call_knows_the_401(call):
    async with cellcast_over(httpx.Response(401, json=EXPIRED)) as (sender, vendor):
        with pytest.raises(AccessRefused):
            await call(sender)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("call", "answer", "error"),
    [
        (send, httpx.Response(400, json=BAD_CONTACTS), UpstreamRefused),
        (send, failure(422, LOW, {"errorMessage": LOW}), NoCredit),
        (request_name, httpx.Response(400, json=HEAD | EMPTY_NAME), NameRequired),
        (add, failure(400, "Name is required", {"error": "name is not valid"}), NameRequired),
        (add, httpx.Response(400, json=NUMBER_EXISTS), NumberTaken),
        (
            add,
            failure(400, "Mobile number is required", {"email": "Mobile number is not valie"}),
            NumberRequired,
        ),
        (
            add,
            failure(400, "Mobile number is not valid", {"error": "Mobile number is not valid"}),
            NumberInvalid,
        ),
        (
            verify,
            failure(200, "Name is Required", {"error": "Name is Required"}, show_message=1),
            NameRequired,
        ),
        (
            verify,
            failure(400, "Number is Required", {"error": "Number is Required"}, show_message=1),
            NumberRequired,
        ),
        (
            verify,
            failure(400, "OTP verification failed", {"error": "OTP verification failed"}, show_message=1),
            OtpRefused,
        ),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_every_documented_failure_is_its_own_error(call, answer, error):
    async with cellcast_over(answer) as (sender, vendor):
        with pytest.raises(error) as caught:
            await call(sender)
    assert type(caught.value) is error
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("call", EFFECTS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ReadTimeout("slow"), UpstreamUnknown),
        (httpx.RemoteProtocolError("cut"), UpstreamUnknown),
        (httpx.WriteTimeout("slow"), UpstreamUnknown),
        (httpx.DecodingError("garbage"), UpstreamUnknown),
        (httpx.ConnectError("down"), UpstreamUnavailable),
        (httpx.ConnectTimeout("slow"), UpstreamUnavailable),
        (httpx.Response(500, json={"code": 500, "message": "oops", "stack": ""}), UpstreamUnknown),
        (httpx.Response(502, html="<h1>502</h1>"), UpstreamUnknown),
        (httpx.Response(503, json={"code": 503, "message": "down", "stack": ""}), UpstreamUnavailable),
        (httpx.Response(429, headers={"Retry-After": "7"}), UpstreamUnavailable),
        (httpx.Response(200), UpstreamBroken),
        (httpx.Response(200, html="<h1>hi</h1>"), UpstreamBroken),
        (httpx.Response(200, json={"message": "no status"}), UpstreamBroken),
        (httpx.Response(200, json=[]), UpstreamBroken),
        (httpx.Response(302, headers={"Location": "/"}), UpstreamBroken),
        (httpx.Response(404, html="<h1>404</h1>"), UpstreamBroken),
        (httpx.Response(400, json=BAD_CONTACTS | {"message": "Something new."}), UpstreamRefused),
        (failure(200, "Something new.", {"error": "Something new."}), UpstreamRefused),
    ],
    ids=repr,
)
async def test_what_has_an_effect_is_called_once_whatever_comes_back(call, answer, error):
    async with cellcast_over(answer) as (sender, vendor):
        with pytest.raises(error) as caught:
            await call(sender)
    assert type(caught.value) is error
    assert len(vendor.requests) == 1


async def test_a_success_that_cannot_be_read_may_have_sent():
    for data in ({}, 400, {"queueResponse": [{"Number": PHONE}]}, {"queueResponse": None}):
        async with cellcast_over(success("Request is being processed", data)) as (sender, _):
            with pytest.raises(UpstreamBroken):
                await sender.send(text())


@pytest.mark.parametrize("call", READS)
async def test_reads_are_repeated_a_little(call):
    async with cellcast_over(httpx.ReadTimeout("slow")) as (sender, vendor):
        with pytest.raises(UpstreamUnavailable):
            await call(sender)
    assert len(vendor.requests) == 3


async def test_a_wait_that_was_asked_for_is_told():
    async with cellcast_over(httpx.Response(429, headers={"Retry-After": "7"})) as (sender, _):
        with pytest.raises(UpstreamUnavailable) as caught:
            await sender.send(text())
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_no_error_quotes_numbers_tokens_or_the_servers_stack():
    leaky = {"code": 400, "message": f"{PHONE} {TOKEN}", "stack": f"APIError: {TOKEN}"}
    async with cellcast_over(httpx.Response(400, json=leaky)) as (sender, _):
        with pytest.raises(UpstreamRefused) as caught:
            await sender.send(text())
    told = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert PHONE not in told
    assert TOKEN not in told


@pytest.mark.parametrize("token", ["", "with space", "new\nline", "tökén"])
def test_a_token_that_no_header_can_carry_is_refused_unquoted(token):
    with pytest.raises(ValueError, match="Cellcast token") as caught:
        Cellcast(token=token, clock=FixedClock())
    assert not token or token not in str(caught.value)

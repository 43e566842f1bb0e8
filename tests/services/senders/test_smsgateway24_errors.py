"""What the adapter makes of trouble, and what it keeps to itself."""

import logging
import traceback
from datetime import timedelta

import httpx
import pytest

from services.errors import (
    AccessRefused,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.senders.smsgateway24 import SmsGateway24
from tests.services.senders.smsgateway24_vendor import (
    DEVICES,
    LOGIN,
    LOGIN_INCORRECT,
    PHONE,
    SAVED,
    TOKEN,
    smsgateway24_over,
    text,
)

pytestmark = pytest.mark.anyio


async def send(sender: SmsGateway24) -> None:
    await sender.send(text())


async def send_many(sender: SmsGateway24) -> None:
    await sender.send(text(PHONE, PHONE))


async def save_tag(sender: SmsGateway24) -> None:
    await sender.save_tag("Colleagues")


async def read(sender: SmsGateway24) -> None:
    await sender.progress("5")


async def check(sender: SmsGateway24) -> None:
    await sender.check()


NAMES = {
    send: "addsms",
    send_many: "addalotofsms",
    save_tag: "savetag",
    read: "getsmsstatus",
    check: "getalldevices",
}


def over(call, answer):
    answers = {"getalldevices": DEVICES} | {NAMES[call]: answer}
    return smsgateway24_over(answers)


def refusal(message: str, status: int = 200, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"error": 1, "message": message}, headers=names)


@pytest.mark.parametrize(
    ("call", "status", "message", "error"),
    [
        (send, 200, "Login or password incorrect", AccessRefused),
        (send, 200, "Wrong token", AccessRefused),
        (send, 200, "Something is wrong", UpstreamRefused),
        (send, 200, "", UpstreamRefused),
        (send, 400, "Something is wrong", UpstreamRefused),
        (send, 401, "Something is wrong", AccessRefused),
        (send, 403, "Something is wrong", AccessRefused),
        (send, 404, "Something is wrong", UpstreamRefused),
        (send, 429, "Something is wrong", UpstreamUnavailable),
        (send, 500, "Something is wrong", UpstreamUnknown),
        (send, 503, "Something is wrong", UpstreamUnavailable),
        (send_many, 200, "Wrong token", AccessRefused),
        (send_many, 200, "Something is wrong", UpstreamUnknown),
        (save_tag, 200, "Something is wrong", UpstreamRefused),
        (read, 200, "Something is wrong", UpstreamRefused),
        (read, 500, "Something is wrong", UpstreamUnavailable),
        (check, 200, "Something is wrong", AccessRefused),
    ],
)
async def test_a_refusal_is_one_whatever_its_status(call, status, message, error):
    async with over(call, refusal(message, status)) as (sender, vendor):
        with pytest.raises(error) as caught:
            await call(sender)
    assert caught.type is error
    assert caught.value.upstream == "smsgateway24"
    assert vendor.calls.count(NAMES[call]) == 1


@pytest.mark.parametrize(
    ("call", "status", "error"),
    [
        (send, 200, UpstreamBroken),
        (send, 302, UpstreamBroken),
        (send, 403, AccessRefused),
        (send, 404, UpstreamBroken),
        (send, 408, UpstreamUnknown),
        (send, 413, UpstreamBroken),
        (send, 429, UpstreamUnavailable),
        (send, 502, UpstreamUnknown),
        (send, 503, UpstreamUnavailable),
        (send, 504, UpstreamUnknown),
        (read, 404, UpstreamBroken),
        (read, 502, UpstreamUnavailable),
    ],
)
async def test_a_proxys_page_is_not_taken_for_the_vendors_word(call, status, error):
    page = httpx.Response(status, html="<html><h1>Sorry</h1></html>")
    async with over(call, page) as (sender, _):
        with pytest.raises(error) as caught:
            await call(sender)
    assert caught.type is error


@pytest.mark.parametrize(
    ("exception", "error"),
    [
        (httpx.ConnectError("refused"), UpstreamUnavailable),
        (httpx.ConnectTimeout("slow"), UpstreamUnavailable),
        (httpx.PoolTimeout("busy"), UpstreamUnavailable),
        (httpx.ReadTimeout("slow"), UpstreamUnknown),
        (httpx.WriteTimeout("slow"), UpstreamUnknown),
        (httpx.ReadError("reset"), UpstreamUnknown),
        (httpx.WriteError("reset"), UpstreamUnknown),
        (httpx.RemoteProtocolError("closed"), UpstreamUnknown),
        (httpx.DecodingError("not gzip"), UpstreamBroken),
    ],
)
@pytest.mark.parametrize("call", [send, send_many, save_tag])
async def test_what_may_have_been_sent_is_unknown_and_never_repeated(call, exception, error):
    async with over(call, exception) as (sender, vendor):
        with pytest.raises(error) as caught:
            await call(sender)
    assert caught.type is error
    assert caught.value.__cause__ is exception
    assert vendor.calls.count(NAMES[call]) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"error": 0, "message": "OK"',
        b'{"error": "perhaps", "sms_id": 5, "tag_id": 5}',
        b'{"error": 0, "message": "OK", "sms_id": 0, "status": 1}',
        b'{"error": 0, "message": null, "sms_id": "first", "tag_id": []}',
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("call", [send, save_tag, read, check])
async def test_an_unreadable_success_is_broken(call, body):
    async with over(call, httpx.Response(200, content=body)) as (sender, vendor):
        with pytest.raises(UpstreamBroken):
            await call(sender)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"message": "Sms has been saved successfully"}'])
async def test_many_are_only_sent_where_the_answer_says_so(body):
    async with over(send_many, httpx.Response(200, content=body)) as (sender, _):
        with pytest.raises(UpstreamBroken):
            await send_many(sender)


TAGGED = {
    "savetag": {"error": 0, "tag_id": 8303, "message": "OK"},
    "savecontact": {"error": 0, "contact_id": 15954765, "message": "ok"},
}


@pytest.mark.parametrize("answer", [httpx.ReadTimeout("slow"), httpx.Response(500), httpx.Response(200)])
@pytest.mark.parametrize("name", ["getalldevices", "savetag", "savecontact"])
async def test_a_newsletter_whose_tag_is_not_whole_is_never_sent(name, answer):
    answers = {"getalldevices": DEVICES, **TAGGED, name: answer}
    async with smsgateway24_over(answers, device_id=None) as (sender, vendor):
        with pytest.raises(UpstreamUnavailable) as caught:
            await sender.send_newsletter("Broadcast 7", text(PHONE, PHONE))
    assert caught.value.upstream == "smsgateway24"
    assert "savepaket" not in vendor.calls


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("Something is wrong"), UpstreamUnknown),
        (refusal("Wrong token"), AccessRefused),
        (httpx.ReadTimeout("slow"), UpstreamUnknown),
        (httpx.ConnectError("refused"), UpstreamUnavailable),
        (httpx.Response(200), UpstreamBroken),
    ],
)
async def test_a_newsletter_without_a_clear_answer_may_have_gone_to_all(answer, error):
    async with smsgateway24_over({**TAGGED, "savepaket": answer}) as (sender, vendor):
        with pytest.raises(error) as caught:
            await sender.send_newsletter("Broadcast 7", text())
    assert caught.type is error
    assert vendor.calls.count("savepaket") == 1


async def test_the_wait_that_is_asked_for_reaches_the_caller():
    async with over(send, refusal("Too many requests", 429, Retry_After="7")) as (sender, _):
        with pytest.raises(UpstreamUnavailable) as caught:
            await send(sender)
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_a_text_whose_login_got_no_answer_is_unknown_too():
    answers = {"gettoken": httpx.ReadTimeout("slow"), "smstosend": httpx.ReadTimeout("slow")}
    async with smsgateway24_over(answers, token=None, login=LOGIN) as (sender, vendor):
        with pytest.raises(UpstreamUnknown):
            await send(sender)
    assert vendor.calls == ["gettoken", "smstosend"]


SECRETS = (TOKEN, "Geheim", "owner@shop.example", "123456", "4915752982212")


@pytest.mark.parametrize(
    "answer",
    [
        {"error": 1, "message": f"Sms to {PHONE} with code 123456 for {TOKEN} not saved"},
        {"error": 1, "message": "Login owner@shop.example or password Geheim!Geheim! incorrect"},
        {"error": 0, "sms_id": TOKEN, "message": "Your code is 123456"},
        httpx.ReadTimeout("slow"),
        httpx.Response(302, headers={"Location": "/login"}),
    ],
)
@pytest.mark.parametrize("name", ["addsms", "gettoken", "smstosend"])
async def test_no_trace_and_no_log_of_an_error_holds_a_secret(answer, name, caplog):
    caplog.set_level(logging.DEBUG)
    token = TOKEN if name == "addsms" else None
    answers = {"gettoken": httpx.ConnectError("refused"), "smstosend": SAVED} | {name: answer}
    async with smsgateway24_over(answers, token=token, login=LOGIN) as (sender, _):
        try:
            await send(sender)
        except UpstreamError as error:
            trace = "".join(traceback.format_exception(error))
            assert not [secret for secret in SECRETS if secret in trace]
    assert not [secret for secret in SECRETS if secret in caplog.text]


async def test_a_refusal_that_quotes_what_was_sent_is_not_repeated():
    answers = {"gettoken": {"error": 1, "message": "No such password, Geheim!Geheim!"}}
    async with smsgateway24_over(answers, token=None, login=LOGIN) as (sender, _):
        with pytest.raises(AccessRefused) as caught:
            await send(sender)
    assert str(caught.value) == "smsgateway24 gettoken: refused"


def test_a_login_is_not_shown():
    assert not [secret for secret in SECRETS if secret in repr(LOGIN)]


async def test_the_documented_refusal_of_a_login_is_told_in_its_own_words():
    async with smsgateway24_over({"gettoken": LOGIN_INCORRECT}, token=None, login=LOGIN) as (sender, _):
        with pytest.raises(AccessRefused) as caught:
            await sender.check()
    assert caught.value.code == "Login or password incorrect"

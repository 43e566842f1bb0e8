import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.errors import BadEvent, BadSignature, WrongAddress
from services.suppliers.base import Event, EventKind, RemoteSms, WebhookPost
from services.suppliers.smscode import SmsCode
from tests.services.suppliers.smscode_vendor import smscode_over

pytestmark = pytest.mark.anyio

EVENT = {
    "event": "order.otp_received",
    "timestamp": "2026-02-25T12:00:00Z",
    "data": {
        "order_id": 1001,
        "phone_number": "+628123456789",
        "otp_code": "1234",
        "otp_message": "Your verification code is 1234",
        "product_id": 42,
        "country": "Indonesia",
        "platform": "WhatsApp",
    },
}


@pytest.fixture
async def smscode():
    async with smscode_over({}) as (supplier, _):
        yield supplier


def signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(smscode: SmsCode, body: bytes, signature: str | None, *, secret: str) -> None:
    headers = {} if signature is None else {"x-webhook-signature": signature}
    smscode.verify(WebhookPost(body, headers, secret=secret))


def posted(**changes: Any) -> bytes:
    return json.dumps(EVENT | changes).encode()


async def test_the_right_signature_is_accepted(smscode):
    verify(smscode, b'{"a": 1}', signature(b'{"a": 1}', "s3cret"), secret="s3cret")


@pytest.mark.parametrize(
    "forge",
    [
        lambda right: None,
        lambda right: "",
        lambda right: right.removeprefix("sha256="),
        lambda right: right.upper(),
        lambda right: right.replace("sha256=", "SHA256="),
        lambda right: right.replace("sha256=", "sha1="),
        lambda right: right[:-1],
        lambda right: right + "\n",
        lambda right: f" {right}",
        lambda right: "sha256=" + "é" * 64,
        lambda right: "sha256=\udce9",
        lambda right: signature(b"{}", "another secret"),
        lambda right: signature(b"{} ", "s3cret"),
    ],
)
async def test_any_other_signature_is_refused(smscode, forge):
    with pytest.raises(BadSignature):
        verify(smscode, b"{}", forge(signature(b"{}", "s3cret")), secret="s3cret")


async def test_nothing_is_signed_with_an_empty_secret(smscode):
    with pytest.raises(BadSignature):
        verify(smscode, b"{}", signature(b"{}", ""), secret="")


async def test_a_key_in_the_path_is_somebody_elses(smscode):
    with pytest.raises(WrongAddress):
        smscode.verify(WebhookPost(b"{}", {"x-webhook-signature": signature(b"{}", "s")}, "key", "s"))


async def test_equal_bodies_are_one_event(smscode):
    def name_of(body: bytes) -> str:
        return str(smscode.delivery_id(body, smscode.parse_event(body)))

    assert name_of(posted()) == name_of(posted())
    assert name_of(posted()) != name_of(posted(timestamp="2026-02-25T12:00:01Z"))


async def test_a_received_code_is_read(smscode):
    assert smscode.parse_event(posted()) == Event(
        EventKind.SMS,
        order_ref="1001",
        phone_number="+628123456789",
        sms=RemoteSms(
            code="1234",
            text="Your verification code is 1234",
            received_at=datetime(2026, 2, 25, 12, tzinfo=UTC),
        ),
    )


async def test_a_text_without_a_code_is_an_sms(smscode):
    event = smscode.parse_event(posted(data={"order_id": 1001, "otp_code": None, "otp_message": "Hello"}))
    assert event.sms is not None
    assert (event.sms.code, event.sms.text) == (None, "Hello")


async def test_neither_text_nor_code_is_no_sms(smscode):
    event = smscode.parse_event(posted(data={"order_id": 1001, "otp_code": None, "otp_message": ""}))
    assert (event.kind, event.order_ref, event.sms) == (EventKind.SMS, "1001", None)


@pytest.mark.parametrize("timestamp", [None, "yesterday", {}, "0001-01-01T00:00:00+23:00"])
async def test_a_strange_timestamp_does_not_cost_the_code(smscode, timestamp):
    sms = smscode.parse_event(posted(timestamp=timestamp)).sms
    assert (sms.code, sms.received_at) == ("1234", None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("order.completed", EventKind.COMPLETED),
        ("order.expired", EventKind.EXPIRED),
        ("order.canceled", EventKind.CANCELED),
    ],
)
async def test_the_end_of_an_order_is_told_without_an_sms(smscode, name, kind):
    event = smscode.parse_event(posted(event=name))
    assert (event.kind, event.order_ref, event.sms) == (kind, "1001", None)


async def test_the_end_of_an_order_that_is_not_named_has_no_effect(smscode):
    assert smscode.parse_event(posted(event="order.expired", data=None)) == Event(EventKind.OTHER)


async def test_a_test_event_is_known_as_one(smscode):
    data = {"message": "This is a test webhook event from SMSCode."}
    assert smscode.parse_event(posted(event="webhook.test", data=data)) == Event(EventKind.TEST)


async def test_an_event_that_came_later_is_other(smscode):
    assert smscode.parse_event(posted(event="order.reactivated")) == Event(EventKind.OTHER)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"order.completed"',
        b"{}",
        b'{"event": 5}',
        b'{"event": null}',
        b'{"event": "order.comp',
        b"\xff",
        b"[" * 100_000,
        posted(data=None),
        posted(data=[]),
        posted(data={}),
        posted(data={"order_id": None}),
        posted(data={"order_id": True}),
        posted(data={"order_id": 0}),
        posted(data={"order_id": 1.5}),
        posted(data={"order_id": "the first"}),
    ],
)
async def test_what_is_no_event_is_refused(smscode, body):
    with pytest.raises(BadEvent):
        smscode.parse_event(body)

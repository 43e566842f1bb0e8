"""The events: what they say, how they are signed, where they go, and how they go wrong."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import httpx
import pytest

from tests.sandbox.smscode_play import URL, Play

pytestmark = pytest.mark.anyio


@pytest.fixture
def play() -> Play:
    return Play()


async def receive_code(play: Play, text: str = "Your verification code is 1234") -> None:
    await play.smscode.receive_sms(await play.buy(), text)
    await play.smscode.settle()


def expected_signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_nothing_is_configured_at_first(play: Play):
    assert await play.get("/webhook") == {"webhook_url": None, "webhook_secret": None}
    await receive_code(play)
    assert not play.smscode.deliveries


async def test_the_first_url_brings_a_secret(play: Play):
    secret = await play.subscribe()
    assert len(secret) == 64
    assert await play.get("/webhook") == {"webhook_url": URL, "webhook_secret": secret}
    assert await play.subscribe() == secret


async def test_url_and_secret_change_apart(play: Play):
    await play.subscribe()
    changed = await play.client.patch("/webhook", json={"webhook_secret": "ours"})
    assert changed.json()["data"] == {"webhook_url": URL, "webhook_secret": "ours"}
    cleared = await play.client.patch("/webhook", json={"webhook_url": ""})
    assert cleared.json()["data"] == {"webhook_url": None, "webhook_secret": "ours"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"webhook_url": None},
        {"webhook_url": "http://bot.example/hook"},
        {"webhook_url": "http://10.0.0.1/hook"},
        {"webhook_url": "https://"},
        {"webhook_url": "ftp://127.0.0.1/hook"},
    ],
)
async def test_a_webhook_url_is_https(play: Play, body: dict):
    assert await play.refusal("PATCH", "/webhook", json=body) == (422, "VALIDATION_ERROR")
    assert play.smscode.webhook_url is None


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
async def test_a_url_on_this_machine_may_be_plain(play: Play, host: str):
    response = await play.client.patch("/webhook", json={"webhook_url": f"http://{host}/hook"})
    assert response.status_code == 200


async def test_an_event_is_signed_over_its_raw_bytes(play: Play):
    secret = await play.subscribe()
    await receive_code(play)
    [(body, signature)] = play.inbox.posts
    assert signature == expected_signature(body, secret)
    assert play.inbox.events == [
        {
            "event": "order.otp_received",
            "timestamp": "2026-02-25T10:00:00Z",
            "data": {
                "order_id": 1001,
                "phone_number": "+6281201242486",
                "otp_code": "1234",
                "otp_message": "Your verification code is 1234",
                "product_id": 142,
                "country": "Indonesia",
                "platform": "WhatsApp",
            },
        }
    ]


async def test_every_end_of_an_order_is_announced(play: Play):
    await play.subscribe()
    await play.post("/orders/create", product_id=142, quantity=4)
    await play.smscode.receive_sms(1001, "Code 1111")
    await play.smscode.receive_sms(1002, "Code 2222")
    await play.post("/orders/finish", id=1001)
    await play.pass_time(minutes=2)
    await play.post("/orders/cancel", id=1003)
    await play.pass_time(minutes=18)
    told = [(event["event"], event["data"]["order_id"]) for event in play.inbox.events]
    assert sorted(told) == [
        ("order.canceled", 1003),
        ("order.completed", 1001),
        ("order.completed", 1002),
        ("order.expired", 1004),
        ("order.otp_received", 1001),
        ("order.otp_received", 1002),
    ]


async def test_every_sms_is_announced(play: Play):
    await play.subscribe()
    order_id = await play.buy()
    for text in ("Code 1111", "Code 2222"):
        await play.smscode.receive_sms(order_id, text)
    await play.smscode.settle()
    assert [event["data"]["otp_code"] for event in play.inbox.events] == ["1111", "2222"]


async def test_what_became_of_an_event_is_remembered(play: Play):
    await play.subscribe()
    play.inbox.status = 503
    await receive_code(play)
    [delivery] = play.smscode.deliveries
    assert (delivery.event, delivery.order_id, delivery.status, delivery.error) == (
        "order.otp_received",
        1001,
        503,
        None,
    )
    assert len(play.inbox.posts) == 1


async def test_an_unreachable_receiver_hurts_nobody():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    play = Play(transport=httpx.MockTransport(refuse))
    await play.subscribe()
    await receive_code(play)
    assert [delivery.error for delivery in play.smscode.deliveries] == ["connection refused"]
    assert await play.refusal("POST", "/webhook/test") == (422, "VALIDATION_ERROR")


async def test_a_test_event_tells_the_receivers_status(play: Play):
    assert await play.refusal("POST", "/webhook/test") == (422, "VALIDATION_ERROR")
    secret = await play.subscribe()
    play.inbox.status = 202
    assert await play.post("/webhook/test") == {"status_code": 202}
    [(body, signature)] = play.inbox.posts
    assert signature == expected_signature(body, secret)
    assert play.inbox.event_names == ["webhook.test"]


async def test_a_dropped_event_never_arrives(play: Play):
    await play.subscribe()
    play.smscode.trouble.drop_webhooks = True
    await receive_code(play)
    assert not play.inbox.posts
    assert [delivery.error for delivery in play.smscode.deliveries] == ["dropped"]


async def test_a_duplicated_event_arrives_twice(play: Play):
    await play.subscribe()
    play.smscode.trouble.duplicate_webhooks = True
    await receive_code(play)
    first, second = play.inbox.posts
    assert first == second


async def test_a_forged_event_bears_a_wrong_signature(play: Play):
    secret = await play.subscribe()
    play.smscode.trouble.forge_webhooks = True
    await receive_code(play)
    [(body, signature)] = play.inbox.posts
    assert signature not in (None, expected_signature(body, secret))


async def test_an_unsigned_event_bears_none(play: Play):
    await play.subscribe()
    play.smscode.trouble.unsigned_webhooks = True
    await receive_code(play)
    assert [signature for _, signature in play.inbox.posts] == [None]


async def test_a_delayed_event_tells_what_was_true(play: Play):
    await play.subscribe()
    play.smscode.trouble.delay_webhooks = timedelta(seconds=30)
    await receive_code(play)
    await play.pass_time(seconds=29)
    assert not play.inbox.posts
    await play.pass_time(seconds=1)
    assert [event["timestamp"] for event in play.inbox.events] == ["2026-02-25T10:00:00Z"]

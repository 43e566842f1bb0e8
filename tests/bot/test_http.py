"""The HTTP server: which status answers what, and that nothing but a stored event is answered 200."""

import json

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from bot.webhooks import MAX_BODY, Readiness, accept_supplier, accept_telegram, create_app
from db import deliveries
from sandbox.smscode import sign
from tests.builders import World, deliveries_of, world_on

pytestmark = pytest.mark.anyio

SECRET = "the secret that Telegram was given"
EVENT = {"event": "order.otp_received", "timestamp": "2026-02-25T12:00:00Z", "data": {"order_id": 7}}


@pytest.fixture
async def world(database):
    async with world_on(database) as world:
        await world.register_webhooks()
        yield world


@pytest.fixture
async def client(world: World):
    endpoints = {
        "smscode": accept_supplier(world.suppliers["smscode"], world.webhook_secrets, world.inbox),
        "telegram": accept_telegram(SECRET, world.inbox),
    }
    world.ready = Readiness(ok=True, says="standby")  # type: ignore[attr-defined]

    async def ready() -> Readiness:
        return world.ready  # type: ignore[attr-defined,no-any-return]

    transport = httpx.ASGITransport(create_app(endpoints, ready=ready))
    async with httpx.AsyncClient(transport=transport, base_url="http://numlet") as client:
        yield client
    await world.deliveries.settle()


async def post(client: httpx.AsyncClient, world: World, body: bytes, signature: str | None = None) -> int:
    signature = sign(body, world.webhook_secrets.get("smscode")) if signature is None else signature
    headers = {"X-Webhook-Signature": signature} if signature else {}
    return (await client.post("/webhooks/smscode", content=body, headers=headers)).status_code


async def stored(world: World, source: str) -> list[str]:
    await world.deliveries.settle()
    async with world.database.read() as session:
        rows = await deliveries_of(session, source)
    return [row.body for row in rows if "webhook.test" not in row.body]


async def test_a_signed_event_is_stored_and_answered_200(client, world):
    body = json.dumps(EVENT).encode()
    assert await post(client, world, body) == 200
    assert await stored(world, "smscode") == [body.decode()]


async def test_a_replayed_event_is_answered_200_and_stored_once(client, world):
    body = json.dumps(EVENT).encode()
    assert [await post(client, world, body) for _ in range(3)] == [200, 200, 200]
    assert len(await stored(world, "smscode")) == 1


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "nonsense", "sha256=é"])
async def test_a_missing_or_wrong_signature_is_401_and_leaves_nothing(client, world, signature):
    headers = {"X-Webhook-Signature": signature.encode()} if signature else {}
    answer = await client.post("/webhooks/smscode", content=json.dumps(EVENT).encode(), headers=headers)
    assert answer.status_code == 401
    assert await stored(world, "smscode") == []


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"{}", b'{"event": 3}', b'{"event": "order.otp_received"}', b"\xff\xfe{}"],
)
async def test_a_signed_body_that_is_no_event_is_400(client, world, body):
    assert await post(client, world, body) == 400
    assert await stored(world, "smscode") == []


async def test_more_than_64_kib_is_413(client, world):
    assert await post(client, world, b"x" * (MAX_BODY + 1)) == 413


async def test_an_unknown_event_is_stored_without_effect(client, world):
    assert await post(client, world, b'{"event": "order.flown", "timestamp": "x", "data": {}}') == 200
    assert len(await stored(world, "smscode")) == 1


async def test_nothing_is_answered_200_that_the_database_did_not_take(client, world, monkeypatch):
    async def broken(*_args):
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(deliveries, "store", broken)
    assert await post(client, world, json.dumps(EVENT).encode()) == 500


@pytest.mark.parametrize("given", [None, "", "another secret"])
async def test_telegram_must_show_its_secret(client, world, given):
    headers = {} if given is None else {"X-Telegram-Bot-Api-Secret-Token": given}
    answer = await client.post("/webhooks/telegram", json={"update_id": 1}, headers=headers)
    assert answer.status_code == 403
    assert await stored(world, "telegram") == []


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b"{}", b'{"update_id": "x"}', b"\xff"])
async def test_what_is_no_update_is_400(client, body):
    answer = await client.post(
        "/webhooks/telegram", content=body, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}
    )
    assert answer.status_code == 400


async def test_health_readiness_and_metrics(client, world):
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    world.ready = Readiness(ok=False, says="the database does not answer")
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "the database does not answer\n")
    assert "numlet_webhooks_total" in (await client.get("/metrics")).text


async def test_a_route_that_is_not_connected_is_404(client):
    assert (await client.post("/webhooks/numberpanel/key", content=b"{}")).status_code == 404

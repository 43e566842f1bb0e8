"""The play panel against its documentation: every answer as printed there, oddities and all."""

import json
from datetime import timedelta

import httpx
import pytest

from sandbox.clock import ManualClock
from sandbox.numberpanel import ApiError, NumberPanel
from sandbox.trouble import Kind

pytestmark = pytest.mark.anyio

KEY = "sandbox-numberpanel-key"


class Play:
    def __init__(self, **settings) -> None:
        self.events: list[dict] = []
        self.clock = ManualClock()
        self.panel = NumberPanel(self.clock, transport=httpx.MockTransport(self._hear), **settings)
        self.panel.webhook_url = "https://bot.example/hook"
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.panel.app), base_url="https://panel.example"
        )

    def _hear(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/json"
        self.events.append(json.loads(request.content))
        return httpx.Response(204)

    async def get(self, path: str, **query) -> httpx.Response:
        return await self.client.get(path, params=query)

    async def take(self, **query) -> str:
        answer = await self.get(f"/api/get-number/{KEY}", **({"country_id": 4} | query))
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "success",
            "data": {"phone_number": answer.json()["data"]["phone_number"]},
        }
        return str(answer.json()["data"]["phone_number"])

    async def message(self, path: str, **query) -> tuple[int, str]:
        answer = await self.get(path, **query)
        assert answer.json() == {"status": "error", "message": answer.json()["message"]}
        return answer.status_code, answer.json()["message"]


@pytest.fixture
async def play():
    play = Play()
    yield play
    await play.client.aclose()
    await play.panel.aclose()


async def test_init_lists_countries_and_operators_with_more_fields_than_documented(play):
    answer = await play.get(f"/api/init/{KEY}")
    data = answer.json()["data"]
    assert answer.json()["status"] == "success"
    for country in data["countries"]:
        assert {"id", "name", "phone_code"} < set(country)
        assert isinstance(country["id"], int)
        assert country["phone_code"].isdecimal()
    ids = {country["id"] for country in data["countries"]}
    assert all({"id", "name", "country_id"} < set(operator) for operator in data["operators"])
    assert {operator["country_id"] for operator in data["operators"]} <= ids


async def test_each_request_takes_another_number(play):
    assert len({await play.take() for _ in range(3)}) == 3
    assert len(play.panel.numbers) == 3


@pytest.mark.parametrize(
    ("form", "preferred", "begins"),
    [
        (None, "full", "+63917"),
        (None, "remove_plus", "63917"),
        ("full", "national", "+63917"),
        ("national", "full", "917"),
        ("remove_plus", "full", "63917"),
    ],
)
async def test_a_number_comes_in_the_format_asked_for_or_preferred(play, form, preferred, begins):
    play.panel.account.preferred_format = preferred
    assert (await play.take(**({"number_format": form} if form else {}))).startswith(begins)


async def test_a_network_is_taken_where_it_is_named(play):
    await play.take(operator_id=105)
    await play.take()
    networks = [number.operator and number.operator.name for number in play.panel.numbers.values()]
    assert networks == ["Smart", None]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"is_active": False}, (401, "Unauthorized")),
        ({"is_configured": False}, (500, "System configuration error")),
        ({"service_answers": False}, (500, "Service fetch failed")),
        ({"refused_by_service": ApiError(418, "I'm a teapot")}, (418, "I'm a teapot")),
    ],
)
async def test_the_documented_errors_of_init(play, change, refusal):
    for name, value in change.items():
        setattr(play.panel.account, name, value)
    assert await play.message(f"/api/init/{KEY}") == refusal


@pytest.mark.parametrize(
    ("change", "query", "refusal"),
    [
        ({}, {}, (400, "country_id is required")),
        ({"wants_user_id": True}, {"country_id": 4}, (400, "user_id is required with api_key")),
        (
            {"wants_user_id": True},
            {"country_id": 4, "user_id": "8"},
            (404, "Target user not found or inactive"),
        ),
        ({"is_active": False}, {"country_id": 4}, (401, "Invalid api_key")),
        ({"manager_is_active": False}, {"country_id": 4}, (403, "Manager inactive. Contact support.")),
        ({"service_answers": False}, {"country_id": 4}, (500, "Could not fetch service data")),
        ({}, {"country_id": 999}, (404, "No number received")),
    ],
)
async def test_the_documented_errors_of_get_number(play, change, query, refusal):
    for name, value in change.items():
        setattr(play.panel.account, name, value)
    assert await play.message(f"/api/get-number/{KEY}", **query) == refusal
    assert not play.panel.numbers


async def test_a_user_id_is_ignored_unless_it_is_required(play):
    await play.take(user_id="nobody")
    play.panel.account.wants_user_id = True
    await play.take(user_id=play.panel.account.user_id)


async def test_a_wrong_key_is_refused(play):
    assert await play.message("/api/init/guess") == (401, "Unauthorized")
    assert await play.message("/api/get-number/guess", country_id=4) == (401, "Invalid api_key")


async def test_a_refusal_may_have_no_json(play):
    play.panel.account.error_body = "text"
    answer = await play.get(f"/api/get-number/{KEY}")
    assert (answer.status_code, answer.text) == (400, "country_id is required")


@pytest.mark.parametrize("kind", ["429", "500", "503"])
async def test_trouble_is_told_in_the_panels_own_envelope(play, kind: Kind):
    play.panel.trouble.fail_next(kind)
    status, _ = await play.message(f"/api/get-number/{KEY}", country_id=4)
    assert status == int(kind)


async def test_an_sms_is_told_exactly_as_documented(play):
    phone_number = await play.take()
    await play.panel.receive_sms(max(play.panel.numbers), "Your OTP is 123456. Do not share this code.")
    await play.panel.settle()
    assert play.events == [
        {
            "event": "otp_received",
            "data": {
                "phone_number": phone_number,
                "otp_code": "123456",
                "provider": "SMS_GATEWAY_PROVIDER_NAME",
                "sms_text": "Your OTP is 123456. Do not share this code.",
            },
        }
    ]


async def test_without_an_address_nothing_is_told(play):
    play.panel.webhook_url = None
    await play.take()
    await play.panel.receive_sms(max(play.panel.numbers), "Your OTP is 123456.")
    await play.panel.settle()
    assert play.events == []


async def test_a_code_can_arrive_by_itself():
    play = Play(code_after=timedelta(seconds=8))
    await play.take()
    play.clock.advance(timedelta(seconds=8))
    await play.panel.tick()
    await play.panel.settle()
    assert len(play.events) == 1
    await play.client.aclose()
    await play.panel.aclose()


async def test_webhooks_can_be_lost_and_doubled(play):
    await play.take()
    play.panel.trouble.drop_webhooks = True
    await play.panel.receive_sms(max(play.panel.numbers), "1111")
    play.panel.trouble.drop_webhooks, play.panel.trouble.duplicate_webhooks = False, True
    await play.panel.receive_sms(max(play.panel.numbers), "2222")
    await play.panel.settle()
    assert [event["data"]["otp_code"] for event in play.events] == ["2222", "2222"]
    assert [delivery.error for delivery in play.panel.deliveries] == ["dropped", None, None]


async def test_a_number_may_be_handed_out_again(play):
    first = await play.take()
    play.panel.next_numbers.append(first)
    assert await play.take() == first
    with pytest.raises(ApiError):
        await play.panel.receive_sms(5, "to nobody")

"""The endpoints: what they answer, refuse and change."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import phonenumbers
import pytest

from sandbox.catalog_data import COUNTRIES
from sandbox.smscode import ApiError
from tests.sandbox.smscode_play import WHATSAPP_INDONESIA, Play

pytestmark = pytest.mark.anyio

ORDER_1001 = {
    "id": 1001,
    "status": "ACTIVE",
    "created_at": "2026-02-25T10:00:00Z",
    "product_id": 142,
    "phone_number": "+6281201242486",
    "amount": 15000,
    "otp_code": None,
    "otp_received_at": None,
    "expires_at": "2026-02-25T10:20:00Z",
    "canceled_at": None,
    "failed_reason": None,
}

KEYED_ORDER: dict[str, Any] = {"json": {"product_id": 142}, "headers": {"Idempotency-Key": "order-7"}}


@pytest.fixture
def play() -> Play:
    return Play()


async def test_countries(play: Play):
    countries = await play.get("/catalog/countries")
    assert {
        "id": 6,
        "code": "ID",
        "name": "Indonesia",
        "dial_code": "+62",
        "emoji": "🇮🇩",
        "active": True,
    } in countries
    assert len(countries) == 25
    assert not all(country["active"] for country in countries)


async def test_services(play: Play):
    services = await play.get("/catalog/services")
    assert {"id": 3, "code": "wa", "name": "WhatsApp", "active": True} in services
    assert "tg" in [service["code"] for service in services]
    assert not all(service["active"] for service in services)


async def test_services_of_a_country_are_those_sold_there(play: Play):
    play.smscode.find_product("go", "ID").active = False
    codes = [service["code"] for service in await play.get("/catalog/services", country_id=6)]
    assert "wa" in codes
    assert "go" not in codes
    assert await play.get("/catalog/services", country_id=99) == []


async def test_products(play: Play):
    response = await play.client.get("/catalog/products?country_id=6&platform_id=3&limit=10")
    assert response.json() == {
        "success": True,
        "data": [
            {
                "id": 142,
                "name": "WhatsApp Indonesia",
                "country_id": 6,
                "platform_id": 3,
                "available": 265,
                "price": 15000,
                "active": True,
            }
        ],
        "meta": {"page": 1, "limit": 10, "count": 1},
    }


async def test_products_are_the_cheapest_first_unless_sorted_otherwise(play: Play):
    cheapest = [product["price"] for product in await play.get("/catalog/products")]
    assert cheapest == sorted(cheapest)
    assert len(cheapest) == 325
    fullest = [product["available"] for product in await play.get("/catalog/products", sort="available_desc")]
    assert fullest == sorted(fullest, reverse=True)
    named = [product["name"] for product in await play.get("/catalog/products", sort="name_asc")]
    assert named == sorted(named)


async def test_products_come_in_pages(play: Play):
    first = await play.get("/catalog/products", limit=300)
    second = await play.get("/catalog/products", limit=300, page=2)
    assert (len(first), len(second)) == (300, 25)
    assert len({product["id"] for product in first + second}) == 325


async def test_exchange_rate(play: Play):
    usd = {"pair": "USD/IDR", "base_currency": "USD", "quote_currency": "IDR", "rate": 16250}
    assert await play.get("/catalog/exchange-rate") == usd
    assert (await play.client.get("/catalog/exchange-rate?pair=USD/IDR")).json()["data"] == usd
    assert (await play.get("/catalog/exchange-rate", pair="EUR/IDR"))["rate"] == 17640
    assert await play.refusal("GET", "/catalog/exchange-rate?pair=IDR/XXX") == (404, "NOT_FOUND")


async def test_balance(play: Play):
    assert await play.get("/balance") == {"currency": "IDR", "balance": 50_000_000}


async def test_every_endpoint_wants_the_token(play: Play):
    del play.client.headers["authorization"]
    assert await play.refusal("GET", "/catalog/countries") == (401, "UNAUTHORIZED")
    play.client.headers["authorization"] = "Bearer wrong"
    assert await play.refusal("POST", "/orders/create", json={"product_id": 142}) == (401, "UNAUTHORIZED")
    assert not play.smscode.orders


async def test_create(play: Play):
    assert await play.post("/orders/create", product_id=142, quantity=1) == {
        "orders": [
            {
                "id": 1001,
                "status": "ACTIVE",
                "phone_number": "+6281201242486",
                "otp_code": None,
                "otp_received_at": None,
                "expires_at": "2026-02-25T10:20:00Z",
                "failed_reason": None,
            }
        ],
        "failed_count": 0,
    }
    assert play.smscode.balance == 50_000_000 - 15_000
    assert play.smscode.find_product("wa", "ID").available == 264


async def test_short_stock_fills_an_order_in_part(play: Play):
    play.smscode.find_product("wa", "ID").available = 2
    answer = await play.post("/orders/create", product_id=142, quantity=5)
    assert len({order["phone_number"] for order in answer["orders"]}) == 2
    assert answer["failed_count"] == 3
    assert play.smscode.balance == 50_000_000 - 2 * 15_000


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", (422, "VALIDATION_ERROR")),
        (b"[1]", (422, "VALIDATION_ERROR")),
        (b'{"quantity": 1}', (422, "VALIDATION_ERROR")),
        (b'{"product_id": "142"}', (422, "VALIDATION_ERROR")),
        (b'{"product_id": 142, "quantity": 0}', (422, "VALIDATION_ERROR")),
        (b'{"product_id": 142, "quantity": 101}', (422, "VALIDATION_ERROR")),
        (b'{"product_id": 142, "quantity": true}', (422, "VALIDATION_ERROR")),
        (b'{"product_id": 9999}', (404, "NOT_FOUND")),
    ],
)
async def test_create_refuses_what_it_cannot_read(play: Play, body: bytes, error: tuple[int, str]):
    assert await play.refusal("POST", "/orders/create", content=body) == error


async def test_create_needs_balance_stock_and_an_active_product(play: Play):
    product = play.smscode.find_product("wa", "ID")
    order = {"product_id": product.id, "quantity": 2}
    play.smscode.balance = 29_999
    assert await play.refusal("POST", "/orders/create", json=order) == (409, "INSUFFICIENT_BALANCE")
    play.smscode.balance = 30_000
    product.active = False
    assert await play.refusal("POST", "/orders/create", json=order) == (422, "PROVIDER_ERROR")
    product.active, product.available = True, 0
    assert await play.refusal("POST", "/orders/create", json=order) == (422, "PROVIDER_ERROR")
    assert play.smscode.balance == 30_000


async def test_a_repeated_key_repeats_the_answer_and_buys_nothing(play: Play):
    first = (await play.client.post("/orders/create", **KEYED_ORDER)).json()
    await play.smscode.receive_sms(1001, "Code 1234")
    assert (await play.client.post("/orders/create", **KEYED_ORDER)).json() == first
    assert len(play.smscode.orders) == 1


async def test_a_key_stands_for_one_body(play: Play):
    await play.client.post("/orders/create", **KEYED_ORDER)
    other = KEYED_ORDER | {"json": {"product_id": 142, "quantity": 2}}
    assert await play.refusal("POST", "/orders/create", **other) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_in_use_is_a_conflict(play: Play):
    posts = [play.client.post("/orders/create", **KEYED_ORDER) for _ in range(2)]
    statuses = [response.status_code for response in await asyncio.gather(*posts)]
    assert sorted(statuses) == [200, 409]
    assert len(play.smscode.orders) == 1


async def test_a_refusal_leaves_its_key_free(play: Play):
    play.smscode.trouble.out_of_stock = True
    assert await play.refusal("POST", "/orders/create", **KEYED_ORDER) == (422, "PROVIDER_ERROR")
    play.smscode.trouble.out_of_stock = False
    assert (await play.client.post("/orders/create", **KEYED_ORDER)).status_code == 200


async def test_an_order_alone_and_in_the_list(play: Play):
    await play.buy()
    assert await play.get("/orders/1001") == ORDER_1001
    assert await play.get("/orders") == [ORDER_1001]
    assert await play.refusal("GET", "/orders/1002") == (404, "NOT_FOUND")


async def test_the_list_starts_with_the_newest_and_is_cut_in_slices(play: Play):
    await play.post("/orders/create", product_id=142, quantity=30)
    assert [order["id"] for order in await play.get("/orders", limit=2)] == [1030, 1029]
    assert [order["id"] for order in await play.get("/orders", limit=2, offset=28)] == [1002, 1001]
    assert len(await play.get("/orders")) == 20


async def test_the_list_filters_by_status_in_any_case(play: Play):
    await play.post("/orders/create", product_id=142, quantity=2)
    await play.smscode.receive_sms(1002, "Code 1234")
    assert [order["id"] for order in await play.get("/orders", status="otp_received")] == [1002]
    assert await play.refusal("GET", "/orders?status=LOST") == (422, "VALIDATION_ERROR")


async def test_an_sms_shows_among_the_active_orders_with_its_text(play: Play):
    order_id = await play.buy()
    await play.pass_time(minutes=5)
    await play.smscode.receive_sms(order_id, "Your verification code is 123-456")
    assert await play.get("/orders/active") == [
        {
            "id": 1001,
            "status": "OTP_RECEIVED",
            "otp_code": "123456",
            "otp_message": "Your verification code is 123-456",
            "otp_received_at": "2026-02-25T10:05:00Z",
            "expires_at": "2026-02-25T10:20:00Z",
            "failed_reason": None,
        }
    ]
    assert await play.get("/orders/1001") == ORDER_1001 | {
        "status": "OTP_RECEIVED",
        "otp_code": "123456",
        "otp_received_at": "2026-02-25T10:05:00Z",
    }


async def test_a_second_sms_replaces_the_code(play: Play):
    order_id = await play.buy()
    await play.smscode.receive_sms(order_id, "Code 1111")
    await play.smscode.receive_sms(order_id, "Code 2222")
    assert (await play.get("/orders/1001"))["otp_code"] == "2222"
    assert play.smscode.orders[order_id].messages == ["Code 1111", "Code 2222"]


async def test_an_sms_may_bear_no_code(play: Play):
    order_id = await play.buy()
    await play.smscode.receive_sms(order_id, "Welcome!")
    order = await play.get("/orders/1001")
    assert (order["status"], order["otp_code"]) == ("OTP_RECEIVED", None)


async def test_cancel_after_two_minutes_refunds(play: Play):
    order_id = await play.buy()
    await play.pass_time(seconds=119)
    assert await play.refusal("POST", "/orders/cancel", json={"id": order_id}) == (409, "CANCEL_TOO_EARLY")
    await play.pass_time(seconds=1)
    assert await play.post("/orders/cancel", id=order_id) == {
        "order_id": 1001,
        "status": "CANCELED",
        "refund_amount": 15000,
        "new_balance": 50_000_000,
    }
    assert await play.get("/orders/active") == []
    canceled = await play.get("/orders/1001")
    assert (canceled["status"], canceled["canceled_at"]) == ("CANCELED", "2026-02-25T10:02:00Z")


async def test_cancel_comes_too_late_after_an_sms_or_a_cancel(play: Play):
    await play.post("/orders/create", product_id=142, quantity=2)
    await play.smscode.receive_sms(1001, "Code 1234")
    await play.pass_time(minutes=2)
    await play.post("/orders/cancel", id=1002)
    for order_id in (1001, 1002):
        assert await play.refusal("POST", "/orders/cancel", json={"id": order_id}) == (409, "CONFLICT")
    assert play.smscode.balance == 50_000_000 - 15_000


async def test_finish_needs_a_code_and_works_once(play: Play):
    order_id = await play.buy()
    assert await play.refusal("POST", "/orders/finish", json={"id": order_id}) == (409, "CONFLICT")
    await play.smscode.receive_sms(order_id, "Code 1234")
    assert await play.post("/orders/finish", id=order_id) == {"order_id": 1001, "status": "COMPLETED"}
    assert await play.refusal("POST", "/orders/finish", json={"id": order_id}) == (409, "CONFLICT")
    assert (await play.get("/orders/1001"))["otp_code"] == "1234"


async def test_resend_waits_for_another_code(play: Play):
    order_id = await play.buy()
    await play.smscode.receive_sms(order_id, "Code 1234")
    answer = await play.post("/orders/resend", id=order_id)
    assert answer == {"order_id": 1001, "status": "ACTIVE", "resent": True}
    assert (await play.get("/orders/active"))[0]["otp_code"] is None
    await play.smscode.receive_sms(order_id, "Code 5678")
    assert (await play.get("/orders/active"))[0]["otp_code"] == "5678"


async def test_some_services_do_not_resend(play: Play):
    order_id = await play.buy(play.smscode.find_product("fb", "ID").id)
    await play.smscode.receive_sms(order_id, "Code 1234")
    answer = await play.post("/orders/resend", id=order_id)
    assert answer == {"order_id": 1001, "status": "OTP_RECEIVED", "resent": False}


async def test_a_resend_does_not_bring_the_refund_back(play: Play):
    order_id = await play.buy()
    await play.smscode.receive_sms(order_id, "Code 1234")
    await play.post("/orders/resend", id=order_id)
    await play.pass_time(minutes=20)
    assert (await play.get("/orders/1001"))["status"] == "COMPLETED"
    assert play.smscode.balance == 50_000_000 - 15_000


async def test_after_twenty_minutes_an_order_expires_with_a_refund(play: Play):
    await play.buy()
    await play.pass_time(minutes=19, seconds=59)
    assert play.smscode.balance == 50_000_000 - 15_000
    await play.pass_time(seconds=1)
    assert (await play.get("/orders/1001"))["status"] == "EXPIRED"
    assert play.smscode.balance == 50_000_000


async def test_after_twenty_minutes_an_order_with_a_code_completes(play: Play):
    order_id = await play.buy()
    await play.smscode.receive_sms(order_id, "Code 1234")
    await play.pass_time(minutes=20)
    assert (await play.get("/orders/1001"))["status"] == "COMPLETED"
    assert play.smscode.balance == 50_000_000 - 15_000


async def test_what_is_due_happens_without_a_tick(play: Play):
    await play.buy()
    play.clock.advance(timedelta(minutes=20))
    assert await play.get("/orders/active") == []


async def test_a_number_given_back_takes_no_sms(play: Play):
    order_id = await play.buy()
    await play.pass_time(minutes=20)
    with pytest.raises(ApiError):
        await play.smscode.receive_sms(order_id, "Code 1234")


async def test_speed_shortens_durations():
    play = Play(speed=10, code_after=timedelta(seconds=100))
    order_id = await play.buy()
    assert (await play.get("/orders/1001"))["expires_at"] == "2026-02-25T10:02:00Z"
    await play.pass_time(seconds=10)
    assert play.smscode.orders[order_id].otp_code
    other_id = await play.buy()
    await play.pass_time(seconds=9)
    assert await play.refusal("POST", "/orders/cancel", json={"id": other_id}) == (409, "CANCEL_TOO_EARLY")


async def test_a_code_can_come_by_itself_and_again_after_a_resend():
    play = Play(code_after=timedelta(seconds=8))
    order_id = await play.buy()
    await play.pass_time(seconds=7)
    assert (await play.get("/orders/active"))[0]["otp_code"] is None
    await play.pass_time(seconds=1)
    first = (await play.get("/orders/active"))[0]
    assert first["otp_message"] == f"Your WhatsApp verification code is {first['otp_code']}"
    await play.post("/orders/resend", id=order_id)
    await play.pass_time(seconds=8)
    second = (await play.get("/orders/active"))[0]
    assert second["otp_code"] not in (None, first["otp_code"])


async def test_the_demo_loop_lets_codes_come(play: Play):
    play.smscode.code_after = timedelta(0)
    loop = asyncio.create_task(play.smscode.run())
    await play.subscribe()
    await play.buy()
    await play.inbox.arrived.wait()
    loop.cancel()
    assert play.inbox.event_names == ["order.otp_received"]


@pytest.mark.parametrize(
    ("group", "method", "path"),
    [
        ("catalog", "GET", "/catalog/countries"),
        ("balance", "GET", "/balance"),
        ("order_reads", "GET", "/orders/active"),
        ("order_create", "POST", "/orders/create"),
        ("order_cancel", "POST", "/orders/cancel"),
        ("order_actions", "POST", "/orders/resend"),
        ("webhook_config", "GET", "/webhook"),
    ],
)
async def test_each_group_has_its_limit_a_minute(play: Play, group: str, method: str, path: str):
    play.smscode.limits[group] = 1
    await play.client.request(method, path)
    play.clock.advance(timedelta(seconds=20))
    response = await play.client.request(method, path)
    assert (response.status_code, response.headers["retry-after"]) == (429, "40")
    assert response.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    play.clock.advance(timedelta(seconds=40))
    assert (await play.client.request(method, path)).status_code != 429


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("POST", "/balance"), ("GET", "/orders/x")]
)
async def test_there_is_nothing_else(play: Play, method: str, path: str):
    assert await play.refusal(method, path) == (404, "NOT_FOUND")


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.code)
def test_numbers_are_possible_in_their_country_and_unique(country):
    numbers = {country.phone_number(serial) for serial in range(500)}
    assert len(numbers) == 500
    for number in numbers:
        parsed = phonenumbers.parse(number)
        assert phonenumbers.is_valid_number(parsed)
        assert phonenumbers.region_code_for_number(parsed) == country.code


async def test_the_documented_example_is_product_142(play: Play):
    assert play.smscode.products[WHATSAPP_INDONESIA] is play.smscode.find_product("wa", "ID")

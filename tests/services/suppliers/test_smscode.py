import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.errors import ProductGone, RemoteOrderNotFound, UpstreamBroken, UpstreamUnknown
from services.suppliers.base import RemoteOrder, RemoteSms, RemoteStatus, WebhookState
from tests.services.suppliers.smscode_vendor import (
    ACTIVE_ORDER,
    COUNTRY,
    CREATED_ORDER,
    NOW,
    ORDER,
    PRODUCT,
    SERVICE,
    TOKEN,
    ok,
    refusal,
    smscode_over,
)

pytestmark = pytest.mark.anyio


def catalog(products: Any, countries: Any = None, services: Any = None) -> dict[str, Any]:
    return {
        "/catalog/countries": ok(countries or [COUNTRY]),
        "/catalog/services": ok(services or [SERVICE]),
        "/catalog/products": products,
    }


def products(*rows: dict[str, Any], limit: int = 10_000) -> httpx.Response:
    return ok(list(rows), meta={"page": 1, "limit": limit, "count": len(rows)})


async def test_a_product_becomes_a_quote_with_its_country_and_service():
    async with smscode_over(catalog(products(PRODUCT))) as (supplier, vendor):
        (quote,) = await supplier.quotes()
    assert (quote.product_ref, quote.service_name, quote.service_code) == ("142", "WhatsApp", "wa")
    assert (quote.country, quote.cost_decimal, quote.currency) == ("ID", Decimal(15000), "IDR")
    assert quote.stock == 42
    assert {request.headers["Authorization"] for request in vendor.requests} == {f"Bearer {TOKEN}"}


async def test_what_is_inactive_or_unknown_is_not_quoted_and_what_is_sold_out_is():
    rows = [
        PRODUCT | {"id": 1, "active": False},
        PRODUCT | {"id": 2, "country_id": 7},
        PRODUCT | {"id": 3, "country_id": 99},
        PRODUCT | {"id": 4, "platform_id": 8},
        PRODUCT | {"id": 5, "platform_id": 99},
        PRODUCT | {"id": 6, "available": 0},
        PRODUCT | {"id": 7, "country_id": 9},
    ]
    countries = [COUNTRY, COUNTRY | {"id": 7, "active": False}, COUNTRY | {"id": 9, "code": "ANY"}]
    services = [SERVICE, SERVICE | {"id": 8, "active": False}]
    async with smscode_over(catalog(products(*rows), countries, services)) as (supplier, _):
        quotes = await supplier.quotes()
    assert [(quote.product_ref, quote.stock) for quote in quotes] == [("6", 0)]


async def test_country_codes_in_lower_case_and_new_fields_are_understood():
    countries = [COUNTRY | {"code": "id", "dial_code": "62", "region": "Asia"}]
    async with smscode_over(catalog(products(PRODUCT | {"tier": 1}), countries)) as (supplier, _):
        (quote,) = await supplier.quotes()
    assert quote.country == "ID"


@pytest.mark.parametrize("granted", [10_000, 1000])
async def test_products_are_read_until_a_page_is_short_of_the_limit_granted(granted):
    rows = [PRODUCT | {"id": number} for number in range(1, 2 * granted + 2)]

    def page(request: httpx.Request) -> httpx.Response:
        end = int(request.url.params["page"]) * granted
        return products(*rows[end - granted : end], limit=granted)

    async with smscode_over(catalog(page)) as (supplier, vendor):
        quotes = await supplier.quotes()
    assert len(quotes) == 2 * granted + 1
    assert [request.url.params.get("page") for request in vendor.requests[2:]] == ["1", "2", "3"]


async def test_a_page_that_repeats_itself_ends_the_reading():
    async with smscode_over(catalog(lambda _: products(PRODUCT, limit=1))) as (supplier, vendor):
        assert len(await supplier.quotes()) == 1
    assert len(vendor.requests) == 4


async def test_the_exchange_rate_of_a_pair():
    data = {"pair": "USD/IDR", "base_currency": "USD", "quote_currency": "IDR", "rate": 16250.5}
    async with smscode_over({"/catalog/exchange-rate": ok(data)}) as (supplier, vendor):
        assert await supplier.exchange_rate("USD", "IDR") == Decimal("16250.5")
    assert vendor.requests[0].url.params["pair"] == "USD/IDR"


async def test_an_unknown_pair_has_no_rate():
    async with smscode_over({"/catalog/exchange-rate": refusal(404, "NOT_FOUND")}) as (supplier, _):
        assert await supplier.exchange_rate("XAU", "IDR") is None


async def test_the_rate_of_another_pair_is_not_believed():
    data = {"pair": "USD/IDR", "base_currency": "USD", "quote_currency": "IDR", "rate": 16250}
    async with smscode_over({"/catalog/exchange-rate": ok(data)}) as (supplier, _):
        with pytest.raises(UpstreamBroken):
            await supplier.exchange_rate("IDR", "USD")


async def test_the_balance_is_whole_rupiah():
    async with smscode_over({"/balance": ok({"currency": "IDR", "balance": 500000})}) as (supplier, _):
        balance = await supplier.balance()
    assert (balance.amount_decimal, balance.currency) == (Decimal(500000), "IDR")


# Orders


async def test_buying_sends_the_key_and_returns_every_number_obtained():
    answer = ok({"orders": [CREATED_ORDER], "failed_count": 2})
    async with smscode_over({"/orders/create": answer}) as (supplier, vendor):
        purchase = await supplier.buy("142", quantity=3, key="order-7")
    assert purchase.orders == [
        RemoteOrder(
            ref="1002",
            status=RemoteStatus.ACTIVE,
            phone_number="+6281234567891",
            expires_at=datetime(2026, 2, 25, 10, 50, tzinfo=UTC),
        )
    ]
    assert vendor.requests[0].headers["Idempotency-Key"] == "order-7"
    assert json.loads(vendor.requests[0].content) == {"product_id": 142, "quantity": 3}


async def test_a_key_the_vendor_may_refuse_is_sent_as_its_hash():
    answer = ok({"orders": [CREATED_ORDER], "failed_count": 0})
    async with smscode_over({"/orders/create": lambda _: answer}) as (supplier, vendor):
        for key in ("order:7", "order:7", "order:8"):
            await supplier.buy("142", quantity=1, key=key)
    first, again, other = (request.headers["Idempotency-Key"] for request in vendor.requests)
    assert first == again != other
    assert first == hashlib.sha256(b"order:7").hexdigest()


async def test_a_purchase_without_any_number_is_refused():
    async with smscode_over({"/orders/create": ok({"orders": [], "failed_count": 1})}) as (supplier, _):
        with pytest.raises(ProductGone):
            await supplier.buy("142", quantity=1, key="order-7")


async def test_an_order_is_read_with_its_code():
    async with smscode_over({"/orders/1001": ok(ORDER)}) as (supplier, _):
        order = await supplier.get_order("1001")
    assert order == RemoteOrder(
        ref="1001",
        status=RemoteStatus.RECEIVED,
        phone_number="+6281234567890",
        product_ref="142",
        cost_decimal=Decimal(15000),
        currency="IDR",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=20),
        sms=RemoteSms(code="123456", text=None, received_at=NOW + timedelta(minutes=5)),
    )


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("ACTIVE", RemoteStatus.ACTIVE),
        ("OTP_RECEIVED", RemoteStatus.RECEIVED),
        ("COMPLETED", RemoteStatus.COMPLETED),
        ("CANCELED", RemoteStatus.CANCELED),
        ("EXPIRED", RemoteStatus.EXPIRED),
        ("REACTIVATING", RemoteStatus.UNKNOWN),
        (None, RemoteStatus.UNKNOWN),
    ],
)
async def test_a_status_that_came_later_is_unknown_not_an_error(status, meaning):
    async with smscode_over({"/orders/1001": ok(ORDER | {"status": status})}) as (supplier, _):
        assert (await supplier.get_order("1001")).status is meaning


async def test_timestamps_may_carry_an_offset():
    order = ORDER | {"created_at": "2026-02-25T10:00:00+00:00", "expires_at": "2026-02-25T17:20:00+07:00"}
    async with smscode_over({"/orders/1001": ok(order)}) as (supplier, _):
        read = await supplier.get_order("1001")
    assert (read.created_at, read.expires_at) == (NOW, NOW + timedelta(minutes=20))


async def test_a_number_without_its_plus_and_a_text_with_a_null_byte_are_mended():
    order = ORDER | {"phone_number": "6281234567890", "otp_message": "mail me \0home"}
    async with smscode_over({"/orders/1001": ok(order)}) as (supplier, _):
        read = await supplier.get_order("1001")
    assert read.phone_number == "+6281234567890"
    assert read.sms is not None
    assert read.sms.text == "mail me home"


async def test_open_orders_have_the_text_and_no_number():
    waiting = ACTIVE_ORDER | {
        "id": 1002,
        "status": "ACTIVE",
        "otp_code": None,
        "otp_message": None,
        "otp_received_at": None,
    }
    async with smscode_over({"/orders/active": ok([ACTIVE_ORDER, waiting])}) as (supplier, _):
        received, active = await supplier.open_orders()
    assert received.sms == RemoteSms(
        code="123456", text="Your verification code is 123456", received_at=NOW + timedelta(minutes=5)
    )
    assert (received.phone_number, received.cost_decimal, received.created_at) == (None, None, None)
    assert (active.status, active.sms) == (RemoteStatus.ACTIVE, None)


def order_made(seconds_ago: int) -> dict[str, Any]:
    made_at = NOW - timedelta(seconds=seconds_ago)
    return ORDER | {"id": 10_000 - seconds_ago, "created_at": f"{made_at:%Y-%m-%dT%H:%M:%SZ}"}


def pages_of(rows: list[dict[str, Any]]) -> Callable[[httpx.Request], httpx.Response]:
    def page(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["offset"])
        return ok(rows[start : start + int(request.url.params["limit"])])

    return page


async def test_orders_are_read_back_to_the_moment_asked_for():
    rows = [order_made(seconds_ago) for seconds_ago in range(350)]
    async with smscode_over({"/orders": pages_of(rows)}) as (supplier, vendor):
        orders = await supplier.orders_since(NOW - timedelta(seconds=149.5))
    # Their timestamps are cut to whole seconds: the order of 150 seconds ago may be younger than it says.
    assert [order.ref for order in orders] == [str(row["id"]) for row in rows[:151]]
    assert [request.url.params["offset"] for request in vendor.requests] == ["0", "100"]


async def test_orders_are_read_to_the_end_where_none_is_older():
    rows = [order_made(seconds_ago) for seconds_ago in range(230)]
    async with smscode_over({"/orders": pages_of(rows)}) as (supplier, vendor):
        assert len(await supplier.orders_since(NOW - timedelta(days=1))) == 230
    assert len(vendor.requests) == 3


async def test_an_order_made_between_two_pages_does_not_show_another_one_twice():
    rows = [order_made(seconds_ago) for seconds_ago in range(1, 151)]
    read_page = pages_of(rows)

    def page(request: httpx.Request) -> httpx.Response:
        answer = read_page(request)
        if request.url.params["offset"] == "0":
            rows.insert(0, order_made(0))
        return answer

    async with smscode_over({"/orders": page}) as (supplier, _):
        orders = await supplier.orders_since(NOW - timedelta(days=1))
    assert len({order.ref for order in orders}) == len(orders) == 150


async def test_a_list_of_orders_that_repeats_itself_ends_the_reading():
    rows = [order_made(seconds_ago) for seconds_ago in range(100)]
    async with smscode_over({"/orders": lambda _: ok(rows)}) as (supplier, vendor):
        assert len(await supplier.orders_since(NOW - timedelta(days=1))) == 100
    assert len(vendor.requests) == 2


async def test_cancelling_and_finishing_name_the_order_by_its_id():
    canceled = {"order_id": 1001, "status": "CANCELED", "refund_amount": 15000, "new_balance": 515000}
    routes = {"/orders/cancel": ok(canceled), "/orders/finish": ok({"order_id": 1001, "status": "COMPLETED"})}
    async with smscode_over(routes) as (supplier, vendor):
        await supplier.cancel("1001")
        await supplier.finish("1001")
    assert [json.loads(request.content) for request in vendor.requests] == [{"id": 1001}] * 2


async def test_a_cancellation_that_canceled_nothing_is_to_be_looked_up():
    answer = ok({"order_id": 1001, "status": "OTP_RECEIVED", "refund_amount": 0, "new_balance": 500000})
    async with smscode_over({"/orders/cancel": answer}) as (supplier, _):
        with pytest.raises(UpstreamUnknown):
            await supplier.cancel("1001")


@pytest.mark.parametrize("resent", [True, False])
async def test_a_resend_tells_whether_the_service_supports_it(resent):
    answer = ok({"order_id": 1001, "status": "ACTIVE", "resent": resent})
    async with smscode_over({"/orders/resend": answer}) as (supplier, _):
        assert await supplier.resend("1001") is resent


@pytest.mark.parametrize("ref", ["", "0", "-1", "1e3", "../balance", "١٢"])
async def test_what_cannot_be_an_id_never_reaches_a_path(ref):
    async with smscode_over({}) as (supplier, vendor):
        for call in (supplier.get_order, supplier.cancel, supplier.finish, supplier.resend):
            with pytest.raises(RemoteOrderNotFound):
                await call(ref)
        with pytest.raises(ProductGone):
            await supplier.buy(ref, quantity=1, key="order-7")
    assert not vendor.requests


async def test_the_webhook_configuration_is_read_and_written():
    data = {"webhook_url": "https://example.com/webhook", "webhook_secret": "a1b2c3d4e5f6"}
    async with smscode_over({"/webhook": lambda _: ok(data)}) as (supplier, vendor):
        state = await supplier.webhook()
        assert await supplier.set_webhook(url=state.url, secret=state.secret) == state
    assert state == WebhookState(url="https://example.com/webhook", secret="a1b2c3d4e5f6")
    assert "a1b2c3d4e5f6" not in repr(state)
    assert vendor.requests[1].method == "PATCH"
    assert json.loads(vendor.requests[1].content) == data


async def test_clearing_the_webhook_leaves_the_secret_to_the_supplier():
    answer = ok({"webhook_url": None, "webhook_secret": None, "webhook_disabled_reason": None})
    async with smscode_over({"/webhook": answer}) as (supplier, vendor):
        assert await supplier.set_webhook(url="", secret="") == WebhookState(url="", secret="")
    assert json.loads(vendor.requests[0].content) == {"webhook_url": ""}


async def test_the_reason_why_webhooks_are_off_is_told():
    data = {"webhook_url": "https://e.com", "webhook_secret": "s", "webhook_disabled_reason": "10 failures"}
    async with smscode_over({"/webhook": ok(data)}) as (supplier, _):
        assert (await supplier.webhook()).disabled_reason == "10 failures"


async def test_each_group_of_endpoints_is_held_under_its_own_limit():
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    data = {"webhook_url": "https://example.com/webhook", "webhook_secret": "a1b2c3d4e5f6"}
    routes = {"/webhook": lambda _: ok(data), "/orders/active": ok([])}
    async with smscode_over(routes, sleep=sleep) as (supplier, _):
        for _ in range(60):
            await supplier.webhook()
        assert not waits
        await supplier.webhook()
        assert len(waits) == 1
        await supplier.open_orders()
        assert len(waits) == 1


@pytest.mark.parametrize(("given", "status"), [(200, 200), (502, 502), (None, 0)])
async def test_the_webhook_test_tells_the_status_that_our_server_gave(given, status):
    async with smscode_over({"/webhook/test": ok({"status_code": given})}) as (supplier, _):
        assert await supplier.test_webhook() == status

import traceback
from datetime import timedelta

import httpx
import pytest

from services.errors import (
    AccessRefused,
    CancelTooEarly,
    ProductGone,
    RemoteOrderNotFound,
    SupplierBroke,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.suppliers.smscode import SmsCode
from tests.services.suppliers.smscode_vendor import ORDER, TOKEN, FixedClock, ok, refusal, smscode_over

pytestmark = pytest.mark.anyio


async def buy(supplier: SmsCode) -> None:
    await supplier.buy("142", quantity=1, key="order-7")


async def cancel(supplier: SmsCode) -> None:
    await supplier.cancel("1001")


async def resend(supplier: SmsCode) -> None:
    await supplier.resend("1001")


async def read(supplier: SmsCode) -> None:
    await supplier.get_order("1001")


PATHS = {buy: "/orders/create", cancel: "/orders/cancel", resend: "/orders/resend", read: "/orders/1001"}


@pytest.mark.parametrize(
    ("call", "status", "code", "error"),
    [
        (buy, 401, "UNAUTHORIZED", AccessRefused),
        (buy, 403, "FORBIDDEN", AccessRefused),
        (buy, 404, "NOT_FOUND", ProductGone),
        (buy, 409, "CONFLICT", UpstreamUnknown),
        (buy, 409, "REQUEST_IN_PROGRESS", UpstreamUnknown),
        (buy, 409, "INSUFFICIENT_BALANCE", SupplierBroke),
        (buy, 422, "VALIDATION_ERROR", UpstreamRefused),
        (buy, 422, "IDEMPOTENCY_KEY_REUSED", UpstreamRefused),
        (buy, 422, "PROVIDER_ERROR", ProductGone),
        (buy, 422, "NO_OFFER_AVAILABLE", ProductGone),
        (buy, 429, "RATE_LIMIT_EXCEEDED", UpstreamUnavailable),
        (buy, 500, "INTERNAL_ERROR", UpstreamUnknown),
        (buy, 503, "SERVICE_UNAVAILABLE", UpstreamUnavailable),
        (cancel, 409, "CANCEL_TOO_EARLY", CancelTooEarly),
        (cancel, 409, "CONFLICT", UpstreamRefused),
        (cancel, 404, "NOT_FOUND", RemoteOrderNotFound),
        (cancel, 422, "PROVIDER_ERROR", UpstreamRefused),
        (cancel, 500, "INTERNAL_ERROR", UpstreamUnknown),
        (resend, 404, "NOT_FOUND", RemoteOrderNotFound),
        (read, 401, "UNAUTHORIZED", AccessRefused),
        (read, 404, "NOT_FOUND", RemoteOrderNotFound),
        (read, 500, "INTERNAL_ERROR", UpstreamUnavailable),
        # Codes that came later mean what their status means.
        (buy, 401, "TOKEN_EXPIRED", AccessRefused),
        (buy, 404, "PRODUCT_NOT_FOUND", ProductGone),
        (buy, 409, "SOMETHING_NEW", UpstreamUnknown),
        (buy, 422, "SOMETHING_NEW", UpstreamRefused),
        (buy, 429, "TEMP_BANNED_ABUSE_GUARD", UpstreamUnavailable),
        (buy, 503, "FX_RATE_UNAVAILABLE", UpstreamUnavailable),
        (buy, 507, "SOMETHING_NEW", UpstreamUnknown),
        (read, 404, "ORDER_NOT_FOUND", RemoteOrderNotFound),
    ],
)
async def test_every_refusal_tells_what_the_caller_can_do(call, status, code, error):
    async with smscode_over({PATHS[call]: lambda _: refusal(status, code)}) as (supplier, _):
        with pytest.raises(error) as caught:
            await call(supplier)
    assert caught.type is error
    assert (caught.value.code, caught.value.upstream) == (code, "smscode")


@pytest.mark.parametrize(
    ("call", "status", "error"),
    [
        (buy, 302, UpstreamBroken),
        (buy, 403, AccessRefused),
        (buy, 404, UpstreamBroken),
        (buy, 413, UpstreamBroken),
        (buy, 429, UpstreamUnavailable),
        (buy, 502, UpstreamUnknown),
        (buy, 503, UpstreamUnavailable),
        (buy, 504, UpstreamUnknown),
        (read, 404, UpstreamBroken),
        (read, 502, UpstreamUnavailable),
    ],
)
async def test_a_proxys_page_is_not_taken_for_the_vendors_word(call, status, error):
    page = httpx.Response(status, html="<html><h1>Sorry</h1></html>")
    async with smscode_over({PATHS[call]: lambda _: page}) as (supplier, _):
        with pytest.raises(error) as caught:
            await call(supplier)
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
@pytest.mark.parametrize("call", [buy, cancel])
async def test_only_what_was_surely_never_sent_may_be_repeated_blindly(call, exception, error):
    async with smscode_over({PATHS[call]: exception}) as (supplier, vendor):
        with pytest.raises(error) as caught:
            await call(supplier)
    assert caught.type is error
    assert caught.value.__cause__ is exception
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><h1>Welcome</h1></html>",
        b'{"success": true, "data": {"ord',
        b'{"success": true}',
        b'{"success": true, "data": []}',
        b'{"success": true, "data": {"orders": [{"id": "first", "status": "ACTIVE"}]}}',
        b'{"success": false, "data": {"orders": []}}',
        b"\xff\xfe",
    ],
)
@pytest.mark.parametrize("call", [buy, cancel, resend, read])
async def test_an_unreadable_success_is_broken(call, body):
    async with smscode_over({PATHS[call]: lambda _: httpx.Response(200, content=body)}) as (supplier, vendor):
        with pytest.raises(UpstreamBroken):
            await call(supplier)
    assert len(vendor.requests) == 1


async def test_a_read_is_repeated_until_it_succeeds():
    answers = [httpx.ReadTimeout("slow"), refusal(503, "SERVICE_UNAVAILABLE"), ok(ORDER)]
    async with smscode_over({"/orders/1001": lambda _: answers.pop(0)}) as (supplier, _):
        assert (await supplier.get_order("1001")).ref == "1001"
    assert not answers


async def test_a_read_is_given_up_after_three_attempts():
    async with smscode_over({"/orders/1001": httpx.ReadTimeout("slow")}) as (supplier, vendor):
        with pytest.raises(UpstreamUnavailable):
            await supplier.get_order("1001")
    assert len(vendor.requests) == 3


@pytest.mark.parametrize(("seconds", "requests"), [(2, 3), (30, 1)])
async def test_a_read_is_not_repeated_where_the_wait_is_long(seconds, requests):
    answer = refusal(429, "RATE_LIMIT_EXCEEDED", Retry_After=str(seconds))
    async with smscode_over({"/orders/1001": lambda _: answer}) as (supplier, vendor):
        with pytest.raises(UpstreamUnavailable) as caught:
            await supplier.get_order("1001")
    assert caught.value.retry_after == timedelta(seconds=seconds)
    assert len(vendor.requests) == requests


@pytest.mark.parametrize("header", ["7", "Wed, 25 Feb 2026 10:00:07 GMT"])
async def test_the_wait_that_the_vendor_asks_for_reaches_the_caller(header):
    answer = refusal(429, "RATE_LIMIT_EXCEEDED", Retry_After=header)
    async with smscode_over({"/orders/create": answer}) as (supplier, vendor):
        with pytest.raises(UpstreamUnavailable) as caught:
            await buy(supplier)
    assert caught.value.retry_after == timedelta(seconds=7)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        refusal(409, "INSUFFICIENT_BALANCE"),
        httpx.Response(200, json={"success": True, "data": {"orders": [ORDER | {"id": TOKEN}]}}),
        httpx.ReadTimeout("slow"),
    ],
)
async def test_no_trace_of_an_error_holds_a_secret(answer):
    async with smscode_over({"/orders/create": answer}) as (supplier, _):
        with pytest.raises(UpstreamError) as caught:
            await buy(supplier)
    trace = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in (TOKEN, "123456", "6281234567890") if secret in trace]


@pytest.mark.parametrize("token", ["", "two words", "line\n", "tökén"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_quoted(token):
    with pytest.raises(ValueError, match=r"^the smscode token is empty or has characters"):
        SmsCode(token=token, clock=FixedClock())

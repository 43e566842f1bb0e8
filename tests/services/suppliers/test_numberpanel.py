"""Each documented request and answer of the panel, sent and read exactly; and that its key stays unseen."""

import asyncio
import json
import logging
import traceback
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from services.errors import (
    AccessRefused,
    BadEvent,
    ProductGone,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
    WrongAddress,
)
from services.suppliers.base import Event, EventKind, Quote, RemoteSms, RemoteStatus, WebhookPost
from tests.services.suppliers.numberpanel_vendor import (
    ENCODED_KEY,
    EVENT,
    INIT,
    KEY,
    NOW,
    OTP,
    TAKEN,
    WEBHOOK_KEY,
    ManualNow,
    panel_answering,
)

pytestmark = pytest.mark.anyio


def directory(*countries, operators=()):
    """An answer to init that sells these, with fields that nobody documented."""
    rows = [{"id": id, "name": name, "phone_code": code, "x": {}} for id, name, code in countries]
    networks = [{"id": id, "name": name, "country_id": at, "x": 1} for id, name, at in operators]
    return {"status": "success", "data": {"countries": rows, "operators": networks, "more": []}}


async def bought(answer, **settings):
    async with panel_answering(answer, **settings) as (supplier, panel):
        return (await supplier.buy("6.ID", quantity=1, key="key-1")).orders[0], panel


# Init


async def test_init_is_asked_with_the_key_as_the_last_part_of_the_path():
    async with panel_answering(INIT) as (supplier, panel):
        await supplier.quotes()
    [request] = panel.requests
    assert (request.method, request.url.raw_path.decode()) == ("GET", f"/base/api/init/{ENCODED_KEY}")


async def test_the_documented_init_names_countries_that_nobody_knows():
    async with panel_answering(INIT) as (supplier, _):
        assert await supplier.quotes() == []
        [remark] = supplier.remarks()
    assert "Country A (+1), Country B (+44)" in remark


async def test_each_country_and_each_network_is_for_any_service_at_our_cost():
    answer = directory(
        (6, "Indonesia", "62"), (7, "Narnia", "44"), operators=[(101, " Telkomsel ", 6), (102, "Aslan", 7)]
    )
    async with panel_answering(answer) as (supplier, _):
        quotes = await supplier.quotes()
    assert quotes == [
        Quote("6.ID", "ID", Decimal(14_000), "IDR"),
        Quote("6.ID.101", "ID", Decimal(14_000), "IDR", network="Telkomsel"),
    ]
    assert [(quote.stock, quote.service_name) for quote in quotes] == [(None, None)] * 2


async def test_operators_may_be_missing():
    countries = [{"id": 6, "name": "Indonesia", "phone_code": "62"}]
    answer = {"status": "success", "data": {"countries": countries}}
    async with panel_answering(answer) as (supplier, _):
        assert [quote.product_ref for quote in await supplier.quotes()] == ["6.ID"]


@pytest.mark.parametrize(
    ("settings", "missing"),
    [({"cost_decimal": None}, "NUMBERPANEL_COST"), ({"webhook_key": ""}, "NUMBERPANEL_WEBHOOK_KEY")],
)
async def test_nothing_is_sold_without_a_price_or_a_way_for_codes(settings, missing):
    async with panel_answering(directory((6, "Indonesia", "62")), **settings) as (supplier, _):
        assert await supplier.quotes() == []
        assert [missing in remark for remark in supplier.remarks()] == [True]


async def test_a_webhook_key_that_can_be_guessed_is_remarked():
    async with panel_answering(INIT, webhook_key="1234") as (supplier, _):
        assert "short" in supplier.remarks()[0]


@pytest.mark.parametrize(
    ("status", "message", "error", "says"),
    [
        (401, "Unauthorized", AccessRefused, "refuses the key"),
        (500, "System configuration error", UpstreamUnavailable, "not configured"),
        (500, "Service fetch failed", UpstreamUnavailable, "behind the panel fails"),
        # XXX: whatever the service behind it says.
        (429, "Slow down", UpstreamUnavailable, "HTTP 429"),
        (401, "Token of the panel expired", AccessRefused, "HTTP 401"),
        (402, "Pay first", UpstreamRefused, "HTTP 402"),
        (418, "I'm a teapot", UpstreamRefused, "HTTP 418"),
        (503, "Maintenance", UpstreamUnavailable, "HTTP 503"),
        (301, "Moved", UpstreamRefused, "HTTP 301"),
    ],
)
@pytest.mark.parametrize("form", ["json", "text"])
async def test_each_error_of_init_is_told_apart(status, message, error, says, form):
    body = {"json": {"status": "error", "whatever": message}} if form == "json" else {"text": message}
    async with panel_answering(httpx.Response(status, **body)) as (supplier, _):
        with pytest.raises(UpstreamError) as caught:
            await supplier.quotes()
    assert caught.type is error
    assert says in str(caught.value)


# Get-number


async def test_a_number_is_asked_for_in_the_full_format():
    _, panel = await bought(TAKEN)
    [request] = panel.requests
    assert (request.method, request.url.path) == ("GET", f"/base/api/get-number/{KEY}")
    assert dict(request.url.params) == {"country_id": "6", "number_format": "full"}


async def test_a_network_and_a_user_are_named_where_there_are_any():
    async with panel_answering(TAKEN, user_id="77") as (supplier, panel):
        await supplier.buy("6.ID.101", quantity=1, key="key-1")
    assert dict(panel.requests[0].url.params) == {
        "country_id": "6",
        "number_format": "full",
        "operator_id": "101",
        "user_id": "77",
    }


async def test_the_documented_answer_is_a_number_that_waits_as_long_as_we_say():
    order, _ = await bought(TAKEN, lifetime=timedelta(minutes=7))
    assert (order.ref, order.status, order.phone_number) == ("key-1", RemoteStatus.ACTIVE, "+1234567890")
    assert (order.created_at, order.expires_at) == (NOW, NOW + timedelta(minutes=7))


async def test_a_quantity_is_bought_one_by_one():
    async with panel_answering(TAKEN) as (supplier, panel):
        assert not supplier.capabilities.several
        assert len((await supplier.buy("6.ID", quantity=5, key="key-1")).orders) == 1
    assert len(panel.requests) == 1


@pytest.mark.parametrize("written", ["+6281234567890", "6281234567890", "081234567890", "+62 812-3456-7890"])
async def test_a_number_is_the_same_in_whatever_format_it_comes(written):
    order, _ = await bought({"status": "success", "data": {"phone_number": written}})
    assert order.phone_number == "+6281234567890"


@pytest.mark.parametrize("ref", ["", "6", "6.id", "6.ID.x", "6.ID.1.2", "../init", "142"])
async def test_what_is_no_product_of_theirs_is_not_asked_for(ref):
    async with panel_answering(TAKEN) as (supplier, panel):
        with pytest.raises(ProductGone):
            await supplier.buy(ref, quantity=1, key="key-1")
    assert not panel.requests


@pytest.mark.parametrize(
    ("status", "message", "error", "says"),
    [
        (400, "user_id is required with api_key", AccessRefused, "set NUMBERPANEL_USER_ID"),
        (400, "country_id is required", UpstreamRefused, "did not see the country"),
        (401, "Invalid api_key", AccessRefused, "the key is wrong"),
        (401, "Missing or invalid credentials", AccessRefused, "not enough"),
        (403, "Manager inactive. Contact support.", AccessRefused, "our manager there is inactive"),
        (404, "Target user not found or inactive", AccessRefused, "NUMBERPANEL_USER_ID"),
        (404, "No number received", ProductGone, "no number to be had"),
        (500, "Could not fetch service data", UpstreamUnknown, "behind the panel fails"),
        (500, "Unable to get number", UpstreamUnknown, "failed while getting a number"),
        # Not documented, so by its status alone.
        (404, "Nothing here", ProductGone, "HTTP 404"),
        (422, "What?", UpstreamRefused, "HTTP 422"),
        (429, "Slow down", UpstreamUnavailable, "HTTP 429"),
        (502, "Bad gateway", UpstreamUnknown, "HTTP 502"),
        (503, "Try later", UpstreamUnknown, "HTTP 503"),
        # The message of another status is no message of this one.
        (500, "Unable to get number: Invalid api_key", UpstreamUnknown, "failed while getting"),
    ],
)
@pytest.mark.parametrize("form", ["json", "text"])
async def test_each_error_of_get_number_is_told_apart(status, message, error, says, form):
    body = {"json": {"status": "error", "whatever": message}} if form == "json" else {"text": message}
    with pytest.raises(UpstreamError) as caught:
        await bought(httpx.Response(status, **body))
    assert caught.type is error
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"<html>", b'{"status": "error", "message": "No number received"}']
    + [json.dumps({"status": "success", "data": data}).encode() for data in (None, {}, {"phone_number": ""})]
    + [json.dumps({"status": "success", "data": {"phone_number": "soon"}}).encode()],
)
async def test_an_answer_that_cannot_be_read_may_have_taken_a_number(body):
    with pytest.raises(UpstreamBroken):
        await bought(httpx.Response(200, content=body))


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("no route"), UpstreamUnavailable),
        (httpx.ConnectTimeout("too slow"), UpstreamUnavailable),
        (httpx.PoolTimeout("all busy"), UpstreamUnavailable),
        (httpx.ReadTimeout("no answer"), UpstreamUnknown),
        (httpx.WriteError("cut off"), UpstreamUnknown),
        (httpx.RemoteProtocolError("nonsense"), UpstreamUnknown),
    ],
)
async def test_what_was_sent_and_not_answered_is_never_sent_again(failure, error):
    async with panel_answering(failure) as (supplier, panel):
        with pytest.raises(UpstreamError) as caught:
            await supplier.buy("6.ID", quantity=1, key="key-1")
    assert caught.type is error
    assert len(panel.requests) == 1


async def test_how_long_to_wait_is_told_on():
    answer = httpx.Response(429, text="Slow down", headers={"Retry-After": "7"})
    with pytest.raises(UpstreamUnavailable) as caught:
        await bought(answer)
    assert caught.value.retry_after == timedelta(seconds=7)


# The webhook


@pytest.fixture
async def supplier():
    async with panel_answering(INIT) as (supplier, _):
        yield supplier


async def test_the_documented_event_is_an_sms_for_a_number(supplier):
    text = "Your OTP is 123456. Do not share this code."
    assert supplier.parse_event(json.dumps(EVENT).encode()) == Event(
        EventKind.SMS,
        phone_number="+1234567890",
        sms=RemoteSms(code="123456", text=text, received_at=None),
    )


def event(**changes):
    return json.dumps({"event": "otp_received", "data": OTP | changes}).encode()


@pytest.mark.parametrize("code", [None, "", "  "])
async def test_an_sms_without_a_code_is_an_sms(supplier, code):
    sms = supplier.parse_event(event(otp_code=code)).sms
    assert (sms.code, sms.text) == (None, OTP["sms_text"])


async def test_neither_code_nor_text_has_no_effect(supplier):
    assert supplier.parse_event(event(otp_code=None, sms_text=None)).kind is EventKind.OTHER


async def test_an_event_that_came_to_be_later_has_no_effect(supplier):
    assert supplier.parse_event(b'{"event": "number_lost", "data": 3}').kind is EventKind.OTHER


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+1234567890", "+1234567890"),
        (" +1 (234) 567-890 ", "+1234567890"),
        ("1234567890", "1234567890"),
        (1234567890, "1234567890"),
        ("0812345678", "0812345678"),
    ],
)
async def test_a_number_without_a_plus_stays_in_doubt(supplier, written, read):
    assert supplier.parse_event(event(phone_number=written)).phone_number == read


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"{}", b"\xff", b'{"event": 1}', b'{"event": "otp_received"}'),
        *(event(phone_number=number) for number in ("", None, "private")),
    ],
)
async def test_what_names_no_number_is_no_event(supplier, body):
    with pytest.raises(BadEvent):
        supplier.parse_event(body)


@pytest.mark.parametrize("key", ["", "guess", WEBHOOK_KEY[:-1], WEBHOOK_KEY + "x", "é"])
async def test_only_the_whole_key_opens(supplier, key):
    supplier.verify(WebhookPost(b"{}", {}, WEBHOOK_KEY))
    with pytest.raises(WrongAddress):
        supplier.verify(WebhookPost(b"{}", {}, key))


async def test_without_a_key_nothing_opens():
    async with panel_answering(INIT, webhook_key="") as (supplier, _):
        with pytest.raises(WrongAddress):
            supplier.verify(WebhookPost(b"{}", {}, ""))


async def test_the_same_sms_is_a_repetition_only_for_a_while():
    clock = ManualNow()
    async with panel_answering(INIT, clock=clock) as (supplier, _):

        def name_of(body: bytes) -> str:
            return str(supplier.delivery_id(body, supplier.parse_event(body)))

        first = name_of(event())
        assert name_of(event()) == first
        assert name_of(event(otp_code="9")) != first
        clock.moment += timedelta(minutes=3)
        assert name_of(event()) != first


# The key


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(401, json={"message": f"Invalid api_key {KEY}"}),
        httpx.Response(404, text=f"/api/get-number/{KEY}"),
        httpx.Response(302, headers={"Location": f"https://elsewhere.example/api/get-number/{ENCODED_KEY}"}),
        httpx.Response(200, text=f"what is {KEY}?"),
        httpx.Response(500),
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("no answer"),
    ],
)
async def test_the_key_is_in_no_error_and_no_log(failure, caplog):
    with caplog.at_level(logging.DEBUG), pytest.raises(UpstreamError) as caught:
        await bought(failure)
    seen = caplog.text + "".join(traceback.format_exception(caught.value))
    error: BaseException | None = caught.value
    while error:
        request = getattr(error, "_request", None)
        seen += f"{error!r} {vars(error)} {request.url if request else ''}"
        error = error.__cause__ or error.__context__
    assert KEY not in seen
    assert ENCODED_KEY not in seen


async def test_not_even_httpx_at_its_most_talkative_logs_the_key(caplog):
    with caplog.at_level(logging.DEBUG):
        await bought(TAKEN)
    assert "HTTP Request: GET https://panel.example/base/api/get-number/key" in caplog.text
    assert KEY not in caplog.text
    assert ENCODED_KEY not in caplog.text


@pytest.fixture
async def refusing_server():
    """The address of a server that refuses everything, and the first line of each request."""
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readline()).decode().strip())
        writer.write(b"HTTP/1.1 418 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"http://{host}:{port}", seen
    server.close()
    await server.wait_closed()


async def test_over_a_real_connection_the_key_is_sent_and_not_told(refusing_server, caplog):
    address, seen = refusing_server
    with caplog.at_level(logging.DEBUG), pytest.raises(UpstreamRefused) as caught:
        async with panel_answering(None, url=address, transport=None) as (supplier, _):
            await supplier.quotes()
    assert seen == [f"GET /api/init/{ENCODED_KEY} HTTP/1.1"]
    told = caplog.text + "".join(traceback.format_exception(caught.value))
    assert "send_request_headers" in told
    assert KEY not in told
    assert ENCODED_KEY not in told

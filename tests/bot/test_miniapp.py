"""The page inside Telegram: who may ask what, and that it sells as the chat does."""

import gzip
import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from pydantic import SecretStr

from bot.miniapp.app import Desk, MiniApp
from bot.miniapp.visitors import LeftOpen, UnknownVisitor, Visitor, recognize
from bot.webhooks import Readiness, create_app
from sandbox.clock import ManualClock
from sandbox.telegram.web_apps import sign_init_data
from tests.bot.test_late_codes import receive_late
from tests.builders import PRICE

pytestmark = pytest.mark.anyio

TOKEN = "1000001:sandbox-token"
ANN = {"id": 42, "first_name": "Ann", "language_code": "en"}


class Browser:
    """Somebody's page, without the browser."""

    def __init__(self, http: httpx.AsyncClient, init_data: str) -> None:
        self.http = http
        self.headers = {"Authorization": f"tma {init_data}"}

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(f"/app/api/{path}", headers=self.headers | headers)

    async def post(self, path: str, **facts) -> httpx.Response:
        return await self.http.post(f"/app/api/{path}", headers=self.headers, json=facts)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def leads():
    """Whether this process has the shop."""
    return {"desk": True}


@pytest.fixture
async def http(stage, leads):
    desk = Desk(stage.shop, stage.application.bot)

    async def ready() -> Readiness:
        return Readiness(ok=True, says="ready")

    page = MiniApp(SecretStr(TOKEN), stage.world.clock, lambda: desk if leads["desk"] else None)
    app = create_app({}, ready=ready, pages=page.routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://numlet") as http:
        yield http


@pytest.fixture
async def browser(stage, http):
    """Of a renter with money."""
    ann = await stage.renter(42, money=50_000)
    return Browser(http, ann.init_data())


def intent(stage, **changes):
    facts = {"key": "abcdefgh", "service": stage.world.service("whatsapp"), "country": "ID", "price": PRICE}
    return facts | changes


def test_a_visitor_is_whom_telegram_signed_for(clock):
    init_data = sign_init_data({**ANN, "language_code": "id"}, TOKEN, clock.now())
    assert recognize(init_data, TOKEN, clock.now()) == Visitor(42, "id")


def test_fields_that_nobody_knows_yet_are_signed_like_all_others(clock):
    fields = dict(parse_qsl(sign_init_data(ANN, TOKEN, clock.now())))
    with pytest.raises(UnknownVisitor):
        recognize(urlencode(fields | {"signature": "new"}), TOKEN, clock.now())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: "",
        lambda data: "nonsense",
        lambda data: data.replace("Ann", "Eve"),
        lambda data: data.replace("42", "43"),
        lambda data: data[:-1] + ("0" if data[-1] != "0" else "1"),
        lambda data: data.partition("&hash")[0],
        lambda data: data.partition("&hash")[0] + "&hash=",
        lambda data: data + "&user=%7B%22id%22%3A43%7D",
        lambda data: data + "&hash=é",
    ],
)
def test_what_telegram_has_not_signed_is_nobody(clock, spoil):
    init_data = spoil(sign_init_data(ANN, TOKEN, clock.now()))
    with pytest.raises(UnknownVisitor):
        recognize(init_data, TOKEN, clock.now())


def test_what_another_bot_was_told_is_nothing_here(clock):
    with pytest.raises(UnknownVisitor):
        recognize(sign_init_data(ANN, "7:another-token", clock.now()), TOKEN, clock.now())


@pytest.mark.parametrize("age", [timedelta(hours=1, seconds=1), timedelta(days=30), timedelta(minutes=-5)])
def test_a_signature_is_good_for_an_hour(clock, age):
    init_data = sign_init_data(ANN, TOKEN, clock.now() - age)
    with pytest.raises(LeftOpen):
        recognize(init_data, TOKEN, clock.now())


@pytest.mark.parametrize("path", ["me", "catalog", "orders"])
async def test_without_a_signature_nothing_is_told(http, path):
    for headers in ({}, {"Authorization": "tma "}, {"Authorization": "Bearer x"}):
        assert (await http.get(f"/app/api/{path}", headers=headers)).status_code == 401


async def test_the_page_itself_is_for_all_and_loads_nothing_from_elsewhere(http):
    page = await http.get("/app")
    assert "Numlet" in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors https://web.telegram.org" in policy
    for name in ("app.js", "search.js", "app.css"):
        assert (await http.get(f"/app/{name}")).status_code == 200
    assert (await http.get("/app/app.py")).status_code == 404


async def test_whoever_has_not_accepted_the_terms_is_sent_to_the_chat(stage, http):
    eve = Browser(http, stage.person(77, "Eve").init_data())
    answer = await eve.get("me")
    assert (answer.status_code, answer.json()["error"]) == (403, "Please accept the terms first: /start")


async def test_the_banned_are_refused(stage, browser):
    await stage.shop.people.ban(42, reason="spam", by=1)
    answer = await browser.post("buy", **intent(stage))
    assert answer.status_code == 403
    assert "spam" in answer.json()["error"]


async def test_a_process_that_does_not_lead_says_so(stage, browser, leads):
    assert (await browser.get("ready")).status_code == 204
    leads["desk"] = False
    assert (await browser.get("ready")).status_code == 503
    for answer in (await browser.get("catalog"), await browser.post("buy", **intent(stage))):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json() == {"error": "The shop is starting. Please try again in a moment."}


async def test_the_catalogue_has_every_line_with_its_price(stage, browser):
    catalog = (await browser.get("catalog")).json()
    lines = stage.shop.catalog.lines()
    assert {tuple(line) for line in catalog["lines"]} == {
        (line.service_id, line.country, line.price, line.odds and line.odds.percent) for line in lines
    }
    assert "вотсап" in catalog["services"][str(stage.world.service("whatsapp"))]
    assert {"Индонезия", "62", "ID"} <= set(catalog["countries"]["ID"])


async def test_the_catalogue_is_sent_again_only_when_it_has_changed(stage, browser):
    first = await browser.get("catalog", **{"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await browser.get("catalog", **known)).status_code == 304
    stage.shop.catalog.sold_out("smscode", stage.shop.catalog.lines()[0].routes[0].product_ref)
    assert (await browser.get("catalog", **known)).status_code == 200


async def test_a_number_bought_on_the_page_is_bought_as_in_the_chat(stage, browser):
    assert (await browser.post("buy", **intent(stage))).status_code == 204
    await stage.world.settle()
    ann = stage.person(42)
    await ann.wait_for("Waiting for the code")
    [order] = (await browser.get("orders")).json()["orders"]
    assert (order["open"], order["price"], order["codes"]) == (True, PRICE, [])
    vendor = stage.world.vendor
    await vendor.receive_sms(max(vendor.orders), "Your code is 482913")
    await stage.world.settle()
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    [order] = (await browser.get("orders")).json()["orders"]
    assert order["codes"] == ["482913"]
    assert await stage.world.money(42) == (50_000 - PRICE, 0, PRICE)


async def test_however_often_one_button_is_sent_it_buys_once(stage, browser):
    answers = [(await browser.post("buy", **intent(stage))).status_code for _ in range(3)]
    assert answers == [204, 204, 204]
    await stage.world.settle()
    assert len((await browser.get("orders")).json()["orders"]) == 1


async def test_a_price_that_has_risen_is_told_and_nothing_is_bought(stage, browser):
    answer = await browser.post("buy", **intent(stage, price=PRICE - 1))
    assert (answer.status_code, answer.json()["price"]) == (409, PRICE)
    assert await stage.world.money(42) == (50_000, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "short"},
        {"key": "with space"},
        {"country": "Indonesia"},
        {"price": "18000"},
        {"price": -1},
        {"service": 2**70},
        {"service": None},
    ],
)
async def test_what_no_page_of_ours_sends_is_400(stage, browser, changes):
    assert (await browser.post("buy", **intent(stage, **changes))).status_code == 400


async def test_a_body_without_end_is_not_read(browser):
    assert (await browser.post("buy", key="x" * 5000)).status_code == 400


async def test_nobody_sees_anothers_orders(stage, browser, http):
    await browser.post("buy", **intent(stage))
    await stage.world.settle()
    bob = await stage.renter(43)
    assert (await Browser(http, bob.init_data()).get("orders")).json()["orders"] == []


async def test_a_star_on_the_page_is_a_pin_in_the_chat(stage, browser):
    service = stage.world.service("whatsapp")
    assert (await browser.post("pin", service=service, country="ID", on=True)).status_code == 204
    assert (await browser.get("orders")).json()["pinned"] == [[service, "ID"]]
    assert (await browser.post("pin", service=service, country="ID", on=False)).status_code == 204
    assert (await browser.get("orders")).json()["pinned"] == []
    assert (await browser.post("pin", service=999_999, country="ID", on=True)).status_code == 400


async def test_a_code_that_came_late_is_not_shown_before_it_is_bought(stage, browser):
    ann = stage.person(42)
    await receive_late(stage, ann)
    [shown] = (await browser.get("orders")).json()["orders"]
    assert (shown["open"], shown["codes"]) == (False, [])
    await ann.tap("Buy this code")
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    await stage.world.settle()
    [shown] = (await browser.get("orders")).json()["orders"]
    assert shown["codes"] == ["482913"]


async def test_the_pages_words_are_in_the_renters_language(stage, browser):
    me = (await browser.get("me")).json()
    assert me["direction"] == "ltr"
    assert json.dumps(me["words"])
    assert me["names"] == {"Any service": "Any service"}
    assert me["chat"] == "https://t.me/numlet_sandbox_bot"


async def test_the_zipped_catalogue_is_the_plain_one(browser):
    plain = await browser.get("catalog", **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    zipped = await browser.get("catalog", **{"Accept-Encoding": "gzip"})
    assert zipped.json() == plain.json()
    assert len(gzip.compress(plain.content)) < len(plain.content) / 2

"""Which suppliers the settings connect, and what `doctor` says of them."""

import json

import httpx
import pytest

from bot.doctor.examination import examine
from bot.settings import Settings, WrongSettings, read_settings
from bot.suppliers import connect_suppliers
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Telegram
from services.clock import SystemClock

pytestmark = pytest.mark.anyio

KEY = "sandbox-numberpanel-key"


def settings(**values) -> Settings:
    return read_settings(_env_file=None, **values)


async def names(**values) -> list[str]:
    connected = connect_suppliers(settings(**values), SystemClock())
    for supplier in connected:
        await supplier.aclose()
    return [supplier.name for supplier in connected]


async def test_a_supplier_is_on_when_its_credentials_are_set():
    assert await names() == []
    assert await names(smscode_token="token") == ["smscode"]
    assert await names(numberpanel_key=KEY) == []
    assert await names(numberpanel_url="https://panel.example") == []
    both = {"numberpanel_key": KEY, "numberpanel_url": "https://panel.example/"}
    assert await names(smscode_token="token", **both) == ["smscode", "numberpanel"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"numberpanel_cost": 0}, "NUMBERPANEL_COST"),
        ({"numberpanel_lifetime_minutes": 0}, "NUMBERPANEL_LIFETIME_MINUTES"),
        ({"numberpanel_webhook_key": "two/parts"}, "NUMBERPANEL_WEBHOOK_KEY: may have letters"),
        ({"numberpanel_url": "panel.example"}, "NUMBERPANEL_URL: must begin with https://"),
    ],
)
def test_settings_that_cannot_work_are_named(wrong, says):
    with pytest.raises(WrongSettings) as caught:
        settings(**wrong)
    assert says in str(caught.value)
    assert "two/parts" not in str(caught.value)


@pytest.fixture
async def world():
    clock = Clock()
    return World(clock, Telegram(clock), SmsCode(clock))


async def diagnosis(world: World, sqlite_url: str, capsys, **values) -> str:
    async with serving(world) as origin:
        values = {
            "numberpanel_key": KEY,
            "numberpanel_url": f"{origin}/numberpanel",
            "numberpanel_cost": 14_000,
            "numberpanel_webhook_key": "the-path-that-only-the-panel-knows",
        } | values
        await examine(settings(**values))
    said: str = capsys.readouterr().out
    assert "the-path-that-only" not in said
    assert KEY not in said
    return said


async def test_doctor_shows_what_sells_and_which_countries_nobody_knows(world, sqlite_url, capsys):
    said = await diagnosis(world, sqlite_url, capsys)
    assert "ok    numberpanel: answers; sells in 8 countries" in said
    assert "note  numberpanel: not sold, as nobody knows these countries: Satellite (+870)" in said


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ({"numberpanel_cost": None}, "NUMBERPANEL_COST, what a number costs us, is not set"),
        ({"numberpanel_webhook_key": None}, "NUMBERPANEL_WEBHOOK_KEY is not set, so no code could come"),
        ({"numberpanel_url": ""}, "It needs both NUMBERPANEL_KEY and NUMBERPANEL_URL"),
        ({"numberpanel_key": "wrong"}, "Copy NUMBERPANEL_KEY from your account there again"),
    ],
)
async def test_doctor_names_what_is_missing(world, sqlite_url, capsys, missing, says):
    assert says in await diagnosis(world, sqlite_url, capsys, **missing)


async def test_the_panels_numbers_and_troubles_are_on_the_page(world):
    async with serving(world) as origin, httpx.AsyncClient(base_url=origin) as page:
        number = world.numberpanel.take(4, 105)
        sent = await page.post(
            f"/world/numbers/{number.id}/sms", json={"supplier": "numberpanel", "text": "Your code is 123456"}
        )
        assert (sent.status_code, number.code) == (204, "123456")
        made = await page.post("/world/trouble", json={"supplier": "numberpanel", "drop_webhooks": True})
        assert made.status_code == 204
        assert world.numberpanel.trouble.drop_webhooks
        assert not world.smscode.trouble.drop_webhooks
        refused = await page.post("/world/trouble", json={"supplier": "numberpanel", "forge_webhooks": True})
        assert refused.status_code == 400
        async with page.stream("GET", "/world/events") as events:
            async for line in events.aiter_lines():
                if line.startswith("data: ") and "suppliers" in (shown := json.loads(line[6:])):
                    break
    assert [one["name"] for one in shown["suppliers"]] == ["smscode", "numberpanel"]
    [view] = shown["numbers"]
    assert (view["supplier"], view["phone"], view["code"]) == ("numberpanel", number.phone_number, "123456")

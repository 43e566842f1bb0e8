"""The suppliers' desk: how one is doing, its webhook, and what is not sold."""

from datetime import timedelta

import httpx
import pytest

from services.scopes import Scope
from tests.bot.stage import labels

pytestmark = pytest.mark.anyio

RP = "Rp\N{NO-BREAK SPACE}"


async def open_desk(olga):
    await olga.say("/suppliers")
    await olga.tap("smscode")
    return await olga.wait_for("Breaker")


async def test_one_screen_shows_money_and_health(stage, ann, olga):
    await stage.world.rent(42)
    stage.world.vendor.balance = 45_000
    shown = await open_desk(olga)
    assert f"Balance: {RP}45,000" in shown.text
    assert f"Spent an hour: {RP}2,500" in shown.text
    assert "Lasts about 18 hours" in shown.text
    assert "100 % answered" in shown.text
    assert "Breaker: closed" in shown.text
    assert "Webhook: tested, bot.example answered 200" in shown.text


async def test_a_supplier_is_switched_off_and_on(stage, ann, olga):
    await open_desk(olga)
    await olga.tap("Switch off")
    await olga.tap("Until I end it")
    await olga.wait_for("⏸ switched off")
    assert stage.world.catalog.services() == []
    await olga.tap("Switch on")
    await olga.wait_for("🟢 working")
    assert stage.world.catalog.services()


async def test_a_country_is_paused_for_an_hour(stage, ann, olga):
    await open_desk(olga)
    await olga.tap("Pause a country")
    await olga.tap("🔎 Search")
    await olga.say("indonesia")
    await olga.tap("🇮🇩 Indonesia")
    await olga.tap("For an hour")
    shown = await olga.wait_for("Not bought there")
    assert labels(shown)[0].startswith("⏸ 🇮🇩 Indonesia · ")
    assert stage.world.catalog.of_country("ID") == []
    stage.world.clock.advance(timedelta(hours=1))
    await stage.world.pauses.end_due()
    assert stage.world.catalog.of_country("ID")


async def test_an_open_menu_leads_to_nothing_where_it_was_blocked_meanwhile(stage, ann, olga):
    await ann.say("/buy whatsapp indonesia")
    offer = await ann.wait_for("WhatsApp")
    await olga.say("/pricing")
    await olga.tap("Blocklist")
    assert "⏸ Telegram" in labels(await olga.wait_for("Blocklist"))
    await olga.tap("Add a service")
    await olga.tap("🔎 Search")
    await olga.say("wa")
    await olga.tap("WhatsApp")
    await olga.tap("Until I end it")
    await olga.tap("⏸ WhatsApp")
    await olga.wait_for("Until somebody ends it.")
    [buy] = [label for label in labels(offer) if label.startswith("Buy")]
    assert "Sold out just now" in (await ann.tap(buy, offer)).text
    assert (await stage.world.accounts.wallet(42)).held == 0
    await olga.tap("Sell again")
    await olga.wait_for("What nobody is sold")
    assert stage.world.catalog.line(stage.world.service("whatsapp"), "ID")


async def test_the_webhook_is_registered_and_tested_by_hand(stage, olga):
    world = stage.world
    receiver = world.outside.receiver
    world.outside.receiver = httpx.MockTransport(lambda request: httpx.Response(503))
    await open_desk(olga)
    await olga.tap("Test webhook")
    await olga.wait_for("the test reached bot.example with 503")
    world.outside.receiver = receiver
    await olga.tap("Register webhook")
    await olga.wait_for("tested, bot.example answered 200")
    acts = [act.after["webhook"] for act in await stage.shop.trail.newest(limit=2)]
    assert acts == ["registered", "tested"]


async def test_what_a_supplier_refuses_is_said(stage, olga):
    shown = await open_desk(olga)
    stage.world.vendor.trouble.always = "503"
    answer = await olga.tap("Test webhook", shown)
    assert "smscode did not do it" in answer.text


async def test_pauses_are_kept_apart_by_supplier(stage, olga):
    await stage.world.pauses.pause(Scope("smscode", 0, "KE"), until=None, by=1, subject="x")
    await olga.say("/pricing")
    await olga.tap("Blocklist")
    assert "⏸ 🇰🇪 Kenya" not in labels(await olga.wait_for("Blocklist"))
    assert "⏸ 🇰🇪 Kenya" in labels(await open_desk(olga))


async def test_what_is_unexplained_is_looked_into(stage, olga):
    stage.world.vendor.buy(142, 1)
    await stage.world.reconcile()
    await olga.say("/suppliers")
    await olga.tap("Unexplained")
    await olga.tap("I have looked into it")
    shown = await olga.wait_for("✅ smscode order")
    assert "I have looked into it" not in labels(shown)


async def test_webhooks_are_asked_for_by_a_command_of_their_own(stage, olga):
    said = await olga.say("/webhooks")
    assert "Webhook: tested, bot.example answered 200" in (await olga.wait_for("Suppliers", after=said)).text

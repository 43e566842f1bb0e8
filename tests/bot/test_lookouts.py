"""Price alerts in the chat."""

import pytest

from services.ledger import wallet
from tests.bot.stage import labels
from tests.builders import COST, PRICE

pytestmark = pytest.mark.anyio

NBSP = "\N{NO-BREAK SPACE}"


async def refresh(stage):
    await stage.world.refresh()
    await stage.world.lookouts.check()
    await stage.world.settle()


async def test_an_alert_is_set_where_the_price_is_and_comes_with_a_button_that_buys(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("🔔 If it gets cheaper")
    ask = await ann.wait_for("Below which price")
    assert f"Below Rp{NBSP}17,100" in labels(ask)
    await ann.tap(f"Below Rp{NBSP}17,100", ask)
    await ann.wait_for(f"less than Rp{NBSP}17,100: once, within 30 days.")

    stage.world.vendor.products[142].price = COST - 1_000
    await refresh(stage)
    told = await ann.wait_for("You waited for it")
    await ann.tap(f"Buy for Rp{NBSP}16,800", told)
    await ann.wait_for("Waiting for the code")
    assert await stage.world.balance(wallet(42)) == 100_000 - (PRICE - 1_200)


async def test_what_is_sold_out_can_be_waited_for(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    confirm = await ann.wait_for("In stock")
    stage.world.vendor.trouble.out_of_stock = True
    await refresh(stage)
    await ann.tap("2", confirm)
    await ann.tap("🔔 Tell me when it's back", await ann.wait_for("Sold out"))
    await ann.wait_for("when it is in stock again")
    stage.world.vendor.trouble.out_of_stock = False
    await refresh(stage)
    await ann.wait_for("You waited for it")


async def test_alerts_are_listed_and_deleted_in_the_settings(stage, ann):
    await stage.world.lookouts.add(42, stage.world.service("whatsapp"), "ID", PRICE)
    await ann.say("/settings")
    await ann.tap("Price alerts")
    listed = await ann.wait_for("A tap deletes one.")
    await ann.tap("✕ WhatsApp · 🇮🇩 Indonesia, below", listed)
    await ann.wait_for("None yet.")

"""The odds on the shelf and on the confirm screen."""

import pytest

from db.models import Outcome
from services.odds import FAILED
from tests.bot.stage import labels

pytestmark = pytest.mark.anyio


async def went(stage, country, *, failed, codes):
    """So many WhatsApp orders of today ended so; the codes came within 45 seconds."""
    world = stage.world
    kind = {
        "day": int(world.clock.now().timestamp()) // 86_400,
        "service_id": world.service("whatsapp"),
        "country": country,
        "supplier": "smscode",
        "network": "",
    }
    async with world.database.write() as session:
        session.add(Outcome(**kind, bucket=FAILED, orders=failed))
        session.add(Outcome(**kind, bucket=3, orders=codes))
    await world.odds.refresh()
    await world.refresh()


async def test_the_shelf_is_sorted_by_price_odds_or_stock(stage, ann):
    await went(stage, "ID", failed=10, codes=190)
    await went(stage, "IN", failed=90, codes=110)
    await ann.say("/buy whatsapp")
    shelf = await ann.wait_for("The cheapest come first.")
    assert {"• Price •", "Odds", "Stock"} < set(labels(shelf))
    await ann.tap("Odds", shelf)
    shelf = await ann.wait_for("Those where codes come most often are first.")
    first, second = [label for label in labels(shelf) if label.endswith("%")]
    assert first == "🇮🇩 Indonesia · Rp\N{NO-BREAK SPACE}18,000 · 95%"
    assert second.startswith("🇮🇳 India")
    await ann.tap("Next", shelf)
    await ann.wait_for(lambda message: "‹ Previous" in labels(message) and "• Odds •" in labels(message))
    await ann.tap("Stock", shelf)
    await ann.wait_for("Those with the most numbers are first.")


async def test_odds_that_nobody_knows_are_no_choice(stage, ann):
    await ann.say("/buy whatsapp")
    shelf = await ann.wait_for("The cheapest come first.")
    assert "Odds" not in labels(shelf)
    assert "Stock" in labels(shelf)


async def test_the_confirm_screen_says_how_often_and_how_soon(stage, ann):
    await went(stage, "ID", failed=10, codes=190)
    await ann.say("/buy whatsapp indonesia")
    await ann.wait_for("A code came in 95 of 100 orders, half of them within 45 seconds.")

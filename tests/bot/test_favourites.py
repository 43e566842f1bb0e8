"""The star on an offer."""

import pytest

from services.favourites import MOST, Choice
from tests.bot.stage import labels

pytestmark = pytest.mark.anyio

SERVICES = ("whatsapp", "google", "instagram", "facebook", "tiktok")


async def test_a_star_pins_an_offer_and_a_second_tap_takes_it_away(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("☆ Pin")
    confirm = await ann.wait_for("In stock")
    assert "★ Pinned" in labels(confirm)
    assert labels(confirm)[0].startswith("Buy for")
    await ann.tap("★ Pinned")
    assert "☆ Pin" in labels(await ann.wait_for("In stock"))


async def test_the_star_keeps_the_quantity_that_was_chosen(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("3")
    await ann.tap("☆ Pin")
    assert labels(await ann.wait_for("Together"))[0].startswith("Buy 3 for")


async def test_there_is_room_for_a_few_pins_only(stage, ann):
    names = [stage.world.service(slug) for slug in SERVICES]
    for service_id in names[:MOST]:
        await stage.shop.favourites.pin(ann.id, Choice(service_id, "US"))
    await ann.say("/buy whatsapp indonesia")
    answer = await ann.tap("☆ Pin")
    assert answer.show_alert
    assert answer.text == "You can pin 4 offers. Unpin one of them first."


async def test_what_is_sold_out_can_still_be_unpinned(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("☆ Pin")
    stage.world.vendor.products.clear()
    await stage.world.refresh()
    await ann.tap("• 1 •")
    assert "★ Pinned" in labels(await ann.wait_for("Sold out"))
    await ann.tap("★ Pinned")
    assert "★ Pinned" not in labels(await ann.wait_for("Sold out"))

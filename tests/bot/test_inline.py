"""Inline mode, and the links that its cards carry."""

import pytest

from tests.bot.catalogues import spoken
from tests.bot.stage import labels
from tests.builders import PRICE

pytestmark = pytest.mark.anyio

LINK = "https://t.me/numlet_sandbox_bot?start="


def button_of(result):
    [[button]] = result["reply_markup"]["inline_keyboard"]
    return button


async def test_a_query_in_another_chat_is_answered_with_cards_that_lead_to_the_price(stage):
    ann = stage.person(42)
    [card] = await ann.search_inline("whatsapp indonesia")
    assert card["title"] == "WhatsApp · 🇮🇩 Indonesia"
    assert card["description"] == "Rp\N{NO-BREAK SPACE}18,000"
    assert (
        "Price: <b>Rp\N{NO-BREAK SPACE}18,000</b> a number" in card["input_message_content"]["message_text"]
    )
    assert button_of(card)["url"].startswith(LINK + "b_")


async def test_asking_makes_nobody_a_renter(stage):
    await stage.person(42).search_inline("whatsapp")
    assert await stage.world.accounts.find(42) is None


async def test_a_service_alone_offers_its_cheapest_countries(stage):
    cards = await stage.person(42).search_inline("whatsapp")
    lines = stage.shop.catalog.of_service(stage.world.service("whatsapp"))
    assert [card["id"] for card in cards] == [f"{line.service_id}:{line.country}" for line in lines[:5]]


async def test_without_words_there_are_offers_all_the_same(stage):
    assert await stage.person(42).search_inline("")


async def test_nonsense_finds_nothing_but_the_way_to_the_shop(stage):
    assert await stage.person(42).search_inline("qwzxv") == []
    [call] = [call for call in stage.telegram.calls if call.method == "answerInlineQuery"]
    assert '"start_parameter": "shop"' in call.params["button"]


async def test_a_card_is_in_the_language_of_whoever_asks(stage, tmp_path):
    ann = stage.person(42, language_code="es")
    with spoken(tmp_path, "es", {"Get this number": "Obtener este número"}):
        [card] = await ann.search_inline("whatsapp indonesia")
    assert button_of(card)["text"] == "Obtener este número"
    assert card["description"] == "18.000\N{NO-BREAK SPACE}Rp"


async def test_a_renter_who_follows_a_cards_link_is_one_tap_from_buying(stage):
    [card] = await stage.person(1).search_inline("whatsapp indonesia")
    ann = await stage.renter(42, money=50_000)
    await ann.say(f"/start {button_of(card)['url'].removeprefix(LINK)}")
    await ann.tap("Buy for Rp")
    await ann.wait_for("Waiting for the code")
    assert await stage.world.money(42) == (50_000 - PRICE, PRICE, 0)


async def test_a_card_that_is_picked_in_our_own_chat_is_not_taken_for_a_search(stage, ann):
    [card] = await ann.search_inline("whatsapp indonesia")
    picked = await ann.pick(card["id"])
    await stage.settle()
    assert [message.text for message in ann.messages if message.id > picked.id] == []


async def test_somebody_new_accepts_the_terms_and_is_where_the_link_led(stage):
    [card] = await stage.person(1).search_inline("whatsapp indonesia")
    eve = stage.person(77, "Eve")
    await eve.say(f"/start {button_of(card)['url'].removeprefix(LINK)}")
    await eve.tap("Accept")
    confirm = await eve.wait_for("WhatsApp · 🇮🇩 Indonesia")
    assert "Buy for Rp\N{NO-BREAK SPACE}18,000" in labels(confirm)


@pytest.mark.parametrize("parameter", ["b_zzzz_ID", "b_1_XX"])
async def test_a_link_to_what_is_not_sold_says_so(stage, ann, parameter):
    await ann.say(f"/start {parameter}")
    await ann.wait_for("Sold out at the moment")


@pytest.mark.parametrize("parameter", ["b_", "b_1", "b_1_id", "b_-1_ID", "b_1_ID_1", "b_11111111_ID", "shop"])
async def test_a_link_that_is_none_leads_home(stage, ann, parameter):
    await ann.say(f"/start {parameter}")
    await ann.wait_for("Rent a number, get the code here")

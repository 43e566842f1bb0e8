"""The home screen: what matters is one tap away."""

from dataclasses import replace

import pytest

from bot.context import SHOP
from bot.views.home import ROWS
from services.favourites import MOST, Choice
from tests.bot.stage import labels
from tests.builders import PRICE

pytestmark = pytest.mark.anyio

WHATSAPP = "WhatsApp 🇮🇩 · Rp\N{NO-BREAK SPACE}18,000"


async def home(person):
    said = await person.say("/start")
    return await person.wait_for("Rent a number", after=said)


async def buy(stage, person, words="/buy whatsapp indonesia"):
    await person.say(words)
    await person.tap("Buy for")
    card = await person.wait_for("Waiting for the code")
    await stage.world.settle()
    return card


async def test_who_has_bought_before_buys_again_in_two_taps(stage, ann):
    await buy(stage, ann)
    await home(ann)
    await ann.tap("Buy again: WhatsApp")
    assert (await ann.tap("Buy for")).text == "Getting your number…"
    await ann.wait_for("Order 2")
    assert (await stage.world.money(ann.id))[1] == 2 * PRICE


async def test_former_purchases_stand_there_once_with_todays_price_and_stock(stage, ann):
    for words in ("/buy whatsapp indonesia", "/buy whatsapp india", "/buy whatsapp indonesia"):
        await buy(stage, ann, words)
    shown = await home(ann)
    again = [label for label in labels(shown) if label.startswith("Buy again")]
    assert len(again) == 2
    assert again[0] == f"Buy again: {WHATSAPP}"
    assert again[1].startswith("Buy again: WhatsApp 🇮🇳 · Rp")
    assert "WhatsApp 🇮🇩: " in shown.text
    assert "in stock" in shown.text


async def test_pins_come_before_former_purchases_and_not_twice(stage, ann):
    await buy(stage, ann)
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("☆ Pin")
    shown = labels(await home(ann))
    assert f"★ {WHATSAPP}" in shown
    assert not [label for label in shown if label.startswith("Buy again")]


async def test_what_is_sold_out_says_so(stage, ann):
    await buy(stage, ann)
    stage.world.vendor.products.clear()
    await stage.world.refresh()
    shown = await home(ann)
    assert "Buy again: WhatsApp 🇮🇩 · sold out" in labels(shown)
    assert "Nothing is for sale" in shown.text


async def test_one_open_order_is_a_tap_away_and_more_are_counted(stage, ann):
    card = await buy(stage, ann)
    button = labels(await home(ann))[0]
    assert button == "🟢 Open order: WhatsApp 🇮🇩"
    await ann.tap(button)
    await ann.wait_for("Waiting for the code", after=card)
    await buy(stage, ann)
    await home(ann)
    await ann.tap("🟢 Open orders: 2")
    assert len([label for label in labels(await ann.wait_for("My orders")) if "WhatsApp" in label]) == 2


async def test_the_fullest_home_screen_has_eight_rows(stage, ann):
    for slug in ("google", "instagram", "facebook", "tiktok")[:MOST]:
        await stage.shop.favourites.pin(ann.id, Choice(stage.world.service(slug), "US"))
    assert len((await home(ann)).buttons) == ROWS
    await buy(stage, ann)
    shown = await home(ann)
    assert len(shown.buttons) == ROWS
    assert [label[0] for label in labels(shown)[:6]] == ["🟢", "★", "★", "★", "★", "B"]


async def test_what_renters_want_most_comes_first(stage, ann):
    suggested = [label for label in labels(await home(ann)) if label in ("WhatsApp", "Discord")]
    assert suggested == ["WhatsApp", "Discord"]
    world = stage.world
    order = await world.rent(ann.id, service_id=world.service("discord"), price=50_000)
    await world.receive(order, "1234")
    await stage.shop.popularity.refresh()
    suggested = [label for label in labels(await home(ann)) if label in ("WhatsApp", "Discord")]
    assert suggested == ["Discord", "WhatsApp"]


async def test_popularity_forgets(stage, ann):
    world = stage.world
    service_id = world.service("whatsapp")
    await world.receive(await world.rent(ann.id), "1234")
    await stage.shop.popularity.refresh()
    assert stage.shop.popularity.rank(service_id) == 0
    await world.pass_time(days=8)
    await stage.shop.popularity.refresh()
    assert stage.shop.popularity.rank(service_id) > 0


async def test_whatever_a_command_opens_stands_behind_a_button(stage, ann):
    for way, shown in {
        "Settings": "Settings",
        "Invite friends": "Invite",
        "Help with a payment": "Help with a payment",
        "Terms": "A number is yours for a short time",
        "Privacy": "What we keep about you",
    }.items():
        await home(ann)
        await ann.tap("More…")
        await ann.tap(way)
        await ann.wait_for(shown)


async def test_the_page_of_the_shop_stands_at_home_where_telegram_can_open_it(stage, ann):
    await ann.say("/start")
    assert "Open the shop page" not in labels(await ann.wait_for("Rent a number"))
    page = "https://numlet.example/app"
    stage.application.bot_data[SHOP] = replace(stage.shop, page_url=page)
    await ann.say("/start")
    home = await ann.wait_for(lambda message: "Open the shop page" in labels(message))
    [button] = [button for row in home.buttons for button in row if button.web_app]
    assert button.web_app == page

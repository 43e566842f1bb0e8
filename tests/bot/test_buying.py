"""From /start to a code, the way a renter goes."""

import asyncio
from datetime import timedelta

import pytest

from services.ledger import wallet
from tests.bot.stage import labels
from tests.builders import PRICE

pytestmark = pytest.mark.anyio


async def buy(person, text="/buy whatsapp indonesia"):
    """The card of a number that has been bought."""
    await person.say(text)
    await person.tap("Buy")
    return await person.wait_for("Waiting for the code")


async def receive(stage, text="Your code is 482913"):
    vendor = stage.world.vendor
    await vendor.receive_sms(max(vendor.orders), text)
    await stage.world.settle()


async def test_a_newcomer_rents_a_number_in_four_taps(stage):
    ann = stage.person(77, "Ann")
    await stage.world.accounts.credit(77, 50_000, key="gift", reason=None)
    await ann.say("/start")
    await ann.tap("Accept")
    await ann.tap("WhatsApp")
    await ann.tap("🇮🇩 Indonesia")
    answer = await ann.tap("Buy for Rp")
    assert answer.text == "Getting your number…"
    card = await ann.wait_for("Waiting for the code")
    assert "+62812" in card.text
    assert labels(card) == ["Copy number", "Another SMS", "Cancel", "Swap if no code comes"]
    assert len([message for message in ann.messages if message.from_bot]) == 1  # one message all the way

    await receive(stage)
    code = await ann.wait_for(lambda message: message.text.startswith("482913"))
    assert (await ann.tap("Copy 482913", code)).copied == "482913"
    card = await ann.wait_for("Paid: Rp\N{NO-BREAK SPACE}18,000")
    assert "482913" in card.text
    assert labels(card) == ["Copy number", "Another SMS", "Finish", "Problem with this order"]
    assert await stage.world.money(77) == (50_000 - PRICE, 0, PRICE)


async def test_a_misspelt_search_leads_straight_to_the_price(stage, ann):
    await ann.say("watsap indonesia")
    confirm = await ann.wait_for("In stock")
    assert confirm.text.startswith("WhatsApp · 🇮🇩 Indonesia")
    assert "Buy for Rp\N{NO-BREAK SPACE}18,000" in labels(confirm)


async def test_a_search_that_can_mean_several_things_offers_them(stage, ann):
    await ann.say("wa in")
    found = await ann.wait_for("Found for “wa in”")
    assert labels(found)[0].startswith("WhatsApp · 🇮🇳 India · Rp")
    assert labels(found)[1].startswith("WhatsApp · 🇮🇩 Indonesia · Rp")


async def test_nonsense_is_answered_with_suggestions(stage, ann):
    await ann.say("qwzx <b>")
    answer = await ann.wait_for("I found nothing for “qwzx <b>”")
    assert "All services" in labels(answer)


@pytest.mark.parametrize(
    ("words", "leads_to"),
    [
        ("/buy whatsapp indonesia", "Your balance"),
        ("/buy wa id", "Your balance"),
        ("/buy whatsapp", "Which country?"),
        ("/buy indonesia", "Which service?"),
        ("/buy", "Which service is the number for?"),
        ("/buy qwzx", "I found nothing"),
    ],
)
async def test_the_buy_command_goes_as_far_as_its_words_lead(stage, ann, words, leads_to):
    await ann.say(words)
    await ann.wait_for(leads_to)


async def test_accepting_the_terms_leads_on_to_what_was_wanted(stage):
    ben = stage.person(78, "Ben")
    await ben.say("/buy whatsapp indonesia")
    await ben.tap("Accept")
    await ben.wait_for("In stock")


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "a number (≈ $1.11)"), ("jv", "a number\n"), ("tlh", "a number\n")]
)
async def test_the_price_is_also_told_in_the_renters_own_money(stage, language, shown):
    ben = await stage.renter(78, money=0, language_code=language)
    await ben.say("/buy whatsapp indonesia")
    assert shown in (await ben.wait_for("In stock")).text


async def test_a_deep_link_is_a_start(stage):
    ben = stage.person(78, "Ben")
    await ben.say("/start friend-99")
    await ben.wait_for("Before you start")


async def test_without_money_the_tap_says_how_much_is_missing(stage):
    ben = await stage.renter(78, money=PRICE - 5_000)
    await ben.say("/buy whatsapp indonesia")
    assert "You need Rp\N{NO-BREAK SPACE}5,000 more" in (await ben.wait_for("In stock")).text
    answer = await ben.tap("Buy")
    assert answer.show_alert
    assert "Rp\N{NO-BREAK SPACE}5,000" in answer.text
    assert stage.world.vendor.orders == {}


async def test_twenty_taps_on_one_button_buy_once(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    confirm = await ann.wait_for("In stock")
    taps = [await ann.press("Buy", confirm) for _ in range(20)]
    await asyncio.gather(*(tap.wait(10) for tap in taps))
    await ann.wait_for("Waiting for the code")
    assert len(stage.world.vendor.orders) == 1
    assert await stage.world.money(ann.id) == (100_000 - PRICE, PRICE, 0)


async def test_a_new_price_is_shown_before_anything_is_bought(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.wait_for("In stock")
    stage.world.vendor.trouble.price_jump_percent = 100
    await stage.world.refresh()
    answer = await ann.tap("Buy")
    assert answer.show_alert
    changed = await ann.wait_for("The price has changed from Rp\N{NO-BREAK SPACE}18,000")
    assert "Buy for Rp\N{NO-BREAK SPACE}36,000" in labels(changed)
    assert stage.world.vendor.orders == {}


@pytest.mark.parametrize("words", ["/buy whatsapp indonesia", "watsap indonesia"])
async def test_who_asks_for_what_nobody_sells_now_is_told_and_shown_what_comes_near(stage, ann, words):
    stage.world.vendor.products[142].available = 0
    await stage.world.refresh()
    await ann.say(words)
    answer = await ann.wait_for("Sold out at the moment")
    assert "WhatsApp" in answer.text
    assert "Indonesia" in answer.text
    offered = labels(answer)
    assert offered[0] == "🔔 Tell me when it's back"
    assert {"WhatsApp", "🇮🇩 Indonesia"} <= set(offered)


async def test_a_sold_out_line_says_so(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    confirm = await ann.wait_for("In stock")
    stage.world.vendor.trouble.out_of_stock = True
    await stage.world.refresh()
    assert "Sold out" in (await ann.tap("Buy", confirm)).text
    await ann.say("/buy whatsapp indonesia")
    await ann.wait_for("I found nothing")


async def test_several_numbers_share_a_card(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("3")
    await ann.tap("Buy 3 for Rp\N{NO-BREAK SPACE}54,000")
    card = await ann.wait_for("3. 🟢")
    await receive(stage)
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    assert "482913" in (await ann.wait_for("3. ✉️")).text
    await ann.tap("Open 2", card)
    await ann.wait_for("Waiting for the code")
    await ann.tap("‹ All numbers")
    await ann.wait_for("1. 🟢")


async def test_cancel_too_early_is_promised_and_kept(stage, ann):
    await buy(ann)
    answer = await ann.tap("Cancel")
    assert answer.show_alert
    assert "2 minutes" in answer.text
    assert "Cancel" not in labels(await ann.wait_for("Will be canceled"))
    await stage.world.pass_time(minutes=2, seconds=1)
    card = await ann.wait_for("Canceled. Rp")
    assert labels(card) == ["Buy again", "Menu", "Timeline"]
    assert await stage.world.money(ann.id) == (100_000, 0, 0)


async def test_an_order_can_be_finished_and_bought_again(stage, ann):
    card = await buy(ann)
    await receive(stage)
    await ann.tap("Finish")
    card = await ann.wait_for("Finished. Paid")
    await ann.tap("Buy again", card)
    confirm = await ann.wait_for("In stock")
    assert confirm.id > card.id  # the card stays
    assert "Finished" in next(message for message in ann.messages if message.id == card.id).text


async def test_a_second_code_comes_after_a_resend(stage, ann):
    await buy(ann)
    await receive(stage)
    assert "another SMS" in (await ann.tap("Another SMS")).text
    await ann.wait_for("Another SMS was asked for")
    stage.world.clock.advance(timedelta(seconds=5))
    await receive(stage, "Your code is 555666")
    await ann.wait_for(lambda message: message.text.startswith("555666"))


async def test_an_sms_without_a_code_arrives_whole(stage, ann):
    await buy(ann)
    await receive(stage, "Tap <here> & confirm")
    message = await ann.wait_for(lambda message: message.text.startswith("Tap <here>"))
    assert (await ann.tap("Copy text", message)).copied == "Tap <here> & confirm"


async def test_orders_open_into_cards_that_stay_up_to_date(stage, ann):
    old = await buy(ann)
    await ann.say("/orders")
    listed = await ann.wait_for("My orders")
    await ann.tap("🟢 WhatsApp", listed)
    await ann.wait_for(lambda message: message.id == listed.id and "Waiting for the code" in message.text)
    await receive(stage)
    await ann.wait_for(lambda message: message.id == listed.id and "482913" in message.text)
    assert "482913" not in next(message for message in ann.messages if message.id == old.id).text


async def test_the_history_is_paged(stage, ann):
    await stage.world.accounts.credit(42, 1_000_000, key="more", reason=None)
    for number in range(12):
        await stage.world.place(42, key=f"k{number}")
    await stage.world.settle()
    await ann.say("/orders")
    await ann.tap("History")
    history = await ann.wait_for("Tap one")
    assert sum("WhatsApp" in label for label in labels(history)) == 10
    await ann.tap("Next ›", history)
    last = await ann.wait_for(lambda message: "‹ Previous" in labels(message))
    assert sum("WhatsApp" in label for label in labels(last)) == 2


async def test_the_balance_tells_the_last_moves(stage, ann):
    await buy(ann)
    await ann.say("/balance")
    balance = await ann.wait_for("Available")
    assert "Available: Rp\N{NO-BREAK SPACE}82,000" in balance.text
    assert "Reserved for open orders: Rp\N{NO-BREAK SPACE}18,000" in balance.text
    assert "− Rp\N{NO-BREAK SPACE}18,000 · reserved for order 1" in balance.text
    assert await stage.world.balance(wallet(42)) == 82_000


async def test_shelves_are_paged_and_lead_back(stage, ann):
    await ann.say("/start")
    await ann.tap("Countries")
    await ann.tap("Next ›")
    await ann.tap("‹ Previous")
    await ann.tap("🇮🇩")
    assert "Which service" in (await ann.wait_for("Indonesia")).text
    await ann.tap("‹ Countries")
    await ann.tap("‹ Menu")
    await ann.tap("All services")
    await ann.tap("Google")
    await ann.tap("Next ›")
    assert len([message for message in ann.messages if message.from_bot]) == 1

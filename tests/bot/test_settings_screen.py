"""`/settings`: linking a phone in the chat, and what it gets."""

import re

import pytest

from bot.buttons import Buttons
from bot.reachability import TelegramWatch
from bot.updates import Polling
from sandbox.telegram import Button, Refusal
from sandbox.telegram.formatting import Formatted
from tests.bot.stage import KEY, OPERATOR, labels, refusing
from tests.builders import SMS_PRICE

pytestmark = pytest.mark.anyio

PHONE, OTHER = "+61400000001", "+61400000002"


def sms(stage, phone: str = PHONE):
    return stage.world.outside.phones.at(phone)


def otp(stage, phone: str = PHONE) -> str:
    found = re.match(r"\d{6}", sms(stage, phone)[-1])
    assert found
    return found[0]


@pytest.fixture
async def asked(ann):
    """Ann has been asked which phone is hers."""
    await ann.say("/settings")
    await ann.tap("Link my phone")
    return await ann.wait_for("Which phone?")


async def link(stage, person, phone: str = PHONE):
    await person.say("/settings")
    await person.tap("Link my phone")
    await person.wait_for("Which phone?")
    said = await person.say(phone)
    await person.wait_for("A code is on its way", after=said)
    await stage.settle()
    said = await person.say(otp(stage, phone))
    return await person.wait_for("is your phone now", after=said)


async def test_a_number_is_shared_and_proven(stage, ann, asked):
    await ann.tap("Share my number")
    await ann.wait_for("A code is on its way to +61 ••• 0001")
    await stage.settle()
    assert not ann.chat.reply_keyboard
    assert "links this phone to Numlet" in sms(stage)[0]
    said = await ann.say(otp(stage))
    screen = await ann.wait_for("✅ +61 ••• 0001 is your phone now", after=said)
    chat = ["🌐 Language", "Currency", "Stop news", "Delete codes…", "✅ Messages about rewards: on"]
    offered = ["Codes by SMS: off", "News by SMS: off", "Another phone", "Unlink", "Price alerts"]
    assert labels(screen) == [*chat, *offered, "Erase my data", "‹ Menu"]
    assert "500 per SMS" in screen.text
    assert SMS_PRICE == 500


async def test_somebody_elses_contact_is_not_taken(stage, ann, asked):
    contact = {"phone_number": OTHER, "first_name": "Ben", "user_id": 43}
    ann._send(Formatted(""), attachment={"contact": contact})
    await ann.wait_for("That is somebody else's contact")
    ann._send(Formatted(""), attachment={"contact": {"phone_number": OTHER, "first_name": "Ben"}})
    await stage.settle()
    assert not stage.world.outside.phones.texts
    await ann.share_contact()
    await ann.wait_for("A code is on its way")


async def test_a_contact_without_the_plus_is_understood(stage, ann, asked):
    await ann.share_contact("61400000001")
    await ann.wait_for("A code is on its way to +61 ••• 0001")


async def test_what_is_no_number_is_asked_again(stage, ann, asked):
    await ann.say("0400 000 001")
    await ann.wait_for("That is no phone number")
    await ann.say("+62 812-3456-7890")
    await ann.wait_for("I cannot text phones of that country")
    await ann.say(PHONE)
    await ann.wait_for("A code is on its way")


async def test_wrong_codes_are_counted_and_then_spoil_it(stage, ann, asked):
    said = await ann.say(PHONE)
    await ann.wait_for("A code is on its way", after=said)
    for left in ("4 tries", "3 tries", "2 tries", "1 try"):
        said = await ann.say("nope")
        await ann.wait_for(f"You have {left} left", after=said)
    said = await ann.say("nope")
    await ann.wait_for("This code is not valid any more", after=said)
    assert await stage.world.phones.find(ann.id) is None


async def test_asking_again_at_once_is_put_off(stage, ann, asked):
    await ann.say(PHONE)
    await ann.wait_for("A code is on its way")
    said = await ann.say("/settings")
    await ann.tap("Link my phone", await ann.wait_for("Link your phone", after=said))
    await ann.say(OTHER)
    await ann.wait_for("Please wait a minute")
    assert not sms(stage, OTHER)


async def test_the_questions_survive_a_restart(stage, ann, asked):
    await stage.settle()
    await stage.restart()
    await ann.say(PHONE)
    await ann.wait_for("A code is on its way")
    await stage.settle()
    await stage.restart()
    await ann.say(otp(stage))
    await ann.wait_for("is your phone now")


async def test_leaving_puts_the_keyboard_away(stage, ann, asked):
    assert ann.chat.reply_keyboard
    await ann.say("/cancel")
    await ann.wait_for("All right, we stop here.")
    assert not ann.chat.reply_keyboard


async def test_a_code_is_forwarded_and_named_in_the_balance(stage, ann):
    await link(stage, ann)
    await ann.tap("Codes by SMS")
    await ann.wait_for(lambda message: "✅ Codes by SMS: on" in labels(message))
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("Buy")
    await stage.settle()
    order = next(iter(stage.world.vendor.orders.values()))
    await stage.world.vendor.receive_sms(order.id, "Your code is 482913")
    await stage.world.settle()
    await ann.wait_for("482913")
    assert sms(stage)[-1].endswith(": 482913")
    await ann.say("/balance")
    await ann.wait_for("code by SMS")


async def test_without_money_it_cannot_be_switched_on(stage):
    poor = await stage.renter(43, money=0, name="Ben")
    await link(stage, poor)
    answer = await poor.tap("Codes by SMS")
    assert "Your balance is too low: you need Rp" in answer.text


async def test_unlinking_forgets_the_phone(stage, ann):
    await link(stage, ann)
    await ann.tap("Unlink")
    await ann.wait_for("Link your phone, and texts can go there")
    assert await stage.world.phones.find(ann.id) is None


async def test_stop_is_told_in_the_chat(stage, ann):
    await link(stage, ann)
    await ann.tap("News by SMS")
    await ann.wait_for(lambda message: "✅ News by SMS: on" in labels(message))
    stage.world.outside.cellcast.unsubscribed.add(PHONE)
    olga = stage.person(OPERATOR, "Olga", started=True)
    await broadcast(olga)
    await ann.wait_for("Your phone has asked for no more SMS")


async def test_alarms_are_offered_to_operators_alone(stage, ann, olga):
    await stage.world.accounts.meet(olga.id, name="Olga", username=None, language_code="en")
    await stage.world.accounts.accept_terms(olga.id)
    assert "Alarms by SMS: off" in labels(await link(stage, olga))
    assert "Alarms by SMS: off" not in labels(await link(stage, ann, OTHER))


@pytest.mark.parametrize("action", ["settings", "wish", "phoneunlink", "phonelink"])
async def test_another_persons_button_does_nothing(stage, ann, action):
    await ann.say("/start")
    menu = await ann.wait_for("Rent a number")
    tap = Buttons(KEY).pack(ann.id + 1, action, "takes_news", 1)
    assert (await ann.use(menu, Button("Tap me", callback_data=tap))).text == "This button is not yours."


async def broadcast(olga, text: str = "Big sale"):
    await olga.say("/broadcast")
    await olga.wait_for("Send me the message")
    await olga.say(text)
    await olga.wait_for("it would be")
    await olga.tap("Also by SMS")
    draft = await olga.wait_for("By SMS: yes")
    await olga.tap("Send")
    return draft


async def test_a_broadcast_goes_by_sms_to_those_who_want_it(stage, ann, olga):
    ben = await stage.renter(43, name="Ben")
    await link(stage, ben, OTHER)
    await link(stage, ann)
    await ann.tap("News by SMS")
    await ann.wait_for(lambda message: "✅ News by SMS: on" in labels(message))
    draft = await broadcast(olga, "Big sale " * 20)
    assert "1 phone × 2 SMS = 2 SMS" in draft.text
    await stage.world.pass_time(seconds=5)
    await stage.world.pass_time(seconds=5)
    panel = await olga.wait_for("✅ done")
    assert "By SMS: 1 of 1 sent" in panel.text
    assert sms(stage)[-1].startswith("Big sale")
    assert len(sms(stage, OTHER)) == 1


async def test_a_message_without_words_is_not_offered_by_sms(stage, ann, olga):
    await olga.say("/broadcast")
    await olga.wait_for("Send me the message")
    await olga.send_photo(b"\x89PNG\r\n\x1a\n")
    assert "Also by SMS" not in labels(await olga.wait_for("not sent yet"))


async def test_telegram_out_of_reach_for_two_minutes_is_texted(stage, olga):
    world = stage.world
    await world.accounts.meet(olga.id, name="Olga", username=None, language_code="en")
    await world.accounts.accept_terms(olga.id)
    await link(stage, olga)
    await olga.tap("Alarms by SMS")
    await olga.wait_for(lambda message: "✅ Alarms by SMS: on" in labels(message))
    polling = Polling(stage.application.bot, world.inbox)
    watch = TelegramWatch(stage.application.bot, polling, world.alarms, polls=False)
    polling.note("Telegram cannot be reached")
    for minutes in (1, 1, 1, 5):
        await watch.look()
        await world.pass_time(minutes=minutes)
    polling.note(None)
    await watch.look()
    await world.settle()
    assert [text.partition(" since")[0].partition(". ")[0] for text in sms(stage)[1:]] == [
        "Numlet: Telegram has been out of reach",
        "Numlet: Telegram can be reached again",
    ]


async def choose_erasure(person, words):
    await person.say("/settings")
    await person.tap("Delete codes…")
    await person.tap(words)
    return await person.wait_for(lambda message: any(label == f"✓ {words}" for label in labels(message)))


async def code_for(stage, person, code="482913"):
    """An order of theirs, its card and the message with its code."""
    await person.say("/buy whatsapp indonesia")
    await person.tap("Buy for")
    await stage.world.settle()
    vendor = stage.world.vendor
    await vendor.receive_sms(max(vendor.orders), f"Your code is {code}")
    await stage.world.settle()
    return await person.wait_for(lambda message: message.text.startswith(code))


async def test_a_code_is_deleted_from_the_chat_after_a_while_and_can_still_be_copied(stage, ann):
    assert "47 hours are the most" in (await choose_erasure(ann, "Deleted after 10 minutes")).text
    shown = await code_for(stage, ann)
    await stage.world.pass_time(minutes=9)
    assert shown.id in ann.chat.messages
    await stage.world.pass_time(minutes=2)
    assert shown.id not in ann.chat.messages
    assert not [message for message in ann.messages if "482913" in message.text]
    card = await ann.wait_for("Its code was deleted from this chat")
    await ann.tap("Finish", card)
    card = await ann.wait_for("Finished")
    assert (await ann.tap("Copy code", card)).copied == "482913"


async def test_the_promise_to_delete_outlives_a_restart_and_a_bad_day_of_telegram(stage, ann):
    await choose_erasure(ann, "Deleted after 47 hours")
    shown = await code_for(stage, ann)
    await stage.restart()
    heal = refusing(stage, "deletemessage", Refusal(502, "Bad Gateway"))
    await stage.world.pass_time(hours=47)
    assert shown.id in ann.chat.messages
    heal()
    await stage.world.pass_time(minutes=5)
    assert shown.id not in ann.chat.messages


async def test_what_they_deleted_themselves_takes_the_code_off_the_card_all_the_same(stage, ann):
    await choose_erasure(ann, "Deleted after 10 minutes")
    shown = await code_for(stage, ann)
    ann.chat.remove(shown.id)
    await stage.world.pass_time(minutes=11)
    await ann.wait_for("Its code was deleted from this chat")


async def test_without_the_wish_codes_stay(stage, ann):
    shown = await code_for(stage, ann)
    await stage.world.pass_time(hours=48)
    assert shown.id in ann.chat.messages


async def test_whoever_wants_no_news_gets_no_broadcast(stage, ann):
    await stage.renter(43)
    broadcasts = stage.shop.broadcasts
    before = await broadcasts.count("all")
    await ann.say("/settings")
    await ann.tap("Stop news")
    assert "Get news" in labels(await ann.wait_for("News here in the chat: off"))
    assert await broadcasts.count("all") == before - 1


async def test_data_can_be_erased_from_the_settings(stage, ann):
    await ann.say("/settings")
    await ann.tap("Erase my data")
    await ann.wait_for("An operator then erases your name")

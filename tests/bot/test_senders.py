"""`/senders`: what operators see of the senders of SMS, test and choose."""

import pytest
from sqlmodel import select

from bot.buttons import Buttons
from db.models import TextMessage
from sandbox.telegram import Button
from tests.bot.stage import KEY, labels

pytestmark = pytest.mark.anyio

PHONE = "+61400000001"


def trouble(stage):
    return stage.world.outside.cellcast.trouble


def phone(stage):
    return stage.world.outside.phones.at(PHONE)


@pytest.fixture
async def asked(olga):
    """Olga has been asked which phone shall be texted."""
    await olga.say("/senders")
    await olga.tap("Test cellcast")
    return await olga.wait_for("Which phone shall cellcast text?")


async def test_a_sender_is_shown_with_what_it_reaches_and_what_was_used(stage, olga):
    stage.world.outside.cellcast.usage = {"wordpress": (17, 91)}
    await olga.say("/senders")
    answer = await olga.wait_for("Senders of SMS")
    assert "cellcast 🟢 working" in answer.text
    assert "Texts to: 🇦🇺 Australia" in answer.text
    assert "Texts come from: its own number" in answer.text
    assert "Used for wordpress: 17 SMS, credits: 9.1" in answer.text
    assert labels(answer) == ["Test cellcast", "Sender ID", "Sender by country", "Refresh", "‹ Operator"]


async def test_a_sender_that_does_not_work_is_shown_as_such(stage, olga):
    trouble(stage).always = "401"
    await olga.say("/senders")
    answer = await olga.wait_for("🔴 does not work now")
    assert "Last trouble: cellcast GET /api/v1/user/token/verify: HTTP 401" in answer.text


async def test_the_command_does_not_exist_for_others(ann):
    await ann.say("/senders")
    await ann.wait_for("I don't know this command")


ACTIONS = [
    "senders",
    "texttest",
    "textroute",
    "textserve",
    "senderids",
    "sidnumber",
    "sidverify",
    "sidname",
    "siduse",
    "newsletters",
]


@pytest.mark.parametrize("action", ACTIONS)
async def test_the_buttons_do_not_work_for_others(ann, action):
    await ann.say("/start")
    menu = await ann.wait_for("Rent a number")
    tap = Buttons(KEY).pack(ann.id, action, "cellcast", PHONE)
    answer = await ann.use(menu, Button("Tap me", callback_data=tap))
    assert answer.text == "This button is not yours."


@pytest.mark.parametrize("number", [PHONE, "0400000001", "61400000001", "400000001", "+61 400 000 001"])
async def test_a_test_lands_on_the_phone_and_its_outcome_is_told(stage, olga, asked, number):
    await olga.say(number)
    await olga.wait_for("cellcast is asked to text +61 ••• 0001")
    await olga.wait_for("cellcast has taken your test to +61 ••• 0001")
    assert len(phone(stage)) == 1


@pytest.mark.parametrize("number", ["hello", "12", "+62 812-3456-7890"])
async def test_what_it_cannot_text_is_asked_again(stage, olga, asked, number):
    await olga.say(number)
    await olga.wait_for("That is no phone number that it can text.")
    await olga.say(PHONE)
    await olga.wait_for("has taken your test")


async def test_the_question_survives_a_restart(stage, olga, asked):
    await stage.settle()
    await stage.restart()
    await olga.say(PHONE)
    await olga.wait_for("has taken your test")


async def test_a_repeated_update_texts_once(stage, olga, asked):
    await olga.say(PHONE)
    await olga.wait_for("has taken your test")
    said = next(message for message in olga.messages if message.text == PHONE)
    await olga.say("/senders")
    await olga.tap("Test cellcast", await olga.wait_for("Senders of SMS", after=said))
    await stage.settle()
    async with stage.world.database.read() as session:
        [text] = list(await session.exec(select(TextMessage)))
    update_id = int(text.idempotency_key.removeprefix("test:"))
    await stage.handle({"update_id": update_id, "message": said.wire()})
    assert len(phone(stage)) == 1


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("lost_answer", "nobody knows whether +61 ••• 0001 was texted"),
        ("timeout", "nobody knows whether"),
        ("401", "cellcast refuses our key"),
    ],
)
async def test_trouble_is_told_in_words(stage, olga, asked, kind, says):
    trouble(stage).fail_next(kind, path="/gateway")
    await olga.say(PHONE)
    await olga.wait_for(says)


async def test_an_empty_account_is_told_in_words(stage, olga, asked):
    trouble(stage).out_of_credit = True
    await olga.say(PHONE)
    await olga.wait_for("Not sent: our credit at cellcast is too low")


async def test_somebody_who_has_opted_out_is_told(stage, olga, asked):
    stage.world.outside.cellcast.unsubscribed.add(PHONE)
    await olga.say(PHONE)
    await olga.wait_for("it has opted out at cellcast")


async def test_the_sender_of_a_country_is_chosen(stage, olga):
    await olga.say("/senders")
    await olga.tap("Sender by country")
    await olga.wait_for("For which country?")
    await olga.say("qwzx")
    await olga.wait_for("I know no such country.")
    await olga.say("australia")
    await olga.wait_for("Texted by cellcast.")
    await olga.tap("✓ cellcast")
    await olga.wait_for("Texted by cellcast, as you have chosen.")
    assert await stage.world.switchboard.choices() == {"AU": "cellcast"}
    await olga.tap("‹ Senders")
    assert "🇦🇺 Australia – cellcast" in (await olga.wait_for("Chosen by you")).text


async def test_a_choice_is_taken_back(stage, olga):
    await stage.world.switchboard.choose("AU", "cellcast", by=1)
    await olga.say("/senders")
    await olga.tap("Sender by country")
    await olga.say("AU")
    await olga.tap("By default", await olga.wait_for("as you have chosen"))
    await olga.wait_for("Texted by cellcast.")
    assert await stage.world.switchboard.choices() == {}


async def test_a_country_that_nobody_reaches_is_told(olga):
    await olga.say("/senders")
    await olga.tap("Sender by country")
    await olga.say("indonesia")
    await olga.wait_for("No connected sender reaches it.")


async def test_the_panel_leads_to_the_senders(olga):
    await olga.say("/admin")
    await olga.tap("Senders")
    await olga.wait_for("Senders of SMS")

"""A broadcast from the operator's first word to the renters' chats."""

from datetime import UTC, datetime

import pytest

from bot.buttons import Buttons
from bot.handlers.broadcast import read_time
from db import phones
from sandbox.telegram import Button
from tests.bot.stage import KEY, labels

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
async def ben(stage):
    return await stage.renter(43, name="Ben")


async def draft(olga, text: str = "Hello everybody"):
    await olga.say("/broadcast")
    await olga.wait_for("Send me the message")
    return await olga.say(text)


async def test_a_message_reaches_everybody_and_the_panel_counts(stage, ann, ben, olga):
    await draft(olga)
    await olga.wait_for(lambda message: message.text == "Hello everybody" and message.from_bot)
    await olga.tap("Send")
    panel = await olga.wait_for("✅ done")
    for person in (ann, ben):
        await person.wait_for("Hello everybody")
    assert "100%" in panel.text
    assert "Sent: 3" in panel.text


async def test_quiet_hours_are_typed_shown_and_kept(stage, ann, olga):
    await draft(olga)
    await olga.tap("Quiet hours")
    await olga.wait_for("In which hours should nobody be sent to?")
    await olga.say("at night")
    await olga.wait_for("I cannot read that as a span of hours.")
    await olga.say("16-20 Asia/Jakarta")
    screen = await olga.wait_for("16:00-20:00 Asia/Jakarta")
    await olga.tap("Send", screen)
    panel = await olga.wait_for("🕓 waiting")
    assert "Begins" in panel.text
    assert "13:00 UTC" in panel.text
    assert not ann.messages
    await stage.world.pass_time(hours=3)
    await ann.wait_for("Hello everybody")


async def test_quiet_hours_can_be_taken_back(stage, ann, olga):
    await draft(olga)
    await olga.tap("Quiet hours")
    await olga.wait_for("In which hours")
    await olga.say("9-12")
    await olga.wait_for("09:00-12:00 UTC")
    await olga.tap("No quiet hours")
    await olga.tap("Send")
    await ann.wait_for("Hello everybody")


async def test_whoever_blocked_the_bot_is_counted_and_not_banned(stage, ann, ben, olga):
    stage.telegram.person(43).block()
    await stage.settle()
    await stage.world.accounts.meet(43, name="Ben", username=None, language_code="en")
    await draft(olga)
    await olga.tap("Send")
    panel = await olga.wait_for("✅ done")
    assert "Have blocked the bot: 1" in panel.text
    await olga.tap("Who did not get it")
    await stage.settle()
    assert olga.messages[-1].attachment["document"]["file_name"] == "broadcast-1.csv"
    assert not (await stage.world.accounts.get(43)).banned_at


async def test_who_got_no_sms_is_in_the_list_with_the_reason(stage, ann, olga):
    world = stage.world
    async with world.database.write() as session:
        await phones.link(session, ann.id, "+61400000001", now=world.clock.now())
        await phones.change(session, ann.id, takes_news=True)
    world.outside.cellcast.trouble.out_of_credit = True
    await draft(olga)
    await olga.tap("Also by SMS")
    await olga.tap("Send")
    await stage.settle()
    for _ in range(2):  # the chats have their turn, then the phones
        await world.pass_time(seconds=4)
    panel = await olga.wait_for("SMS failed: 1")
    assert "Who did not get it (CSV)" in labels(panel)
    await olga.tap("Who did not get it")
    await stage.settle()
    file_id = olga.messages[-1].attachment["document"]["file_id"]
    words = "Your balance is too low for this request, please recharge."
    rows = stage.telegram.account.files[file_id].content.decode().splitlines()
    assert rows[0] == "user_id,by,status,error,reason"
    assert f'{ann.id},sms,failed,no_credit,"{words}"' in rows


async def test_an_album_is_one_broadcast(stage, ann, olga):
    await olga.say("/broadcast")
    await olga.wait_for("Send me the message")
    picture = b"\x89PNG\r\n\x1a\n"
    for caption in ("one", "", ""):
        await olga.send_photo(picture, caption, album="a1")
    await olga.wait_for("Album of 3")
    assert "Add a button" not in labels(await olga.wait_for("Album of 3"))
    await olga.tap("Send")
    await olga.wait_for("✅ done")
    assert [bool(message.attachment.get("photo")) for message in ann.messages[-3:]] == [True] * 3


async def test_a_button_with_a_link(stage, ann, olga):
    await draft(olga)
    await olga.tap("Add a button")
    await olga.wait_for("What should the button say")
    await olga.say("nonsense")
    await olga.wait_for("That is no text with an address")
    await olga.say("Our news | t.me/example")
    await olga.wait_for("1 button")
    await olga.tap("Send")
    message = await ann.wait_for("Hello everybody")
    [[button]] = message.buttons
    assert (button.text, button.url) == ("Our news", "https://t.me/example")


async def test_scheduled_it_waits_for_its_time(stage, ann, olga):
    await draft(olga)
    await olga.tap("Schedule")
    await olga.wait_for("When?")
    await olga.say("yesterday")
    await olga.wait_for("I cannot read that")
    now = stage.world.clock.now()
    await olga.say(f"{(now.hour + 2) % 24:02}:{now.minute:02}")
    await olga.wait_for("Begins")
    assert not any("Hello everybody" in message.text for message in ann.messages)
    await stage.world.pass_time(hours=2)
    await ann.wait_for("Hello everybody")


async def test_an_audience_is_chosen_with_its_count(stage, ann, ben, olga):
    await draft(olga)
    await olga.tap("Never bought")
    await olga.wait_for("To: Never bought · 4 people")
    await olga.tap("Buyers")
    await olga.wait_for("To: Buyers · 0 people")
    await olga.tap("Discard")
    await olga.wait_for("Nothing was sent")


async def test_recall_deletes_it_everywhere(stage, ann, olga):
    await draft(olga)
    await olga.tap("Send")
    await olga.wait_for("✅ done")
    assert any("Hello everybody" in message.text for message in ann.messages)
    await olga.tap("Recall")
    await olga.tap("Delete it everywhere")
    await olga.wait_for("Deleted again: 2")
    assert not any("Hello everybody" in message.text for message in ann.messages)


@pytest.mark.parametrize("action", [("bcnew",), ("bclink", 1), ("bctime", 1), ("bc", "send", 1)])
async def test_nobody_else_can_begin_one(stage, ann, action):
    await ann.say("/broadcast")
    menu = await ann.wait_for("I don't know this command")
    stolen = Button("Tap me", callback_data=Buttons(KEY).pack(ann.id, *action))
    assert (await ann.use(menu, stolen)).text == "This button is not yours."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13:00", datetime(2026, 11, 21, 13, 0, tzinfo=UTC)),
        ("11:00", datetime(2026, 11, 22, 11, 0, tzinfo=UTC)),
        ("09:30 Asia/Jakarta", datetime(2026, 11, 22, 2, 30, tzinfo=UTC)),
        ("20:00 +7", datetime(2026, 11, 21, 13, 0, tzinfo=UTC)),
        ("2026-12-01 18:00 UTC+5:30", datetime(2026, 12, 1, 12, 30, tzinfo=UTC)),
        ("2026-11-20 18:00", None),
        ("25:00", None),
        ("2026-02-30 10:00", None),
        ("10:00 Nowhere/Land", None),
        ("soon", None),
    ],
)
def test_times_as_people_type_them(text, expected):
    assert read_time(text, NOW) == expected

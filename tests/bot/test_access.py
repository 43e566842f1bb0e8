"""Who may do what: other people's buttons, forged ones, operators' commands, groups."""

import pytest

from bot.buttons import Buttons
from db import users
from sandbox.telegram import Button
from tests.bot.stage import KEY, labels

pytestmark = pytest.mark.anyio

HACKER = 666


def forged(data):
    return Button("Tap me", callback_data=data)


@pytest.fixture
async def menu(stage, ann):
    await ann.say("/start")
    return await ann.wait_for("Balance")


async def test_a_button_of_another_version_is_out_of_date(stage, ann, menu):
    before = menu.text
    answer = await ann.use(menu, forged("0:home:AAAAAAAAAAA"))
    assert answer.show_alert
    assert "out of date" in answer.text
    assert menu.text == before


async def test_a_tampered_button_does_nothing(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    confirm = await ann.wait_for("In stock")
    buy = next(button for row in confirm.buttons for button in row if button.text.startswith("Buy"))
    cheaper = buy.callback_data.replace(":dw0:", ":1:")
    assert cheaper != buy.callback_data
    answer = await ann.use(confirm, forged(cheaper))
    assert answer.text == "This button is not yours."
    assert stage.world.vendor.orders == {}


async def test_a_button_of_somebody_else_does_nothing(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    confirm = await ann.wait_for("In stock")
    buy = next(button for row in confirm.buttons for button in row if button.text.startswith("Buy"))
    eve = await stage.renter(HACKER, money=100_000, name="Eve")
    await eve.say("/start")
    answer = await eve.use(await eve.wait_for("Balance"), buy)
    assert answer.show_alert
    assert answer.text == "This button is not yours."
    assert stage.world.vendor.orders == {}


async def test_an_action_that_this_version_does_not_know_is_out_of_date(ann, menu):
    unknown = Buttons(KEY).pack(ann.id, "teleport", 1)
    assert "out of date" in (await ann.use(menu, forged(unknown))).text


async def test_somebody_elses_order_does_not_exist(stage, ann, menu):
    await stage.world.rent()
    for action in ("open", "number", "cancel", "finish", "resend"):
        tap = Buttons(KEY).pack(ann.id, action, 1)
        assert (await ann.use(menu, forged(tap))).text == "There is no such order."
    tap = Buttons(KEY).pack(ann.id, "purchase", 1, 0)
    assert (await ann.use(menu, forged(tap))).text == "There is no such order."


@pytest.mark.parametrize(
    "command",
    [
        "/admin",
        "/credit 42 100000",
        "/debit 42 1",
        "/user 42",
        "/users",
        "/order 1",
        "/suppliers",
        "/vouchers",
        "/vouchers 50000 10 30d",
        "/warp",
    ],
)
async def test_operators_commands_do_not_exist_for_others(stage, ann, command):
    await ann.say(command)
    answer = await ann.wait_for("I don't know this command")
    assert labels(answer) == []
    assert (await stage.world.accounts.wallet(42)).available == 100_000


@pytest.mark.parametrize("action", ["panel", "suppliers", "people", "vouchers", "newvoucher", "create"])
async def test_operators_buttons_do_not_work_for_others(ann, menu, action):
    tap = Buttons(KEY).pack(ann.id, action)
    assert (await ann.use(menu, forged(tap))).text == "This button is not yours."


async def test_a_banned_renter_is_told_and_nothing_else(stage, ann):
    async with stage.world.database.write() as session:
        await users.set_ban(session, 42, banned_at=stage.world.clock.now(), reason="spam")
    await ann.say("/buy whatsapp indonesia")
    await ann.wait_for("You cannot use this bot any more")
    assert len([message for message in ann.messages if message.from_bot]) == 1


async def test_nothing_is_shown_before_the_terms_are_accepted(stage):
    ben = stage.person(78, "Ben")
    for words in ("/buy", "/orders", "/balance", "whatsapp", "/start"):
        await ben.say(words)
        assert "Accept" in labels(await ben.wait_for("Before you start", after=ben.messages[-1]))


async def test_the_small_print_can_be_read_before(stage):
    ben = stage.person(78, "Ben")
    await ben.say("/privacy")
    await ben.wait_for("erased after 30 days")
    await ben.say("/terms")
    await ben.wait_for("Before you start")
    await ben.say("/help")
    await ben.wait_for("How it works")


async def test_a_corrected_message_does_nothing_again(stage, olga):
    said = await olga.say("/credit 42 1000")
    await olga.wait_for("Credited")
    await olga.edit(said, "/credit 42 2000")
    await stage.settle()
    assert (await stage.world.accounts.wallet(42)).available == 1000


def in_a_group(person, update_id, text, *entities):
    message = {
        "message_id": update_id,
        "date": 1,
        "chat": {"id": -100, "type": "group", "title": "Friends"},
        "from": person.chat.user,
        "text": text,
        "entities": entities,
    }
    return {"update_id": update_id, "message": message}


async def test_in_a_group_the_bot_says_where_it_works(stage, ann):
    await stage.handle(in_a_group(ann, 1, "/start", {"type": "bot_command", "offset": 0, "length": 6}))
    call = stage.telegram.calls[-1]
    assert (call.method, call.params["chat_id"]) == ("sendMessage", "-100")
    assert "private" in call.params["text"]


async def test_in_a_group_the_bot_does_not_listen_in(stage, ann):
    calls = len(stage.telegram.calls)
    await stage.handle(in_a_group(ann, 1, "whatsapp indonesia, anyone?"))
    assert len(stage.telegram.calls) == calls


async def test_a_block_is_remembered_and_forgotten_on_return(stage, ann, menu):
    ann.block()
    await stage.settle()
    assert (await stage.world.accounts.get(42)).blocked_at
    ann.unblock()
    await stage.settle()
    assert (await stage.world.accounts.get(42)).blocked_at is None


async def test_photos_are_answered_kindly(ann):
    await ann.send_photo(b"\x89PNG\r\n\x1a\n")
    await ann.wait_for("I can only read text")

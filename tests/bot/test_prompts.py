"""What takes typing step by step, across restarts."""

import pytest

from db import conversations
from tests.bot.stage import labels

pytestmark = pytest.mark.anyio


async def stored(stage):
    async with stage.world.database.read() as session:
        rows = [
            *await conversations.of_name(session, "prompt"),
            *await conversations.of_name(session, "user_data"),
        ]
    return [(row.name, row.key, row.state, row.context) for row in rows]


@pytest.fixture
async def asked(stage, ann):
    """Ann has been asked how many numbers she wants."""
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("…")
    return await ann.wait_for("How many numbers?")


async def test_another_quantity_is_typed(stage, ann, asked):
    await ann.say("4")
    assert "Buy 4 for Rp\N{NO-BREAK SPACE}72,000" in labels(await ann.wait_for("Together"))
    await stage.settle()
    assert await stored(stage) == []


@pytest.mark.parametrize("nonsense", ["0", "many", "-1", "2.5", "101", "9" * 30, "1000000"])
async def test_what_is_no_quantity_is_asked_again(ann, asked, nonsense):
    await ann.say(nonsense)
    await ann.wait_for("Please write a whole number from 1 to")
    await ann.say("2")
    await ann.wait_for("Together")


async def test_the_question_survives_a_restart(stage, ann, asked):
    await stage.settle()
    service_id = stage.world.service("whatsapp")
    assert await stored(stage) == [
        ("prompt", "[42]", "quantity", {}),
        ("user_data", "42", "", {"service": service_id, "country": "ID"}),
    ]
    await stage.restart()
    await ann.say("4")
    await ann.wait_for("Together")
    await stage.settle()
    await stage.restart()
    await ann.say("4")
    await ann.wait_for("I found nothing")


async def test_cancel_leaves_the_question(stage, ann, asked):
    await ann.say("/cancel")
    await ann.wait_for("All right, we stop here")
    await stage.settle()
    assert await stored(stage) == []
    await ann.say("/cancel")
    await ann.wait_for("nothing to leave")


async def test_back_leaves_the_question(stage, ann, asked):
    await ann.tap("‹ Back")
    await ann.wait_for("In stock")
    await stage.settle()
    assert await stored(stage) == []


async def test_another_command_leaves_the_question(stage, ann, asked):
    await ann.say("/balance")
    await ann.wait_for("Available")
    await stage.settle()
    assert await stored(stage) == []


async def test_the_search_prompt_takes_what_is_typed(stage, ann):
    await ann.say("/start")
    await ann.tap("🔎 Search")
    await ann.wait_for("What do you need?")
    await stage.settle()
    await stage.restart()
    await ann.say("whatsapp indonesia")
    await ann.wait_for("In stock")
    await stage.settle()
    assert await stored(stage) == []


async def test_nobody_is_in_two_conversations(stage, ann, asked):
    await ann.say("/start")
    menu = await ann.wait_for("Rent a number")
    await ann.tap("…", await _confirm(ann))
    await ann.tap("🔎 Search", menu)
    await stage.settle()
    assert [(name, state) for name, _, state, _ in await stored(stage) if name == "prompt"] == [
        ("prompt", "search")
    ]
    await ann.say("4")
    await ann.wait_for("I found nothing for “4”")


async def _confirm(ann):
    await ann.say("/buy whatsapp indonesia")
    return await ann.wait_for("In stock")


async def test_two_people_are_asked_at_once(stage, ann, asked):
    ben = await stage.renter(78, money=0, name="Ben")
    await ben.say("/buy instagram indonesia")
    await ben.tap("…")
    await ann.say("2")
    assert "WhatsApp" in (await ann.wait_for("Together")).text
    await ben.say("3")
    assert "Instagram" in (await ben.wait_for("Together")).text


async def test_visitors_leave_nothing_in_memory(stage, ann):
    await ann.say("/start")
    await stage.settle()
    assert dict(stage.application.user_data) == {}

"""When handlers fail: sentences for people, another try for the update, nothing swallowed."""

import pytest
from sqlalchemy.exc import OperationalError
from telegram import Update

from bot.errors import process
from services.lanes import Lane

pytestmark = pytest.mark.anyio


def said(stage, person, text, update_id=1):
    message = {
        "message_id": 1000 + update_id,
        "date": 1,
        "chat": person.chat.wire(),
        "from": person.chat.user,
        "text": text,
        "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}],
    }
    update = Update.de_json({"update_id": update_id, "message": message}, stage.application.bot)
    assert update
    return update


async def broken(*args, **kwargs):
    raise OperationalError("SELECT", {}, Exception("disk I/O error"))


async def buggy(*args, **kwargs):
    raise ZeroDivisionError


async def test_a_dead_database_has_the_update_tried_again(stage, ann, monkeypatch):
    monkeypatch.setattr(stage.shop.accounts, "wallet", broken)
    with pytest.raises(OperationalError):
        await process(stage.application, said(stage, ann, "/balance"))
    assert ann.messages == []
    monkeypatch.undo()
    await process(stage.application, said(stage, ann, "/balance"))
    await ann.wait_for("Available")


async def test_a_conversation_that_cannot_be_written_down_has_the_update_tried_again(stage, ann, monkeypatch):
    await ann.say("/start")
    menu = await ann.wait_for("Rent a number")
    await stage.settle()
    tap = {
        "id": "1",
        "from": ann.chat.user,
        "chat_instance": "1",
        "message": menu.wire(),
        "data": stage.shop.buttons.pack(42, "search"),
    }
    update = Update.de_json({"update_id": 2, "callback_query": tap}, stage.application.bot)
    assert update
    persistence = stage.application.persistence
    monkeypatch.setattr(persistence, "_database", Unwritable())
    with pytest.raises(OperationalError):
        await process(stage.application, update)
    monkeypatch.undo()
    await process(stage.application, update)
    await stage.restart()
    await ann.say("whatsapp indonesia")
    await ann.wait_for("In stock")


class Unwritable:
    def write(self, *_):
        raise OperationalError("INSERT", {}, Exception("database is locked"))


async def test_a_bug_is_apologized_for_and_not_tried_again(stage, ann, monkeypatch):
    monkeypatch.setattr(stage.shop.accounts, "wallet", buggy)
    await process(stage.application, said(stage, ann, "/balance"))
    await ann.wait_for("Something went wrong on our side")


async def test_a_bug_behind_a_button_is_apologized_for_in_an_alert(stage, ann, monkeypatch):
    await ann.say("/start")
    await ann.wait_for("Rent a number")
    monkeypatch.setattr(stage.shop.accounts, "wallet", buggy)
    answer = await ann.tap("Balance")
    assert answer.show_alert
    assert "Nothing was charged twice" in answer.text


async def test_somebody_who_blocks_the_bot_meanwhile_is_marked(stage, ann):
    update = said(stage, ann, "/balance")
    ann.chat.standing = "blocked"
    await process(stage.application, update)
    assert (await stage.world.accounts.get(42)).blocked_at


async def test_answers_go_in_the_lane_of_replies(stage, ann):
    await ann.say("/balance")
    await ann.wait_for("Available")
    assert ("sendMessage", Lane.REPLY) in stage.limiter.passed

"""A question to support, and kill -9 after each commit of it: those who answer have it all the same."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from db import outbox
from db.session import Database
from sandbox.telegram import Person
from services.support import CARRY
from tests.crash.stage import Stage, stage, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

GROUP = -1001
FIRST = 5000
MOST_COMMITS = 30
"""A question takes fewer."""


async def is_carried(database: Database, number: int) -> bool:
    async with database.read() as session:
        promise = await outbox.find(session, f"{CARRY}:{number}")
    return promise is not None and promise.done_at is not None


async def is_over(on: Stage, database: Database, number: int) -> bool:
    return not on.bot.alive or await is_carried(database, number)


async def newcomer(on: Stage, number: int) -> Person:
    """Somebody who has no topic yet, one message before the question."""
    renter = on.telegram.person(FIRST + number, f"Renter {number}")
    await renter.say("/start")
    await renter.tap("Accept")
    await renter.say("/support")
    await renter.wait_for("A person reads it")
    return renter


async def ask_until_one_survives(on: Stage, database: Database) -> list[str]:
    """One question after another; the bot dies after the first commit of the first, and so on."""
    asked = list[str]()
    for number in range(1, MOST_COMMITS):
        await on.start_bot(die_after=number)
        if asked:
            await until(partial(is_carried, database, number - 1))
        else:
            await on.operator.say("/start")
        renter = await newcomer(on, number)
        on.fuse.touch()
        asked.append(f"Where is code {number}?")
        await renter.say(asked[-1])
        await until(partial(is_over, on, database, number))
        if on.bot.alive:
            return asked
    pytest.fail("no question was carried without a crash")


@pytest.mark.parametrize("place", ["group", "private chat"])
async def test_killed_after_any_commit_of_a_question(tmp_path: Path, place: str):
    settings = {"SUPPORT_CHAT_ID": str(GROUP)} if place == "group" else {}
    url = f"sqlite:///{tmp_path / 'numlet.db'}"
    database = Database(url)
    try:
        async with stage(tmp_path, url, changed=settings) as on:
            forum = on.telegram.forum(GROUP, "Support", on.operator)
            asked = await ask_until_one_survives(on, database)
            in_topics = [message for topic in forum.topics for message in forum.of_topic(topic)]
            seen = in_topics if place == "group" else on.operator.messages
            copies = Counter(message.text for message in seen if message.text in asked)
    finally:
        await database.aclose()
    assert len(asked) > 3, "a question has more commits than that: was the fuse lit?"
    assert set(copies) == set(asked)
    # Telegram has no key by which it would know a copy again whose mark was cut off.
    assert max(copies.values()) <= 2

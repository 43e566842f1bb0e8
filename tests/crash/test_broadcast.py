"""A broadcast whose process is killed in the middle goes on where it stopped, and nobody gets it twice."""

from collections import Counter

import pytest

from db import users
from db.session import Database
from sandbox.telegram import Person
from services.broadcasts import Broadcasts
from services.clock import SystemClock
from services.outbox import Outbox
from tests.crash.stage import Stage, stage, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

RENTERS, BLOCKED = range(5000, 5120), range(5000, 5010)
TEXT = "Half price today"


async def crowd(on: Stage, database: Database) -> list[Person]:
    """People who know the bot; some have blocked it since, and we do not know that yet."""
    now = SystemClock().now()
    async with database.write() as session:
        for id in RENTERS:
            await users.meet(session, id, name="", username=None, language_code="en", now=now)
    people = [on.telegram.person(id, f"Renter {id}", started=True) for id in RENTERS]
    for person in people:
        if person.id in BLOCKED:
            person.chat.standing = "blocked"
    return people


def received(people: list[Person]) -> Counter[int]:
    return Counter(person.id for person in people for message in person.messages if message.text == TEXT)


async def test_killed_in_the_middle_nobody_gets_it_twice(tmp_path, database_url):
    database = Database(database_url)
    try:
        async with stage(tmp_path, database_url) as on:
            await on.start_bot()
            await on.bot.until_ready()
            people = await crowd(on, database)
            await on.operator.say("/broadcast")
            await on.operator.wait_for("Send me the message")
            await on.operator.say(TEXT)
            await on.operator.tap("Send")
            await until(lambda: len(received(people)) >= 40)
            await on.bot.kill()
            await on.start_bot()
            await on.operator.wait_for("✅ done", timeout=60)
            broadcasts = Broadcasts(database, SystemClock(), Outbox(database, SystemClock()))
            [done] = await broadcasts.newest()
            got = received(people)
    finally:
        await database.aclose()
    assert set(got.values()) == {1}
    assert not set(got) & set(BLOCKED)
    assert done.blocked == len(BLOCKED)
    # The operator got it too, as everybody does who has written to the bot.
    assert done.sent + done.unknown + done.blocked == len(RENTERS) + 1
    assert done.sent - 1 <= len(got) <= done.sent - 1 + done.unknown
    assert done.unknown <= 10

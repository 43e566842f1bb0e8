"""Conversations with renters: in the operators' group, and in their private chats."""

from collections.abc import AsyncIterator

import pytest

from db.session import Database
from sandbox.telegram import Button, Forum, Person
from services.roles import Role
from services.support import AT_MOST, AT_MOST_OF_BANNED, PACE
from tests.bot.stage import OPERATOR, Stage, labels
from tests.builders import world_on

pytestmark = pytest.mark.anyio

GROUP = -1001
MIA = 7
PNG = b"\x89PNG\r\n\x1a\n--"


@pytest.fixture
async def grouped(sqlite_url: str) -> AsyncIterator[Stage]:
    """A stage whose operators sit in a group."""
    database = Database(sqlite_url)
    try:
        async with world_on(database, support_chat_id=GROUP) as world, Stage(world).open() as stage:
            yield stage
    finally:
        await database.aclose()


@pytest.fixture
def forum(grouped: Stage) -> Forum:
    owner = grouped.person(OPERATOR, "Olga", started=True)
    return grouped.telegram.forum(GROUP, "Support", owner, grouped.person(8, "Guest", started=True))


@pytest.fixture
async def rina(grouped: Stage) -> Person:
    return await grouped.renter(42, money=100_000, name="Rina")


def in_topic(forum: Forum) -> list[str]:
    """What stands in the newest topic."""
    return [message.text for message in forum.of_topic(max(forum.topics))]


async def write(stage: Stage, person: Person, *texts: str) -> None:
    await person.say("/support")
    for text in texts:
        await person.say(text)
    await stage.settle()


async def test_what_a_renter_writes_comes_into_a_topic_of_their_own(grouped, forum, rina):
    await rina.say("/support")
    assert "A person reads it" in (await rina.wait_for("Support")).text
    await rina.say("First")
    await rina.wait_for("Sent.")
    await rina.send_photo(PNG, "Look")
    await rina.send_voice(b"ogg")
    await grouped.settle()
    [topic] = forum.topics.values()
    assert topic.name == "Rina · 42"
    _opening, facts, first, photo, voice = forum.of_topic(topic.id)
    assert facts.pinned
    assert "Rp\u00a0100,000" in facts.text
    assert (first.text, photo.text) == ("First", "Look")
    assert "voice" in voice.attachment


async def test_an_answer_in_the_topic_comes_back_with_a_way_to_answer_it(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    olga, topic = grouped.person(OPERATOR), max(forum.topics)
    question = next(message for message in forum.of_topic(topic) if message.text == "Hello?")
    await olga.say_in(forum, topic, "Hi Rina", reply_to=question)
    answer = await rina.wait_for("Hi Rina")
    assert labels(answer) == ["Answer"]
    assert answer.reply_to
    assert answer.reply_to.text == "Hello?"
    await rina.say("/start")
    await rina.tap("Answer", answer)
    await rina.say("Thanks")
    await grouped.settle()
    assert in_topic(forum)[-1] == "Thanks"
    assert answer.text == "Hi Rina"


async def test_a_reply_to_an_answer_is_carried_without_more_ado(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    topic = max(forum.topics)
    sent = await grouped.person(OPERATOR).say_in(forum, topic, "Hi Rina")
    answer = await rina.wait_for("Hi Rina")
    await rina.say("/start")
    await rina.say("It is me", reply_to=answer)
    await grouped.settle()
    [copy] = [message for message in forum.of_topic(topic) if message.text == "It is me"]
    assert copy.reply_to is sent


async def test_the_same_update_twice_is_carried_once(grouped, forum, rina):
    await rina.say("/support")
    said = await rina.say("Once")
    await grouped.settle()
    for _ in range(2):
        await grouped.handle({"update_id": 5, "message": said.wire()})
    assert in_topic(forum).count("Once") == 1


async def test_whoever_may_not_answer_is_told_so_and_nothing_is_carried(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    seen = len(rina.messages)
    await grouped.person(8).say_in(forum, max(forum.topics), "I am nobody")
    await grouped.settle()
    assert "only operators answer" in in_topic(forum)[-1]
    assert len(rina.messages) == seen


async def test_somebody_of_the_support_team_may_answer(grouped, forum, rina):
    mia = await grouped.renter(MIA, name="Mia")
    await grouped.world.team.appoint(MIA, Role.SUPPORT, by=OPERATOR)
    mia.join(forum)
    await write(grouped, rina, "Hello?")
    await mia.say_in(forum, max(forum.topics), "Hi from Mia")
    await rina.wait_for("Hi from Mia")
    [act] = await grouped.shop.trail.newest(person_id=42, limit=1)
    assert (act.what, act.operator_id) == ("answer", MIA)


async def test_nothing_else_of_the_bot_reacts_in_the_group(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    before = len(forum.messages)
    olga = grouped.person(OPERATOR)
    await olga.say_in(forum, None, "/start")
    await olga.say_in(forum, max(forum.topics), "/start")
    await olga.say_in(forum, None, "whatsapp indonesia")
    await grouped.settle()
    assert len(forum.messages) == before + 3
    assert not olga.messages


async def test_a_topic_that_was_deleted_is_made_anew(grouped, forum, rina):
    await write(grouped, rina, "Before")
    forum.remove_topic(max(forum.topics))
    await rina.say("After")
    await grouped.settle()
    assert len(forum.topics) == 1
    assert in_topic(forum)[-1] == "After"


async def test_close_closes_the_topic_and_the_next_message_opens_it(grouped, forum, rina):
    await write(grouped, rina, "Before")
    await grouped.person(OPERATOR).say_in(forum, max(forum.topics), "/close")
    await grouped.settle()
    [topic] = forum.topics.values()
    assert topic.is_closed
    await rina.say("After")
    await grouped.settle()
    assert not topic.is_closed
    grouped.person(OPERATOR).close_topic(forum, topic.id)
    await rina.say("And after that")
    await grouped.settle()
    assert not topic.is_closed
    assert in_topic(forum)[-1] == "And after that"


async def test_the_facts_are_drawn_anew_on_demand(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    facts = next(message for message in forum.of_topic(max(forum.topics)) if message.pinned)
    await grouped.world.accounts.credit(42, 1_000, key="more", reason=None)
    await grouped.person(OPERATOR).tap("Refresh", facts)
    assert "Rp\u00a0101,000" in facts.text
    refused = await grouped.person(8).tap("Refresh", facts)
    assert refused.text == "This button is not yours."


async def test_links_of_the_group_lead_to_the_card_in_the_private_chat(grouped, forum, rina):
    olga = grouped.person(OPERATOR)
    await olga.say("/start user_42")
    await olga.wait_for("Terms accepted")
    await rina.say("/start user_42")
    await rina.wait_for("Pick a service")


async def test_an_answer_to_who_blocked_the_bot_says_so(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    rina.block()
    await grouped.person(OPERATOR).say_in(forum, max(forum.topics), "Hi")
    await grouped.settle()
    assert in_topic(forum)[-1] == "Not delivered: they have blocked the bot."


async def test_what_telegram_does_not_copy_is_told_to_its_author(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    await rina.share_contact()
    await rina.wait_for("cannot be passed on")


@pytest.mark.parametrize("trouble", ["no topics", "no right", "kicked", "moved"])
async def test_a_group_that_takes_nothing_costs_no_message(grouped, forum, rina, trouble):
    match trouble:
        case "no topics":
            forum.is_forum = False
        case "no right":
            forum.bot_rights.clear()
        case "kicked":
            forum.bot_is_member = False
        case _:
            forum.moved_to = -1002
    olga = grouped.person(OPERATOR)
    await write(grouped, rina, "Hello?")
    question = await olga.wait_for("Hello?")
    await olga.wait_for("SUPPORT_CHAT_ID: the group takes nothing")
    await olga.say("Hi Rina", reply_to=question)
    await rina.wait_for("Hi Rina")


async def test_operators_without_a_group_answer_by_replying(stage, ann, olga):
    mia = await stage.renter(MIA, name="Mia")
    await stage.world.team.appoint(MIA, Role.SUPPORT, by=OPERATOR)
    ben = await stage.renter(43, name="Ben")
    await write(stage, ann, "I am Ann", "and write twice")
    await write(stage, ben, "I am Ben")
    headers = [message.text for message in olga.messages if message.text.startswith("✉️")]
    assert len(headers) == 2
    question = await olga.wait_for("I am Ann")
    await olga.say("Hi Ann", reply_to=question)
    await ann.wait_for("Hi Ann")
    await mia.wait_for("↩️ Olga answered Ann")
    await mia.wait_for("Hi Ann")
    assert "Hi Ann" not in [message.text for message in ben.messages]
    by_header = next(message for message in mia.messages if "43" in message.text)
    await mia.say("Hi Ben", reply_to=by_header)
    await ben.wait_for("Hi Ben")


async def test_an_operators_reply_to_anything_else_is_not_carried(stage, ann, olga):
    await olga.say("/start")
    terms = await olga.wait_for("Before you start")
    await olga.say("whatsapp indonesia", reply_to=terms)
    await olga.wait_for("Before you start", after=terms)
    assert not ann.messages


async def test_too_much_at_once_is_refused_in_words(stage, ann, olga):
    await ann.say("/support")
    for number in range(AT_MOST + 1):
        await ann.say(f"Message {number}")
    await ann.wait_for("That was a lot at once")
    await stage.settle()
    assert f"Message {AT_MOST}" not in [message.text for message in olga.messages]
    stage.world.clock.advance(PACE)
    await ann.say("Later")
    await olga.wait_for("Later")


async def test_the_banned_may_write_but_less_and_nothing_else(stage, ann, olga):
    await stage.world.people.ban(42, by=OPERATOR, reason="spam")
    await ann.say("whatsapp")
    await ann.wait_for("You cannot use this bot any more")
    await ann.say("/support")
    for number in range(AT_MOST_OF_BANNED + 1):
        await ann.say(f"Please {number}")
    await ann.wait_for("That was a lot at once")
    question = await olga.wait_for("Please 0")
    await olga.say("No", reply_to=question)
    answer = await ann.wait_for("No")
    await ann.say("/cancel")
    said = await ann.say("whatsapp", reply_to=ann.messages[0])
    await ann.wait_for("You cannot use this bot", after=said)
    assert labels(answer) == ["Answer"]


async def test_support_is_a_tap_away(stage, ann):
    await ann.say("/start")
    await ann.tap("More…")
    await ann.tap("Support")
    await ann.wait_for("A person reads it")
    await ann.say("/help")
    await ann.tap("Support")
    await ann.say("/paysupport")
    assert "Support" in labels(await ann.wait_for("Help with a payment"))


async def test_whoever_is_forgotten_is_forgotten_in_the_group(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    await grouped.world.people.erase(42, by=OPERATOR, forced=True)
    await grouped.world.settle()
    assert not forum.topics
    assert await grouped.shop.support.topic_of(42) is None


async def test_a_button_of_the_group_is_worth_nothing_elsewhere(grouped, forum, rina):
    await write(grouped, rina, "Hello?")
    facts = next(message for message in forum.of_topic(max(forum.topics)) if message.pinned)
    [stolen] = [button for row in facts.buttons for button in row if button.callback_data]
    await rina.say("/start")
    menu = await rina.wait_for("Balance")
    answer = await rina.use(menu, Button("Refresh", callback_data=stolen.callback_data))
    assert answer.text == "This button is not yours."

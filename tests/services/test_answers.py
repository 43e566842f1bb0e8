"""What people answer to texts: STOP ends them, for this owner and the next, until START."""

from collections.abc import AsyncIterator

import pytest

from db import phones
from db.session import Database
from services.errors import PhoneStopped
from services.phones import Wish
from services.texting import NEWS, Draft
from tests.builders import RENTER, World, world_on

pytestmark = pytest.mark.anyio

PHONE, OTHER = "+6281234567890", "+6281234567891"
COUNTER, DRAWER = 260, 1297
"""The phones that texts come from: one in Germany, one in the United States."""


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_on(database, with_phones=True) as world:
        yield world


async def link(world: World, user_id: int = RENTER, phone: str = PHONE) -> None:
    """A phone that gets everything."""
    async with world.database.write() as session:
        await phones.link(session, user_id, phone, now=world.clock.now())
        await phones.change(session, user_id, **dict.fromkeys(Wish, True))


async def answer(world: World, body: str, phone: str = PHONE, *, device_id: int = COUNTER) -> None:
    world.outside.smsgateway24.receive(device_id, phone, body)
    await read(world)


async def read(world: World) -> None:
    await world.answers.read()
    await world.settle()


async def wishes(world: World, user_id: int = RENTER) -> set[bool]:
    phone = await world.phones.find(user_id)
    assert phone
    return {phone.forwards_codes, phone.takes_news, phone.takes_alarms}


async def text(
    world: World, phone: str = PHONE, *, purpose: str = NEWS, key: str = "1"
) -> tuple[str, str | None]:
    """The state of one that was promised just now."""
    async with world.database.write() as session:
        draft = Draft(f"{purpose}:{key}", phone, RENTER)
        [id] = await world.texting.add(session, "Big sale", [draft], purpose=purpose)
    await world.settle()
    found = await world.texting.get(id)
    return found.status, found.failure


def told(world: World) -> list[str]:
    return [notice["name"] for notice in world.sent.of("notice")]


WORDS = ["STOP", "stop", " Stop. ", "STOPALL", "Stop all", "Unsubscribe", "CANCEL", "end", "QUIT!"]


@pytest.mark.parametrize("word", WORDS)
async def test_a_word_that_means_stop_ends_all_texts_and_is_told(world, word):
    await link(world)
    await answer(world, word)
    assert await wishes(world) == {False}
    assert told(world) == ["phone_stopped"]
    assert await text(world) == ("failed", "unsubscribed")
    assert not world.outside.phones.texts


@pytest.mark.parametrize("words", ["Don't stop!", "stop that", "in the end", "Thanks", "", "123456"])
async def test_other_words_change_nothing(world, words):
    await link(world)
    await answer(world, words)
    assert await wishes(world) == {True}
    assert told(world) == []


async def test_whoever_links_a_stopped_phone_later_is_not_texted_there(world):
    await answer(world, "STOP")
    with pytest.raises(PhoneStopped):
        await world.phones.ask(RENTER, PHONE, key="1", words="{} is your code".format)
    await link(world)
    with pytest.raises(PhoneStopped):
        await world.phones.wish(RENTER, Wish.NEWS, on=True)
    assert await text(world, purpose="check") == ("failed", "unsubscribed")


async def test_start_lets_a_phone_be_texted_again_and_switches_nothing_on(world):
    await link(world)
    await answer(world, "STOP")
    await answer(world, "Start")
    assert told(world) == ["phone_stopped", "phone_resumed"]
    assert await wishes(world) == {False}
    await world.phones.wish(RENTER, Wish.NEWS, on=True)
    assert await text(world) == ("accepted", None)


async def test_an_answer_is_heeded_once_and_also_after_a_restart(world, database):
    await link(world)
    await answer(world, "STOP")
    async with database.write() as session:
        await phones.resume(session, PHONE)
    again = World(database, world.outside, with_phones=True)
    await again.answers.read()
    assert await wishes(world) == {False}
    assert await text(world) == ("accepted", None)
    await again.aclose()


async def test_what_came_while_nobody_looked_is_heeded(world):
    await link(world)
    await read(world)
    await world.pass_time(days=3)
    world.outside.smsgateway24.receive(COUNTER, PHONE, "STOP")
    await world.pass_time(days=3)
    await read(world)
    assert await wishes(world) == {False}


async def test_two_that_stop_at_once_are_both_told(world):
    await world.renter(1002, money=0)
    await link(world)
    await link(world, 1002, OTHER)
    world.outside.smsgateway24.receive(COUNTER, OTHER, "STOP")
    await answer(world, "STOP")
    assert {notice["user_id"] for notice in world.sent.of("notice")} == {RENTER, 1002}


@pytest.mark.parametrize(
    ("written", "device_id", "phone"),
    [("015752982213", COUNTER, "+4915752982213"), ("(650) 253-0000", DRAWER, "+16502530000")],
)
async def test_a_number_without_its_country_is_at_home_with_our_phone(world, written, device_id, phone):
    await link(world, phone=phone)
    await answer(world, "STOP", written, device_id=device_id)
    assert await wishes(world) == {False}


async def test_the_name_of_a_company_is_nobodys_answer(world):
    await answer(world, "STOP", "MyBank")
    await answer(world, "STOP")
    await link(world)
    assert await text(world) == ("failed", "unsubscribed")


async def test_while_the_gateway_does_not_answer_nothing_is_missed(world):
    await link(world)
    world.outside.smsgateway24.trouble.always = "503"
    await answer(world, "STOP")
    assert await wishes(world) == {True}
    world.outside.smsgateway24.trouble.always = None
    await world.pass_time(minutes=1)
    await read(world)
    assert await wishes(world) == {False}


async def test_news_that_waits_for_a_sender_is_kept_back(world):
    await link(world)
    world.outside.smsgateway24.trouble.fail_next("503", path="addsms")
    async with world.database.write() as session:
        draft = Draft("news:waits", PHONE, RENTER)
        [id] = await world.texting.add(session, "Big sale", [draft], purpose=NEWS)
    await world.settle()
    await answer(world, "STOP")
    found = await world.texting.get(id)
    assert (found.status, found.failure) == ("failed", "withdrawn")

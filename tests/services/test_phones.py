"""Linking a phone: whoever proves it has it, and nobody is texted more than a little."""

import re

import pytest

from db.models import LinkedPhone
from services.errors import AskedTooOften, CodeSpent, CodeWrong, PhoneOutOfReach
from services.phones import CODES_A_DAY, MOST_TRIES, Wish
from tests.builders import RENTER, World

pytestmark = pytest.mark.anyio

PHONE, OTHER = "+61400000001", "+61400000002"
OTHER_RENTER = 1002
WRONG = "no"


async def ask(world: World, user_id: int = RENTER, phone: str = PHONE, *, key: str = "1") -> None:
    await world.phones.ask(user_id, phone, key=key, words="{} is your code".format)
    await world.settle()


def code(world: World, phone: str = PHONE) -> str:
    """The one that was texted last."""
    found = re.match(r"(\d{6}) is your code", world.outside.phones.at(phone)[-1])
    assert found
    return found[1]


async def link(world: World, user_id: int = RENTER, phone: str = PHONE, *, key: str = "1") -> LinkedPhone:
    await ask(world, user_id, phone, key=key)
    linked = await world.phones.prove(user_id, code(world, phone))
    await world.settle()
    return linked


async def numbers(world: World, *user_ids: int) -> list[str | None]:
    found = [await world.phones.find(user_id) for user_id in user_ids]
    return [phone.phone_number if phone else None for phone in found]


async def test_a_phone_is_linked_by_the_code_that_was_texted_to_it(world: World):
    await ask(world)
    assert await numbers(world, RENTER) == [None]
    phone = await world.phones.prove(RENTER, code(world))
    assert phone.phone_number == PHONE
    assert (phone.forwards_codes, phone.takes_news, phone.takes_alarms) == (False, False, False)


async def test_a_repeated_question_texts_once(world: World):
    await ask(world)
    await ask(world)
    assert len(world.outside.phones.texts) == 1


async def test_the_right_code_twice_changes_nothing(world: World):
    await link(world)
    await world.phones.wish(RENTER, Wish.NEWS, on=True)
    assert (await world.phones.prove(RENTER, code(world))).takes_news


async def test_the_code_of_an_unlinked_phone_does_not_link_it_again(world: World):
    await link(world)
    await world.phones.unlink(RENTER)
    with pytest.raises(CodeSpent):
        await world.phones.prove(RENTER, code(world))
    assert await numbers(world, RENTER) == [None]


async def test_too_many_wrong_codes_spoil_the_right_one(world: World):
    await ask(world)
    for left in range(MOST_TRIES - 1, 0, -1):
        with pytest.raises(CodeWrong) as caught:
            await world.phones.prove(RENTER, WRONG)
        assert caught.value.tries_left == left
    for attempt in (WRONG, code(world)):
        with pytest.raises(CodeSpent):
            await world.phones.prove(RENTER, attempt)
    assert await numbers(world, RENTER) == [None]


async def test_a_code_expires(world: World):
    await ask(world)
    await world.pass_time(minutes=10)
    with pytest.raises(CodeSpent):
        await world.phones.prove(RENTER, code(world))


async def test_an_older_code_is_worth_nothing_after_a_new_one(world: World):
    await ask(world)
    old = code(world)
    await world.pass_time(minutes=1)
    await ask(world, phone=OTHER, key="2")
    with pytest.raises(CodeWrong):
        await world.phones.prove(RENTER, old if old != code(world, OTHER) else WRONG)


async def test_codes_for_one_renter_are_a_minute_apart_and_few_a_day(world: World):
    for number in range(CODES_A_DAY):
        await ask(world, phone=f"+6140000001{number}", key=str(number))
        with pytest.raises(AskedTooOften):
            await ask(world, phone=OTHER, key="at once")
        await world.pass_time(minutes=1)
    with pytest.raises(AskedTooOften):
        await ask(world, key="one more")
    await world.pass_time(hours=24)
    await ask(world, key="tomorrow")
    assert len(world.outside.phones.texts) == CODES_A_DAY + 1


async def test_one_phone_gets_few_codes_a_day_whoever_asks(world: World):
    for number in range(CODES_A_DAY):
        await world.renter(2000 + number, money=0)
        await ask(world, 2000 + number, key=str(number))
    with pytest.raises(AskedTooOften):
        await ask(world, key="mine")
    assert len(world.outside.phones.at(PHONE)) == CODES_A_DAY


async def test_a_phone_that_no_sender_reaches_is_refused(world: World):
    with pytest.raises(PhoneOutOfReach):
        await ask(world, phone="+6281234567890")


async def test_who_proves_a_phone_takes_it_over(world: World):
    await link(world)
    await world.renter(OTHER_RENTER, money=0)
    await world.pass_time(minutes=1)
    await link(world, OTHER_RENTER, key="2")
    assert await numbers(world, RENTER, OTHER_RENTER) == [None, PHONE]
    [told] = world.sent.of("notice")
    assert told == {"user_id": RENTER, "name": "phone_taken"}


async def test_another_phone_replaces_the_first_and_begins_anew(world: World):
    await link(world)
    await world.phones.wish(RENTER, Wish.NEWS, on=True)
    await world.pass_time(minutes=1)
    phone = await link(world, phone=OTHER, key="2")
    assert (phone.phone_number, phone.takes_news) == (OTHER, False)


async def test_a_code_that_cannot_be_texted_is_told(world: World):
    world.outside.cellcast.unsubscribed.add(PHONE)
    await ask(world)
    assert [notice["name"] for notice in world.sent.of("notice")] == ["check_failed"]

"""Registering numbers and names that texts may come from, step by step, and every way it can fail."""

import pytest

from services.sender_ids import Standing
from tests.bot.stage import labels

pytestmark = pytest.mark.anyio

OURS, THEIRS = "+61400000001", "+61400000002"
ADD, VERIFY = "/customNumber/add", "/customNumber/verifyCustomNumber"


def vendor(stage):
    return stage.world.outside.cellcast


def otp(stage):
    return stage.world.outside.phones.at(OURS)[-1][:6]


async def known(stage):
    return {own.sender_id: own.standing for own in await stage.world.sender_ids.of_sender("cellcast")}


@pytest.fixture
async def book(olga):
    await olga.say("/senders")
    await olga.tap("Sender ID")
    return await olga.wait_for("Sender IDs at cellcast")


@pytest.fixture
async def named(olga, book):
    """Olga has been asked which number."""
    await olga.tap("Add a number", book)
    await olga.wait_for("What shall the number be called?")
    await olga.say("Desk")
    return await olga.wait_for("Which number?")


@pytest.fixture
async def added(olga, named):
    """Olga has been asked for the code."""
    await olga.say("0400000001")
    return await olga.wait_for("has been sent a code")


async def test_a_number_is_named_added_verified_and_used(stage, olga, added):
    assert await known(stage) == {OURS: Standing.UNVERIFIED}
    await olga.say(otp(stage))
    await olga.wait_for(f"{OURS} is yours")
    assert await known(stage) == {OURS: Standing.VERIFIED}
    await olga.tap(f"Use {OURS}")
    await olga.wait_for(f"Texts come from: {OURS}")
    await olga.tap("‹ Senders")
    await olga.tap("Test cellcast")
    await olga.say(THEIRS)
    await olga.wait_for("has taken your test")
    assert stage.world.outside.phones.texts[-1].sender == OURS


async def test_a_number_without_an_otp_can_be_used_at_once(stage, olga, named):
    vendor(stage).requires_otp = False
    await olga.say(OURS)
    await olga.wait_for(f"{OURS} is yours")
    assert await known(stage) == {OURS: Standing.VERIFIED}


async def test_the_vendors_own_number_comes_back(stage, olga):
    await stage.world.switchboard.use_sender_id("cellcast", OURS, by=1)
    await olga.say("/senders")
    await olga.tap("Sender ID")
    await olga.tap("Use its own number")
    await olga.wait_for("Texts come from: its own number")


async def test_a_wrong_code_is_asked_for_again(stage, olga, added):
    await olga.say("000000")
    await olga.wait_for("That is not the code. Please look again.")
    await olga.say(otp(stage))
    await olga.wait_for("is yours")


async def test_every_step_survives_a_restart(stage, olga, added):
    await stage.settle()
    await stage.restart()
    await olga.say(otp(stage))
    await olga.wait_for("is yours")


async def test_a_code_can_be_told_later(stage, olga, added):
    await olga.say("/cancel")
    await olga.wait_for("All right, we stop here")
    await olga.say("/senders")
    await olga.tap("Sender ID")
    await olga.tap(f"Verify {OURS}")
    await olga.say(otp(stage))
    await olga.wait_for("is yours")


async def test_what_is_no_number_of_theirs_is_asked_again(olga, named):
    await olga.say("+62 812-3456-7890")
    await olga.wait_for("That is no number that this sender takes.")
    await olga.say("nonsense")
    await olga.wait_for("That is no number that this sender takes.", after=olga.messages[-1])
    await olga.say(OURS)
    await olga.wait_for("has been sent a code")


async def test_a_number_that_exists_may_still_be_verified(stage, olga, named):
    vendor(stage).add_number("Desk", "400000001")
    await olga.say(OURS)
    await olga.wait_for("This number is registered there already.")
    await olga.say(otp(stage))
    await olga.wait_for("is yours")


async def test_a_lost_answer_does_not_lose_the_code(stage, olga, named):
    vendor(stage).trouble.fail_next("lost_answer", path=ADD)
    await olga.say(OURS)
    await olga.wait_for("It may have done it all the same.")
    await olga.say(otp(stage))
    await olga.wait_for("is yours")


async def test_a_verification_without_an_answer_may_be_repeated(stage, olga, added):
    vendor(stage).trouble.fail_next("timeout", path=VERIFY)
    code = otp(stage)
    await olga.say(code)
    await olga.wait_for("The sender gave no clear answer.")
    await olga.say(code)
    await olga.wait_for("is yours")


@pytest.mark.parametrize(
    ("kind", "says"),
    [("401", "The sender refuses our key."), ("503", "The sender cannot be reached just now.")],
)
async def test_trouble_ends_it_with_a_way_back(stage, olga, named, kind, says):
    vendor(stage).trouble.fail_next(kind, path=ADD)
    await olga.say(OURS)
    told = await olga.wait_for(says)
    assert labels(told) == ["‹ Sender IDs"]
    await olga.tap("‹ Sender IDs", told)
    await olga.wait_for("Sender IDs at cellcast")


async def test_a_name_is_requested(stage, olga, book):
    await olga.tap("Request a name", book)
    await olga.wait_for("Which name?")
    for wrong in ("Pi", "Pizza Business"):
        await olga.say(wrong)
        await olga.wait_for("That cannot be a sender's name.", after=olga.messages[-1])
    await olga.say("Pizza")
    await olga.wait_for("cellcast was asked for Pizza")
    assert vendor(stage).names == {"Pizza": "REQUESTED"}
    assert await known(stage) == {"Pizza": Standing.REQUESTED}


async def test_a_name_that_is_not_approved_yet_is_told_by_its_first_text(stage, olga, book):
    await stage.world.sender_ids.request_name("cellcast", "Pizza", by=1)
    await olga.tap("‹ Senders", book)
    await olga.tap("Sender ID")
    await olga.tap("Use Pizza")
    await olga.tap("‹ Senders")
    await olga.tap("Test cellcast")
    await olga.say(THEIRS)
    await olga.wait_for("Is the sender ID approved?")
    vendor(stage).approve("Pizza")
    await olga.tap("‹ Senders")
    await olga.tap("Test cellcast")
    await olga.say(THEIRS)
    await olga.wait_for("has taken your test")

"""Texts through a sender that can be asked are followed until their end is known, however they were sent."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from db.session import Database
from sandbox.smsgateway24 import SmsGateway24, Status
from sandbox.smsgateway24.messages import TITLES
from services.texting import Draft
from tests.builders import RENTER, World, world_on

pytestmark = pytest.mark.anyio

PHONE, OTHER = "+6281234567890", "+4915752982212"
BODY = "Your code is 482-913"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_on(database, with_phones=True) as world:
        yield world


@pytest.fixture
def vendor(world: World) -> SmsGateway24:
    return world.outside.smsgateway24


async def send(world: World, *numbers: str) -> list[int]:
    drafts = [Draft(f"code:{number}", number, RENTER) for number in numbers]
    async with world.database.write() as session:
        ids = await world.texting.add(session, BODY, drafts, purpose="code")
    await world.settle()
    return ids


async def look(world: World, times: int = 1) -> None:
    """Let the phones work, and ask."""
    for _ in range(times):
        world.clock.advance(timedelta(minutes=1))
        await world.text_tracking.follow()


async def states(world: World, ids: list[int]) -> list[tuple[str, bool, bool]]:
    """The status of each, whether its ref is known, and whether it is asked about again."""
    found = [await world.texting.get(text_id) for text_id in ids]
    return [(text.status, text.sender_ref is not None, text.check_at is not None) for text in found]


async def test_one_text_is_followed_to_its_phone(world):
    ids = await send(world, PHONE)
    assert await states(world, ids) == [("accepted", True, True)]
    await look(world)
    assert await states(world, ids) == [("delivered", True, False)]
    assert world.outside.phones.at(PHONE) == [BODY]


async def test_many_whose_refs_were_not_told_are_followed_as_well(world):
    ids = await send(world, PHONE, OTHER)
    assert await states(world, ids) == [("accepted", False, True)] * 2
    await look(world, times=2)
    assert await states(world, ids) == [("delivered", True, False)] * 2


@pytest.mark.parametrize("kind", ["lost_answer", "half_json"])
@pytest.mark.parametrize("numbers", [[PHONE], [PHONE, OTHER]])
async def test_what_was_sent_without_an_answer_is_found_and_not_sent_again(world, vendor, kind, numbers):
    vendor.trouble.fail_next(kind, path="addsms")
    vendor.trouble.fail_next(kind, path="addalotofsms")
    ids = await send(world, *numbers)
    assert await states(world, ids) == [("unknown", False, True)] * len(numbers)
    await look(world, times=2)
    assert await states(world, ids) == [("delivered", True, False)] * len(numbers)
    assert len(world.outside.phones.texts) == len(numbers)


async def test_what_never_arrived_stays_unknown_and_is_not_sent_again(world, vendor):
    vendor.trouble.fail_next("timeout", path="addsms")
    ids = await send(world, PHONE)
    await look(world, times=10)
    assert await states(world, ids) == [("unknown", False, True)]
    assert not world.outside.phones.texts


async def test_a_text_waits_for_a_phone_that_is_off_without_being_sent_twice(world, vendor):
    vendor.trouble.phones_off = True
    ids = await send(world, PHONE)
    await look(world, times=30)
    assert await states(world, ids) == [("accepted", True, True)]
    vendor.trouble.phones_off = False
    await look(world, times=90)
    assert await states(world, ids) == [("delivered", True, False)]
    assert world.outside.phones.at(PHONE) == [BODY]


@pytest.mark.parametrize("failure", [8, 9, 10, 11, 12, 100, 101])
async def test_a_text_that_its_phone_could_not_send_has_failed(world, vendor, failure):
    vendor.devices[260].failure = failure
    ids = await send(world, PHONE)
    await look(world)
    assert await states(world, ids) == [("failed", True, False)]
    assert (await world.texting.get(ids[0])).reason == TITLES[Status(failure)]


async def test_a_token_that_runs_out_delays_nothing(world, vendor):
    await send(world, PHONE)
    vendor.access.expire_token()
    ids = await send(world, OTHER)
    await look(world)
    assert await states(world, ids) == [("delivered", True, False)]

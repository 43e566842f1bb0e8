"""News that goes out as a newsletter of the sender's, where the operator has chosen that."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from db import acts
from db.session import Database
from sandbox.smsgateway24 import SmsGateway24
from services.texting import NEWS, Draft
from tests.builders import RENTER, World, world_on

pytestmark = pytest.mark.anyio

NUMBERS = ("+6281234567890", "+6281234567891", "+4915752982212")
BODY = "Big sale"
OPERATOR = 1


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    database = Database(sqlite_url)
    async with world_on(database, with_phones=True) as world:
        await world.switchboard.use_newsletters("smsgateway24", on=True, by=OPERATOR)
        yield world
    await database.aclose()


@pytest.fixture
def vendor(world: World) -> SmsGateway24:
    return world.outside.smsgateway24


async def send(world: World, *, purpose: str = NEWS) -> list[int]:
    drafts = [Draft(f"{purpose}:{number}", number, RENTER) for number in NUMBERS]
    async with world.database.write() as session:
        ids = await world.texting.add(session, BODY, drafts, purpose=purpose)
    await world.settle()
    return ids


async def look(world: World, times: int = 2) -> None:
    """Let the phones work, and ask."""
    for _ in range(times):
        world.clock.advance(timedelta(minutes=1))
        await world.text_tracking.follow()


async def statuses(world: World, ids: list[int]) -> set[str]:
    return {(await world.texting.get(text_id)).status for text_id in ids}


def texted(world: World) -> list[str]:
    return sorted(sms.to for sms in world.outside.phones.texts)


def letters(vendor: SmsGateway24) -> set[str | None]:
    """The titles under which messages went out."""
    sent = vendor.messages.values()
    return {message.newsletter.title if message.newsletter else None for message in sent}


async def test_news_is_one_newsletter_and_followed_to_every_phone(world, vendor):
    ids = await send(world)
    assert letters(vendor) == {f"Broadcast None #{ids[0]}-{ids[-1]}"}
    await look(world)
    assert await statuses(world, ids) == {"delivered"}
    assert texted(world) == sorted(NUMBERS)


async def test_what_is_no_news_never_is_a_newsletter(world, vendor):
    await send(world, purpose="code")
    assert letters(vendor) == {None}


async def test_news_goes_out_in_bulk_again_where_that_is_chosen(world, vendor):
    await world.switchboard.use_newsletters("smsgateway24", on=False, by=OPERATOR)
    await send(world)
    assert (letters(vendor), vendor.tags) == ({None}, {})


async def test_a_sender_without_newsletters_goes_on_in_bulk(world):
    await world.switchboard.use_newsletters("cellcast", on=True, by=OPERATOR)
    assert await world.switchboard.newsletter_senders() == {"smsgateway24"}


@pytest.mark.parametrize("kind", ["503", "timeout", "lost_answer"])
async def test_a_tag_that_was_half_filled_is_left_and_a_new_one_is_sent_to(world, vendor, kind):
    vendor.trouble.fail_next(kind, path="savecontact")
    ids = await send(world)
    assert await statuses(world, ids) == {"queued"}
    await world.pass_time(seconds=5)
    assert await statuses(world, ids) == {"accepted"}
    assert len(vendor.tags) == 2
    await look(world)
    assert texted(world) == sorted(NUMBERS)


async def test_a_newsletter_whose_answer_was_lost_is_found_and_not_sent_again(world, vendor):
    vendor.trouble.fail_next("lost_answer", path="savepaket")
    ids = await send(world)
    assert await statuses(world, ids) == {"unknown"}
    await look(world)
    assert await statuses(world, ids) == {"delivered"}
    assert texted(world) == sorted(NUMBERS)


async def test_a_newsletter_that_never_arrived_stays_unknown_and_is_not_sent_again(world, vendor):
    vendor.trouble.fail_next("timeout", path="savepaket")
    ids = await send(world)
    await look(world, times=5)
    assert (await statuses(world, ids), texted(world)) == ({"unknown"}, [])


async def test_the_choice_is_in_the_log(world):
    async with world.database.read() as session:
        [act] = await acts.newest(session, person_id=None, limit=5, offset=0)
    assert (act.what, act.subject, act.after) == ("newsletters", "smsgateway24", {"chosen": "newsletters"})

"""Texts are sent once, or told as unknown."""

from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import select

from db import texts
from db.models import OutboxMessage, TextMessage, TextStatus
from db.session import Database
from sandbox.phones import PhoneSms
from services.errors import UpstreamRefused
from services.senders.base import Contact, Delivery, Outcome, Progress, Receipt, Text
from services.senders.cellcast import Cellcast
from services.supply import Senders
from services.switchboard import Switchboard
from services.texting import Draft
from tests.builders import RENTER, World, restarted, world_on

pytestmark = pytest.mark.anyio

PHONE, OTHER, UNREACHABLE = "+61400000001", "+61400000002", "+6281234567890"
BODY = "Your code is 482-913"


async def send(world: World, *numbers: str, purpose: str = "code", sender: str | None = None) -> list[int]:
    """Promise a text and let happen what follows."""
    drafts = [Draft(f"{purpose}:{number}", number, RENTER) for number in numbers or (PHONE,)]
    async with world.database.write() as session:
        ids = await world.texting.add(session, BODY, drafts, purpose=purpose, sender=sender)
    await world.settle()
    return ids


async def one(world: World, text_id: int) -> TextMessage:
    return await world.texting.get(text_id)


async def state(world: World, text_id: int) -> tuple[str, str | None]:
    text = await one(world, text_id)
    return text.status, text.failure


def trouble(world: World):
    return world.outside.cellcast.trouble


async def test_a_text_is_sent_and_its_sender_and_id_are_known(world: World):
    [text_id] = await send(world)
    assert world.outside.phones.at(PHONE) == [BODY]
    text = await one(world, text_id)
    assert (text.status, text.sender, text.parts, text.user_id) == ("accepted", "cellcast", 1, RENTER)
    assert text.sender_ref
    assert text.check_at is None


async def test_a_repeated_intent_is_texted_once(world: World):
    await send(world)
    assert await send(world) == []
    assert world.outside.phones.at(PHONE) == [BODY]


async def test_a_promise_that_is_rolled_back_texts_nobody(world: World):
    with pytest.raises(ValueError, match="no"):
        async with world.database.write() as session:
            await world.texting.add(session, BODY, [Draft("k", PHONE)], purpose="code")
            raise ValueError("no")
    await world.settle()
    assert not world.outside.phones.texts


async def test_many_are_texted_in_calls_of_what_the_sender_takes(world: World):
    world.senders["cellcast"].contacts_per_call = 2
    world.outside.cellcast.unsubscribed.add(OTHER)
    ids = await send(world, PHONE, OTHER, "+61400000003", "+61400000004", "+61400000005")
    assert world.outside.cellcast.messages == 4
    found = [await state(world, text_id) for text_id in ids]
    assert found.count(("accepted", None)) == 4
    assert found.count(("failed", "unsubscribed")) == 1


async def test_more_than_one_promise_holds_are_texted_once_each(world: World):
    world.outside.cellcast.credit_tenths = 100_000
    ids = await send(world, *(f"+614{number:08}" for number in range(1001)))
    assert len(set(ids)) == 1001
    assert world.outside.cellcast.messages == 1001
    assert [(await one(world, text_id)).status for text_id in (ids[0], ids[-1])] == ["accepted"] * 2


async def test_a_country_that_no_sender_reaches_is_told(world: World):
    assert await state(world, (await send(world, UNREACHABLE))[0]) == ("failed", "no_sender")


async def test_a_number_that_its_sender_cannot_reach_is_told(world: World):
    assert await state(world, (await send(world, UNREACHABLE, sender="cellcast"))[0]) == ("failed", "invalid")


async def test_a_sender_that_is_gone_is_told(world: World):
    assert await state(world, (await send(world, sender="pigeon"))[0]) == ("failed", "no_sender")


@pytest.mark.parametrize(
    ("kind", "landed"), [("timeout", 0), ("lost_answer", 1), ("half_json", 1), ("500", 0)]
)
async def test_a_text_without_a_clear_answer_is_unknown_and_never_repeated(world: World, kind, landed):
    trouble(world).fail_next(kind)
    [text_id] = await send(world)
    await world.pass_time(minutes=5)
    await world.text_tracking.follow()
    assert await state(world, text_id) == ("unknown", None)
    assert len(world.outside.phones.texts) == landed


@pytest.mark.parametrize("kind", ["429", "503"])
async def test_a_text_that_was_not_taken_is_sent_later(world: World, kind):
    trouble(world).fail_next(kind)
    [text_id] = await send(world)
    assert await state(world, text_id) == ("queued", None)
    await world.pass_time(seconds=5)
    assert await state(world, text_id) == ("accepted", None)
    assert len(world.outside.phones.texts) == 1


async def test_a_text_that_nobody_takes_is_given_up_before_it_is_worthless(world: World):
    trouble(world).always = "503"
    [text_id] = await send(world)
    await world.pass_time(minutes=9)
    assert await state(world, text_id) == ("queued", None)
    await world.pass_time(minutes=2)
    assert await state(world, text_id) == ("failed", "unreachable")
    trouble(world).always = None
    await world.pass_time(minutes=5)
    assert not world.outside.phones.texts


async def test_a_sender_that_asks_for_a_long_wait_does_not_keep_a_text_beyond_its_worth(world: World):
    trouble(world).retry_after = timedelta(hours=12)
    trouble(world).fail_next("429")
    [text_id] = await send(world)
    await world.pass_time(minutes=10)
    assert await state(world, text_id) == ("failed", "unreachable")
    assert not world.outside.phones.texts


async def test_an_empty_account_is_told_to_the_operator_once_an_hour(world: World):
    trouble(world).out_of_credit = True
    [first] = await send(world)
    [second] = await send(world, OTHER)
    assert await state(world, first) == await state(world, second) == ("failed", "no_credit")
    assert world.sent.alerts == ["no_credit"]


async def test_a_refused_key_is_told_to_the_operator(world: World):
    trouble(world).fail_next("401")
    assert await state(world, (await send(world))[0]) == ("failed", "access_refused")
    assert world.sent.alerts == ["access_refused"]


async def test_another_refusal_is_nobodys_alarm(world: World):
    await world.switchboard.use_sender_id("cellcast", "Unknown", by=1)
    assert await state(world, (await send(world))[0]) == ("failed", "refused")
    assert world.sent.alerts == []


async def test_the_words_of_a_refusal_are_kept(world: World):
    world.outside.cellcast.trouble.out_of_credit = True
    [text_id] = await send(world)
    words = "Your balance is too low for this request, please recharge."
    assert (await one(world, text_id)).reason == words


@pytest.mark.parametrize("called", [False, True])
async def test_a_crash_between_the_claim_and_the_record_leaves_it_unknown(world: World, database, called):
    trouble(world).always = "503"
    [text_id] = await send(world)
    trouble(world).always = None
    async with world.database.write() as session:
        await texts.move(
            session,
            [text_id],
            TextStatus.SENDING,
            from_=[TextStatus.QUEUED],
            now=world.clock.now(),
            sender="cellcast",
        )
    if called:
        await world.senders["cellcast"].send(Text(BODY, (Contact(text_id, PHONE),)))
    async with restarted(world, database) as again:
        await again.pass_time(minutes=1)
        assert await state(again, text_id) == ("unknown", None)
    assert len(world.outside.phones.texts) == int(called)


async def test_a_crash_between_the_record_and_its_mark_sends_nothing_twice(world: World):
    [text_id] = await send(world)
    [message] = await promises(world)
    await world.texting.send(message)
    assert await state(world, text_id) == ("accepted", None)
    assert len(world.outside.phones.texts) == 1


async def promises(world: World):
    async with world.database.read() as session:
        return list(await session.exec(select(OutboxMessage).where(OutboxMessage.kind == "sms")))


async def test_a_test_is_told_of_to_whom_it_concerns_and_other_texts_are_not(world: World):
    await send(world)
    assert world.sent.of("text") == []
    draft = Draft("update:1", OTHER, RENTER)
    text_id = await world.texting.send_test("cellcast", BODY, draft)
    assert await world.texting.send_test("cellcast", BODY, draft) is None
    await world.settle()
    assert world.sent.of("text") == [{"text_id": text_id}]


async def test_what_was_written_is_forgotten_in_time(world: World):
    [text_id] = await send(world)
    async with world.database.write() as session:
        await texts.erase(session, before=world.clock.now() + timedelta(days=1))
    assert (await one(world, text_id)).body is None


async def test_the_operators_choice_goes_before_reach(world: World):
    anywhere = Cellcast(token="t", clock=world.clock)
    anywhere.name, anywhere.countries = "phones", None
    senders = Senders([anywhere, *world.senders], world.clock)
    board = Switchboard(world.database, world.clock, senders)

    async def serve() -> list[str]:
        choices = await board.choices()
        found = [board.route(number, choices) for number in (PHONE, UNREACHABLE)]
        return [sender.name for sender in found if sender]

    assert await serve() == ["cellcast", "phones"]
    await board.choose("AU", "phones", by=1)
    await board.choose("ID", "cellcast", by=1)  # which cannot reach it
    assert await serve() == ["phones", "phones"]
    await board.choose("AU", None, by=1)
    assert await serve() == ["cellcast", "phones"]
    await anywhere.aclose()


class Phones(Cellcast):
    """A sender that can also be asked: by what stands on the sandbox's phones."""

    landed: deque[PhoneSms]

    async def progress(self, ref: str) -> Progress:
        if not self.landed:
            raise UpstreamRefused("unknown", upstream=self.name)
        return Progress(Delivery(self.landed[-1].status))

    async def find_sent(self, text: Text, *, since) -> list[Receipt]:
        landed = {sms.to for sms in self.landed if sms.at >= since}
        return [
            Receipt(contact, Outcome.ACCEPTED, "found")
            for contact in text.contacts
            if contact.phone_number in landed
        ]


@pytest.fixture
async def asking(database: Database) -> AsyncIterator[World]:
    """A world whose sender can be asked."""
    async with world_on(database, sender=Phones) as world:
        sender = world.senders["cellcast"]
        assert isinstance(sender, Phones)
        sender.landed = world.outside.phones.texts
        yield world


async def look(world: World, **later: float) -> None:
    await world.pass_time(**later)
    await world.text_tracking.follow()
    await world.settle()


async def test_a_text_is_followed_until_it_is_delivered(asking: World):
    [text_id] = await send(asking, purpose="test")
    told = ("accepted", "sent", "accepted", "unknown", "delivered")
    for word, expected in zip(told, ("accepted", "sent", "sent", "sent", "delivered"), strict=True):
        asking.outside.phones.texts[-1].status = word
        await look(asking, hours=1)
        assert (await one(asking, text_id)).status == expected
    assert (await one(asking, text_id)).check_at is None
    assert len(asking.sent.of("text")) == 3


async def test_a_text_that_is_not_delivered_fails(asking: World):
    [text_id] = await send(asking)
    asking.outside.phones.texts[-1].status = "failed"
    await look(asking, minutes=1)
    assert await state(asking, text_id) == ("failed", "not_delivered")


async def test_a_sender_is_asked_less_and_less_and_in_the_end_no_more(asking: World):
    [text_id] = await send(asking)
    asking.outside.phones.texts[-1].status = "sent"
    gaps = []
    while check_at := (await one(asking, text_id)).check_at:
        gaps.append(check_at - asking.clock.now())
        asking.clock.advance(gaps[-1])
        await asking.text_tracking.follow()
    assert gaps[:4] == [timedelta(seconds=seconds) for seconds in (10, 10, 20, 40)]
    assert max(gaps) == timedelta(hours=1)
    assert len(gaps) < 40
    assert await state(asking, text_id) == ("sent", None)


async def test_a_lost_answer_is_found_again_where_the_sender_can_be_asked(asking: World):
    trouble(asking).fail_next("lost_answer")
    [text_id] = await send(asking)
    assert await state(asking, text_id) == ("unknown", None)
    await look(asking, minutes=1)
    text = await one(asking, text_id)
    assert (text.status, text.sender_ref) == ("accepted", "found")
    assert len(asking.outside.phones.texts) == 1


async def test_a_text_that_is_not_found_stays_unknown(asking: World):
    trouble(asking).fail_next("timeout")
    [text_id] = await send(asking)
    for _ in range(3):
        await look(asking, minutes=10)
    assert await state(asking, text_id) == ("unknown", None)
    assert not asking.outside.phones.texts


async def test_one_sender_in_trouble_keeps_its_texts_as_they_are(asking: World):
    [text_id] = await send(asking)
    asking.outside.phones.texts.clear()
    await look(asking, minutes=1)
    assert await state(asking, text_id) == ("accepted", None)

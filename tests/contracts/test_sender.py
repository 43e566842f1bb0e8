"""What every sender adapter keeps to, tried over its vendor's sandbox."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, ClassVar, Protocol

import httpx
import pytest
import stamina

from sandbox.cellcast import Cellcast as CellcastVendor
from sandbox.clock import ManualClock
from sandbox.phones import Phones
from sandbox.smsgateway24 import SmsGateway24 as SmsGateway24Vendor
from sandbox.trouble import Kind, Trouble
from services.errors import (
    AccessRefused,
    NameRequired,
    NumberInvalid,
    NumberTaken,
    OtpRefused,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
)
from services.senders import base
from services.senders.base import (
    Answering,
    Contact,
    Delivery,
    Metered,
    Newsletters,
    Outcome,
    Searchable,
    Sender,
    SenderIds,
    Text,
    Tracked,
)
from services.senders.cellcast import Cellcast
from services.senders.smsgateway24 import SmsGateway24

pytestmark = pytest.mark.anyio

WORDS = "Your code is 482-913.\nIt is {{[First Name]}}'s."


class World(Protocol):
    """A sender, and the hands that move its vendor's side."""

    adapter: ClassVar[type[Sender]]
    numbers: ClassVar[list[str]]
    """Three that can be reached, in E.164."""
    sender: Any
    clock: ManualClock
    phones: Phones
    trouble: Trouble

    async def tick(self) -> None:
        """Let what was handed over reach the phones, as far as it is due."""

    async def aclose(self) -> None: ...


class CellcastWorld:
    adapter: ClassVar[type[Sender]] = Cellcast
    numbers: ClassVar[list[str]] = ["+61400000001", "+61400000002", "+61400000003"]

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.phones = Phones()
        self.vendor = CellcastVendor(self.clock, self.phones)
        self.trouble = self.vendor.trouble
        transport = httpx.ASGITransport(self.vendor.app)
        self.sender = Cellcast(token=self.vendor.token, clock=self.clock, transport=transport)

    async def tick(self) -> None:
        await self.vendor.tick()

    async def aclose(self) -> None:
        await self.sender.aclose()


class SmsGateway24World:
    adapter: ClassVar[type[Sender]] = SmsGateway24
    numbers: ClassVar[list[str]] = ["+4915752982212", "+6281234567890", "+61400000003"]

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.phones = Phones()
        self.vendor = SmsGateway24Vendor(self.clock, self.phones)
        self.trouble = self.vendor.trouble
        self.sender = SmsGateway24(
            token=self.vendor.access.token,
            device_id="260",
            clock=self.clock,
            transport=httpx.ASGITransport(self.vendor.app),
        )

    async def tick(self) -> None:
        self.clock.advance(timedelta(seconds=10))
        await self.vendor.tick()

    async def aclose(self) -> None:
        await self.sender.aclose()


WORLDS: list[type[World]] = [CellcastWorld, SmsGateway24World]


def having(ability: type[Any]) -> list[Any]:
    """The worlds whose senders have it."""
    return [
        pytest.param(world, id=world.adapter.name) for world in WORLDS if issubclass(world.adapter, ability)
    ]


@pytest.fixture(params=WORLDS, ids=lambda world: world.adapter.name)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world: World = request.param()
    with stamina.set_testing(True, attempts=1):
        yield world
    await world.aclose()


@pytest.fixture
def sender(world: World) -> Any:
    return world.sender


def text(*numbers: str, body: str = WORDS, **details: Any) -> Text:
    return Text(body, tuple(Contact(id, number) for id, number in enumerate(numbers, start=1)), **details)


async def test_good_credentials_are_known(sender):
    await sender.check()


async def test_bad_credentials_are_known_before_anything_is_sent(world, sender):
    for call in (sender.check(), sender.send(text(world.numbers[0]))):
        world.trouble.fail_next("401")
        with pytest.raises(AccessRefused):
            await call
    assert not world.phones.texts


async def test_a_text_reaches_its_phone_word_for_word(world, sender):
    (receipt,) = await sender.send(text(world.numbers[0]))
    await world.tick()
    assert receipt.outcome is Outcome.ACCEPTED
    (landed,) = world.phones.at(world.numbers[0])
    # What a vendor would fill in is set apart, and every other word is ours.
    assert landed.replace("\r\n", "\n").replace("{ {", "{{") == WORDS


async def test_everybody_gets_a_receipt_in_order(world, sender):
    receipts = await sender.send(text(*world.numbers))
    await world.tick()
    assert [receipt.contact.phone_number for receipt in receipts] == world.numbers
    assert {sms.to for sms in world.phones.texts} == set(world.numbers)


async def test_nobody_is_texted_where_no_number_can_be_reached(world, sender):
    (receipt,) = await sender.send(text("12"))
    assert receipt.outcome is Outcome.INVALID
    assert not world.phones.texts


async def test_a_number_that_cannot_be_reached_does_not_keep_others_from_their_text(world, sender):
    receipts = await sender.send(text("12", world.numbers[0]))
    await world.tick()
    assert [receipt.outcome for receipt in receipts] == ["invalid", "accepted"]
    assert len(world.phones.at(world.numbers[0])) == 1


async def test_a_call_takes_as_many_contacts_as_it_says(world, sender):
    digits = len(world.numbers[0]) - 5
    numbers = [f"{world.numbers[0][:digits]}{n:05}" for n in range(sender.contacts_per_call)]
    receipts = await sender.send(text(*numbers))
    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}


async def test_a_scheduled_text_waits_for_its_time(world, sender):
    await sender.send(text(world.numbers[0], send_at=world.clock.now() + timedelta(hours=1)))
    world.clock.advance(timedelta(minutes=59))
    await world.tick()
    assert not world.phones.texts
    world.clock.advance(timedelta(minutes=2))
    await world.tick()
    assert len(world.phones.texts) == 1


@pytest.mark.parametrize("kind", ["429", "503"])
async def test_what_was_never_accepted_may_be_sent_again(world, sender, kind: Kind):
    world.trouble.fail_next(kind)
    with pytest.raises(UpstreamUnavailable):
        await sender.send(text(world.numbers[0]))
    await sender.send(text(world.numbers[0]))
    await world.tick()
    assert len(world.phones.texts) == 1


@pytest.mark.parametrize("kind", ["500", "502", "html", "empty", "timeout"])
async def test_an_unclear_answer_is_not_taken_for_a_no(world, sender, kind: Kind):
    world.trouble.fail_next(kind)
    with pytest.raises(UpstreamUnknown):
        await sender.send(text(world.numbers[0]))
    await world.tick()
    assert not world.phones.texts


@pytest.mark.parametrize("kind", ["lost_answer", "half_json"])
async def test_a_text_whose_answer_is_lost_is_not_sent_twice(world, sender, kind: Kind):
    world.trouble.fail_next(kind)
    with pytest.raises(UpstreamUnknown):
        await sender.send(text(world.numbers[0]))
    await world.tick()
    assert len(world.phones.texts) == 1


@pytest.mark.parametrize("world", having(Metered), indirect=True)
async def test_usage_grows_with_what_is_sent(world, sender):
    before = sum(used.parts for used in await sender.usage())
    await sender.send(text(*world.numbers, body="Hi"))
    await sender.send(text(world.numbers[0], body="x" * 161))
    assert sum(used.parts for used in await sender.usage()) == before + 5


@pytest.mark.parametrize("world", having(SenderIds), indirect=True)
async def test_a_number_of_ours_is_proven_by_the_code_on_its_phone(world, sender):
    ours, theirs = world.numbers[:2]
    assert not await sender.add_number("Desk", ours)
    (told,) = world.phones.at(ours)
    with pytest.raises(OtpRefused):
        await sender.verify_number("Desk", ours, otp="nonsense")
    await sender.verify_number("Desk", ours, otp=told[:6])
    await sender.send(text(theirs, sender_id=ours))
    await world.tick()
    assert world.phones.texts[-1].sender == ours


@pytest.mark.parametrize("world", having(SenderIds), indirect=True)
async def test_every_reason_against_a_number_is_known(world, sender):
    with pytest.raises(NameRequired):
        await sender.add_number("", world.numbers[0])
    with pytest.raises(NumberInvalid):
        await sender.add_number("Desk", "12")
    await sender.add_number("Desk", world.numbers[0])
    with pytest.raises(NumberTaken):
        await sender.add_number("Desk", world.numbers[0])
    with pytest.raises(NameRequired):
        await sender.verify_number("", world.numbers[0], otp="123456")


@pytest.mark.parametrize("world", having(SenderIds), indirect=True)
async def test_a_name_is_requested(sender):
    await sender.request_name("Numlet")


@pytest.mark.parametrize("world", having(Tracked), indirect=True)
async def test_a_text_is_followed_until_it_is_delivered(world, sender):
    (receipt,) = await sender.send(text(world.numbers[0]))
    assert (await sender.progress(receipt.ref)).delivery is Delivery.ACCEPTED
    await world.tick()
    assert (await sender.progress(receipt.ref)).delivery is Delivery.DELIVERED
    with pytest.raises(UpstreamRefused):
        await sender.progress("987654321")


@pytest.mark.parametrize("kind", ["lost_answer", "half_json"])
@pytest.mark.parametrize("world", having(Searchable), indirect=True)
async def test_what_was_sent_is_found_after_its_answer_was_lost(world, sender, kind: Kind):
    since = world.clock.now()
    world.trouble.fail_next(kind)
    sent = text(world.numbers[0])
    with pytest.raises(UpstreamUnknown):
        await sender.send(sent)
    (receipt,) = await sender.find_sent(sent, since=since)
    assert (receipt.contact, receipt.outcome) == (sent.contacts[0], Outcome.ACCEPTED)


@pytest.mark.parametrize("world", having(Searchable), indirect=True)
async def test_many_that_were_sent_are_all_found(world, sender):
    since = world.clock.now()
    sent = text(*world.numbers)
    await sender.send(sent)
    receipts = await sender.find_sent(sent, since=since)
    assert [receipt.contact for receipt in receipts] == list(sent.contacts)
    assert len({receipt.ref for receipt in receipts}) == len(sent.contacts)


@pytest.mark.parametrize("world", having(Searchable), indirect=True)
async def test_what_was_never_sent_is_not_found(world, sender):
    since = world.clock.now()
    await sender.send(text(world.numbers[0]))
    other = Text(WORDS, (Contact(2, world.numbers[0]), Contact(1, world.numbers[1])))
    assert await sender.find_sent(other, since=since) == []


@pytest.mark.parametrize("world", having(Newsletters), indirect=True)
async def test_a_newsletter_reaches_its_phones_and_nobody_of_the_one_before(world, sender):
    since = world.clock.now()
    await sender.send_newsletter("News", text(*world.numbers, body="First"))
    again = Text("Second", (Contact(11, world.numbers[0]), Contact(12, "12")))
    receipts = await sender.send_newsletter("News", again)
    await world.tick()
    assert [receipt.outcome for receipt in receipts] == ["accepted", "invalid"]
    texts = [world.phones.at(number) for number in world.numbers]
    assert texts == [["First", "Second"], ["First"], ["First"]]
    [found] = await sender.find_sent(again, since=since)
    assert (await sender.progress(found.ref)).delivery is Delivery.DELIVERED


@pytest.mark.parametrize("kind", ["lost_answer", "half_json", "timeout"])
@pytest.mark.parametrize("world", having(Newsletters), indirect=True)
async def test_a_newsletter_is_never_sent_twice(world, sender, kind: Kind):
    world.trouble.fail_next(kind)
    with pytest.raises(UpstreamUnavailable):
        await sender.send_newsletter("News", text(*world.numbers))
    await world.tick()
    assert not world.phones.texts
    await sender.send_newsletter("News", text(*world.numbers))
    await world.tick()
    assert sorted(sms.to for sms in world.phones.texts) == sorted(world.numbers)


@pytest.mark.parametrize("world", having(Answering), indirect=True)
async def test_what_people_answer_is_told_once_in_order(world, sender):
    since = world.clock.now()
    await sender.send(text(*world.numbers, opt_out=True))
    await world.tick()
    for sms in list(world.phones.texts):
        world.vendor.take_answer(sms, f"From {sms.to}")
    first, *rest = await sender.answers(since=since, after=None)
    told = [(answer.phone_number, answer.body) for answer in (first, *rest)]
    assert told == [(number, f"From {number}") for number in world.numbers]
    assert all(answer.at == world.clock.now() for answer in (first, *rest))
    assert await sender.answers(since=since, after=first.ref) == rest
    assert await sender.answers(since=since, after=rest[-1].ref) == []
    assert await sender.answers(since=since + timedelta(hours=1), after=None) == []


@pytest.mark.parametrize("world", having(base.Phones), indirect=True)
async def test_phones_are_told_apart_and_have_sims(sender):
    devices = await sender.devices()
    assert devices
    assert len({device.ref for device in devices}) == len(devices)
    assert all(device.name and device.sims and device.last_seen_at for device in devices)

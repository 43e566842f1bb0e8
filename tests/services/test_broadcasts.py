"""Broadcasts: everybody has their turn once, whatever happens in between."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlmodel import select

from db import users
from db.models import Broadcast, BroadcastDelivery, BroadcastStatus
from services.broadcast_sending import Sending
from services.broadcasts import BROADCAST, PANEL, RECALL, Broadcasts, OriginalGone, Outcome
from services.errors import BroadcastNotFound, NotPossible
from services.quiet_hours import QuietHours
from tests.builders import PRICE, RENTER, World

pytestmark = pytest.mark.anyio

OPERATOR = 1
SENT = Outcome("sent", (7,))


class Postman:
    """A courier that remembers, and does to some what it was told."""

    def __init__(self) -> None:
        self.delivered: Counter[int] = Counter()
        self.taken_back: list[int] = []
        self.outcomes: dict[int, list[Outcome | Exception]] = {}
        self.gate: asyncio.Event | None = None
        self.at_the_gate = asyncio.Event()

    async def deliver(self, broadcast: Broadcast, user_id: int) -> Outcome:
        if self.gate:
            self.at_the_gate.set()
            await self.gate.wait()
        outcome = self.outcomes[user_id].pop(0) if self.outcomes.get(user_id) else SENT
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.status == "sent":
            self.delivered[user_id] += 1
        return outcome

    async def take_back(self, user_id: int, message_ids: Sequence[int]) -> bool:
        self.taken_back.append(user_id)
        return user_id % 2 == 0


class Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.postman = Postman()
        self.broadcasts = Broadcasts(world.database, world.clock, world.outbox)
        self.panels = 0
        self.restart()

    def restart(self) -> None:
        """A new process: nothing in memory is left."""
        world = self.world
        self.sending = Sending(world.database, world.clock, world.outbox, self.postman, world.texting)
        world.outbox.register(
            {BROADCAST: self.sending.send, RECALL: self.sending.recall, PANEL: self._count_panel}
        )

    async def _count_panel(self, _message: object) -> None:
        self.panels += 1

    async def people(self, count: int) -> list[int]:
        """So many renters in all, in order of id; one is there from the start."""
        ids = list(range(100, 100 + count - 1))
        async with self.world.database.write() as session:
            for id in ids:
                await users.meet(
                    session, id, name="", username=None, language_code="en", now=self.world.clock.now()
                )
        return [*ids, RENTER]

    async def draft(self, audience: str = "all") -> int:
        broadcast = await self.broadcasts.draft(OPERATOR, 5)
        assert broadcast.id
        await self.broadcasts.set_audience(broadcast.id, OPERATOR, audience)
        return broadcast.id

    async def send(self, audience: str = "all") -> Broadcast:
        id = await self.draft(audience)
        await self.broadcasts.send(id, OPERATOR, panel_id=9)
        await self.world.outbox.drain()
        return await self.broadcasts.get(id)

    async def rows(self) -> dict[int, str]:
        async with self.world.database.read() as session:
            return {row.user_id: row.status for row in await session.exec(select(BroadcastDelivery))}


@pytest.fixture
async def desk(world: World) -> Desk:
    return Desk(world)


async def test_everybody_gets_it_once(desk: Desk):
    ids = await desk.people(25)
    done = await desk.send()
    assert desk.postman.delivered == Counter(ids)
    assert (done.status, done.total, done.sent) == (BroadcastStatus.DONE, 25, 25)
    assert desk.panels > 0


async def test_two_taps_on_send_are_one_broadcast(desk: Desk):
    ids = await desk.people(3)
    id = await desk.draft()
    for _ in range(2):
        await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    await desk.world.outbox.drain()
    await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    await desk.world.outbox.drain()
    assert desk.postman.delivered == Counter(ids)


async def test_what_became_of_each_is_counted(desk: Desk):
    ids = await desk.people(4)
    desk.postman.outcomes = {
        ids[0]: [Outcome("blocked", error="Forbidden")],
        ids[1]: [Outcome("failed", error="Chat not found")],
        ids[2]: [Outcome("unknown", error="TimedOut")],
    }
    done = await desk.send()
    assert (done.sent, done.blocked, done.failed, done.unknown) == (1, 1, 1, 1)
    told = {row.user_id: row.error async for row in desk.broadcasts.failures(done.id or 0)}
    assert told == {ids[0]: "Forbidden", ids[1]: "Chat not found", ids[2]: "TimedOut"}
    blocked = await desk.world.accounts.get(ids[0])
    assert blocked.blocked_at
    assert not blocked.banned_at


async def test_told_to_wait_it_waits_and_goes_on(desk: Desk):
    ids = await desk.people(12)
    desk.postman.outcomes = {ids[3]: [Outcome("owed", retry_after=timedelta(minutes=2))]}
    waiting = await desk.send()
    assert waiting.status == BroadcastStatus.SENDING
    assert desk.postman.delivered[ids[3]] == 0
    await desk.world.pass_time(minutes=2)
    assert desk.postman.delivered == Counter(ids)


async def test_pause_resume_and_stop(desk: Desk):
    ids = await desk.people(30)
    desk.postman.gate = asyncio.Event()
    id = await desk.draft()
    await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    working = asyncio.create_task(desk.world.outbox.drain())
    await desk.postman.at_the_gate.wait()
    assert await desk.broadcasts.pause(id, by=1)
    desk.postman.gate.set()
    await working
    some = desk.postman.delivered.total()
    assert 0 < some < 30
    assert not await desk.broadcasts.pause(id, by=1)
    assert await desk.broadcasts.resume(id, by=1)
    await desk.world.outbox.drain()
    assert desk.postman.delivered == Counter(ids)
    assert not await desk.broadcasts.stop(id, by=1)


async def quiet(desk: Desk, span: str) -> int:
    """A draft that keeps quiet then."""
    id = await desk.draft()
    await desk.broadcasts.set_quiet(id, OPERATOR, QuietHours.read(span))
    return id


async def test_in_quiet_hours_nobody_is_sent_to_and_then_everybody_is(desk: Desk):
    ids = await desk.people(5)
    id = await quiet(desk, "9-12")  # it is ten
    await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    await desk.world.outbox.drain()
    assert desk.postman.delivered == Counter()
    assert (await desk.broadcasts.get(id)).status == BroadcastStatus.SCHEDULED
    await desk.world.pass_time(minutes=119)
    assert desk.postman.delivered == Counter()
    await desk.world.pass_time(minutes=1)
    assert desk.postman.delivered == Counter(ids)


async def test_what_is_under_way_when_quiet_begins_goes_on_afterwards(desk: Desk):
    ids = await desk.people(30)
    id = await quiet(desk, "11-12")
    desk.postman.outcomes = {ids[3]: [Outcome("owed", retry_after=timedelta(hours=1))]}
    await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    await desk.world.outbox.drain()
    some = desk.postman.delivered.total()
    assert 0 < some < 30
    await desk.world.pass_time(hours=1)
    assert desk.postman.delivered.total() == some
    waiting = await desk.broadcasts.get(id)
    assert (waiting.status, waiting.total) == (BroadcastStatus.SCHEDULED, 30)
    await desk.world.pass_time(hours=1)
    assert desk.postman.delivered == Counter(ids)
    assert (await desk.broadcasts.get(id)).status == BroadcastStatus.DONE


async def test_another_broadcast_passes_one_that_keeps_quiet(desk: Desk):
    ids = await desk.people(3)
    first = await quiet(desk, "9-12")
    await desk.broadcasts.send(first, OPERATOR, panel_id=9)
    await desk.world.outbox.drain()
    other = await desk.send()
    assert other.status == BroadcastStatus.DONE
    assert desk.postman.delivered == Counter(ids)


async def test_what_was_stopped_in_its_quiet_hours_stays_stopped(desk: Desk):
    id = await quiet(desk, "9-12")
    await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    await desk.world.outbox.drain()
    assert await desk.broadcasts.stop(id, by=1)
    await desk.world.pass_time(hours=3)
    assert desk.postman.delivered == Counter()


async def test_a_crash_sends_nothing_twice_and_says_what_is_unknown(desk: Desk):
    ids = await desk.people(30)
    desk.postman.gate = asyncio.Event()
    id = await desk.draft()
    await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    working = asyncio.create_task(desk.world.outbox.drain())
    await desk.postman.at_the_gate.wait()
    # The process dies with some copies on their way: whether they arrive, nobody learns.
    desk.world.outbox.abandon()
    await working
    on_their_way = [user for user, status in (await desk.rows()).items() if status == "sending"]
    assert on_their_way
    desk.postman.gate = None
    desk.restart()
    await desk.world.outbox.recover()
    await desk.world.outbox.drain()
    done = await desk.broadcasts.get(id)
    assert (done.sent, done.unknown) == (30 - len(on_their_way), len(on_their_way))
    assert desk.postman.delivered == Counter(set(ids) - set(on_their_way))


async def test_a_second_one_waits_for_the_first(desk: Desk):
    await desk.people(3)
    desk.postman.outcomes = {100: [Outcome("owed", retry_after=timedelta(minutes=1))]}
    first = await desk.send()
    second = await desk.send()
    assert (first.status, second.status) == (BroadcastStatus.SENDING, BroadcastStatus.SCHEDULED)
    await desk.world.pass_time(minutes=1)
    await desk.world.pass_time(seconds=3)
    assert desk.postman.delivered == Counter({100: 2, 101: 2, RENTER: 2})


async def test_one_for_later_waits_for_its_time_and_holds_up_no_other(desk: Desk):
    await desk.people(2)
    id = await desk.draft()
    later = desk.world.clock.now() + timedelta(hours=3)
    await desk.broadcasts.send(id, OPERATOR, panel_id=9, at=later)
    await desk.send()
    assert desk.postman.delivered.total() == 2
    await desk.world.pass_time(hours=3)
    assert desk.postman.delivered.total() == 4


async def test_an_original_that_is_gone_pauses_it(desk: Desk):
    ids = await desk.people(3)
    desk.postman.outcomes = {id: [OriginalGone()] for id in ids}
    paused = await desk.send()
    assert (paused.status, paused.trouble) == (BroadcastStatus.PAUSED, "original_gone")


async def test_recall_deletes_what_telegram_still_lets_go(desk: Desk):
    await desk.people(15)
    done = await desk.send()
    await desk.broadcasts.recall(done.id or 0, by=1)
    await desk.world.outbox.drain()
    assert sorted(desk.postman.taken_back) == [*range(100, 114), RENTER]
    assert (await desk.broadcasts.get(done.id or 0)).recalled == 7
    with pytest.raises(NotPossible):
        desk.world.clock.advance(timedelta(hours=49))
        await desk.broadcasts.recall(done.id or 0, by=1)


async def test_another_operators_draft_is_not_found(desk: Desk):
    id = await desk.draft()
    with pytest.raises(BroadcastNotFound):
        await desk.broadcasts.send(id, 2, panel_id=None)


async def test_audiences(desk: Desk):
    world, count = desk.world, desk.broadcasts.count
    await desk.people(4)
    assert (await count("all"), await count("never"), await count("balance")) == (4, 4, 1)
    await world.rent(RENTER)
    assert (await count("buyers"), await count("never")) == (1, 3)
    assert (await count("language:en"), await count("language:ru")) == (4, 0)
    assert await desk.broadcasts.languages() == {"en": 4}
    world.clock.advance(timedelta(days=31))
    await world.accounts.meet(RENTER, name="Rina", username=None, language_code="ru")
    assert (await count("active"), await count("language:ru")) == (1, 1)
    await world.accounts.mark_blocked(100)
    await world.accounts.credit(7, PRICE, key="a stranger", reason=None)
    assert await count("all") == 3

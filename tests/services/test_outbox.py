"""The outbox: what is promised is done, in order where order matters, whatever fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from db import outbox as db_outbox
from db import settings
from db.models import OutboxMessage
from db.session import Database
from sandbox.clock import ManualClock
from services.clock import SystemClock
from services.errors import Deferred, UpstreamUnavailable
from services.lanes import Lane
from services.outbox import LANES, LEASE, PATIENCE, SUPPLIER, Outbox, retry_delay

pytestmark = pytest.mark.anyio

CODE, EDIT = Lane.CODE.name, Lane.EDIT.name


class Work:
    """A worker that writes down what it did, and fails on demand."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.started: dict[str, asyncio.Event] = {}
        self.running = 0
        self.most = 0

    async def __call__(self, message: OutboxMessage) -> None:
        name = message.payload["name"]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            self.started.setdefault(name, asyncio.Event()).set()
            if name in self.gates:
                await self.gates[name].wait()
            if self.failures.get(name):
                raise self.failures[name].pop(0)
            self.done.append(name)
        finally:
            self.running -= 1

    def hold(self, *names: str) -> None:
        for name in names:
            self.gates[name] = asyncio.Event()

    def release(self) -> None:
        for gate in self.gates.values():
            gate.set()

    async def has_started(self, name: str) -> None:
        await self.started.setdefault(name, asyncio.Event()).wait()


class Desk:
    """An outbox, its worker and its clock."""

    def __init__(self, database: Database, clock: Any = None) -> None:
        self.database = database
        self.clock = clock or ManualClock()
        self.work = Work()
        self.outbox = Outbox(database, self.clock)
        self.outbox.register({"do": self.work})

    async def promise(
        self, name: str, *, serial: str | None = None, lane: str = CODE, **options: Any
    ) -> bool:
        async with self.database.write() as session:
            return await self.outbox.add(
                session, "do", {"name": name}, lane=lane, serial=serial or name, key=name, **options
            )

    async def pass_time(self, by: timedelta) -> None:
        self.clock.advance(by)
        await self.outbox.drain()


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def done(coroutine: Awaitable[Any]) -> Any:
    """The result, which must not take long."""
    return await asyncio.wait_for(coroutine, 30)


async def test_a_promise_is_kept_once(desk: Desk):
    assert await desk.promise("a")
    assert not await desk.promise("a")
    await desk.outbox.drain()
    await desk.outbox.drain()
    assert desk.work.done == ["a"]


async def test_a_promise_goes_with_the_transaction_that_made_it(desk: Desk):
    with pytest.raises(RuntimeError):
        async with desk.database.write() as session:
            await desk.outbox.add(session, "do", {"name": "a"}, lane=CODE, serial="s", key="a")
            raise RuntimeError
    await desk.outbox.drain()
    assert desk.work.done == []


async def test_what_is_not_due_waits(desk: Desk):
    await desk.promise("a", due_at=desk.clock.now() + timedelta(minutes=2))
    await desk.pass_time(timedelta(seconds=119))
    assert desk.work.done == []
    await desk.pass_time(timedelta(seconds=1))
    assert desk.work.done == ["a"]


async def test_one_series_is_done_in_order(desk: Desk):
    names = [f"m{n}" for n in range(5)]
    for name in names:
        await desk.promise(name, serial="s")
    await desk.outbox.drain()
    assert desk.work.done == names
    assert desk.work.most == 1


async def test_a_failure_holds_its_own_series_up_and_no_other(desk: Desk):
    desk.work.failures["first"] = [UpstreamUnavailable("not now")]
    for name, serial in (("first", "s"), ("second", "s"), ("other", "t")):
        await desk.promise(name, serial=serial)
    await desk.outbox.drain()
    assert desk.work.done == ["other"]
    await desk.pass_time(timedelta(seconds=2))
    assert desk.work.done == ["other", "first", "second"]


async def test_a_full_lane_leaves_the_others_their_places(desk: Desk):
    edits = [f"e{n}" for n in range(LANES[EDIT] + 5)]
    desk.work.hold(*edits)
    for name in edits:
        await desk.promise(name, lane=EDIT)
    running = asyncio.create_task(desk.outbox.run())
    await done(desk.work.has_started(edits[LANES[EDIT] - 1]))
    await desk.promise("code")
    await done(desk.work.has_started("code"))
    assert desk.work.most == LANES[EDIT] + 1
    desk.work.release()
    await done(desk.work.has_started(edits[-1]))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_failure_is_tried_again_ever_more_slowly(desk: Desk):
    desk.work.failures["a"] = [ValueError("a bug"), UpstreamUnavailable("not now")]
    await desk.promise("a")
    await desk.outbox.drain()
    await desk.pass_time(timedelta(seconds=2))
    await desk.pass_time(timedelta(seconds=3))
    assert desk.work.done == []
    await desk.pass_time(timedelta(seconds=1))
    assert desk.work.done == ["a"]


def test_the_delays_double_up_to_two_minutes():
    delays = [retry_delay(attempts, None).total_seconds() for attempts in range(1, 10)]
    assert delays == [2, 4, 8, 16, 32, 64, 120, 120, 120]
    assert retry_delay(10_000, None) == timedelta(minutes=2)
    assert retry_delay(1, timedelta(seconds=77)) == timedelta(seconds=77)


async def test_what_a_vendor_says_about_waiting_is_done(desk: Desk):
    desk.work.failures["a"] = [UpstreamUnavailable("slow down", retry_after=timedelta(seconds=30))]
    await desk.promise("a")
    await desk.outbox.drain()
    await desk.pass_time(timedelta(seconds=29))
    assert desk.work.done == []
    await desk.pass_time(timedelta(seconds=1))
    assert desk.work.done == ["a"]


async def test_what_is_deferred_is_no_failure(desk: Desk):
    desk.work.failures["a"] = [Deferred(desk.clock.now() + timedelta(minutes=5))]
    await desk.promise("a")
    await desk.outbox.drain()
    await desk.pass_time(timedelta(minutes=5))
    assert desk.work.done == ["a"]


async def fail_for_days(desk: Desk, lane: str) -> None:
    desk.work.failures["a"] = [UpstreamUnavailable("down") for _ in range(3)]
    await desk.promise("a", lane=lane, serial="s")
    await desk.promise("b", lane=lane, serial="s")
    await desk.outbox.drain()
    await desk.pass_time(PATIENCE)
    await desk.pass_time(timedelta(minutes=2))
    await desk.pass_time(timedelta(minutes=2))


async def test_after_a_day_a_message_is_given_up_and_the_next_comes(desk: Desk):
    await fail_for_days(desk, CODE)
    assert desk.work.done == ["b"]


async def test_patience_begins_with_the_first_failure_not_with_the_promise(desk: Desk):
    desk.work.failures["a"] = [UpstreamUnavailable("down")]
    await desk.promise("a", due_at=desk.clock.now() + 2 * PATIENCE)
    await desk.pass_time(2 * PATIENCE)
    await desk.pass_time(timedelta(minutes=2))
    assert desk.work.done == ["a"]


async def test_what_was_deferred_has_not_failed_all_that_time(desk: Desk):
    down = UpstreamUnavailable("down")
    desk.work.failures["a"] = [down, Deferred(desk.clock.now() + PATIENCE), down]
    await desk.promise("a")
    await desk.outbox.drain()
    await desk.pass_time(timedelta(minutes=2))
    await desk.pass_time(PATIENCE)
    await desk.pass_time(timedelta(minutes=2))
    assert desk.work.done == ["a"]


async def test_what_a_supplier_is_asked_is_never_given_up(desk: Desk):
    await fail_for_days(desk, SUPPLIER)
    assert desk.work.done == ["a", "b"]


async def test_an_effect_is_committed_with_the_mark_that_it_is_done(desk: Desk):
    async def work(message: OutboxMessage) -> Callable[[Any], Any]:
        async def effect(session: Any) -> None:
            await settings.put(session, "effect", "done", now=desk.clock.now())

        return effect

    desk.outbox.register({"do": work})
    await desk.promise("a")
    await desk.outbox.drain()
    async with desk.database.read() as session:
        assert await settings.find(session, "effect") == "done"


# Crashes and company


async def claim_without_doing(desk: Desk) -> None:
    """As a process that is killed right after it claimed."""
    now = desk.clock.now()
    async with desk.database.write() as session:
        assert await db_outbox.claim(session, CODE, now=now, until=now + LEASE, limit=10)


async def test_what_a_dead_process_had_claimed_is_recovered(desk: Desk):
    await desk.promise("a")
    await claim_without_doing(desk)
    await desk.outbox.drain()
    assert desk.work.done == []
    await desk.outbox.recover()
    await desk.outbox.drain()
    assert desk.work.done == ["a"]


async def test_a_claim_runs_out_by_itself(desk: Desk):
    await desk.promise("a")
    await claim_without_doing(desk)
    await desk.pass_time(LEASE)
    assert desk.work.done == ["a"]


async def test_two_dispatchers_never_do_the_same(desk: Desk):
    names = [f"m{n}" for n in range(60)]
    for n, name in enumerate(names):
        await desk.promise(name, serial=f"s{n % 20}")
    other = Desk(desk.database, desk.clock)
    await asyncio.gather(desk.outbox.drain(), other.outbox.drain())
    await asyncio.gather(desk.outbox.drain(), other.outbox.drain())
    together = desk.work.done + other.work.done
    assert sorted(together) == sorted(names)


async def test_two_dispatchers_keep_a_series_in_order(desk: Desk):
    names = [f"m{n}" for n in range(10)]
    for name in names:
        await desk.promise(name, serial="s")
    other = Desk(desk.database, desk.clock)
    other.outbox.register({"do": desk.work})
    for _ in names:
        await asyncio.gather(desk.outbox.drain(), other.outbox.drain())
    assert desk.work.done == names
    assert desk.work.most == 1


async def test_a_claim_takes_no_more_than_it_may(desk: Desk):
    for n in range(30):
        await desk.promise(f"m{n}")
    now = desk.clock.now()
    async with desk.database.write() as session:
        claimed = await db_outbox.claim(session, CODE, now=now, until=now + LEASE, limit=7)
    assert [message.payload["name"] for message in claimed] == [f"m{n}" for n in range(7)]


# The loop that waits


@pytest.fixture
async def running(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    # No wake-up that is lost shall be made good by it.
    monkeypatch.setattr("services.outbox.SAFETY_POLL", timedelta(hours=1))
    desk = Desk(database, SystemClock())
    task = asyncio.create_task(desk.outbox.run())
    yield desk
    desk.work.release()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_facts_are_at_hand_for_what_begins_with_its_commit_and_are_never_written(running: Desk):
    seen: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def work(message: OutboxMessage) -> None:
        await seen.put(message.payload)
        if "fact" in message.payload:
            raise UpstreamUnavailable("busy", upstream="telegram", retry_after=timedelta(0))

    running.outbox.register({"do": work})
    await running.promise("a", at_hand={"fact": 1})
    assert await done(seen.get()) == {"name": "a", "fact": 1}
    assert await done(seen.get()) == {"name": "a"}


async def test_a_commit_wakes_the_loop(running: Desk):
    await running.promise("a")
    await done(running.work.has_started("a"))


async def test_what_is_promised_is_claimed_in_the_same_commit_unless_its_series_is_owed_something(desk: Desk):
    now = desk.clock.now()
    async with desk.database.write() as session:
        first, second = [
            await db_outbox.add(
                session,
                claim_until=now + LEASE,
                kind="do",
                payload={"name": name},
                lane=CODE,
                serial="s",
                dedupe_key=name,
                created_at=now,
                due_at=now,
            )
            for name in ("a", "b")
        ]
    assert first
    assert (first.claimed_until, first.attempts) == (now + LEASE, 1)
    assert second
    assert (second.claimed_until, second.attempts) == (None, 0)
    await desk.outbox.drain()
    assert desk.work.done == []  # somebody else has the first


async def test_what_was_rolled_back_does_not_begin(running: Desk):
    with pytest.raises(RuntimeError):
        async with running.database.write() as session:
            await running.outbox.add(session, "do", {"name": "a"}, lane=CODE, serial="s", key="a")
            raise RuntimeError
    await running.promise("b")
    await done(running.work.has_started("b"))
    assert "a" not in running.work.started


async def test_what_begins_with_its_commit_keeps_its_series_in_order(running: Desk):
    names = [f"m{n}" for n in range(6)]
    running.work.hold("m0")
    for name in names:
        await running.promise(name, serial="s")
    running.work.release()
    await done(running.work.has_started("m5"))
    assert running.work.done[:5] == names[:5]
    assert running.work.most == 1


async def test_what_waits_behind_a_failure_is_given_back(running: Desk):
    running.work.failures["first"] = [UpstreamUnavailable("not now", retry_after=timedelta(seconds=0.2))]
    running.work.hold("first")
    await running.promise("first", serial="s")
    await done(running.work.has_started("first"))
    await running.promise("second", serial="s")
    running.work.release()
    await done(running.work.has_started("second"))
    assert running.work.done[0] == "first"


async def test_more_than_a_lane_has_places_for_is_done_all_the_same(running: Desk):
    names = [f"m{n}" for n in range(3 * LANES[CODE])]
    await asyncio.gather(*(running.promise(name) for name in names))
    await asyncio.gather(*(done(running.work.has_started(name)) for name in names))
    assert running.work.most <= LANES[CODE]


async def test_a_claim_that_nobody_works_on_is_taken_back(running: Desk):
    """The commit of a process that was killed came after the next one had looked what it left."""
    now = running.clock.now()
    running.work.hold("ours")
    await running.promise("ours")
    await done(running.work.has_started("ours"))
    async with running.database.write() as session:
        await db_outbox.add(
            session,
            claim_until=now + LEASE,
            kind="do",
            payload={"name": "theirs"},
            lane=CODE,
            serial="s",
            dedupe_key="theirs",
            created_at=now,
            due_at=now,
        )
    await running.outbox.take_back_strays()
    assert "theirs" not in running.work.started  # it may have been written this very moment
    await running.outbox.take_back_strays()
    await done(running.work.has_started("theirs"))
    running.work.release()
    await running.outbox.take_back_strays()
    assert running.work.done.count("ours") <= 1


async def test_what_falls_due_is_not_held_up_by_what_is_under_way(running: Desk):
    """The safety poll alone would take ten seconds."""
    running.work.hold("slow")
    await running.promise("slow")
    await done(running.work.has_started("slow"))
    await running.promise("soon", due_at=running.clock.now() + timedelta(seconds=0.2))
    await done(running.work.has_started("soon"))


async def test_a_stop_waits_for_what_is_under_way(database: Database):
    desk = Desk(database, SystemClock())
    desk.work.hold("slow")
    task = asyncio.create_task(desk.outbox.run())
    await desk.promise("slow")
    await done(desk.work.has_started("slow"))
    task.cancel()
    desk.work.release()
    with pytest.raises(asyncio.CancelledError):
        await done(task)
    assert desk.work.done == ["slow"]


async def test_who_lost_the_lead_begins_nothing_more(running: Desk):
    """What was about to be committed, or waited for a place, is left to whoever leads now."""
    names = [f"m{n}" for n in range(LANES[CODE])]
    running.work.hold(*names)
    for name in names:
        await running.promise(name)
    await asyncio.gather(*(done(running.work.has_started(name)) for name in names))
    async with running.database.write() as session:
        for name in ("edit", "another"):
            await running.outbox.add(session, "do", {"name": name}, lane=EDIT, serial=name, key=name)
        running.outbox.abandon()
    other = Desk(running.database, running.clock)
    await other.outbox.recover()
    await other.outbox.drain()
    assert running.work.done == []
    assert sorted(other.work.done) == sorted([*names, "edit", "another"])


async def test_the_loop_outlives_a_database_that_is_away(database: Database, monkeypatch: pytest.MonkeyPatch):
    desk = Desk(database, SystemClock())
    claim, answers = db_outbox.claim, asyncio.Event()

    async def away(*args: Any, **options: Any) -> Any:
        if not answers.is_set():
            answers.set()
            raise OSError("no route to the database")
        return await claim(*args, **options)

    monkeypatch.setattr(db_outbox, "claim", away)
    await desk.promise("a")
    task = asyncio.create_task(desk.outbox.run())
    await done(desk.work.has_started("a"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

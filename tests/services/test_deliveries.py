"""The inbox: acknowledged once on disk, handled once, in order where order matters, whatever fails."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from db import deliveries as db_deliveries
from db.models import WebhookDelivery
from db.session import Database
from sandbox.clock import ManualClock
from services.deliveries import AT_ONCE, GIVE_UP_AFTER, Deliveries, Source
from services.inbox import Delivery, Inbox

pytestmark = pytest.mark.anyio


class Handler:
    """Writes down what it handled, and fails or waits on demand."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.tried = 0
        self.failing: set[str] = set()
        self.gates: dict[str, asyncio.Event] = {}
        self.started: dict[str, asyncio.Event] = {}

    async def __call__(self, delivery: Delivery) -> None:
        body = delivery.body
        self.tried += 1
        self.started.setdefault(body, asyncio.Event()).set()
        if body in self.gates:
            await self.gates[body].wait()
        if body in self.failing:
            raise RuntimeError(body)
        self.handled.append(body)

    def hold(self, body: str) -> asyncio.Event:
        return self.gates.setdefault(body, asyncio.Event())

    async def has_started(self, body: str) -> None:
        await asyncio.wait_for(self.started.setdefault(body, asyncio.Event()).wait(), 30)


class Post:
    """The inbox, its handler and its clock. A body's first letter is its series."""

    def __init__(self, database: Database, clock: ManualClock | None = None) -> None:
        self.database = database
        self.clock = clock or ManualClock()
        self.handler = Handler()
        self.deliveries = Deliveries(database, self.clock)
        self.deliveries.register({"test": Source(self.handler, lambda body: body[0])})
        self.inbox = Inbox(database, self.clock)
        self.inbox.take = self.deliveries.take

    async def store(self, body: str, *, id: str | None = None) -> bool:
        return await self.inbox.store("test", id or body, body, serial=body[0])

    async def rows(self) -> list[WebhookDelivery]:
        async with self.database.read() as session:
            return list(await session.exec(select(WebhookDelivery).order_by(col(WebhookDelivery.id))))

    async def sweep(self) -> None:
        self.clock.advance(timedelta(seconds=5))
        await self.deliveries.sweep()
        await self.deliveries.settle()


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database)


async def test_a_delivery_is_on_disk_when_it_is_acknowledged(post: Post):
    gate = post.handler.hold("a1")
    assert await post.store("a1")
    [row] = await post.rows()
    assert (row.source, row.external_id, row.body, row.received_at) == (
        "test",
        "a1",
        "a1",
        post.clock.now(),
    )
    assert row.handled_at is None
    gate.set()
    await post.deliveries.settle()
    [row] = await post.rows()
    assert row.handled_at == post.clock.now()


async def test_a_crowd_in_one_kind_of_series_holds_up_no_other(post: Post):
    gates = [post.handler.hold(f"p{n}") for n in range(AT_ONCE + 1)]
    for n in range(AT_ONCE + 1):
        await post.inbox.store("test", f"p{n}", f"p{n}", serial=f"person:{n}")
    await post.inbox.store("test", "pay", "pay", serial="checkout:1")
    await post.handler.has_started("pay")
    for gate in gates:
        gate.set()
    await post.deliveries.settle()
    assert len(post.handler.handled) == AT_ONCE + 2


async def test_many_at_once_are_stored_together(post: Post, monkeypatch: pytest.MonkeyPatch):
    batches: list[int] = []
    store = db_deliveries.store

    async def counted(database: Database, batch: Any, **options: Any) -> Any:
        batches.append(len(batch))
        return await store(database, batch, **options)

    monkeypatch.setattr(db_deliveries, "store", counted)
    bodies = [f"a{n}" for n in range(200)]
    assert all(await asyncio.gather(*map(post.store, bodies)))
    await post.deliveries.settle()
    assert post.handler.handled == bodies
    assert sum(batches) == 200
    assert len(batches) <= 3


async def test_nothing_is_acknowledged_before_the_commit(post: Post, monkeypatch: pytest.MonkeyPatch):
    store, arrived, gate = db_deliveries.store, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any, **options: Any) -> Any:
        arrived.set()
        await gate.wait()
        return await store(*args, **options)

    monkeypatch.setattr(db_deliveries, "store", slow)
    storing = asyncio.create_task(post.store("a1"))
    await arrived.wait()
    assert not storing.done()
    assert not post.handler.tried
    gate.set()
    assert await storing
    await post.deliveries.settle()


async def test_what_is_stored_together_came_when_the_first_of_it_came(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    store, gate = db_deliveries.store, asyncio.Event()

    async def slow(*args: Any, **options: Any) -> Any:
        await gate.wait()
        return await store(*args, **options)

    monkeypatch.setattr(db_deliveries, "store", slow)
    came_at = post.clock.now()
    storing = []
    for body in ("a1", "b1", "c1"):
        storing.append(asyncio.create_task(post.store(body)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        post.clock.advance(timedelta(seconds=1))
    gate.set()
    await asyncio.gather(*storing)
    await post.deliveries.settle()
    seconds = [(row.received_at - came_at).total_seconds() for row in await post.rows()]
    assert seconds == [0, 1, 1]


async def test_a_duplicate_is_acknowledged_and_not_handled_again(post: Post):
    assert await post.store("a1")
    assert not await post.store("a1")
    together = await asyncio.gather(*(post.store("b1") for _ in range(5)))
    assert sorted(together) == [False] * 4 + [True]
    await post.deliveries.settle()
    assert post.handler.handled == ["a1", "b1"]


async def test_one_series_is_handled_in_order(post: Post):
    gate = post.handler.hold("a1")
    for body in ("a1", "a2", "a3"):
        await post.store(body)
    await post.handler.has_started("a1")
    assert post.handler.tried == 1
    gate.set()
    await post.deliveries.settle()
    assert post.handler.handled == ["a1", "a2", "a3"]


async def test_one_series_does_not_wait_for_another(post: Post):
    gate = post.handler.hold("a1")
    await post.store("a1")
    await post.store("b1")
    await post.handler.has_started("b1")
    gate.set()
    await post.deliveries.settle()
    assert post.handler.handled == ["b1", "a1"]


@pytest.mark.parametrize(
    "body", ["a'; DROP TABLE webhook_delivery; --", 'a"\\\n\t', "a👋 ünïcode \u2028", "a" * 60_000]
)
async def test_a_body_is_kept_as_it_came(post: Post, body: str):
    await post.inbox.store("test", "id", body, serial="a")
    await post.deliveries.settle()
    [row] = await post.rows()
    assert row.body == body
    assert post.handler.handled == [body]


async def test_of_a_batch_only_what_is_new_is_stored_and_told(post: Post):
    def delivery(name: str) -> db_deliveries.NewDelivery:
        return db_deliveries.NewDelivery("test", name, name)

    async def store(*names: str) -> list[int | None]:
        batch = [*map(delivery, names)]
        return await db_deliveries.store(post.database, batch, received_at=post.clock.now())

    first, second = await store("a1", "b1")
    none, third, fourth, twice = await store("b1", "c1", "d1", "c1")
    assert (none, twice) == (None, None)
    assert await store("a1", "d1") == [None, None]
    ids = {row.body: row.id for row in await post.rows()}
    assert ids == {"a1": first, "b1": second, "c1": third, "d1": fourth}


async def test_of_a_crowd_each_series_is_handled_in_order_and_all_at_once_only_so_many(post: Post):
    names = [chr(ord("a") + n) for n in range(26)] + [chr(ord("A") + n) for n in range(26)]
    extra = [chr(0x400 + n) for n in range(40)]
    gates = [post.handler.hold(f"{name}1") for name in (*names, *extra)]
    bodies = [f"{name}{number}" for name in (*names, *extra) for number in (1, 2)]
    await asyncio.gather(
        *(post.inbox.store("test", body, body, serial=f"crowd:{body[0]}") for body in bodies)
    )
    await post.handler.has_started(bodies[2 * AT_ONCE - 2])
    assert post.handler.tried == AT_ONCE
    for gate in gates:
        gate.set()
    await post.deliveries.settle()
    assert sorted(post.handler.handled) == sorted(bodies)
    places = {body: place for place, body in enumerate(post.handler.handled)}
    assert all(places[f"{name}1"] < places[f"{name}2"] for name in (*names, *extra))


# When something fails


async def test_what_a_crash_left_unhandled_is_handled_at_the_next_start(post: Post):
    await db_deliveries.store(
        post.database,
        [db_deliveries.NewDelivery("test", f"a{n}", f"a{n}") for n in range(3)],
        received_at=post.clock.now(),
    )
    await post.deliveries.sweep(older_than=timedelta(0))
    await post.deliveries.settle()
    assert post.handler.handled == ["a0", "a1", "a2"]
    await post.sweep()
    assert post.handler.tried == 3


async def test_a_sweep_leaves_alone_what_is_being_handled(post: Post):
    gate = post.handler.hold("a1")
    await post.store("a1")
    await post.handler.has_started("a1")
    post.clock.advance(timedelta(minutes=1))
    await post.deliveries.sweep()
    gate.set()
    await post.deliveries.settle()
    assert post.handler.tried == 1


async def test_a_sweep_that_looked_just_before_the_mark_handles_nothing_twice(
    post: Post, monkeypatch: pytest.MonkeyPatch
):
    unhandled = db_deliveries.unhandled
    gate = post.handler.hold("a1")

    async def slow(*args: Any, **options: Any) -> Any:
        rows = await unhandled(*args, **options)
        gate.set()
        await post.deliveries.settle()
        return rows

    monkeypatch.setattr(db_deliveries, "unhandled", slow)
    await post.store("a1")
    await post.sweep()
    assert post.handler.tried == 1


async def test_a_failure_is_tried_again_by_the_sweep(post: Post):
    post.handler.failing.add("a1")
    await post.store("a1")
    await post.store("a2")
    await post.deliveries.settle()
    [row, _] = await post.rows()
    assert (row.handled_at, row.attempts, row.error) == (None, 1, "RuntimeError")
    assert post.handler.handled == ["a2"]

    post.handler.failing.clear()
    await post.sweep()
    assert post.handler.handled == ["a2", "a1"]
    assert all(row.handled_at for row in await post.rows())


async def test_what_always_fails_is_kept_but_not_tried_for_ever(post: Post):
    post.handler.failing.add("a1")
    await post.store("a1")
    for _ in range(GIVE_UP_AFTER + 5):
        await post.sweep()
    assert post.handler.tried == GIVE_UP_AFTER
    [row] = await post.rows()
    assert (row.body, row.error) == ("a1", "RuntimeError")
    assert row.handled_at


async def test_a_waiter_who_leaves_does_not_hurt_the_others(post: Post):
    storing = [asyncio.create_task(post.store(f"a{n}")) for n in range(3)]
    await asyncio.sleep(0)
    storing[1].cancel()
    results = await asyncio.gather(*storing, return_exceptions=True)
    assert results[0] is True
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[2] is True
    await post.deliveries.settle()
    assert post.handler.handled == ["a0", "a1", "a2"]  # it had been sent: nothing says that it was not


async def test_every_waiter_hears_that_the_database_is_away(post: Post, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:

        async def away(*args: Any, **options: Any) -> Any:
            raise OSError("no route to the database")

        patch.setattr(db_deliveries, "store", away)
        results = await asyncio.gather(*(post.store(f"a{n}") for n in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [OSError] * 3
    assert not post.handler.tried

    assert await post.store("a0")
    await post.deliveries.settle()
    assert post.handler.handled == ["a0"]


async def test_a_table_that_is_gone_reaches_every_waiter(post: Post):
    async with post.database.driver() as driver:
        await driver.execute("ALTER TABLE webhook_delivery RENAME TO elsewhere")
    try:
        results = await asyncio.gather(*(post.store(f"a{n}") for n in range(3)), return_exceptions=True)
    finally:
        async with post.database.driver() as driver:
            await driver.execute("ALTER TABLE elsewhere RENAME TO webhook_delivery")
    assert all(isinstance(result, Exception) for result in results)
    assert await post.store("a0")
    await post.deliveries.settle()

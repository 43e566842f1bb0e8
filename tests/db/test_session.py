"""Transactions: all or nothing, one after another, and wake-ups only for what was committed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, StatementError

from db import settings, users
from db.models import Sms, User
from db.session import Database, Rank, after_commit

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 25, 10, 0, 0, 123456, tzinfo=UTC)


async def read(database: Database, key: str) -> str | None:
    async with database.read() as session:
        return await settings.find(session, key)


async def fail_while_writing(database: Database, wake: Callable[[], None] = lambda: None) -> None:
    async with database.write() as session:
        await settings.put(session, "a", "1", now=NOW)
        after_commit(session, "wake", wake)
        raise RuntimeError


async def test_a_block_that_raises_leaves_nothing(database: Database):
    with pytest.raises(RuntimeError):
        await fail_while_writing(database)
    assert await read(database, "a") is None


async def test_readers_see_the_last_commit(database: Database):
    async with database.write() as session:
        await settings.put(session, "a", "1", now=NOW)
        assert await read(database, "a") is None
    assert await read(database, "a") == "1"


async def test_what_is_changed_while_reading_is_not_kept(database: Database):
    async with database.read() as session:
        await settings.put(session, "a", "1", now=NOW)
    assert await read(database, "a") is None


async def test_a_wake_up_comes_after_the_commit_and_once_a_name(database: Database):
    calls: list[str] = []
    async with database.write() as session:
        for _ in range(2):
            after_commit(session, "wake", lambda: calls.append("wake"))
        assert calls == []
    assert calls == ["wake"]


async def test_a_wake_up_does_not_come_without_a_commit(database: Database):
    calls: list[str] = []
    with pytest.raises(RuntimeError):
        await fail_while_writing(database, lambda: calls.append("wake"))
    assert calls == []


async def test_writers_do_not_lose_each_others_changes(database: Database):
    async def meet(number: int) -> None:
        async with database.write() as session:
            await users.ensure(session, number, now=NOW)

    await asyncio.gather(*(meet(number) for number in range(50)))
    async with database.read() as session:
        assert len(await users.search(session, "", limit=100)) == 50


async def test_moments_come_back_in_utc_to_the_microsecond(database: Database):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=7)))
    async with database.write() as session:
        await users.ensure(session, 1, now=elsewhere)
    async with database.read() as session:
        user = await users.find(session, 1)
    assert user
    assert user.created_at == NOW
    assert user.created_at.utcoffset() == timedelta(0)


async def test_a_moment_without_a_zone_is_refused(database: Database):
    with pytest.raises((StatementError, ValueError)):
        async with database.write() as session:
            session.add(User(id=1, created_at=NOW.replace(tzinfo=None)))


async def test_ids_of_telegram_fit(database: Database):
    async with database.write() as session:
        await users.ensure(session, 2**52 - 1, now=NOW)
    async with database.read() as session:
        assert await users.find(session, 2**52 - 1)


async def test_foreign_keys_are_enforced(database: Database):
    with pytest.raises(DBAPIError):
        async with database.write() as session:
            session.add(Sms(order_id=999, fingerprint="0:1", received_at=NOW))


async def test_webhooks_are_stored_first_codes_have_every_second_turn_and_bulk_goes_last(sqlite_url: str):
    sqlite = Database(sqlite_url)
    order: list[str] = []
    gate, has_begun = asyncio.Event(), asyncio.Event()

    async def write(name: str, rank: Rank = Rank.OTHER) -> None:
        async with sqlite.write(rank):
            order.append(name)
            has_begun.set()
            await gate.wait()

    async def store() -> None:
        async with sqlite.driver(Rank.STORING):
            order.append("webhooks")

    tasks = [asyncio.create_task(write("first"))]
    await has_begun.wait()
    others = [write("bulk", Rank.BULK), write("second"), write("third")]
    codes = [write(f"code {number}", Rank.CODE) for number in (1, 2, 3, 4)]
    tasks += [asyncio.create_task(coroutine) for coroutine in (*others, *codes, store())]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)
    assert order == ["first", "webhooks", "code 1", "second", "code 2", "third", "code 3", "code 4", "bulk"]
    await sqlite.aclose()


async def test_a_writer_that_stops_waiting_holds_up_nobody(sqlite_url: str):
    sqlite = Database(sqlite_url)
    gate, has_begun = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with sqlite.write():
            has_begun.set()
            await gate.wait()

    holding = asyncio.create_task(write())
    await has_begun.wait()
    waiting = [asyncio.create_task(write()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    gate.set()
    await holding
    # The next one's turn has come by now, but it has not noticed yet.
    waiting[1].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert results[2] is None
    await sqlite.aclose()


async def test_the_driver_connects_anew_after_its_connection_was_lost(postgresql_url: str):
    database = Database(postgresql_url)
    try:
        async with database.driver() as driver:
            pid = await driver.fetchval("SELECT pg_backend_pid()")
            with pytest.raises(asyncpg.PostgresError):
                await driver.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        async with database.driver() as driver:
            assert await driver.fetchval("SELECT pg_backend_pid()") != pid
    finally:
        await database.aclose()


async def test_on_postgresql_nobody_waits_for_a_driver_of_another_rank(postgresql_url: str):
    database = Database(postgresql_url)
    try:
        async with database.driver() as one, database.driver(Rank.STORING) as other:
            pids = {await driver.fetchval("SELECT pg_backend_pid()") for driver in (one, other)}
        assert len(pids) == 2
    finally:
        await database.aclose()


async def test_on_postgresql_closing_waits_for_the_drivers_statement(postgresql_url: str):
    database = Database(postgresql_url)
    gate, has_begun = asyncio.Event(), asyncio.Event()

    async def work() -> Any:
        async with database.driver() as driver:
            has_begun.set()
            await gate.wait()
            return await driver.fetchval("SELECT 1")

    working = asyncio.create_task(work())
    await has_begun.wait()
    closing = asyncio.create_task(database.aclose())
    await asyncio.sleep(0)
    gate.set()
    await closing
    assert await working == 1

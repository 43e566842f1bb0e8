"""The ledger: one immutable row, one positive move; nothing is lost, made or spent twice."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import ledger as db_ledger
from db.models import Account
from db.session import Database
from sandbox.clock import ManualClock
from services import ledger
from services.errors import InsufficientFunds, KeyReused
from services.ledger import REVENUE, gateway, wallet
from tests.builders import CURRENCY, balance, entries

pytestmark = pytest.mark.anyio

NOW = ManualClock().now()
MINE, YOURS = wallet(1), wallet(2)


async def move(
    database: Database, source: str, destination: str, amount: int, *, key: str, kind: str = "hold"
) -> bool:
    async with database.write() as session:
        return await ledger.move(
            session, source, destination, amount, currency=CURRENCY, kind=kind, key=key, now=NOW
        )


async def top_up(database: Database, amount: int = 100, *, key: str = "start") -> bool:
    return await move(database, gateway("operator"), MINE, amount, key=key, kind="topup")


async def total(database: Database) -> int:
    async with database.read() as session:
        return await db_ledger.total(session)


async def test_a_move_is_one_row_and_two_balances(database: Database):
    assert await top_up(database)
    assert await move(database, MINE, YOURS, 30, key="k")
    [_, entry] = await entries(database)
    assert (entry.source, entry.destination, entry.amount, entry.currency) == (MINE, YOURS, 30, CURRENCY)
    assert (entry.kind, entry.idempotency_key, entry.created_at) == ("hold", "k", NOW)
    assert (await balance(database, MINE), await balance(database, YOURS)) == (70, 30)
    assert await balance(database, gateway("operator")) == -100
    assert await total(database) == 0


async def test_a_replay_changes_nothing(database: Database):
    await top_up(database)
    assert await move(database, MINE, YOURS, 30, key="k")
    assert not await move(database, MINE, YOURS, 30, key="k")
    assert await balance(database, MINE) == 70
    assert len(await entries(database)) == 2


async def test_a_replay_that_could_not_be_paid_any_more_is_still_a_replay(database: Database):
    await top_up(database)
    await move(database, MINE, YOURS, 100, key="k")
    assert not await move(database, MINE, YOURS, 100, key="k")


async def test_simultaneous_replays_move_once(database: Database):
    await top_up(database)
    moved = await asyncio.gather(*(move(database, MINE, YOURS, 30, key="k") for _ in range(10)))
    assert sorted(moved) == [False] * 9 + [True]
    assert await balance(database, YOURS) == 30


@pytest.mark.parametrize(
    ("source", "destination", "amount"), [(MINE, YOURS, 31), (MINE, REVENUE, 30), (YOURS, MINE, 30)]
)
async def test_a_key_names_one_move(database: Database, source: str, destination: str, amount: int):
    await top_up(database)
    await move(database, MINE, YOURS, 30, key="k")
    with pytest.raises(KeyReused):
        await move(database, source, destination, amount, key="k")
    assert await balance(database, YOURS) == 30


async def test_no_wallet_goes_below_zero(database: Database):
    await top_up(database)
    with pytest.raises(InsufficientFunds) as caught:
        await move(database, MINE, YOURS, 101, key="k")
    assert (caught.value.needed, caught.value.available, caught.value.currency) == (101, 100, CURRENCY)
    assert await balance(database, MINE) == 100
    assert len(await entries(database)) == 1


async def test_no_wallet_goes_below_zero_under_concurrency(database: Database):
    await top_up(database)
    results = await asyncio.gather(
        *(move(database, MINE, YOURS, 30, key=f"k{n}") for n in range(10)), return_exceptions=True
    )
    assert results.count(True) == 3
    assert sum(isinstance(result, InsufficientFunds) for result in results) == 7
    assert (await balance(database, MINE), await balance(database, YOURS)) == (10, 90)


async def test_moves_to_and_fro_at_once_neither_deadlock_nor_lose(database: Database):
    await top_up(database, 1000)
    await move(database, MINE, YOURS, 500, key="half")
    both = [(MINE, YOURS), (YOURS, MINE)]
    await asyncio.gather(*(move(database, *both[n % 2], 10, key=f"k{n}") for n in range(40)))
    assert await balance(database, MINE) + await balance(database, YOURS) == 1000
    assert await total(database) == 0


async def test_an_amount_may_be_larger_than_32_bits(database: Database):
    await top_up(database, 3_000_000_000)
    await move(database, MINE, YOURS, 2_500_000_000, key="k")
    assert (await balance(database, MINE), await balance(database, YOURS)) == (500_000_000, 2_500_000_000)


@pytest.mark.parametrize("amount", [0, -5])
async def test_only_positive_amounts_move(database: Database, amount: int):
    await top_up(database)
    with pytest.raises(DBAPIError):
        await move(database, MINE, YOURS, amount, key="k")
    assert await balance(database, MINE) == 100


async def test_a_move_goes_somewhere(database: Database):
    await top_up(database)
    with pytest.raises(DBAPIError):
        await move(database, MINE, MINE, 5, key="k")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount = 1",
        "DELETE FROM ledger_entry",
        "UPDATE ledger_entry SET reason = 'x'",
    ],
)
async def test_entries_are_immutable(database: Database, statement: str):
    await top_up(database)
    with pytest.raises(DBAPIError, match="immutable"):
        async with database.write() as session:
            await (await session.connection()).execute(text(statement))
    assert [entry.amount for entry in await entries(database)] == [100]


async def test_the_database_itself_refuses_a_negative_wallet(database: Database):
    with pytest.raises(DBAPIError, match="never_negative"):
        async with database.write() as session:
            session.add(Account(name=MINE, currency=CURRENCY, balance=-1))


async def test_an_order_is_settled_once(database: Database):
    """By a capture or by a release; whichever comes second is refused, whatever is on hold elsewhere."""
    await top_up(database)
    async with database.write() as session:
        await ledger.move(session, MINE, ledger.held(7), 40, currency=CURRENCY, kind="hold", key="h", now=NOW)
        await settle(session, "capture")
        await settle(session, "capture")
    with pytest.raises(KeyReused):
        async with database.write() as session:
            await settle(session, "release")
    assert await balance(database, ledger.held(7)) == 0
    assert await balance(database, REVENUE) == 40


async def settle(session, how: str) -> None:
    if how == "capture":
        key, destination = "order:7:settle", REVENUE
    else:
        key, destination = "order:7:settle", MINE
    await ledger.move(session, ledger.held(7), destination, 40, currency=CURRENCY, kind=how, key=key, now=NOW)

"""Kill -9 after each commit of a purchase, start again: the end is that of a run without the crash."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from db import ledger as db_ledger
from db import outbox
from db.session import Database
from services.ledger import REVENUE, wallet
from tests.crash.stage import CREDIT, Stage, codes_shown, find_offer, prepare, stage, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

# A purchase with its code takes fewer commits than this; the loop ends at the first that survives.
MOST_COMMITS = 40


def has_shown(on: Stage, purchases: int) -> bool:
    return codes_shown(on) >= purchases


def is_over(on: Stage, purchases: int) -> bool:
    return not on.bot.alive or has_shown(on, purchases)


async def owes_nothing(database: Database) -> bool:
    async with database.read() as session:
        return not await outbox.backlog(session, now=datetime.now(UTC))


async def check_the_end(on: Stage, *, purchases: int = 1) -> None:
    """One number bought and one price paid for each purchase, nothing on hold, nothing lost."""
    assert codes_shown(on) == purchases
    assert len(on.smscode.orders) == purchases
    database = Database(on.database_url)
    try:
        async with database.read() as session:
            left = await db_ledger.balance(session, wallet(on.renter.id))
            earned = await db_ledger.balance(session, REVENUE)
            assert await db_ledger.total(session) == 0
            assert await db_ledger.held_for(session, on.renter.id) == 0
    finally:
        await database.aclose()
    assert left + earned == CREDIT
    assert earned == purchases * 18_000


async def buy_until_one_survives(on: Stage, database: Database) -> int:
    """One purchase after another; the bot dies after the first commit of the first, and so on. How many."""
    for number in range(1, MOST_COMMITS):
        await on.start_bot(die_after=number)
        if number == 1:
            await prepare(on)
        else:
            await until(partial(has_shown, on, number - 1))
            await find_offer(on.renter)
        await until(partial(owes_nothing, database))
        on.fuse.touch()
        await on.renter.press("Buy for")
        await until(partial(is_over, on, number))
        if on.bot.alive:
            return number
    pytest.fail("no purchase ended without a crash")


async def test_killed_after_any_commit_of_a_purchase(tmp_path):
    url = f"sqlite:///{tmp_path / 'numlet.db'}"
    many = {"ORDER_LIMIT": "100", "ORDER_LIMIT_PER_HOUR": "100"}
    database = Database(url)
    try:
        async with stage(tmp_path, url, code_after=timedelta(seconds=0.3), changed=many) as on:
            purchases = await buy_until_one_survives(on, database)
            await on.bot.kill()
            await check_the_end(on, purchases=purchases)
    finally:
        await database.aclose()
    assert purchases > 5, "a purchase has more commits than that: was the fuse lit?"


@pytest.mark.parametrize("kind", ["lost_answer", "timeout"])
async def test_killed_while_the_supplier_answers(tmp_path, database_url, kind):
    async with stage(tmp_path, database_url, code_after=timedelta(seconds=0.3)) as on:
        await on.start_bot()
        await prepare(on)
        on.smscode.trouble.fail_next(kind, path="/orders/create")
        await on.renter.press("Buy")
        if kind == "lost_answer":
            await until(lambda: len(on.smscode.orders) == 1)
        else:
            await until(lambda: not on.smscode.trouble.faults)
        await on.bot.kill()
        await on.start_bot()
        await until(lambda: codes_shown(on) > 0)
        await on.bot.kill()
        await check_the_end(on)

"""Kill -9 after each commit of a purchase, start again: the end is that of a run without the crash."""

from datetime import timedelta
from functools import partial

import pytest

from db import ledger as db_ledger
from db.session import Database
from services.ledger import REVENUE, wallet
from tests.crash.stage import CREDIT, Stage, codes_shown, prepare, stage, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

# A purchase with its code takes fewer commits than this; the loop ends at the first that survives.
MOST_COMMITS = 40


def is_over(on: Stage) -> bool:
    return not on.bot.alive or codes_shown(on) > 0


async def check_the_end(on: Stage) -> None:
    """One number bought, one price paid, nothing on hold, nothing lost."""
    assert len(on.smscode.orders) == 1
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
    assert earned == 18_000


async def test_killed_after_any_commit_of_a_purchase(tmp_path):
    survived = False
    for commit in range(1, MOST_COMMITS):
        folder = tmp_path / str(commit)
        folder.mkdir()
        url = f"sqlite:///{folder / 'numlet.db'}"
        async with stage(folder, url, code_after=timedelta(seconds=0.3)) as on:
            await on.start_bot(die_after=commit)
            await prepare(on)
            on.fuse.touch()
            await on.renter.press("Buy")
            await until(partial(is_over, on))
            survived = on.bot.alive and codes_shown(on) > 0
            if not survived:
                await on.start_bot()
            await until(partial(codes_shown, on))
            await on.bot.kill()
            assert codes_shown(on) == 1
            await check_the_end(on)
        if survived:
            assert commit > 5, "a purchase has more commits than that: was the fuse lit?"
            return
    pytest.fail("the purchase never ended")


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

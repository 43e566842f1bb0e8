"""What `/audit` shows."""

import pytest
from sqlalchemy import text

pytestmark = pytest.mark.anyio


async def shift_money(stage, amount: int) -> None:
    """What no code of ours does: both balances wrong, their sum right."""
    async with stage.world.database.write() as session:
        connection = await session.connection()
        for account, change in (("wallet:42", amount), ("gateway:operator", -amount)):
            statement = text("UPDATE account SET balance = balance + :change WHERE name = :account")
            await connection.execute(statement, {"account": account, "change": change})


async def test_the_verdict_comes_first(stage, ann, olga):
    await stage.world.balances.take("smscode")
    await stage.world.rent(42)
    await stage.world.pass_time(minutes=2)
    await stage.world.balances.take("smscode")
    await olga.say("/audit")
    screen = await olga.wait_for("All sums agree.")
    assert screen.text.startswith("✅ All sums agree.")
    assert "The whole ledger has not been gone through yet." in screen.text
    assert "Reserved: Rp\N{NO-BREAK SPACE}18,000" in screen.text
    assert "Came in by the operator: Rp\N{NO-BREAK SPACE}280,000" in screen.text
    assert "smscode says that we have Rp\N{NO-BREAK SPACE}49,985,000, as our orders explain." in screen.text


async def test_everything_is_checked_on_request(stage, ann, olga):
    await shift_money(stage, 7)
    await olga.say("/audit")
    await olga.wait_for("All sums agree.")
    await olga.tap("Check everything")
    screen = await olga.wait_for("Something does not agree.")
    assert "Balances that are not the sum of their entries: 2, by Rp\N{NO-BREAK SPACE}14" in screen.text
    assert "The whole ledger was gone through" in screen.text
    alert = await olga.wait_for("The books do not agree.", after=screen)
    assert "/audit" in alert.text
    await olga.say("/audit")
    again = await olga.wait_for("Something does not agree.", after=alert)
    assert "Balances against entries: at the last check of everything" in again.text


async def test_operators_are_told_of_the_end_too(stage, ann, olga):
    for amount in (7, -7):
        await shift_money(stage, amount)
        await stage.world.watch.look(full=True)
        await stage.world.settle()
    await olga.wait_for("Balances against entries: it agrees again.")


async def test_operators_are_told_what_a_supplier_took(stage, olga):
    await stage.world.balances.take("smscode")
    stage.world.vendor.balance -= 5_000
    await stage.world.balances.take("smscode")
    await stage.world.settle()
    alert = await olga.wait_for("smscode took Rp\N{NO-BREAK SPACE}5,000 more than our orders cost")
    assert "since 2026-02-25 10:00 UTC" in alert.text


async def test_the_margin_is_shown_by_period_and_by_what_earned_it(stage, ann, olga):
    await stage.world.receive(await stage.world.rent(42), "482913")
    await olga.say("/audit")
    await olga.tap("7 days")
    screen = await olga.wait_for("Margin: 7 days")
    assert "Profit: Rp\N{NO-BREAK SPACE}3,000" in screen.text
    assert "Orders with a code: 1" in screen.text
    assert "smscode: Rp\N{NO-BREAK SPACE}3,000 (1)" in screen.text
    await olga.tap("Services")
    assert "WhatsApp: Rp\N{NO-BREAK SPACE}3,000 (1)" in (await olga.wait_for("WhatsApp")).text
    await olga.tap("Today")
    await olga.tap("Days")
    assert "2026-02-25: Rp\N{NO-BREAK SPACE}3,000 (1)" in (await olga.wait_for("2026-02-25")).text
    await olga.tap("‹ Audit")
    await olga.wait_for("All sums agree.")


async def test_what_a_supplier_cannot_explain_stands_beside_the_margin(stage, olga):
    await stage.world.balances.take("smscode")
    stage.world.vendor.balance += 500
    await stage.world.balances.take("smscode")
    await olga.say("/audit")
    assert (
        "Rp\N{NO-BREAK SPACE}500 more than our orders explain: a top-up?"
        in (await olga.wait_for("All sums agree.")).text
    )
    await olga.tap("30 days")
    assert "smscode: topped up Rp\N{NO-BREAK SPACE}500" in (await olga.wait_for("Margin: 30 days")).text


async def test_renters_see_nothing_of_it(stage, ann):
    await ann.say("/audit")
    answer = await ann.wait_for("command")
    assert "agree" not in answer.text

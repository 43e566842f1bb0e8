"""The audit finds whatever does not agree, and nothing else."""

import asyncio

import pytest
from sqlalchemy import text

from db.session import Database
from services.audit import Check, Margin, Report, StarBooks
from services.breaker import REST
from services.payments import StarPayment
from services.rates import Rates
from services.supplier_balances import SupplierBalances
from tests.builders import COST, CURRENCY, PRICE, RENTER, STARS_RATE, World

pytestmark = pytest.mark.anyio

UNGUARD = {
    True: ["DROP TRIGGER ledger_entry_no_update", "DROP TRIGGER ledger_entry_no_delete"],
    False: ["ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_immutable"],
}
GUARD = "ALTER TABLE ledger_entry ENABLE TRIGGER ledger_entry_immutable"


async def tamper(database: Database, *statements: str) -> None:
    """What no code of ours does."""
    async with database.write() as session:
        for statement in statements:
            await (await session.connection()).execute(text(statement))


async def examine(world: World) -> Report:
    return await world.audit.examine(full=True)


def found(report: Report) -> dict[Check, tuple[int, int, str]]:
    return {finding.check: (finding.count, finding.amount, finding.example) for finding in report.findings}


async def test_an_honest_shop_agrees(world: World):
    waiting, coded, ended = await world.rent(), await world.rent(), await world.rent()
    await world.receive(coded, "482913")
    await world.pass_time(minutes=3)
    await world.orders.cancel(RENTER, ended.id or 0)
    await world.settle()
    report = await examine(world)
    assert report.findings == ()
    assert report.checks == tuple(Check)
    assert report.entries == 6
    sums = {group.name: (group.accounts, group.balance) for group in report.groups}
    assert sums == {
        "gateway:operator": (1, -10 * PRICE),
        "held": (3, PRICE),
        "revenue": (1, PRICE),
        "wallet": (1, 8 * PRICE),
    }
    assert (await world.order(waiting)).status == "active"


async def test_an_empty_shop_agrees(database: Database, world: World):
    assert (await world.audit.examine(full=False)).agrees


async def test_a_balance_changed_by_hand_is_found_twice(world: World):
    await tamper(world.database, f"UPDATE account SET balance = balance + 5 WHERE name = 'wallet:{RENTER}'")
    assert found(await examine(world)) == {
        Check.SUM: (1, 5, ""),
        Check.BALANCES: (1, 5, f"wallet:{RENTER}"),
    }


async def test_money_shifted_between_accounts_is_found_in_both(world: World):
    await world.rent()
    await tamper(
        world.database,
        f"UPDATE account SET balance = balance + 7 WHERE name = 'wallet:{RENTER}'",
        "UPDATE account SET balance = balance - 7 WHERE name = 'gateway:operator'",
    )
    assert found(await examine(world)) == {Check.BALANCES: (2, 14, "gateway:operator")}


async def test_what_takes_the_whole_ledger_is_left_to_the_full_examination(world: World):
    await tamper(
        world.database,
        f"UPDATE account SET balance = balance + 7 WHERE name = 'wallet:{RENTER}'",
        "UPDATE account SET balance = balance - 7 WHERE name = 'gateway:operator'",
    )
    report = await world.audit.examine(full=False)
    assert report.agrees
    assert report.entries is None
    assert Check.BALANCES not in report.checks


async def test_a_wallet_below_zero_is_found_whatever_its_flag_says(world: World):
    await tamper(
        world.database,
        f"UPDATE account SET may_go_below_zero = true, balance = -3 WHERE name = 'wallet:{RENTER}'",
    )
    assert found(await examine(world))[Check.BELOW_ZERO] == (1, -3, "wallet")


async def test_a_hold_without_its_order_and_an_order_without_its_hold_are_found(world: World):
    order, other = await world.rent(), await world.rent()
    await tamper(
        world.database,
        f"UPDATE number_order SET status = 'expired' WHERE id = {order.id}",
        f"UPDATE account SET balance = 0 WHERE name = 'held:{other.id}'",
        "UPDATE account SET balance = balance + 18000 WHERE name = 'revenue'",
    )
    differs = found(await examine(world))
    assert differs[Check.HOLDS] == (2, 2 * PRICE, f"held:{order.id}")
    assert differs[Check.SETTLEMENTS] == (1, PRICE, f"order {order.id}")


async def test_an_order_that_ended_otherwise_than_its_money_is_found(world: World):
    order = await world.rent()
    await world.receive(order, "482913")
    await tamper(world.database, f"UPDATE number_order SET status = 'canceled' WHERE id = {order.id}")
    assert found(await examine(world)) == {Check.SETTLEMENTS: (1, PRICE, f"order {order.id}")}


async def test_a_ledger_without_its_triggers_is_found(world: World):
    await tamper(world.database, *UNGUARD[world.database.is_sqlite])
    try:
        assert [finding.check for finding in (await world.audit.examine(full=False)).findings] == [
            Check.GUARD
        ]
    finally:
        if not world.database.is_sqlite:
            await tamper(world.database, GUARD)


async def test_an_entry_taken_out_is_found(world: World):
    order = await world.rent()
    await world.receive(order, "482913")
    sqlite = world.database.is_sqlite
    delete = f"DELETE FROM ledger_entry WHERE idempotency_key = 'order:{order.id}:settle'"
    await tamper(world.database, *UNGUARD[sqlite], delete, *([] if sqlite else [GUARD]))
    differs = found(await examine(world))
    assert differs[Check.BALANCES] == (2, 2 * PRICE, f"held:{order.id}")
    assert differs[Check.SETTLEMENTS] == (1, PRICE, f"order {order.id}")


async def test_earnings_are_what_captures_brought_less_their_cost(world: World):
    for code in ("111111", "222222"):
        await world.receive(await world.rent(), code)
    await world.rent()
    earned = await world.audit.earnings(days=1)
    margin = Margin(orders=2, income=2 * PRICE, cost=2 * COST)
    assert earned.total == margin
    assert margin.profit == 2 * (PRICE - COST)
    assert earned.suppliers == [("smscode", margin)]
    assert earned.services == [("WhatsApp", margin)]
    assert earned.by_day == [(f"{world.clock.now():%Y-%m-%d}", margin)]


async def test_earnings_of_a_period_begin_with_its_first_day(world: World):
    await world.receive(await world.rent(), "111111")
    first = f"{world.clock.now():%Y-%m-%d}"
    await world.pass_time(days=6)
    await world.receive(await world.rent(), "222222")
    assert (await world.audit.earnings(days=1)).total.orders == 1
    week = await world.audit.earnings(days=7)
    assert [(day, margin.orders) for day, margin in week.by_day] == [
        (f"{world.clock.now():%Y-%m-%d}", 1),
        (first, 1),
    ]
    await world.pass_time(days=1)
    assert (await world.audit.earnings(days=7)).total.orders == 1


class TestStars:
    async def pay(self, world: World, stars: int = 90) -> int:
        """The payment's id."""
        invoice = await world.invoices.offer_topup(RENTER, stars)
        charge = f"charge of {invoice.token}"
        await world.payments.record(StarPayment(charge, invoice.token, RENTER, stars, world.clock.now()))
        await world.settle()
        [payment, *_] = await world.payments.of_user(RENTER, limit=1)
        return payment.id or 0

    async def test_payments_and_refunds_agree_and_are_counted(self, world: World):
        await self.pay(world, 90)
        await world.pass_time(days=22)
        await world.refunds.refund(await self.pay(world, 40), by=1)
        await self.pay(world, 30)
        report = await examine(world)
        assert report.findings == ()
        assert report.stars == StarBooks(received=160, returned=40, locked=30)

    async def test_a_refund_of_what_was_spent_agrees(self, world: World):
        await world.accounts.debit(RENTER, 10 * PRICE, key="all", reason=None)
        payment = await self.pay(world, 90)
        await world.rent()
        await world.refunds.refund(payment, by=1)
        report = await examine(world)
        assert report.findings == ()
        assert {group.name: group.balance for group in report.groups}["debt"] == -PRICE

    async def test_a_payment_that_the_books_do_not_know_is_found(self, world: World):
        await self.pay(world, 90)
        await tamper(world.database, "UPDATE payment SET status = 'refunded'")
        assert found(await examine(world)) == {Check.PAYMENTS: (1, 90 * STARS_RATE, "gateway:stars")}

    async def test_a_payment_that_nobody_was_credited_for_is_found(self, world: World):
        payment = await self.pay(world, 90)
        await tamper(world.database, f"UPDATE payment SET id = {payment + 1_000_000}")
        assert found(await examine(world)) == {Check.CREDITS: (1, 90 * STARS_RATE, f"wallet:{RENTER}")}

    async def test_a_debt_beside_money_is_found(self, world: World):
        await tamper(
            world.database,
            f"INSERT INTO account VALUES ('debt:{RENTER}', 'IDR', -5, true)",
            "UPDATE account SET balance = balance + 5 WHERE name = 'gateway:operator'",
        )
        assert found(await examine(world))[Check.DEBTS] == (1, 5, f"debt:{RENTER}")


class TestWatch:
    async def test_a_difference_is_told_once_and_so_is_its_end(self, world: World):
        wrong = f"UPDATE account SET balance = balance + 5 WHERE name = 'wallet:{RENTER}'"
        await world.watch.tick()
        await tamper(world.database, wrong)
        for _ in range(3):
            await world.watch.look(full=False)
        await world.settle()
        assert world.sent.of("alert") == [
            {
                "name": "audit_differs",
                "check": Check.SUM,
                "count": 1,
                "amount": 5,
                "currency": CURRENCY,
                "example": "",
            }
        ]
        await tamper(world.database, wrong.replace("+", "-"))
        for _ in range(3):
            await world.watch.look(full=False)
        await world.settle()
        assert world.sent.of("alert")[1:] == [{"name": "audit_agrees", "check": Check.SUM}]

    async def test_a_difference_that_comes_back_is_told_again(self, world: World):
        wrong = f"UPDATE account SET balance = balance + 5 WHERE name = 'wallet:{RENTER}'"
        for change in (wrong, wrong.replace("+", "-"), wrong):
            await tamper(world.database, change)
            await world.watch.look(full=False)
            await world.pass_time(minutes=5)
        assert world.sent.alerts == ["audit_differs", "audit_agrees", "audit_differs"]

    async def test_a_cheap_look_does_not_end_what_only_a_full_one_sees(self, world: World):
        await world.watch.tick()
        await tamper(
            world.database,
            f"UPDATE account SET balance = balance + 7 WHERE name = 'wallet:{RENTER}'",
            "UPDATE account SET balance = balance - 7 WHERE name = 'gateway:operator'",
        )
        await world.watch.tick()
        await world.settle()
        assert world.sent.alerts == []
        await world.pass_time(hours=6)
        for _ in range(2):
            await world.watch.tick()
        await world.settle()
        assert world.sent.alerts == ["audit_differs"]
        watched = await world.watch.watched()
        assert watched.differs_since == {Check.BALANCES: world.clock.now()}
        assert watched.full_at == world.clock.now()

    async def test_the_ledger_is_gone_through_every_six_hours(self, world: World):
        await world.watch.tick()
        first = (await world.watch.watched()).full_at
        await world.pass_time(hours=5, minutes=59)
        await world.watch.tick()
        assert (await world.watch.watched()).full_at == first
        await world.pass_time(minutes=1)
        await world.watch.tick()
        assert (await world.watch.watched()).full_at == world.clock.now()

    async def test_two_looks_at_once_tell_of_it_once(self, world: World):
        await tamper(world.database, "UPDATE account SET balance = balance + 5 WHERE name LIKE 'wallet:%'")
        await asyncio.gather(*(world.watch.look(full=True) for _ in range(4)))
        await world.settle()
        assert sorted(alert["check"] for alert in world.sent.of("alert")) == [Check.BALANCES, Check.SUM]


class TestSupplierBalances:
    async def compare(self, world: World) -> tuple[int | None, int]:
        """What is not explained since the last time, and how much of it is no news."""
        await world.balances.take("smscode")
        [books] = await world.audit.suppliers(days=1)
        return books.last.unexplained, books.last.tolerance

    async def test_at_first_there_is_nothing_to_compare_with(self, world: World):
        assert await self.compare(world) == (None, 0)

    async def test_what_orders_cost_and_what_comes_back_is_explained(self, world: World):
        await self.compare(world)
        kept, canceled, waiting = await world.rent(), await world.rent(), await world.rent()
        await world.receive(kept, "482913")
        await world.pass_time(minutes=3)
        await world.orders.cancel(RENTER, canceled.id or 0)
        await world.settle()
        await world.pass_time(minutes=1)
        assert await self.compare(world) == (0, 0)
        assert (await world.order(waiting)).status == "active"
        await world.pass_time(hours=1)
        await world.expire()
        await world.pass_time(minutes=1)
        assert await self.compare(world) == (0, 0)

    async def test_a_loss_is_told_once(self, world: World):
        await self.compare(world)
        world.vendor.balance -= 5_000
        await world.pass_time(hours=1)
        assert await self.compare(world) == (-5_000, 0)
        assert await self.compare(world) == (0, 0)
        await world.settle()
        [alert] = world.sent.of("alert")
        assert (alert["name"], alert["supplier"], alert["amount"]) == ("supplier_took_more", "smscode", 5_000)

    async def test_a_top_up_is_no_difference(self, world: World):
        await self.compare(world)
        world.vendor.balance += 1_000_000
        assert await self.compare(world) == (1_000_000, 0)
        world.vendor.balance -= 700
        assert await self.compare(world) == (-700, 0)
        await world.settle()
        assert world.sent.alerts == ["supplier_took_more"]
        [books] = await world.audit.suppliers(days=1)
        assert (books.topped_up, books.unexplained) == (1_000_000, -700)

    async def test_a_purchase_without_an_answer_may_be_either_way(self, world: World):
        await self.compare(world)
        # Neither the purchase nor its repetition is answered, nor is the list of orders.
        for path in ("/orders/create", "/orders/create", "/orders"):
            world.vendor.trouble.fail_next("lost_answer", path=path)
        await world.place()
        await world.settle()
        # After three failures it is left alone for a while.
        world.clock.advance(REST)
        assert await self.compare(world) == (-COST, COST)
        await world.pass_time(minutes=5)
        assert await self.compare(world) == (COST, 2 * COST)
        await world.settle()
        assert world.sent.alerts == []

    async def test_an_order_that_should_have_ended_may_be_either_way(self, world: World):
        await world.rent()
        await world.pass_time(minutes=1)
        await self.compare(world)
        world.vendor.trouble.drop_webhooks = True
        await world.pass_time(hours=1)
        assert await self.compare(world) == (COST, COST)
        await world.expire()
        await world.pass_time(minutes=1)
        assert await self.compare(world) == (-COST, COST)
        assert world.sent.alerts == []
        assert await self.compare(world) == (0, 0)

    async def test_costs_that_were_converted_are_allowed_to_be_a_little_off(self, world: World):
        rates = Rates({"USD"})
        [supplier] = world.suppliers
        await rates.refresh(supplier)
        abroad = SupplierBalances(
            world.database, world.clock, world.suppliers, rates, world.announcer, currency="USD"
        )
        await abroad.take("smscode")
        order = await world.rent()
        # 92 cents at the sandbox's rate of 16,250 are 14,950 rupiah.
        await tamper(world.database, f"UPDATE number_order SET cost = 92 WHERE id = {order.id}")
        await world.pass_time(minutes=1)
        await abroad.take("smscode")
        [books] = await world.audit.suppliers(days=1)
        assert (books.last.unexplained, books.last.tolerance) == (-50, 14_950 * 5 // 100)
        await world.settle()
        assert world.sent.alerts == []

    async def test_without_a_rate_nothing_is_compared(self, world: World):
        abroad = SupplierBalances(
            world.database, world.clock, world.suppliers, Rates({"USD"}), world.announcer, currency="USD"
        )
        for _ in range(2):
            await abroad.take("smscode")
        [books] = await world.audit.suppliers(days=1)
        assert books.last.unexplained is None

    async def test_a_number_bought_there_by_somebody_else_is_a_loss(self, world: World):
        await self.compare(world)
        world.vendor.buy(world.vendor.find_product("wa", "ID").id, 1)
        await world.pass_time(seconds=1)
        assert await self.compare(world) == (-COST, 0)
        await world.settle()
        assert world.sent.alerts == ["supplier_took_more"]

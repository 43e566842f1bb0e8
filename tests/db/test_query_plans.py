"""The work lists cost what is due, not what there is: their queries go through the partial indexes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel.ext.asyncio.session import AsyncSession

from db import (
    acts,
    audit,
    deliveries,
    invitations,
    ledger,
    lookouts,
    margin,
    notes,
    orders,
    outbox,
    outcomes,
    payments,
    phones,
    statistics,
    supplier_balances,
    texts,
    users,
    vouchers,
)
from db.models import Order
from db.session import Database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)


async def new_orders(session: AsyncSession) -> list[list[str]]:
    return [refs async for refs in orders.waiting_refs(session, "smscode", since=NOW, at_a_time=10)]


ENDED = Order(purchase_id=1, user_id=1, phone_number="+621", created_at=NOW, activated_at=NOW)


async def new_totals(session: AsyncSession) -> list[Any]:
    return [rows async for rows in outcomes.totals(session, since=1, at_a_time=10)]


QUERIES: dict[str, tuple[Callable[[AsyncSession], Awaitable[Any]], set[str]]] = {
    "what is due": (lambda s: orders.due(s, now=NOW, limit=10), {"ix_number_order_due"}),
    "the next expiry": (lambda s: orders.next_check(s), {"ix_number_order_due"}),
    "a renter's open orders": (lambda s: orders.count_open(s, 1), {"ix_number_order_open"}),
    "a renter's purchases of an hour": (
        lambda s: orders.count_bought(s, 1, since=NOW),
        {"ix_purchase_user_id_created_at"},
    ),
    "a renter's last purchases": (
        lambda s: orders.last_bought(s, 1, limit=10),
        {"ix_purchase_user_id_created_at"},
    ),
    "what a renter has ordered": (
        lambda s: orders.services_of(s, 1),
        {"ix_purchase_user_id_created_at"},
    ),
    "a renter's newest open order": (
        lambda s: orders.of_user(s, 1, open_only=True, limit=1, offset=0),
        {"ix_number_order_open"},
    ),
    "a supplier's order": (
        lambda s: orders.lock_rented_by_ref(s, "smscode", "1"),
        {"sqlite_autoindex_number_order_1"},
    ),
    "a number's orders": (
        lambda s: orders.of_numbers(s, "numberpanel", ["+621", "+622"]),
        {"ix_number_order_supplier_phone_number"},
    ),
    "whether a delivery waits": (
        lambda s: deliveries.any_unhandled(s, "numberpanel", before=NOW),
        {"ix_webhook_delivery_unhandled"},
    ),
    "how many orders are open": (orders.count_by_state, {"ix_number_order_open"}),
    "a supplier's new orders": (lambda s: new_orders(s), {"ix_number_order_waiting"}),
    "a supplier's orders by reference": (
        lambda s: orders.waiting_of_refs(s, "smscode", ["1", "2"]),
        {"sqlite_autoindex_number_order_1"},
    ),
    "unhandled deliveries": (
        lambda s: deliveries.unhandled(s, before=NOW, limit=10),
        {"ix_webhook_delivery_unhandled"},
    ),
    "claimable messages": (
        lambda s: outbox.claim(s, "CODE", now=NOW, until=NOW, limit=10),
        {"ix_outbox_message_owed", "ix_outbox_message_serial"},
    ),
    "the first message": (lambda s: outbox.first_due(s, "CODE", now=NOW), {"ix_outbox_message_owed"}),
    "the next message": (lambda s: outbox.next_due(s, "CODE", after=NOW), {"ix_outbox_message_owed"}),
    "a renter's texts that no sender has": (
        lambda s: texts.queued_of(s, 1, "code"),
        {"ix_text_message_queued"},
    ),
    "a broadcast's texts": (lambda s: texts.count_of_broadcast(s, 1), {"ix_text_message_broadcast"}),
    "a renter's codes for a phone": (lambda s: phones.newest_check(s, 1), {"ix_phone_check_user_id_id"}),
    "texts to ask about": (lambda s: texts.due(s, now=NOW, limit=10), {"ix_text_message_due"}),
    "a renter's wrong guesses": (
        lambda s: vouchers.nth_last_guess(s, 5, since=NOW, user_id=1),
        {"ix_wrong_guess_user_id_guessed_at"},
    ),
    "everybody's wrong guesses": (
        lambda s: vouchers.nth_last_guess(s, 200, since=NOW),
        {"ix_wrong_guess_guessed_at"},
    ),
    "a renter's friends": (lambda s: invitations.count_friends(s, 1), {"ix_invitation_inviter_id"}),
    "a renter's rewards": (
        lambda s: invitations.earned(s, "wallet:1"),
        {"ix_ledger_entry_source_id", "ix_ledger_entry_destination_id"},
    ),
    "the next page of a statement": (
        lambda s: ledger.moves_after(s, "wallet:1", 1, limit=1000),
        {"ix_ledger_entry_source_id", "ix_ledger_entry_destination_id"},
    ),
    "somebody's payments": (
        lambda s: payments.of_user(s, 1, limit=10),
        {"ix_payment_user_id_paid_at"},
    ),
    "somebody's Stars of a day": (
        lambda s: payments.stars_paid(s, 1, since=NOW),
        {"ix_payment_user_id_paid_at"},
    ),
    "what paid for a purchase": (
        lambda s: payments.find_of_purchase(s, 1),
        {"sqlite_autoindex_payment_3"},
    ),
    "the margin of a period": (lambda s: margin.rows(s, since=NOW), {"ix_ledger_entry_created_at"}),
    "the money of a period": (
        lambda s: statistics.money(s, since=NOW, until=NOW, step=statistics.Step.DAY),
        {"ix_ledger_entry_created_at"},
    ),
    "the sales of a period": (
        lambda s: statistics.sales(s, since=NOW, until=NOW),
        {"ix_purchase_created_at"},
    ),
    "the buyers of a period": (
        lambda s: statistics.count_buyers(s, since=NOW, until=NOW),
        {"ix_purchase_created_at", "ix_purchase_user_id_created_at"},
    ),
    "the buyers of each day": (
        lambda s: statistics.buyers(s, since=NOW, until=NOW, step=statistics.Step.DAY),
        {"ix_purchase_created_at", "ix_purchase_user_id_created_at"},
    ),
    "the newcomers of a period": (
        lambda s: statistics.newcomers(s, since=NOW, until=NOW),
        {"ix_user_account_created_at", "ix_ledger_entry_destination_id", "ix_number_order_user_id_id"},
    ),
    "the outcomes of a period": (
        lambda s: outcomes.by_supplier(s, since=1, until=2),
        {"sqlite_autoindex_outcome_1"},
    ),
    "a supplier's last balance": (
        lambda s: supplier_balances.find_last(s, "smscode"),
        {"ix_supplier_balance_supplier_id"},
    ),
    "the acts of a person": (
        lambda s: acts.newest(s, person_id=1, limit=8, offset=0),
        {"ix_act_operator_id_id", "ix_act_user_id_id"},
    ),
    "notes on a renter": (lambda s: notes.of_user(s, 1, limit=2), {"ix_note_user_id"}),
    "who works here": (users.with_role, {"ix_user_account_team"}),
    "who waits for a price": (
        lambda s: lookouts.take(s, 1, "ID", price=1, now=NOW, limit=10),
        {"ix_lookout_service_id_country_below"},
    ),
    "counts of the last days": (
        lambda s: new_totals(s),
        {"sqlite_autoindex_outcome_1"},
    ),
    "whether a number was rented again": (
        lambda s: orders.is_rented_again(s, ENDED),
        {"ix_number_order_phone_number"},
    ),
    "how many messages are owed": (lambda s: outbox.backlog(s, now=NOW), {"ix_outbox_message_owed"}),
    "how much is not handled": (deliveries.backlog, {"ix_webhook_delivery_unhandled"}),
}


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    database = Database(sqlite_url)
    yield database
    await database.aclose()


@pytest.mark.parametrize("name", QUERIES)
async def test_a_work_list_is_read_through_its_index(sqlite: Database, name: str):
    query, indexes = QUERIES[name]
    plan = await explain(sqlite, query)
    assert {index for index in indexes if index not in plan} == set(), plan
    assert not table_scans(plan), plan


def table_scans(plan: str) -> list[str]:
    """Tables that are gone through whole; what a subquery of the statement's own found may be."""
    lines = plan.splitlines()
    subqueries = {line.split()[-1] for line in lines if line.startswith(("CO-ROUTINE", "MATERIALIZE"))}
    scans = [line for line in lines if line.startswith("SCAN") and "INDEX" not in line]
    return [line for line in scans if line.split()[1] not in subqueries]


async def test_the_audit_of_holds_goes_through_accounts_but_not_through_ended_orders(sqlite: Database):
    assert "ix_number_order_open" in await explain(sqlite, audit.wrong_holds)


async def explain(database: Database, query: Callable[[AsyncSession], Awaitable[Any]]) -> str:
    """SQLite's plan for what a query function really sends."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    async with database.write() as session:
        connection = await session.connection()
        assert connection.sync_connection
        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await query(session)
        event.remove(connection.sync_connection, "before_cursor_execute", note)
        statement, parameters = sent[-1]
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row["detail"] for row in rows.mappings())

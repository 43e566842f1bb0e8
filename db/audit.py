"""What the audit counts: one aggregate statement a question, so each sees the whole at one moment.

In plain SQL, which an operator can paste and check, and which owes nothing to the code that it checks.
Nothing is locked: the shop goes on meanwhile.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult
from sqlmodel.ext.asyncio.session import AsyncSession

from db.dialect import is_sqlite

GROUPS = """
    SELECT name, currency, count(*), sum(balance), sum(is_below_zero), sum(is_below_zero * balance)
    FROM (
        SELECT CASE
                WHEN name LIKE 'wallet:%' THEN 'wallet'
                WHEN name LIKE 'held:%' THEN 'held'
                WHEN name LIKE 'debt:%' THEN 'debt'
                ELSE name
            END AS name,
            currency, balance, CASE WHEN balance < 0 THEN 1 ELSE 0 END AS is_below_zero
        FROM account
    ) AS grouped
    GROUP BY name, currency
"""

WRONG_BALANCES = """
    SELECT name, sum(amount) AS amount
    FROM (
        SELECT name, -balance AS amount FROM account
        UNION ALL SELECT destination, amount FROM ledger_entry
        UNION ALL SELECT source, -amount FROM ledger_entry
    ) AS moves
    GROUP BY name
    HAVING sum(amount) <> 0
"""

# The condition on the state is the one of the partial index on open orders, and narrows it afterwards.
WRONG_HOLDS = """
    SELECT name, sum(amount) AS amount
    FROM (
        SELECT name, balance AS amount FROM account WHERE name LIKE 'held:%' AND balance <> 0
        UNION ALL
        SELECT 'held:' || o.id, -p.price
        FROM number_order AS o JOIN purchase AS p ON p.id = o.purchase_id
        WHERE o.status IN ('pending','active','received') AND o.status <> 'received'
        UNION ALL
        SELECT a.name, -t.charge
        FROM account AS a JOIN text_message AS t
            ON t.id = CASE WHEN a.name LIKE 'held:text:%' THEN CAST(substr(a.name, 11) AS BIGINT) END
        WHERE a.name LIKE 'held:text:%' AND a.balance <> 0 AND t.status IN ('queued','sending')
    ) AS holds
    GROUP BY name
    HAVING sum(amount) <> 0
"""

WRONG_SETTLEMENTS = """
    SELECT 'order ' || o.id AS name, p.price AS amount
    FROM number_order AS o
    JOIN purchase AS p ON p.id = o.purchase_id
    LEFT JOIN ledger_entry AS e ON e.idempotency_key = 'order:' || o.id || ':settle'
    WHERE o.status NOT IN ('pending','active')
        AND (
            e.id IS NULL OR e.amount <> p.price
            OR e.kind <> CASE
                WHEN o.status IN ('received','completed') THEN 'capture'
                WHEN o.notice = 'swapped' THEN 'swap'
                ELSE 'release'
            END
        )
    UNION ALL
    SELECT 'order ' || o.id, p.price
    FROM number_order AS o
    JOIN purchase AS p ON p.id = o.purchase_id
    LEFT JOIN ledger_entry AS e ON e.idempotency_key = 'order:' || o.id || ':late'
    WHERE o.late_paid_at IS NOT NULL AND (e.id IS NULL OR e.amount <> p.price)
        OR o.late_paid_at IS NULL AND e.id IS NOT NULL
"""

WRONG_PAYMENTS = """
    SELECT 'gateway:stars' AS name, difference AS amount
    FROM (
        SELECT (SELECT coalesce(sum(amount), 0) FROM payment WHERE status = 'paid')
            + coalesce((SELECT balance FROM account WHERE name = 'gateway:stars'), 0) AS difference
    ) AS stars
    WHERE difference <> 0
"""

WRONG_CREDITS = """
    SELECT 'wallet:' || p.user_id AS name, p.amount
    FROM payment AS p
    LEFT JOIN ledger_entry AS e ON e.idempotency_key = 'payment:' || p.id
    WHERE e.id IS NULL OR e.amount <> p.amount OR e.destination <> 'wallet:' || p.user_id
"""

WRONG_REFUNDS = """
    SELECT 'order ' || e.order_id AS name, e.amount
    FROM ledger_entry AS e
    LEFT JOIN number_order AS o ON o.id = e.order_id
    LEFT JOIN ledger_entry AS c
        ON c.idempotency_key IN ('order:' || e.order_id || ':settle', 'order:' || e.order_id || ':late')
            AND c.kind IN ('capture', 'late')
    WHERE e.kind = 'refund'
        AND (
            c.id IS NULL OR c.amount <> e.amount OR e.destination <> 'wallet:' || o.user_id
            OR e.idempotency_key <> 'order:' || e.order_id || ':refund'
        )
    UNION ALL
    SELECT 'order ' || d.order_id, p.price
    FROM dispute AS d
    JOIN number_order AS o ON o.id = d.order_id
    JOIN purchase AS p ON p.id = o.purchase_id
    LEFT JOIN ledger_entry AS e ON e.idempotency_key = 'order:' || d.order_id || ':refund'
    WHERE d.status = 'refunded' AND e.id IS NULL
"""

WRONG_DEBTS = """
    SELECT d.name, d.balance AS amount
    FROM account AS d LEFT JOIN account AS w ON w.name = 'wallet:' || substr(d.name, 6)
    WHERE d.name LIKE 'debt:%' AND (d.balance > 0 OR d.balance < 0 AND w.balance > 0)
"""

SQLITE_GUARDS = """
    SELECT count(*) = 2 FROM sqlite_master
    WHERE type = 'trigger' AND tbl_name = 'ledger_entry' AND name LIKE 'ledger_entry_no_%'
"""
POSTGRES_GUARDS = """
    SELECT count(*) = 1 FROM pg_trigger
    WHERE tgrelid = 'ledger_entry'::regclass AND tgname = 'ledger_entry_immutable' AND tgenabled IN ('O', 'A')
"""


@dataclass(frozen=True, slots=True)
class Group:
    """All accounts of one kind: every wallet, every hold, every debt; each other account alone."""

    name: str
    currency: str
    accounts: int
    balance: int
    below_zero: int
    """How many of them are."""
    debts: int
    """The sum of those: never more than zero."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How many rows are not as they should be, by how much in all, and one of them."""

    count: int
    amount: int
    example: str


async def groups(session: AsyncSession) -> list[Group]:
    """What is where, by name."""
    rows = await _execute(session, GROUPS)
    found = [Group(row[0], row[1], *map(int, row[2:])) for row in rows]
    # Not by the database, whose order of names depends on its language.
    return sorted(found, key=lambda group: (group.name, group.currency))


async def wrong_balances(session: AsyncSession) -> Difference:
    """Accounts whose balance is not the sum of their entries. Goes through the whole ledger."""
    return await _sum(session, WRONG_BALANCES)


async def wrong_holds(session: AsyncSession) -> Difference:
    """Holds that are not the price of an order which waits for its code or of an SMS on its way, and such
    orders without one."""
    return await _sum(session, WRONG_HOLDS)


async def wrong_settlements(session: AsyncSession) -> Difference:
    """Ended orders whose hold was not captured in full after a code, or not released or passed on in full
    without one, and those whose late code was not paid for in full, or was paid for and not shown."""
    return await _sum(session, WRONG_SETTLEMENTS)


async def wrong_payments(session: AsyncSession) -> Difference:
    """Whether what came in through Stars is what payments that have not gone back were credited with."""
    return await _sum(session, WRONG_PAYMENTS)


async def wrong_credits(session: AsyncSession) -> Difference:
    """Payments in Stars that were not credited, to whoever paid, as they were worth."""
    return await _sum(session, WRONG_CREDITS)


async def wrong_refunds(session: AsyncSession) -> Difference:
    """Refunds of what was not paid, or not as much, or not theirs; and those decided but not made."""
    return await _sum(session, WRONG_REFUNDS)


async def wrong_debts(session: AsyncSession) -> Difference:
    """Debts of renters who have money to settle them, and debts that are none."""
    return await _sum(session, WRONG_DEBTS)


async def is_guarded(session: AsyncSession) -> bool:
    """Whether the triggers are there that refuse to change or delete ledger entries."""
    result = await _execute(session, SQLITE_GUARDS if is_sqlite(session) else POSTGRES_GUARDS)
    return bool(result.scalar())


async def count_entries(session: AsyncSession) -> int:
    return int((await _execute(session, "SELECT count(*) FROM ledger_entry")).scalar_one())


async def _sum(session: AsyncSession, wrong: str) -> Difference:
    result = await _execute(session, f"SELECT count(*), sum(abs(amount)), min(name) FROM ({wrong}) AS wrong")
    row = result.one()
    return Difference(row[0], int(row[1] or 0), row[2] or "")


async def _execute(session: AsyncSession, sql: str) -> CursorResult[*tuple[Any, ...]]:
    return await (await session.connection()).exec_driver_sql(sql)

"""A shop with a past, written by plain SQL into whatever schema there is.

The tables that money goes through tell one story, so that the audit agrees; every other table gets rows of
its own shape, read from the database itself: a new table or column is filled without being named here.
"""

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import IntegrityError

from db.session import Database

NOW = datetime(2026, 2, 25, 10, 0, 0, 123456, tzinfo=UTC)
ROWS, TRIES = 3, 200
CURRENCY, PRICE, COST = "IDR", 18_000, 15_000
VERSION = "alembic_version"

STATES = ("pending", "active", "received", "completed", "failed", "canceled", "expired")
COUNTED = ("received", "completed")
"""Their code came."""


async def fill(database: Database) -> None:
    """Rows in every table."""
    await _on(database, lambda connection: Story(connection).tell())


async def contents(database: Database) -> dict[str, list[Mapping[str, Any]]]:
    """Every row of every table, in the order of their keys."""
    found: dict[str, list[Mapping[str, Any]]] = {}

    def read(connection: Connection) -> None:
        for table in tables(connection):
            rows = connection.execute(select(table)).mappings()
            found[table.name] = sorted(map(dict, rows), key=repr)

    await _on(database, read)
    return found


async def _on(database: Database, work: Any) -> None:
    engine = database.migration_engine()
    try:
        async with engine.begin() as connection:
            await connection.run_sync(work)
    finally:
        await engine.dispose()


def tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != VERSION]


class Story:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inspector = inspect(connection)
        self._tables = {table.name: table for table in tables(connection)}
        self._random = random.Random(7)
        self._moves: list[tuple[str, str, int, str, str, int | None]] = []
        self._serial = 0

    def tell(self) -> None:
        for user_id in (1, 2, 3):
            self.add("user_account", id=user_id, created_at=NOW, language_code="en")
            self._moves.append(
                ("gateway:operator", f"wallet:{user_id}", 10 * PRICE, "topup", f"start:{user_id}", None)
            )
            self._payment(user_id)
        service_id = self.add("service", name="WhatsApp", slug="whatsapp")
        for number, state in enumerate(STATES):
            self._order(state, 1 + number % 3, service_id)
        self._money()
        self._disputes()
        for name in self._tables:
            while self._count(name) < ROWS:
                self.add(name)

    def _payment(self, user_id: int) -> None:
        """Where there are payments yet."""
        if "payment" in self._tables:
            id = self.add(
                "payment",
                user_id=user_id,
                invoice_id=None,
                purchase_id=None,
                stars=1,
                amount=200,
                currency=CURRENCY,
                status="paid",
            )
            self._moves.append(("gateway:stars", f"wallet:{user_id}", 200, "topup", f"payment:{id}", None))

    def _order(self, state: str, user_id: int, service_id: int) -> None:
        purchase_id = self.add(
            "purchase",
            user_id=user_id,
            service_id=service_id,
            country="ID",
            quantity=1,
            price=PRICE,
            currency=CURRENCY,
            created_at=NOW,
        )
        bought = state not in ("pending", "failed")
        order_id = self.add(
            "number_order",
            purchase_id=purchase_id,
            user_id=user_id,
            status=state,
            supplier="smscode" if bought else None,
            supplier_ref=str(1000 + purchase_id) if bought else None,
            phone_number=f"+62811{purchase_id:07}" if bought else None,
            cost=COST if bought else None,
            created_at=NOW,
            late_paid_at=None,
        )
        wallet, held, key = f"wallet:{user_id}", f"held:{order_id}", f"order:{order_id}"
        self._moves.append((wallet, held, PRICE, "hold", f"{key}:hold", order_id))
        if state in COUNTED:
            self._moves.append((held, "revenue", PRICE, "capture", f"{key}:settle", order_id))
        elif state not in ("pending", "active"):
            self._moves.append((held, wallet, PRICE, "release", f"{key}:settle", order_id))

    def _disputes(self) -> None:
        """Where there are any yet: one that is refunded would need its move of money."""
        for order_id, status in enumerate(("open", "rejected", "rejected"), 1):
            if "dispute" in self._tables:
                decided_at = None if status == "open" else NOW
                self.add("dispute", order_id=order_id, status=status, decided_at=decided_at)

    def _money(self) -> None:
        balances: dict[str, int] = {}
        for source, destination, amount, *_ in self._moves:
            balances[source] = balances.get(source, 0) - amount
            balances[destination] = balances.get(destination, 0) + amount
        for name, balance in balances.items():
            below = name.startswith("gateway:")
            self.add("account", name=name, currency=CURRENCY, balance=balance, may_go_below_zero=below)
        for source, destination, amount, kind, key, order_id in self._moves:
            self.add(
                "ledger_entry",
                source=source,
                destination=destination,
                amount=amount,
                currency=CURRENCY,
                kind=kind,
                idempotency_key=key,
                order_id=order_id,
                created_at=NOW,
            )

    def add(self, name: str, /, **known: Any) -> int:
        """A row with these values where there are such columns, and whatever fits in the others."""
        table = self._tables[name]
        for _ in range(TRIES):
            values = {
                column.name: self._known(known[column.name])
                if column.name in known
                else self._invent(table, column)
                for column in table.columns
                if column.name in known or not _is_counted(table, column)
            }
            try:
                with self._connection.begin_nested():
                    result = self._connection.execute(insert(table).values(values))
            except IntegrityError as error:
                refused = error
            else:
                key = result.inserted_primary_key
                return int(key[0]) if key and isinstance(key[0], int) else 0
        raise AssertionError(f"no row fits into {name}") from refused

    def _count(self, name: str) -> int:
        return self._connection.execute(select(func.count()).select_from(self._tables[name])).scalar_one()

    def _known(self, value: Any) -> Any:
        return self._moment(value) if isinstance(value, datetime) else value

    def _moment(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=None) if self._connection.dialect.name == "sqlite" else moment

    def _invent(self, table: Table, column: Column[Any]) -> Any:
        self._serial += 1
        if column.foreign_keys:
            return self._reference(column)
        if column.name == "currency":
            return CURRENCY
        if column.nullable and self._random.random() < 0.3:
            return None
        words = self._words(table, column)
        kind = column.type
        if isinstance(kind, Boolean):
            return self._random.random() < 0.5
        if isinstance(kind, Integer):
            return self._random.randint(0, 9) if self._random.random() < 0.7 else self._serial
        if isinstance(kind, Numeric):
            return self._random.randint(0, 900)
        if isinstance(kind, DateTime):
            return self._moment(NOW + timedelta(seconds=self._serial))
        if isinstance(kind, JSON):
            return {"id": self._serial, "text": "naïve 'quotes' \"and\" 🇮🇩", "list": [1, None, True]}
        if isinstance(kind, LargeBinary):
            return bytes([self._serial % 256])
        if words:
            return self._random.choice(words)
        text = f"{self._serial} naïve 'quote' \\ 🇮🇩\n{column.name}"
        return text[: getattr(kind, "length", None) or len(text)]

    def _words(self, table: Table, column: Column[Any]) -> list[str]:
        """Every quoted word in the conditions that compare a column."""
        checks = self._inspector.get_check_constraints(table.name)
        compared = re.compile(rf"\b{column.name}\b\)*(?:::\w+(?: \w+)*)?\s*(?:=|IN\b)")
        about = [check["sqltext"] for check in checks if compared.search(check["sqltext"])]
        return [word for check in about for word in re.findall(r"'([^']*)'", check)]

    def _reference(self, column: Column[Any]) -> Any:
        [key] = column.foreign_keys
        there = self._connection.execute(select(key.column)).scalars().all()
        return self._random.choice(there) if there and not (column.nullable and len(there) < 2) else None


def _is_counted(table: Table, column: Column[Any]) -> bool:
    """Whether the database numbers it by itself."""
    [*keys] = table.primary_key.columns
    return keys == [column] and isinstance(column.type, Integer) and not column.foreign_keys

"""Whole tables from one database into another, whatever the two engines. Rows go by in batches."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
from sqlalchemy import Dialect, Integer, Table, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import db.models  # noqa: F401  (fills the metadata)
from db.session import DRIVER_ERRORS

BATCH = 2000
_MODULUS = 1 << 256


class CopyRefused(Exception):
    """The target does not take the rows of `table`; the text says why, without any of their values."""

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(f"{table}: {reason}")


@dataclass(slots=True)
class Digest:
    """Of the rows of a table, in any order: equal where every value of every row is."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            written = json.dumps(list(row), sort_keys=True, default=_plain)
            self.rows += 1
            self.total += int.from_bytes(hashlib.sha256(written.encode()).digest())
        self.total %= _MODULUS


def _plain(value: Any) -> str:
    """What JSON has no word for."""
    assert isinstance(value, datetime), type(value)
    return value.astimezone(UTC).isoformat()


def tables() -> list[Table]:
    """Every table of the present schema, those that others refer to first."""
    return SQLModel.metadata.sorted_tables


async def find_filled(connection: AsyncConnection) -> list[str]:
    """The names of the tables that have rows."""
    return [
        table.name
        for table in tables()
        if (await connection.execute(select(1).select_from(table).limit(1))).first()
    ]


async def digest(connection: AsyncConnection, table: Table) -> Digest:
    found = Digest()
    async for rows in _batches(connection, table):
        found.add(rows)
    return found


async def copy(
    source: AsyncConnection, target: AsyncConnection, table: Table, on_progress: Callable[[int], None]
) -> Digest:
    """All rows of a table; the digest of what was read. `on_progress` is told how many were.

    Raises CopyRefused.
    """
    read = Digest()
    writers = _writers(table, target.dialect)

    async def rows() -> AsyncIterator[list[tuple[Any, ...]]]:
        async for batch in _batches(source, table):
            read.add(batch)
            on_progress(read.rows)
            yield [tuple(map(_write, writers, row)) for row in batch]

    write = _insert if target.dialect.name == "sqlite" else _stream
    try:
        await write(target, table, rows())
    except asyncpg.PostgresError as error:
        # What the server says; what the driver says of its own accord holds values.
        raise CopyRefused(table.name, str(error).splitlines()[0]) from None
    except (SQLAlchemyError, ValueError, OverflowError, *DRIVER_ERRORS) as error:
        raise CopyRefused(table.name, type(error).__name__) from None
    return read


async def _batches(connection: AsyncConnection, table: Table) -> AsyncIterator[Sequence[Sequence[Any]]]:
    result = await connection.stream(select(table).execution_options(yield_per=BATCH))
    async for rows in result.partitions():
        yield rows


def _writers(table: Table, dialect: Dialect) -> list[Callable[[Any], Any] | None]:
    """How the target's driver wants the values of each column."""
    return [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]


def _write(writer: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if writer is None or value is None else writer(value)


async def _insert(
    target: AsyncConnection, table: Table, batches: AsyncIterator[list[tuple[Any, ...]]]
) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    places = ", ".join("?" for _ in table.columns)
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({places})'
    async for batch in batches:
        await target.exec_driver_sql(statement, batch)


async def _stream(
    target: AsyncConnection, table: Table, batches: AsyncIterator[list[tuple[Any, ...]]]
) -> None:
    """One COPY for the whole table: so rows may refer to later rows of their own table."""

    async def records() -> AsyncIterator[tuple[Any, ...]]:
        async for batch in batches:
            for row in batch:
                yield row

    raw = await target.get_raw_connection()
    assert raw.driver_connection
    await raw.driver_connection.copy_records_to_table(
        table.name, records=records(), columns=[column.name for column in table.columns]
    )


async def settle(connection: AsyncConnection) -> None:
    """After the last row: have new rows numbered after the old ones, and the planner know how many there are.

    Raises CopyRefused where a row refers to one that is not there.
    """
    if connection.dialect.name == "sqlite":
        broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first()
        if broken:
            raise CopyRefused(broken[0], "a row refers to one that is not there")
        return
    for table in tables():
        await _set_sequence(connection, table)
    await connection.exec_driver_sql("ANALYZE")


async def _set_sequence(connection: AsyncConnection, table: Table) -> None:
    key = table.primary_key.columns.values()[0]
    if not isinstance(key.type, Integer):
        return
    sequence = await connection.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
    last = await connection.scalar(select(func.max(key)))
    if sequence and last:
        await connection.execute(
            text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last}
        )

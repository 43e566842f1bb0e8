"""The few statements that SQLite and PostgreSQL spell differently."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


def is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def insert_or(session: AsyncSession, table: type[SQLModel]) -> Any:
    """An INSERT that can be told what to do on a conflict."""
    return sqlite.insert(table) if is_sqlite(session) else postgresql.insert(table)


def insert_new(session: AsyncSession, table: type[SQLModel]) -> Any:
    """An INSERT that skips rows whose unique key is taken; with RETURNING, those rows are not returned."""
    return insert_or(session, table).on_conflict_do_nothing()


def upsert(session: AsyncSession, table: type[SQLModel], *, key: list[str], change: list[str]) -> Any:
    """An INSERT that overwrites the columns of `change` in a row whose `key` is taken."""
    statement = insert_or(session, table)
    return statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in change}
    )

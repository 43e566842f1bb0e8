"""The few statements that SQLite and PostgreSQL spell differently."""

import json
from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, any_, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession


def table(model: type[SQLModel]) -> Table:
    """A model's table: a statement about it costs the toolkit half of what one about the model does."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def among(
    session: AsyncSession, column: Any, values: Collection[int] | Collection[str]
) -> ColumnElement[bool]:
    """Whether a column is one of any number of values, which are sent as one parameter.

    `IN` would send each by itself: slow for hundreds, and refused by the database for tens of thousands.
    """
    if is_sqlite(session):
        listed = func.json_each(json.dumps(list(values))).table_valued("value")
        return cast(ColumnElement[bool], column.in_(select(listed.c.value)))
    array = literal(list(values), postgresql.ARRAY(column.type))
    return cast(ColumnElement[bool], column == any_(array))


def insert_or(on_sqlite: bool, model: type[SQLModel]) -> Any:
    """An INSERT that can be told what to do on a conflict."""
    return sqlite.insert(table(model)) if on_sqlite else postgresql.insert(table(model))


def insert_new(session: AsyncSession, model: type[SQLModel]) -> Any:
    """An INSERT that skips rows whose unique key is taken; with RETURNING, those rows are not returned."""
    return insert_or(is_sqlite(session), model).on_conflict_do_nothing()


def upsert(session: AsyncSession, model: type[SQLModel], *, key: list[str], change: list[str]) -> Any:
    """An INSERT that overwrites the columns of `change` in a row whose `key` is taken."""
    statement = insert_or(is_sqlite(session), model)
    return statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in change}
    )

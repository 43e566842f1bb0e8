"""The migrated schema is the one that the models describe, with what only the migration can write."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import db.models  # noqa: F401  (fills the metadata)
from db.migrate import (
    MIGRATIONS,
    REVISIONS,
    NotOurs,
    TooNew,
    current_revision,
    head_revision,
    upgrade,
)
from db.session import Database

pytestmark = pytest.mark.anyio

TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}
CHECKS = {
    "sqlite": "SELECT group_concat(sql) FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT string_agg(conname, ',') FROM pg_constraint WHERE contype = 'c'",
}


def ask(database: Database, queries: dict[str, str]) -> str:
    return queries["sqlite" if database.is_sqlite else "postgresql"]


async def test_the_models_and_the_migrations_agree(database: Database):
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    async with database.read() as session:
        connection = await session.connection()
        assert await connection.run_sync(differences) == []


async def test_every_check_of_the_models_is_in_the_schema(database: Database):
    """Alembic does not compare these."""
    wanted = {
        constraint.name
        for table in SQLModel.metadata.tables.values()
        for constraint in table.constraints
        if constraint.__visit_name__ == "check_constraint"
    }
    async with database.read() as session:
        written = str(await (await session.connection()).scalar(text(ask(database, CHECKS))))
    assert {str(name) for name in wanted if str(name) not in written} == set()


async def test_the_ledgers_triggers_are_there(database: Database):
    async with database.read() as session:
        names = (await (await session.connection()).scalars(text(ask(database, TRIGGERS)))).all()
    assert len(names) == (2 if database.is_sqlite else 1)
    assert all(name.startswith("ledger_entry") for name in names)


def test_every_file_is_named_after_its_revision_and_they_follow_one_another():
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert [script.revision for script in scripts] == REVISIONS[::-1]


async def test_upgrading_the_newest_changes_nothing(database: Database):
    assert await current_revision(database) == head_revision()
    await upgrade(database)
    assert await current_revision(database) == head_revision()


async def test_what_is_not_ours_is_left_alone(empty_url: str):
    database = Database(empty_url)
    async with database.write() as session:
        await (await session.connection()).execute(text("CREATE TABLE diary (day text)"))
    with pytest.raises(NotOurs, match="diary"):
        await upgrade(database)
    assert await current_revision(database) is None
    await database.aclose()


async def test_what_a_later_version_wrote_is_left_alone(database: Database):
    async with database.write() as session:
        await (await session.connection()).execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(TooNew, match="9999"):
        await upgrade(database)


async def test_an_empty_database_has_no_revision(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    assert await current_revision(database) is None
    await database.aclose()

"""Brings a database to the newest schema; at start, and by `numlet migrate`."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from db.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = sorted(path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/*_*.py"))
"""All that this program knows, oldest first: each file's name begins with its own."""
LOCK = 0x736368656D61
"""The advisory lock of whoever changes the schema; any number that nobody else uses on this database."""


class NotOurs(Exception):
    """The database has tables, and none of them is ours: `args[0]` is one of their names."""


class TooNew(Exception):
    """A later version of this program wrote the database: `args[0]` is its revision."""


def head_revision() -> str:
    return REVISIONS[-1]


def is_known(revision: str) -> bool:
    """Whether this program knows the schema; not one that a later version made."""
    return revision in REVISIONS


async def current_revision(database: Database) -> str | None:
    """The schema's revision; None for an empty database."""

    def read(connection: Connection) -> str | None:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return str(found) if found else None

    engine = database.migration_engine()
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(read)
    finally:
        await engine.dispose()


async def upgrade(database: Database, revision: str | None = None) -> None:
    """Apply what is missing, all of it or nothing; of several processes one does it and the others wait.

    Raises NotOurs and TooNew, and changes nothing.
    """
    revision = revision or head_revision()
    present = await current_revision(database)
    if present == revision:
        return
    if present and not is_known(present):
        raise TooNew(present)
    # Only now: reading Alembic takes a twentieth of a start that needs none of it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def apply(connection: Connection) -> None:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        tables = inspect(connection).get_table_names()
        if tables and "alembic_version" not in tables:
            raise NotOurs(tables[0])
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = database.migration_engine()
    try:
        async with engine.begin() as connection:
            await connection.run_sync(apply)
    finally:
        await engine.dispose()

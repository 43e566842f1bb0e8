"""Brings a database to the newest schema; at start, and by `numlet migrate`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from db.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x736368656D61
"""The advisory lock of whoever changes the schema; any number that nobody else uses on this database."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def head_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def is_known(revision: str) -> bool:
    """Whether this program knows the schema; not one that a later version made."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


async def current_revision(database: Database) -> str | None:
    """The schema's revision; None for an empty database."""

    def read(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    engine = database.migration_engine()
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(read)
    finally:
        await engine.dispose()


async def upgrade(database: Database, revision: str = "head") -> None:
    """Apply what is missing, all of it or nothing; of several processes one does it and the others wait."""
    config = _config()

    def apply(connection: Connection) -> None:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = database.migration_engine()
    try:
        async with engine.begin() as connection:
            await connection.run_sync(apply)
    finally:
        await engine.dispose()

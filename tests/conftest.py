"""Databases to test on: a fresh, migrated one for each test, on SQLite and on PostgreSQL."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex

import asyncpg
import pytest
import structlog

from bot.logs import QUIET
from db.migrate import upgrade
from db.session import Database

POSTGRES = os.environ.get("NUMLET_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
"""A server where databases may be created and dropped; no database name."""

# Emptying tables takes a hundredth of the time of creating a database. The role skips the triggers that
# keep ledger entries, and the order of foreign keys.
WIPE = """
    DO $$ DECLARE name text; BEGIN
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid();
        SET LOCAL session_replication_role = replica;
        FOR name IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    END $$
"""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """The default draws every traceback with all its variables, which takes longer than the test.

    A test may set up the program's own logs; the next one finds none of it.
    """
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in (None, *QUIET, "apscheduler")}
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=False,
    )
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.aclose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'numlet.db')}"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "numlet.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    asyncio.run(wipe(postgresql_server))
    return postgresql_server


async def wipe(url: str) -> None:
    """Empty every table."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(WIPE)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A migrated database of this run alone: its name is random, so that runs do not collide."""
    with asyncio.Runner() as runner:
        lending = fresh_postgresql()
        try:
            url = runner.run(lending.__aenter__())
        except OSError as error:
            pytest.skip(f"no PostgreSQL at {POSTGRES} (set NUMLET_TEST_POSTGRES): {error}")
        yield url
        runner.run(lending.__aexit__(None, None, None))


@asynccontextmanager
async def fresh_postgresql() -> AsyncIterator[str]:
    """A migrated database with a random name, dropped at the end. Raises OSError where there is no server."""
    name = f"numlet_test_{token_hex(6)}"
    await on_server(f"CREATE DATABASE {name}")
    try:
        await _migrate(f"{POSTGRES}/{name}")
        yield f"{POSTGRES}/{name}"
    finally:
        await on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The address of a database without a single table."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def empty_postgresql_url(postgresql_server: str) -> Iterator[str]:
    name = f"numlet_test_{token_hex(6)}"
    asyncio.run(on_server(f"CREATE DATABASE {name}"))
    yield f"{POSTGRES}/{name}"
    asyncio.run(on_server(f"DROP DATABASE {name} WITH (FORCE)"))


async def _migrate(url: str) -> None:
    database = Database(url)
    try:
        await upgrade(database)
    finally:
        await database.aclose()


async def on_server(statement: str) -> None:
    """Run a statement that belongs to no database."""
    connection = await asyncpg.connect(f"{POSTGRES}/postgres", timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()

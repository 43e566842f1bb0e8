"""Which process acts: exactly one at a time on one database.

On PostgreSQL that is whoever holds an advisory lock, on a connection of its own; the others try for it
again and again, so that they follow within a second when it dies. SQLite has room for one process only.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from zlib import crc32

import asyncpg

from db.session import Database

LOCK = 0x6E756D6C6574
"""The advisory lock of whoever leads; any number that nobody else uses on this database. See `_lock_of`."""
CHANNEL = "numlet_inbox"
TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
TRY_AGAIN_SECONDS = 0.5
BEAT_SECONDS, BEAT_TIMEOUT_SECONDS = 1.0, 2.0
# The server must give the lock away only after we have noticed, but within five seconds: a beat and its
# timeout end after three seconds, a connection without beats, or with a dead peer, after four.
SESSION = {
    "application_name": "numlet leader",
    "idle_session_timeout": "4s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "2",
}


class InUse(Exception):
    """Another process has this SQLite database."""


@contextmanager
def only_process(database: Database) -> Iterator[None]:
    """Keep other processes from a SQLite database while the block runs. Raises InUse."""
    if not database.path:
        yield
        return
    # A lock of SQLite's own, on a file beside it: it ends with the process, however that ends.
    with closing(sqlite3.connect(f"{database.path}.lock", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise OSError(f"{database.path}.lock: {error}") from error
            raise InUse(database.path) from None
        yield


class Leadership:
    """One process's candidacy."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.stands_by = False
        """Another process leads, and this one waits for its turn."""

    @asynccontextmanager
    async def won(self, on_wake: Callable[[], None]) -> AsyncIterator[asyncio.Event]:
        """Wait for our turn. The event is set as soon as it is over: then everything must stop at once.

        `on_wake` is called when another process has put something into the inbox.
        """
        lost = asyncio.Event()
        if self._database.is_sqlite:
            yield lost
            return
        connection = await self._elected()
        connection.add_termination_listener(lambda _connection: lost.set())
        beating = asyncio.create_task(_beat(connection, lost))
        try:
            try:
                await connection.add_listener(CHANNEL, lambda *_news: on_wake())
            except TROUBLE as error:
                raise ConnectionError(f"the database went away: {type(error).__name__}") from None
            yield lost
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            connection.terminate()

    async def _elected(self) -> asyncpg.Connection:
        """A connection that holds the lock."""
        try:
            while True:
                with suppress(*TROUBLE):
                    connection = await asyncpg.connect(
                        self._database.dsn, timeout=BEAT_TIMEOUT_SECONDS, server_settings=SESSION
                    )
                    if await self._wait_for_turn(connection):
                        return connection
                # Whoever cannot reach the database does not know whether anybody leads.
                self.stands_by = False
                await asyncio.sleep(TRY_AGAIN_SECONDS)
        finally:
            self.stands_by = False

    async def _wait_for_turn(self, connection: asyncpg.Connection) -> bool:
        """Stand by on this connection until the lock is ours; False where the connection breaks first."""
        is_ours = False
        try:
            while not is_ours:
                is_ours = await connection.fetchval(
                    "SELECT pg_try_advisory_lock($1)", _lock_of(self._database), timeout=BEAT_TIMEOUT_SECONDS
                )
                if not is_ours:
                    self.stands_by = True
                    await asyncio.sleep(TRY_AGAIN_SECONDS)
        except TROUBLE:
            return False
        finally:
            if not is_ours:
                connection.terminate()
        return True


def _lock_of(database: Database) -> int:
    """Locks belong to the database as a whole; a schema of its own has one of its own."""
    return LOCK ^ crc32(database.schema.encode()) if database.schema else LOCK


async def _beat(connection: asyncpg.Connection, lost: asyncio.Event) -> None:
    """Notice a database that is gone without a word."""
    with suppress(*TROUBLE):
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await connection.fetchval("SELECT 1", timeout=BEAT_TIMEOUT_SECONDS)
    lost.set()


async def wake_leader(database: Database) -> None:
    """Tell whoever leads that there is something in the inbox. Raises OSError or SQLAlchemyError."""
    if not database.is_sqlite:
        async with database.driver() as driver:
            await driver.execute(f"NOTIFY {CHANNEL}")

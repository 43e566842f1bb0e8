"""Connections and transactions, on SQLite and PostgreSQL alike.

SQLite has one writer at a time, so writers queue for the one connection of a pool of their own
instead of colliding on the file's lock; readers have a pool beside it and see the last commit (WAL).
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from enum import Enum, auto
from typing import Any

import asyncpg
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

DRIVER_ERRORS = (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError)
DRIVER_SECONDS = 5.0
"""How long PostgreSQL may take to store webhooks before they are refused."""
SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000")
# Set before the file is touched, the mode keeps everybody out, and is refused while anybody is in.
ALONE_PRAGMAS = ("busy_timeout=500", "locking_mode=EXCLUSIVE", "synchronous=FULL")
APPLICATION = "numlet"
"""What a running bot calls itself at a PostgreSQL server."""
OTHERS = f"""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE '{APPLICATION}%'
"""
LOOKS, LOOK_AGAIN_SECONDS = 20, 0.1
"""A connection that was closed may still be listed for a moment."""


class DatabaseInUse(Exception):
    """Somebody else works on a database that is needed whole."""


class Rank(Enum):
    """Who goes first where several wait to write to SQLite; on PostgreSQL they write side by side."""

    STORING = auto()
    """Webhooks, whose sender waits for the answer: before everybody."""
    CODE = auto()
    """A code that somebody waits for at a screen: before the others, but not twice in a row."""
    OTHER = auto()
    BULK = auto()
    """A broadcast, of which ten copies at a time are settled: after everybody."""


class _Turn:
    """One writer at a time, by rank and then in the order of asking."""

    def __init__(self) -> None:
        self._is_taken = False
        self._was_code = False
        self._waiting: dict[Rank, deque[asyncio.Future[None]]] = {rank: deque() for rank in Rank}

    @asynccontextmanager
    async def taken(self, rank: Rank) -> AsyncIterator[None]:
        if self._is_taken:
            await self._wait(self._waiting[rank])
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._pass_on()  # it was ours by then
            raise

    def _pass_on(self) -> None:
        first, second = (Rank.OTHER, Rank.CODE) if self._was_code else (Rank.CODE, Rank.OTHER)
        for rank in (Rank.STORING, first, second, Rank.BULK):
            queue = self._waiting[rank]
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    if rank in (first, second):
                        self._was_code = rank is Rank.CODE
                    return turn.set_result(None)
        self._is_taken = False


class Database:
    """The store. `write` and `read` open a session; nobody else opens connections."""

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:///file.db` or `postgresql://user@host/name`; the async driver is picked here.

        `?search_path=schema` puts all of it into a schema of its own, beside others in that database.
        """
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        turn = _Turn()
        self._turns = {rank: turn if self.is_sqlite else _Turn() for rank in Rank}
        self._drivers: dict[Rank, Any] = {}
        self.path = parsed.database if self.is_sqlite else None
        self.schema = "" if self.is_sqlite else str(parsed.query.get("search_path", ""))
        if self.is_sqlite:
            self._url = parsed.set(drivername="sqlite+aiosqlite")
            self._writer = _sqlite_engine(self._url, begin="BEGIN IMMEDIATE", pool_size=1)
            # While it is our turn, the pool's one connection is nobody else's.
            event.listen(self._writer.sync_engine, "connect", self._note_driver)
            event.listen(self._writer.sync_engine, "close", self._forget_driver)
            self._reader = _sqlite_engine(self._url, begin="BEGIN", pool_size=4)
        else:
            # Managed hosts print libpq's name for what the driver calls ssl.
            mode = {"ssl": parsed.query["sslmode"]} if "sslmode" in parsed.query else {}
            plain = parsed.difference_update_query(["sslmode", "search_path"]).update_query_dict(mode)
            self._url = plain.set(drivername="postgresql+asyncpg")
            self._writer = self._reader = create_async_engine(
                self._url,
                pool_size=16,
                max_overflow=0,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={"server_settings": {"application_name": APPLICATION} | self._place()},
            )

    @asynccontextmanager
    async def write(self, rank: Rank = Rank.OTHER) -> AsyncIterator[AsyncSession]:
        """A transaction that commits at the end of the block, or rolls back if the block raises.

        What `after_commit` was given in the block is called once the commit is on disk. It may be lost
        in a crash, so it only ever wakes somebody who would have looked later anyway.
        """
        async with self._turn_to_write(rank), AsyncSession(self._writer, expire_on_commit=False) as session:
            async with session.begin():
                yield session
            for callback in session.info.pop("after_commit", {}).values():
                callback()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A consistent view of the last commit; what is changed in it is not kept."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def driver(self, rank: Rank = Rank.OTHER) -> AsyncIterator[Any]:
        """The driver's own connection, in autocommit, for the statement where every microsecond counts.

        On SQLite it is the one that all writers take in turn; PostgreSQL has one for each rank.
        Raises SQLAlchemyError or OSError, never the driver's own errors.
        """
        async with self._turns[rank].taken(rank):
            try:
                yield self._drivers[rank] if self._has_driver(rank) else await self._connect_driver(rank)
            except DRIVER_ERRORS as error:
                self._let_go_of_driver(rank)
                # Its text holds the statement's values; nobody above knows drivers.
                raise ConnectionError(f"the database refused: {type(error).__name__}") from None
            except OSError:
                self._let_go_of_driver(rank)
                raise

    def _turn_to_write(self, rank: Rank) -> AbstractAsyncContextManager[None]:
        return self._turns[rank].taken(rank) if self.is_sqlite else nullcontext()

    async def _connect_driver(self, rank: Rank) -> Any:
        if self.is_sqlite:
            async with self._writer.connect():
                return self._drivers[rank]
        self._drivers[rank] = await asyncpg.connect(
            self.dsn,
            timeout=DRIVER_SECONDS,
            command_timeout=DRIVER_SECONDS,
            server_settings={"application_name": APPLICATION},
        )
        return self._drivers[rank]

    def _has_driver(self, rank: Rank) -> bool:
        return rank in self._drivers and (self.is_sqlite or not self._drivers[rank].is_closed())

    def _note_driver(self, connection: Any, _record: Any) -> None:
        self._drivers = dict.fromkeys(Rank, connection.driver_connection)

    def _forget_driver(self, _connection: Any, _record: Any) -> None:
        self._drivers.clear()

    def _let_go_of_driver(self, rank: Rank) -> None:
        """After trouble a connection may be half dead; SQLite's is in the same process, and the pool's."""
        if rank in self._drivers and not self.is_sqlite:
            self._drivers.pop(rank).terminate()

    def _place(self) -> dict[str, str]:
        """What a connection asks for to be in our schema."""
        return {"search_path": self.schema} if self.schema else {}

    @property
    def dsn(self) -> str:
        """PostgreSQL's address in its own words, with the password."""
        ssl = {"sslmode": str(self._url.query["ssl"])} if "ssl" in self._url.query else {}
        plain = self._url.difference_update_query(["ssl"]).update_query_dict(ssl | self._place())
        return plain.set(drivername="postgresql").render_as_string(hide_password=False)

    async def ping(self) -> None:
        """Raises where the database does not answer."""
        async with self._reader.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")

    def migration_engine(self) -> AsyncEngine:
        """An engine for schema changes: without SQLite's foreign keys, which a rebuilt table would trip."""
        if self.is_sqlite:
            pragmas = (*SQLITE_PRAGMAS, "foreign_keys=OFF")
            return _sqlite_engine(self._url, begin="BEGIN IMMEDIATE", pool_size=1, pragmas=pragmas)
        return create_async_engine(self._url, connect_args={"server_settings": self._place()})

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        """One transaction over the whole database, which no bot has open; SQLite checks no foreign keys.

        Raises DatabaseInUse.
        """
        async with AsyncExitStack() as stack:
            if self.is_sqlite:
                engine = _sqlite_engine(
                    self._url, begin="BEGIN IMMEDIATE", pool_size=1, pragmas=ALONE_PRAGMAS
                )
            else:
                engine = create_async_engine(
                    self._url,
                    isolation_level="REPEATABLE READ",
                    hide_parameters=True,
                    connect_args={"server_settings": self._place()},
                )
            stack.push_async_callback(engine.dispose)
            try:
                if not self.is_sqlite:
                    await _wait_for_others(engine)
                connection = await stack.enter_async_context(engine.begin())
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                    raise DatabaseInUse from None
                raise
            yield connection

    async def aclose(self) -> None:
        if not self.is_sqlite:
            for rank in Rank:
                # Not under a statement, which would end in an error of the driver's insides.
                async with self._turns[rank].taken(rank):
                    self._let_go_of_driver(rank)
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


def after_commit(session: AsyncSession, name: str, callback: Callable[[], None]) -> None:
    """Have `callback` called after this session's commit, once per `name`."""
    session.info.setdefault("after_commit", {})[name] = callback


async def _wait_for_others(engine: AsyncEngine) -> None:
    """Raises DatabaseInUse where they do not go."""
    for _ in range(LOOKS):
        async with engine.connect() as connection:
            if not await connection.scalar(text(OTHERS)):
                return
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    raise DatabaseInUse


def _sqlite_engine(
    url: Any, *, begin: str, pool_size: int, pragmas: Sequence[str] = SQLITE_PRAGMAS
) -> AsyncEngine:
    # Sessions end their own transactions; a second rollback on return would be a thread hop for nothing.
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=60,
        pool_reset_on_return=None,
        # Errors end up in logs, and parameters are codes and phone numbers.
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would otherwise open transactions late, and lose updates between read and write.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine

"""A place of one's own beside a database: for what must not touch what is in it."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex

import asyncpg
from sqlalchemy import make_url

from db.session import Database


@asynccontextmanager
async def spare(url: str, *, name: str) -> AsyncIterator[str]:
    """The address of an empty database, gone with all that is in it when the block ends.

    On SQLite a file in a folder beside the one at `url`, so on the same disk; on PostgreSQL a schema of its
    own in the same database. Raises OSError where the place cannot be made.
    """
    if make_url(url).get_backend_name() == "sqlite":
        beside = Path(make_url(url).database or "").parent
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=beside) as folder:
            yield f"sqlite:///{Path(folder) / 'numlet.db'}"
    else:
        schema = f"{name}_{token_hex(4)}"
        database = Database(url)
        try:
            await _order(database, f'CREATE SCHEMA "{schema}"')
            try:
                moved = make_url(url).update_query_dict({"search_path": schema})
                yield moved.render_as_string(hide_password=False)
            finally:
                await _order(database, f'DROP SCHEMA "{schema}" CASCADE')
        finally:
            await database.aclose()


async def _order(database: Database, statement: str) -> None:
    """Raises OSError."""
    try:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
    except asyncpg.InsufficientPrivilegeError as error:
        raise PermissionError(f"{error} (GRANT CREATE ON DATABASE … TO the bot's user)") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConnectionError(str(error)) from None

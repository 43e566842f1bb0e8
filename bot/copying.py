"""`numlet copy-database`: every row of one database into another, proved on both sides before it counts."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Table, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.settings import WrongSettings
from bot.upkeep import exists
from db import copying, migrate
from db import settings as stored_settings
from db.address import BadAddress, read_address
from db.copying import CopyRefused
from db.session import Database, DatabaseInUse
from services.audit import Report, examine
from services.clock import SystemClock

Say = Callable[[str], None]
SAY_EVERY = 100_000


async def copy_database(source_url: str, target_url: str, *, currency: str, say: Say) -> None:
    """Nothing is kept of it unless all of it is right. Raises WrongSettings."""
    source, target = _open("FROM", source_url), _open("TO", target_url)
    try:
        if _name(source_url) == _name(target_url):
            raise WrongSettings("FROM and TO are the same database.")
        await _check_source(source)
        await _prepare_target(target)
        await _copy(source, target, currency, say)
    except CopyRefused as error:
        raise WrongSettings(f"TO does not take every row, and nothing was copied. {error}") from None
    finally:
        await source.aclose()
        await target.aclose()


def _open(role: str, url: str) -> Database:
    try:
        read_address(url)
    except BadAddress as error:
        raise WrongSettings(f"{role} {error}") from None
    return Database(url)


def _name(url: str) -> str:
    """Where it is, whoever asks."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return str(Path(parsed.database or "").resolve())
    return f"{parsed.host}:{parsed.port or 5432}/{parsed.database}"


async def _check_source(source: Database) -> None:
    revision = await _revision("FROM", source) if exists(source) else None
    if revision is None:
        raise WrongSettings("FROM is no database of Numlet: check its address.")
    if revision != migrate.head_revision():
        raise WrongSettings(
            f"FROM has an older schema ({revision}): bring it up to date first, with DATABASE_URL set to it:"
            " numlet migrate"
        )


async def _prepare_target(target: Database) -> None:
    """Bring an empty target to the present schema."""
    if await _revision("TO", target) is None:
        async with _alone("TO", target) as connection:
            others = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        if others:
            raise WrongSettings(f"TO is not empty: it has tables of something else ({others[0]} …).")
    await migrate.upgrade(target)


async def _revision(role: str, database: Database) -> str | None:
    try:
        revision = await migrate.current_revision(database)
    except (SQLAlchemyError, OSError) as error:
        raise WrongSettings(f"{role} cannot be opened: {str(error).splitlines()[0]}") from None
    if revision and not migrate.is_known(revision):
        raise WrongSettings(
            f"{role} was written by a newer Numlet (schema {revision}): update this program first."
        )
    return revision


async def _copy(source: Database, target: Database, currency: str, say: Say) -> None:
    """One transaction on each side: killed at any moment, the target is as empty as it was."""
    async with _alone("FROM", source) as reading, _alone("TO", target) as writing:
        await _check_currency(reading, currency)
        filled = await copying.find_filled(writing)
        if filled:
            raise WrongSettings(f"TO is not empty: {filled[0]} has rows. Choose a new database.")
        rows = 0
        for table in copying.tables():
            rows += await _copy_table(reading, writing, table, say)
        await copying.settle(writing)
        before, after = await _examine(reading, currency), await _examine(writing, currency)
        if _says(before) != _says(after):
            raise WrongSettings("The audit does not say the same of both sides; nothing was copied.")
    verdict = "all sums agree" if after.agrees else "the same sums disagree: see numlet audit"
    say(f"Copied {rows:,} rows, compared one by one. The audit of both sides: {verdict}.")
    say("Set DATABASE_URL to the new database and start the bot; the old one was not changed.")


def _says(report: Report) -> object:
    """All but the examples, of which each database chooses its own."""
    return report.groups, report.entries, [(one.check, one.count, one.amount) for one in report.findings]


@asynccontextmanager
async def _alone(role: str, database: Database) -> AsyncIterator[AsyncConnection]:
    try:
        async with database.alone() as connection:
            yield connection
    except DatabaseInUse:
        raise WrongSettings(f"{role} is in use: stop the bot, and whatever else has it open.") from None


async def _check_currency(reading: AsyncConnection, currency: str) -> None:
    async with AsyncSession(reading) as session:
        counted = await stored_settings.find(session, "currency")
    if counted not in (None, currency):
        raise WrongSettings(
            f"FROM counts in {counted}, but CURRENCY here is {currency}: set it to {counted}."
        )


async def _copy_table(reading: AsyncConnection, writing: AsyncConnection, table: Table, say: Say) -> int:
    def progress(rows: int) -> None:
        if rows % SAY_EVERY == 0:
            say(f"{table.name}: {rows:,} …")

    read = await copying.copy(reading, writing, table, progress)
    written = await copying.digest(writing, table)
    if read != written:
        raise WrongSettings(
            f"{table.name} differs after copying ({read.rows:,} rows read, {written.rows:,} written);"
            " nothing was copied."
        )
    say(f"{table.name}: {read.rows:,} rows, digest {read.total % (1 << 64):016x} on both sides")
    return read.rows


async def _examine(connection: AsyncConnection, currency: str) -> Report:
    async with AsyncSession(connection) as session:
        return await examine(session, full=True, currency=currency, now=SystemClock().now())

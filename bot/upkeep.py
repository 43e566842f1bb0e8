"""Looking after the database."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.language import Language
from bot.settings import Settings, WrongSettings
from bot.views import audit as views
from db import migrate
from db.session import Database
from services.audit import Audit
from services.clock import SystemClock


async def migrate_database(settings: Settings) -> str:
    """Bring the schema up to date; a sentence that says from where to where."""
    database = Database(settings.database_url.get_secret_value())
    try:
        before = await migrate.current_revision(database)
        await bring_up_to_date(database)
        after = await migrate.current_revision(database)
    finally:
        await database.aclose()
    if before == after:
        return f"The database is up to date (revision {after})."
    return f"The database went from revision {before or 'none'} to {after}."


async def bring_up_to_date(database: Database) -> None:
    """Raises WrongSettings for a database that this program must not touch."""
    try:
        await migrate.upgrade(database)
    except migrate.NotOurs as error:
        raise WrongSettings(
            f"DATABASE_URL: that database belongs to something else, it has a table {error}. Name an empty"
            " one, or on PostgreSQL an empty schema in it: …?search_path=numlet"
        ) from None
    except migrate.TooNew as error:
        raise WrongSettings(
            f"DATABASE_URL: that database was written by a newer Numlet (schema {error}): update this program"
        ) from None


async def audit_database(settings: Settings) -> tuple[str, bool]:
    """Everything that the audit can say, in words, and whether all sums agree. Raises WrongSettings."""
    database = Database(settings.database_url.get_secret_value())
    try:
        await check_schema(database)
        audit = Audit(database, SystemClock(), currency=settings.currency)
        report = await audit.examine(full=True)
        periods = [await audit.earnings(days=days) for days in views.PERIODS]
        books = await audit.suppliers(days=views.PERIODS[-1])
    finally:
        await database.aclose()
    words = views.printed(Language.of("en"), report, periods, books, settings.currency)
    return words, report.agrees


async def check_schema(database: Database) -> None:
    """Raises WrongSettings where there is no database, or one of another version of this program."""
    if not exists(database):
        raise WrongSettings(f"There is no database at {database.path} yet.")
    revision = await migrate.current_revision(database)
    if revision != migrate.head_revision():
        raise WrongSettings(
            f"The database has schema {revision or 'none'}, this program {migrate.head_revision()}:"
            " numlet migrate brings it up to date."
        )


def exists(database: Database) -> bool:
    """To be asked first, because opening a SQLite database makes one."""
    return database.path is None or Path(database.path).exists()


def backup_database(settings: Settings, file: Path) -> str:
    """Copy a SQLite database, consistently and while it is in use. Raises WrongSettings where it cannot."""
    source = Database(settings.database_url.get_secret_value()).path
    if source is None:
        raise WrongSettings(
            "This database is PostgreSQL, which has its own tool:"
            f' pg_dump --format=custom --file={file} "$DATABASE_URL"'
        )
    if not Path(source).exists():
        raise WrongSettings(f"There is no database at {source} yet.")
    if file.exists():
        raise WrongSettings(f"{file} exists already; choose another name.")
    partial = file.with_name(file.name + ".partial")
    partial.touch(mode=0o600)  # codes are in it
    try:
        _copy(Path(source), partial)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return f"Copied {source} to {file} ({file.stat().st_size:,} bytes, integrity ok)."


def _copy(source: Path, partial: Path) -> None:
    """Raises WrongSettings where no whole copy comes of it."""
    try:
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(partial)) as copy:
            original.backup(copy)
        verdict = integrity(partial)
    except sqlite3.Error as error:
        raise WrongSettings(f"{source} cannot be copied: {error}.") from None
    if verdict != "ok":
        raise WrongSettings(f"The copy is damaged ({verdict}): check the disk and the original.")


def integrity(path: Path) -> str:
    """SQLite's own verdict: "ok", or what is wrong."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return str(error)

"""Looking after the database."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.settings import Settings, WrongSettings
from db import migrate
from db.session import Database


async def migrate_database(settings: Settings) -> str:
    """Bring the schema up to date; a sentence that says from where to where."""
    database = Database(settings.database_url.get_secret_value())
    try:
        before = await migrate.current_revision(database)
        await migrate.upgrade(database)
        after = await migrate.current_revision(database)
    finally:
        await database.aclose()
    if before == after:
        return f"The database is up to date (revision {after})."
    return f"The database went from revision {before or 'none'} to {after}."


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
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(partial)) as copy:
        original.backup(copy)
        [(verdict,)] = copy.execute("PRAGMA integrity_check").fetchall()
    if verdict != "ok":
        partial.unlink()
        raise WrongSettings(f"The copy is damaged ({verdict}): check the disk and the original.")
    partial.replace(file)
    return f"Copied {source} to {file} ({file.stat().st_size:,} bytes, integrity ok)."

"""`numlet restore`: a backup put in the place of a database that is gone, checked before it counts."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from bot.language import Language
from bot.settings import Settings, WrongSettings
from bot.upkeep import integrity
from bot.views.audit import finding_text
from db import migrate
from db import settings as stored_settings
from db.leadership import InUse, only_process
from db.session import Database
from services.audit import Audit, Report
from services.clock import SystemClock


async def restore_database(settings: Settings, file: Path) -> str:
    """Put a SQLite database where there is none; a sentence that says what it holds. Raises WrongSettings."""
    database = Database(settings.database_url.get_secret_value())
    if database.path is None:
        raise WrongSettings(
            "This database is PostgreSQL, which has its own tool:"
            f' pg_restore --clean --if-exists --dbname="$DATABASE_URL" {file}'
        )
    place = Path(database.path)
    try:
        # A bot goes on with the file that it has open, though that was moved away meanwhile.
        with only_process(database):
            _check_place(place)
            report = await _restore(file, place, settings)
    except InUse:
        raise WrongSettings(f"{place} is in use by a bot that still runs: stop it first.") from None
    return (
        f"Restored {file} to {place}: integrity ok, schema {migrate.head_revision()},"
        f" all sums agree over {report.entries:,} entries."
    )


async def _restore(file: Path, place: Path, settings: Settings) -> Report:
    """Beside the place at first, and there only once everything is right."""
    partial = Path(f"{place}.restoring")
    _remove(partial)
    try:
        _copy_backup(file, partial)
        report = await _bring_up_to_date(partial, settings)
        _put(partial, place)
    finally:
        _remove(partial)
    return report


def _check_place(place: Path) -> None:
    """What another database left beside its file would be taken for this one's."""
    for taken in (place, *_companions(place)):
        if taken.exists():
            raise WrongSettings(
                f"{taken} is there, and nothing is overwritten. Stop the bot, and move {place},"
                f" {place}-wal and {place}-shm out of the way, as far as they are there."
            )


def _companions(path: Path) -> list[Path]:
    return [Path(f"{path}{suffix}") for suffix in ("-wal", "-shm", "-journal")]


def _copy_backup(file: Path, partial: Path) -> None:
    if not file.is_file():
        raise WrongSettings(f"There is no file {file}.")
    shutil.copyfile(file, partial)
    # A plain copy of a database that was killed has its last commits there.
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{file}-wal", f"{partial}-wal")
    verdict = integrity(partial)
    if verdict != "ok":
        raise WrongSettings(f"{file} is damaged ({verdict}): take another backup.")


async def _bring_up_to_date(path: Path, settings: Settings) -> Report:
    """Raises WrongSettings where this program cannot use it, or its sums do not agree."""
    database = Database(f"sqlite:///{path}")
    try:
        revision = await migrate.current_revision(database)
        if revision is None:
            raise WrongSettings("The backup is no database of Numlet.")
        if not migrate.is_known(revision):
            raise WrongSettings(
                f"The backup was written by a newer Numlet (schema {revision}): update this program first."
            )
        await migrate.upgrade(database)
        async with database.read() as session:
            counted = await stored_settings.find(session, "currency")
        if counted not in (None, settings.currency):
            raise WrongSettings(f"The backup counts in {counted}, but CURRENCY is {settings.currency}.")
        report = await Audit(database, SystemClock(), currency=settings.currency).examine(full=True)
    finally:
        await database.aclose()
    if not report.agrees:
        wrong = " ".join(finding_text(Language.of("en"), finding) for finding in report.findings)
        raise WrongSettings(f"The sums in the backup do not agree, so it was not restored. {wrong}")
    return report


def _put(partial: Path, place: Path) -> None:
    """All of it is there, or nothing, whatever happens to the machine meanwhile."""
    _sync(partial)
    partial.replace(place)
    _sync(place.absolute().parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(partial: Path) -> None:
    for path in (partial, *_companions(partial)):
        path.unlink(missing_ok=True)

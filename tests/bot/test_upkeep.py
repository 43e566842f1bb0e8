"""Backups that can be trusted, restored where nothing is lost by it; the audit on a command line."""

import asyncio
import os
import re
import shutil
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.restore import restore_database
from bot.settings import Settings, WrongSettings
from bot.upkeep import audit_database, backup_database, migrate_database
from db.leadership import only_process
from db.migrate import head_revision, upgrade
from db.session import Database
from tests.rows import contents, fill

pytestmark = pytest.mark.anyio


def settings(path: Path) -> Settings:
    return Settings(database_url=SecretStr(f"sqlite:///{path}"))


async def rows_of(path: Path) -> dict:
    database = Database(f"sqlite:///{path}")
    try:
        return await contents(database)
    finally:
        await database.aclose()


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.fixture
async def backup(sqlite_url: str, tmp_path: Path) -> Path:
    """A backup of a shop with a past."""
    database = Database(sqlite_url)
    await fill(database)
    backup_database(Settings(database_url=SecretStr(sqlite_url)), tmp_path / "backup.db")
    await database.aclose()
    return tmp_path / "backup.db"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the database belongs, and is not."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "numlet.db"


def left_at(place: Path) -> list[str]:
    """The files there, but the lock of whoever uses the database, which holds nothing."""
    return [path.name for path in place.parent.iterdir() if path.suffix != ".lock"]


async def refused(place: Path, file: Path) -> str:
    with pytest.raises(WrongSettings) as raised:
        await restore_database(settings(place), file)
    return str(raised.value)


async def test_a_backup_comes_back_whole(backup: Path, place: Path):
    before = await rows_of(backup)
    said = await restore_database(settings(place), backup)
    assert f"Restored {backup} to {place}: integrity ok, schema {head_revision()}" in said
    assert await rows_of(place) == before
    assert "numlet.db.restoring" not in left_at(place)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
async def test_nothing_is_overwritten(backup: Path, place: Path, suffix: str):
    there = place.with_name(place.name + suffix)
    there.write_text("mine")
    assert f"{there} is there, and nothing is overwritten" in await refused(place, backup)
    assert there.read_text() == "mine"


async def test_a_bot_that_still_runs_on_a_file_moved_away_is_noticed(backup: Path, place: Path):
    with only_process(Database(f"sqlite:///{place}")):
        assert "in use by a bot that still runs" in await refused(place, backup)
    await restore_database(settings(place), backup)


async def test_a_restore_that_was_cut_off_is_begun_anew(backup: Path, place: Path):
    for leftover in ("restoring", "restoring-wal"):
        place.with_name(f"{place.name}.{leftover}").write_text("half")
    await restore_database(settings(place), backup)
    assert left_at(place) == ["numlet.db"]


async def test_a_backup_of_an_older_version_is_brought_up_to_date(tmp_path: Path, place: Path):
    old = tmp_path / "old.db"
    database = Database(f"sqlite:///{old}")
    await upgrade(database, "0001")
    await fill(database)
    await database.aclose()
    before = await rows_of(old)
    await restore_database(settings(place), old)
    after = await rows_of(place)
    assert {name: len(after[name]) for name in before} == {name: len(rows) for name, rows in before.items()}


async def test_what_is_only_in_the_journal_beside_a_copied_file_is_not_lost(tmp_path: Path, place: Path):
    live, copy = tmp_path / "live.db", tmp_path / "copy.db"
    database = Database(f"sqlite:///{live}")
    await upgrade(database)
    await fill(database)
    with closing(sqlite3.connect(live)) as reader:
        # Somebody who reads keeps the journal from being folded into the file.
        reader.execute("SELECT * FROM setting").fetchone()
        execute(live, "INSERT INTO setting VALUES ('late', 'news', '2026-01-01 00:00:00.000000')")
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{live}{suffix}", f"{copy}{suffix}")
    await database.aclose()
    await restore_database(settings(place), copy)
    assert "late" in {row["key"] for row in (await rows_of(place))["setting"]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("DROP TABLE alembic_version", "belongs to something else"),
        ("UPDATE alembic_version SET version_num = '9999'", "written by a newer Numlet (schema 9999)"),
    ],
)
async def test_a_database_that_is_not_ours_to_change_is_refused(place: Path, change: str, sentence: str):
    await migrate_database(settings(place))
    execute(place, change)
    with pytest.raises(WrongSettings) as refusal:
        await migrate_database(settings(place))
    assert sentence in str(refusal.value)


async def test_what_is_no_backup_is_refused(tmp_path: Path, place: Path, backup: Path):
    assert "There is no file" in await refused(place, tmp_path / "missing.db")
    (tmp_path / "diary.txt").write_text("Dear diary, " * 100)
    assert "file is not a database" in await refused(place, tmp_path / "diary.txt")
    execute(tmp_path / "other.db", "CREATE TABLE diary (day text)")
    assert "no database of Numlet" in await refused(place, tmp_path / "other.db")
    assert left_at(place) == []


async def test_a_damaged_backup_is_refused(backup: Path, place: Path):
    with backup.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 8 * 4096)
    assert f"{backup} is damaged" in await refused(place, backup)
    assert left_at(place) == []


async def test_a_backup_from_the_future_is_refused(backup: Path, place: Path):
    execute(backup, "UPDATE alembic_version SET version_num = '9999'")
    assert "written by a newer Numlet (schema 9999)" in await refused(place, backup)


async def test_a_backup_whose_sums_disagree_is_refused(backup: Path, place: Path):
    execute(backup, "UPDATE account SET balance = balance + 5 WHERE name = 'revenue'")
    said = await refused(place, backup)
    assert "The sums in the backup do not agree" in said
    assert "Rp\N{NO-BREAK SPACE}5 instead of zero" in said
    assert left_at(place) == []


async def test_a_backup_in_another_currency_is_refused(backup: Path, place: Path):
    execute(backup, "INSERT INTO setting VALUES ('currency', 'USD', '2026-01-01 00:00:00.000000')")
    assert "counts in USD, but CURRENCY is IDR" in await refused(place, backup)


async def test_postgresql_has_tools_of_its_own(backup: Path):
    elsewhere = Settings(database_url=SecretStr("postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(WrongSettings, match="pg_restore --clean"):
        await restore_database(elsewhere, backup)


async def test_the_audit_prints_everything(backup: Path):
    words, agrees = await audit_database(settings(backup))
    assert agrees
    lines = words.splitlines()
    assert lines[0] == "All sums agree."
    assert "ok   Balances against entries" in lines
    assert "Revenue: Rp\N{NO-BREAK SPACE}36,000" in lines
    assert "Entries in the ledger: 18" in lines
    assert "Margin: 30 days" in lines


async def test_the_audit_says_what_does_not_agree(backup: Path):
    execute(backup, "UPDATE account SET balance = balance + 5 WHERE name = 'wallet:2'")
    words, agrees = await audit_database(settings(backup))
    assert not agrees
    assert words.startswith("Something does not agree.")
    assert "BAD  Balances against entries" in words
    assert "One: /user 2." in words


async def test_the_audit_makes_no_database(tmp_path: Path):
    with pytest.raises(WrongSettings, match="There is no database at"):
        await audit_database(settings(tmp_path / "missing.db"))
    assert not (tmp_path / "missing.db").exists()


async def test_the_audits_exit_status_tells_the_verdict(backup: Path):
    async def audit() -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "audit"),
            env={**os.environ, "DATABASE_URL": f"sqlite:///{backup}", "NUMLET_ENV_FILE": "none"},
            stdout=asyncio.subprocess.DEVNULL,
        )
        return await process.wait()

    assert await audit() == 0
    execute(backup, "UPDATE account SET balance = balance + 5 WHERE name = 'wallet:2'")
    assert await audit() == 1


async def test_only_its_owner_reads_a_backup(backup):
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


async def test_a_backup_replaces_nothing(backup, place):
    place.write_text("mine")
    with pytest.raises(WrongSettings, match="exists already"):
        backup_database(settings(backup), place)
    assert place.read_text() == "mine"


async def test_what_is_no_database_is_not_backed_up(tmp_path):
    foreign = tmp_path / "foreign.db"
    foreign.write_text("hello")
    with pytest.raises(
        WrongSettings, match=re.escape(f"{foreign} cannot be copied: file is not a database.")
    ):
        backup_database(settings(foreign), tmp_path / "backup.db")
    assert list(tmp_path.iterdir()) == [foreign]

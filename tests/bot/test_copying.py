"""Moving to another database: every row or none, and money goes on afterwards."""

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.copying import copy_database
from bot.settings import Settings, WrongSettings
from bot.upkeep import backup_database
from db.migrate import upgrade
from db.session import Database
from tests.builders import CURRENCY, PRICE, World, world_on
from tests.rows import contents, fill

pytestmark = pytest.mark.anyio


async def copy(source: str, target: str) -> list[str]:
    said: list[str] = []
    await copy_database(source, target, currency=CURRENCY, say=said.append)
    return said


async def execute(url: str, *statements: str) -> None:
    database = Database(url)
    try:
        async with database.write() as session:
            for statement in statements:
                await (await session.connection()).execute(text(statement))
    finally:
        await database.aclose()


async def rows_of(url: str) -> dict:
    database = Database(url)
    try:
        return await contents(database)
    finally:
        await database.aclose()


@pytest.fixture
async def filled(sqlite_url: str) -> str:
    """A SQLite database with rows in every table."""
    database = Database(sqlite_url)
    await fill(database)
    await database.aclose()
    return sqlite_url


async def test_every_row_goes_to_postgresql_and_back(filled: str, empty_postgresql_url: str, tmp_path):
    again = f"sqlite:///{tmp_path / 'again.db'}"
    said = await copy(filled, empty_postgresql_url)
    assert "all sums agree" in said[-2]
    assert any(line.startswith("ledger_entry: 1") for line in said)
    await copy(empty_postgresql_url, again)
    before = await rows_of(filled)
    assert min(map(len, before.values())) > 0
    assert await rows_of(again) == before


async def test_a_freshly_migrated_database_will_do(filled: str, postgresql_url: str):
    await copy(filled, postgresql_url)
    assert len((await rows_of(postgresql_url))["ledger_entry"]) == len(
        (await rows_of(filled))["ledger_entry"]
    )


async def test_the_shop_goes_on_in_the_new_database(sqlite_url: str, empty_postgresql_url: str, tmp_path):
    backup = tmp_path / "backup.db"
    old = Database(sqlite_url)
    async with world_on(old) as world:
        order = await world.rent()
        backup_database(Settings(database_url=SecretStr(sqlite_url)), backup)
        outside = world.outside
    await old.aclose()
    await copy(f"sqlite:///{backup}", empty_postgresql_url)
    new = Database(empty_postgresql_url)
    world = World(new, outside)
    try:
        await world.start()
        await world.refresh()
        await world.receive(order, "482913")
        another = await world.rent()
        assert (another.id or 0) > (order.id or 0)
        assert await world.money() == (8 * PRICE, PRICE, PRICE)
        assert (await world.audit.examine(full=True)).agrees
    finally:
        await world.aclose()
        await new.aclose()


async def test_entries_are_immutable_in_the_new_database(filled: str, empty_postgresql_url: str):
    await copy(filled, empty_postgresql_url)
    with pytest.raises(DBAPIError, match="immutable"):
        await execute(empty_postgresql_url, "UPDATE ledger_entry SET amount = 1")


async def test_sums_that_disagree_are_copied_as_they_are_and_said(sqlite_url: str, empty_postgresql_url: str):
    await execute(
        sqlite_url, "INSERT INTO account VALUES ('wallet:1', 'IDR', 5, false), ('revenue', 'IDR', 0, false)"
    )
    said = await copy(sqlite_url, empty_postgresql_url)
    assert "the same sums disagree: see numlet audit" in said[-2]


async def refused(source: str, target: str) -> str:
    with pytest.raises(WrongSettings) as raised:
        await copy(source, target)
    return str(raised.value)


async def test_a_target_with_rows_is_refused(filled: str, tmp_path):
    target = f"sqlite:///{tmp_path / 'target.db'}"
    await copy(filled, target)
    assert "TO is not empty: account has rows" in await refused(filled, target)


async def test_a_target_of_something_else_is_refused(filled: str, tmp_path):
    target = f"sqlite:///{tmp_path / 'target.db'}"
    await execute(target, "CREATE TABLE diary (day text)")
    assert "tables of something else (diary …)" in await refused(filled, target)


async def test_the_same_database_twice_is_refused(filled: str):
    assert await refused(filled, filled) == "FROM and TO are the same database."


@pytest.mark.parametrize("url", ["mysql://x/y", "numlet.db", "://"])
async def test_what_is_no_address_is_refused(filled: str, url: str):
    assert "TO must be" in await refused(filled, url)


async def test_a_source_that_is_not_there_is_refused_and_not_made(tmp_path):
    missing = tmp_path / "missing.db"
    assert "FROM is no database of Numlet" in await refused(
        f"sqlite:///{missing}", f"sqlite:///{tmp_path}/t.db"
    )
    assert not missing.exists()


async def test_a_source_from_the_future_is_refused(filled: str, tmp_path):
    await execute(filled, "UPDATE alembic_version SET version_num = '9999'")
    said = await refused(filled, f"sqlite:///{tmp_path / 'target.db'}")
    assert "FROM was written by a newer Numlet (schema 9999)" in said


async def test_an_older_source_is_brought_up_to_date_first(tmp_path):
    old = f"sqlite:///{tmp_path / 'old.db'}"
    database = Database(old)
    await upgrade(database, "0001")
    await database.aclose()
    said = await refused(old, f"sqlite:///{tmp_path / 'target.db'}")
    assert "FROM has an older schema (0001)" in said
    assert "numlet migrate" in said


async def test_another_currency_is_refused(filled: str, tmp_path):
    await execute(filled, "INSERT INTO setting VALUES ('currency', 'USD', '2026-01-01 00:00:00.000000')")
    said = await refused(filled, f"sqlite:///{tmp_path / 'target.db'}")
    assert said == "FROM counts in USD, but CURRENCY here is IDR: set it to USD."


async def test_a_source_in_use_is_refused(database: Database, database_url: str, tmp_path):
    """By whatever has it open, though it does nothing."""
    await database.ping()
    said = await refused(database_url, f"sqlite:///{tmp_path / 'target.db'}")
    assert said.startswith("FROM is in use")


async def test_what_the_target_does_not_take_leaves_it_empty(filled: str, empty_postgresql_url: str):
    """SQLite does not mind how long a text is."""
    columns, values = "id, supplier, supplier_ref, found_at", "99, 'smscode', '{}', '2026-01-01 00:00:00.0'"
    await execute(filled, f"INSERT INTO orphan ({columns}) VALUES ({values.format('9' * 65)})")
    said = await refused(filled, empty_postgresql_url)
    assert "nothing was copied. orphan: value too long" in said
    assert "9999" not in said
    assert {name: rows for name, rows in (await rows_of(empty_postgresql_url)).items() if rows} == {}


async def test_the_old_database_is_not_changed(filled: str, tmp_path):
    before = await rows_of(filled)
    await copy(filled, f"sqlite:///{tmp_path / 'target.db'}")
    assert await rows_of(filled) == before

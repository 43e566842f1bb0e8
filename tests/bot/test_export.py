"""The books as CSV: everything, in both ways of writing amounts, and nothing that a spreadsheet would run."""

import csv
import stat
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import sheets
from bot.export import export
from bot.settings import Settings, WrongSettings
from bot.spreadsheet import cell
from db import orders
from db.session import Database
from services.accounts import Accounts
from services.clock import SystemClock
from tests.builders import COST, PRICE, RENTER, World, entries, world_on
from tests.rows import fill

pytestmark = pytest.mark.anyio

MANY_ENTRIES = (
    "INSERT INTO account VALUES ('gateway:operator', 'IDR', 0, true), ('wallet:7', 'IDR', 0, false)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    " INSERT INTO ledger_entry (source, destination, amount, currency, kind, idempotency_key, created_at)"
    " SELECT 'gateway:operator', 'wallet:7', i, 'IDR', 'topup', 'k' || i, '2026-01-01 00:00:00.0' FROM n",
)


async def write(url: str, directory: Path) -> tuple[str, list[dict[str, str]], list[dict[str, str]]]:
    said = await export(Settings(database_url=SecretStr(url)), directory)
    return said, read(directory / "ledger.csv"), read(directory / "orders.csv")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
async def shop(database: Database) -> World:
    """One order with a code, one without."""
    async with world_on(database) as world:
        coded = await world.rent()
        await world.rent()
        await world.receive(coded, "482913")
        return world


async def test_every_entry_and_every_order_is_a_line(shop: World, database_url: str, tmp_path: Path):
    said, ledger, sold = await write(database_url, tmp_path / "books")
    assert said.endswith("ledger.csv: 4 rows, orders.csv: 2 rows, payments.csv: 0 rows.")
    written = await entries(shop.database)
    assert [line["id"] for line in ledger] == [str(entry.id) for entry in written]
    assert [line["kind"] for line in ledger] == ["topup", "hold", "hold", "capture"]
    capture = ledger[3]
    assert (capture["amount_minor"], capture["amount"], capture["currency"]) == ("18000", "18000", "IDR")
    assert (capture["destination"], capture["order_id"]) == ("revenue", sold[0]["id"])
    assert datetime.fromisoformat(capture["created_at"]) == written[3].created_at
    assert [order["status"] for order in sold] == ["received", "active"]
    assert (sold[0]["price_minor"], sold[0]["cost_minor"]) == (str(PRICE), str(COST))
    assert (sold[0]["service"], sold[0]["country"], sold[0]["user_id"]) == (
        "WhatsApp",
        "ID",
        str(RENTER),
    )


async def test_every_payment_is_a_line(sqlite_url: str, tmp_path: Path):
    database = Database(sqlite_url)
    await fill(database)
    await database.aclose()
    await write(sqlite_url, tmp_path)
    payments = read(tmp_path / "payments.csv")
    assert [(line["stars"], line["amount_minor"], line["status"]) for line in payments] == [
        ("1", "200", "paid")
    ] * 3


async def test_codes_and_whole_numbers_stay_at_home(shop: World, database_url: str, tmp_path: Path):
    await write(database_url, tmp_path)
    books = "".join((tmp_path / name).read_text() for name in ("ledger.csv", "orders.csv"))
    async with shop.database.read() as session:
        numbers = [str(order.phone_number) for order, *_ in await orders.all_after(session, 0, limit=10)]
    assert len(numbers) == 2
    assert "482913" not in books
    assert [number for number in numbers if number.lstrip("+") in books] == []


async def test_amounts_are_written_as_people_write_them(sqlite_url: str, tmp_path: Path):
    database = Database(sqlite_url)
    accounts = Accounts(database, SystemClock(), currency="USD")
    await accounts.credit(7, 1_250, key="k", reason=None)
    await database.aclose()
    _, [line], _ = await write(sqlite_url, tmp_path)
    assert (line["amount_minor"], line["amount"], line["currency"]) == ("1250", "12.50", "USD")


@pytest.mark.parametrize("reason", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_what_a_spreadsheet_would_run_is_made_harmless(sqlite_url: str, tmp_path: Path, reason: str):
    database = Database(sqlite_url)
    await Accounts(database, SystemClock(), currency="IDR").credit(7, 5, key="k", reason=reason)
    await database.aclose()
    _, [line], _ = await write(sqlite_url, tmp_path)
    assert line["reason"] == f"'{reason}"


@pytest.mark.parametrize(
    ("value", "written"), [(-5, -5), (Decimal("-12.50"), "-12.50"), (Decimal("1E+3"), "1000"), ("-5", "'-5")]
)
def test_a_negative_number_stays_a_number_and_a_text_does_not_become_one(value, written):
    assert cell(value) == written


async def test_what_strangers_write_stays_in_its_cell(sqlite_url: str, tmp_path: Path):
    reason = 'näme; "quoted", and\na new line 🇮🇩'
    database = Database(sqlite_url)
    await Accounts(database, SystemClock(), currency="IDR").credit(7, 5, key="k", reason=reason)
    await database.aclose()
    _, [line], _ = await write(sqlite_url, tmp_path)
    assert line["reason"] == reason


async def test_pages_join_without_a_gap(sqlite_url: str, tmp_path: Path):
    database = Database(sqlite_url)
    count = 2 * sheets.PAGE + 1
    async with database.write() as session:
        connection = await session.connection()
        for statement in MANY_ENTRIES:
            await connection.exec_driver_sql(statement.format(count=count))
    await database.aclose()
    _, ledger, _ = await write(sqlite_url, tmp_path)
    assert [int(line["amount_minor"]) for line in ledger] == list(range(1, count + 1))


async def test_nothing_is_overwritten_and_nobody_else_may_read(sqlite_url: str, tmp_path: Path):
    await write(sqlite_url, tmp_path)
    assert stat.S_IMODE((tmp_path / "ledger.csv").stat().st_mode) == 0o600
    with pytest.raises(WrongSettings, match="exists already"):
        await write(sqlite_url, tmp_path)

"""A shop with a past goes forward from every revision there ever was, and loses nothing on the way."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db.migrate import REVISIONS, upgrade
from db.session import Database
from services.audit import examine
from tests.rows import contents, fill

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_with_data_goes_forward(empty_url: str, revision: str):
    database = Database(empty_url)
    await upgrade(database, revision)
    await fill(database)
    before = await contents(database)
    await upgrade(database)
    after = await contents(database)
    assert min(map(len, before.values())) > 0
    assert {name: len(rows) for name, rows in before.items()} == {
        name: len(after.get(name, rows)) for name, rows in before.items()
    }
    assert narrowed(after["ledger_entry"], before["ledger_entry"]) == before["ledger_entry"]
    assert narrowed(after["account"], before["account"]) == before["account"]
    async with database.read() as session:
        report = await examine(session, full=True, currency="IDR", now=NOW)
    await database.aclose()
    assert report.findings == ()


def narrowed(rows: list[Any], like: list[Any]) -> list[dict[str, Any]]:
    """With the columns that there were."""
    return [{name: row[name] for name in old} for row, old in zip(rows, like, strict=True)]

"""How little stands between a webhook and its code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from db.models import Order
from db.session import Database
from services.suppliers.base import RemoteSms
from tests.builders import World

pytestmark = pytest.mark.anyio

BUT = ("BEGIN", "SELECT pg_advisory")
"""What is not counted: how transactions and locks are spelled differs."""


@contextmanager
def noted() -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(BUT):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def statements_of(world: World, order: Order, code: str) -> int:
    with noted() as found:
        async with world.database.write() as session:
            await world.codes.record(session, order.id or 0, RemoteSms(code, None, world.clock.now()))
    return len(found)


async def test_a_code_takes_few_statements(world: World, database: Database):
    """The first: find the order, change it, write the SMS, move the money, enter it, count, promise."""
    await world.receive(await world.rent(), "111111")  # opens the account that takes in what is earned
    order = await world.rent()
    assert await statements_of(world, order, "123456") == 7
    assert await statements_of(world, order, "654321") == 4

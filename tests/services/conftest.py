from collections.abc import AsyncIterator

import pytest

from db.session import Database
from services import deliveries
from tests.builders import World, world_on


@pytest.fixture(autouse=True)
def _mark_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MARK_AFTER_SECONDS", 0)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with world_on(database) as world:
        yield world

from collections.abc import AsyncIterator

import pytest

from db.session import Database
from sandbox.catalog_data import new_products
from sandbox.telegram import Person
from tests.bot.stage import OPERATOR, Stage
from tests.builders import world_on


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    database = Database(sqlite_url)
    try:
        async with world_on(database) as world:
            world.vendor.products = {product.id: product for product in new_products()}
            await world.refresh()
            async with Stage(world).open() as stage:
                yield stage
    finally:
        await database.aclose()


@pytest.fixture
async def ann(stage: Stage) -> Person:
    """A renter who has accepted the terms and has Rp 100,000."""
    return await stage.renter(42, money=100_000)


@pytest.fixture
async def olga(stage: Stage) -> Person:
    """The operator."""
    return stage.person(OPERATOR, "Olga", started=True)

import pytest
from prometheus_client import generate_latest

from bot.metrics import measure
from db.session import Database
from tests.builders import world_on

pytestmark = pytest.mark.anyio


async def test_open_orders_are_counted_by_state(database: Database):
    async with world_on(database) as world:
        await world.rent()
        await measure(database)
    text = generate_latest().decode()
    assert 'numlet_open_orders{status="active"} 1.0' in text
    assert 'numlet_outbox_owed{lane="CODE"} 0.0' in text

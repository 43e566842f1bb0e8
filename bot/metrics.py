"""Gauges that have to be asked for; counters and times are kept where they happen."""

from prometheus_client import Gauge

from db import orders, outbox
from db.models import OPEN
from db.session import Database
from services.outbox import LANES

ORDERS = Gauge("numlet_open_orders", "Orders that are not over", ["status"])
OWED = Gauge("numlet_outbox_owed", "Messages owed to the outside", ["lane"])


async def measure(database: Database) -> None:
    async with database.read() as session:
        counts, depth = await orders.count_by_status(session), await outbox.depth(session)
    for status in OPEN:
        ORDERS.labels(status).set(counts.get(status, 0))
    for lane in LANES:
        OWED.labels(lane).set(depth.get(lane, 0))

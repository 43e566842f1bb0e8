from datetime import timedelta

import pytest

from db import deliveries, invoices, orphans, sms
from db.deliveries import NewDelivery
from services.payments import StarPayment
from services.retention import BATCH, Retention
from tests.builders import RENTER, World, deliveries_of

pytestmark = pytest.mark.anyio

KEEP = timedelta(days=30)


async def kept(world: World) -> int:
    async with world.database.read() as session:
        return len(await deliveries_of(session, "old"))


async def test_old_codes_and_what_brought_them_are_forgotten(world: World):
    order = await world.rent()
    await world.receive(order, "123456")
    await world.pass_time(days=31)
    await Retention(world.database, world.clock, keep=KEEP).erase_old()
    async with world.database.read() as session:
        [message] = await sms.of_orders(session, [order.id or 0])
        assert (message.code, message.text) == (None, None)
        left = await deliveries_of(session, "smscode")
    assert {row.received_at for row in left} == {world.clock.now()}


async def test_an_old_sms_that_is_nobodys_is_forgotten_too(world: World):
    async with world.database.write() as session:
        found = {"phone_number": "+62813", "code": "123456", "text": "Your code is 123456"}
        await orphans.add(session, "numberpanel", "webhook:1", now=world.clock.now(), **found)
    await world.pass_time(days=31)
    await Retention(world.database, world.clock, keep=KEEP).erase_old()
    async with world.database.read() as session:
        [orphan] = await orphans.newest(session, limit=2)
    assert (orphan.phone_number, orphan.code, orphan.text) == ("+62813", None, None)


async def test_one_unfinished_row_does_not_keep_the_others(world: World):
    rows = [NewDelivery("old", str(number), "{}") for number in range(2 * BATCH)]
    ids = await deliveries.store(world.database, rows, received_at=world.clock.now())
    await deliveries.mark_handled(world.database, [new for new in ids if new][1:], now=world.clock.now())
    world.clock.advance(KEEP + timedelta(days=1))
    await Retention(world.database, world.clock, keep=KEEP).erase_old()
    assert await kept(world) == 1


async def test_invoices_are_forgotten_unless_they_were_paid(world: World):
    paid, unpaid = [await world.invoices.offer_topup(RENTER, 50) for _ in range(2)]
    await world.payments.record(StarPayment("c", paid.token, RENTER, stars=50, paid_at=world.clock.now()))
    world.clock.advance(KEEP + timedelta(days=2))
    await Retention(world.database, world.clock, keep=KEEP).erase_old()
    async with world.database.read() as session:
        assert await invoices.find(session, paid.token)
        assert await invoices.find(session, unpaid.token) is None


async def test_what_is_young_stays(world: World):
    told = [NewDelivery("old", "1", "{}")]
    ids = await deliveries.store(world.database, told, received_at=world.clock.now())
    await deliveries.mark_handled(world.database, [new for new in ids if new], now=world.clock.now())
    await Retention(world.database, world.clock, keep=KEEP).erase_old()
    assert await kept(world) == 1

"""Problems with orders, and what renters write: once, in order, and right in the books."""

import asyncio

import pytest

from db.models import Dispute, Order
from db.session import Database
from services.audit import Check, Finding
from services.errors import NotPossible
from services.support import CARRY
from tests.builders import PRICE, RENTER, World, world_on
from tests.services.test_audit import examine, tamper

pytestmark = pytest.mark.anyio

OPERATOR, GROUP = 1, -1001


@pytest.fixture
async def world(database: Database):
    async with world_on(database, support_chat_id=GROUP) as world:
        await world.renter()
        yield world


async def disputed(world: World) -> tuple[Order, Dispute]:
    """An order whose code came, and a problem with it."""
    order = await world.rent()
    await world.receive(order, "481516")
    return order, await world.disputes.report(RENTER, order.id or 0, "wrong_code")


async def test_however_many_decide_at_once_one_decision_stands(world: World):
    _order, dispute = await disputed(world)
    id = dispute.id or 0
    decisions = [
        *(world.disputes.refund(id, by=OPERATOR) for _ in range(3)),
        *(world.disputes.reject(id, by=OPERATOR, answer="nothing") for _ in range(3)),
    ]
    ends = await asyncio.gather(*decisions, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NoneType"] + 5 * ["NotPossible"]
    refunded = (await world.disputes.get(id)).dispute.status == "refunded"
    assert (await world.money())[0] == 10 * PRICE - (0 if refunded else PRICE)
    assert (await examine(world)).agrees


async def test_an_order_reported_many_times_at_once_is_one_problem(world: World):
    order = await world.rent()
    await world.receive(order, "481516")
    reports = (world.disputes.report(RENTER, order.id or 0, "used") for _ in range(4))
    assert len({dispute.id for dispute in await asyncio.gather(*reports)}) == 1
    assert len(await world.owed("case")) == 1


async def test_a_refund_that_was_decided_and_never_made_is_found(world: World):
    order, dispute = await disputed(world)
    await tamper(
        world.database,
        f"UPDATE dispute SET status = 'refunded', decided_at = created_at WHERE id = {dispute.id}",
    )
    [finding] = (await examine(world)).findings
    assert finding == Finding(Check.REFUNDS, 1, PRICE, "IDR", f"order {order.id}")


async def test_what_was_refunded_cannot_be_rejected(world: World):
    _order, dispute = await disputed(world)
    await world.disputes.refund(dispute.id or 0, by=OPERATOR)
    with pytest.raises(NotPossible, match="decided"):
        await world.disputes.reject(dispute.id or 0, by=OPERATOR, answer="nothing")
    assert await world.money() == (10 * PRICE, 0, 0)


async def test_what_one_renter_writes_stays_in_order_and_is_promised_once(world: World):
    for message_id in (11, 12, 12, 13):
        await world.support.write(RENTER, message_id)
    owed = await world.owed(CARRY)
    found = [await world.support.find(promise.payload["id"]) for promise in owed]
    assert [message.message_id for message in found if message] == [11, 12, 13]
    assert {promise.serial for promise in owed} == {f"support:{RENTER}:{GROUP}"}


async def test_a_topic_is_found_by_its_renter_and_by_itself(world: World):
    await world.support.put_topic(RENTER, 5)
    await world.support.put_topic(RENTER, 6)
    await world.support.note_closed(6, closed=True)
    topic = await world.support.topic_of(RENTER)
    assert topic
    assert (topic.topic_id, topic.closed_at) == (6, world.clock.now())
    assert (await world.support.renter_of(6), await world.support.renter_of(5)) == (RENTER, None)

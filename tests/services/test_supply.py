"""Every call to a supplier counts for its health; who is out of order is left alone."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.errors import ProductGone, UpstreamUnavailable, UpstreamUnknown
from services.supply import Suppliers
from tests.builders import World

pytestmark = pytest.mark.anyio

NAME = "smscode"


def fail(suppliers: Suppliers, times: int = 3, *, always: bool = False) -> None:
    for _ in range(times):
        with pytest.raises(UpstreamUnknown), suppliers.calling(NAME, always=always):
            raise UpstreamUnknown("no answer")


def up() -> float | None:
    return REGISTRY.get_sample_value("numlet_supplier_up", {"supplier": NAME})


async def test_while_it_is_out_of_order_no_call_reaches_it(world: World):
    fail(world.suppliers)
    world.clock.advance(timedelta(seconds=10))
    with pytest.raises(UpstreamUnavailable) as caught, world.suppliers.calling(NAME):
        pytest.fail("it was called")
    assert caught.value.retry_after == timedelta(seconds=20)
    assert up() == 0


async def test_being_left_alone_is_no_failure_of_its_own(world: World):
    fail(world.suppliers)
    world.clock.advance(timedelta(seconds=29))
    with pytest.raises(UpstreamUnavailable), world.suppliers.calling(NAME):
        pytest.fail("it was called")
    world.clock.advance(timedelta(seconds=1))
    with world.suppliers.calling(NAME):
        pass
    assert not world.suppliers.health(NAME).is_down
    assert up() == 1


async def test_what_codes_depend_on_always_passes(world: World):
    order = await world.rent()
    fail(world.suppliers)
    world.vendor.trouble.drop_webhooks = True
    await world.vendor.receive_sms(int(order.supplier_ref or 0), "Your code is 123456")
    await world.reconcile()
    assert len(world.sent.codes) == 1
    assert world.suppliers.health(NAME).is_down


async def test_only_one_call_tries_it_after_the_rest(world: World):
    fail(world.suppliers)
    world.clock.advance(timedelta(seconds=30))
    with world.suppliers.calling(NAME):
        with pytest.raises(UpstreamUnavailable), world.suppliers.calling(NAME):
            pytest.fail("it was called")
        with world.suppliers.calling(NAME, always=True):
            pass


async def test_a_refusal_is_an_answer(world: World):
    fail(world.suppliers, 2)
    with pytest.raises(ProductGone), world.suppliers.calling(NAME):
        raise ProductGone("no stock")
    fail(world.suppliers, 2)
    assert not world.suppliers.health(NAME).is_down


async def test_the_probe_leaves_alone_who_is_well_or_rests(world: World):
    world.vendor.trouble.always = "500"
    await world.suppliers.probe(NAME)
    fail(world.suppliers)
    await world.suppliers.probe(NAME)
    world.clock.advance(timedelta(seconds=30))
    with pytest.raises(UpstreamUnavailable):
        await world.suppliers.probe(NAME)
    world.vendor.trouble.always = None
    world.clock.advance(timedelta(seconds=30))
    await world.suppliers.probe(NAME)
    assert not world.suppliers.health(NAME).is_down


async def test_what_is_owed_to_it_waits_for_the_end_of_the_rest(world: World):
    order = await world.rent()
    await world.orders.cancel(order.user_id, order.id or 0)
    world.clock.advance(timedelta(minutes=2))
    fail(world.suppliers)
    await world.settle()
    assert world.vendor.orders[int(order.supplier_ref or 0)].is_open
    await world.pass_time(seconds=30)
    assert (await world.order(order)).status == "canceled"

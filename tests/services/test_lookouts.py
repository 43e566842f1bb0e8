"""Waiting for a price: told once, when it is there."""

from datetime import timedelta

import pytest

from db.session import Database
from services.announcer import LOOKOUT
from services.errors import TooManyLookouts
from services.lookouts import LIFETIME, MOST
from tests.builders import COST, PRICE, RENTER, World, restarted, world_on

pytestmark = pytest.mark.anyio


async def wait_for(world: World, below: int | None, *, user_id: int = RENTER, country: str = "ID") -> None:
    await world.lookouts.add(user_id, world.service("whatsapp"), country, below)


async def costs(world: World, cost: int) -> None:
    """The catalog is refreshed, and then looked through."""
    world.vendor.products[142].price = cost
    await world.refresh()
    await world.lookouts.check()
    await world.settle()


async def test_a_renter_is_told_once_when_the_price_is_there(world: World):
    await wait_for(world, PRICE)
    await costs(world, COST)
    assert world.sent.of(LOOKOUT) == []
    for _ in range(2):
        await costs(world, COST - 1_000)
    [told] = world.sent.of(LOOKOUT)
    assert (told["user_id"], told["country"], told["price"]) == (RENTER, "ID", PRICE - 1_200)
    assert await world.lookouts.of_user(RENTER) == []


async def test_those_who_wait_for_less_go_on_waiting(world: World):
    other = await world.renter(1002)
    await wait_for(world, PRICE)
    await wait_for(world, PRICE // 2, user_id=other)
    await costs(world, COST - 1_000)
    await costs(world, COST - 2_000)
    assert [told["user_id"] for told in world.sent.of(LOOKOUT)] == [RENTER]
    await costs(world, COST // 3)
    assert [told["user_id"] for told in world.sent.of(LOOKOUT)] == [RENTER, other]


async def test_what_was_sold_out_is_told_when_it_is_back(world: World):
    world.vendor.trouble.out_of_stock = True
    await world.refresh()
    await wait_for(world, None)
    await costs(world, 2 * COST)
    assert world.sent.of(LOOKOUT) == []
    world.vendor.trouble.out_of_stock = False
    await costs(world, 2 * COST)
    assert len(world.sent.of(LOOKOUT)) == 1


async def test_a_new_price_takes_the_place_of_the_old_one(world: World):
    await wait_for(world, PRICE)
    await wait_for(world, PRICE // 2)
    assert [one.below for one in await world.lookouts.of_user(RENTER)] == [PRICE // 2]
    await costs(world, COST - 1_000)
    assert world.sent.of(LOOKOUT) == []


async def test_nobody_waits_for_more_than_ten_things_or_a_month(world: World):
    for country in ("AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH", "AI", "AJ"):
        await wait_for(world, PRICE, country=country)
    assert len(await world.lookouts.of_user(RENTER)) == MOST
    with pytest.raises(TooManyLookouts):
        await wait_for(world, PRICE)
    await wait_for(world, PRICE - 1, country="AJ")
    world.clock.advance(LIFETIME + timedelta(seconds=1))
    await wait_for(world, PRICE)
    world.clock.advance(LIFETIME)
    await costs(world, COST - 1_000)
    assert world.sent.of(LOOKOUT) == []


async def test_what_is_removed_is_not_told_and_nobody_removes_anothers(world: World):
    await wait_for(world, PRICE)
    [one] = await world.lookouts.of_user(RENTER)
    await world.lookouts.remove(await world.renter(1002), one.id or 0)
    assert await world.lookouts.of_user(RENTER) == [one]
    await world.lookouts.remove(RENTER, one.id or 0)
    await costs(world, COST - 1_000)
    assert world.sent.of(LOOKOUT) == []


async def test_waiting_outlives_a_restart(database: Database):
    async with world_on(database) as world:
        await wait_for(world, PRICE)
        async with restarted(world, database) as again:
            await costs(again, COST - 1_000)
            assert len(again.sent.of(LOOKOUT)) == 1

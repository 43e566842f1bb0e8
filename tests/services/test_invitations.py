"""Friends bring friends: who counts, what it earns, and that nobody is paid for themselves."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from db import users
from db.session import Database
from services import ledger
from services.suppliers.base import RemoteSms
from tests.builders import CURRENCY, PRICE, World, world_on

pytestmark = pytest.mark.anyio

ANN, BEN, CYD = 42, 78, 99
REWARD = PRICE * 5 // 100


async def arrive(world: World, user_id: int, name: str = "Ben") -> None:
    """Somebody presses Start for the first time."""
    await world.accounts.meet(user_id, name=name, username=None, language_code="en")


async def token_of(world: World, user_id: int) -> str:
    return (await world.invitations.of_user(user_id)).token


async def invite(world: World, friend: int = BEN, inviter: int = ANN, *, money: int = 10 * PRICE) -> None:
    """A friend who came by a link, accepted the terms, and has money."""
    await arrive(world, friend)
    found = await world.invitations.accept(friend, await token_of(world, inviter))
    assert found
    assert found.id == inviter
    await world.renter(friend, money=money)


async def earned(world: World, user_id: int = ANN) -> int:
    return (await world.invitations.of_user(user_id)).earned


@pytest.fixture
async def shop(world: World) -> World:
    """With Ann, who may invite."""
    await world.renter(ANN, money=0)
    return world


async def test_a_link_stays_the_same_and_tells_nobody_whose_it_is(shop: World):
    tokens = await asyncio.gather(*(token_of(shop, ANN) for _ in range(5)))
    assert len(set(tokens)) == 1
    assert str(ANN) not in tokens[0]
    await shop.renter(BEN)
    assert await token_of(shop, BEN) != tokens[0]


async def test_a_newcomer_is_invited_by_the_first_link_they_follow(shop: World):
    await shop.renter(CYD)
    await arrive(shop, BEN)
    first = await shop.invitations.accept(BEN, await token_of(shop, ANN))
    assert first
    assert first.id == ANN
    assert await shop.invitations.accept(BEN, await token_of(shop, CYD)) is None
    assert (await shop.invitations.of_user(ANN)).friends == 1
    assert (await shop.invitations.of_user(CYD)).friends == 0


async def test_two_links_at_once_are_one_invitation(shop: World):
    await shop.renter(CYD)
    await arrive(shop, BEN)
    tokens = [await token_of(shop, ANN), await token_of(shop, CYD)] * 4
    found = await asyncio.gather(*(shop.invitations.accept(BEN, token) for token in tokens))
    assert len({inviter.id for inviter in found if inviter}) == 1
    friends = [(await shop.invitations.of_user(user_id)).friends for user_id in (ANN, CYD)]
    assert sorted(friends) == [0, 1]


async def test_a_link_changes_nothing_for_who_is_here_already(shop: World):
    await shop.renter(BEN)
    assert await shop.invitations.accept(BEN, await token_of(shop, ANN)) is None
    assert (await shop.invitations.of_user(ANN)).friends == 0


async def test_nobody_invites_themselves(shop: World):
    assert await shop.invitations.accept(ANN, await token_of(shop, ANN)) is None
    await arrive(shop, BEN)
    assert await shop.invitations.accept(BEN, await token_of(shop, BEN)) is None


async def test_invitations_make_no_circle(shop: World):
    await arrive(shop, BEN)
    await arrive(shop, CYD)
    assert await shop.invitations.accept(BEN, await token_of(shop, CYD)) is None
    assert await shop.invitations.accept(CYD, await token_of(shop, BEN)) is None
    await invite(shop, BEN, ANN)
    assert await shop.invitations.accept(ANN, await token_of(shop, BEN)) is None


async def test_a_forged_link_is_no_link(shop: World):
    await token_of(shop, ANN)
    await arrive(shop, BEN)
    for token in ("", "42", "i_42", "x" * 62, "' OR 1=1 --"):
        assert await shop.invitations.accept(BEN, token) is None


async def ban(world: World, user_id: int) -> None:
    async with world.database.write() as session:
        await users.set_ban(session, user_id, banned_at=world.clock.now(), reason=None)


async def test_who_is_banned_invites_nobody(shop: World):
    await ban(shop, ANN)
    await arrive(shop, BEN)
    assert await shop.invitations.accept(BEN, await token_of(shop, ANN)) is None


async def test_a_friends_code_earns_a_reward_in_the_commit_of_its_capture(shop: World):
    await invite(shop)
    order = await shop.rent(BEN)
    assert await earned(shop) == 0
    await shop.receive(order, "123456")
    assert await shop.money(ANN) == (REWARD, 0, PRICE - REWARD)
    assert await earned(shop) == REWARD
    assert shop.sent.of("reward") == [{"user_id": ANN, "amount": REWARD, "currency": CURRENCY}]
    assert await shop.kinds() == ["hold", "capture", "reward"]


async def test_a_second_code_of_an_order_earns_nothing_more(shop: World):
    await invite(shop)
    order = await shop.rent(BEN)
    await shop.receive(order, "123456")
    await shop.receive(order, "654321")
    assert await earned(shop) == REWARD


async def test_an_order_without_a_code_earns_nothing(shop: World):
    await invite(shop)
    await shop.rent(BEN)
    await shop.pass_time(minutes=21)
    await shop.expire()
    assert await earned(shop) == 0
    assert shop.sent.of("reward") == []


async def test_only_the_first_purchases_count(shop: World):
    await invite(shop)
    for number in range(4):
        await shop.receive(await shop.rent(BEN), f"12345{number}")
    assert await earned(shop) == 3 * REWARD
    assert len(shop.sent.of("reward")) == 3


async def test_of_codes_at_the_same_time_only_the_first_count(shop: World):
    await invite(shop)
    purchase_id = await shop.place(BEN, quantity=8)
    await shop.settle()

    async def receive(order_id: int) -> None:
        async with shop.database.write() as session:
            await shop.codes.record(session, order_id, RemoteSms(f"{order_id:06}", None, None))

    await asyncio.gather(*(receive(order.id or 0) for order in await shop.orders_of(purchase_id)))
    assert await earned(shop) == 3 * REWARD
    assert await shop.money(BEN) == (2 * PRICE, 0, 8 * PRICE - 3 * REWARD)


async def test_a_renter_who_came_alone_earns_nobody_anything(shop: World):
    await shop.receive(await shop.rent(), "123456")
    assert await shop.kinds() == ["hold", "capture"]


async def test_a_friends_friend_earns_the_friend_alone(shop: World):
    await invite(shop, BEN, ANN)
    await invite(shop, CYD, BEN)
    await shop.receive(await shop.rent(CYD), "123456")
    assert (await earned(shop, ANN), await earned(shop, BEN)) == (0, REWARD)


async def test_who_was_banned_since_earns_nothing(shop: World):
    await invite(shop)
    await ban(shop, ANN)
    await shop.receive(await shop.rent(BEN), "123456")
    assert await earned(shop) == 0


@pytest.fixture(params=["0", "0.005", "0.19"])
async def other_share(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[World]:
    async with world_on(database, invite_percent=Decimal(request.param)) as world:
        await world.renter(ANN, money=0)
        yield world


async def test_a_reward_is_rounded_down_and_nothing_is_no_move(other_share: World):
    await arrive(other_share, BEN)
    await other_share.invitations.accept(BEN, await token_of(other_share, ANN))
    await other_share.renter(BEN)
    await other_share.receive(await other_share.rent(BEN), "123456")
    expected = int(PRICE * other_share.invitations.percent / 100)
    assert await earned(other_share) == expected
    assert await other_share.kinds() == ["hold", "capture", *(["reward"] if expected else [])]


# Refunds


async def refund(world: World, order_id: int) -> bool:
    async with world.database.write() as session:
        return await ledger.refund(
            session, BEN, order_id, PRICE, currency=CURRENCY, now=world.clock.now(), reason=None
        )


@pytest.fixture
async def paid(shop: World) -> int:
    """The id of Ben's order, which has earned Ann her reward."""
    await invite(shop)
    order = await shop.rent(BEN)
    await shop.receive(order, "123456")
    return order.id or 0


async def test_a_refund_takes_the_reward_back(shop: World, paid: int):
    assert await refund(shop, paid)
    assert not await refund(shop, paid)
    assert await shop.money(BEN) == (10 * PRICE, 0, 0)
    assert (await shop.money(ANN))[0] == 0
    assert await earned(shop) == 0


async def test_a_refund_takes_no_more_of_the_reward_than_is_left(shop: World, paid: int):
    await shop.receive(await shop.rent(), "111111")
    await shop.accounts.debit(ANN, REWARD - 100, key="spent", reason=None)
    assert await refund(shop, paid)
    assert (await shop.money(ANN))[0] == 0
    assert await earned(shop) == REWARD - 100


async def test_a_repeated_refund_does_not_come_for_the_rest(shop: World, paid: int):
    await shop.receive(await shop.rent(), "111111")
    await shop.accounts.debit(ANN, REWARD, key="spent", reason=None)
    assert await refund(shop, paid)
    await shop.accounts.credit(ANN, REWARD, key="again", reason=None)
    assert not await refund(shop, paid)
    assert (await shop.money(ANN))[0] == REWARD


async def test_refunds_at_the_same_time_are_one(shop: World, paid: int):
    done = await asyncio.gather(*(refund(shop, paid) for _ in range(5)))
    assert done.count(True) == 1
    assert (await shop.money(BEN))[0] == 10 * PRICE

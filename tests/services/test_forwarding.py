"""Codes by SMS: paid for once, never in the way of the chat, and stopped when there is no money."""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import pytest
from sqlmodel import col, select

from db import audit
from db.models import Order, TextMessage
from services.errors import InsufficientFunds
from services.forwarding import FORWARD
from services.ledger import REVENUE, held_for_text
from services.phones import Wish
from tests.builders import PRICE, RENTER, SMS_PRICE, World, restarted, world_on
from tests.services.test_crashes import Crash, MortalDatabase, come_to_rest
from tests.services.test_phones import OTHER, PHONE, link

pytestmark = pytest.mark.anyio

MONEY = 10 * PRICE
FORWARDED = [{"user_id": RENTER, "name": "forwarding_unpaid"}]


@pytest.fixture
async def forwarding(world: World) -> World:
    """A renter whose codes go to their phone as well."""
    await link(world)
    world.outside.phones.texts.clear()
    await world.forwarding.switch(RENTER, on=True)
    return world


def texts(world: World, phone: str = PHONE) -> list[str]:
    return world.outside.phones.at(phone)


def said(order: Order, code: str) -> str:
    assert order.phone_number
    return f"WhatsApp {order.phone_number[-4:]}: {code}"


async def leave_with(world: World, money: int) -> None:
    """Take all but this out of the wallet."""
    have, _held, _paid = await world.money()
    await world.accounts.debit(RENTER, have - money, key=f"leave:{money}", reason=None)


async def is_on(world: World) -> bool:
    phone = await world.phones.find(RENTER)
    return bool(phone and phone.forwards_codes)


def notices(world: World) -> list[str]:
    return [notice["name"] for notice in world.sent.of("notice")]


async def last_text(world: World) -> TextMessage:
    async with world.database.read() as session:
        newest = select(TextMessage).order_by(col(TextMessage.id).desc()).limit(1)
        return (await session.exec(newest)).one()


async def test_a_code_goes_to_the_phone_and_is_paid_for(forwarding: World):
    order = await forwarding.rent()
    await forwarding.receive(order, "482913")
    assert texts(forwarding) == [said(order, "482913")]
    assert len(forwarding.sent.codes) == 1
    assert await forwarding.money() == (MONEY - PRICE - SMS_PRICE, 0, PRICE + SMS_PRICE)


async def test_nothing_is_forwarded_that_was_not_asked_for(world: World):
    await link(world)
    world.outside.phones.texts.clear()
    await world.receive(await world.rent(), "482913")
    assert texts(world) == []
    assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_nothing_is_forwarded_where_there_is_no_price(database):
    async with world_on(database, sms_price=None) as world:
        await link(world)
        await world.phones.wish(RENTER, Wish.CODES, on=True)
        await world.receive(await world.rent(), "482913")
        assert await world.owed(FORWARD) == []
        assert await world.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_code_known_from_two_sides_is_forwarded_once(forwarding: World):
    order = await forwarding.rent()
    await forwarding.receive(order, "482913")
    await forwarding.reconcile()
    assert len(texts(forwarding)) == 1


async def test_a_second_code_is_forwarded_and_paid_for_too(forwarding: World):
    order = await forwarding.rent()
    await forwarding.receive(order, "111111")
    await forwarding.receive(order, "222222")
    assert texts(forwarding) == [said(order, "111111"), said(order, "222222")]
    assert await forwarding.money() == (MONEY - PRICE - 2 * SMS_PRICE, 0, PRICE + 2 * SMS_PRICE)


async def test_the_chat_does_not_wait_for_a_sender(forwarding: World):
    forwarding.outside.cellcast.trouble.always = "503"
    await forwarding.receive(await forwarding.rent(), "482913")
    assert len(forwarding.sent.codes) == 1
    assert texts(forwarding) == []
    text = await last_text(forwarding)
    assert await forwarding.balance(held_for_text(text.id or 0)) == SMS_PRICE
    async with forwarding.database.read() as session:
        assert (await audit.wrong_holds(session)).count == 0


@pytest.mark.parametrize("kind", ["timeout", "lost_answer", "500"])
async def test_a_text_that_may_have_been_sent_is_paid_for(forwarding: World, kind):
    forwarding.outside.cellcast.trouble.fail_next(kind)
    await forwarding.receive(await forwarding.rent(), "482913")
    assert (await last_text(forwarding)).status == "unknown"
    assert await forwarding.money() == (MONEY - PRICE - SMS_PRICE, 0, PRICE + SMS_PRICE)


async def test_a_text_that_was_certainly_not_sent_is_paid_back(forwarding: World):
    forwarding.outside.cellcast.trouble.out_of_credit = True
    await forwarding.receive(await forwarding.rent(), "482913")
    assert await forwarding.money() == (MONEY - PRICE, 0, PRICE)
    assert (await forwarding.kinds())[-2:] == ["sms_hold", "sms_release"]


async def test_a_code_that_no_sender_takes_in_ten_minutes_is_paid_back_and_never_sent(forwarding: World):
    forwarding.outside.cellcast.trouble.always = "503"
    await forwarding.receive(await forwarding.rent(), "482913")
    await forwarding.pass_time(minutes=10)
    forwarding.outside.cellcast.trouble.always = None
    await forwarding.pass_time(minutes=10)
    assert texts(forwarding) == []
    assert await forwarding.money() == (MONEY - PRICE, 0, PRICE)


async def test_a_code_that_is_learnt_of_late_is_not_forwarded(forwarding: World):
    order = await forwarding.rent()
    forwarding.outside.receiver = None
    await forwarding.receive(order, "482913")
    forwarding.clock.advance(timedelta(minutes=10))
    await forwarding.reconcile()
    assert len(forwarding.sent.codes) == 1
    assert texts(forwarding) == []


async def test_an_empty_wallet_stops_it_with_one_word(forwarding: World):
    order = await forwarding.rent()
    await leave_with(forwarding, SMS_PRICE - 1)
    await forwarding.receive(order, "111111")
    await forwarding.receive(order, "222222")
    assert texts(forwarding) == []
    assert not await is_on(forwarding)
    assert forwarding.sent.of("notice") == FORWARDED
    assert len(forwarding.sent.codes) == 2
    assert await forwarding.balance(REVENUE) == PRICE


async def test_of_two_codes_at_once_the_money_for_one_forwards_one(forwarding: World):
    orders = [await forwarding.rent(), await forwarding.rent()]
    await leave_with(forwarding, SMS_PRICE)
    await asyncio.gather(*(forwarding.receive(order, "482913") for order in orders))
    await forwarding.settle()
    assert len(texts(forwarding)) == 1
    assert forwarding.sent.of("notice") == FORWARDED
    assert await forwarding.money() == (0, 0, 2 * PRICE + SMS_PRICE)


async def test_it_is_not_switched_on_without_the_money_for_one(world: World):
    await link(world)
    await leave_with(world, SMS_PRICE - 1)
    with pytest.raises(InsufficientFunds):
        await world.forwarding.switch(RENTER, on=True)
    assert not await is_on(world)


@pytest.mark.parametrize("how", ["unlink", "switch off"])
async def test_what_is_on_its_way_when_it_is_switched_off_stays_here(forwarding: World, how):
    forwarding.outside.cellcast.trouble.always = "503"
    await forwarding.receive(await forwarding.rent(), "482913")
    if how == "unlink":
        await forwarding.phones.unlink(RENTER)
    else:
        await forwarding.forwarding.switch(RENTER, on=False)
    forwarding.outside.cellcast.trouble.always = None
    await forwarding.pass_time(minutes=1)
    assert texts(forwarding) == []
    assert await forwarding.money() == (MONEY - PRICE, 0, PRICE)
    assert notices(forwarding) == []


async def test_a_phone_that_said_stop_is_heeded_with_a_word(forwarding: World):
    forwarding.outside.cellcast.unsubscribed.add(PHONE)
    order = await forwarding.rent()
    await forwarding.receive(order, "111111")
    await forwarding.receive(order, "222222")
    assert not await is_on(forwarding)
    assert notices(forwarding) == ["phone_unsubscribed"]
    assert await forwarding.money() == (MONEY - PRICE, 0, PRICE)


async def test_stop_of_an_old_phone_does_not_silence_the_new_one(forwarding: World):
    forwarding.outside.cellcast.trouble.always = "503"
    await forwarding.phones.wish(RENTER, Wish.NEWS, on=True)
    await forwarding.receive(await forwarding.rent(), "111111")
    text = await last_text(forwarding)
    forwarding.outside.cellcast.trouble.always = None
    await forwarding.pass_time(minutes=1)
    await link(forwarding, phone=OTHER, key="2")
    await forwarding.forwarding.switch(RENTER, on=True)
    text.failure = "unsubscribed"
    async with forwarding.database.write() as session:
        await forwarding.phones.hear_of_text(session, text)
    assert await is_on(forwarding)


async def test_killed_anywhere_a_code_is_texted_once_at_most_and_paid_for_if_it_may_have_been(database_url):
    """The chat has every code; what a crash cut off in the middle of a call is unknown, and not repeated."""
    database, step, died = MortalDatabase(database_url), 0, True
    async with AsyncExitStack() as lives:
        world = await lives.enter_async_context(world_on(database, money=100 * PRICE))
        await link(world)
        await world.forwarding.switch(RENTER, on=True)
        while died:
            step += 1
            order = await world.rent()
            died = await dies_at(world, database, order, f"{step:06}", step)
            if died:
                world = await lives.enter_async_context(restarted(world, database))
                await world.reconcile()
            await check(world, order, f"{step:06}")
        assert world.outside.phones.at(PHONE)[-1] == said(await world.order(order), f"{step:06}")
    await database.aclose()
    assert step > 8


async def dies_at(world: World, database: MortalDatabase, order: Order, code: str, step: int) -> bool:
    """Whether it gets that far when a code comes; the database is well again afterwards."""
    database.steps_left = step
    with suppress(Crash):
        await world.receive(order, code)
    await come_to_rest(world)
    died, database.steps_left, database.is_dead = database.is_dead, None, False
    return died


async def check(world: World, order: Order, code: str) -> None:
    [sms] = await world.messages(order)
    assert sms.id in world.sent.codes
    text = await last_text(world)
    assert text.idempotency_key == f"forward:{sms.id}"
    assert text.status in ("accepted", "unknown")
    assert texts(world).count(said(order, code)) <= 1
    assert text.status == "unknown" or said(order, code) in texts(world)
    assert await world.balance(held_for_text(text.id or 0)) == 0
    have, held, paid = await world.money()
    assert (have + held + paid, held) == (100 * PRICE, 0)
    assert paid % PRICE == paid // PRICE * SMS_PRICE % PRICE

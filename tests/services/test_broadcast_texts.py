"""Broadcasts by SMS: to those who want them, after the chats, and nobody twice."""

import pytest

from db import phones
from db.models import BroadcastStatus
from services import broadcast_sending
from services.broadcasts import TextCounts
from services.errors import NotPossible
from services.phones import Wish
from tests.builders import RENTER, World
from tests.services.test_broadcasts import OPERATOR, Desk

pytestmark = pytest.mark.anyio


def number(user_id: int) -> str:
    return f"+61400{user_id:06}"


@pytest.fixture
async def desk(world: World, monkeypatch) -> Desk:
    """Two phones at once, so that a few people take several rounds."""
    monkeypatch.setattr(broadcast_sending, "TEXTS_AT_ONCE", 2)
    return Desk(world)


async def readers(desk: Desk, count: int) -> list[int]:
    """So many renters who want news by SMS."""
    ids = await desk.people(count)
    async with desk.world.database.write() as session:
        for id in ids:
            await phones.link(session, id, number(id), now=desk.world.clock.now())
            await phones.change(session, id, **{Wish.NEWS: True})
    return ids


async def begin(desk: Desk, *, words: str | None = "Big sale") -> int:
    broadcast = await desk.broadcasts.draft(OPERATOR, 5, words=words)
    id = broadcast.id or 0
    await desk.broadcasts.set_texting(id, OPERATOR, on=True)
    await desk.broadcasts.send(id, OPERATOR, panel_id=9)
    await desk.world.outbox.drain()
    return id


async def go_on(desk: Desk, rounds: int = 8) -> None:
    for _ in range(rounds):
        await desk.world.pass_time(seconds=4)


async def counts(desk: Desk, id: int) -> TextCounts | None:
    return await desk.broadcasts.texts(await desk.broadcasts.get(id))


def texted(desk: Desk) -> list[str]:
    return sorted(sms.to for sms in desk.world.outside.phones.texts)


async def test_all_who_want_it_are_texted_once(desk: Desk):
    ids = await readers(desk, 5)
    id = await begin(desk)
    await go_on(desk)
    assert texted(desk) == sorted(number(user_id) for user_id in ids)
    assert await counts(desk, id) == TextCounts(5, sent=5, failed=0, unknown=0)
    assert (await desk.broadcasts.get(id)).status == BroadcastStatus.DONE
    assert await desk.world.kinds() == []


async def test_nobody_else_is_texted(desk: Desk):
    ids = await readers(desk, 3)
    await desk.world.phones.wish(ids[0], Wish.NEWS, on=False)
    await desk.world.accounts.mark_blocked(ids[1])
    await begin(desk)
    await go_on(desk)
    assert texted(desk) == [number(ids[2])]


async def test_without_being_asked_for_nobody_is_texted(desk: Desk):
    await readers(desk, 2)
    await desk.send()
    await go_on(desk)
    assert texted(desk) == []


async def test_a_message_without_words_is_not_texted(desk: Desk):
    await readers(desk, 2)
    id = await begin(desk, words=None)
    await go_on(desk)
    assert texted(desk) == []
    assert (await desk.broadcasts.get(id)).status == BroadcastStatus.DONE


async def test_what_is_on_its_way_cannot_be_changed(desk: Desk):
    await readers(desk, 2)
    id = await begin(desk)
    with pytest.raises(NotPossible):
        await desk.broadcasts.set_texting(id, OPERATOR, on=False)


async def test_paused_and_stopped_no_more_are_texted(desk: Desk):
    await readers(desk, 6)
    id = await begin(desk)
    await go_on(desk, 1)
    assert await desk.broadcasts.pause(id, by=OPERATOR)
    await go_on(desk, 3)
    some = texted(desk)
    assert 0 < len(some) < 6
    await go_on(desk)
    assert texted(desk) == some
    assert await desk.broadcasts.resume(id, by=OPERATOR)
    await go_on(desk, 1)
    assert await desk.broadcasts.stop(id, by=OPERATOR)
    await go_on(desk)
    assert len(some) < len(texted(desk)) <= 6
    assert len(set(texted(desk))) == len(texted(desk))


async def test_a_restart_goes_on_and_texts_nobody_twice(desk: Desk):
    ids = await readers(desk, 6)
    id = await begin(desk)
    for _ in range(6):
        await go_on(desk, 1)
        desk.restart()
        await desk.world.outbox.recover()
    await go_on(desk)
    assert texted(desk) == sorted(number(user_id) for user_id in ids)
    assert (await desk.broadcasts.get(id)).status == BroadcastStatus.DONE


async def test_a_phone_that_changes_hands_meanwhile_is_texted_once(desk: Desk):
    ids = await readers(desk, 4)
    await begin(desk)
    await go_on(desk, 1)
    async with desk.world.database.write() as session:
        await phones.unlink(session, ids[0])
        await phones.link(session, RENTER, number(ids[0]), now=desk.world.clock.now())
        await phones.change(session, RENTER, **{Wish.NEWS: True})
    await go_on(desk)
    assert texted(desk).count(number(ids[0])) == 1


async def test_stop_is_heeded_and_switches_news_off(desk: Desk):
    ids = await readers(desk, 3)
    desk.world.outside.cellcast.unsubscribed.add(number(ids[0]))
    id = await begin(desk)
    await go_on(desk)
    assert await counts(desk, id) == TextCounts(3, sent=2, failed=1, unknown=0)
    phone = await desk.world.phones.find(ids[0])
    assert phone
    assert not phone.takes_news
    assert [notice["name"] for notice in desk.world.sent.of("notice")] == ["phone_unsubscribed"]


async def test_a_sender_without_credit_pauses_it_and_the_rest_follows(desk: Desk):
    await readers(desk, 6)
    desk.world.outside.cellcast.trouble.out_of_credit = True
    id = await begin(desk)
    await go_on(desk)
    paused = await desk.broadcasts.get(id)
    assert (paused.status, paused.trouble) == (BroadcastStatus.PAUSED, "sender_trouble")
    desk.world.outside.cellcast.trouble.out_of_credit = False
    await desk.broadcasts.resume(id, by=OPERATOR)
    await go_on(desk)
    assert await counts(desk, id) == TextCounts(6, sent=4, failed=2, unknown=0)
    assert (await desk.broadcasts.get(id)).status == BroadcastStatus.DONE

"""What operators do about renters, and the trail that it leaves."""

import asyncio

import pytest
from sqlmodel import select

from db import acts as db_acts
from db.models import Favourite, Note, OutboxMessage, TextMessage, User, WebhookDelivery
from services.errors import Banned, NotPossible, ShopClosed, StillInUse, UserNotFound
from services.favourites import Choice, Favourites
from services.maintenance import Maintenance
from services.people import LETTER
from services.roles import Role
from services.team import ROLE
from services.texting import Draft
from tests.builders import PRICE, RENTER, World

pytestmark = pytest.mark.anyio

OWNER = 1
PHONE = "+61400000001"


async def acts_of(world: World):
    async with world.database.read() as session:
        found = await db_acts.newest(session, person_id=None, limit=100, offset=0)
    return [(act.what, act.before, act.after) for act in reversed(found)]


async def rows(world: World, table):
    async with world.database.read() as session:
        return list(await session.exec(select(table)))


@pytest.mark.parametrize("text", ["rin", "RINA", "@rina", str(RENTER), "ina S", "", "  rina "])
async def test_renters_are_found_by_id_username_or_part_of_the_name(world: World, text: str):
    await world.accounts.meet(RENTER, name="Rina Sari", username="rina", language_code="id")
    assert [user.id for user in await world.people.search(text, limit=10)] == [RENTER]


@pytest.mark.parametrize("text", ["%", "_", "nobody", "9" * 20, "9" * 19, "+62000000000", "²"])
async def test_a_search_for_nobody_finds_nobody(world: World, text: str):
    assert await world.people.search(text, limit=10) == []


async def test_renters_are_found_by_their_number_and_their_order(world: World):
    await world.renter(2_000_000, money=0)
    order = await world.rent()
    assert order.phone_number
    spaced = f"{order.phone_number[:3]} {order.phone_number[3:7]}-{order.phone_number[7:]}"
    for text in (order.phone_number, order.phone_number[1:], spaced, str(order.id)):
        assert [user.id for user in await world.people.search(text, limit=10)] == [RENTER], text


async def test_the_largest_id_is_found(world: World):
    await world.renter(2**63 - 1, money=0)
    assert [user.id for user in await world.people.search(str(2**63 - 1), limit=10)] == [2**63 - 1]


async def test_who_was_never_seen_comes_last(world: World):
    await world.accounts.credit(5, 100, key="k", reason=None)
    assert [user.id for user in await world.people.search("", limit=10)] == [RENTER, 5]


async def test_a_ban_is_told_apart_from_its_repetition(world: World):
    for _ in range(2):
        await world.people.ban(RENTER, by=OWNER, reason="spam")
    await world.people.ban(RENTER, by=OWNER, reason="more spam")
    for _ in range(2):
        await world.people.unban(RENTER, by=OWNER)
    assert await acts_of(world) == [
        ("ban", {}, {"reason": "spam"}),
        ("ban", {"reason": "spam"}, {"reason": "more spam"}),
        ("unban", {"reason": "more spam"}, {}),
    ]


async def test_the_banned_cannot_place_an_order(world: World):
    await world.people.ban(RENTER, by=OWNER, reason="spam")
    with pytest.raises(Banned) as refused:
        await world.place()
    assert refused.value.reason == "spam"


async def test_nobody_is_banned_whom_nobody_knows(world: World):
    with pytest.raises(UserNotFound):
        await world.people.ban(404, by=OWNER, reason="")


async def test_those_who_work_here_are_neither_banned_nor_erased(world: World):
    await world.team.appoint(RENTER, Role.SUPPORT, by=OWNER)
    with pytest.raises(NotPossible):
        await world.people.ban(RENTER, by=OWNER, reason="")
    with pytest.raises(NotPossible):
        await world.people.erase(RENTER, by=OWNER, forced=True)


async def test_the_banned_and_the_owners_are_not_appointed(world: World):
    await world.people.ban(RENTER, by=OWNER, reason="")
    with pytest.raises(NotPossible):
        await world.team.appoint(RENTER, Role.MANAGER, by=OWNER)
    await world.renter(OWNER, money=0)
    with pytest.raises(NotPossible):
        await world.team.appoint(OWNER, None, by=OWNER)
    with pytest.raises(UserNotFound):
        await world.team.appoint(404, Role.MANAGER, by=OWNER)


async def test_a_ban_and_an_appointment_at_once_are_one_of_them(world: World):
    await asyncio.gather(
        world.people.ban(RENTER, by=OWNER, reason=""),
        world.team.appoint(RENTER, Role.MANAGER, by=OWNER),
        return_exceptions=True,
    )
    user = await world.accounts.get(RENTER)
    assert bool(user.banned_at) != bool(user.role)


async def test_an_appointment_is_told_once(world: World):
    await asyncio.gather(*(world.team.appoint(RENTER, Role.MANAGER, by=OWNER) for _ in range(5)))
    assert len(await world.owed(ROLE)) == 1
    assert await world.team.roles() == {OWNER: Role.OWNER, RENTER: Role.MANAGER}
    await world.team.appoint(RENTER, None, by=OWNER)
    assert await acts_of(world) == [
        ("role", {}, {"role": "manager"}),
        ("role", {"role": "manager"}, {}),
    ]


async def test_a_letter_and_a_note_of_one_key_are_one(world: World):
    for _ in range(2):
        await world.people.write(RENTER, "hello", by=OWNER, key="k")
        await world.people.add_note(RENTER, "nice", by=OWNER, key="k")
    assert [letter.payload["text"] for letter in await world.owed(LETTER)] == ["hello"]
    assert [note.text for note in await world.people.notes(RENTER, limit=10)] == ["nice"]
    assert [what for what, *_ in await acts_of(world)] == ["message", "note"]


async def test_nothing_is_erased_while_there_is_money_or_an_open_order(world: World):
    with pytest.raises(StillInUse):
        await world.people.erase(RENTER, by=OWNER)
    await world.renter(2, money=PRICE)
    await world.rent(2)
    ties = await world.people.ties(2)
    assert (ties.open_orders, ties.balance) == (1, 0)
    with pytest.raises(StillInUse):
        await world.people.erase(2, by=OWNER)
    assert (await world.accounts.get(2)).name == "Rina"


async def test_an_erased_person_is_gone_and_the_ledger_stays(world: World):
    order = await world.rent()
    await world.receive(order, "482913")
    await world.orders.finish(RENTER, order.id or 0)
    await world.people.add_note(RENTER, "secretive", by=OWNER, key="n")
    await world.people.write(RENTER, "dear Rina", by=OWNER, key="l")
    await world.people.ban(RENTER, by=OWNER, reason="Rina's reason")
    await world.texting.send_test("cellcast", "hi", Draft("t", PHONE, RENTER))
    whatsapp = Choice(world.service("whatsapp"), "ID")
    await Favourites(world.database, world.clock).pin(RENTER, whatsapp)
    await world.settle()
    update = f'{{"from": {{"id": {RENTER}, "first_name": "Rina"}}}}'
    now = world.clock.now()
    async with world.database.write() as session:
        for external_id, body in (("1", update), ("2", update.replace(": 1001", ": 10012"))):
            session.add(
                WebhookDelivery(
                    source="telegram", external_id=external_id, body=body, received_at=now, handled_at=now
                )
            )
    money = await world.money()
    await world.people.erase(RENTER, by=OWNER, forced=True)

    [user] = [user for user in await rows(world, User) if user.id == RENTER]
    assert (user.name, user.username, user.terms_accepted_at, user.ban_reason) == ("", None, None, None)
    assert user.banned_at
    assert user.blocked_at
    assert (await world.order(order)).phone_number == ""
    assert [(sms.code, sms.text) for sms in await world.messages(order)] == [(None, None)]
    assert await rows(world, Note) == []
    assert await rows(world, Favourite) == []
    assert [letter.payload for letter in await rows(world, OutboxMessage) if letter.kind == LETTER] == [{}]
    bodies = {
        row.external_id: row.body for row in await rows(world, WebhookDelivery) if row.source == "telegram"
    }
    assert bodies["1"] == ""
    assert bodies["2"] != ""
    assert {phone for text in await rows(world, TextMessage) if (phone := text.phone_number)} == set()
    assert all("Rina" not in str(act) and "secretive" not in str(act) for act in await acts_of(world))
    assert await world.money() == money


async def test_an_open_order_outlives_an_erasure(world: World):
    order = await world.rent()
    await world.people.erase(RENTER, by=OWNER, forced=True)
    assert (await world.order(order)).phone_number == order.phone_number
    await world.receive(order, "482913")
    assert len(world.sent.codes) == 1
    assert (await world.accounts.get(RENTER)).blocked_at is None


async def test_who_wants_to_be_forgotten_is_reported_once_a_day(world: World):
    for _ in range(2):
        await world.people.ask_erasure(RENTER)
    await world.settle()
    assert world.sent.alerts == ["erasure_asked"]
    assert (await world.accounts.get(RENTER)).erasure_asked_at


async def test_a_closed_shop_sells_nothing_new_and_goes_on(world: World):
    order = await world.rent()
    intent = world.intent()
    bought = await world.orders.place(RENTER, intent)
    maintenance = Maintenance(world.database, world.clock)
    await maintenance.close("Back at noon.", by=OWNER)
    with pytest.raises(ShopClosed) as refused:
        await world.place()
    assert refused.value.text == "Back at noon."
    assert await world.orders.place(RENTER, intent) == bought
    await world.receive(order, "482913")
    assert len(world.sent.codes) == 1


async def test_closing_and_opening_leave_what_changed(world: World):
    maintenance = Maintenance(world.database, world.clock)
    assert await maintenance.notice() is None
    for text in ("", "", "Back at noon."):
        await maintenance.close(text, by=OWNER)
    for _ in range(2):
        await maintenance.open(by=OWNER)
    assert await acts_of(world) == [
        ("maintenance", {"shop": "open"}, {"shop": "closed"}),
        ("maintenance", {"shop": "closed"}, {"shop": "closed Back at noon."}),
        ("maintenance", {"shop": "closed Back at noon."}, {"shop": "open"}),
    ]


async def test_what_operators_do_about_senders_is_in_the_trail(world: World):
    await world.switchboard.choose("AU", "cellcast", by=OWNER)
    await world.switchboard.choose("AU", "cellcast", by=OWNER)
    await world.texting.send_test("cellcast", "hi", Draft("t", PHONE, RENTER))
    assert await acts_of(world) == [
        ("text_route", {}, {"chosen": "cellcast"}),
        ("text_test", {}, {"phone": "+61 ••• 0001"}),
    ]

"""Problems with orders: reported on the card, decided by operators, told to the renter."""

from collections.abc import AsyncIterator

import pytest

from db.session import Database
from sandbox.telegram import Message, Person
from services.errors import NotPossible, OrderNotFound
from services.roles import Role
from services.timelines import What
from tests.bot.stage import OPERATOR, Stage, labels
from tests.bot.test_stars import pay_for_one
from tests.builders import PRICE, STARS, world_on

pytestmark = pytest.mark.anyio

GROUP = -1001
MIA = 7


async def rent_with_code(stage: Stage, user_id: int = 42, code: str = "481516"):
    """An order that had its code, and is over."""
    order = await stage.world.rent(user_id)
    await stage.world.receive(order, code)
    await stage.world.orders.finish(user_id, order.id or 0)
    await stage.world.settle()
    return await stage.world.order(order)


async def report(person: Person, reason: str = "The code did not work") -> Message:
    """By the buttons of the card."""
    await person.tap("Problem with this order")
    await person.tap(reason)
    return await person.wait_for("We look at what happened")


async def test_a_problem_shows_operators_the_whole_timeline(stage, ann, olga):
    order = await rent_with_code(stage)
    await report(ann)
    card = await olga.wait_for(f"Problem with order {order.id}")
    assert "42 says: The code did not work" in card.text
    for line in (" reserved", "asked smscode", "number rented from smscode", "SMS: the supplier told us"):
        assert line in card.text
    assert "code shown, 0 ms later" in card.text
    assert "ended: completed" in card.text
    assert "481516" not in card.text
    assert (order.phone_number or "") not in card.text
    assert labels(card) == [f"Refund Rp\u00a0{PRICE:,}", "Reject"]


async def test_a_refund_is_one_tap_and_gives_back_the_price_once(stage, ann, olga):
    order = await rent_with_code(stage)
    await report(ann)
    card = await olga.wait_for("Problem with order")
    button = card.buttons[0][0]
    await olga.use(card, button)
    await ann.wait_for("you are right")
    assert await stage.world.money(42) == (100_000, 0, 0)
    again = await olga.use(card, button)
    assert again.text == "This has been decided already."
    assert await stage.world.money(42) == (100_000, 0, 0)
    await stage.settle()
    assert "✅ Refunded by" in card.text
    assert not labels(card)
    shown = await ann.wait_for(lambda message: f"Order {order.id}" in message.text and "+62" in message.text)
    assert f"Rp\u00a0{PRICE:,} went back to your balance." in shown.text
    [act] = [act for act in await stage.shop.trail.newest(limit=5) if act.what == "order_refund"]
    assert (act.operator_id, act.user_id, act.after) == (OPERATOR, 42, {"amount": PRICE})
    assert (await stage.shop.audit.examine(full=True)).agrees


async def test_a_rejection_tells_the_renter_why(stage, ann, olga):
    await rent_with_code(stage)
    await report(ann, "Number used before")
    await olga.wait_for("Problem with order")
    await olga.tap("Reject")
    await olga.tap("Code was delivered")
    await ann.wait_for("The code came in time and was shown to you")
    await olga.wait_for("❌ Rejected by")
    assert (await stage.world.money(42))[0] == 100_000 - PRICE


async def test_a_rejection_in_words_of_the_operators_own(stage, ann, olga):
    await rent_with_code(stage)
    await report(ann)
    card = await olga.wait_for("Problem with order")
    await olga.tap("Reject")
    await olga.tap("In my own words")
    await olga.say("You typed <it> wrong.", reply_to=card)
    await ann.wait_for("You typed <it> wrong.")
    await stage.settle()
    assert "❌ Rejected by" in card.text


async def test_a_reply_to_the_card_is_an_answer_while_no_reason_is_asked_for(stage, ann, olga):
    await rent_with_code(stage)
    await report(ann)
    card = await olga.wait_for("Problem with order")
    await olga.tap("Reject")
    await olga.tap("In my own words")
    await olga.tap("‹ Back")
    await olga.say("Which code was it?", reply_to=card)
    answer = await ann.wait_for("Which code was it?")
    assert labels(answer) == ["Answer"]
    assert "Reject" in labels(card)


async def test_a_problem_in_words_of_the_renters_own(stage, ann, olga):
    await rent_with_code(stage)
    await ann.tap("Problem with this order")
    await ann.tap("Something else…")
    await ann.say("The <app> wanted a call")
    await ann.wait_for("We look at what happened")
    card = await olga.wait_for("Problem with order")
    assert "The <app> wanted a call" in card.text


async def test_an_order_is_complained_about_once(stage, ann, olga):
    order = await rent_with_code(stage)
    await ann.tap("Problem with this order")
    question = await ann.wait_for("What went wrong?")
    await ann.tap("The code did not work", question)
    await ann.wait_for("We look at what happened")
    await stage.shop.disputes.report(42, order.id or 0, "used")
    await stage.world.settle()
    cards = [message for message in olga.messages if message.text.startswith("⚠️")]
    assert len(cards) == 1
    assert "Problem with this order" not in labels(await ann.wait_for("We look at it, and answer here"))


async def test_what_is_not_over_or_too_long_ago_or_somebody_elses_is_refused(stage, ann, olga):
    world, disputes = stage.world, stage.shop.disputes
    waiting = await world.rent(42)
    with pytest.raises(NotPossible, match="open"):
        await disputes.report(42, waiting.id or 0, "no_code")
    with pytest.raises(OrderNotFound):
        await disputes.report(43, waiting.id or 0, "no_code")
    await world.receive(waiting, "1234")
    await world.pass_time(days=31)
    with pytest.raises(NotPossible, match="too_old"):
        await disputes.report(42, waiting.id or 0, "no_code")


async def test_what_was_not_paid_cannot_be_refunded(stage, ann, olga):
    await stage.world.rent(42)
    await stage.world.pass_time(minutes=20)
    await stage.world.expire()
    await report(ann, "No code came")
    assert labels(await olga.wait_for("Problem with order")) == ["Reject"]


async def test_what_stars_paid_goes_back_in_stars(stage, olga):
    ben = await stage.renter(8, name="Ben")
    await pay_for_one(stage, ben)
    [view] = await stage.shop.orders.of_user(8, open_only=False, limit=1)
    await stage.world.receive(view.orders[0].order, "481516")
    await report(ben)
    await olga.tap(f"Refund {STARS} ⭐")
    await ben.wait_for(f"you are right. Your {STARS} ⭐ come back.")
    await stage.settle()
    assert any("refunded_payment" in message.attachment for message in ben.messages)
    assert await stage.world.money(8) == (0, 0, 0)
    assert (await stage.shop.accounts.wallet(8)).debt == 0
    assert (await stage.shop.audit.examine(full=True)).agrees
    [payment] = await stage.shop.payments.of_user(8, limit=1)
    assert (payment.status, payment.refund_reason, payment.refunded_by) == ("refunded", "dispute", OPERATOR)


async def test_support_may_reject_and_only_money_may_refund(stage, ann, olga):
    mia = await stage.renter(MIA, name="Mia")
    await stage.world.team.appoint(MIA, Role.SUPPORT, by=OPERATOR)
    await rent_with_code(stage)
    await report(ann)
    card = await mia.wait_for("Problem with order")
    refused = await mia.tap("Refund", card)
    assert refused.text == "This button is not yours."
    await mia.tap("Reject", card)
    await mia.tap("Nothing found wrong", card)
    await ann.wait_for("We found nothing wrong")
    await olga.wait_for("❌ Rejected by Mia")


async def test_open_problems_are_listed_in_the_panel(stage, ann, olga):
    order = await rent_with_code(stage)
    await report(ann)
    await olga.say("/admin")
    await olga.tap("Problems")
    await olga.wait_for(f"{order.id}: The code did not work")
    await olga.tap(f"Order {order.id}")
    opened = await olga.wait_for(f"Problem with order {order.id}")
    await olga.tap("Refund", opened)
    await ann.wait_for("you are right")


@pytest.fixture
async def grouped(sqlite_url: str) -> AsyncIterator[Stage]:
    database = Database(sqlite_url)
    try:
        async with world_on(database, support_chat_id=GROUP) as world, Stage(world).open() as stage:
            yield stage
    finally:
        await database.aclose()


async def test_in_the_group_a_problem_is_decided_in_the_renters_topic(grouped):
    olga, guest = grouped.person(OPERATOR, "Olga", started=True), grouped.person(8, "Guest", started=True)
    forum = grouped.telegram.forum(GROUP, "Support", olga, guest)
    ann = await grouped.renter(42, money=100_000)
    await rent_with_code(grouped)
    await report(ann)
    await grouped.settle()
    [topic] = forum.topics
    card = forum.of_topic(topic)[-1]
    assert "Problem with order" in card.text
    assert (await guest.tap("Refund", card)).text == "This button is not yours."
    await olga.tap("Reject", card)
    await olga.tap("In my own words", card)
    await guest.say_in(forum, topic, "No", reply_to=card)
    await olga.say_in(forum, topic, "It works here.", reply_to=card)
    await ann.wait_for("It works here.")
    await grouped.settle()
    assert f"❌ Rejected by {OPERATOR}: It works here." in card.text


async def test_a_group_that_takes_nothing_costs_no_problem(grouped):
    olga = grouped.person(OPERATOR, "Olga", started=True)
    grouped.telegram.forum(GROUP, "Plain", olga, is_forum=False)
    ann = await grouped.renter(42, money=100_000)
    await rent_with_code(grouped)
    await report(ann)
    await olga.tap("Refund", await olga.wait_for("Problem with order"))
    await ann.wait_for("you are right")


async def test_the_renters_timeline_names_no_supplier(stage, ann):
    order = await rent_with_code(stage)
    whole = await stage.shop.timelines.of_order(order.id or 0)
    theirs = whole.for_renter()
    assert {What.ASKED, What.RENTED, What.HEARD, What.PAID} <= {event.what for event in whole.events}
    assert What.ASKED not in {event.what for event in theirs.events}
    assert all(not event.supplier and not event.via for event in theirs.events)
    assert not [event for event in theirs.events if event.what == What.RENTED and event.amount]

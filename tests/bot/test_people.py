"""Renters as operators handle them: found, credited, banned, written to, forgotten."""

from datetime import timedelta

import pytest

from bot.buttons import Buttons
from sandbox.telegram import Button
from services.errors import LimitReached
from services.people import Limits
from tests.bot.stage import KEY, OPERATOR, labels

pytestmark = pytest.mark.anyio


async def card_of(olga, user_id=42):
    said = await olga.say(f"/user {user_id}")
    return await olga.wait_for("Terms accepted", after=said)


async def trail(stage):
    """What has been done, oldest first: name, about whom, before, after."""
    acts = await stage.shop.trail.newest(limit=100)
    return [(act.what, act.user_id, act.before, act.after) for act in reversed(acts)]


async def test_users_are_found_and_paged(stage, olga):
    for user_id in range(100, 112):
        await stage.world.renter(user_id, money=0)
    await olga.say("/users rina")
    first = await olga.wait_for("“rina”")
    assert len([label for label in labels(first) if "Rina" in label]) == 10
    await olga.tap("Next ›")
    second = await olga.wait_for("“rina”")
    # Two of the twelve, and the renter of every stage.
    assert len([label for label in labels(second) if "Rina" in label]) == 3


async def test_a_search_is_typed(stage, ann, olga):
    order = await stage.world.rent(42)
    await olga.say("/admin")
    await olga.tap("Users")
    await olga.tap("Search")
    await olga.say(order.phone_number)
    assert "Rina · 42" in labels(await olga.wait_for("Last seen first", after=olga.messages[-1]))


async def test_an_amount_is_typed_on_the_card(stage, ann, olga):
    await olga.tap("Credit", await card_of(olga))
    await olga.say("lots")
    await olga.wait_for("lots")
    await olga.say("5000 for the delay")
    await olga.wait_for("Credited Rp\N{NO-BREAK SPACE}5,000 to 42.")
    await ann.wait_for("for the delay")
    await olga.tap("Debit", await card_of(olga))
    await olga.say("2000")
    await olga.wait_for("Debited Rp\N{NO-BREAK SPACE}2,000 from 42.")
    assert await trail(stage) == [
        ("credit", 42, {"balance": 100_000}, {"balance": 105_000, "reason": "for the delay"}),
        ("debit", 42, {"balance": 105_000}, {"balance": 103_000}),
    ]


async def test_a_repeated_update_leaves_one_act(stage, ann, olga):
    said = await olga.say("/credit 42 5000")
    await olga.wait_for("Credited")
    await stage.handle({"update_id": 700_000_001, "message": said.wire()})
    assert len(await trail(stage)) == 1


async def test_a_ban_is_typed_with_its_reason_and_lifted(stage, ann, olga):
    await olga.tap("Ban", await card_of(olga))
    await olga.say("resells <codes>")
    await olga.wait_for("🚫 Banned")
    assert (await stage.world.accounts.get(42)).ban_reason == "resells <codes>"
    await olga.tap("Unban")
    await stage.settle()
    assert (await stage.world.accounts.get(42)).banned_at is None
    assert [what for what, *_ in await trail(stage)] == ["ban", "unban"]


async def test_bans_by_command(stage, ann, olga):
    await olga.say("/ban 42 spam")
    await olga.wait_for("spam")
    assert (await stage.world.accounts.get(42)).ban_reason == "spam"
    await olga.say("/unban 42")
    await stage.settle()
    assert (await stage.world.accounts.get(42)).banned_at is None
    for command in ("/ban", "/unban x"):
        await olga.say(command)
        await olga.wait_for("Usage:", after=olga.messages[-1])


async def test_nobody_who_works_here_is_banned(stage, ann, olga):
    await olga.say(f"/ban {OPERATOR}")
    await olga.wait_for("They work here")


async def test_the_banned_read_why_buy_nothing_and_keep_what_is_theirs(stage, ann, olga):
    order = await stage.world.rent(42)
    await ann.say("/buy whatsapp indonesia")
    confirm = await ann.wait_for("In stock")
    await stage.world.people.ban(42, by=OPERATOR, reason="spam")
    answer = await ann.tap("Buy", confirm)
    assert "any more: spam" in answer.text
    for words in ("/start", "whatsapp", "/buy"):
        said = await ann.say(words)
        await ann.wait_for("You cannot use this bot any more: spam", after=said)
    await ann.say("/balance")
    await ann.wait_for("Available")
    await stage.world.receive(order, "482913")
    await ann.wait_for("482913")
    await ann.say("/orders")
    await ann.wait_for("My orders")
    assert len(stage.world.vendor.orders) == 1


async def test_a_message_comes_from_the_shop(stage, ann, olga):
    await olga.tap("Message", await card_of(olga))
    await olga.say("Your order <1> is fine.")
    await olga.wait_for("On its way to 42")
    assert (await ann.wait_for("Your order")).text == "Your order <1> is fine."
    assert await trail(stage) == [("message", 42, {}, {"text": "Your order <1> is fine."})]


async def test_notes_are_for_operators(stage, ann, olga):
    await olga.tap("Add a note", await card_of(olga))
    await olga.say("x" * 501)
    await olga.wait_for("too long")
    await olga.say("a friend of the house")
    await olga.wait_for("📝 a friend of the house")
    await olga.tap("Notes")
    await olga.wait_for("📝 a friend of the house")
    assert all("friend of the house" not in message.text for message in ann.messages)


async def test_what_they_see_is_words_without_numbers(stage, ann, olga):
    order = await stage.world.rent(42)
    await olga.tap("What they see", await card_of(olga))
    seen = await olga.wait_for("What Rina")
    assert "Rent a number" in seen.text
    assert "[ WhatsApp ]" in seen.text
    assert "My orders" in seen.text
    assert order.phone_number[-4:] not in seen.text
    assert labels(seen) == ["‹ Back"]


async def test_all_orders_of_a_renter_are_listed(stage, ann, olga):
    await stage.world.rent(42)
    await olga.tap("All orders", await card_of(olga))
    await olga.tap("🟢 1 · WhatsApp")
    await olga.wait_for("Timeline")


async def test_a_renter_asks_to_be_forgotten_and_is(stage, olga):
    ben = await stage.renter(43, name="Ben")
    await ben.say("/privacy")
    await ben.tap("Erase my data")
    await ben.tap("Yes, erase it")
    await ben.wait_for("Your request has arrived")
    await olga.wait_for("Renter 43 asks to have their data erased: /user 43")
    card = await card_of(olga, 43)
    assert "Asked to be forgotten" in card.text
    await olga.tap("Erase data", card)
    await olga.tap("Erase", await olga.wait_for("Erased for good"))
    await stage.settle()
    assert (await stage.world.accounts.get(43)).name == ""


async def test_who_has_money_is_erased_by_a_second_thought_alone(stage, ann, olga):
    tap = Buttons(KEY).pack(OPERATOR, "erase", 42, 0)
    card = await card_of(olga)
    answer = await olga.use(card, Button("Erase", callback_data=tap))
    assert "open orders or money" in answer.text
    await olga.tap("Erase data", card)
    await olga.wait_for("Balance: Rp\N{NO-BREAK SPACE}100,000")
    await olga.tap("Erase all the same")
    await stage.settle()
    assert (await stage.world.accounts.get(42)).name == ""
    assert (await stage.world.accounts.wallet(42)).available == 100_000


async def test_the_log_is_paged_and_told_apart_by_person(stage, ann, olga):
    await stage.renter(43, name="Ben")
    for _ in range(9):
        await olga.say("/credit 42 1000")
    await olga.say("/ban 43 spam")
    await olga.wait_for("🚫 Banned")
    await olga.say("/audit log")
    page = await olga.wait_for("Log\n")
    assert "ban · Rina 43" in page.text
    assert "balance: Rp\N{NO-BREAK SPACE}108,000 → Rp\N{NO-BREAK SPACE}109,000" in page.text
    await olga.tap("Next ›")
    assert "balance: Rp\N{NO-BREAK SPACE}100,000 →" in (await olga.wait_for("Log\n")).text
    await olga.say("/audit log 43")
    one = await olga.wait_for("Log of Rina")
    assert "spam" in one.text
    assert "credit" not in one.text
    await olga.say("/audit log x")
    await olga.wait_for("Usage: /audit log [ID]")


async def test_a_closed_shop_sells_nothing_and_says_why(stage, ann, olga):
    await ann.say("/buy whatsapp indonesia")
    confirm = await ann.wait_for("In stock")
    await olga.say("/maintenance on Back at noon & later.")
    await olga.wait_for("The shop is closed")
    assert (await ann.tap("Buy", confirm)).text == "Back at noon & later."
    await ann.say("/start")
    await ann.wait_for("🛠 Back at noon & later.")
    await stage.restart()
    assert (await ann.tap("Buy", confirm)).text == "Back at noon & later."
    await olga.say("/maintenance off")
    await olga.wait_for("The shop is open")
    await ann.tap("Buy", confirm)
    await stage.settle()
    assert len(stage.world.vendor.orders) == 1


async def test_the_shop_is_closed_and_opened_by_buttons(stage, olga):
    await olga.say("/maintenance")
    await olga.tap("Close, saying why…")
    await olga.say("y" * 151)
    await olga.wait_for("may have at most 150 characters")
    await olga.say("Moving house.")
    await olga.wait_for("Moving house.", after=olga.messages[-1])
    await olga.tap("Open again")
    await olga.tap("Close")
    closed = await olga.wait_for("We are doing some maintenance")
    assert "The shop is closed" in closed.text
    assert len(await trail(stage)) == 3
    for wrong in ("/maintenance maybe", f"/maintenance on {'y' * 151}"):
        await olga.say(wrong)
        await olga.wait_for("Usage: /maintenance", after=olga.messages[-1])


async def test_limits_of_ones_own_are_set_on_the_card(stage, ann, olga):
    await olga.say("/user 42")
    await olga.tap("Limits")
    await olga.wait_for("Limits: 100 open at once, 1,000 an hour")
    await olga.say("none at all")
    await olga.wait_for("I need two whole numbers from 1 to 10,000.")
    await olga.say("1 2")
    card = await olga.wait_for("Limits: 1 open at once, 2 an hour")
    await stage.world.rent(42)
    with pytest.raises(LimitReached) as caught:
        await stage.world.place(42)
    assert caught.value.limit == 1
    await olga.tap("Limits", card)
    await olga.tap("As for everybody")
    await stage.world.rent(42)
    newest, first = await stage.shop.trail.newest(limit=2)
    assert (first.what, first.before, first.after) == ("limits", {}, {"open orders": 1, "an hour": 2})
    assert (newest.before, newest.after) == (first.after, {})


async def test_the_limit_of_an_hour_is_ones_own_too(stage, ann):
    await stage.world.people.set_limits(42, Limits(per_hour=2), by=1)
    await stage.world.place(42, quantity=2)
    with pytest.raises(LimitReached) as caught:
        await stage.world.place(42)
    assert (caught.value.limit, caught.value.per) == (2, timedelta(hours=1))

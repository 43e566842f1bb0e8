"""Vouchers in the chat: how operators make them, and renters use them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.buttons import Buttons
from db import conversations
from sandbox.telegram.messages import Button
from services import ledger
from services.team import Team
from services.vouchers import GUESSES, Draft
from tests.bot.stage import KEY, OPERATOR, labels
from tests.builders import CURRENCY

pytestmark = pytest.mark.anyio

MONEY = "Rp\N{NO-BREAK SPACE}"


async def make(stage, *, uses=10, word="SUMMER24"):
    """A voucher of Rp 50,000 for a day."""
    await stage.world.accounts.meet(OPERATOR, name="Olga", username=None, language_code="en")
    await stage.world.vouchers.create(
        OPERATOR, Draft(50_000, uses, timedelta(days=1)), key=f"test:{word}", word=word
    )


async def available(stage, user_id=42):
    return (await stage.world.accounts.wallet(user_id)).available


async def made(stage):
    return len((await stage.world.vouchers.newest(limit=100)).vouchers)


async def stored(stage):
    """Where people stand in what takes typing."""
    async with stage.world.database.read() as session:
        rows = [
            *await conversations.of_name(session, "prompt"),
            *await conversations.of_name(session, "user_data"),
        ]
    return [row.state for row in rows]


# Redeeming


async def test_a_code_fills_the_wallet(stage, ann):
    await make(stage)
    await ann.say("/redeem summer-24")
    answer = await ann.wait_for(f"{MONEY}50,000 was added to your balance")
    assert f"You have {MONEY}150,000 now." in answer.text
    await ann.tap("Balance")
    assert f"+ {MONEY}50,000 · voucher (SUMMER24)" in (await ann.wait_for("Latest changes")).text


async def test_a_code_settles_a_debt_first_and_says_so(stage, ann):
    async with stage.world.database.write() as session:
        now = stage.world.clock.now()
        await ledger.take_back(session, 42, 130_000, currency=CURRENCY, by="stars", key="k", now=now)
    await make(stage)
    await ann.say("/redeem summer-24")
    answer = await ann.wait_for(f"{MONEY}30,000 of it settled what you owed.")
    assert f"You have {MONEY}20,000 now." in answer.text


async def test_each_refusal_has_a_sentence_of_its_own(stage, ann):
    for word in ("EXPIRED", "REVOKED", "USEDBYME"):
        await make(stage, uses=1, word=word)
    revoked = (await stage.world.vouchers.newest(limit=3)).vouchers[1]
    await stage.world.vouchers.revoke(revoked.id, by=OPERATOR)
    await ann.say("/redeem USEDBYME")
    await ann.wait_for("was added")
    stage.world.clock.advance(timedelta(days=2))
    for code, says in {
        "NOSUCHCODE": "I don't know this code",
        "🙂": "I don't know this code",
        "x" * 3000: "I don't know this code",
        "USEDBYME": "You have used this code already",
        "EXPIRED": "has expired",
        "REVOKED": "has been withdrawn",
    }.items():
        said = await ann.say(f"/redeem {code}")
        assert "Redeem a voucher" in labels(await ann.wait_for(says, after=said))
    assert await available(stage) == 150_000


async def test_a_used_up_code_says_so(stage, ann):
    ben = await stage.renter(78, name="Ben")
    await make(stage, uses=1)
    await ben.say("/redeem SUMMER24")
    await ben.wait_for("was added")
    await ann.say("/redeem SUMMER24")
    await ann.wait_for("has been used up")


async def test_guessing_is_told_to_wait(stage, ann):
    await make(stage)
    for number in range(GUESSES):
        await ann.say(f"/redeem WRONG{number}")
        await ann.wait_for("I don't know this code", after=ann.messages[-1])
    await ann.say("/redeem SUMMER24")
    await ann.wait_for("come back in 60 minutes")
    assert await available(stage) == 100_000


async def test_the_operator_hears_of_guessing(stage, olga):
    async with stage.world.database.write() as session:
        await stage.world.announcer.alert(session, "voucher_guessing", "now", count=200)
    await stage.world.settle()
    await olga.wait_for("200 wrong voucher codes within an hour")


async def test_a_code_can_be_typed_when_asked_for_across_a_restart(stage, ann):
    await make(stage)
    await ann.say("/balance")
    await ann.tap("Redeem a voucher")
    await ann.wait_for("Write the code of your voucher")
    await stage.settle()
    assert await stored(stage) == ["code"]
    await stage.restart()
    await ann.say("summer 24")
    await ann.wait_for("was added to your balance")
    await stage.settle()
    assert await stored(stage) == []


async def test_redeem_without_a_code_asks_for_it(stage, ann):
    await make(stage)
    await ann.say("/redeem")
    await ann.wait_for("Write the code")
    await ann.say("SUMMR24")
    refused = await ann.wait_for("I don't know this code")
    await ann.tap("Redeem a voucher", refused)
    await ann.say("SUMMER24")
    await ann.wait_for("was added to your balance")


async def test_after_a_wrong_code_text_is_a_search_again(ann, stage):
    await ann.say("/redeem")
    await ann.wait_for("Write the code")
    await ann.say("WRONGCODE")
    await ann.wait_for("I don't know this code")
    await ann.say("whatsapp indonesia")
    await ann.wait_for("In stock")


async def test_asking_for_a_code_forgets_what_was_asked_before(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("…")
    await ann.wait_for("How many numbers?")
    await ann.say("/redeem")
    await ann.wait_for("Write the code")
    await ann.say("/cancel")
    await ann.wait_for("All right, we stop here")
    await stage.settle()
    assert await stored(stage) == []


async def test_a_repeated_update_redeems_once(stage, ann):
    await make(stage)
    said = await ann.say("/redeem SUMMER24")
    await ann.wait_for("was added")
    await stage.handle({"update_id": 700_000_001, "message": said.wire()})
    await ann.wait_for("You have used this code already: the money is on your balance.")
    assert await available(stage) == 150_000


async def test_a_link_redeems(stage, ann):
    await make(stage)
    await ann.say("/start v_SUMMER24")
    await ann.wait_for("was added to your balance")


@pytest.mark.parametrize("words", ["/start v_SUMMER24", "/redeem SUMMER24"])
async def test_somebody_new_accepts_the_terms_and_has_the_money(stage, words):
    await make(stage)
    ben = stage.person(78, "Ben")
    await ben.say(words)
    await ben.wait_for("Before you start")
    assert await available(stage, 78) == 0
    await ben.tap("Accept")
    await ben.wait_for("was added to your balance")
    assert await available(stage, 78) == 50_000


async def test_somebody_new_without_a_code_is_led_to_their_balance(stage):
    for number, words in enumerate(("/redeem", "/redeem 🙂", "/start v_", "/redeem " + "x" * 100)):
        ben = stage.person(2000 + number, "Ben")
        await ben.say(words)
        await ben.tap("Accept")
        assert "Redeem a voucher" in labels(await ben.wait_for("Available"))


# Making


async def test_a_line_makes_a_voucher(stage, olga, ann):
    await olga.say("/vouchers 50.000 10 30d")
    shown = await olga.wait_for("Used 0 of 10 times")
    assert f"Gives {MONEY}50,000 to each of 10 renters." in shown.text
    assert labels(shown) == ["Copy code", "Copy link", "Revoke", "‹ Vouchers"]
    code = (await olga.tap("Copy code", shown)).copied
    assert code
    assert re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{3}", code)
    assert (await olga.tap("Copy link", shown)).copied == (
        f"https://t.me/{stage.application.bot.username}?start=v_{code.replace('-', '')}"
    )
    await ann.say(f"/redeem {code}")
    await ann.wait_for("was added")


async def test_a_line_may_name_the_word(stage, olga, ann):
    await olga.say("/vouchers 50000 10 12h Happy Birthday")
    await olga.wait_for("Voucher HAPPYBIRTHDAY")
    await olga.say("/vouchers 50000 10 12h happybirthday")
    await olga.wait_for("There is a voucher with this word already")
    await ann.say("/redeem happy birthday")
    await ann.wait_for("was added")


UNREADABLE = {
    "50000": "Usage: /vouchers AMOUNT USES LIFETIME [WORD]",
    "much 10 30d": "Usage: /vouchers",
    "0 10 30d": "must be more than zero",
    "9999999999 10 30d": "at most",
    "50000 0 30d": "a whole number from 1 to 1,000,000",
    "50000 many 30d": "a whole number from 1 to 1,000,000",
    "50000 1000001 30d": "a whole number from 1 to 1,000,000",
    "50000 10 30": "like 12h or 30d",
    "50000 10 0d": "like 12h or 30d",
    "50000 10 9999d": "at most 3,650 days",
    "50000 10 30d short": "6 to 20 letters",
}


async def test_what_cannot_be_made_is_explained(stage, olga):
    for arguments, says in UNREADABLE.items():
        said = await olga.say(f"/vouchers {arguments}")
        await olga.wait_for(says, after=said)
    assert await made(stage) == 0


async def test_a_repeated_update_makes_one_voucher(stage, olga):
    said = await olga.say("/vouchers 50000 10 30d")
    first = await olga.wait_for("Used 0 of 10")
    await stage.handle({"update_id": 700_000_001, "message": said.wire()})
    again = await olga.wait_for("Used 0 of 10", after=first)
    assert again.text == first.text
    assert await made(stage) == 1


async def test_a_voucher_is_made_step_by_step_across_restarts(stage, olga):
    await olga.say("/vouchers")
    await olga.tap("New voucher", await olga.wait_for("There are none yet"))
    await olga.wait_for("How much does one use give?")
    await olga.say("no idea")
    await olga.wait_for("is not an amount")
    await olga.say("50 000")
    await olga.wait_for("How many renters")
    await stage.settle()
    await stage.restart()
    await olga.say("3")
    await olga.wait_for("How long is it valid?")
    await olga.say("2 days")
    preview = await olga.wait_for("Tap Create")
    assert f"Gives {MONEY}50,000 to each of 3 renters." in preview.text
    assert f"At most {MONEY}150,000 in all." in preview.text
    assert "Valid for 2 days." in preview.text
    assert await made(stage) == 0
    await olga.tap("Create", preview)
    await olga.wait_for("Used 0 of 3 times")
    await stage.settle()
    assert await stored(stage) == []


@pytest.fixture
async def preview(stage, olga):
    """Olga has answered all questions about a new voucher, and that is on disk."""
    await olga.say("/vouchers")
    await olga.tap("New voucher")
    for question, text in (("How much", "50000"), ("How many", "3"), ("How long", "30d")):
        await olga.wait_for(question)
        await olga.say(text)
    shown = await olga.wait_for("Tap Create")
    await stage.settle()
    return shown


async def test_the_last_answer_may_be_a_word(stage, olga, preview):
    await olga.say("abc")
    await olga.wait_for("6 to 20 letters")
    await olga.say("Ramadan 2026")
    await olga.wait_for("Voucher RAMADAN2026")
    await stage.settle()
    assert await stored(stage) == []


async def test_a_preview_makes_one_voucher_however_often_it_is_tapped(stage, olga, preview):
    create = next(button for row in preview.buttons for button in row if button.text == "Create")
    await olga.say("Ramadan 2026")
    await olga.wait_for("Voucher RAMADAN2026")
    for _ in range(3):
        await olga.use(preview, create)
    assert await made(stage) == 1


async def test_a_new_voucher_can_be_discarded(stage, olga, preview):
    await olga.tap("Discard", preview)
    await olga.wait_for("There are none yet")
    await stage.settle()
    assert await stored(stage) == []


def nobodys_team(stage):
    """As after a restart without ADMIN_IDS."""
    return Team(stage.world.database, stage.world.clock, stage.world.outbox, owner_ids=())


async def test_who_is_no_operator_any_more_makes_nothing(stage, olga, preview):
    create = next(button for row in preview.buttons for button in row if button.text == "Create")
    stage.shop = replace(stage.shop, team=nobodys_team(stage))
    await stage.restart()
    await olga.say("/start")
    await olga.tap("Accept")
    assert (await olga.use(preview, create)).text == "This button is not yours."
    assert await made(stage) == 0


async def test_a_restart_ends_what_a_former_operator_was_about_to_make(stage, olga, preview):
    await stage.world.accounts.accept_terms(OPERATOR)
    stage.shop = replace(stage.shop, team=nobodys_team(stage))
    await stage.restart()
    await olga.say("RAMADAN2026")
    await olga.wait_for("I found nothing for")
    await stage.settle()
    assert await made(stage) == 0
    assert await stored(stage) == []


async def test_revoking_asks_first(stage, olga, ann):
    await make(stage)
    await ann.say("/redeem SUMMER24")
    await ann.wait_for("was added")
    await olga.say("/vouchers")
    listed = await olga.wait_for(f"Given out in all: {MONEY}50,000")
    assert f"🟢 SUMMER24 · {MONEY}50,000 · 1/10" in labels(listed)
    await olga.tap("🟢 SUMMER24")
    await olga.tap("Revoke", await olga.wait_for(f"Used 1 of 10 times: {MONEY}50,000 given out."))
    asked = await olga.wait_for("Revoke it?")
    ben = await stage.renter(78, name="Ben")
    await ben.say("/redeem SUMMER24")
    await ben.wait_for("was added")
    await olga.tap("Revoke", asked)
    shown = await olga.wait_for("Revoked,")
    assert "Used 2 of 10 times" in shown.text
    assert labels(shown) == ["Copy code", "Copy link", "‹ Vouchers"]
    await olga.tap("‹ Vouchers", shown)
    assert f"⚪ SUMMER24 · {MONEY}50,000 · 2/10" in labels(await olga.wait_for("Newest first"))


async def test_many_vouchers_are_on_pages(stage, olga):
    for number in range(12):
        await make(stage, word=f"NUMBER{number}")
    await olga.say("/admin")
    await olga.tap("Vouchers")
    first = await olga.wait_for("Newest first")
    assert f"🟢 NUMBER11 · {MONEY}50,000 · 0/10" in labels(first)
    await olga.tap("Next ›", first)
    second = await olga.wait_for(lambda message: "‹ Previous" in labels(message))
    assert f"🟢 NUMBER0 · {MONEY}50,000 · 0/10" in labels(second)
    assert "Next ›" not in labels(second)


async def test_a_forged_create_button_makes_nothing(stage, ann):
    await ann.say("/start")
    menu = await ann.wait_for("Rent a number")
    data = Buttons(b"another key").pack(ann.id, "create", 50_000, 10, 24, "abcdefgh")
    assert (await ann.use(menu, Button("Create", callback_data=data))).text == "This button is not yours."
    data = Buttons(KEY).pack(ann.id, "revoke", 1)
    assert (await ann.use(menu, Button("Revoke", callback_data=data))).text == "This button is not yours."
    assert await made(stage) == 0

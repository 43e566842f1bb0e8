"""Paying with Telegram Stars in the chat: what people see, and what moves."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from db import users
from db.models import Invoice
from db.session import Database
from sandbox.telegram import Refusal
from services.ledger import debt, wallet
from services.refunds import STARS
from tests.bot.stage import Stage, labels
from tests.builders import PRICE, world_on

pytestmark = pytest.mark.anyio

SPACE = "\N{NO-BREAK SPACE}"


def is_invoice(message):
    return "invoice" in message.attachment


async def invoice_of(person, tap="100 ⭐"):
    """An invoice for a top-up."""
    await person.say("/topup")
    await person.tap(tap)
    return await person.wait_for(is_invoice)


async def top_up(stage, person, tap="100 ⭐"):
    payment = await person.pay(await invoice_of(person, tap))
    assert payment.paid, payment.error
    await stage.settle()
    return payment


async def pay_for_one(stage, person):
    await person.say("/buy whatsapp indonesia")
    await person.tap("Pay 90 ⭐")
    payment = await person.pay(await person.wait_for(is_invoice))
    assert payment.paid, payment.error
    await stage.settle()
    return payment


@pytest.fixture
async def ben(stage):
    """A renter without money."""
    return await stage.renter(78, name="Ben")


async def money(stage, person):
    return await stage.world.balance(wallet(person.id))


async def test_a_topup_is_chosen_paid_and_thanked_for(stage, ben):
    await ben.say("/topup")
    offer = await ben.wait_for("1 ⭐ buys Rp")
    assert f"100 ⭐ → Rp{SPACE}20,000" in labels(offer)
    await ben.tap("100 ⭐", offer)
    invoice = await ben.wait_for(is_invoice)
    assert f"Adds Rp{SPACE}20,000 to your balance" in invoice.attachment["invoice"]["description"]
    await ben.tap("Pay ⭐️100", invoice)
    await ben.wait_for(f"Thank you for 100 ⭐. Rp{SPACE}20,000 was added to your balance.")
    assert await money(stage, ben) == 20_000
    assert stage.telegram.payments.balance == 100


async def test_the_balance_leads_to_the_topup(ben):
    await ben.say("/balance")
    await ben.tap("Top up")
    await ben.wait_for("How much?")


async def test_an_own_amount_is_rounded_up_to_whole_stars(stage, ben):
    await ben.say("/topup")
    await ben.tap("Other amount…")
    await ben.wait_for("Write an amount in IDR")
    for nonsense, says in (
        ("much", "is not an amount"),
        ("0", "The least you can add is Rp"),
        ("9000000", "The most"),
    ):
        await ben.say(nonsense)
        await ben.wait_for(says, after=ben.messages[-1])
    await ben.say("15.050")
    invoice = await ben.wait_for(is_invoice)
    assert invoice.attachment["invoice"]["total_amount"] == 76
    assert f"Rp{SPACE}15,200" in invoice.attachment["invoice"]["description"]


async def test_a_newcomer_is_offered_what_they_may_pay(stage, ben):
    await top_up(stage, ben, "500 ⭐")
    await ben.say("/topup")
    offer = await ben.wait_for("Today you can pay 500 ⭐ more.")
    assert not any("1,000 ⭐" in label for label in labels(offer))
    await ben.tap("Other amount…", offer)
    await ben.say("150000")
    await ben.wait_for("In your first three weeks you can pay 1,000 ⭐ a day. Today you can pay 500 ⭐ more.")


async def test_a_payment_told_of_again_and_again_is_thanked_for_once(stage, ben):
    payment = await top_up(stage, ben)
    for _ in range(3):
        stage.telegram.payments.repeat(payment.charge_id)
    await stage.settle()
    assert await money(stage, ben) == 20_000
    assert len([message for message in ben.messages if "Thank you" in message.text]) == 1


async def test_an_answer_that_comes_too_late_costs_nothing(stage, ben):
    invoice = await invoice_of(ben)
    stage.telegram.payments.patience = 0
    payment = await ben.pay(invoice)
    assert payment.error == "The bot did not answer in time."
    await stage.settle()
    stage.telegram.payments.patience = 5
    assert (await ben.pay(invoice)).paid
    await ben.wait_for("Thank you")
    assert await money(stage, ben) == 20_000


async def test_a_forwarded_invoice_leads_to_the_bot_and_not_to_a_payment(stage, ann, ben):
    copy = await ann.forward(await invoice_of(ann), ben)
    assert [button.url for row in copy.buttons for button in row] == [
        "https://t.me/numlet_sandbox_bot?start=topup"
    ]


async def test_somebody_who_pays_anothers_invoice_is_told_that_it_is_not_theirs(stage, ann, ben):
    payment = await ben.pay(await invoice_of(ann))
    assert payment.error.startswith("This invoice is for somebody else.")
    assert stage.telegram.payments.balance == 0


async def test_an_invoice_with_another_amount_than_ours_is_refused(stage, ben):
    invoice = await invoice_of(ben)
    async with stage.world.database.write() as session:
        await session.exec(update(Invoice).values(stars=1000))
    assert (await ben.pay(invoice)).error.startswith("This invoice has been changed.")


async def test_a_paid_invoice_cannot_be_paid_again(stage, ben):
    invoice = await invoice_of(ben)
    await ben.pay(invoice)
    await ben.wait_for("Thank you")
    assert (await ben.pay(invoice)).error == "This has been paid already."


async def test_an_old_invoice_has_expired(stage, ben):
    invoice = await invoice_of(ben)
    stage.world.clock.advance(timedelta(days=2))
    assert (await ben.pay(invoice)).error.startswith("This invoice has expired.")


async def test_a_fault_of_ours_lets_no_payment_through(stage, ben):
    invoice = await invoice_of(ben)
    async with stage.world.database.write() as session:
        await session.exec(text("UPDATE invoice SET expires_at = 'never'"))
    assert (await ben.pay(invoice)).error.startswith("Something went wrong on our side.")


async def test_the_banned_are_told_before_and_credited_after(stage, ben):
    invoice = await invoice_of(ben)
    payment = await top_up(stage, ben)
    async with stage.world.database.write() as session:
        await users.set_ban(session, ben.id, banned_at=stage.world.clock.now(), reason="fraud")
    assert "You cannot use this bot any more: fraud" in str((await ben.pay(invoice)).error)
    stage.telegram.payments.store_refund(payment.charge_id)
    await stage.settle()
    assert await money(stage, ben) == 0


async def test_one_number_is_paid_for_with_stars(stage, ben):
    await pay_for_one(stage, ben)
    card = await ben.wait_for("Waiting for the code")
    assert "Paid: 90 ⭐. If no code comes, they come back by themselves." in card.text
    vendor = stage.world.vendor
    await vendor.receive_sms(max(vendor.orders), "Your code is 482913")
    await stage.world.settle()
    assert "Paid: 90 ⭐" in (await ben.wait_for("More codes may come")).text
    assert await stage.world.money(ben.id) == (0, 0, PRICE)
    assert stage.telegram.payments.balance == 90


async def test_stars_come_back_by_themselves_when_no_code_comes(stage, ben):
    await pay_for_one(stage, ben)
    await stage.world.pass_time(minutes=20)
    await stage.world.expire()
    await stage.settle()
    await ben.wait_for("No code came in time. Your 90 ⭐ come back by themselves.")
    assert any("refunded_payment" in message.attachment for message in ben.messages)
    assert await stage.world.money(ben.id) == (0, 0, 0)
    assert stage.telegram.payments.balance == 0


async def test_a_number_that_was_sold_meanwhile_is_paid_back_with_a_reason(stage, ben):
    await ben.say("/buy whatsapp indonesia")
    await ben.tap("Pay 90 ⭐")
    stage.telegram.payments.silent = True
    payment = await ben.pay(await ben.wait_for(is_invoice))
    stage.world.vendor.trouble.out_of_stock = True
    await stage.world.refresh()
    stage.telegram.payments.silent = False
    stage.telegram.payments.repeat(payment.charge_id)
    await ben.wait_for(
        "sold to somebody else. So nothing was bought, and your 90 ⭐ come back by themselves."
    )
    assert stage.telegram.payments.balance == 0
    assert await stage.world.money(ben.id) == (0, 0, 0)


async def test_the_price_of_the_button_is_asked_anew_when_it_went_up(stage, ben):
    await ben.say("/buy whatsapp indonesia")
    await ben.wait_for("In stock")
    stage.world.vendor.trouble.price_jump_percent = 100
    await stage.world.refresh()
    assert (await ben.tap("Pay 90 ⭐")).show_alert
    assert "Pay 180 ⭐" in labels(await ben.wait_for("The price has changed"))


async def test_who_lacks_money_is_shown_the_ways_on(ben):
    await ben.say("/buy whatsapp indonesia")
    confirm = await ben.wait_for("In stock")
    assert {"Pay 90 ⭐", "Top up"} < set(labels(confirm))


async def test_several_numbers_are_paid_for_from_the_balance(ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("3")
    assert not any("⭐" in label for label in labels(await ann.wait_for("Together")))


async def test_an_operator_gives_a_payment_back(stage, ben, olga):
    payment = await top_up(stage, ben)
    await olga.say("/user 78")
    await olga.tap("Payments")
    await olga.tap("1 · 100 ⭐")
    shown = await olga.wait_for("Payment 1")
    assert payment.charge_id in shown.text
    await olga.tap("Refund", shown)
    await olga.wait_for(
        f"Give 100 ⭐ back? Rp{SPACE}20,000 is taken from the wallet, Rp{SPACE}0 becomes a debt."
    )
    await olga.tap("Give 100 ⭐ back")
    await ben.wait_for(f"100 ⭐ went back to you. For them, Rp{SPACE}20,000 was taken from your balance.")
    await stage.settle()
    assert stage.telegram.payments.balance == 0
    assert await money(stage, ben) == 0


async def test_a_refund_tapped_twice_goes_back_once(stage, ben, olga):
    await top_up(stage, ben)
    await olga.say("/user 78")
    await olga.tap("Payments")
    await olga.tap("1 · 100 ⭐")
    await olga.tap("Refund")
    shown = await olga.wait_for("Give 100 ⭐ back?")
    [button] = shown.buttons[0]
    await olga.use(shown, button)
    await olga.use(shown, button)
    await stage.settle()
    assert (stage.telegram.payments.balance, await money(stage, ben)) == (0, 0)
    assert stage.telegram.payments.purses[78] == 10_000


async def test_nobody_but_an_operator_refunds(stage, ben):
    await top_up(stage, ben)
    data = stage.shop.buttons.pack(ben.id, "giveback", 1)
    await stage.handle(
        {
            "update_id": 1,
            "callback_query": {
                "id": "1",
                "from": ben.chat.user,
                "chat_instance": "1",
                "data": data,
                "message": ben.messages[-1].wire(),
            },
        }
    )
    assert stage.telegram.payments.balance == 100


async def test_a_refund_after_spending_is_a_debt_that_both_see(stage, ben, olga):
    payment = await top_up(stage, ben)
    order = await stage.world.rent(ben.id)
    await stage.world.receive(order, "482913")
    await olga.say("/start")
    stage.telegram.payments.store_refund(payment.charge_id)
    await olga.wait_for(f"The store took back 100 ⭐ from renter 78. They owe us Rp{SPACE}18,000 of it.")
    await ben.wait_for(f"You owe Rp{SPACE}18,000; your next top-up settles it first.")
    assert await stage.world.balance(debt(78)) == -18_000
    await olga.say("/user 78")
    await olga.wait_for(f"Owes us: Rp{SPACE}18,000")
    await olga.say("/credit 78 20000")
    await olga.wait_for(f"Rp{SPACE}18,000 of it settled a debt.")
    await ben.wait_for(f"Rp{SPACE}18,000 of it settled what you owed.")
    assert await money(stage, ben) == 2_000


async def test_a_refund_that_telegram_knows_already_counts_as_done(stage, ben, olga):
    """Killed after Telegram did it and before we wrote it down, the worker asks again."""
    payment = await top_up(stage, ben)
    stage.telegram.payments.silent = True
    await stage.application.bot.refund_star_payment(ben.id, payment.charge_id)
    assert await stage.world.refunds.refund(1, by=1)
    await stage.world.settle()
    await ben.wait_for("100 ⭐ went back to you.")
    assert (await stage.world.payments.get(1)).status == "refunded"


async def test_a_refund_that_telegram_refuses_leaves_the_money_in_the_wallet(stage, ben, olga):
    await top_up(stage, ben)
    await olga.say("/start")

    def refuse(params):
        raise Refusal(400, "Bad Request: CHARGE_NOT_FOUND")

    stage.telegram.methods["refundstarpayment"] = refuse
    await stage.world.refunds.refund(1, by=1)
    await stage.world.settle()
    await ben.wait_for(
        f"Telegram would not send your 100 ⭐ back, so Rp{SPACE}20,000 is in your balance instead."
    )
    await olga.wait_for("Telegram refuses to pay payment 1 back: Charge_not_found")
    assert await money(stage, ben) == 20_000


async def test_a_refund_waits_for_telegram_as_long_as_it_takes(stage, ben):
    await top_up(stage, ben)
    refund = stage.telegram.methods["refundstarpayment"]

    def refuse(params):
        raise Refusal(502, "Bad Gateway")

    stage.telegram.methods["refundstarpayment"] = refuse
    await stage.world.refunds.refund(1, by=1)
    await stage.world.settle()
    await stage.world.pass_time(hours=25)
    assert [message.kind for message in await stage.world.owed("refund")] == ["refund"]
    stage.telegram.methods["refundstarpayment"] = refund
    await stage.world.pass_time(minutes=3)
    await ben.wait_for("100 ⭐ went back to you.")


async def test_payments_and_refunds_that_never_reached_us_are_found(stage, ann, ben):
    await stage.stars.reconcile()
    stage.telegram.payments.silent = True
    await ben.pay(await invoice_of(ben))
    lost = await ann.pay(await invoice_of(ann))
    stage.telegram.payments.store_refund(lost.charge_id)
    for _ in range(2):
        await stage.stars.reconcile()
        await stage.world.settle()
    await ben.wait_for("Thank you for 100 ⭐.")
    await ann.wait_for("100 ⭐ went back to you.")
    assert await money(stage, ben) == 20_000
    assert await money(stage, ann) == 100_000


async def test_the_reconciliation_reads_page_after_page_and_goes_on_where_it_was(stage, ben):
    await stage.stars.reconcile()
    stage.telegram.payments.silent = True
    invoice = await invoice_of(ben, "50 ⭐")
    await ben.pay(invoice)
    charge = stage.telegram.payments.charges[0]
    for _ in range(250):
        stage.telegram.payments.charge(ben.chat, charge.invoice)
    await stage.stars.reconcile()
    assert await money(stage, ben) == 251 * 10_000
    calls = len(stage.telegram.calls)
    await stage.stars.reconcile()
    assert len(stage.telegram.calls) == calls + 1


async def test_what_was_paid_before_this_shop_was_there_is_not_its_business(stage, ben):
    stage.telegram.payments.silent = True
    await ben.pay(await invoice_of(ben))
    stage.world.clock.advance(timedelta(days=1))
    await stage.stars.reconcile()
    assert await money(stage, ben) == 0


async def test_paysupport_tells_how_and_where_to_ask(stage, ben):
    await top_up(stage, ben)
    await ben.say("/paysupport")
    answer = await ben.wait_for("Help with a payment")
    assert "1: 100 ⭐, paid" in answer.text
    assert "Support" in labels(answer)


async def test_nothing_is_sold_for_stars_where_the_rate_is_not_set(sqlite_url):
    database = Database(sqlite_url)
    try:
        async with world_on(database, stars_rate=0) as world, Stage(world).open() as stage:
            ben = await stage.renter(78)
            await ben.say("/topup")
            await ben.wait_for("You cannot top up here yourself.")
            await ben.say("/buy whatsapp indonesia")
            assert not any("⭐" in label for label in labels(await ben.wait_for("In stock")))
    finally:
        await database.aclose()


async def test_the_gateway_holds_what_telegram_holds(stage, ann, ben):
    await top_up(stage, ben)
    await pay_for_one(stage, ann)
    await stage.world.pass_time(minutes=20)
    await stage.world.expire()
    await stage.settle()
    assert await stage.world.balance(f"gateway:{STARS}") == -20_000
    assert stage.telegram.payments.balance == 100

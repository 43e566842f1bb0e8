"""What operators type and read."""

import pytest

from tests.bot.stage import labels

pytestmark = pytest.mark.anyio


async def test_a_credit_tells_both(stage, ann, olga):
    await olga.say("/credit 42 25.000 birthday <3")
    answer = await olga.wait_for("Credited Rp\N{NO-BREAK SPACE}25,000 to 42.")
    assert "Balance now: Rp\N{NO-BREAK SPACE}125,000" in answer.text
    news = await ann.wait_for("was added to your balance")
    assert "birthday <3" in news.text
    await ann.say("/balance")
    assert (
        "+ Rp\N{NO-BREAK SPACE}25,000 · top-up (birthday <3)" in (await ann.wait_for("Latest changes")).text
    )


async def test_a_repeated_update_credits_once(stage, ann, olga):
    await olga.say("/credit 42 25000")
    await olga.wait_for("Credited")
    update = {"update_id": 700_000_001, "message": olga.messages[0].wire()}
    await stage.handle(update)
    await olga.wait_for("had been done before")
    assert (await stage.world.accounts.wallet(42)).available == 125_000
    assert len([message for message in ann.messages if "was added" in message.text]) == 1


async def test_money_can_be_given_to_somebody_who_never_came(stage, olga):
    await olga.say("/credit 987654 5000")
    await olga.wait_for("Credited")
    assert (await stage.world.accounts.wallet(987654)).available == 5000


async def test_a_debit_takes_what_is_there_and_no_more(stage, ann, olga):
    await olga.say("/debit 42 40000 mistake")
    await olga.wait_for("Debited Rp\N{NO-BREAK SPACE}40,000 from 42.")
    await olga.say("/debit 42 60001")
    await olga.wait_for("you need Rp\N{NO-BREAK SPACE}1 more")
    await olga.say("/debit 4242 1")
    await olga.wait_for("Nobody with this id")
    assert (await stage.world.accounts.wallet(42)).available == 60_000


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/credit", "Usage: /credit ID AMOUNT"),
        ("/credit 42", "Usage: /credit ID AMOUNT"),
        ("/credit ann 5", "Usage: /credit ID AMOUNT"),
        ("/credit 42 much", "Usage: /credit ID AMOUNT"),
        ("/credit 42 0", "must be more than zero"),
        ("/credit 99999999999999999999 5", "Usage: /credit"),
        ("/debit 42 -5", "Usage: /debit ID AMOUNT"),
        ("/user", "Usage: /user ID"),
        ("/user 31337", "Nobody with this id"),
        ("/order x", "Usage: /order ID"),
        ("/order 31337", "There is no such order"),
        ("/users qwzx", "Nobody found"),
    ],
)
async def test_what_cannot_be_read_is_explained(olga, ann, command, says):
    await olga.say(command)
    await olga.wait_for(says)


async def test_a_renter_and_their_order_can_be_looked_up(stage, ann, olga):
    order = await stage.world.rent(42)
    await stage.world.receive(order, "482913")
    await olga.say("/users")
    await olga.tap("Rina · 42")
    card = await olga.wait_for("Terms accepted")
    assert "Available: Rp\N{NO-BREAK SPACE}82,000" in card.text
    await olga.tap("✉️ 1 · WhatsApp")
    shown = await olga.wait_for("Timeline")
    assert "number rented" in shown.text
    assert "code shown, 0 ms later" in shown.text
    assert "asked smscode for 1" in shown.text
    assert "482913" not in shown.text
    assert order.phone_number not in shown.text
    assert f"••• {order.phone_number[-4:]}" in shown.text


async def test_suppliers_are_shown_with_balance_health_and_webhook(stage, olga):
    await olga.say("/suppliers")
    answer = await olga.wait_for("Suppliers")
    assert "smscode 🟢 working" in answer.text
    assert "Balance: Rp\N{NO-BREAK SPACE}50,000,000" in answer.text
    assert "Webhook: tested, bot.example answered 200" in answer.text


async def test_a_supplier_in_trouble_is_shown_as_such(stage, olga):
    stage.world.vendor.trouble.always = "401"
    for _ in range(3):
        await olga.say("/suppliers")
        answer = await olga.wait_for("Balance: unknown", after=olga.messages[-1])
    assert "smscode 🔴 out of order" in answer.text
    assert "Last trouble" in answer.text


async def test_the_panel_leads_everywhere(olga):
    await olga.say("/start")
    await olga.tap("Accept")
    await olga.tap("Operator")
    await olga.tap("Suppliers")
    await olga.tap("‹ Operator")
    await olga.tap("Users")
    assert "Last seen first." in (await olga.wait_for("Users")).text


async def test_alerts_reach_the_operator(stage, olga):
    stage.world.vendor.buy(142, 1)
    await stage.world.reconcile()
    await olga.wait_for("smscode has order 1001 open, which no purchase here explains")


async def test_help_names_the_panel_to_operators_only(stage, olga, ann):
    await olga.say("/help")
    assert "/admin" in (await olga.wait_for("How it works")).text
    await ann.say("/help")
    assert "/admin" not in (await ann.wait_for("How it works")).text


@pytest.mark.parametrize("link", [f"user_{'9' * 19}", f"order_{'9' * 60}"])
async def test_a_link_to_what_cannot_be_is_no_link(stage, ann, olga, link):
    await olga.say("/start")
    await olga.tap("Accept")
    said = await olga.say(f"/start {link}")
    answer = await olga.wait_for("", after=said)
    assert any("Balance" in label for label in labels(answer))

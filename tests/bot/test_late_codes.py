"""A code that came late, from the offer to the message that brings it."""

import pytest

from services.suppliers.base import RemoteSms
from tests.bot.stage import labels
from tests.bot.test_buying import buy
from tests.builders import PRICE

pytestmark = pytest.mark.anyio

BUY = "Buy this code for Rp\N{NO-BREAK SPACE}18,000"


async def receive_late(stage, person, code="482913"):
    """The renter's number is canceled, and then its code comes."""
    card = await buy(person)
    await person.tap("Cancel", card)
    await stage.world.pass_time(minutes=2)
    await person.wait_for("Canceled.")
    [view] = await stage.shop.orders.of_user(person.id, open_only=False, limit=1)
    async with stage.world.database.write() as session:
        message = RemoteSms(code, f"Your code is {code}", stage.world.clock.now())
        await stage.world.codes.record(session, view.orders[0].order.id or 0, message)
    await stage.world.settle()


async def test_a_late_code_is_offered_and_comes_when_it_is_paid_for(stage, ann):
    await receive_late(stage, ann)
    offer = await ann.wait_for(lambda message: message.text.endswith("unless somebody else rents it."))
    assert "A code came after your order had ended." in offer.text
    assert "482913" not in offer.text
    assert labels(offer) == [BUY]

    await ann.tap("Buy this code", offer)
    await ann.wait_for("Bought for Rp\N{NO-BREAK SPACE}18,000. The code comes as a message.")
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    card = await ann.wait_for("What came late was bought")
    assert "482913" in card.text
    assert BUY not in labels(card)


async def test_the_card_sells_it_too_and_stays_a_card(stage, ann):
    await receive_late(stage, ann)
    card = await ann.wait_for(lambda message: "Canceled." in message.text and BUY in labels(message))
    assert "482913" not in card.text
    assert (await ann.tap("Buy this code", card)).text == "Bought."
    assert (await ann.tap("Buy again", card)) is not None
    assert await stage.world.balance("revenue") == PRICE


async def test_who_cannot_pay_is_told_what_is_missing_and_how_to_get_it(stage):
    ben = await stage.renter(78, money=PRICE)
    await receive_late(stage, ben)
    await stage.world.accounts.debit(78, 5_000, key="spent", reason=None)
    offer = await ben.wait_for(lambda message: labels(message) == [BUY])
    answer = await ben.tap("Buy this code", offer)
    assert answer.text == "Your balance is too low: you need Rp\N{NO-BREAK SPACE}5,000 more."
    await ben.wait_for("You pay with Telegram Stars")
    assert labels(offer) == [BUY]


async def test_an_offer_that_is_over_says_so(stage, ann):
    await receive_late(stage, ann)
    await stage.world.pass_time(minutes=30)
    offer = await ann.wait_for(lambda message: labels(message) == [BUY])
    answer = await ann.tap("Buy this code", offer)
    assert answer.text == "This offer is over. Nothing was taken from your balance."

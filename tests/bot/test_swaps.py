"""A swap as its renter sees it: agreed to on the card, and told there."""

import pytest

from tests.bot.stage import labels
from tests.bot.test_buying import buy, receive

pytestmark = pytest.mark.anyio


async def test_the_card_asks_for_consent_and_tells_the_story(stage, ann):
    card = await buy(ann)
    first = card.text.splitlines()[2]
    await ann.tap("Swap if no code comes", card)
    card = await ann.wait_for("At most 3 numbers, and never more than Rp\N{NO-BREAK SPACE}18,000")
    assert "Don't swap" in labels(card)

    await stage.world.pass_time(minutes=3)
    card = await ann.wait_for(f"1. {first}: no code, swapped")
    assert "Waiting for the code" in card.text
    assert len([message for message in ann.messages if first in message.text]) == 1  # one card all the way

    await receive(stage)
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    card = await ann.wait_for("Paid: Rp\N{NO-BREAK SPACE}18,000")
    assert f"1. {first}: no code, swapped" in card.text


async def test_consent_is_taken_back_on_the_card(stage, ann):
    card = await buy(ann)
    await ann.tap("Swap if no code comes", card)
    card = await ann.wait_for("At most 3 numbers")
    assert (await ann.tap("Don't swap", card)).text == "It will not be swapped."
    card = await ann.wait_for(lambda message: "Swap if no code comes" in labels(message))
    assert "At most 3 numbers" not in card.text


async def test_a_swapped_number_opens_the_card_of_its_purchase(stage, ann):
    card = await buy(ann)
    await ann.tap("Swap if no code comes", card)
    await stage.world.pass_time(minutes=3)
    await ann.say("/orders")
    await ann.tap("History")
    history = await ann.wait_for(lambda message: "• All •" in labels(message))
    await ann.tap(next(label for label in labels(history) if label.startswith("⚪️")), history)
    await ann.wait_for("no code, swapped")

"""Rules for prices, made in the chat: chosen by buttons, typed, seen before they are saved."""

from decimal import Decimal

import pytest

from bot.buttons import Buttons
from sandbox.telegram import Button
from services.pricing import Rule
from services.scopes import Scope
from tests.bot.stage import KEY, labels

pytestmark = pytest.mark.anyio

RP = "Rp\N{NO-BREAK SPACE}"


def rules(stage) -> dict[Scope, Rule]:
    found: dict[Scope, Rule] = stage.world.pricing.tariff.rules
    return found


async def begin(stage, olga) -> Scope:
    """The editor of a new rule for WhatsApp in Indonesia at smscode."""
    await olga.say("/pricing")
    await olga.tap("Add a rule")
    await olga.tap("smscode")
    await olga.tap("🔎 Search")
    await olga.say("whats")
    await olga.tap("WhatsApp")
    await olga.tap("🔎 Search")
    await olga.say("id")
    await olga.tap("🇮🇩 Indonesia")
    await olga.wait_for("smscode · WhatsApp · 🇮🇩 Indonesia")
    return Scope("smscode", stage.world.service("whatsapp"), "ID")


async def test_a_rule_is_made_step_by_step_and_applies_at_once(stage, ann, olga):
    scope = await begin(stage, olga)
    await olga.tap("Percent")
    await olga.say("a third")
    await olga.wait_for("no number from −100 to 1,000")
    await olga.say("33,5 %")
    await olga.tap("Fixed amount")
    await olga.tap(f"{RP}500")
    await olga.tap("Minimum")
    await olga.say("20.000")
    await olga.tap("Rounding")
    await olga.tap(f"{RP}1,000")
    editor = await olga.wait_for("Not saved yet")
    assert f"A number that costs us {RP}15,000 is sold for {RP}21,000." in editor.text
    await olga.tap("Preview")
    preview = await olga.wait_for("1 of")
    assert f"{RP}18,000 → {RP}21,000" in preview.text
    await olga.tap("Save")
    listed = await olga.wait_for("The rules, the most exact first")
    assert rules(stage) == {scope: Rule(Decimal("33.5"), 500, 20_000, 1_000)}
    assert labels(listed)[0] == (
        "smscode · WhatsApp · 🇮🇩 Indonesia: cost + 33.5 %, "
        f"plus {RP}500, at least {RP}20,000, rounded up to {RP}1,000"
    )
    await ann.say("/buy whatsapp indonesia")
    assert f"{RP}21,000" in (await ann.wait_for("WhatsApp")).text


async def test_selling_below_cost_takes_a_second_screen(stage, olga):
    scope = await begin(stage, olga)
    await olga.tap("Percent")
    await olga.say("-50")
    await olga.tap("Preview")
    preview = await olga.wait_for("So it is not saved")
    assert "1 line would be sold for less than it costs us" in preview.text
    assert "Save" not in labels(preview)
    await olga.tap("Save anyway…")
    assert rules(stage) == {}
    await olga.tap("Save anyway", await olga.wait_for("Sell below cost?"))
    await olga.wait_for("The rules")
    assert rules(stage) == {scope: Rule(Decimal(-50), below_cost=True)}


async def test_a_kept_save_button_cannot_sell_below_cost(stage, olga):
    scope = await begin(stage, olga)
    message = olga.messages[-1]
    data = Buttons(KEY).pack(olga.id, "prput", *scope, 5_000, 0, 0, 1)
    await olga.use(message, Button("Save", callback_data=data))
    await olga.wait_for("So it is not saved")
    assert rules(stage) == {}


async def test_a_rule_is_deleted_after_a_look_at_what_that_changes(stage, olga):
    await stage.world.pricing.save(Scope("smscode"), Rule(Decimal(50)), by=1, subject="smscode")
    await olga.say("/pricing")
    await olga.tap("smscode: cost + 50 %")
    await olga.tap("Delete")
    asked = await olga.wait_for("Delete this rule?")
    assert "cheaper:" in asked.text
    await olga.tap("Delete", asked)
    await olga.wait_for("There are no rules yet")
    assert rules(stage) == {}


async def test_anything_can_be_left_open(stage, olga):
    await olga.say("/pricing")
    await olga.tap("Add a rule")
    await olga.tap("All suppliers")
    await olga.tap("All services")
    await olga.tap("All countries")
    assert "Everything" in (await olga.wait_for("Price rule")).text
    await olga.tap("Percent")
    await olga.tap("30 %")
    await olga.tap("Preview")
    await olga.tap("Save")
    await olga.wait_for("The rules")
    assert rules(stage) == {Scope(): Rule(Decimal(30))}


async def test_long_lists_have_pages(stage, olga):
    for number in range(12):
        await stage.world.pricing.save(Scope("", number + 100), Rule(Decimal(20)), by=1, subject="x")
    await olga.say("/pricing")
    assert len(labels(await olga.wait_for("Prices"))) == 14
    await olga.tap("Next ›")
    assert len(labels(await olga.wait_for("Prices"))) == 6

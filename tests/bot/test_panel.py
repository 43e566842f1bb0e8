"""A supplier that can do little, as people meet it: what cannot work is not offered."""

from collections.abc import AsyncIterator

import pytest

from db.session import Database
from tests.bot.stage import OPERATOR, Stage, labels
from tests.builders import PANEL, world_on

pytestmark = pytest.mark.anyio

SPACE = "\N{NO-BREAK SPACE}"


@pytest.fixture
async def stage(sqlite_url: str) -> AsyncIterator[Stage]:
    database = Database(sqlite_url)
    try:
        async with world_on(database, vendors=("smscode", PANEL)) as world, Stage(world).open() as stage:
            yield stage
    finally:
        await database.aclose()


@pytest.fixture
async def ann(stage):
    return await stage.renter(42, money=100_000)


@pytest.fixture
async def olga(stage):
    return stage.person(OPERATOR, "Olga", started=True)


async def test_the_card_has_no_button_that_cannot_work(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap(f"Buy for Rp{SPACE}12,000")
    card = await ann.wait_for("Waiting for the code")
    assert labels(card) == ["Copy number"]
    [number] = stage.world.panel.numbers.values()
    await stage.world.panel_receives(number.phone_number, "Your code is 482913")
    await ann.wait_for(lambda message: "Copy 482913" in labels(message))
    assert labels(await ann.wait_for("Paid: ")) == ["Copy number", "Problem with this order"]


async def test_an_untold_stock_is_not_shown_as_a_number(stage, ann):
    await ann.say("/buy whatsapp kenya")
    confirm = await ann.wait_for("Price: ")
    assert "In stock" not in confirm.text
    assert {"1", "10"} <= {label.strip("• ") for label in labels(confirm)}
    await ann.say("/buy whatsapp indonesia")
    assert " or more" in (await ann.wait_for("In stock: ")).text


async def test_a_network_can_be_chosen_and_is_bought(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("Network: any")
    choice = await ann.wait_for("Which mobile network?")
    price = f" · Rp{SPACE}12,000"
    assert labels(choice) == [f"Any{price}", f"Indosat{price}", f"Telkomsel{price}", "‹ Back"]
    await ann.tap("Telkomsel")
    confirm = await ann.wait_for("Network: Telkomsel")
    assert "Network: Telkomsel" in labels(confirm)
    await ann.tap("2")
    await ann.tap("Buy 2 for")
    card = await ann.wait_for(lambda message: labels(message)[:2] == ["Open 1", "Open 2"])
    assert "Network: Telkomsel" in card.text
    networks = {number.operator and number.operator.name for number in stage.world.panel.numbers.values()}
    assert (len(stage.world.panel.numbers), networks) == (2, {"Telkomsel"})


async def test_the_network_stays_when_a_quantity_is_typed_and_when_bought_again(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("Network: any")
    await ann.tap("Indosat")
    await ann.tap("…")
    await ann.say("1")
    await ann.wait_for("Network: Indosat")
    await ann.tap("Buy for")
    card = await ann.wait_for("Waiting for the code")
    assert "Network: Indosat" in card.text
    await stage.world.pass_time(minutes=20)
    await stage.world.expire()
    await ann.tap("Buy again")
    await ann.wait_for(lambda message: "Network: Indosat" in labels(message))


async def test_the_networks_step_is_not_there_where_nobody_has_it(stage, ann):
    await ann.say("/buy whatsapp kenya")
    assert not [label for label in labels(await ann.wait_for("Price: ")) if "Network" in label]


async def test_a_network_that_is_sold_out_since_is_not_replaced_by_any(stage, ann):
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("Network: any")
    choice = await ann.wait_for("Which mobile network?")
    stage.world.panel.operators.clear()
    await stage.world.refresh()
    await ann.tap("Telkomsel", choice)
    await ann.wait_for("Sold out at the moment")


async def test_the_operator_sees_what_is_known_of_it_and_nothing_more(stage, olga):
    await olga.say("/suppliers")
    text = (await olga.wait_for("numberpanel")).text
    about = text[text.index("numberpanel") :]
    assert "🟢 working" in about
    assert "Webhook: set by hand" in about
    assert "Balance" not in about


async def test_what_belongs_to_nobody_is_shown_to_the_operator(stage, olga):
    number = stage.world.panel.take(1, None)
    await stage.world.panel_receives(number.phone_number, "Your code is 482913")
    alert = await olga.wait_for("which nobody here rents")
    assert number.phone_number not in alert.text
    await olga.say("/suppliers")
    await olga.tap("Unexplained")
    shown = await olga.wait_for("Your code is 482913")
    assert number.phone_number in shown.text
    await olga.tap("‹ Suppliers")


async def test_an_unclear_purchase_is_told_to_both(stage, ann, olga):
    stage.world.panel.trouble.fail_next("lost_answer")
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("Buy for")
    card = await ann.wait_for("Our supplier could not be reached")
    assert "went back to your balance" in card.text
    alert = await olga.wait_for("numberpanel gave no clear answer")
    assert "order 1 went back" in alert.text


async def test_a_refused_key_names_its_setting(stage, ann, olga):
    stage.world.panel.account.manager_is_active = False
    await ann.say("/buy whatsapp indonesia")
    await ann.tap("Buy for")
    alert = await olga.wait_for("numberpanel refuses us")
    assert "our manager there is inactive" in alert.text
    assert "NUMBERPANEL_KEY" in alert.text

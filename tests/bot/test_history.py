"""What renters look back at: their orders, what happened to each, and their money."""

import csv
import io
from dataclasses import replace

import pytest

from services import statements
from services.places import format_phone
from tests.bot.stage import labels
from tests.builders import PRICE

pytestmark = pytest.mark.anyio

MANY_ENTRIES = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    " INSERT INTO ledger_entry (source, destination, amount, currency, kind, idempotency_key, created_at)"
    " SELECT 'gateway:operator', '{wallet}', 1, 'IDR', 'topup', 'many' || i, '2026-01-01 00:00:00.0' FROM n"
)


async def finished(stage, person, code="482913"):
    """An order whose code came, with its card."""
    world = stage.world
    order = await world.rent(person.id)
    await world.receive(order, code)
    await world.orders.finish(person.id, order.id)
    await world.settle()
    return order


async def canceled(stage, person):
    world = stage.world
    order = await world.rent(person.id)
    await world.orders.cancel(person.id, order.id)
    await world.pass_time(minutes=3)
    return order


async def listed(person, tab):
    await person.say("/orders")
    await person.tap("History")
    await person.tap(tab)
    shown = await person.wait_for("My orders")
    return [label for label in labels(shown) if "WhatsApp" in label]


async def test_the_history_is_sifted_by_whether_a_code_came(stage, ann):
    got, none, waits = await finished(stage, ann), await canceled(stage, ann), await stage.world.rent(ann.id)
    numbers = {format_phone(order.phone_number): order.id for order in (got, none, waits)}

    async def ids(tab):
        return [next(id for n, id in numbers.items() if n in label) for label in await listed(ann, tab)]

    assert await ids("• All •") == [waits.id, none.id, got.id]
    assert await ids("With code") == [got.id]
    assert await ids("Without") == [none.id]


async def test_the_history_is_sifted_by_service_on_every_shelf(stage, ann):
    whatsapp = await finished(stage, ann)
    discord = await stage.world.rent(ann.id, service_id=stage.world.service("discord"))
    await stage.world.receive(discord, "700100")
    await canceled(stage, ann)

    async def shown(*buttons):
        for button in buttons:
            await ann.tap(button)
        screen = await ann.wait_for("My orders")
        return screen, [label for label in labels(screen) if "+" in label]

    await ann.say("/orders")
    screen, _ = await shown("History", "All services")
    assert labels(screen)[:2] == ["Discord", "WhatsApp"]
    screen, lines = await shown("WhatsApp")
    assert "• WhatsApp •" in labels(screen)
    assert len(lines) == 2
    _, lines = await shown("With code")
    assert [format_phone(whatsapp.phone_number) in line for line in lines] == [True]
    screen, lines = await shown("• WhatsApp •", "All services")
    assert "All services" in labels(screen)
    assert len(lines) == 2


async def test_a_button_from_before_the_filters_shows_the_history(stage, ann):
    await finished(stage, ann)
    await ann.say("/orders")
    shown = await ann.wait_for("My orders")
    [button] = [button for row in shown.buttons for button in row if button.text == "History"]
    older = stage.shop.buttons.pack(ann.id, "orders", "all", 0)
    await ann.use(shown, replace(button, callback_data=older))
    assert any("WhatsApp" in label for label in labels(await ann.wait_for("Tap one")))


async def test_an_order_of_the_past_shows_its_code_and_what_happened(stage, ann):
    order = await finished(stage, ann)
    await listed(ann, "With code")
    await ann.tap("✅ WhatsApp")
    card = await ann.wait_for("Finished")
    assert (await ann.tap("Copy 482913", card)).copied == "482913"
    await ann.tap("Timeline")
    told = await ann.wait_for("Times are in UTC")
    assert f"Order {order.id}" in told.text
    for said in ("ordered, Rp\N{NO-BREAK SPACE}18,000 reserved", "number rented", "code shown", "ended"):
        assert said in told.text
    assert "smscode" not in told.text
    assert "Codes are erased after 30 days" in told.text
    assert (await ann.tap("Copy 482913", told)).copied == "482913"


async def test_nobody_sees_anothers_timeline(stage, ann):
    order = await finished(stage, ann)
    ben = await stage.renter(78)
    await ben.say("/orders")
    shown = await ben.wait_for("My orders")
    data = stage.shop.buttons.pack(ben.id, "timeline", order.id)
    button = replace(shown.buttons[0][0], callback_data=data)
    assert (await ben.use(shown, button)).text == "There is no such order."


async def statement_of(stage, person):
    await person.say("/balance")
    await person.tap("Statement")
    sent = await person.wait_for(lambda message: "document" in message.attachment)
    content = stage.telegram.account.files[sent.attachment["document"]["file_id"]].content
    return sent.attachment["document"]["file_name"], content


async def test_a_statement_adds_up_and_is_about_oneself_alone(stage, ann):
    await stage.renter(78, money=777)
    await finished(stage, ann)
    await canceled(stage, ann)
    name, content = await statement_of(stage, ann)
    assert name == "statement-2026-02-25.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["Amount"] for row in rows] == ["100000", f"-{PRICE}", f"-{PRICE}", str(PRICE)]
    assert [row["Balance"] for row in rows] == ["100000", "82000", "64000", "82000"]
    assert rows[1]["What"] == "reserved for order 1"
    assert rows[1]["Order"] == "1"
    assert {row["Currency"] for row in rows} == {"IDR"}


async def test_the_pages_of_a_long_statement_join_without_a_gap(stage, ann):
    more = 2 * statements.PAGE
    async with stage.world.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(MANY_ENTRIES.format(count=more, wallet=f"wallet:{ann.id}"))
    _, content = await statement_of(stage, ann)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [row["Balance"] for row in rows] == [str(100_000 + n) for n in range(more + 1)]


async def test_a_note_is_no_formula(stage, ann):
    await stage.world.accounts.credit(ann.id, 5, key="trap", reason='=HYPERLINK("http://x")')
    _, content = await statement_of(stage, ann)
    assert list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))[-1]["Note"].startswith("'=")

"""`/stats`: the figures, their pictures, and what a spreadsheet gets of them."""

import csv
import io
import sys
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bot import charts
from bot.charts import Chart, Panel, Series
from bot.drawing import CARD, choose, draw
from bot.language import Language
from bot.pictures import NotDrawn, Pictures
from bot.views import charts as views
from db.statistics import Buyers, Money, Newcomers, Sale
from services.roles import Role
from services.statistics import Period, Speed
from tests.bot.stage import labels

pytestmark = pytest.mark.anyio

ENGLISH = Language.of("en")
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
WEEK = Period.of(7, NOW)
DRAWN_WITHIN = 30
"""Seconds: a process starts for a picture, perhaps on a busy machine."""
PLAIN = Chart("Orders", "Nov 21, hours in UTC", [Panel(["a", "b"], [Series("", [1, 2])])])


def decoded(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def documents(stage, person) -> list[list[list[str]]]:
    """Every CSV in the chat, read back."""
    files = [
        message.attachment["document"] for message in person.messages if "document" in message.attachment
    ]
    texts = [stage.telegram.account.files[file["file_id"]].content.decode() for file in files]
    return [list(csv.reader(io.StringIO(text))) for text in texts]


# What is drawn


async def test_a_picture_is_drawn_in_a_process_of_its_own():
    assert "matplotlib.pyplot" not in sys.modules
    picture = await Pictures().draw(PLAIN)
    image = decoded(picture)
    assert image.size == (1280, 800)
    assert len(picture) < 200_000
    assert len(image.getcolors(maxcolors=1_000_000) or []) > 10


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "import sys; sys.stdin.read()"])
async def test_a_picture_that_fails_or_is_empty_is_said_to_be_none(program: str):
    with pytest.raises(NotDrawn):
        await Pictures([sys.executable, "-c", program]).draw(PLAIN)


async def test_a_drawing_that_never_ends_is_ended():
    pictures = Pictures([sys.executable, "-c", "import threading; threading.Event().wait()"], time_limit=0.2)
    with pytest.raises(NotDrawn):
        await pictures.draw(PLAIN)


def test_a_chart_survives_the_way_to_the_process():
    panel = Panel(["a"], [Series("n", [1.5])], ticks=[], ends=["1"], line=Series("l", [2]), lying=True)
    chart = Chart("Größe", "s", [panel], right_to_left=True)
    assert charts.read(charts.write([chart])) == [chart]


def test_words_without_letters_in_any_font_are_drawn_in_english():
    private = Chart("\ue123\ue124", "", PLAIN.panels)
    assert choose([private, PLAIN]) is PLAIN
    assert choose([PLAIN, private]) is PLAIN


def test_arabic_is_drawn_from_right_to_left():
    arabic = Chart("الطلبات", "٢١ نوفمبر", [Panel(["واتساب"], [Series("مع رمز", [3])], lying=True)], True)
    assert choose([arabic, PLAIN]) is arabic
    left = decoded(draw(arabic)).crop((0, 0, 640, 120)).getcolors()
    assert left == [(640 * 120, tuple(bytes.fromhex(CARD[1:])))]


# What a chart says


def test_a_date_is_written_where_there_is_room_and_always_below_today():
    quarter = Period.of(90, NOW)
    rows = [(at, Money("", 5, 1)) for at in quarter.moments]
    chart = views.chart(ENGLISH, "money", quarter, rows, "IDR")
    assert chart
    [panel] = chart.panels
    named = [label for label in panel.labels if label]
    assert len(named) <= 8
    assert panel.labels[-1] == "Nov 21"
    assert chart.subtitle == "Aug 24 – Nov 21, days in UTC"


def test_ticks_are_round_and_cover_losses():
    rows = [(at, Money("", 1_234_567, 1_500_000)) for at in WEEK.moments]
    chart = views.chart(ENGLISH, "money", WEEK, rows, "IDR")
    assert chart
    assert [text for _, text in chart.panels[0].ticks] == ["-500K", "0", "500K", "1M", "1.5M"]


def test_what_does_not_fit_is_one_bar():
    sales = [Sale(f"Service {n:02}", "ID", 20 - n, 1) for n in range(15)]
    chart = views.chart(ENGLISH, "sales", WEEK, sales, "IDR")
    assert chart
    by_service, by_country = chart.panels
    assert (len(by_service.labels), by_service.labels[-1]) == (9, "Others")
    assert by_service.ends[-1] == str(sum(20 - n for n in range(8, 15)))
    assert list(by_country.labels) == ["Indonesia"]


@pytest.mark.parametrize(
    ("picture", "figures"),
    [
        ("money", [(WEEK.since, Money("", 0, 0))]),
        ("sales", []),
        ("suppliers", []),
        ("renters", [(WEEK.since, Buyers("", 0, 0))]),
        ("funnel", Newcomers(0, 0, 0, 0, 0, 0)),
        ("speed", [Speed("smscode", {-1: 3})]),
    ],
)
def test_there_is_no_chart_of_nothing(picture: str, figures):
    assert views.chart(ENGLISH, picture, WEEK, figures, "IDR") is None


def test_amounts_are_written_for_machines_and_for_people():
    table = views.table("money", [(WEEK.since, Money("", 1_250, 2_000))], "USD")
    line = dict(zip(table.header, map(str, table.rows[0]), strict=True))
    assert (line["revenue_minor"], line["revenue"], line["margin"]) == ("1250", "12.50", "-7.50")


# In the chat


async def test_the_summary_tells_a_week_against_the_week_before(stage, ann, olga):
    await stage.world.receive(await stage.world.rent(42), "482913")
    stage.world.clock.advance(timedelta(days=7))
    for code in ("111111", "222222"):
        await stage.world.receive(await stage.world.rent(42), code)
    await olga.say("/stats")
    screen = await olga.wait_for("Statistics")
    assert "Revenue: Rp\N{NO-BREAK SPACE}36,000 ▲ 100%" in screen.text
    assert "Margin: Rp\N{NO-BREAK SPACE}6,000 ▲ 100%" in screen.text
    assert "Orders: 2 ▲ 100%" in screen.text
    assert "With a code: 100%" in screen.text
    assert "Renters who ordered: 1, for the first time: 0" in screen.text
    await olga.tap("30 days")
    month = await olga.wait_for("Orders: 3")
    assert month.id == screen.id
    assert "▲" not in month.text


async def test_a_picture_changes_in_place_and_its_figures_come_as_csv(stage, ann, olga):
    await stage.world.receive(await stage.world.rent(42), "482913")
    await olga.say("/stats")
    await olga.wait_for("Statistics")
    await olga.tap("Orders")
    photo = await olga.wait_for(lambda message: "photo" in message.attachment, timeout=DRAWN_WITHIN)
    first = photo.attachment["photo"][0]["file_id"]
    assert "Orders by service and country · Feb 19 – Feb 25, days in UTC" in photo.text
    await olga.tap("Today", photo)
    await olga.wait_for("Orders by service and country · Feb 25, hours in UTC", timeout=DRAWN_WITHIN)
    second = photo.attachment["photo"][0]["file_id"]
    assert first != second
    assert decoded(stage.telegram.account.files[second].content).size == (1280, 800)
    assert "• Today •" in labels(photo)
    await olga.tap("Figures (CSV)", photo)
    await stage.settle()
    assert documents(stage, olga) == [
        [["service", "country", "orders", "orders_with_code"], ["WhatsApp", "ID", "1", "1"]]
    ]


async def test_where_there_is_nothing_a_sentence_says_so(stage, olga):
    await olga.say("/stats")
    await olga.wait_for("Statistics")
    answer = await olga.tap("Suppliers")
    assert answer.text == "There is nothing to draw for this time yet."
    assert not [message for message in olga.messages if message.attachment]


async def test_without_a_picture_the_figures_are_offered(stage, ann, olga):
    await stage.world.rent(42)
    stage.use_pictures(Pictures([sys.executable, "-c", "raise SystemExit(1)"]))
    await olga.say("/stats")
    await olga.wait_for("Statistics")
    await olga.tap("Orders")
    sorry = await olga.wait_for("The picture could not be drawn", timeout=DRAWN_WITHIN)
    await olga.tap("Figures (CSV)", sorry)
    await stage.settle()
    assert len(documents(stage, olga)) == 1


async def test_a_name_that_a_spreadsheet_would_run_is_made_harmless(stage, ann, olga):
    async with stage.world.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE service SET name = '=1+1' WHERE slug = 'whatsapp'")
    await stage.world.rent(42)
    await olga.say("/stats")
    await olga.wait_for("Statistics")
    await olga.tap("Orders")
    photo = await olga.wait_for(lambda message: "photo" in message.attachment, timeout=DRAWN_WITHIN)
    await olga.tap("Figures (CSV)", photo)
    await stage.settle()
    assert documents(stage, olga)[0][1][0] == "'=1+1"


# The books


async def test_the_books_come_as_documents_and_it_is_written_down(stage, ann, olga):
    await stage.world.receive(await stage.world.rent(42), "482913")
    await olga.say("/export")
    await olga.wait_for("Export")
    for name in ("Ledger", "Orders", "Payments"):
        await olga.tap(name)
    await stage.settle()
    ledger, orders, payments = documents(stage, olga)
    assert [line[2] for line in ledger[1:]] == ["topup", "topup", "hold", "capture"]
    assert (len(orders), len(payments)) == (2, 1)
    written = await stage.shop.trail.newest(limit=9)
    assert [(act.what, act.subject) for act in written[:3]] == [
        ("export", "payments.csv"),
        ("export", "orders.csv"),
        ("export", "ledger.csv"),
    ]


async def test_a_large_book_comes_as_a_zip(stage, olga):
    statement = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)"
        " INSERT INTO ledger_entry (source, destination, amount, currency, kind, idempotency_key, created_at)"
        " SELECT 'gateway:operator', 'wallet:7', i, 'IDR', 'topup', 'k' || i, '2026-01-01 00:00:00.0' FROM n"
    )
    await stage.world.accounts.credit(7, 1, key="first", reason=None)
    async with stage.world.database.write() as session:
        await (await session.connection()).exec_driver_sql(statement)
    await olga.say("/export")
    await olga.wait_for("Export")
    await olga.tap("Ledger")
    sent = await olga.wait_for(lambda message: "document" in message.attachment)
    assert sent.attachment["document"]["file_name"] == "ledger.csv.zip"
    assert sent.attachment["document"]["file_size"] < 1_000_000


@pytest.mark.parametrize("command", ["/stats", "/export"])
async def test_a_renter_and_the_support_get_nothing(stage, ann, command: str):
    await stage.renter(7, name="Sue")
    await stage.world.team.appoint(7, Role.SUPPORT, by=1)
    for person in (ann, stage.person(7, "Sue", started=True)):
        await person.say(command)
        await stage.settle()
        assert "Statistics" not in person.messages[-1].text
        assert not labels(person.messages[-1]) or "Ledger" not in labels(person.messages[-1])

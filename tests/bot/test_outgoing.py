"""What is sent without being asked for, whatever Telegram makes of it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from db.models import OutboxMessage
from sandbox.telegram import FloodLimits, Refusal
from sandbox.telegram.flood import FloodControl
from services.lanes import Lane
from tests.bot.stage import refusing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def order(stage, ann):
    """A number that waits for its code; its card has been sent."""
    order = await stage.world.rent(42)
    await ann.wait_for("Waiting for the code")
    return order


async def owed(stage):
    """Kinds of what is still to be sent."""
    async with stage.world.database.read() as session:
        rows = await session.exec(select(OutboxMessage).where(OutboxMessage.done_at == None))  # noqa: E711
        return [row.kind for row in rows]


async def test_a_code_goes_ahead_and_is_marked_as_shown(stage, ann, order):
    await stage.world.receive(order, "482913")
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    assert ("sendMessage", Lane.CODE) in stage.limiter.passed
    assert ("editMessageText", Lane.EDIT) in stage.limiter.passed
    [sms] = await stage.world.messages(order)
    assert sms.shown_at == stage.world.clock.now()


async def test_a_deleted_card_is_sent_anew_and_kept_up_to_date(stage, ann, order):
    old = ann.messages[-1]
    ann.chat.remove(old.id)
    await stage.world.receive(order, "482913")
    card = await ann.wait_for("Paid")
    assert card.id != old.id
    await stage.world.orders.finish(42, order.id)
    await stage.world.settle()
    assert "Finished" in next(message for message in ann.messages if message.id == card.id).text


async def test_a_renter_who_blocked_the_bot_is_marked_and_left_alone(stage, ann, order):
    ann.chat.standing = "deactivated"  # Telegram tells the bot nothing of it
    await stage.world.receive(order, "482913")
    assert (await stage.world.accounts.get(42)).blocked_at
    assert await owed(stage) == []
    calls = len(stage.telegram.calls)
    await stage.world.orders.finish(42, order.id)
    await stage.world.settle()
    assert len(stage.telegram.calls) == calls
    [sms] = await stage.world.messages(order)
    assert sms.shown_at is None


async def test_a_code_whose_shape_is_refused_arrives_as_plain_text(stage, ann, order):
    send = stage.telegram.methods["sendmessage"]

    def picky(params):
        if params.text("parse_mode"):
            raise Refusal(400, "Bad Request: can't parse entities: no")
        return send(params)

    stage.telegram.methods["sendmessage"] = picky
    await stage.world.receive(order, "482913")
    message = await ann.wait_for(lambda message: message.text == "482913")
    assert message.buttons == []


async def test_what_telegram_does_not_take_now_is_sent_later(stage, ann, order):
    heal = refusing(stage, "sendmessage", Refusal(429, "Too Many Requests: retry after 7", retry_after=7))
    await stage.world.receive(order, "482913")
    assert "code" in await owed(stage)
    heal()
    await stage.world.pass_time(seconds=6)
    assert "code" in await owed(stage)
    await stage.world.pass_time(seconds=1)
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    assert await owed(stage) == []


async def test_a_broken_telegram_delays_everything_and_loses_nothing(stage, ann, order):
    heal = [
        refusing(stage, method, Refusal(502, "Bad Gateway")) for method in ("sendmessage", "editmessagetext")
    ]
    await stage.world.receive(order, "482913")
    assert await owed(stage) == ["code"]
    for mend in heal:
        mend()
    await stage.world.pass_time(seconds=30)
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    await ann.wait_for("Paid")


async def test_a_card_that_telegram_never_takes_is_given_up(stage, ann, order):
    refusing(stage, "editmessagetext", Refusal(400, "Bad Request: BUTTON_DATA_INVALID"))
    await stage.world.receive(order, "482913")
    await ann.wait_for(lambda message: message.text.startswith("482913"))
    assert await owed(stage) == []


async def test_codes_of_one_renter_come_in_order(stage, ann, order):
    stage.telegram.flood = FloodControl(FloodLimits())
    await stage.world.receive(order, "111111")
    await stage.world.pass_time(seconds=60)
    await stage.world.orders.resend(42, order.id)
    await stage.world.settle()
    stage.world.clock.advance(timedelta(seconds=60))
    await stage.world.receive(order, "222222")
    await ann.wait_for(lambda message: message.text.startswith("222222"))
    codes = [message.text[:6] for message in ann.messages if message.text[:6].isdecimal()]
    assert codes == ["111111", "222222"]


async def test_an_operator_who_never_opened_the_bot_misses_the_alert_alone(stage):
    stage.world.vendor.buy(142, 1)
    await stage.world.reconcile()
    assert await owed(stage) == []


async def test_a_refusal_that_quotes_the_message_does_not_reach_the_log(stage, ann, order, capsys, caplog):
    refusing(
        stage,
        "sendmessage",
        Refusal(400, 'Bad Request: can\'t parse entities: unsupported start tag "482913"'),
    )
    await stage.world.receive(order, "482913")
    said = capsys.readouterr()
    assert "refused" in said.out + said.err + caplog.text
    assert "482913" not in said.out + said.err + caplog.text

"""Screens about senders as text: every state in words, and that Telegram takes it whatever is in it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.language import Language
from bot.views import operator, sender_ids, senders
from bot.views.screen import View
from db.models import TextMessage, TextStatus
from services import errors
from services.sender_ids import OwnId, Standing
from services.senders.base import Device, Sim, Usage
from services.senders.cellcast import Cellcast
from services.supply import Health
from tests.bot.test_views import NASTY, READER, check

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
CELLCAST = Cellcast(token="t", clock=None)  # type: ignore[arg-type]
EVERYWHERE = Cellcast(token="t", clock=None)  # type: ignore[arg-type]
EVERYWHERE.countries = None
WELL = Health(last_ok_at=NOW)
ILL = Health(last_error_at=NOW, last_error=NASTY)
ILL.breaker.fail(NOW)
PIXEL = Device("1", NASTY, (Sim(0, NASTY, None, None),), NOW)
STATES = [
    senders.SenderState(CELLCAST, WELL, None, True, usage=[Usage(NASTY, 11, Decimal("9.1"))] * 20),
    senders.SenderState(EVERYWHERE, ILL, NASTY, False, devices=[PIXEL] * 20),
    senders.SenderState(EVERYWHERE, WELL, None, False, usage=[], devices=[Device("1", "A", (), None)]),
    senders.SenderState(EVERYWHERE, WELL, None, False, devices=[], newsletters=False),
    senders.SenderState(EVERYWHERE, WELL, None, False, devices=[], newsletters=True),
]
OWN = [
    OwnId("+61400000001", Standing.VERIFIED),
    OwnId("+61400000002", Standing.UNVERIFIED, NASTY),
    OwnId("Pizza - 123", Standing.REQUESTED),
]


def text(status: TextStatus, failure: str | None = None) -> TextMessage:
    return TextMessage(
        id=1,
        purpose="test",
        idempotency_key="k",
        user_id=1,
        phone_number="+61400000001",
        parts=1,
        status=status,
        sender="cellcast",
        failure=failure,
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW,
    )


@pytest.mark.parametrize(
    "view",
    [
        senders.senders(READER, STATES, {"AU": NASTY}),
        senders.senders(READER, [], {}),
        senders.ask_test_number(READER, CELLCAST, wrong=True),
        senders.test_queued(READER, "cellcast", "+61400000001"),
        senders.ask_country(READER, wrong=True),
        senders.country(READER, "AU", [CELLCAST, EVERYWHERE], "cellcast", "cellcast"),
        senders.country(READER, "ID", [], None, "gone"),
        sender_ids.book(READER, "smsgateway24", OWN, None),
        sender_ids.book(READER, "cellcast", OWN, "+61400000001"),
        sender_ids.ask_name(READER, "cellcast", NASTY),
        sender_ids.ask_number(READER, "cellcast"),
        sender_ids.ask_otp(READER, "cellcast", "+61400000001", NASTY),
        sender_ids.ask_alpha(READER, "cellcast"),
        sender_ids.verified(READER, "smsgateway24", OWN[0]),
        sender_ids.requested(READER, "cellcast", OWN[2]),
        sender_ids.failed(READER, "cellcast", NASTY),
        operator.alert(Language.of("en"), "no_credit", {"supplier": "cellcast"}),
    ],
)
def test_telegram_takes_every_screen(view: View):
    assert "{" not in check(view)


FAILURES = (
    *("invalid", "unsubscribed", "no_credit", "access_refused", "unreachable", "no_sender"),
    *("not_delivered", "refused"),
)


def test_every_way_a_text_may_fare_has_words_of_its_own():
    states = [text(status) for status in TextStatus if status not in (TextStatus.SENDING, TextStatus.FAILED)]
    states += [text(TextStatus.FAILED, failure) for failure in FAILURES]
    said = [check(senders.text_news(READER, state, has_sender_ids=True)) for state in states]
    assert len(set(said)) == len(states)
    assert not any("{" in words or "400000001" in words for words in said)


def test_a_refusal_speaks_of_sender_ids_only_where_there_are_any():
    refused = text(TextStatus.FAILED, "refused")
    assert "sender ID" in check(senders.text_news(READER, refused, has_sender_ids=True))
    assert "sender ID" not in check(senders.text_news(READER, refused, has_sender_ids=False))


def test_every_error_about_a_sender_id_has_a_sentence_of_its_own():
    known = (
        *(errors.NameRequired, errors.NameInvalid, errors.NumberRequired, errors.NumberInvalid),
        *(errors.NumberTaken, errors.OtpRefused, errors.AccessRefused, errors.UpstreamUnavailable),
        *(errors.UpstreamRefused, errors.UpstreamUnknown),
    )
    said = {sender_ids.sentence(error(""), Language.of("en")) for error in known}
    assert len(said) == len(known)

"""Views as text: what they say, and that Telegram takes it whatever is in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.buttons import Buttons, Tap
from bot.language import Language
from bot.views import (
    browse,
    cards,
    closing,
    disputes,
    home,
    invitations,
    lists,
    offers,
    operator,
    panel,
    payments,
    people,
    pricing,
    privacy,
    problems,
    scopes,
    start,
    suppliers,
    support,
    team,
    trail,
    vouchers,
)
from bot.views.errors import ALERT_LIMIT, sentence
from bot.views.screen import Page, Reader, View, escape
from db.models import (
    Act,
    Dispute,
    DisputeStatus,
    Invoice,
    InvoicePurpose,
    LedgerEntry,
    Note,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Purchase,
    Service,
    Sms,
    User,
    Voucher,
)
from sandbox.telegram.formatting import parse_html
from services import errors
from services.accounts import Wallet
from services.breaker import State
from services.clock import SystemClock
from services.disputes import Case
from services.favourites import Choice
from services.invitations import Invites
from services.lines import Line, Route
from services.low_balances import Forecast
from services.orders import Allowance, OrderView, PurchaseView
from services.people import Ties
from services.pricing import Rule
from services.rates import Exchange
from services.recent_calls import Summary
from services.repricing import Change, Preview
from services.roles import Right, Role
from services.scopes import Scope
from services.standings import Standing
from services.suppliers.base import Balance, Capabilities
from services.suppliers.smscode import SmsCode
from services.supply import Health
from services.timelines import Event, Timeline, What
from services.vouchers import LARGEST_AMOUNT, LONGEST, MOST_USES, Draft
from services.webhook_secrets import WebhookState

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
READER = Reader(2**52, Language.of("en"), Buttons(b"key"))
NASTY = "<b>R&D</b> \"quoted\" 'n' long" + " name" * 20
SERVICE = Service(id=2**31, slug="r-d", name=NASTY, code="rd")
LINE = Line(2**31, "ID", (Route("smscode", "142", 15_000, 18_000, 42),))
RICH, POOR = Wallet(100_000, 18_000, "IDR", ()), Wallet(1_000, 0, "IDR", ())
OFFER = offers.Offer(service=SERVICE, line=LINE, quantity=1, wallet=RICH, key="abcdefgh")
CAN_ALL = Capabilities(cancel=True, finish=True, resend=True, cancel_after=timedelta(minutes=2))
NBSP = "\N{NO-BREAK SPACE}"


def labels(view: View) -> list[str]:
    return [button.text for row in (view.keyboard.inline_keyboard if view.keyboard else ()) for button in row]


def check(view: View) -> str:
    """The text as people see it. Telegram must take it, and its buttons."""
    text = parse_html(view.text).text
    assert 0 < len(text) <= 4096
    rows = view.keyboard.inline_keyboard if view.keyboard else ()
    assert len(rows) <= 13
    for row in rows:
        assert 1 <= len(row) <= 8
        for button in row:
            assert button.text.strip()
            assert len(str(button.callback_data or "").encode()) <= 64
            assert button.copy_text is None or 1 <= len(button.copy_text.text) <= 256
    return text


def order(
    status: OrderStatus, *, sms: tuple[Sms, ...] = (), can: Capabilities = CAN_ALL, **more
) -> OrderView:
    number = (
        {} if status in ("pending", "failed") else {"phone_number": "+6281234567890", "supplier": "smscode"}
    )
    values: dict[str, Any] = {
        "id": 12,
        "purchase_id": 7,
        "user_id": 42,
        "created_at": NOW,
        "activated_at": NOW,
        **number,
    }
    values["expires_at"] = NOW + timedelta(minutes=20)
    if status in ("completed", "failed", "canceled", "expired"):
        values["ended_at"] = NOW
    return OrderView(Order(status=status, **(values | more)), sms, can)


def purchase(*orders: OrderView, failure: str | None = None) -> PurchaseView:
    bought = Purchase(
        id=7,
        user_id=42,
        idempotency_key="k",
        service_id=2**31,
        country="ID",
        quantity=len(orders),
        price=18_000,
        currency="IDR",
        failure=failure,
        created_at=NOW,
    )
    return PurchaseView(bought, SERVICE, orders)


COMPLAINABLE = ("received", "completed", "expired")


def case_of(dispute: Dispute) -> Case:
    shown = order(OrderStatus.COMPLETED)
    return Case(dispute, shown.order, purchase(shown).purchase)


ENDED = ["Buy again", "Menu", "Timeline"]


def code(
    value: str | None = "482913", text: str | None = "Your code is 482913", *, late: bool = False
) -> Sms:
    return Sms(id=1, order_id=12, fingerprint="f", code=value, text=text, received_at=NOW, late=late)


@pytest.mark.parametrize(
    ("shown", "says", "buttons"),
    [
        (order(OrderStatus.PENDING), "Getting your number…", []),
        (
            order(OrderStatus.ACTIVE),
            "Waiting for the code",
            ["Copy number", "Another SMS", "Cancel", "Swap if no code comes"],
        ),
        (order(OrderStatus.ACTIVE, can=Capabilities()), "Waiting for the code", ["Copy number"]),
        (
            order(OrderStatus.ACTIVE, cancel_requested_at=NOW),
            "Will be canceled as soon as the supplier allows it",
            ["Copy number", "Another SMS"],
        ),
        (
            order(OrderStatus.ACTIVE, notice="cancel_refused"),
            "refused to cancel",
            ["Copy number", "Another SMS", "Cancel", "Swap if no code comes"],
        ),
        (
            order(OrderStatus.RECEIVED, sms=(code(),)),
            "Code: 482913",
            ["Copy number", "Another SMS", "Finish"],
        ),
        (
            order(OrderStatus.RECEIVED, notice="resend_asked"),
            "Asking for another SMS…",
            ["Copy number", "Finish"],
        ),
        (
            order(OrderStatus.RECEIVED, notice="resent"),
            "was asked for",
            ["Copy number", "Another SMS", "Finish"],
        ),
        (
            order(OrderStatus.RECEIVED, notice="resend_refused"),
            "not possible for this number",
            ["Copy number", "Another SMS", "Finish"],
        ),
        (
            order(OrderStatus.COMPLETED, sms=(code(),)),
            f"Finished. Paid: Rp{NBSP}18,000",
            ["Copy 482913", *ENDED],
        ),
        (order(OrderStatus.COMPLETED, sms=(code(None, None),)), "it has been erased", ENDED),
        (order(OrderStatus.CANCELED), f"Canceled. Rp{NBSP}18,000 went back", ENDED),
        (order(OrderStatus.EXPIRED), "No code came in time", ENDED),
        (order(OrderStatus.EXPIRED, sms=(code(late=True),)), "is not shown", ENDED),
    ],
)
def test_an_order_card_shows_its_state_and_what_can_be_done(shown, says, buttons):
    view = cards.card(READER, purchase(shown))
    text = check(view)
    assert says in text
    assert NASTY in text
    problem = ["Problem with this order"] if shown.order.status in COMPLAINABLE else []
    assert labels(view) == [*buttons, *problem]
    assert ("+6281234567890" in text) == bool(shown.order.phone_number)


@pytest.mark.parametrize(
    ("failure", "says"),
    [("out_of_stock", "sold to somebody else"), ("supplier_trouble", "could not be reached")],
)
def test_a_failed_order_says_why(failure, says):
    text = check(cards.card(READER, purchase(order(OrderStatus.FAILED), failure=failure)))
    assert says in text
    assert f"Rp{NBSP}18,000 went back to your balance." in text


def test_a_late_code_is_not_shown():
    text = check(cards.card(READER, purchase(order(OrderStatus.EXPIRED, sms=(code(late=True),)))))
    assert "482913" not in text


def test_the_time_left_counts_down_by_itself():
    view = cards.card(READER, purchase(order(OrderStatus.ACTIVE)))
    assert '<tg-time unix="1772014800" format="r">2026-02-25 10:20 UTC</tg-time>' in view.text


def test_a_hundred_numbers_fit_on_pages_of_ten():
    shown = [order(OrderStatus.RECEIVED, sms=(code(),), id=at) for at in range(100)]
    view = cards.card(READER, purchase(*shown), page=9)
    text = check(view)
    assert "100. ✉️ +6281234567890 482913" in text
    assert f"Paid: Rp{NBSP}1,800,000" in text
    assert labels(view)[-1] == "‹ Previous"


def test_a_partial_success_says_what_went_back():
    shown = [order(OrderStatus.ACTIVE), order(OrderStatus.FAILED), order(OrderStatus.FAILED)]
    text = check(cards.card(READER, purchase(*shown, failure="out_of_stock")))
    assert f"Reserved: Rp{NBSP}18,000" in text
    assert f"Went back: Rp{NBSP}36,000" in text
    assert "sold to somebody else" in text


@pytest.mark.parametrize("content", ["Your code: <none> & nothing", "x" * 5000])
def test_a_message_without_a_code_is_shown_whole(content):
    view = cards.code_message(READER, purchase(order(OrderStatus.RECEIVED)), code(None, content))
    assert check(view).startswith(content[:3000])
    assert labels(view) == ["Copy text"]


def test_a_code_message_is_the_code_the_service_and_the_number():
    view = cards.code_message(READER, purchase(order(OrderStatus.RECEIVED)), code())
    assert check(view) == f"482913\n\n{NASTY} · 🇮🇩 Indonesia\n+6281234567890"
    assert view.text.startswith("<code>482913</code>")


def test_the_confirm_screen_tells_the_price_before_the_tap():
    view = offers.confirm(READER, OFFER)
    text = check(view)
    assert f"Price: Rp{NBSP}18,000 a number" in text
    assert "In stock: 42" in text
    assert labels(view)[:7] == [f"Buy for Rp{NBSP}18,000", "• 1 •", "2", "3", "5", "10", "…"]


def test_several_numbers_are_bought_for_the_sum():
    reader = replace(READER, exchange=Exchange("IDR", "USD", Decimal("0.0000615")))
    view = offers.confirm(reader, replace(OFFER, quantity=3))
    assert labels(view)[0] == f"Buy 3 for Rp{NBSP}54,000"
    text = check(view)
    assert f"Together: Rp{NBSP}54,000 (≈ $3.32)" in text


def test_no_more_is_offered_than_is_in_stock():
    line = replace(LINE, routes=(replace(LINE.routes[0], stock=2),))
    assert labels(offers.confirm(READER, replace(OFFER, line=line)))[1:4] == ["• 1 •", "2", "…"]
    line = replace(LINE, routes=(replace(LINE.routes[0], stock=1),))
    assert labels(offers.confirm(READER, replace(OFFER, line=line)))[1] == "Other countries"


def test_a_short_wallet_is_told_before_the_tap():
    text = check(offers.confirm(READER, replace(OFFER, wallet=POOR)))
    assert f"You need Rp{NBSP}17,000 more" in text


def test_a_changed_price_is_pointed_out():
    text = check(offers.confirm(READER, replace(OFFER, was=17_000)))
    assert f"The price has changed from Rp{NBSP}17,000 to Rp{NBSP}18,000." in text


def test_the_terms_lead_on_with_everything_that_was_wanted():
    wanted = READER.buttons.unpack(2**52, READER.buttons.pack(2**52, "confirm", 2**31, "ID", 1))
    view = start.terms(READER, wanted)
    check(view)
    assert labels(view) == ["Accept"]
    assert view.keyboard
    accept = READER.buttons.unpack(2**52, str(view.keyboard.inline_keyboard[0][0].callback_data))
    assert accept == Tap("accept", ("confirm", *wanted.args))


USER = User(id=2**52, name=NASTY, username="ann", created_at=NOW, seen_at=NOW, blocked_at=NOW, banned_at=NOW)
MOVES = tuple(
    LedgerEntry(
        id=1,
        source="wallet:42" if kind in ("hold", "correction") else "gateway:operator",
        destination="held:1" if kind in ("hold", "correction") else "wallet:42",
        amount=18_000,
        currency="IDR",
        kind=kind,
        order_id=12,
        idempotency_key=kind,
        reason=NASTY,
        created_at=NOW,
    )
    for kind in ("topup", "hold", "release", "refund", "reward", "correction")
)
NOTE = Note(user_id=42, author_id=1, text=NASTY * 3, idempotency_key="k", created_at=NOW)
ACT = Act(
    operator_id=1,
    what="credit",
    user_id=2**52,
    subject=NASTY[:64],
    before={"balance": 1},
    after={"balance": 2, "reason": NASTY},
    at=NOW,
)
FULL = Wallet(100_000, 18_000, "IDR", MOVES)
CARD = people.Card(
    USER,
    None,
    FULL,
    [purchase(order(OrderStatus.ACTIVE))] * 3,
    [NOTE] * 2,
    inviter_id=2**52,
    allowance=Allowance(10, 30),
)
MANY = [Service(id=at, slug=str(at), name=f"Service {at}", code="") for at in range(1, 31)]
TIMELINE = Timeline(
    12,
    "IDR",
    tuple(
        Event(NOW, what, amount=1, count=2, supplier=NASTY, words=NASTY, after=timedelta(seconds=11))
        for what in What
    )
    * 2,
)
DISPUTES = [
    Dispute(
        id=2**52,
        order_id=12,
        user_id=2**52,
        reason="other",
        text=NASTY * 4,
        status=status,
        answer_text=NASTY * 4,
        created_at=NOW,
    )
    for status in (DisputeStatus.OPEN, DisputeStatus.REFUNDED, DisputeStatus.REJECTED)
]
VOUCHER = Voucher(
    id=2**53,
    code="X" * 20,
    amount=LARGEST_AMOUNT,
    currency="IDR",
    max_uses=MOST_USES,
    uses=3,
    expires_at=NOW + timedelta(days=1),
    created_by=2**52,
    created_at=NOW,
    idempotency_key="k",
)
LARGEST = Draft(LARGEST_AMOUNT, MOST_USES, LONGEST)
INVITES = Invites("abcdefghijkl", 2, 900)
REWARD, ONE = invitations.Reward(Decimal("2.50"), 3), invitations.Reward(Decimal(5), 1)
LINK = "https://t.me/numlet_bot?start=i_abcdefghijkl"
PAYMENT = Payment(
    id=2**40,
    charge_id="x" * 140,
    user_id=2**52,
    stars=10_000,
    amount=2_000_000,
    currency="IDR",
    status=PaymentStatus.REFUNDED,
    paid_at=NOW,
    refund_reason="store",
)
PAID = Payment(**PAYMENT.model_dump() | {"status": PaymentStatus.PAID})
NEWS = ("credited", "refused", "returned", "kept")
DEBTOR = Wallet(0, 0, "IDR", (), 5_000)
INVOICE = Invoice(
    user_id=42,
    token="t",
    purpose=InvoicePurpose.PURCHASE,
    stars=90,
    amount=18_000,
    currency="IDR",
    country="ID",
    created_at=NOW,
    expires_at=NOW,
)
HEALTH = Health(last_ok_at=NOW, last_error_at=NOW, last_error=NASTY)
for _ in range(3):
    HEALTH.breaker.fail(NOW)
LONG_NAME = scopes.Named(Scope("numberpanel", 36**3 - 1, "ID"), NASTY)
LONG_CHOICE = scopes.Choice(scopes.PRICE, scopes.SERVICE, "numberpanel", 36**3 - 1)
LONG_DRAFT = pricing.Draft(
    LONG_NAME, Rule(pricing.MOST_PERCENT, pricing.MOST_AMOUNT, pricing.MOST_AMOUNT, pricing.MOST_STEP)
)
CHANGE = Change(1, "ID", 18_000, 20_000)
PREVIEW = Preview(
    lines=45_000, dearer=1, cheaper=1, below_cost=1, least=CHANGE, most=CHANGE, rise=CHANGE, fall=CHANGE
)
STANDING = Standing(
    SmsCode(token="t", url="https://smscode.example", clock=SystemClock()),
    HEALTH,
    State.OPEN,
    Summary(1000, 999, 0.123, 29.9),
    Balance(Decimal(5), "USD"),
    "",
    Forecast(18_000, Decimal("5.9")),
    WebhookState("failed", NASTY),
    {Scope("smscode"): None},
)


LISTED = Page([purchase(order(OrderStatus.ACTIVE))] * 10, 3, more=True)
AT_HAND = home.Offer(SERVICE, Choice(2**31, "ID", "Telkomsel"), LINE)
HOME = home.Facts(
    available=10**15,
    currency="IDR",
    pinned=[AT_HAND] * 4,
    bought=[replace(AT_HAND, line=None)],
    popular=MANY[:12],
    open_orders=3,
    newest=(order(OrderStatus.ACTIVE).order, SERVICE, "ID"),
    works_here=True,
)
FACTS = support.Facts(USER, DEBTOR, [purchase(order(OrderStatus.ACTIVE))] * 3)


@pytest.mark.parametrize(
    "view",
    [
        home.home(READER, HOME),
        home.home(READER, replace(HOME, pinned=[], bought=[], popular=[], newest=None, open_orders=0)),
        home.more(READER),
        start.help_(READER, is_operator=True),
        start.accepted_terms(READER),
        start.terms(READER, welcome=invitations.invited(Language.of("en"), NASTY, ONE)),
        start.terms(READER, welcome=invitations.invited(Language.of("en"), NASTY, REWARD)),
        invitations.invite(READER, INVITES, ONE, link=LINK, currency="IDR"),
        invitations.invite(READER, INVITES, REWARD, link=LINK, currency="IDR"),
        invitations.rewarded(Language.of("en"), 900, "IDR"),
        invitations.closed(READER),
        vouchers.ask_code(READER),
        vouchers.redeemed(READER, VOUCHER, RICH),
        vouchers.refused(READER, NASTY),
        vouchers.vouchers(
            READER, Page([VOUCHER] * 10, 3, more=True), given_out=10**15, currency="IDR", now=NOW
        ),
        vouchers.vouchers(READER, Page([]), given_out=0, currency="IDR", now=NOW),
        vouchers.voucher(READER, VOUCHER, link=LINK, now=NOW),
        vouchers.voucher(READER, VOUCHER, link=LINK, now=NOW + timedelta(days=9)),
        vouchers.ask_revoke(READER, VOUCHER, now=NOW),
        *(vouchers.question(READER, step, "IDR", problem=NASTY) for step in range(3)),
        vouchers.preview(READER, LARGEST, currency="IDR", key="abcdefgh", problem=NASTY),
        privacy.privacy(READER, retention_days=1),
        privacy.ask_erasure(READER),
        privacy.erasure_asked(READER),
        home.home(READER, replace(HOME, closed="")),
        home.home(READER, replace(HOME, closed=NASTY, open_orders=1)),
        closing.state(READER, None),
        closing.state(READER, NASTY),
        closing.ask_text(READER, NASTY),
        team.team(READER, Page([(2**52, Role.OWNER)] * 10, 1, more=True), {2**52: NASTY}),
        team.ask_member(READER, wrong=True),
        team.news(Language.of("en"), None),
        team.news(Language.of("en"), Role.SUPPORT),
        trail.trail(READER, Page([ACT] * trail.ACTS_A_PAGE, 3, more=True), 2**52, {1: NASTY}, currency="IDR"),
        trail.trail(READER, Page([]), 0, {}, currency="IDR"),
        start.unknown_command(READER),
        start.nothing_to_cancel(READER),
        start.left(READER),
        start.not_text(READER),
        start.private_only(Language.of("en")),
        browse.services(READER, Page.of(MANY, 0, browse.NAMES)),
        browse.countries(READER, Page.of(["ID", "GB", "VC"], 0, browse.NAMES)),
        browse.service(READER, SERVICE, Page.of([LINE] * 25, 1, 10), "IDR"),
        browse.country(READER, "ID", Page.of([(SERVICE, LINE)] * 25, 1, 10), "IDR"),
        browse.results(READER, NASTY, [browse.Found(SERVICE, "ID", LINE), browse.Found(SERVICE)] * 9, "IDR"),
        browse.nothing_found(READER, NASTY, MANY[:12], is_stocked=False),
        offers.confirm(READER, replace(OFFER, stars=10_000, wallet=DEBTOR)),
        browse.gone(READER),
        browse.gone(READER, pinned=Choice(2**31, "ID", NASTY)),
        offers.ask_quantity(READER, SERVICE, LINE),
        browse.ask_search(READER),
        lists.orders(READER, LISTED, lists.Shelf.WITHOUT_CODE),
        lists.orders(READER, Page([]), lists.Shelf.OPEN),
        lists.timeline(
            READER, purchase(order(OrderStatus.COMPLETED, sms=(code(),))), TIMELINE, retention_days=1
        ),
        lists.balance(READER, FULL),
        lists.balance(READER, DEBTOR),
        payments.topup(READER, 200, DEBTOR, None),
        payments.topup(READER, 200, RICH, 0),
        payments.not_sold(READER),
        payments.ask_amount(READER, 200, "IDR", NASTY),
        payments.paysupport(READER, [PAYMENT] * 3),
        payments.paysupport(READER, []),
        payments.of_user(READER, 42, Page([PAYMENT] * 10, 3, more=True)),
        payments.of_user(READER, 42, Page([])),
        payments.payment(READER, PAYMENT, RICH),
        payments.payment(READER, PAID, RICH, confirm=True),
        *(payments.news(READER, name, PAYMENT, DEBTOR, 1) for name in NEWS),
        *(panel.panel(READER, role) for role in Role),
        operator.usage(READER, "/credit ID AMOUNT [reason]", NASTY),
        people.card(READER, CARD, frozenset(Right)),
        people.card(READER, replace(CARD, role=Role.MANAGER), frozenset(Right)),
        people.found(READER, Page([USER] * 10, 36**4, more=True), "ж" * 16),
        people.found(READER, Page([]), ""),
        people.ask_query(READER),
        people.ask(READER, "letter", USER, NASTY),
        people.ask_limits(READER, USER, Allowance(10, 30), NASTY),
        people.notes(READER, 2**52, Page([NOTE] * people.NOTES_A_PAGE, 1, more=True)),
        people.orders(READER, 2**52, Page([purchase(order(OrderStatus.ACTIVE))] * 10, 1, more=True)),
        people.seen(
            READER,
            USER,
            home.home(READER, replace(HOME, closed=NASTY)),
            lists.orders(
                READER,
                Page([purchase(order(OrderStatus.ACTIVE))] * 10, 3, more=True),
                lists.Shelf.WITHOUT_CODE,
            ),
        ),
        people.letter(NASTY),
        people.letter_promised(READER, 2**52),
        people.ask_erase(READER, USER, Ties(2, 18_000, 500), currency="IDR"),
        people.ask_erase(READER, USER, Ties(0, 0, 0), currency="IDR"),
        operator.order(
            READER, purchase(order(OrderStatus.EXPIRED, sms=(code(late=True),), cost=1)), TIMELINE
        ),
        suppliers.suppliers(READER, [STANDING] * 3, "IDR"),
        suppliers.suppliers(READER, [], "IDR"),
        suppliers.supplier(READER, STANDING, [(LONG_NAME, NOW)] * 20, "IDR"),
        suppliers.pauses(READER, "numberpanel", Page([(LONG_NAME, NOW)] * 10, 36**2, more=True)),
        suppliers.pauses(READER, "", Page([])),
        suppliers.pause(READER, LONG_NAME, NOW),
        suppliers.ask_how_long(READER, LONG_NAME),
        scopes.suppliers(READER, ["numberpanel", "smscode"]),
        scopes.choices(READER, LONG_CHOICE, Page([(36**3 - 1, NASTY[:60])] * 10, 36**2, more=True)),
        scopes.ask_name(READER, LONG_CHOICE),
        scopes.matches(
            READER, LONG_CHOICE._replace(kind=scopes.COUNTRY), NASTY[:64], [("ID", "🇮🇩 Indonesia")] * 40
        ),
        pricing.rules(READER, Page([LONG_DRAFT] * 10, 1, more=True), LONG_DRAFT.rule, "IDR"),
        pricing.rule(READER, LONG_DRAFT, replace(LONG_DRAFT.rule, below_cost=True), "IDR"),
        *(pricing.ask(READER, field, LONG_DRAFT, "USD", NASTY) for field in pricing.VALUES),
        pricing.preview(READER, LONG_DRAFT, PREVIEW, {}, "IDR"),
        pricing.ask_below_cost(READER, LONG_DRAFT, 3, "IDR"),
        pricing.ask_delete(READER, LONG_DRAFT, PREVIEW, {}, "IDR"),
        *(problems.reported(READER, dispute) for dispute in DISPUTES),
        *(problems.verdict(READER, case_of(dispute)) for dispute in DISPUTES[1:]),
        problems.ask_reason(READER, 2**52),
        problems.ask_text(READER, 2**52),
        *(
            disputes.case(
                READER, case_of(dispute), purchase(order(OrderStatus.COMPLETED)), TIMELINE, USER, USER
            )
            for dispute in DISPUTES
        ),
        disputes.ask_answer(READER, case_of(DISPUTES[0])),
        disputes.ask_words(READER, case_of(DISPUTES[0])),
        disputes.open_ones(READER, Page(DISPUTES * 3, 1, more=True)),
        disputes.open_ones(READER, Page([])),
        support.screen(READER),
        support.sent(READER),
        support.header(Language.of("en"), USER, USER),
        support.facts(
            READER, support.Facts(USER, DEBTOR, [purchase(order(OrderStatus.ACTIVE))] * 3), "shop_bot"
        ),
        support.no_right(Language.of("en")),
        operator.alert(Language.of("en"), "support_chat", {"error": NASTY}),
        operator.news_of_credit(Language.of("en"), 1, RICH, NASTY),
        operator.alert(Language.of("en"), "orphan", {"supplier": "smscode", "ref": "<1>"}),
        operator.alert(Language.of("en"), "supplier_broke", {"supplier": "smscode"}),
        operator.alert(Language.of("en"), "access_refused", {"supplier": "smscode"}),
        operator.alert(Language.of("en"), "voucher_guessing", {"count": 200}),
        operator.alert(
            Language.of("en"), "store_refund", {"user": 42, "stars": 90, "debt": 18_000, "currency": "IDR"}
        ),
        operator.alert(Language.of("en"), "refund_refused", {"payment": 12, "error": NASTY}),
        operator.alert(Language.of("en"), "news_of_tomorrow", {}),
    ],
)
def test_telegram_takes_every_screen(view):
    assert "{" not in check(view)


def test_telegram_takes_every_invoice():
    long = Service(id=1, slug="s", name=NASTY * 5, code="s")
    for bill in (
        payments.topup_bill(Language.of("en"), INVOICE),
        payments.purchase_bill(Language.of("en"), INVOICE, long),
    ):
        assert 1 <= len(bill.title) <= 32
        assert 1 <= len(bill.description) <= 255


@pytest.mark.parametrize(
    "error",
    [
        errors.InsufficientFunds(needed=18_000, available=1, currency="IDR"),
        errors.OutOfStock(),
        errors.PriceChanged(offered=1, current=2),
        errors.LimitReached(limit=10),
        errors.LimitReached(limit=1, per=timedelta(hours=1)),
        errors.TermsNotAccepted(),
        errors.Banned(),
        errors.Banned(NASTY),
        errors.ShopClosed(""),
        errors.ShopClosed("Back at noon."),
        errors.StillInUse(),
        errors.NotPossible("ban", status="operator"),
        errors.NotPossible("appoint", status="owner"),
        errors.NotPossible("appoint", status="banned"),
        errors.OrderNotFound(),
        errors.UserNotFound(),
        *(
            errors.VoucherRefused(reason)
            for reason in ("unknown", "already_used", "revoked", "expired", "used_up")
        ),
        errors.TooManyGuesses(wait=timedelta(seconds=61)),
        errors.WordRefused("taken"),
        errors.WordRefused("shape"),
        errors.NotPossible("cancel", status="pending"),
        errors.NotPossible("cancel", status="received"),
        errors.NotPossible("resend", status="expired"),
        errors.NotPossible("finish", status="active"),
        *map(errors.InvoiceRefused, ("expired", "not_yours", "paid", "changed", "too_large")),
        errors.StarsLimitReached(limit=1000, left=0),
        errors.InDebt(amount=18_000, currency="IDR"),
        errors.PaymentNotFound(),
        errors.KeyReused(),
        errors.BelowCost(count=3),
    ],
)
def test_every_error_has_a_sentence_that_fits_an_alert(error):
    text = sentence(error, Language.of("en"), "IDR")
    assert text.endswith((".", "/start", "/topup"))
    assert "{" not in text
    assert "Something went wrong" not in text
    assert len(text) <= ALERT_LIMIT


def test_an_unknown_language_reads_english():
    assert Language.of("tlh").money(18_000, "IDR") == f"Rp{NBSP}18,000"
    assert Language.of("pt-br").country("ID") == "🇮🇩 Indonesia"


@pytest.mark.parametrize(
    "name",
    [
        *("orphan", "orphan_sms", "unclear", "supplier_broke", "supplier_refuses"),
        *("low_balance", "low_balance_over", "breaker_open", "breaker_closed"),
        *("codes_late", "codes_in_time", "orphans_settled"),
        *("no_credit", "access_refused", "voucher_guessing", "store_refund", "refund_refused"),
    ],
)
def test_every_alert_is_told_in_words(name):
    facts = {"supplier": "cellcast", "debt": 0, "currency": "IDR"}
    assert name not in operator.alert(Language.of("en"), name, facts).text


ARABIC = replace(READER, language=Language.of("ar"))


def isolated(text: str) -> str:
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def test_what_stands_for_any_service_is_said_in_the_readers_language():
    russian = replace(READER, language=Language.of("ru"))
    nameless = replace(OFFER, service=Service(id=2, slug="any-service", name="Any service", code="any"))
    assert check(offers.confirm(russian, nameless)).startswith("Любой сервис")
    assert check(offers.confirm(russian, OFFER)).startswith(NASTY)


def test_amounts_notes_and_times_keep_their_direction_in_arabic():
    [amount, what, at] = lists.move_line(ARABIC, MOVES[0]).split(" · ")
    assert amount == isolated(f"+ {ARABIC.language.money(18_000, 'IDR')}")
    assert what.endswith(isolated(f"({escape(NASTY)})"))
    assert at.startswith("\N{FIRST STRONG ISOLATE}<tg-time")


def test_the_price_of_an_order_keeps_its_direction_in_arabic():
    price = isolated(ARABIC.language.money(18_000, "IDR"))
    shown = operator.order(ARABIC, purchase(order(OrderStatus.EXPIRED)), TIMELINE)
    assert price in check(shown)


def test_whoever_has_paid_all_they_may_today_is_offered_no_amount():
    view = payments.topup(READER, 200, RICH, 0)
    assert "A payment counts for 24 hours." in check(view)
    assert labels(view) == ["‹ Menu"]

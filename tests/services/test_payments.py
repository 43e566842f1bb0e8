"""Telegram Stars: credited once, given back once, and never more than there is."""

import asyncio
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from db import users
from db.models import Invoice, OrderStatus, Payment, PaymentStatus
from db.session import Database
from services import ledger
from services.errors import (
    Banned,
    InDebt,
    InvoiceRefused,
    LimitReached,
    OutOfStock,
    PaymentNotFound,
    PriceChanged,
    StarsLimitReached,
    TermsNotAccepted,
)
from services.ledger import debt, wallet
from services.payments import StarPayment
from tests.builders import CURRENCY, NEWCOMER_LIMIT, PRICE, RENTER, STARS, STARS_RATE, World, world_on

pytestmark = pytest.mark.anyio

OPERATOR = 1
_charges = count(1)


@pytest.fixture
async def world(sqlite_url: str):
    database = Database(sqlite_url)
    try:
        async with world_on(database, money=0) as world:
            yield world
    finally:
        await database.aclose()


@pytest.fixture
async def both(database: Database):
    """On each database: for what hangs on locks, unique keys and savepoints."""
    async with world_on(database, money=0) as world:
        yield world


def star_payment(world: World, invoice: Invoice, **changes: Any) -> StarPayment:
    values: dict[str, Any] = {
        "charge_id": f"{next(_charges)}".rjust(140, "x"),
        "payload": invoice.token,
        "user_id": invoice.user_id,
        "stars": invoice.stars,
        "paid_at": world.clock.now(),
    }
    return StarPayment(**(values | changes))


async def pay(world: World, invoice: Invoice, **changes: Any) -> Payment:
    """Telegram says that it was paid."""
    assert await world.payments.record(star_payment(world, invoice, **changes))
    await world.settle()
    return await newest(world, changes.get("user_id", invoice.user_id))


async def newest(world: World, user_id: int = RENTER) -> Payment:
    [payment] = await world.payments.of_user(user_id, limit=1)
    return payment


async def top_up(world: World, stars: int = 100, user_id: int = RENTER) -> Payment:
    return await pay(world, await world.invoices.offer_topup(user_id, stars))


async def check(world: World, invoice: Invoice, user_id: int = RENTER, **changes: Any) -> None:
    terms: dict[str, Any] = {"stars": invoice.stars, "currency": "XTR"} | changes
    await world.invoices.check(user_id, invoice.token, **terms)


async def owes(world: World, user_id: int = RENTER) -> int:
    return -await world.balance(debt(user_id))


async def returned(world: World, payment: Payment) -> None:
    """The worker has given the Stars back."""
    async with world.database.write() as session:
        await world.refunds.settle(session, await world.payments.get(payment.id or 0))


def news(world: World) -> list[str]:
    return [payload["news"] for payload in world.sent.of("payment")]


async def test_a_topup_is_credited_at_the_rate(world: World):
    payment = await top_up(world, 100)
    assert (payment.amount, payment.status) == (100 * STARS_RATE, PaymentStatus.PAID)
    assert await world.money() == (20_000, 0, 0)
    assert await world.balance("gateway:stars") == -20_000
    assert news(world) == ["credited"]


async def test_a_payment_told_of_many_times_at_once_is_credited_once(both: World):
    paid = star_payment(both, await both.invoices.offer_topup(RENTER, 100))
    fresh = await asyncio.gather(*(both.payments.record(paid) for _ in range(8)))
    await both.settle()
    assert sum(fresh) == 1
    assert await both.money() == (20_000, 0, 0)
    assert news(both) == ["credited"]


async def test_whoever_pays_somebody_elses_invoice_has_the_money(world: World):
    other = await world.renter(1002, money=0)
    invoice = await world.invoices.offer_topup(RENTER, 100)
    payment = await pay(world, invoice, user_id=other)
    assert payment.invoice_id is None
    assert await world.balance(wallet(other)) == 20_000
    assert await world.balance(wallet(RENTER)) == 0
    await check(world, invoice)  # it is still open for whom it was made


async def test_a_second_payment_of_one_invoice_is_credited_as_well(world: World):
    invoice = await world.invoices.offer_topup(RENTER, 100)
    first, second = await pay(world, invoice), await pay(world, invoice)
    assert (first.invoice_id, second.invoice_id) == (invoice.id, None)
    assert await world.money() == (40_000, 0, 0)


async def test_another_number_of_stars_is_credited_as_what_it_is(world: World):
    invoice = await world.invoices.offer_topup(RENTER, 100)
    payment = await pay(world, invoice, stars=3)
    assert (payment.amount, payment.invoice_id) == (3 * STARS_RATE, None)


async def test_a_payment_for_an_invoice_that_is_gone_is_credited_to_somebody_new(world: World):
    invoice = await world.invoices.offer_topup(RENTER, 100)
    await pay(world, invoice, payload="gone", user_id=4242)
    assert await world.balance(wallet(4242)) == 20_000


async def test_checkout_goes_by_our_own_record(world: World):
    invoice = await world.invoices.offer_topup(RENTER, 100)
    await check(world, invoice)
    other = await world.renter(1002, money=0)
    for refused, how in (
        ("not_yours", {"user_id": other}),
        ("changed", {"stars": 99}),
        ("changed", {"currency": "USD"}),
    ):
        with pytest.raises(InvoiceRefused) as caught:
            await check(world, invoice, **how)
        assert caught.value.reason == refused
    await pay(world, invoice)
    with pytest.raises(InvoiceRefused) as caught:
        await check(world, invoice)
    assert caught.value.reason == "paid"


async def test_checkout_refuses_what_has_expired_or_never_was(world: World):
    invoice = await world.invoices.offer_topup(RENTER, 100)
    world.clock.advance(timedelta(hours=24))
    with pytest.raises(InvoiceRefused) as caught:
        await check(world, invoice)
    assert caught.value.reason == "expired"
    with pytest.raises(InvoiceRefused):
        await world.invoices.check(RENTER, "guessed", stars=100, currency="XTR")


async def test_what_expired_while_it_was_paid_is_honoured(world: World):
    invoice = await world.invoices.offer_purchase(RENTER, world.intent())
    world.clock.advance(timedelta(hours=1))
    assert (await pay(world, invoice)).purchase_id


async def test_checkout_refuses_the_banned(world: World):
    invoice = await world.invoices.offer_topup(RENTER, 100)
    async with world.database.write() as session:
        await users.set_ban(session, RENTER, banned_at=world.clock.now(), reason="fraud")
    with pytest.raises(Banned):
        await check(world, invoice)


async def test_newcomers_pay_a_limited_amount_a_day(world: World):
    invoice = await world.invoices.offer_topup(RENTER, NEWCOMER_LIMIT)
    await top_up(world, 100)
    with pytest.raises(StarsLimitReached) as caught:
        await check(world, invoice)
    assert (caught.value.limit, caught.value.left) == (NEWCOMER_LIMIT, NEWCOMER_LIMIT - 100)
    with pytest.raises(StarsLimitReached):
        await world.invoices.offer_topup(RENTER, NEWCOMER_LIMIT - 99)
    world.clock.advance(timedelta(hours=24, seconds=1))
    await world.invoices.offer_topup(RENTER, NEWCOMER_LIMIT)


async def test_who_paid_three_weeks_ago_and_was_not_refunded_is_no_newcomer(world: World):
    other = await world.renter(1002, money=0)
    await top_up(world, 1)
    taken_back = await top_up(world, 1, other)
    await world.refunds.note_refunded(taken_back.charge_id)
    world.clock.advance(timedelta(days=21))
    assert await world.invoices.allowance(RENTER) is None
    await world.invoices.offer_topup(RENTER, 10_000)
    assert await world.invoices.allowance(other) == NEWCOMER_LIMIT


@pytest.mark.parametrize("stars", [0, 10_001])
async def test_an_invoice_has_one_to_ten_thousand_stars(world: World, stars: int):
    with pytest.raises(InvoiceRefused):
        await world.invoices.offer_topup(RENTER, stars)


@pytest.mark.parametrize(
    ("amount", "stars"), [(1, 1), (200, 1), (201, 2), (18_000, 90), (2_000_000, 10_000), (2_000_001, None)]
)
async def test_amounts_round_up_to_whole_stars(world: World, amount: int, stars: int | None):
    assert world.invoices.stars_for(amount) == stars


async def test_a_refund_takes_the_money_back_before_the_stars_go(world: World):
    payment = await top_up(world, 100)
    assert await world.refunds.refund(payment.id or 0, by=OPERATOR)
    await world.settle()
    assert await world.money() == (0, 0, 0)
    assert world.sent.of("refund") == [{"payment_id": payment.id}]
    await returned(world, payment)
    await world.settle()
    payment = await newest(world)
    assert (payment.status, payment.refund_reason, payment.refunded_by) == ("refunded", "operator", OPERATOR)
    assert news(world) == ["credited", "returned"]


async def test_a_refund_is_decided_once(both: World):
    payment = await top_up(both, 100)
    decided = await asyncio.gather(*(both.refunds.refund(payment.id or 0, by=OPERATOR) for _ in range(5)))
    await both.settle()
    assert sum(decided) == 1
    assert len(both.sent.of("refund")) == 1
    assert (await both.money(), await owes(both)) == ((0, 0, 0), 0)


async def test_only_payments_are_refunded(world: World):
    with pytest.raises(PaymentNotFound):
        await world.refunds.refund(31337, by=OPERATOR)


async def test_a_refund_after_spending_leaves_a_debt_and_no_wallet_below_zero(world: World):
    payment = await top_up(world, 100)
    await world.receive(await world.rent(), "123456")
    await world.refunds.refund(payment.id or 0, by=OPERATOR)
    assert await world.money() == (0, 0, PRICE)
    assert await owes(world) == PRICE


async def test_the_next_topup_of_any_kind_settles_a_debt_first(world: World):
    payment = await top_up(world, 90)
    await world.receive(await world.rent(), "123456")
    await world.refunds.refund(payment.id or 0, by=OPERATOR)
    await top_up(world, 50)
    assert (await world.money(), await owes(world)) == ((0, 0, PRICE), 8_000)
    await world.accounts.credit(RENTER, 10_000, key="gift", reason=None)
    assert (await world.money(), await owes(world)) == ((2_000, 0, PRICE), 0)
    assert await world.accounts.settled_by("gift") == 8_000
    assert world.sent.of("payment")[-1]["settled"] == 10_000


async def test_money_that_comes_back_from_an_order_settles_a_debt(both: World):
    payment = await top_up(both, 90)
    await both.rent()
    await both.refunds.note_refunded(payment.charge_id)
    assert await owes(both) == PRICE
    await both.pass_time(minutes=20)
    await both.expire()
    assert (await both.money(), await owes(both)) == ((0, 0, 0), 0)


async def test_a_reward_settles_a_debt(both: World):
    payment = await top_up(both, 90)
    order = await both.rent()
    await both.receive(order, "123456")
    await both.refunds.note_refunded(payment.charge_id)
    async with both.database.write() as session:
        await ledger.reward(session, RENTER, order.id or 0, 900, currency=CURRENCY, now=both.clock.now())
    assert (await both.money(), await owes(both)) == ((0, 0, PRICE - 900), PRICE - 900)


async def test_what_the_store_took_back_is_taken_from_the_wallet_and_told(world: World):
    payment = await top_up(world, 100)
    for _ in range(2):
        await world.refunds.note_refunded(payment.charge_id)
    await world.settle()
    assert await world.money() == (0, 0, 0)
    assert (await newest(world)).refund_reason == "store"
    assert world.sent.of("refund") == []
    assert (news(world), world.sent.alerts) == (["credited", "returned"], ["store_refund"])


async def test_our_own_refund_is_not_taken_for_the_stores(world: World):
    payment = await top_up(world, 100)
    await world.refunds.refund(payment.id or 0, by=OPERATOR)
    await world.refunds.note_refunded(payment.charge_id)
    await returned(world, payment)
    await world.settle()
    assert (await newest(world)).refund_reason == "operator"
    assert (await world.money(), await owes(world)) == ((0, 0, 0), 0)
    assert news(world) == ["credited", "returned"]


async def test_a_refund_of_an_unknown_charge_changes_nothing(world: World):
    await world.refunds.note_refunded("nobody")
    assert await world.money() == (0, 0, 0)


async def test_a_refund_that_telegram_refuses_is_undone_with_its_debt(both: World):
    payment = await top_up(both, 100)
    await both.receive(await both.rent(), "123456")
    await both.refunds.refund(payment.id or 0, by=OPERATOR)
    for _ in range(2):
        async with both.database.write() as session:
            await both.refunds.undo(session, await newest(both), error="CHARGE_NOT_FOUND")
    await both.settle()
    assert (await both.money(), await owes(both)) == ((2_000, 0, PRICE), 0)
    assert (await newest(both)).status == PaymentStatus.PAID
    assert (news(both), both.sent.alerts) == (["credited", "kept"], ["refund_refused"])
    assert await both.refunds.refund(payment.id or 0, by=OPERATOR)  # it may be tried again


async def test_one_number_is_bought_with_stars_alone(world: World):
    payment = await pay(world, await world.invoices.offer_purchase(RENTER, world.intent()))
    assert (payment.stars, payment.amount) == (STARS, PRICE)
    [order] = await world.orders_of(payment.purchase_id or 0)
    assert order.status == OrderStatus.ACTIVE
    await world.receive(order, "123456")
    assert await world.money() == (0, 0, PRICE)
    assert (await newest(world)).status == PaymentStatus.PAID
    assert news(world) == []  # the card tells


async def test_a_purchase_paid_twice_at_once_is_one_purchase(both: World):
    invoice = await both.invoices.offer_purchase(RENTER, both.intent())
    paid = star_payment(both, invoice)
    await asyncio.gather(*(both.payments.record(paid) for _ in range(8)))
    await both.settle()
    assert len(both.vendor.orders) == 1
    assert await both.money() == (0, PRICE, 0)


async def expire(world: World) -> None:
    await world.pass_time(minutes=20)
    await world.expire()


async def cancel(world: World) -> None:
    [view] = await world.orders.of_user(RENTER, open_only=True, limit=1)
    await world.orders.cancel(RENTER, view.orders[0].order.id or 0)
    await world.pass_time(minutes=2)


@pytest.mark.parametrize("end", [expire, cancel])
async def test_the_stars_of_a_number_without_a_code_come_back(world: World, end):
    payment = await pay(world, await world.invoices.offer_purchase(RENTER, world.intent()))
    await end(world)
    assert await world.money() == (0, 0, 0)
    assert world.sent.of("refund") == [{"payment_id": payment.id}]
    assert (await newest(world)).refund_reason == "no_code"


async def test_the_stars_of_a_number_that_nobody_sells_come_back(world: World):
    invoice = await world.invoices.offer_purchase(RENTER, world.intent())
    world.vendor.trouble.out_of_stock = True
    payment = await pay(world, invoice)
    [order] = await world.orders_of(payment.purchase_id or 0)
    assert order.status == OrderStatus.FAILED
    assert await world.money() == (0, 0, 0)
    assert world.sent.of("refund") == [{"payment_id": payment.id}]


async def test_an_order_that_ends_after_its_stars_went_back_gives_nothing_more(world: World):
    payment = await pay(world, await world.invoices.offer_purchase(RENTER, world.intent()))
    await world.refunds.note_refunded(payment.charge_id)
    assert await owes(world) == PRICE
    await expire(world)
    assert (await world.money(), await owes(world)) == ((0, 0, 0), 0)
    assert world.sent.of("refund") == []


async def test_a_purchase_that_became_impossible_is_paid_back_and_explained(both: World):
    invoice = await both.invoices.offer_purchase(RENTER, both.intent())
    both.vendor.trouble.price_jump_percent = 50
    await both.refresh()
    with pytest.raises(PriceChanged):
        await check(both, invoice)
    payment = await pay(both, invoice)
    assert (payment.status, payment.refund_reason, payment.purchase_id) == (
        "refunding",
        "price_changed",
        None,
    )
    assert await both.money() == (0, 0, 0)
    assert news(both) == ["refused"]
    assert both.vendor.orders == {}


async def test_a_debtor_who_pays_for_a_number_gets_the_stars_back(both: World):
    invoice = await both.invoices.offer_purchase(RENTER, both.intent())
    payment = await top_up(both, 90)
    await both.receive(await both.rent(), "123456")
    await both.refunds.note_refunded(payment.charge_id)
    with pytest.raises(InDebt):
        await check(both, invoice)
    assert (await pay(both, invoice)).refund_reason == "debt"
    assert (await both.money(), await owes(both)) == ((0, 0, PRICE), PRICE)


async def test_what_was_bought_from_the_wallet_meanwhile_is_not_paid_for_again(world: World):
    intent = world.intent()
    invoice = await world.invoices.offer_purchase(RENTER, intent)
    await world.accounts.credit(RENTER, PRICE, key="gift", reason=None)
    await world.orders.place(RENTER, intent)
    with pytest.raises(InvoiceRefused):
        await check(world, invoice)
    assert (await pay(world, invoice)).refund_reason == "bought_already"
    assert await world.money() == (0, PRICE, 0)


async def test_a_purchase_is_offered_to_those_who_may_buy(database: Database):
    async with world_on(database, money=0, open_limit=1) as world:
        with pytest.raises(OutOfStock):
            await world.invoices.offer_purchase(RENTER, world.intent(country="ZZ"))
        with pytest.raises(PriceChanged):
            await world.invoices.offer_purchase(RENTER, world.intent(price=PRICE - 1))
        with pytest.raises(TermsNotAccepted):
            await world.invoices.offer_purchase(4242, world.intent())
        invoice = await world.invoices.offer_purchase(RENTER, world.intent())
        await pay(world, await world.invoices.offer_purchase(RENTER, world.intent()))
        with pytest.raises(LimitReached):
            await check(world, invoice)
        assert (await pay(world, invoice)).refund_reason == "limit"


async def test_payments_and_endings_of_many_at_once_wait_in_no_circle(both: World):
    """Each holds one renter's row before the gateway that they all share."""
    renters = [await both.renter(2000 + n, money=0) for n in range(6)]
    for renter in renters:
        await pay(both, await both.invoices.offer_purchase(renter, both.intent()))
    invoices = [await both.invoices.offer_topup(renter, 5) for renter in renters for _ in range(2)]
    both.clock.advance(timedelta(minutes=20))
    await both.vendor.tick()
    await asyncio.gather(
        both.rentals.expire_due(),
        *(both.payments.record(star_payment(both, invoice)) for invoice in invoices),
        *(both.accounts.credit(renter, 7, key=f"gift:{renter}", reason=None) for renter in renters),
    )
    await both.settle()
    assert [await both.balance(wallet(renter)) for renter in renters] == [2 * 5 * STARS_RATE + 7] * 6
    assert len(both.sent.of("refund")) == 6

"""What every supplier adapter keeps to, tried over its vendor's sandbox.

A test that needs more than selling says which capability, and is skipped for who declares that it lacks it.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Protocol

import httpx
import pytest
import stamina

from sandbox.clock import ManualClock
from sandbox.numberpanel import NumberPanel as PanelVendor
from sandbox.smscode import SmsCode as SmsCodeVendor
from sandbox.trouble import Kind
from services.errors import (
    AccessRefused,
    BadEvent,
    BadSignature,
    CancelTooEarly,
    ProductGone,
    RemoteOrderNotFound,
    SupplierBroke,
    UpstreamBroken,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnknown,
    WebhookRefused,
)
from services.suppliers.base import EventKind, RemoteSms, RemoteStatus, Supplier, WebhookPost
from services.suppliers.numberpanel import NumberPanel
from services.suppliers.smscode import SmsCode

pytestmark = pytest.mark.anyio

SECRET = "0123456789abcdef"


class World(Protocol):
    """A supplier, and the hands that move its vendor's side."""

    supplier: Supplier
    clock: ManualClock
    product_ref: str
    silent_product_ref: str
    """Of a service that sends no second SMS."""
    posted: list[httpx.Request]
    """The webhooks received."""
    webhook_key: str
    """What follows the supplier's name in their path."""

    async def receive(self, ref: str, text: str) -> None: ...
    async def webhooks_sent(self) -> None: ...
    def orders_made(self) -> int: ...
    def sell_out(self) -> None: ...
    def set_stock(self, stock: int) -> None: ...
    def spend_balance(self) -> None: ...
    def fail_next(self, kind: Kind) -> None: ...
    async def aclose(self) -> None: ...


class SmsCodeWorld:
    webhook_key = ""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.posted: list[httpx.Request] = []
        self.vendor = SmsCodeVendor(self.clock, transport=httpx.MockTransport(self._receive_webhook))
        self.supplier = SmsCode(
            token="sandbox-smscode-token", clock=self.clock, transport=httpx.ASGITransport(self.vendor.app)
        )
        products = [product for product in self.vendor.products.values() if product.active]
        self._product = next(product for product in products if product.service.resends)
        self.product_ref = str(self._product.id)
        self.silent_product_ref = str(next(p.id for p in products if not p.service.resends))

    def _receive_webhook(self, request: httpx.Request) -> httpx.Response:
        self.posted.append(request)
        return httpx.Response(200)

    async def receive(self, ref: str, text: str) -> None:
        await self.vendor.receive_sms(int(ref), text)

    async def webhooks_sent(self) -> None:
        await self.vendor.settle()

    def orders_made(self) -> int:
        return len(self.vendor.orders)

    def sell_out(self) -> None:
        self.vendor.trouble.out_of_stock = True

    def set_stock(self, stock: int) -> None:
        self._product.available = stock

    def spend_balance(self) -> None:
        self.vendor.balance = 0

    def fail_next(self, kind: Kind) -> None:
        self.vendor.trouble.fail_next(kind)

    async def aclose(self) -> None:
        await self.supplier.aclose()
        await self.vendor.aclose()


class NumberPanelWorld:
    webhook_key = "an-unguessable-path"
    product_ref, silent_product_ref = "4.PH", ""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.posted: list[httpx.Request] = []
        self.vendor = PanelVendor(self.clock, transport=httpx.MockTransport(self._receive_webhook))
        self.vendor.webhook_url = f"https://bot.example/webhooks/numberpanel/{self.webhook_key}"
        self.supplier = NumberPanel(
            key="sandbox-numberpanel-key",
            url="https://panel.example",
            cost_decimal=Decimal(14_000),
            currency="IDR",
            lifetime=timedelta(minutes=20),
            webhook_key=self.webhook_key,
            clock=self.clock,
            transport=httpx.ASGITransport(self.vendor.app),
        )

    def _receive_webhook(self, request: httpx.Request) -> httpx.Response:
        self.posted.append(request)
        return httpx.Response(200)

    async def receive(self, ref: str, text: str) -> None:
        """It is the newest number that gets it: the panel knows no references."""
        await self.vendor.receive_sms(max(self.vendor.numbers), text)

    async def webhooks_sent(self) -> None:
        await self.vendor.settle()

    def orders_made(self) -> int:
        return len(self.vendor.numbers)

    def sell_out(self) -> None:
        self.vendor.trouble.out_of_stock = True

    def set_stock(self, stock: int) -> None:
        raise NotImplementedError("it has no stock")

    def spend_balance(self) -> None:
        raise NotImplementedError("it has no balance")

    def fail_next(self, kind: Kind) -> None:
        self.vendor.trouble.fail_next(kind)

    async def aclose(self) -> None:
        await self.supplier.aclose()
        await self.vendor.aclose()


@pytest.fixture(params=[SmsCodeWorld, NumberPanelWorld], ids=["smscode", "numberpanel"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world: World = request.param()
    with stamina.set_testing(True, attempts=1):
        yield world
    await world.aclose()


@pytest.fixture
def supplier(world: World) -> Supplier:
    return world.supplier


def need(supplier: Supplier, capability: str) -> None:
    if not getattr(supplier.capabilities, capability):
        pytest.skip(f"{supplier.name} declares that it has no {capability}")


async def buy(world: World, quantity: int = 1, key: str = "order-1") -> list[str]:
    purchase = await world.supplier.buy(world.product_ref, quantity=quantity, key=key)
    return [order.ref for order in purchase.orders]


async def test_quotes_are_priced_in_stock_and_unique(supplier):
    quotes = await supplier.quotes()
    assert quotes
    assert len({quote.product_ref for quote in quotes}) == len(quotes)
    assert all(quote.cost_decimal > 0 for quote in quotes)
    assert all(quote.stock is None or quote.stock >= 0 for quote in quotes)
    assert all(len(quote.country) == 2 and quote.country.isupper() for quote in quotes)
    assert {quote.currency for quote in quotes} == {"IDR"}


async def test_what_is_bought_is_among_what_is_quoted(world, supplier):
    assert world.product_ref in {quote.product_ref for quote in await supplier.quotes()}
    (ref,) = await buy(world)
    assert 0 < len(ref) <= 64
    assert world.orders_made() == 1


async def test_an_exchange_rate_is_known_or_none(supplier):
    need(supplier, "balance")
    assert await supplier.exchange_rate("USD", "IDR") > 1000
    assert await supplier.exchange_rate("XAU", "XAG") is None


async def test_a_purchase_costs_the_price_quoted(world, supplier):
    need(supplier, "balance")
    before = await supplier.balance()
    (quote,) = [quote for quote in await supplier.quotes() if quote.product_ref == world.product_ref]
    (ref,) = await buy(world)
    order = await supplier.get_order(ref)
    after = await supplier.balance()
    assert order.cost_decimal == quote.cost_decimal == before.amount_decimal - after.amount_decimal


async def test_every_purchase_brings_a_number_of_its_own_that_waits(world, supplier):
    bought = [await supplier.buy(world.product_ref, quantity=1, key=f"order-{n}") for n in range(3)]
    orders = [order for purchase in bought for order in purchase.orders]
    assert len({order.phone_number for order in orders}) == len({order.ref for order in orders}) == 3
    for order in orders:
        assert order.status is RemoteStatus.ACTIVE
        assert order.phone_number.startswith("+")
        assert order.expires_at > world.clock.now()


async def test_a_new_order_waits_under_a_number_of_its_own(world, supplier):
    need(supplier, "lookup")
    refs = await buy(world, quantity=3)
    orders = [await supplier.get_order(ref) for ref in refs]
    assert len({order.phone_number for order in orders}) == 3
    for order in orders:
        assert order.status is RemoteStatus.ACTIVE
        assert order.sms is None
        assert order.phone_number.startswith("+")
        assert order.product_ref == world.product_ref
        assert order.created_at == world.clock.now()
        assert order.expires_at > order.created_at


async def test_a_key_buys_once_however_often_it_is_sent(world):
    need(world.supplier, "idempotent")
    first = await buy(world, quantity=2, key="order-1")
    assert await buy(world, quantity=2, key="order-1") == first
    assert await buy(world, quantity=2, key="order-2") != first
    assert world.orders_made() == 4


async def test_fewer_numbers_than_asked_for_are_a_success(world):
    need(world.supplier, "several")
    world.set_stock(2)
    assert len(await buy(world, quantity=5)) == 2


async def test_an_empty_shelf_is_product_gone(world):
    world.sell_out()
    with pytest.raises(ProductGone):
        await buy(world)


async def test_a_product_that_never_was_is_product_gone(supplier):
    with pytest.raises(ProductGone):
        await supplier.buy("987654321", quantity=1, key="order-1")


async def test_an_empty_account_is_supplier_broke(world):
    need(world.supplier, "balance")
    world.spend_balance()
    with pytest.raises(SupplierBroke):
        await buy(world)


async def test_an_impossible_quantity_is_refused(world):
    need(world.supplier, "several")
    with pytest.raises(UpstreamRefused):
        await buy(world, quantity=1000)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("401", AccessRefused),
        ("429", UpstreamUnavailable),
        ("503", UpstreamUnavailable),
        ("500", UpstreamUnknown),
        ("502", UpstreamUnknown),
        ("timeout", UpstreamUnknown),
        ("lost_answer", UpstreamUnknown),
        ("html", UpstreamBroken),
        ("half_json", UpstreamBroken),
        ("empty", UpstreamBroken),
    ],
)
async def test_after_any_trouble_the_same_key_ends_in_one_purchase(world, kind, error):
    need(world.supplier, "idempotent")
    world.fail_next(kind)
    with pytest.raises(error) as caught:
        await buy(world)
    assert caught.type is error
    assert len(await buy(world)) == 1
    assert world.orders_made() == 1


@pytest.mark.parametrize("kind", ["401", "429", "503", "500", "502", "timeout", "lost_answer", "half_json"])
async def test_what_may_have_bought_is_never_called_refused(world, kind):
    """Only an UpstreamUnknown leaves open whether there is a number now."""
    world.fail_next(kind)
    with pytest.raises(UpstreamError) as caught:
        await buy(world)
    if world.orders_made() or kind in ("500", "502", "timeout"):
        assert isinstance(caught.value, UpstreamUnknown)


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "timeout"])
async def test_the_shelf_can_be_asked_again(world, supplier, kind):
    world.fail_next(kind)
    with pytest.raises(UpstreamUnavailable):
        await supplier.quotes()
    assert await supplier.quotes()


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "timeout"])
async def test_a_read_without_an_answer_can_be_asked_again(world, supplier, kind):
    need(supplier, "lookup")
    world.fail_next(kind)
    with pytest.raises(UpstreamUnavailable):
        await supplier.open_orders()
    assert await supplier.open_orders() == []


async def test_a_vendor_that_counts_tells_how_long_to_wait(world, supplier):
    world.fail_next("429")
    with pytest.raises(UpstreamUnavailable) as caught:
        await buy(world)
    assert caught.value.retry_after == timedelta(seconds=1)


async def test_a_code_is_found_among_the_open_orders_and_on_its_own(world, supplier):
    need(supplier, "lookup")
    (ref,) = await buy(world)
    await world.receive(ref, "Your code is 123456")
    (order,) = await supplier.open_orders()
    assert (order.ref, order.status) == (ref, RemoteStatus.RECEIVED)
    assert order.sms == RemoteSms(code="123456", text="Your code is 123456", received_at=world.clock.now())
    alone = await supplier.get_order(ref)
    assert (alone.status, alone.sms.code) == (RemoteStatus.RECEIVED, "123456")


async def test_an_order_without_a_code_expires(world, supplier):
    need(supplier, "lookup")
    (ref,) = await buy(world)
    world.clock.advance(timedelta(hours=1))
    assert await supplier.open_orders() == []
    assert (await supplier.get_order(ref)).status is RemoteStatus.EXPIRED


async def test_an_unknown_order_is_not_found(supplier):
    need(supplier, "lookup")
    for call in (supplier.get_order, supplier.cancel, supplier.finish, supplier.resend):
        with pytest.raises(RemoteOrderNotFound):
            await call("987654321")


async def test_orders_are_listed_newest_first_from_the_moment_asked_for(world, supplier):
    need(supplier, "lookup")
    await buy(world, quantity=2, key="order-1")
    world.clock.advance(timedelta(minutes=5))
    since = world.clock.now()
    world.set_stock(500)
    # More than any page of any vendor.
    recent = [ref for number in range(3) for ref in await buy(world, quantity=70, key=f"recent-{number}")]
    orders = await supplier.orders_since(since)
    assert {order.ref for order in orders} == set(recent)
    assert len(orders) == 210
    assert all(newer.created_at >= older.created_at for newer, older in pairwise(orders))
    assert len(await supplier.orders_since(since - timedelta(hours=1))) == 212


async def test_cancelling_refunds_once_the_vendor_allows_it(world, supplier):
    need(supplier, "cancel")
    before = await supplier.balance()
    (ref,) = await buy(world)
    with pytest.raises(CancelTooEarly):
        await supplier.cancel(ref)
    world.clock.advance(supplier.capabilities.cancel_after)
    await supplier.cancel(ref)
    assert (await supplier.get_order(ref)).status is RemoteStatus.CANCELED
    assert await supplier.balance() == before


async def test_an_order_with_a_code_is_not_cancelled(world, supplier):
    need(supplier, "cancel")
    (ref,) = await buy(world)
    await world.receive(ref, "Your code is 123456")
    world.clock.advance(supplier.capabilities.cancel_after)
    with pytest.raises(UpstreamRefused):
        await supplier.cancel(ref)
    assert (await supplier.get_order(ref)).status is RemoteStatus.RECEIVED


async def test_finishing_lets_go_of_the_number(world, supplier):
    need(supplier, "finish")
    (ref,) = await buy(world)
    await world.receive(ref, "Your code is 123456")
    await supplier.finish(ref)
    assert await supplier.open_orders() == []
    assert (await supplier.get_order(ref)).status is RemoteStatus.COMPLETED


async def test_a_resend_leads_to_a_second_code(world, supplier):
    need(supplier, "resend")
    (ref,) = await buy(world)
    await world.receive(ref, "Your code is 123456")
    assert await supplier.resend(ref)
    await world.receive(ref, "Your code is 654321")
    assert (await supplier.get_order(ref)).sms.code == "654321"


async def test_a_resend_that_the_service_does_not_support_is_false(world, supplier):
    need(supplier, "resend")
    purchase = await supplier.buy(world.silent_product_ref, quantity=1, key="order-1")
    assert await supplier.resend(purchase.orders[0].ref) is False


async def test_the_webhook_configuration_is_kept(supplier):
    need(supplier, "webhook_setup")
    assert (await supplier.webhook()).url == ""
    kept = await supplier.set_webhook(url="https://bot.example/webhooks", secret=SECRET)
    assert kept == await supplier.webhook()
    assert (kept.url, kept.secret) == ("https://bot.example/webhooks", SECRET)


async def test_a_code_is_announced_under_our_secret(world, supplier):
    need(supplier, "webhook_setup")
    await supplier.set_webhook(url="https://bot.example/webhooks", secret=SECRET)
    (ref,) = await buy(world)
    await world.receive(ref, "Your code is 123456")
    await world.webhooks_sent()
    (request,) = world.posted
    post = WebhookPost(request.content, request.headers, secret=SECRET)
    supplier.verify(post)
    with pytest.raises(BadSignature):
        supplier.verify(post._replace(body=post.body + b" "))
    event = supplier.parse_event(request.content)
    assert (event.kind, event.order_ref) == (EventKind.SMS, ref)
    assert event.phone_number == (await supplier.get_order(ref)).phone_number
    assert event.sms == (await supplier.open_orders())[0].sms


async def test_a_code_is_announced_to_whom_we_can_tell_from_others(world, supplier):
    if supplier.capabilities.webhook_setup:
        await supplier.set_webhook(url="https://bot.example/webhooks", secret=SECRET)
    bought = await supplier.buy(world.product_ref, quantity=1, key="order-1")
    await world.receive(bought.orders[0].ref, "Your code is 123456")
    await world.webhooks_sent()
    (request,) = world.posted
    post = WebhookPost(request.content, request.headers, world.webhook_key, SECRET)
    supplier.verify(post)
    with pytest.raises(WebhookRefused):
        supplier.verify(post._replace(headers={}, key="a guess", secret="another"))
    event = supplier.parse_event(request.content)
    assert event.kind is EventKind.SMS
    assert event.phone_number == bought.orders[0].phone_number
    assert (event.sms.code, event.sms.text) == ("123456", "Your code is 123456")
    names = {supplier.delivery_id(request.content, event) for _ in range(2)}
    assert [0 < len(name) <= 80 for name in names] == [True]


async def test_the_end_of_an_order_is_announced(world, supplier):
    need(supplier, "cancel")
    await supplier.set_webhook(url="https://bot.example/webhooks", secret=SECRET)
    (ref,) = await buy(world)
    world.clock.advance(supplier.capabilities.cancel_after)
    await supplier.cancel(ref)
    await world.webhooks_sent()
    event = supplier.parse_event(world.posted[-1].content)
    assert (event.kind, event.order_ref, event.sms) == (EventKind.CANCELED, ref, None)


async def test_the_webhook_can_be_rehearsed(world, supplier):
    need(supplier, "webhook_setup")
    with pytest.raises(UpstreamRefused):
        await supplier.test_webhook()
    await supplier.set_webhook(url="https://bot.example/webhooks", secret=SECRET)
    assert await supplier.test_webhook() == 200
    assert supplier.parse_event(world.posted[-1].content).kind is EventKind.TEST


async def test_what_is_no_event_is_refused(supplier):
    for body in (b"", b"[]", b"{}", b"\xff"):
        with pytest.raises(BadEvent):
            supplier.parse_event(body)


async def test_what_a_supplier_lacks_is_refused_and_nothing_else(supplier):
    calls = {
        "balance": supplier.balance,
        "lookup": supplier.open_orders,
        "cancel": partial(supplier.cancel, "1"),
        "finish": partial(supplier.finish, "1"),
        "resend": partial(supplier.resend, "1"),
        "webhook_setup": supplier.webhook,
    }
    for capability, call in calls.items():
        if not getattr(supplier.capabilities, capability):
            with pytest.raises(UpstreamRefused):
                await call()

"""What smscode does with numbers, money and time. The rules behind the API, without HTTP.

Source: smscode API v1 documentation, sections POST /orders/create, /cancel, /finish, /resend and Error Codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sandbox.catalog_data import Product, new_products
from sandbox.clock import Agenda
from sandbox.smscode.errors import ApiError
from sandbox.smscode.orders import Order, Status
from sandbox.trouble import Trouble

LIFETIME = timedelta(minutes=20)
CANCEL_LOCK = timedelta(minutes=2)
_CODE = re.compile(r"\d{3}[- ]\d{3}|\d{4,8}")


class Rentals:
    """The account of one customer: a balance, and the numbers it rents.

    Where the documentation is silent: an order that ever got an SMS can be finished or runs out as completed,
    but is not cancelled or refunded any more, not even after a resend.
    """

    def __init__(
        self,
        agenda: Agenda,
        trouble: Trouble,
        announce: Callable[[str, Order], None],
        *,
        balance: int,
        code_after: timedelta | None,
    ) -> None:
        self.clock = agenda.clock
        self.agenda = agenda
        self.trouble = trouble
        self.balance = balance
        self.code_after = code_after
        self.products = {product.id: product for product in new_products()}
        self.orders: dict[int, Order] = {}
        self.open: dict[int, Order] = {}
        self._announce = announce

    def find_product(self, service: str, country: str) -> Product:
        """By their codes, such as `wa` and `ID`."""
        return next(
            product
            for product in self.products.values()
            if product.service.code == service and product.country.code == country
        )

    def price(self, product: Product) -> int:
        return product.price * (100 + self.trouble.price_jump_percent) // 100

    def stock(self, product: Product) -> int:
        return 0 if self.trouble.out_of_stock else product.available

    def buy(self, product_id: int, quantity: int) -> list[Order]:
        """Rent up to `quantity` numbers, as many as there are; only those are paid."""
        product = self.products.get(product_id)
        if product is None:
            raise ApiError("NOT_FOUND", "Product not found")
        price = self.price(product)
        if self.balance < price * quantity:
            raise ApiError("INSUFFICIENT_BALANCE", "Not enough balance to create the order")
        obtained = min(quantity, self.stock(product)) if product.active else 0
        if not obtained:
            raise ApiError("PROVIDER_ERROR", "No numbers available for this product")
        return [self._rent(product, price) for _ in range(obtained)]

    def _rent(self, product: Product, price: int) -> Order:
        product.available -= 1
        self.balance -= price
        serial = len(self.orders) + 1
        now = self.clock.now()
        order = Order(
            id=1000 + serial,
            product=product,
            phone_number=product.country.phone_number(serial),
            amount=price,
            created_at=now,
            expires_at=now + self.clock.span(LIFETIME),
        )
        self.orders[order.id] = self.open[order.id] = order
        self.agenda.add(order.expires_at, partial(self.expire, order))
        self._expect_code(order)
        return order

    def find(self, order_id: int) -> Order:
        order = self.orders.get(order_id)
        if order is None:
            raise ApiError("NOT_FOUND", "Order not found")
        return order

    def cancel(self, order_id: int) -> Order:
        order = self.find(order_id)
        if order.status is not Status.ACTIVE or order.messages:
            raise ApiError("CONFLICT", "Only an active order without an SMS can be canceled")
        if self.clock.now() < order.created_at + self.clock.span(CANCEL_LOCK):
            raise ApiError("CANCEL_TOO_EARLY", "Order too new to cancel; wait 2 minutes")
        order.canceled_at = self.clock.now()
        self._close(order, Status.CANCELED, refund=True)
        self._announce("order.canceled", order)
        return order

    def finish(self, order_id: int) -> Order:
        order = self.find(order_id)
        if not order.is_open or not order.messages:
            raise ApiError("CONFLICT", "Only an open order that received an SMS can be finished")
        self._complete(order)
        return order

    def resend(self, order_id: int) -> tuple[Order, bool]:
        """Ask for another SMS; False where the service sends no second one."""
        order = self.find(order_id)
        if not order.is_open:
            raise ApiError("CONFLICT", f"Order is {order.status}")
        if not order.product.service.resends:
            return order, False
        order.status = Status.ACTIVE
        order.otp_code = order.otp_message = order.otp_received_at = None
        self._expect_code(order)
        return order, True

    async def receive_sms(self, order_id: int, text: str, code: str | None = None) -> None:
        """An SMS reaches a rented number. Its code is found in the text unless given.

        Raises: ApiError, where the number is not rented (any more).
        """
        order = self.find(order_id)
        if not order.is_open:
            raise ApiError("CONFLICT", f"Order is {order.status}")
        self._receive(order, text, code or _code_in(text))

    def _receive(self, order: Order, text: str, code: str | None) -> None:
        order.status = Status.OTP_RECEIVED
        order.otp_code = code
        order.otp_message = text
        order.otp_received_at = self.clock.now()
        order.messages.append(text)
        self._announce("order.otp_received", order)

    def _expect_code(self, order: Order) -> None:
        if self.code_after is not None:
            arrives_at = self.clock.now() + self.clock.span(self.code_after)
            self.agenda.add(arrives_at, partial(self._arrive, order))

    def _arrive(self, order: Order) -> None:
        if order.status is Status.ACTIVE and not self.trouble.withhold_codes:
            code = f"{(order.id + len(order.messages)) * 7919 % 1_000_000:06}"
            self._receive(order, f"Your {order.product.service.name} verification code is {code}", code)

    def expire_now(self, order_id: int) -> None:
        """Let the time of a rented number be over. Raises ApiError."""
        order = self.find(order_id)
        order.expires_at = min(order.expires_at, self.clock.now())
        self.expire(order)

    def expire(self, order: Order) -> None:
        if not order.is_open:
            return
        if order.messages:
            self._complete(order)
        else:
            self._close(order, Status.EXPIRED, refund=True)
            self._announce("order.expired", order)

    def _complete(self, order: Order) -> None:
        self._close(order, Status.COMPLETED, refund=False)
        self._announce("order.completed", order)

    def _close(self, order: Order, status: Status, *, refund: bool) -> None:
        order.status = status
        del self.open[order.id]
        if refund:
            self.balance += order.amount
            order.product.available += 1


def _code_in(text: str) -> str | None:
    found = _CODE.search(text)
    return re.sub(r"\D", "", found[0]) if found else None

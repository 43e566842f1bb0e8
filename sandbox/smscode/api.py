"""The fifteen endpoints. Source: smscode API v1 documentation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count, islice
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.catalog_data import COUNTRIES, RATES_IN_IDR, SERVICES, Product
from sandbox.smscode.errors import STATUS, ApiError
from sandbox.smscode.keys import IdempotencyKeys
from sandbox.smscode.limits import RateLimits
from sandbox.smscode.orders import Shape, active, created, listed
from sandbox.smscode.parameters import integer, json_object, query_id, query_number, query_status, text
from sandbox.smscode.rentals import Rentals
from sandbox.smscode.webhooks import Webhooks
from sandbox.trouble import TroubleMiddleware

Handler = Callable[[Request], Awaitable[Response]]

REFUSALS = {
    401: ("UNAUTHORIZED", "API token missing or invalid"),
    429: ("RATE_LIMIT_EXCEEDED", "Too many requests"),
    500: ("INTERNAL_ERROR", "Internal server error"),
    503: ("SERVICE_UNAVAILABLE", "Temporarily unavailable"),
}


class Api:
    """The account of one token over HTTP."""

    def __init__(self, rentals: Rentals, webhooks: Webhooks, *, token: str) -> None:
        self.rentals = rentals
        self.webhooks = webhooks
        self.limits = RateLimits(rentals.clock)
        self.keys = IdempotencyKeys()
        self._authorization = f"Bearer {token}"
        self._request_ids = count(1)
        self.app = Starlette(
            routes=self._routes(),
            middleware=[Middleware(TroubleMiddleware, trouble=rentals.trouble, refuse=self._refuse)],
            exception_handlers={ApiError: self._api_error, HTTPException: self._no_route},
        )

    def _routes(self) -> list[Route]:
        endpoints: list[tuple[str, str, str, Handler]] = [
            ("GET", "/catalog/countries", "catalog", self.countries),
            ("GET", "/catalog/services", "catalog", self.services),
            ("GET", "/catalog/products", "catalog", self.products),
            ("GET", "/catalog/exchange-rate", "catalog", self.exchange_rate),
            ("GET", "/balance", "balance", self.balance),
            ("GET", "/orders", "order_reads", self.list_orders),
            ("GET", "/orders/active", "order_reads", self.active_orders),
            ("GET", "/orders/{id:int}", "order_reads", self.get_order),
            ("POST", "/orders/create", "order_create", self.create),
            ("POST", "/orders/cancel", "order_cancel", self.cancel),
            ("POST", "/orders/finish", "order_actions", self.finish),
            ("POST", "/orders/resend", "order_actions", self.resend),
            ("GET", "/webhook", "webhook_config", self.get_webhook),
            ("PATCH", "/webhook", "webhook_config", self.patch_webhook),
            ("POST", "/webhook/test", "webhook_config", self.test_webhook),
        ]
        return [
            Route(f"/v1{path}", self._admit(group, handler), methods=[method])
            for method, path, group, handler in endpoints
        ]

    def _admit(self, group: str, handler: Handler) -> Handler:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("authorization") != self._authorization:
                raise ApiError(*REFUSALS[401])
            self.limits.spend(group)
            # What fell due since the last request has happened, whether or not anybody ticks.
            self.rentals.agenda.run_due()
            return await handler(request)

        return endpoint

    async def countries(self, request: Request) -> Response:
        return self._ok(
            [
                {
                    "id": country.id,
                    "code": country.code,
                    "name": country.name,
                    "dial_code": country.dial_code,
                    "emoji": country.emoji,
                    "active": country.active,
                }
                for country in COUNTRIES
            ]
        )

    async def services(self, request: Request) -> Response:
        country_id = query_id(request, "country_id")
        offered = {
            product.service.id
            for product in self.rentals.products.values()
            if country_id is None or (product.country.id == country_id and product.active)
        }
        return self._ok(
            [
                {"id": service.id, "code": service.code, "name": service.name, "active": service.active}
                for service in SERVICES
                if service.id in offered
            ]
        )

    async def products(self, request: Request) -> Response:
        country_id = query_id(request, "country_id")
        platform_id = query_id(request, "platform_id")
        limit = query_number(request, "limit", 1000, least=1, most=10_000)
        page = query_number(request, "page", 1, least=1)
        rows = [
            self._product(product)
            for product in self.rentals.products.values()
            if country_id in (None, product.country.id) and platform_id in (None, product.service.id)
        ]
        _sort(rows, request.query_params.get("sort", ""))
        rows = rows[(page - 1) * limit : page * limit]
        return self._ok(rows, meta={"page": page, "limit": limit, "count": len(rows)})

    def _product(self, product: Product) -> Shape:
        return {
            "id": product.id,
            "name": product.name,
            "country_id": product.country.id,
            "platform_id": product.service.id,
            "available": self.rentals.stock(product),
            "price": self.rentals.price(product),
            "active": product.active,
        }

    async def exchange_rate(self, request: Request) -> Response:
        pair = request.query_params.get("pair", "USD/IDR").upper()
        base, _, quote = pair.partition("/")
        if quote != "IDR" or base not in RATES_IN_IDR:
            raise ApiError("NOT_FOUND", "Exchange rate not found")
        rate = RATES_IN_IDR[base]
        return self._ok({"pair": pair, "base_currency": base, "quote_currency": quote, "rate": rate})

    async def balance(self, request: Request) -> Response:
        return self._ok({"currency": "IDR", "balance": self.rentals.balance})

    async def list_orders(self, request: Request) -> Response:
        limit = query_number(request, "limit", 20, least=1, most=100)
        offset = query_number(request, "offset", 0, least=0)
        status = query_status(request)
        newest_first = reversed(self.rentals.orders.values())
        wanted = (order for order in newest_first if status in (None, order.status))
        return self._ok([listed(order) for order in islice(wanted, offset, offset + limit)])

    async def active_orders(self, request: Request) -> Response:
        return self._ok([active(order) for order in self.rentals.open.values()])

    async def get_order(self, request: Request) -> Response:
        return self._ok(listed(self.rentals.find(request.path_params["id"])))

    async def create(self, request: Request) -> Response:
        body = await json_object(request)
        product_id = integer(body, "product_id")
        quantity = integer(body, "quantity", 1)
        if not 1 <= quantity <= 100:
            raise ApiError("VALIDATION_ERROR", "quantity must be from 1 to 100")
        buy = partial(self._buy, product_id, quantity)
        key = request.headers.get("idempotency-key")
        answer = await self.keys.once(key, (product_id, quantity), buy) if key else await buy()
        return self._ok(answer)

    async def _buy(self, product_id: int, quantity: int) -> Shape:
        await asyncio.sleep(self.rentals.trouble.slow_purchases.total_seconds())
        orders = self.rentals.buy(product_id, quantity)
        return {"orders": [created(order) for order in orders], "failed_count": quantity - len(orders)}

    async def cancel(self, request: Request) -> Response:
        order = self.rentals.cancel(integer(await json_object(request), "id"))
        return self._ok(
            {
                "order_id": order.id,
                "status": order.status,
                "refund_amount": order.amount,
                "new_balance": self.rentals.balance,
            }
        )

    async def finish(self, request: Request) -> Response:
        order = self.rentals.finish(integer(await json_object(request), "id"))
        return self._ok({"order_id": order.id, "status": order.status})

    async def resend(self, request: Request) -> Response:
        order, resent = self.rentals.resend(integer(await json_object(request), "id"))
        return self._ok({"order_id": order.id, "status": order.status, "resent": resent})

    async def get_webhook(self, request: Request) -> Response:
        return self._ok({"webhook_url": self.webhooks.url, "webhook_secret": self.webhooks.secret})

    async def patch_webhook(self, request: Request) -> Response:
        body = await json_object(request)
        url, secret = text(body, "webhook_url"), text(body, "webhook_secret")
        if url is None and secret is None:
            raise ApiError("VALIDATION_ERROR", "webhook_url or webhook_secret is required")
        self.webhooks.configure(url=url, secret=secret)
        return await self.get_webhook(request)

    async def test_webhook(self, request: Request) -> Response:
        return self._ok({"status_code": await self.webhooks.test()})

    def _ok(self, content: Any, **beside: Any) -> Response:
        return self._answer({"success": True, "data": content, **beside})

    def _error(self, code: str, message: str) -> Response:
        content = {"success": False, "error": {"code": code, "message": message}}
        return self._answer(content, STATUS[code])

    def _answer(self, content: Shape, status: int = 200) -> Response:
        return JSONResponse(content, status, {"x-request-id": f"req-{next(self._request_ids):08}"})

    def _refuse(self, status: int) -> Response:
        return self._error(*REFUSALS[status])

    async def _api_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        response = self._error(error.code, error.message)
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    async def _no_route(self, request: Request, error: Exception) -> Response:
        return self._error("NOT_FOUND", "Resource not found")


def _sort(rows: list[Shape], sort: str) -> None:
    """What an unknown sort leads to is not documented; here to the default, the cheapest first."""
    field, _, direction = sort.rpartition("_")
    if field not in ("price", "available", "name") or direction not in ("asc", "desc"):
        field, direction = "price", "asc"
    rows.sort(key=lambda row: row[field], reverse=direction == "desc")

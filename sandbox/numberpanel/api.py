"""The two endpoints. Source: number panel API documentation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.numberpanel.errors import ApiError
from sandbox.numberpanel.numbers import FORMATS, Format, Numbers
from sandbox.trouble import TroubleMiddleware

_REFUSALS = {
    401: "Invalid api_key",
    429: "Too Many Requests",
    500: "Unable to get number",
    503: "Service Unavailable",
}


@dataclass
class Account:
    """The customer, and how the panel is set up for them: what a person there can change."""

    key: str
    user_id: str = "7"
    is_active: bool = True
    manager_is_active: bool = True
    preferred_format: Format = "full"
    wants_user_id: bool = False
    """The documentation says both: that `user_id` is ignored, and that it is required."""
    is_configured: bool = True
    """Whether the panel has a key of its own for the service behind it."""
    service_answers: bool = True
    """Whether that service does."""
    refused_by_service: ApiError | None = None
    """What that service says instead of its countries; its status is passed on."""
    error_body: Literal["json", "text"] = "json"
    """What a refusal's body looks like is not documented."""


class Api:
    """One customer's panel over HTTP. Its routes are GETs, also the one that takes a number each time."""

    def __init__(self, account: Account, numbers: Numbers) -> None:
        self.account = account
        self.numbers = numbers
        self.app = Starlette(
            routes=[
                Route("/api/init/{api_key}", self.init),
                Route("/api/get-number/{api_key}", self.get_number),
            ],
            middleware=[Middleware(TroubleMiddleware, trouble=numbers.trouble, refuse=self._refuse)],
            exception_handlers={ApiError: self._api_error, HTTPException: self._no_route},
        )

    async def init(self, request: Request) -> Response:
        account = self.account
        if not self._knows(request):
            raise ApiError(401, "Unauthorized")
        if not account.is_configured:
            raise ApiError(500, "System configuration error")
        if account.refused_by_service:
            raise account.refused_by_service
        if not account.service_answers:
            raise ApiError(500, "Service fetch failed")
        # More fields than the documented ones, as it says that there are.
        countries = [
            {"id": country.id, "name": country.name, "phone_code": country.phone_code, "status": 1}
            for country in self.numbers.countries.values()
        ]
        operators = [
            {"id": operator.id, "name": operator.name, "country_id": operator.country_id, "status": 1}
            for operator in self.numbers.operators.values()
        ]
        return _success({"countries": countries, "operators": operators})

    async def get_number(self, request: Request) -> Response:
        query = request.query_params
        self._admit(request)
        country_id, operator_id = _integer(query.get("country_id")), _integer(query.get("operator_id"))
        if country_id is None:
            raise ApiError(400, "country_id is required")
        if not self.account.service_answers:
            raise ApiError(500, "Could not fetch service data")
        await asyncio.sleep(self.numbers.trouble.slow_purchases.total_seconds())
        number = self.numbers.take(country_id, operator_id)
        wanted = query.get("number_format")
        form = next((form for form in FORMATS if form == wanted), self.account.preferred_format)
        return _success({"phone_number": number.written(form)})

    def _admit(self, request: Request) -> None:
        """Refuse whom the panel does not serve, in the documented words."""
        account, user_id = self.account, request.query_params.get("user_id")
        if not self._knows(request):
            raise ApiError(401, "Invalid api_key")
        if account.wants_user_id and not user_id:
            raise ApiError(400, "user_id is required with api_key")
        if account.wants_user_id and user_id != account.user_id:
            raise ApiError(404, "Target user not found or inactive")
        if not account.manager_is_active:
            raise ApiError(403, "Manager inactive. Contact support.")

    def _knows(self, request: Request) -> bool:
        # What fell due since the last request has happened, whether or not anybody ticks.
        self.numbers.agenda.run_due()
        return bool(request.path_params["api_key"] == self.account.key and self.account.is_active)

    def _refuse(self, status: int) -> Response:
        if self.account.error_body == "text":
            return PlainTextResponse(_REFUSALS[status], status)
        return JSONResponse({"status": "error", "message": _REFUSALS[status]}, status)

    async def _api_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        if self.account.error_body == "text":
            return PlainTextResponse(error.message, error.status)
        return JSONResponse({"status": "error", "message": error.message}, error.status)

    async def _no_route(self, request: Request, error: Exception) -> Response:
        return PlainTextResponse("Not Found", 404)


def _success(data: dict[str, Any]) -> Response:
    return JSONResponse({"status": "success", "data": data})


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None

"""The vendor that the adapter's tests talk to: it answers in the bodies of the documentation."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from services.suppliers.smscode import SmsCode

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
TOKEN = "t0ken-t0ken"

COUNTRY = {"id": 6, "code": "ID", "name": "Indonesia", "dial_code": "+62", "emoji": "🇮🇩", "active": True}
SERVICE = {"id": 3, "code": "wa", "name": "WhatsApp", "active": True}
PRODUCT = {
    "id": 142,
    "name": "WhatsApp Indonesia",
    "country_id": 6,
    "platform_id": 3,
    "available": 42,
    "price": 15000,
    "active": True,
}
ORDER = {
    "id": 1001,
    "status": "OTP_RECEIVED",
    "created_at": "2026-02-25T10:00:00Z",
    "product_id": 142,
    "phone_number": "+6281234567890",
    "amount": 15000,
    "otp_code": "123456",
    "otp_received_at": "2026-02-25T10:05:00Z",
    "expires_at": "2026-02-25T10:20:00Z",
    "canceled_at": None,
    "failed_reason": None,
}
ACTIVE_ORDER = {
    "id": 1001,
    "status": "OTP_RECEIVED",
    "otp_code": "123456",
    "otp_message": "Your verification code is 123456",
    "otp_received_at": "2026-02-25T10:05:00Z",
    "expires_at": "2026-02-25T10:20:00Z",
    "failed_reason": None,
}
CREATED_ORDER = {
    "id": 1002,
    "status": "ACTIVE",
    "phone_number": "+6281234567891",
    "otp_code": None,
    "otp_received_at": None,
    "expires_at": "2026-02-25T10:50:00Z",
    "failed_reason": None,
}


class FixedClock:
    def now(self) -> datetime:
        return NOW


class Vendor:
    """Answers each path from `routes` and remembers what it was asked."""

    def __init__(self, routes: dict[str, Any]) -> None:
        self.routes = routes
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.routes[request.url.path.removeprefix("/v1")]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return answer
        raise answer


@asynccontextmanager
async def smscode_over(routes: dict[str, Any], **settings: Any):
    vendor = Vendor(routes)
    supplier = SmsCode(token=TOKEN, clock=FixedClock(), transport=httpx.MockTransport(vendor), **settings)
    try:
        yield supplier, vendor
    finally:
        await supplier.aclose()


def ok(data: Any, **beside: Any) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "data": data, **beside})


def refusal(status: int, code: str, **headers: str) -> httpx.Response:
    error = {"code": code, "message": "Order 1001 with +6281234567890 and code 123456"}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"success": False, "error": error}, headers=names)

"""The panel that the adapter's tests talk to: it answers in the bodies of the documentation."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from services.suppliers.numberpanel import NumberPanel

NOW = datetime(2026, 2, 25, 10, tzinfo=UTC)
KEY = "k3y/with?strange&signs-0123456789"
ENCODED_KEY = "k3y%2Fwith%3Fstrange%26signs-0123456789"
WEBHOOK_KEY = "an-unguessable-path"

INIT = {
    "status": "success",
    "data": {
        "countries": [
            {"id": 1, "name": "Country A", "phone_code": "1"},
            {"id": 2, "name": "Country B", "phone_code": "44"},
        ],
        "operators": [
            {"id": 101, "name": "Operator X", "country_id": 1},
            {"id": 102, "name": "Operator Y", "country_id": 2},
        ],
    },
}
"""As documented, but for the comments that stand for more fields."""
TAKEN = {"status": "success", "data": {"phone_number": "+1234567890"}}
OTP = {
    "phone_number": "+1234567890",
    "otp_code": "123456",
    "provider": "SMS_GATEWAY_PROVIDER_NAME",
    "sms_text": "Your OTP is 123456. Do not share this code.",
}
EVENT = {"event": "otp_received", "data": OTP}


class ManualNow:
    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment


class Panel:
    """Answers everything alike and remembers what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, httpx.Response)
        return self.answer


@asynccontextmanager
async def panel_answering(answer: Any, **settings: Any):
    panel = Panel(httpx.Response(200, json=answer) if isinstance(answer, dict) else answer)
    values: dict[str, Any] = {
        "key": KEY,
        "url": "https://panel.example/base",
        "cost_decimal": Decimal(14_000),
        "currency": "IDR",
        "lifetime": timedelta(minutes=20),
        "webhook_key": WEBHOOK_KEY,
        "clock": ManualNow(),
        "transport": httpx.MockTransport(panel),
    }
    supplier = NumberPanel(**(values | settings))
    try:
        yield supplier, panel
    finally:
        await supplier.aclose()

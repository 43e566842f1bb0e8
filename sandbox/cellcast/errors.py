"""How Cellcast refuses: in two shapes, neither of which its status field or the HTTP status tells alone.

Source: Cellcast API documentation; the misspellings are the vendor's.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

Shape = dict[str, Any]

BAD_CONTACTS = (
    "Contacts must either start with 61 or +61 and be exactly 11 digits long (e.g., 614xxxxxxxx or "
    "+614xxxxxxxx), or be 9 digits without the area code (e.g., 4xxxxxxxx)"
)
LOW_BALANCE = "Your balance is too low for this request, please recharge."
EXPIRED = "Token expired"
UNDOCUMENTED = {429: "Too many requests", 500: "Internal Server Error", 503: "Service Unavailable"}


class ApiError(Exception):
    """A request that is refused, with the answer that says so."""

    def __init__(self, status: int, body: Shape) -> None:
        super().__init__(body["message"])
        self.status = status
        self.body = body

    def response(self) -> Response:
        return JSONResponse(self.body, self.status)


def envelope(message: str, data: object, *, shown: bool = False) -> Shape:
    """The application's envelope around a success."""
    return _head(shown) | {
        "status": True,
        "message": message,
        "message_type": "toast",
        "data": data,
        "error": {},
    }


def raw(status: int, message: str, cause: str = "") -> ApiError:
    """The server's own error, without the envelope."""
    return ApiError(
        status, {"code": status, "message": message, "stack": f"APIError: {cause or f'{message} ....'}"}
    )


def refused(
    message: str, *, key: str = "error", detail: str = "", status: int = 400, shown: bool = False
) -> ApiError:
    """The envelope around a failure; the key of the error is another one nearly every time."""
    body = _head(shown) | {
        "status": False,
        "message_type": "toast",
        "message": message,
        "data": {},
        "error": {key: detail or message},
    }
    return ApiError(status, body)


def name_missing() -> ApiError:
    """Of a business: a failure whose status is true, and whose data is a number."""
    return ApiError(400, envelope("Busniess Name is required!", 400))


def number_exists() -> ApiError:
    """Another failure whose status is true, with parts of its envelope inside out."""
    body = envelope("Number already exist in system", {"invalid_token": 0, "refresh_token": ""})
    body["data"] |= {name: body.pop(name) for name in ("app_type", "app_version")}
    return ApiError(400, body)


def _head(shown: bool) -> Shape:
    return {
        "app_type": "web",
        "app_version": "1.0",
        "maintainence": 0,
        "new_version": 0,
        "force_update": 0,
        "invalid_token": 0,
        "refresh_token": "",
        "show_message": int(shown),
        "is_enc": False,
    }

"""The error answers of the smscode API v1 documentation, section Error Codes."""

from __future__ import annotations

from sandbox.supplier import Refused

STATUS = {
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "INSUFFICIENT_BALANCE": 409,
    "CANCEL_TOO_EARLY": 409,
    "VALIDATION_ERROR": 422,
    "PROVIDER_ERROR": 422,
    # Not in that section, which names nothing for this case; the vendor's later OpenAPI file does.
    "IDEMPOTENCY_KEY_REUSED": 422,
    "RATE_LIMIT_EXCEEDED": 429,
    "INTERNAL_ERROR": 500,
    "SERVICE_UNAVAILABLE": 503,
}


class ApiError(Refused):
    """A request that the API refuses, by the documented code."""

    def __init__(self, code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        """Whole seconds."""

"""Refusals of the number panel.

Source: the panel's documentation, sections GET /api/init and GET /api/get-number.
"""

from __future__ import annotations

from sandbox.supplier import Refused


class ApiError(Refused):
    """A request that the API refuses: a status and a message are all that is documented of it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

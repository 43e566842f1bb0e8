"""What has been asked before, and what was answered.

Source: smscode API v1 documentation, section POST /orders/create (Idempotency-Key) and Error Codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.smscode.errors import ApiError
from sandbox.smscode.orders import Shape


@dataclass
class Attempt:
    intent: object
    answer: Shape | None = None
    """None while it is being carried out."""


class IdempotencyKeys:
    """The first answer to every key, for as long as the sandbox runs. A refusal leaves its key free."""

    def __init__(self) -> None:
        self._attempts: dict[str, Attempt] = {}

    async def once(self, key: str, intent: object, act: Callable[[], Awaitable[Shape]]) -> Shape:
        """Act, unless that has been done under this key; then repeat the answer.

        `intent`: what is asked for; one key stands for one intent.
        """
        if key in self._attempts:
            return _replay(self._attempts[key], intent)
        attempt = self._attempts[key] = Attempt(intent)
        try:
            attempt.answer = await act()
        finally:
            if attempt.answer is None:
                del self._attempts[key]
        return attempt.answer


def _replay(attempt: Attempt, intent: object) -> Shape:
    if attempt.intent != intent:
        raise ApiError("IDEMPOTENCY_KEY_REUSED", "Idempotency-Key was used with another body")
    if attempt.answer is None:
        raise ApiError("CONFLICT", "A request with this Idempotency-Key is still being processed")
    return attempt.answer

"""How requests are refused: with status 200, `error` 1 and a sentence.

The first sentence is documented (section gettoken); the others are made up, because no others are.
"""

from __future__ import annotations

LOGIN_INCORRECT = "Login or password incorrect"
TOKEN_INCORRECT = "Token incorrect"


class ApiError(Exception):
    """A request that the API refuses."""

"""How the page's calls come in, and what they are answered with."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sandbox.telegram import Button, Message


async def read_json(request: Request) -> dict[str, Any]:
    """A browser asks before it sends JSON to another site, so nobody else's page can move this world."""
    if request.headers.get("content-type") != "application/json":
        raise HTTPException(415, "JSON is expected.")
    body = await request.json()
    if not isinstance(body, dict):
        raise HTTPException(400, "A JSON object is expected.")
    return body


def find_button(message: Message, asked: dict[str, Any]) -> Button | None:
    """The button that the page meant, or None where another has come into its place since."""
    row: int = asked["row"]
    column: int = asked["column"]
    buttons = message.buttons[row : row + 1]
    button = next(iter(buttons[0][column : column + 1]), None) if buttons else None
    return button if button and button.text == asked["text"] else None


def done() -> Response:
    return Response(status_code=204)

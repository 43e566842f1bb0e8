"""Reading what was asked. What is not as documented is a VALIDATION_ERROR, unless clamped.

Source: smscode API v1 documentation, section Conventions and each endpoint's table of parameters.
"""

from __future__ import annotations

import json

from starlette.requests import Request

from sandbox.smscode.errors import ApiError
from sandbox.smscode.orders import Shape, Status


async def json_object(request: Request) -> Shape:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise ApiError("VALIDATION_ERROR", "The body is not JSON") from error
    if not isinstance(body, dict):
        raise ApiError("VALIDATION_ERROR", "The body is not an object")
    return body


def integer(body: Shape, name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    # True is an int to Python, but not to the API.
    if type(value) is not int:
        raise ApiError("VALIDATION_ERROR", f"{name} must be an integer")
    return value


def text(body: Shape, name: str) -> str | None:
    """None where the field is missing; an explicit null is refused."""
    if name not in body:
        return None
    value = body[name]
    if not isinstance(value, str):
        raise ApiError("VALIDATION_ERROR", f"{name} must be a string")
    return value


def query_id(request: Request, name: str) -> int | None:
    value = request.query_params.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except ValueError as error:
        raise ApiError("VALIDATION_ERROR", f"{name} must be an integer") from error


def query_number(request: Request, name: str, default: int, *, least: int, most: int | None = None) -> int:
    """What a number out of bounds leads to is not documented; here it is clamped."""
    number = query_id(request, name)
    number = max(least, default if number is None else number)
    return number if most is None else min(number, most)


def query_status(request: Request) -> Status | None:
    value = request.query_params.get("status")
    if value is None:
        return None
    try:
        return Status(value.upper())
    except ValueError as error:
        raise ApiError("VALIDATION_ERROR", "status is unknown") from error

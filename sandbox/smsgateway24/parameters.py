"""Reading what was asked: the query, and a form over it in either encoding.

Source: smsgateway24 API documentation, sections addsms and addalotofsms.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message as Headers
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.smsgateway24.errors import ApiError
from sandbox.telegram.wire import parse_multipart


class Params:
    """Numbers may come as numbers (in JSON) or as text, and everything missing is an empty text."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def text(self, name: str) -> str:
        value = self._values.get(name)
        return "" if value is None else str(value)

    def required(self, name: str) -> str:
        if value := self.text(name):
            return value
        raise ApiError(f"{name} is required")

    def integer(self, name: str, default: int | None = None) -> int:
        text = self.text(name)
        if not text and default is not None:
            return default
        try:
            return int(text)
        except ValueError as error:
            raise ApiError(f"{name} is required") from error

    def flag(self, name: str) -> bool:
        return self.integer(name, 0) == 1


async def read_params(request: Request) -> Params:
    headers = Headers()
    headers["Content-Type"] = request.headers.get("content-type", "")
    body = await request.body()
    values: dict[str, Any] = dict(request.query_params)
    if headers.get_content_type() == "multipart/form-data":
        values |= parse_multipart(body, str(headers.get_param("boundary")))
    else:
        values |= parse_qsl(body.decode(), keep_blank_values=True)
    return Params(values)

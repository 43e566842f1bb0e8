"""The Bot API's wire format: how a call's parameters arrive.

Source: Bot API documentation, "Making requests" and "Sending files".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message as Headers
from email.parser import BytesHeaderParser
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.telegram.errors import bad_request

Object = dict[str, Any]
"""A JSON object."""


@dataclass(frozen=True)
class Upload:
    name: str
    content: bytes
    media_type: str


class Params:
    """A call's parameters. Every value may come as itself (JSON) or as text (query, form, multipart)."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self.values.get(name, "")
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def integer(self, name: str, default: int = 0) -> int:
        try:
            return int(self.values[name]) if name in self else default
        except (TypeError, ValueError):
            raise bad_request(f'{name} "{self.values[name]}" must be an integer') from None

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "1", "yes"}

    def json(self, name: str) -> Any:
        """The structured value, None where there is none."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def file(self, name: str) -> Upload | str | None:
        """An uploaded file, or the `file_id` of one that Telegram has."""
        value = self.values.get(name)
        if isinstance(value, str) and value.startswith("attach://"):
            value = self.values.get(value.removeprefix("attach://"))
        return value if isinstance(value, Upload | str) else None


async def read_params(request: Request) -> Params:
    values: Object = dict(request.query_params)
    body = await request.body()
    headers = Headers()
    headers["Content-Type"] = request.headers.get("content-type", "")
    match headers.get_content_type():
        case "application/json":
            values |= _json_object(body)
        case "multipart/form-data":
            values |= parse_multipart(body, str(headers.get_param("boundary")))
        case _:
            values |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    return Params(values)


def _json_object(body: bytes) -> Object:
    try:
        values = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(values, dict):
        raise bad_request("expected a JSON object")
    return values


def parse_multipart(body: bytes, boundary: str) -> dict[str, str | Upload]:
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]
    fields: dict[str, str | Upload] = {}
    for part in parts:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(head + b"\r\n\r\n")
        name = str(headers.get_param("name", header="content-disposition"))
        filename = headers.get_filename()
        if filename is None:
            fields[name] = content.decode()
        else:
            fields[name] = Upload(filename, content, headers.get_content_type())
    return fields

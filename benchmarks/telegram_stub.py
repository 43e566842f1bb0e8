"""A Bot API that takes everything and takes no time: `python -m benchmarks.telegram_stub PORT`."""

import asyncio
import json
import sys
import time
from typing import Any

USER = {"id": 1, "is_bot": True, "first_name": "Bench", "username": "bench_bot"}
ME = USER | {
    "can_join_groups": False,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
}
MESSAGE = {"message_id": 7, "date": int(time.time()), "chat": {"id": 1, "type": "private"}, "text": "…"}
RESULTS: dict[str, Any] = {"getMe": ME, "sendMessage": MESSAGE, "editMessageText": MESSAGE}


def _answer(method: str) -> bytes:
    body = json.dumps({"ok": True, "result": RESULTS.get(method, True)}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in lines[1:])
            length = int(fields.get("content-length", 0))
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._transport.write(_answer(lines[0].split()[1].rpartition("/")[2]))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

"""A load generator: prepared POST requests over keep-alive connections, one in flight on each."""

import asyncio
import socket
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import cast


@dataclass(frozen=True, slots=True)
class Outcome:
    """`milliseconds` holds one figure a request, sorted."""

    seconds: float
    milliseconds: list[float]
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: float) -> float:
        return self.milliseconds[min(len(self.milliseconds) - 1, int(len(self.milliseconds) * percent / 100))]


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], times: list[float], statuses: dict[int, int]) -> None:
        self._requests = requests
        self._times = times
        self._statuses = statuses
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        # Every answer here has an empty or tiny body and comes in one piece.
        self._times.append((perf_counter() - self._sent_at) * 1000)
        status = int(data[9:12])
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(request)


async def fire(port: int, requests: list[bytes], *, connections: int) -> Outcome:
    """Send every request once."""
    loop = asyncio.get_running_loop()
    queue = iter(requests)
    times: list[float] = []
    statuses: dict[int, int] = {}
    began = perf_counter()
    protocols = [
        (await loop.create_connection(lambda: _Connection(queue, times, statuses), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for protocol in protocols))
    return Outcome(perf_counter() - began, sorted(times), statuses)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def median(outcomes: list[float]) -> float:
    return statistics.median(outcomes)

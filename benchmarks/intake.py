"""Row 1: webhooks accepted durably, against the same server's empty route, in interleaved rounds."""

import asyncio
import hashlib
import hmac
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from benchmarks.load import Outcome, fire, free_port, median, post
from tests.conftest import fresh_postgresql

CONNECTIONS = 64
REQUESTS = 20_000
ROUNDS = 5
SECRET = "benchmark-secret"


async def on_sqlite() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        return await _measure(f"sqlite:///{Path(folder) / 'bench.db'}", bar=0.60)


async def on_postgresql() -> dict[str, float]:
    async with fresh_postgresql() as url:
        return await _measure(url, bar=0.50)


async def _measure(url: str, *, bar: float) -> dict[str, float]:
    """Medians over the rounds: requests per second, their ratio, the 99th percentiles in ms, and the
    processor time of the server's loop, on which what else the machine does has little influence."""
    empty: list[Outcome] = []
    accepted: list[Outcome] = []
    used: dict[str, list[float]] = {"/empty": [], "/webhooks/smscode": []}
    async with _server(url) as (port, loop_seconds):
        await _round(port, "/webhooks/smscode", "warm-up", REQUESTS // 10)
        for number in range(ROUNDS):
            for path, outcomes in (("/empty", empty), ("/webhooks/smscode", accepted)):
                before = loop_seconds()
                outcomes.append(await _round(port, path, str(number), REQUESTS))
                used[path].append((loop_seconds() - before) / REQUESTS * 1e6)
    return {
        "empty route, requests/s": median([outcome.per_second for outcome in empty]),
        "accepted durably, requests/s": median([outcome.per_second for outcome in accepted]),
        f"ratio (bar: at least {bar:.2f})": median(
            [ours.per_second / theirs.per_second for ours, theirs in zip(accepted, empty, strict=True)]
        ),
        "empty route, loop time µs": median(used["/empty"]),
        "accepted durably, loop time µs": median(used["/webhooks/smscode"]),
        "empty route, p99 ms": median([outcome.percentile(99) for outcome in empty]),
        "accepted durably, p99 ms": median([outcome.percentile(99) for outcome in accepted]),
        "p99 ratio (bar: at most 5)": median(
            [
                ours.percentile(99) / theirs.percentile(99)
                for ours, theirs in zip(accepted, empty, strict=True)
            ]
        ),
    }


async def _round(port: int, path: str, name: str, count: int) -> Outcome:
    """The same requests to either route."""
    requests = [_webhook(path, f"{name}-{number}", number + 1) for number in range(count)]
    outcome = await fire(port, requests, connections=CONNECTIONS)
    assert outcome.statuses == {200: count}, outcome.statuses
    return outcome


def _webhook(path: str, unique: str, order_id: int) -> bytes:
    event = {
        "event": "order.otp_received",
        "timestamp": "2026-02-25T12:00:00Z",
        "data": {
            "order_id": order_id,
            "phone_number": "+628123456789",
            "otp_code": "1234",
            "otp_message": f"Your verification code is 1234 ({unique})",
            "product_id": 42,
            "country": "Indonesia",
            "platform": "WhatsApp",
        },
    }
    body = json.dumps(event).encode()
    signature = hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
    headers = {"Content-Type": "application/json", "X-Webhook-Signature": f"sha256={signature}"}
    return post(path, body, headers)


@asynccontextmanager
async def _server(url: str) -> AsyncIterator[tuple[int, Callable[[], float]]]:
    """Its port, and what its first thread has used of a processor, in seconds."""
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.intake_server", str(port), url, SECRET
    )
    try:
        async with asyncio.timeout(30):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        loop = Path(f"/proc/{server.pid}/task/{server.pid}/schedstat")
        yield port, lambda: int(loop.read_text().split()[0]) / 1e9
    finally:
        server.terminate()
        await server.wait()

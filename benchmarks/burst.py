"""500 codes at once: how soon all are on disk, how soon all are with Telegram, and in which order.

Telegram's own limits are on: 30 messages a second in all, one a second to a chat after a burst of five.
"""

import asyncio
import hashlib
import hmac
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from benchmarks.load import fire, post
from bot.stage import OPERATOR, BotProcess, environment
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Message, Person, Telegram
from services.senders.schedule import RATE
from tests.crash.stage import find_offer

RENTERS, NUMBERS_EACH = 100, 5
CODES = RENTERS * NUMBERS_EACH
CONNECTIONS = 64
REST_SECONDS = 10
"""After which every chat takes a burst again."""


async def measure() -> dict[str, float]:
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock, balance=10**12))
    world.smscode.find_product("wa", "ID").available = 2 * CODES
    with tempfile.TemporaryDirectory() as folder:
        async with serving(world) as origin:
            settings = environment(origin, world.telegram.token, f"sqlite:///{Path(folder) / 'bench.db'}")
            bot = BotProcess(settings)
            await bot.start()
            try:
                await bot.until_ready()
                await _rent_all(world)
                await asyncio.sleep(REST_SECONDS)
                return await _burst(world, bot)
            finally:
                await bot.stop()


async def _rent_all(world: World) -> None:
    operator = world.telegram.people[OPERATOR]
    await operator.say("/start")
    renters = [
        world.telegram.person(5000 + number, f"Renter {number}", started=True) for number in range(RENTERS)
    ]
    for start in range(0, RENTERS, 10):
        await asyncio.gather(*(_rent(renter, operator) for renter in renters[start : start + 10]))


async def _rent(renter: Person, operator: Person) -> None:
    await renter.say("/start")
    await renter.tap("Accept", timeout=60)
    await operator.say(f"/credit {renter.id} 100000")
    await renter.wait_for("added to your balance", timeout=60)
    await find_offer(renter)
    await renter.tap(str(NUMBERS_EACH), timeout=60)
    await renter.tap(f"Buy {NUMBERS_EACH} ", timeout=60)
    await renter.wait_for(lambda message: message.text.count("+62") == NUMBERS_EACH, timeout=60)


async def _burst(world: World, bot: BotProcess) -> dict[str, float]:
    order_ids = list(world.smscode.orders)
    codes = {f"{order_id:06}": place for place, order_id in enumerate(order_ids)}
    assert len(codes) == CODES
    _, port = bot.address.rsplit(":", 1)
    async with _arrivals(world, codes) as (arrived, all_there):
        began = perf_counter()
        secret = world.smscode.webhooks.secret or ""
        requests = [_webhook(order_id, secret) for order_id in order_ids]
        outcome = await fire(int(port), requests, connections=CONNECTIONS)
        assert outcome.statuses == {200: CODES}, outcome.statuses
        async with asyncio.timeout(CODES / RATE * 3):
            await all_there.wait()
    # A renter's codes come one after another; whoever waits for a first one is told before.
    firsts = [codes[code] // NUMBERS_EACH for code in arrived if codes[code] % NUMBERS_EACH == 0]
    late = sorted(abs(place - turn) for turn, place in enumerate(firsts))
    return {
        "codes at once": CODES,
        "all accepted, s (bar: at most 1)": outcome.seconds,
        "all with Telegram, s": max(arrived.values()) - began,
        f"as fast as its limit lets ({RATE:.0f} a second), s": CODES / RATE,
        "first codes: places away from the order of arrival, median": late[RENTERS // 2],
        "the same, p99": late[int(RENTERS * 0.99)],
    }


@asynccontextmanager
async def _arrivals(
    world: World, codes: dict[str, int]
) -> AsyncIterator[tuple[dict[str, float], asyncio.Event]]:
    """By code, when Telegram had it, in that order; and when all are there."""
    arrived: dict[str, float] = {}
    all_there = asyncio.Event()

    def watch(message: Message) -> None:
        for code in codes.keys() & set(message.text.split()):
            arrived.setdefault(code, perf_counter())
        if len(arrived) == len(codes):
            all_there.set()

    world.telegram.on_send = watch
    yield arrived, all_there
    world.telegram.on_send = None


def _webhook(order_id: int, secret: str) -> bytes:
    event = {
        "event": "order.otp_received",
        "timestamp": "2026-02-25T12:00:00Z",
        "data": {"order_id": order_id, "otp_code": f"{order_id:06}", "otp_message": None},
    }
    body = json.dumps(event).encode()
    signature = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    headers = {"Content-Type": "application/json", "X-Webhook-Signature": f"sha256={signature}"}
    return post("/webhooks/smscode", body, headers)

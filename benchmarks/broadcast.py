"""A broadcast to 10,000 people, 500 of whom are gone, with a kill -9 in the middle; and codes meanwhile."""

import asyncio
import itertools
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.path_of_a_code import rent
from benchmarks.wire import Wire
from bot.stage import OPERATOR, BotProcess, environment
from db import users
from db.migrate import upgrade
from db.session import Database
from sandbox.server import World, serving
from sandbox.telegram import FloodLimits, Message
from sandbox.telegram.flood import FloodControl
from services.broadcasts import Broadcasts
from services.clock import SystemClock
from services.outbox import Outbox
from services.senders.schedule import BULK_RATE, RATE

PEOPLE, BLOCKED = 10_000, 500
RENTERS = 20
TEXT = "Half price today"


async def measure() -> dict[str, float]:
    wire = Wire()
    world = wire.world
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.db'}")
        async with serving(world) as origin:
            bot = BotProcess(
                environment(origin, world.telegram.token, f"sqlite:///{Path(folder) / 'bench.db'}")
            )
            await upgrade(database)
            await _crowd(world, database)
            await bot.start()
            try:
                await bot.until_ready()
                return await _measure(wire, bot, database)
            finally:
                await bot.stop()
                await database.aclose()


async def _measure(wire: Wire, bot: BotProcess, database: Database) -> dict[str, float]:
    world = wire.world
    operator = world.telegram.people[OPERATOR]
    await operator.say("/start")
    renters = [world.telegram.person(900_000 + n, f"R{n}", started=True) for n in range(RENTERS)]
    await asyncio.gather(*(rent(renter, operator) for renter in renters))
    world.telegram.flood = FloodControl(FloodLimits())
    await operator.say("/broadcast")
    await operator.wait_for("Send me the message")
    await operator.say(TEXT)
    before = _memory(bot)
    began = perf_counter()
    await operator.tap("Send", timeout=60)
    times: list[float] = []
    codes = asyncio.create_task(_codes(wire, times))
    await _until_received(world, PEOPLE // 2)
    codes.cancel()
    middle, at_middle = perf_counter(), _memory(bot)
    await bot.kill()
    await bot.start()
    await bot.until_ready()
    again, tried_by_then = perf_counter(), _tried(len(_received(world)))
    await operator.wait_for("✅ done", timeout=600)
    ended = perf_counter()
    done = await Broadcasts(database, SystemClock(), Outbox(database, SystemClock())).get(1)
    received = _received(world)
    times.sort()
    with_codes = _tried(PEOPLE // 2) + 2 * len(times)  # each code changes its card, too
    alone = PEOPLE - tried_by_then
    return {
        "people": PEOPLE,
        "sent, by our count": done.sent,
        "have it, by Telegram's": len(received),
        "twice": sum(count > 1 for count in received.values()),
        "blocked": done.blocked,
        "failed": done.failed,
        "unknown: cut off by the kill": done.unknown,
        "of all that may be sent, with codes and cards (bar: 0.95)": with_codes / (middle - began) / RATE,
        "after the restart, of a broadcast's own rate (bar: 0.95)": alone / (ended - again) / BULK_RATE,
        "memory before, MiB": before,
        "memory in the middle, MiB": at_middle,
        "memory at the end, MiB": _memory(bot),
        "codes meanwhile": len(times),
        "  p50 ms": times[len(times) // 2],
        "  p99 ms (bar: at most 50)": times[int(len(times) * 0.99)],
    }


async def _crowd(world: World, database: Database) -> None:
    now = SystemClock().now()
    async with database.write() as session:
        for id in range(10_000, 10_000 + PEOPLE):
            await users.meet(session, id, name="", username=None, language_code="en", now=now)
    for id in range(10_000, 10_000 + PEOPLE):
        person = world.telegram.person(id, "P", started=True)
        if id % (PEOPLE // BLOCKED) == 0:
            person.chat.standing = "blocked"


def _tried(received: int) -> int:
    """Telegram counts requests for those who are gone, too, and they are spread evenly."""
    return received * PEOPLE // (PEOPLE - BLOCKED)


def _received(world: World) -> dict[int, int]:
    counts = {
        person.id: sum(message.text == TEXT for message in person.messages)
        for person in world.telegram.people.values()
        if 10_000 <= person.id < 10_000 + PEOPLE
    }
    return {id: count for id, count in counts.items() if count}


async def _until_received(world: World, count: int) -> None:
    """Counted as they come: to look through all chats would hold up the codes that are timed meanwhile."""
    enough, copies = asyncio.Event(), itertools.count(1)

    def watch(message: Message) -> None:
        if message.text == TEXT and next(copies) >= count:
            enough.set()

    world.telegram.on_send = watch
    await enough.wait()
    world.telegram.on_send = None


async def _codes(wire: Wire, times: list[float]) -> None:
    """A code every now and then, as long as it is let."""
    number = 100_000
    while True:
        for order_id in list(wire.world.smscode.orders):
            number += 1
            times.append(await wire.time_code(order_id, str(number)))
            await asyncio.sleep(0.5)


def _memory(bot: BotProcess) -> float:
    """Resident, in MiB."""
    pages = int(Path(f"/proc/{bot.pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20

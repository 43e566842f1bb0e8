"""Row 2: from the supplier's webhook to the message with its code at the Bot API, nothing else going on."""

import asyncio
import tempfile
from pathlib import Path

from benchmarks.wire import Wire
from bot.stage import OPERATOR, BotProcess, environment
from sandbox.server import serving
from sandbox.telegram import Person
from tests.crash.stage import find_offer

RENTERS = 60
CODES_EACH = 3


async def measure() -> dict[str, float]:
    """Milliseconds over a Telegram and a supplier without latency, both played by this process."""
    wire = Wire()
    world = wire.world
    with tempfile.TemporaryDirectory() as folder:
        async with serving(world) as origin:
            settings = environment(origin, world.telegram.token, f"sqlite:///{Path(folder) / 'bench.db'}")
            bot = BotProcess(settings)
            await bot.start()
            try:
                await bot.until_ready()
                times = sorted(await _codes(wire))
            finally:
                await bot.stop()
    return {
        "codes": len(times),
        "p50 ms (bar: at most 10)": times[len(times) // 2],
        "p99 ms (bar: at most 50)": times[int(len(times) * 0.99)],
    }


async def _codes(wire: Wire) -> list[float]:
    world = wire.world
    operator = world.telegram.people[OPERATOR]
    await operator.say("/start")
    renters = [
        world.telegram.person(5000 + number, f"Renter {number}", started=True) for number in range(RENTERS)
    ]
    await asyncio.gather(*(rent(renter, operator) for renter in renters))
    times = []
    for sms in range(CODES_EACH):
        for order_id in list(world.smscode.orders):
            times.append(await wire.time_code(order_id, f"{sms}{order_id:05}"))
            # What follows a code, its card above all, is over by then: nothing else goes on.
            await asyncio.sleep(0.2)
    return times


async def rent(renter: Person, operator: Person) -> None:
    await renter.say("/start")
    await renter.tap("Accept", timeout=60)
    await operator.say(f"/credit {renter.id} 100000")
    await renter.wait_for("added to your balance", timeout=60)
    await find_offer(renter)
    await renter.tap("Buy", timeout=60)
    await renter.wait_for(lambda message: "+62" in message.text, timeout=60)

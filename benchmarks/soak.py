"""Endurance: a steady load for as long as an hour of the outside's time, and what grows meanwhile.

The outside runs twelve times as fast as documented, so five minutes hold an hour of its cancel locks and
expiries. One number in three gets no code and expires.
"""

import asyncio
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx

from benchmarks.load import median
from bot.stage import BotProcess
from tests.crash.chaos import CODE_AFTER, Chaos, chaos

SECONDS, SPEED = 300, 12.0
PAUSE_SECONDS = (8.0, 20.0)
"""Between two purchases of a renter: the messages of faster ones are more than Telegram takes."""
SAMPLE_SECONDS = 5
REST_SECONDS = 200
"""Longer than an expiry."""
WITHOUT_CODE = 1 / 3


@dataclass(frozen=True, slots=True)
class Sample:
    memory: float
    """Resident MiB."""
    files: int
    lag_sum: float
    """Seconds that the loop was late in all, over so many looks."""
    lag_count: float


async def measure() -> dict[str, float]:
    """Medians of the second and of the last quarter of the time; the first is for warming up."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        async with chaos(url, processes=1, speed=SPEED) as soaking:
            soaking.pause = PAUSE_SECONDS
            samples: list[Sample] = []
            watching = asyncio.create_task(_watch(soaking.bots[0], samples))
            dicing = asyncio.create_task(_dice(soaking))
            await soaking.shop(SECONDS)
            for task in (dicing, watching):
                task.cancel()
            await soaking.come_to_rest(seconds=REST_SECONDS)
            await soaking.check()
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    return {
        "minutes, of the outside's time": SECONDS * SPEED / 60,
        "purchases": soaking.figures.purchases,
        "codes, each shown once": soaking.figures.codes,
        "memory, early MiB": median([sample.memory for sample in early]),
        "memory, late MiB": median([sample.memory for sample in late]),
        "open files, early": median([sample.files for sample in early]),
        "open files, late": median([sample.files for sample in late]),
        "loop late by, early ms": median(list(_lags(early))),
        "loop late by, late ms": median(list(_lags(late))),
    }


async def _dice(soaking: Chaos) -> None:
    """Whether the numbers that are sold now will get a code."""
    while True:
        soaking.world.smscode.code_after = None if random.random() < WITHOUT_CODE else CODE_AFTER * SPEED
        await asyncio.sleep(1)


async def _watch(bot: BotProcess, samples: list[Sample]) -> None:
    async with httpx.AsyncClient(base_url=bot.address) as client:
        while True:
            with suppress(httpx.HTTPError):
                samples.append(_sample(bot.pid, (await client.get("/metrics")).text))
            await asyncio.sleep(SAMPLE_SECONDS)


def _sample(pid: int, metrics: str) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+)", status)
    assert resident
    lag = dict(re.findall(r"numlet_loop_lag_seconds_(sum|count) (\S+)", metrics))
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(int(resident[1]) / 1024, files, float(lag["sum"]), float(lag["count"]))


def _lags(samples: list[Sample]) -> Iterator[float]:
    """Milliseconds, the mean of each stretch between two samples."""
    for before, after in pairwise(samples):
        looks = after.lag_count - before.lag_count
        if looks:
            yield (after.lag_sum - before.lag_sum) / looks * 1000

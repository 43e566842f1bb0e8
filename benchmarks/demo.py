"""From the demo's command to a page that can be used, as a stranger waits for it."""

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import httpx

from tests.browser.demo import running_demo

STARTS = 7


async def measure() -> dict[str, float]:
    """Seconds; dependencies are installed, and the modules' bytecode is written by a start before."""
    with tempfile.TemporaryDirectory() as folder:
        times = sorted([await _start(Path(folder)) for _ in range(STARTS + 1)][1:])
    return {
        "starts": STARTS,
        "page usable, s (bar: at most 3)": median(times),
        "the fastest, s": times[0],
        "the slowest, s": times[-1],
    }


async def _start(folder: Path) -> float:
    began = perf_counter()
    async with running_demo(folder, code_after=0) as address, httpx.AsyncClient() as client:
        (await client.get(address)).raise_for_status()
        return perf_counter() - began

"""`numlet demo` in a process of its own, and the browser that looks at it."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 30_000
"""How long something may take to be seen, on a machine that has much else to do."""
START_WITHIN_SECONDS = 120

IN_A_BROWSER = [
    pytest.mark.anyio,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}"),
]


@asynccontextmanager
async def running_demo(folder: Path, *, code_after: float) -> AsyncIterator[str]:
    """Its address. `code_after`: seconds from a purchase to its code; `folder` gets the database."""
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0", "--code-after", str(code_after)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert demo.stdout
    try:
        async with asyncio.timeout(START_WITHIN_SECONDS):
            while not (found := re.search(rb"http://\S+", await demo.stdout.readline())):
                pass
        yield found.group().decode()
    finally:
        demo.send_signal(signal.SIGINT)
        status = await demo.wait()
    assert status == 0


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        await browser.close()

"""`numlet demo` as a stranger meets it: start, buy, and a code arrives, in a real browser."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}"),
]


async def test_a_stranger_buys_a_number_and_sees_its_code(tmp_path):
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0", "--code-after", "2"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert demo.stdout
    try:
        async with asyncio.timeout(60):
            while not (address := re.search(rb"http://\S+", await demo.stdout.readline())):
                pass
        await buy_and_see_the_code(address.group().decode())
    finally:
        demo.send_signal(signal.SIGINT)
        assert await demo.wait() == 0
    assert {path.name for path in tmp_path.iterdir()} == {"numlet-demo.db"}


async def buy_and_see_the_code(address: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        await page.goto(address)
        await page.get_by_role("button", name="Start", exact=True).click()
        for name in ("Accept", "WhatsApp", "Indonesia", "Buy for"):
            await page.get_by_role("button", name=name).last.click()
        copy = page.get_by_role("button", name=re.compile(r"Copy \d+"))
        await expect(copy).to_be_visible(timeout=30_000)
        await expect(page.get_by_role("log").get_by_text("Paid: Rp")).to_be_visible()
        await browser.close()

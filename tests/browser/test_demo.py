"""`numlet demo` as a stranger meets it: start, buy, and a code arrives, in a real browser."""

import re

from playwright.async_api import expect

from tests.browser.demo import IN_A_BROWSER, chromium, running_demo

pytestmark = IN_A_BROWSER


async def test_a_stranger_buys_a_number_and_sees_its_code(tmp_path):
    async with running_demo(tmp_path, code_after=2) as address:
        await buy_and_see_the_code(address)
    assert {path.name for path in tmp_path.iterdir()} == {"numlet-demo.db"}


async def buy_and_see_the_code(address: str) -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        await page.goto(address)
        await page.get_by_role("button", name="Start", exact=True).click()
        for name in ("Accept", "WhatsApp", "Indonesia", "Buy for"):
            await page.get_by_role("button", name=name).last.click()
        await expect(page.get_by_role("button", name=re.compile(r"Copy \d+"))).to_be_visible()
        await expect(page.get_by_role("log").get_by_text("Paid: Rp")).to_be_visible()

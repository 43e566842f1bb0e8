"""The page inside Telegram, in a real browser of a phone's width: found, bought and read, light and dark."""

import re
from urllib.parse import urlsplit

from playwright.async_api import FrameLocator, Page, Route, expect

from sandbox.telegram.web_apps import THEMES
from tests.browser.demo import IN_A_BROWSER, chromium, running_demo

PHONE = {"width": 360, "height": 740}

QUERIES = {
    "watsap indonezia": "WhatsApp 🇮🇩 Indonesia",
    "вотсап +62": "WhatsApp 🇮🇩 Indonesia",
    "62 wa": "WhatsApp 🇮🇩 Indonesia",
    "🇮🇩 wa": "WhatsApp 🇮🇩 Indonesia",
    "مصر واتساب": "WhatsApp 🇪🇬 Egypt",
    "भारत insta": "Instagram 🇮🇳 India",
    "south africa google": "Google 🇿🇦 South Africa",
    "гугл сша": "Google 🇺🇸 United States",
    "fb filipina": "Facebook 🇵🇭 Philippines",
    "dicsord brasil": "Discord 🇧🇷 Brazil",
}
"""What is typed, and the first line that it finds."""

pytestmark = IN_A_BROWSER


async def test_a_renter_finds_buys_and_reads_on_the_page_in_light_and_dark(tmp_path):
    async with running_demo(tmp_path, code_after=2) as address, chromium() as browser:
        troubles: list[str] = []
        light = await phone(browser, address, "light", troubles)
        await light.get_by_role("button", name="Start", exact=True).click()
        await light.get_by_role("button", name="Accept").last.click()
        await buys_on_the_page(await opened(light))
        await expect(light.get_by_role("log").get_by_text("Paid: Rp")).to_be_visible(timeout=15_000)

        dark = await phone(browser, address, "dark", troubles)
        page = await opened(dark)
        await looks_like(page, "dark")
        for text, line in QUERIES.items():
            await page.get_by_role("searchbox").fill(text)
            await expect(page.get_by_role("row").nth(1)).to_contain_text(
                re.compile(line.replace(" ", r"\s*"))
            )
        await page.get_by_role("searchbox").fill("qwzxv")
        await expect(page.get_by_text("Nothing found.")).to_be_visible()
        await page.get_by_role("searchbox").fill("")
        await leads_to_the_chat(dark, page)
        assert troubles == []

        unlucky = await phone(browser, address, "light", [])
        await meets_others_first(unlucky, 5)
        await opened(unlucky)


async def phone(browser, address: str, scheme: str, troubles: list[str]) -> Page:
    """`troubles` get errors of scripts, what the policy forbids, and whatever other host is asked."""

    def note_request(request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            troubles.append(request.url)

    def note_complaint(message) -> None:
        if message.type == "error":
            troubles.append(message.text)

    page: Page = await browser.new_page(viewport=PHONE, color_scheme=scheme)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", note_complaint)
    page.on("request", note_request)
    await page.goto(address)
    return page


async def opened(page: Page) -> FrameLocator:
    await page.get_by_role("button", name="Open the shop page").last.click()
    frame = page.frame_locator("#miniapp-frame")
    await expect(frame.get_by_role("row")).not_to_have_count(1)
    return frame


async def meets_others_first(page: Page, count: int) -> None:
    """So many calls are answered by processes that do not lead."""
    left = iter(range(count))

    async def answer(route: Route) -> None:
        if next(left, None) is None:
            await route.fallback()
        else:
            await route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": "Elsewhere"})

    await page.route("**/app/api/*", answer)


async def looks_like(frame: FrameLocator, theme: str) -> None:
    """In Telegram's colours, and no wider than the phone."""
    colour = THEMES[theme]["bg_color"]
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    await expect(frame.locator("body")).to_have_css("background-color", f"rgb({red}, {green}, {blue})")
    too_wide = "page => page.scrollWidth - page.clientWidth"
    assert await frame.locator("html").evaluate(too_wide) == 0


async def buys_on_the_page(frame: FrameLocator) -> None:
    await looks_like(frame, "light")
    await frame.get_by_role("searchbox").fill("индонезия whatsap")
    [*lines] = await frame.locator("tbody tr").all()
    assert len(lines) == 1
    await lines[0].click()
    await frame.get_by_role("button", name="☆ Pin").click()
    await expect(frame.get_by_role("button", name="★ Pinned")).to_be_visible()
    await frame.get_by_role("button", name="Buy for Rp").click()
    card = frame.get_by_role("article")
    await expect(card.get_by_role("button", name=re.compile(r"^\d{4,8}"))).to_be_visible(timeout=15_000)
    await expect(card).to_contain_text("The code is here")
    await expect(frame.get_by_role("status")).to_be_hidden()


async def leads_to_the_chat(page: Page, frame: FrameLocator) -> None:
    await frame.get_by_role("button", name="★ WhatsApp").click()
    await frame.get_by_role("button", name="More in the chat").click()
    await expect(page.locator("#miniapp")).to_be_hidden()
    await expect(page.get_by_role("button", name=re.compile("^Buy for Rp")).last).to_be_visible()

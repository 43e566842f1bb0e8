"""Pictures of the main screens, for README and docs: `./numlet screenshots` makes them all anew.

A new screen is a line in SHOTS. They are taken in this order on one demo, so a line may go on where the one
before stopped.
"""

import asyncio
import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.browser.demo import ROOT, chromium, running_demo

FOLDER = ROOT / "docs" / "screenshots"
WIDE, PHONE = (1280, 860), (390, 780)
COLOURS = 128
"""Enough for a page of text, and a third of the bytes."""


@dataclass(frozen=True)
class Shot:
    name: str
    who: str = "Rina"
    say: str = ""
    """What is written first."""
    press: tuple[str, ...] = ()
    """Buttons under the newest messages, one after the other, by how they begin."""
    until: str = ""
    """What must be seen in the chat before the picture, as a regular expression."""
    of: str = ".phone"
    """The part of the page: the chat, or another selector."""
    size: tuple[int, int] = WIDE
    dark: bool = False
    view: str = "chat"
    """On a phone's width: chat, tour or world."""
    tour: bool = True
    """Whether the tour stands above the world."""


SHOTS = (
    Shot("start", say="/start", until="Before you start"),
    Shot("home", press=("Accept",), until="Pick a service"),
    Shot("services", press=("All services",), until="Discord"),
    Shot("confirm", say="/buy whatsapp indonesia", until="You pay only if a code comes"),
    Shot("code", press=("Buy for",), until="Paid:", of="body"),
    Shot("settings", say="/settings", until="Settings"),
    Shot("admin", who="Olga", say="/admin", until="Operator"),
    Shot("world", of=".world", size=(1280, 1500), tour=False),
    Shot("phone", size=PHONE, dark=True, of="body"),
    Shot("tour", size=PHONE, dark=True, of="body", view="tour"),
)


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        await _take_all(Path(folder))


async def _take_all(folder: Path) -> None:
    async with running_demo(folder, code_after=1) as address, chromium() as browser:
        for shot in SHOTS:
            file = FOLDER / f"{shot.name}.png"
            file.write_bytes(_small(await _take(browser, address, shot)))
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KiB")


async def _take(browser: Browser, address: str, shot: Shot) -> bytes:
    width, height = shot.size
    page = await browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="dark" if shot.dark else "light"
    )
    await page.goto(address)
    if not shot.tour:
        await page.get_by_role("button", name="Hide").click()
    await page.get_by_role("navigation", name="Who you are").get_by_role("button", name=shot.who).click()
    await _act(page, shot)
    if width == PHONE[0]:
        await page.locator(f'.views [data-view="{shot.view}"]').click()
    picture = await page.locator(shot.of).screenshot(animations="disabled")
    await page.close()
    return picture


async def _act(page: Page, shot: Shot) -> None:
    log = page.get_by_role("log")
    start = page.get_by_role("button", name="Start", exact=True)
    if await start.is_visible():
        await start.click()
        await expect(log.get_by_role("article", name="Bot")).not_to_have_count(0)
    if shot.say and shot.say != "/start":
        await page.get_by_role("combobox", name="Message").fill(shot.say)
        await page.keyboard.press("Enter")
        await expect(log.get_by_role("article", name="You").last).to_contain_text(shot.say)
    for button in shot.press:
        await log.get_by_role("button", name=re.compile(f"^{re.escape(button)}")).last.click()
    if shot.until:
        await expect(log.get_by_text(re.compile(shot.until)).last).to_be_visible()
    # A message that is still on its way would move the others, and a toast covers them.
    await page.wait_for_timeout(500)
    await expect(page.locator("#toast.shown")).to_have_count(0)


def _small(picture: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    asyncio.run(main())

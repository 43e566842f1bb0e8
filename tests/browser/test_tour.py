"""The guided tour on the demo's page: what a person does ticks the steps, and the proof stands there."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.demo import IN_A_BROWSER, chromium, running_demo
from tests.crash.stage import until

pytestmark = IN_A_BROWSER

GUESTS = 200
GREETED_WITHIN_SECONDS = 200
TOLD = """() => new Promise((resolve) => {
  const events = new EventSource("/world/events");
  events.addEventListener("world", (event) => {
    events.close();
    resolve(JSON.parse(event.data).crowd.told);
  });
})"""


@pytest.fixture
async def page(tmp_path) -> AsyncIterator[Page]:
    async with running_demo(tmp_path, code_after=0.5) as address, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1280, "height": 860})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(address)
        yield page
        assert errors == []


def proof_of(page: Page, step: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=step).get_by_text("Kept.").locator("..")


async def begin(page: Page) -> None:
    await page.get_by_role("button", name="Start", exact=True).click()
    await page.get_by_role("button", name="Accept").last.click()
    await expect(page.get_by_text("Pick a service")).to_be_visible()


async def say(page: Page, words: str) -> None:
    await page.get_by_role("combobox", name="Message").fill(words)
    await page.keyboard.press("Enter")


async def buy(page: Page, country: str = "indonesia") -> None:
    await say(page, f"/buy whatsapp {country}")
    await page.get_by_role("log").get_by_role("button", name="Buy for").last.click()


async def has_told(page: Page, count: int) -> bool:
    """Whether the crowd has so many messages of the bot's."""
    told: int = await page.evaluate(TOLD)
    return told >= count


async def test_promises_are_put_to_the_test_and_their_proofs_stand_there(page):
    await begin(page)
    await buy(page)
    await expect(proof_of(page, "Rent a number")).to_contain_text("was shown once")
    await expect(page.locator("#tour-progress")).to_have_text("1 of 8")

    await page.get_by_role("button", name="Let no code come").focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Withhold codes", exact=True).click()
    await buy(page)
    await expect(page.get_by_text("waiting", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Let its time run out").click()
    await expect(proof_of(page, "Let no code come")).to_contain_text("went back to your balance")
    await expect(page.get_by_role("switch", name="Withhold codes")).not_to_be_checked()

    await page.reload()
    await expect(page.locator("#tour-progress")).to_have_text("2 of 8")
    await page.get_by_role("button", name="Hide").click()
    await expect(page.get_by_role("heading", name="Guided tour")).to_be_hidden()
    await page.get_by_role("button", name="Try next: Lose the webhook").click()
    await expect(page.get_by_role("heading", name="Guided tour")).to_be_focused()


async def test_what_was_not_seen_is_not_ticked(page):
    await begin(page)
    await page.get_by_role("button", name="Lose the webhook").click()
    await buy(page)
    await expect(page.get_by_role("button", name=re.compile(r"^Copy \d{6}"))).to_be_visible()
    await expect(page.locator("#tour-progress")).to_have_text("0 of 8")


async def test_a_stolen_button_and_a_broken_supplier_are_seen_through(page):
    await begin(page)
    await page.get_by_role("button", name="Press somebody else's button").click()
    await page.get_by_role("button", name="Tap Rina's button as Ben").click()
    await expect(page.get_by_role("button", name="Ben").get_by_label("unread")).to_be_visible()
    await page.get_by_role("button", name="Tap Rina's button as Ben").click()
    await expect(proof_of(page, "Press somebody else's button")).to_contain_text(re.compile("and read: “.+”"))

    await page.get_by_role("button", name="Break a supplier").click()
    await page.get_by_role("button", name="Break smscode").click()
    await buy(page, "germany")
    await expect(proof_of(page, "Break a supplier")).to_contain_text("came from numberpanel")
    calls = page.get_by_role("group", name="Calls to the supplier")
    await expect(calls.get_by_role("radio", name="work")).to_be_checked()


async def test_a_code_in_the_middle_of_a_broadcast_is_seen_to_come_first(page):
    await begin(page)
    await page.get_by_role("button", name="A code in the middle of a broadcast").click()
    await buy(page)
    await page.get_by_role("button", name=f"Invite {GUESTS} guests").click()
    await until(lambda: has_told(page, GUESTS), seconds=GREETED_WITHIN_SECONDS)
    await page.get_by_role("navigation", name="Who you are").get_by_role("button", name="Olga").click()
    await page.get_by_role("button", name="Start", exact=True).click()
    await say(page, "/broadcast")
    await expect(page.get_by_text("Send me the message")).to_be_visible()
    await say(page, "Hello everybody")
    await page.get_by_role("log").get_by_role("button", name="Send", exact=True).click()
    await until(lambda: has_told(page, GUESTS + 1))
    await page.get_by_role("button", name="Send a code").click()
    await expect(proof_of(page, "A code in the middle of a broadcast")).to_contain_text("and it went on")

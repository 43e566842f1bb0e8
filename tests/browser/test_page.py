"""The sandbox's page in a real browser, with a small bot that knows nothing but the Bot API."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from time import time

import httpx
import pytest
from playwright.async_api import Page, expect

from sandbox.clock import Clock
from sandbox.phones import PhoneSms
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Telegram
from tests.browser.demo import IN_A_BROWSER, chromium

pytestmark = IN_A_BROWSER

MENU = [
    [{"text": "Buy WhatsApp · Rp 3,600", "callback_data": "buy", "style": "success"}],
    [{"text": "Balance", "callback_data": "balance"}, {"text": "Terms", "callback_data": "alert"}],
    [{"text": "Copy 481516", "copy_text": {"text": "481516"}}],
]
INVOICE = {
    "title": "Top up",
    "description": "100 Stars",
    "payload": "order-1",
    "currency": "XTR",
    "prices": [{"label": "Stars", "amount": 100}],
}
NASTY = '<img src=x onerror="document.title=1">'


class EchoBot:
    """Answers /start with a menu, and anything else with itself."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self.api = api

    async def call(self, method: str, **params):
        answer = (await self.api.post(method, json=params)).json()
        assert answer["ok"], answer
        return answer["result"]

    async def run(self) -> None:
        commands = [{"command": "start", "description": "Begin"}, {"command": "stop", "description": "End"}]
        await self.call("setMyCommands", commands=commands)
        offset = 0
        while True:
            for update in await self.call("getUpdates", timeout=30, offset=offset):
                offset = update["update_id"] + 1
                if "inline_query" in update:
                    await self.on_search(update["inline_query"])
                elif "callback_query" in update:
                    await self.on_tap(update["callback_query"])
                elif "pre_checkout_query" in update:
                    query_id = update["pre_checkout_query"]["id"]
                    await self.call("answerPreCheckoutQuery", pre_checkout_query_id=query_id, ok=True)
                elif "text" in update.get("message", {}):
                    await self.on_message(update["message"])

    async def on_message(self, message) -> None:
        chat_id = message["chat"]["id"]
        match message["text"]:
            case "/start":
                await self.welcome(chat_id)
            case "/topup":
                await self.call("sendInvoice", chat_id=chat_id, **INVOICE)
            case text:
                await self.call("sendMessage", chat_id=chat_id, text=f"You said {text}")

    async def welcome(self, chat_id: int) -> None:
        soon = int(time()) + 1200
        text = (
            f'<b>Welcome</b>, it ends <tg-time unix="{soon}" format="r">soon</tg-time>. <code>+62 812</code>'
        )
        markup = {"inline_keyboard": MENU}
        await self.call("sendMessage", chat_id=chat_id, text=text, parse_mode="HTML", reply_markup=markup)

    async def on_search(self, query) -> None:
        found = {"message_text": f"Found <b>{query['query']}</b>", "parse_mode": "HTML"}
        article = {"type": "article", "id": "1", "title": "A result", "input_message_content": found}
        await self.call("answerInlineQuery", inline_query_id=query["id"], results=[article])

    async def on_tap(self, query) -> None:
        answer = {"text": f"Answer to {query['data']}", "show_alert": query["data"] == "alert"}
        await self.call("answerCallbackQuery", callback_query_id=query["id"], **answer)
        if query["data"] == "buy":
            spot = {"chat_id": query["from"]["id"], "message_id": query["message"]["message_id"]}
            await self.call(
                "editMessageText", **spot, text="Bought", reply_markup={"inline_keyboard": MENU[1:]}
            )


@asynccontextmanager
async def running(bot: EchoBot):
    task = asyncio.create_task(bot.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def world():
    clock = Clock()
    return World(clock, Telegram(clock), SmsCode(clock))


@pytest.fixture
async def origin(world):
    async with serving(world) as origin:
        base_url = f"{origin}/telegram/bot{world.telegram.token}/"
        async with httpx.AsyncClient(base_url=base_url, timeout=60) as api, running(EchoBot(api)):
            yield origin


@pytest.fixture
async def page(origin):
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 860})
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await context.new_page()
        errors: list[str] = []
        requested: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        await page.goto(origin)
        yield page
        assert errors == []
        assert [url for url in requested if not url.startswith(origin)] == []


async def start(page: Page) -> None:
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_text("Welcome")).to_be_visible()


async def test_start_brings_a_formatted_message_with_its_buttons(page):
    await start(page)
    message = page.get_by_role("article", name="Bot")
    await expect(message.locator("b")).to_have_text("Welcome")
    await expect(message.locator(".text time")).to_have_text("in 19 minutes")
    await expect(page.get_by_role("button", name="Start", exact=True)).to_be_hidden()
    await expect(page.get_by_role("button", name="Buy WhatsApp")).to_have_class("press success")


async def test_a_tap_shows_the_answer_and_edits_in_place(page):
    await start(page)
    await page.get_by_role("button", name="Buy WhatsApp").click()
    await expect(page.locator("#toast")).to_have_text("Answer to buy")
    await expect(page.get_by_role("article", name="Bot")).to_have_count(1)
    await expect(page.get_by_text("Bought")).to_be_visible()
    await page.get_by_role("button", name="Terms").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Answer to alert")


async def test_a_copy_button_fills_the_clipboard(page):
    await start(page)
    await page.get_by_role("button", name="Copy 481516").click()
    await expect(page.locator("#toast")).to_have_text("Copied 481516")
    assert await page.evaluate("navigator.clipboard.readText()") == "481516"


async def test_commands_are_suggested_and_chosen_by_keyboard(page):
    await start(page)
    await page.get_by_role("combobox", name="Message").press_sequentially("/st")
    await expect(page.get_by_role("option")).to_have_count(2)
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        await page.keyboard.press(key)
    await expect(page.get_by_text("You said /stop")).to_be_visible()


async def test_an_inline_result_is_picked_by_keyboard(page):
    await start(page)
    await page.get_by_role("combobox", name="Message").fill("@numlet_sandbox_bot whatsapp")
    await expect(page.get_by_role("option", name="A result")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    message = page.get_by_role("article", name="You").last
    await expect(message).to_contain_text("via @numlet_sandbox_bot")
    await expect(message.locator("b")).to_have_text("whatsapp")


async def test_what_people_write_is_never_markup(page):
    await start(page)
    await page.get_by_role("combobox", name="Message").fill(NASTY)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(f"You said {NASTY}")).to_be_visible()
    await expect(page.locator("#log img")).to_have_count(0)


async def test_a_message_to_somebody_else_is_marked_unread(page, world):
    await start(page)
    await page.get_by_role("button", name="Ben").click()
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_text("Welcome")).to_be_visible()
    await page.get_by_role("button", name="Rina").click()
    await world.telegram.people[1002].say("are you there?")
    await expect(page.get_by_role("button", name="Ben").get_by_label("1 unread")).to_be_visible()
    await expect(page).to_have_title("(1) Numlet sandbox")


async def test_a_blocked_bot_can_be_unblocked(page, world):
    await start(page)
    await page.get_by_role("button", name="Block").click()
    await page.get_by_role("button", name="Unblock").click()
    await expect(page.get_by_role("combobox", name="Message")).to_be_visible()
    assert world.telegram.people[1001].chat.standing == "member"


async def test_an_invoice_is_paid_with_play_stars(page, world):
    await start(page)
    await page.get_by_role("combobox", name="Message").fill("/topup")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Pay ⭐️100").click()
    sheet = page.get_by_role("dialog", name="Top up")
    await expect(sheet).to_contain_text("You have ⭐️ 10,000")
    await sheet.get_by_role("button", name="Not now").click()
    await page.get_by_role("button", name="Pay ⭐️100").click()
    await sheet.get_by_role("button", name="Confirm and pay ⭐️ 100").click()
    await expect(page.get_by_text("You paid ⭐️ 100")).to_be_visible()
    assert world.telegram.payments.balance == 100
    await page.get_by_role("button", name="Receipt").click()
    await expect(page.get_by_role("dialog")).to_contain_text(world.telegram.payments.charges[0].id)


async def test_why_an_invoice_cannot_be_paid_is_shown(page, world):
    world.telegram.payments.purses[1001] = 99
    await start(page)
    await page.get_by_role("combobox", name="Message").fill("/topup")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Pay ⭐️100").click()
    await page.get_by_role("button", name="Confirm and pay").click()
    await expect(page.get_by_role("dialog")).to_contain_text("You don't have enough Stars.")


async def test_the_store_takes_stars_back(page, world):
    await start(page)
    await page.get_by_role("combobox", name="Message").fill("/topup")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Pay ⭐️100").click()
    await page.get_by_role("button", name="Confirm and pay").click()
    await page.get_by_role("button", name="Store refund").click()
    await expect(page.get_by_text("⭐️ 100 came back to you")).to_be_visible()
    assert world.telegram.payments.balance == 0


async def test_an_sms_sent_from_the_page_reaches_its_number(page, world):
    [order] = world.smscode.buy(world.smscode.find_product("wa", "ID").id, 1)
    sms = page.get_by_role("textbox", name=f"SMS to {order.phone_number}")
    await sms.fill("Your code is 123456")
    await page.get_by_role("button", name="Send SMS").click()
    await expect(page.get_by_text("received", exact=True)).to_be_visible()
    assert order.otp_code == "123456"


async def test_trouble_is_made_with_switches(page, world):
    trouble = world.smscode.trouble
    async with page.expect_response("**/world/trouble"):
        await page.get_by_role("switch", name="Lose webhooks").check()
    async with page.expect_response("**/world/trouble"):
        await page.get_by_role("switch", name="Delay webhooks").check()
    async with page.expect_response("**/world/trouble"):
        await page.get_by_role("radio", name="503 down").check()
    assert (trouble.drop_webhooks, trouble.delay_webhooks) == (True, timedelta(seconds=10))
    assert trouble.always == "503"
    trouble.drop_webhooks = False
    await expect(page.get_by_role("switch", name="Lose webhooks")).not_to_be_checked()


async def test_stock_and_balance_of_a_supplier_are_changed(page, world):
    product = world.smscode.find_product("wa", "ID")
    async with page.expect_response("**/suppliers/smscode/stock"):
        await page.get_by_role("spinbutton", name="Stock of WhatsApp Indonesia").fill("0")
        await page.keyboard.press("Enter")
    async with page.expect_response("**/suppliers/smscode/balance"):
        await page.get_by_role("spinbutton", name="Balance at smscode").fill("1000")
        await page.keyboard.press("Enter")
    assert (product.available, world.smscode.balance) == (0, 1000)


async def test_a_price_jumps_and_garbage_is_answered(page, world):
    async with page.expect_response("**/world/trouble"):
        await page.get_by_role("switch", name="Price jump").check()
    async with page.expect_response("**/world/trouble"):
        await (
            page.get_by_role("group", name="Calls to the supplier")
            .get_by_role("radio", name="garbage")
            .check()
        )
    assert world.smscode.price(world.smscode.find_product("wa", "ID")) == 22_500
    assert world.smscode.trouble.always == "html"


async def test_the_time_of_a_number_is_over_when_the_page_says_so(page, world):
    [order] = world.smscode.buy(world.smscode.find_product("wa", "ID").id, 1)
    await page.get_by_role("button", name=f"Expire {order.phone_number}").click()
    await expect(page.get_by_text("expired", exact=True)).to_be_visible()
    assert order.status == "EXPIRED"


async def test_a_text_lands_on_a_drawn_phone(page, world):
    await expect(page.locator("#texts")).to_have_text("None yet.")
    at = world.clock.now()
    world.phones.ring(PhoneSms("cellcast", "Pizza", "+61400000000", NASTY, at))
    phone = page.locator(".handset")
    await expect(phone).to_contain_text("+61400000000from Pizza")
    await expect(phone.locator("p")).to_have_text(NASTY)


async def test_a_drawn_phone_can_answer(page, world):
    at = world.clock.now()
    world.phones.ring(PhoneSms("smsgateway24", "+4915752982212", "+6281234567890", "Big sale", at))
    phone = page.locator(".handset")
    await phone.get_by_label("Answer from +6281234567890").fill("STOP")
    await phone.get_by_role("button", name="Answer").click()
    await expect(phone.locator(".answer")).to_have_text("STOP")
    [came_in] = world.smsgateway24.messages.values()
    assert (came_in.sendto, came_in.body, came_in.status) == ("+6281234567890", "STOP", 5)
    world.phones.ring(PhoneSms("cellcast", "+61400000999", "+61400000001", "Big sale", at))
    await page.get_by_label("Answer from +61400000001").fill("stop")
    await phone.first.get_by_role("button", name="Answer").click()
    await expect(phone.first.locator(".answer")).to_have_text("stop")
    assert world.cellcast.unsubscribed == {"+61400000001"}


async def test_a_sender_has_switches_of_its_own(page, world):
    trouble = world.cellcast.trouble
    await page.get_by_text("Calls to cellcast").click()
    sender = page.get_by_role("group").filter(has_text="Calls to cellcast")
    async with page.expect_response("**/senders/cellcast/trouble"):
        await sender.get_by_role("radio", name="answer lost").check()
    async with page.expect_response("**/senders/cellcast/trouble"):
        await sender.get_by_role("switch", name="Out of credit").check()
    assert (trouble.always, trouble.out_of_credit) == ("lost_answer", True)
    assert world.smscode.trouble.always is None
    trouble.always = None
    await expect(sender.get_by_role("radio", name="work")).to_be_checked()


async def test_news_of_before_does_not_set_a_switch_back(page, world):
    switch = page.get_by_role("switch", name="Lose webhooks")
    seen: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def hold(route) -> None:
        world.telegram.payments.balance += 1
        await expect(page.locator("#suppliers")).to_contain_text("⭐️ 1")
        seen.set_result(await switch.is_checked())
        await route.continue_()

    await page.route("**/world/trouble", hold)
    async with page.expect_response("**/world/trouble"):
        await switch.click()
    assert await seen
    await expect(switch).to_be_checked()
    assert world.smscode.trouble.drop_webhooks


async def test_a_senders_phones_are_shown_and_can_be_switched_off(page, world):
    await page.get_by_text("Calls to smsgateway24").click()
    sender = page.get_by_role("group").filter(has_text="Calls to smsgateway24")
    phone = sender.get_by_text("Phone on the counter (260)")
    await expect(phone).to_have_text("Phone on the counter (260): on, Drillisch (o2), Telkomsel")
    await sender.get_by_role("switch", name="Phones off").check()
    await expect(phone).to_contain_text(": off")
    assert world.smsgateway24.trouble.phones_off


async def test_the_bot_is_restarted_where_the_program_allows_it(page, world):
    restarted = asyncio.Event()

    async def restart() -> None:
        restarted.set()

    await expect(page.get_by_role("button", name="Restart the bot")).to_be_hidden()
    world.restart_bot = restart
    await page.get_by_role("button", name="Restart the bot").click()
    await asyncio.wait_for(restarted.wait(), 30)


async def test_a_narrow_page_shows_the_chat_first_and_the_world_on_its_tab(page):
    await page.set_viewport_size({"width": 390, "height": 780})
    await expect(page.get_by_role("button", name="Start", exact=True)).to_be_in_viewport()
    await expect(page.get_by_role("heading", name="Trouble")).to_be_hidden()
    await page.get_by_role("button", name="The world").click()
    await expect(page.get_by_role("heading", name="Trouble")).to_be_visible()
    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0


async def test_no_other_site_can_move_the_world(origin, world):
    async with httpx.AsyncClient(base_url=origin) as client:
        answer = await client.post("/world/trouble", content=json.dumps({"drop_webhooks": True}))
        assert answer.status_code == 415
        assert (await client.get("/healthz")).status_code == 200
    assert not world.smscode.trouble.drop_webhooks

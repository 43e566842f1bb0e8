"""The play Telegram, called by the real python-telegram-bot."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputMediaPhoto,
    InputMediaVideo,
    InputTextMessageContent,
    KeyboardButton,
    LabeledPrice,
    MenuButtonWebApp,
    ReplyKeyboardMarkup,
    ReplyParameters,
    WebAppInfo,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter
from telegram.request import HTTPXRequest

from sandbox.clock import ManualClock
from sandbox.telegram import FloodLimits, Refusal, Telegram
from sandbox.telegram.wire import Params

pytestmark = pytest.mark.anyio

ANN = 7
PNG = b"\x89PNG\r\n\x1a\n--\r\n\x00\xffrest"


@pytest.fixture
def clock():
    return ManualClock(speed=1000)


@pytest.fixture
async def telegram(clock):
    async with Telegram(clock) as telegram:
        yield telegram


@pytest.fixture
def ann(telegram):
    return telegram.person(ANN, "Ann", "ann", started=True)


@asynccontextmanager
async def connected(telegram: Telegram, token: str | None = None):
    def over_asgi() -> HTTPXRequest:
        return HTTPXRequest(httpx_kwargs={"transport": httpx.ASGITransport(telegram.app)})

    bot = Bot(
        token or telegram.token,
        base_url="http://telegram.test/bot",
        request=over_asgi(),
        get_updates_request=over_asgi(),
    )
    async with bot:
        yield bot


@pytest.fixture
async def bot(telegram):
    async with connected(telegram) as bot:
        yield bot


def keyboard(*buttons: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([list(buttons)])


async def next_update(bot: Bot):
    """The one update that waits, confirmed."""
    [update] = await bot.get_updates(timeout=5)
    await bot.get_updates(offset=update.update_id + 1)
    return update


async def test_what_a_person_says_reaches_the_bot_as_a_command(bot, telegram):
    await telegram.person(8, "Ben", "ben", "id").say("/start friend")
    update = await next_update(bot)
    assert update.message.text == "/start friend"
    assert update.message.entities[0].type == "bot_command"
    assert update.effective_user.language_code == "id"


async def test_a_message_keeps_its_formatting_and_buttons(bot, ann):
    markup = keyboard(
        InlineKeyboardButton("Buy", callback_data="buy", style="success"),
        InlineKeyboardButton("Copy", copy_text=CopyTextButton("123")),
    )
    html = 'Hi <b>Ann &amp; <i>you</i></b> <tg-time unix="99" format="r">soon</tg-time>'
    sent = await bot.send_message(ANN, html, parse_mode="HTML", reply_markup=markup)
    [message] = ann.messages
    assert message.text == sent.text == "Hi Ann & you soon"
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in message.entities] == [
        ("bold", 3, 9),
        ("italic", 9, 3),
        ("date_time", 13, 4),
    ]
    buy, copy = message.buttons[0]
    assert (buy.callback_data, buy.style, copy.copy_text) == ("buy", "success", "123")


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<b>open", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<p>x</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("é</b>", "Unexpected end tag at byte offset 2"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("1 < 2", "Unclosed start tag at byte offset 2"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
async def test_broken_html_is_refused(bot, ann, html, words):
    with pytest.raises(BadRequest) as refusal:
        await bot.send_message(ANN, html, parse_mode="HTML")
    # python-telegram-bot puts its own case on the first letters.
    assert f"can't parse entities: {words}".lower() == str(refusal.value).lower()


@pytest.mark.parametrize(
    ("html", "types"),
    [
        ('<pre><code class="language-py">x</code></pre>', ["pre"]),
        ("<blockquote expandable>x</blockquote>", ["expandable_blockquote"]),
        ('<tg-spoiler>x</tg-spoiler><span class="tg-spoiler">y</span>', ["spoiler", "spoiler"]),
        ('<a href="https://example.com/?a=1&amp;b=2">x</a>', ["text_link"]),
        ('<tg-emoji emoji-id="5">👍</tg-emoji>', ["custom_emoji"]),
        ("see /help or https://example.com", ["bot_command", "url"]),
        ("<code>/help</code>", ["code"]),
    ],
)
async def test_every_tag_that_telegram_knows_becomes_its_entity(bot, ann, html, types):
    await bot.send_message(ANN, html, parse_mode="HTML")
    assert [entity["type"] for entity in ann.messages[0].entities] == types


async def test_offsets_count_utf16_units_and_white_space_around_is_dropped(bot, ann):
    sent = await bot.send_message(ANN, "\n👋 <b>Ann</b> ", parse_mode="HTML")
    assert sent.text == "👋 Ann"
    assert sent.parse_entity(sent.entities[0]) == "Ann"


@pytest.mark.parametrize(
    ("text", "words"), [(" \n", "Message text is empty"), ("x" * 4097, "Message is too long")]
)
async def test_text_that_is_no_message_is_refused(bot, ann, text, words):
    with pytest.raises(BadRequest, match=words):
        await bot.send_message(ANN, text)


async def test_the_limit_counts_text_without_its_markup(bot, ann):
    await bot.send_message(ANN, f"<b>{'x' * 4096}</b>", parse_mode="HTML")


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (keyboard(InlineKeyboardButton("x", callback_data="é" * 33)), "Button_data_invalid"),
        (
            keyboard(InlineKeyboardButton("x", copy_text=CopyTextButton("x" * 257))),
            "Button_copy_text_invalid",
        ),
        (keyboard(InlineKeyboardButton("x")), "Text buttons are unallowed in the inline keyboard"),
        (keyboard(InlineKeyboardButton("x", url="ftp://example.com")), "Unsupported URL protocol"),
        (keyboard(InlineKeyboardButton("x", callback_data="x", style="loud")), "Invalid button style"),
        (keyboard(*[InlineKeyboardButton("x", callback_data="x")] * 9), "Reply_markup_too_long"),
        (
            InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="x")]] * 101),
            "Reply_markup_too_long",
        ),
    ],
)
async def test_keyboards_that_telegram_refuses(bot, ann, markup, words):
    with pytest.raises(BadRequest) as refusal:
        await bot.send_message(ANN, "x", reply_markup=markup)
    assert words.lower() in str(refusal.value).lower()


async def test_a_reply_points_at_what_it_answers(bot, ann):
    question = await ann.say("help?")
    answer = await bot.send_message(ANN, "yes", reply_parameters=ReplyParameters(question.id))
    assert answer.reply_to_message.text == "help?"
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(ANN, "yes", reply_parameters=ReplyParameters(999))


async def test_photos_and_documents_are_stored_byte_for_byte(bot, telegram, ann):
    sent = await bot.send_photo(ANN, PNG, caption="<b>chart</b>", parse_mode="HTML")
    assert telegram.account.files[sent.photo[-1].file_id].content == PNG
    assert sent.caption == "chart"
    again = await bot.send_photo(ANN, sent.photo[-1].file_id)
    assert again.photo[-1].file_id == sent.photo[-1].file_id
    document = await bot.send_document(ANN, b"a,b\r\n", filename="orders.csv")
    assert document.document.file_name == "orders.csv"
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(ANN, b"no picture")
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_photo(ANN, PNG, caption="x" * 1025)


async def test_a_photo_takes_the_place_of_another_or_of_a_text(bot, telegram, ann):
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("More", callback_data="more")]])
    for sent in (await bot.send_photo(ANN, PNG, "first"), await bot.send_message(ANN, "first")):
        new = InputMediaPhoto(PNG + b"2", "<b>second</b>", parse_mode="HTML")
        edited = await bot.edit_message_media(new, ANN, sent.message_id, reply_markup=keyboard)
        assert telegram.account.files[edited.photo[-1].file_id].content == PNG + b"2"
        assert (edited.caption, edited.message_id) == ("second", sent.message_id)
        assert edited.reply_markup == keyboard
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.edit_message_media(InputMediaPhoto(b"no picture"), ANN, sent.message_id)


async def test_a_copy_keeps_text_formatting_and_photo(bot, telegram, ann):
    ben = telegram.person(8, "Ben", started=True)
    photo = await ann.send_photo(PNG, "look")
    text = await bot.send_message(ANN, "<b>hi</b>", parse_mode="HTML")
    await bot.copy_messages(ben.id, ANN, [photo.id, text.message_id])
    assert [message.text for message in ben.messages] == ["look", "hi"]
    assert ben.messages[1].entities[0]["type"] == "bold"
    forwarded = await bot.forward_message(ben.id, ANN, photo.id)
    assert forwarded.forward_origin.sender_user.id == ANN
    with pytest.raises(BadRequest, match="Message to copy not found"):
        await bot.copy_message(ben.id, ANN, 999)


async def test_an_edit_changes_the_message_in_place(bot, ann):
    sent = await bot.send_message(ANN, "one")
    await bot.edit_message_text("two", ANN, sent.message_id)
    assert [(message.text, message.edited) for message in ann.messages] == [("two", True)]


async def test_an_edit_that_changes_nothing_is_refused_but_a_new_copy_button_is_a_change(bot, ann):
    def code(digits: str) -> InlineKeyboardMarkup:
        return keyboard(InlineKeyboardButton("Copy", copy_text=CopyTextButton(digits)))

    sent = await bot.send_message(ANN, "code", reply_markup=code("1"))
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await bot.edit_message_text("code", ANN, sent.message_id, reply_markup=code("1"))
    await bot.edit_message_text("code", ANN, sent.message_id, reply_markup=code("2"))
    await bot.edit_message_text(
        "<b>code</b>", ANN, sent.message_id, reply_markup=code("2"), parse_mode="HTML"
    )
    await bot.edit_message_reply_markup(ANN, sent.message_id)
    assert ann.messages[0].buttons == []


async def test_edits_that_telegram_refuses(bot, ann):
    mine = await ann.say("mine")
    photo = await bot.send_photo(ANN, PNG, caption="x")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", ANN, mine.id)
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("x", ANN, photo.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", ANN, 999)
    await bot.edit_message_caption(ANN, photo.message_id, caption="y")


async def test_a_message_can_be_deleted_for_two_days(bot, ann, clock):
    young = await bot.send_message(ANN, "x")
    old = await bot.send_message(ANN, "y")
    assert await bot.delete_message(ANN, young.message_id)
    clock.advance(timedelta(hours=49))
    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await bot.delete_message(ANN, old.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(ANN, young.message_id)


async def test_pinning_marks_a_message(bot, ann):
    sent = await bot.send_message(ANN, "x")
    await bot.pin_chat_message(ANN, sent.message_id)
    assert ann.messages[0].pinned
    await bot.unpin_chat_message(ANN)
    assert not ann.messages[0].pinned


async def test_a_tap_asks_the_bot_and_brings_back_its_answer(bot, ann):
    await bot.send_message(
        ANN, "menu", reply_markup=keyboard(InlineKeyboardButton("Buy 5", callback_data="b5"))
    )
    tap = asyncio.create_task(ann.tap("Buy"))
    update = await next_update(bot)
    assert (update.callback_query.data, update.callback_query.message.text) == ("b5", "menu")
    await update.callback_query.answer("Bought", show_alert=True)
    assert ((await tap).text, (await tap).show_alert) == ("Bought", True)


async def test_an_answer_that_comes_too_late_is_refused(bot, ann, clock):
    await bot.send_message(ANN, "menu", reply_markup=keyboard(InlineKeyboardButton("Buy", callback_data="b")))
    await ann.press("Buy")
    update = await next_update(bot)
    clock.advance(timedelta(seconds=151))
    with pytest.raises(
        BadRequest, match="Query is too old and response timeout expired or query id is invalid"
    ):
        await update.callback_query.answer()


async def test_copy_and_link_buttons_need_no_bot(bot, ann):
    buttons = [
        InlineKeyboardButton("Copy", copy_text=CopyTextButton("42")),
        InlineKeyboardButton("Open", url="https://example.com"),
    ]
    await bot.send_message(ANN, "x", reply_markup=keyboard(*buttons))
    assert (await ann.tap("Copy")).copied == "42"
    assert (await ann.tap("Open")).url == "https://example.com"


async def test_waiting_for_a_message_sees_edits_and_can_look_past_old_ones(bot, ann):
    await bot.send_message(ANN, "balance 5")
    asked = await ann.say("/balance")
    waiting = asyncio.create_task(ann.wait_for("balance", after=asked))
    await bot.send_message(ANN, "balance 6")
    assert (await waiting).text == "balance 6"
    with pytest.raises(TimeoutError, match="Ann waits for 'gold'"):
        await ann.wait_for("gold", timeout=0)


async def test_a_blocked_bot_is_told_and_cannot_write(bot, ann):
    ann.block()
    update = await next_update(bot)
    assert update.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(ANN, "x")
    ann.unblock()
    assert (await next_update(bot)).my_chat_member.new_chat_member.status == "member"
    ann.deactivate()
    with pytest.raises(Forbidden, match="user is deactivated"):
        await bot.send_message(ANN, "x")


async def test_a_stranger_cannot_be_written_to(bot, telegram):
    telegram.person(9)
    for chat_id in (9, 10):
        with pytest.raises(BadRequest, match="Chat not found"):
            await bot.send_message(chat_id, "x")


async def test_a_contact_is_shared_by_the_button_that_asks_for_it(bot, ann):
    button = KeyboardButton("Share phone", request_contact=True)
    await bot.send_message(ANN, "phone?", reply_markup=ReplyKeyboardMarkup([[button]]))
    await ann.tap("Share")
    assert (await next_update(bot)).message.contact.user_id == ANN


async def test_inline_search_brings_the_bots_results(bot, ann):
    searching = asyncio.create_task(ann.search_inline("whatsapp"))
    query = (await next_update(bot)).inline_query
    await query.answer([InlineQueryResultArticle("1", "WhatsApp", InputTextMessageContent("hi"))])
    assert [result["title"] for result in await searching] == ["WhatsApp"]


async def test_the_narrowest_commands_win(bot, telegram, ann):
    await bot.set_my_commands([BotCommand("start", "Begin")])
    await bot.set_my_commands([BotCommand("admin", "Panel")], scope=BotCommandScopeChat(ANN))
    ben = telegram.person(8)
    assert [command["command"] for command in telegram.profile.commands_for(ann.chat.user)] == ["admin"]
    assert [command["command"] for command in telegram.profile.commands_for(ben.chat.user)] == ["start"]
    assert [command.command for command in await bot.get_my_commands()] == ["start"]
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([BotCommand("Start", "Begin")])


async def test_the_bot_describes_itself(bot, ann):
    assert await bot.set_my_description("Rents numbers")
    assert (await bot.get_my_description()).description == "Rents numbers"
    assert await bot.set_my_short_description("Numbers")
    assert await bot.set_my_name("Numlet")
    assert await bot.set_chat_menu_button()
    assert await bot.send_chat_action(ANN, "typing")
    assert (await bot.get_chat(ANN)).first_name == "Ann"


async def test_updates_repeat_until_confirmed_and_number_upwards_by_one(bot, ann):
    for text in ("one", "two", "three"):
        await ann.say(text)
    first = await bot.get_updates(limit=2)
    assert first == await bot.get_updates(limit=2)
    assert first[1].update_id == first[0].update_id + 1
    assert [update.message.text for update in await bot.get_updates(offset=first[1].update_id + 1)] == [
        "three"
    ]


async def test_a_long_poll_returns_when_something_comes(bot, ann):
    polling = asyncio.create_task(bot.get_updates(timeout=30))
    await ann.say("hello")
    assert [update.message.text for update in await polling] == ["hello"]


async def test_a_second_poller_ends_the_first(bot, telegram, ann):
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await telegram.until(lambda: telegram.calls[-1].method == "getUpdates")
    async with connected(telegram) as other:
        second = asyncio.create_task(other.get_updates(timeout=30))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        await ann.say("hello")
        assert len(await second) == 1


async def test_only_allowed_kinds_are_kept_and_the_list_is_sticky(bot, ann):
    await bot.get_updates(allowed_updates=["callback_query"])
    await ann.say("hello")
    assert await bot.get_updates() == ()


async def test_unanswered_taps_expire_while_messages_stay(bot, ann, clock):
    await bot.send_message(ANN, "menu", reply_markup=keyboard(InlineKeyboardButton("Buy", callback_data="b")))
    await ann.press("Buy")
    await ann.say("hello")
    clock.advance(timedelta(seconds=151))
    assert [update.message.text for update in await bot.get_updates()] == ["hello"]


async def test_a_webhook_gets_updates_in_order_with_its_secret_until_it_takes_them(clock):
    received = []
    statuses = iter([500, 200, 200])

    async def endpoint(request: Request) -> Response:
        received.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], await request.json()))
        return Response(status_code=next(statuses))

    app = Starlette(routes=[Route("/hook", endpoint, methods=["POST"])])
    async with Telegram(clock, transport=httpx.ASGITransport(app)) as telegram, connected(telegram) as bot:
        ann = telegram.person(ANN, started=True)
        await ann.say("one")
        await bot.set_webhook("https://bot.test/hook", secret_token="quiet")
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await bot.get_updates()
        await ann.say("two")
        await telegram.until(lambda: not telegram.updates.pending)
        assert [body["message"]["text"] for _, body in received] == ["one", "one", "two"]
        assert {secret for secret, _ in received} == {"quiet"}
        info = await bot.get_webhook_info()
        assert "500" in info.last_error_message
        await bot.delete_webhook()
        assert await bot.get_updates() == ()


async def pay(ann, bot, invoice, **answer):
    paying = asyncio.create_task(ann.pay(invoice))
    query = (await next_update(bot)).pre_checkout_query
    await query.answer(**answer)
    return query, await paying


async def test_stars_are_paid_and_refunded_once(bot, ann):
    await bot.send_invoice(ANN, "Top up", "100 Stars", "order-1", "XTR", [LabeledPrice("Stars", 100)])
    query, payment = await pay(ann, bot, ann.messages[-1], ok=True)
    assert (query.invoice_payload, query.total_amount, payment.paid) == ("order-1", 100, True)
    successful = (await next_update(bot)).message.successful_payment
    assert successful.telegram_payment_charge_id == payment.charge_id
    assert (await bot.get_my_star_balance()).amount == 100

    await bot.refund_star_payment(ANN, payment.charge_id)
    assert (await next_update(bot)).message.refunded_payment.total_amount == 100
    with pytest.raises(BadRequest, match="Charge_already_refunded"):
        await bot.refund_star_payment(ANN, payment.charge_id)
    incoming, outgoing = (await bot.get_star_transactions()).transactions
    assert incoming.source.user.id == outgoing.receiver.user.id == ANN


async def test_a_refused_checkout_costs_nothing(bot, ann):
    link = await bot.create_invoice_link(
        "Top up", "100 Stars", "order-1", "XTR", [LabeledPrice("Stars", 100)]
    )
    _, payment = await pay(ann, bot, link, ok=False, error_message="Sold out")
    assert (payment.paid, payment.error) == (False, "Sold out")
    assert (await bot.get_my_star_balance()).amount == 0


async def test_an_invoice_has_one_price_in_stars(bot, ann):
    two = [LabeledPrice("a", 1), LabeledPrice("b", 2)]
    with pytest.raises(BadRequest, match="Stars_invoice_invalid"):
        await bot.send_invoice(ANN, "Top up", "Stars", "order-1", "XTR", two)
    with pytest.raises(BadRequest, match="Invoice_payload_invalid"):
        await bot.send_invoice(ANN, "Top up", "Stars", "x" * 129, "XTR", two[:1])


async def test_flood_limits_tell_how_long_to_wait(clock, monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    async with Telegram(clock, flood=FloodLimits(chat_burst=2)) as telegram, connected(telegram) as bot:
        telegram.person(ANN, started=True)
        await bot.send_message(ANN, "1")
        await bot.send_message(ANN, "2")
        with pytest.raises(RetryAfter) as refusal:
            await bot.send_message(ANN, "3")
        assert refusal.value.retry_after == timedelta(seconds=1)
        clock.advance(timedelta(seconds=1))
        await bot.send_message(ANN, "3")


async def test_a_wrong_token_is_unauthorized(telegram):
    with pytest.raises(InvalidToken):
        async with connected(telegram, "1000001:other"):
            pass


async def test_calls_come_as_json_too_and_unknown_ones_are_not_found(telegram, ann):
    transport = httpx.ASGITransport(telegram.app)
    base_url = f"http://telegram.test/bot{telegram.token}/"
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        answer = await client.post("sendmessage", json={"chat_id": ANN, "text": "hi"})
        assert answer.json()["result"]["text"] == "hi"
        answer = await client.get("sendMessage", params={"text": "hi"})
        assert answer.json() == {
            "ok": False,
            "error_code": 400,
            "description": "Bad Request: chat_id is empty",
        }
        answer = await client.get("sendJoy")
        assert (answer.status_code, answer.json()["description"]) == (404, "Not Found: method not found")


def article(**changes):
    content = {"message_text": "<b>WhatsApp</b>", "parse_mode": "HTML"}
    return {"type": "article", "id": "1", "title": "WhatsApp", "input_message_content": content, **changes}


async def test_a_result_that_is_picked_is_sent_with_its_format_and_buttons(telegram, bot, ann):
    searching = asyncio.create_task(ann.search_inline("whatsapp"))
    query = (await next_update(bot)).inline_query
    link = {"inline_keyboard": [[{"text": "Rent", "url": "https://t.me/numlet_sandbox_bot?start=b_1"}]]}
    answer = Params({"inline_query_id": query.id, "results": [article(reply_markup=link)]})
    await telegram.call("answerInlineQuery", answer)
    await searching
    message = await ann.pick("1")
    assert (message.text, message.entities[0]["type"]) == ("WhatsApp", "bold")
    assert message.buttons[0][0].url.endswith("?start=b_1")
    assert (await next_update(bot)).message.via_bot.id == bot.id


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (article(id="x" * 65), "RESULT_ID_INVALID"),
        (article(title=""), "ARTICLE_TITLE_EMPTY"),
        (article(input_message_content={"message_text": ""}), "MESSAGE_EMPTY"),
        (article(input_message_content={"message_text": "x" * 4097}), "MESSAGE_TOO_LONG"),
        (article(input_message_content={"message_text": "<b>", "parse_mode": "HTML"}), "Can't find end tag"),
    ],
)
async def test_what_cannot_be_shown_inline_is_refused(telegram, bot, ann, result, words):
    searching = asyncio.create_task(ann.search_inline("whatsapp"))
    query = (await next_update(bot)).inline_query
    with pytest.raises(Refusal, match=words):
        await telegram.call("answerInlineQuery", Params({"inline_query_id": query.id, "results": [result]}))
    await query.answer([])
    assert await searching == []


async def test_an_album_comes_whole_or_not_at_all(bot, ann):
    await ann.say("/start")
    photo = InputMediaPhoto(PNG, caption="<b>One</b>", parse_mode="HTML")
    first, second = await bot.send_media_group(ann.id, [photo, InputMediaVideo(b"film", filename="a.mp4")])
    assert first.media_group_id == second.media_group_id is not None
    assert (first.caption_html, second.video.file_name) == ("<b>One</b>", "a.mp4")
    before = len(ann.messages)
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_media_group(ann.id, [photo, InputMediaPhoto(b"no picture")])
    with pytest.raises(BadRequest, match="2 to 10"):
        await bot.send_media_group(ann.id, [photo])
    assert len(ann.messages) == before


async def test_a_page_opens_inside_telegram_over_https_only(bot, ann):
    page = InlineKeyboardButton("Open", web_app=WebAppInfo("http://shop.example/app"))
    with pytest.raises(BadRequest, match="only https links are allowed"):
        await bot.send_message(ann.id, "Hello", reply_markup=keyboard(page))
    with pytest.raises(BadRequest, match="only https links are allowed"):
        await bot.set_chat_menu_button(
            menu_button=MenuButtonWebApp("Shop", WebAppInfo("http://shop.example/app"))
        )

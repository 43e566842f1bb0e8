import asyncio
import json
import selectors
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from telegram import InputMediaPhoto
from telegram.error import RetryAfter
from telegram.ext import ExtBot
from telegram.request import BaseRequest, RequestData

from services.lanes import Lane
from services.senders.schedule import Schedule
from services.senders.telegram import Lanes

pytestmark = pytest.mark.anyio

MESSAGE = {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}


class JumpingSelector(selectors.DefaultSelector):
    """Does not wait for timers: their time has come as soon as nothing else is left to do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout:
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = JumpingSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": JumpingLoop}


@pytest.fixture(autouse=True)
def _timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-telegram-bot warns of its own RetryAfter in seconds."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


def now() -> float:
    return asyncio.get_running_loop().time()


class FakeTelegram(BaseRequest):
    """Answers after `delay` seconds; refuses a chat with 429 while `busy` has waits left for it."""

    def __init__(self) -> None:
        self.requests: list[tuple[float, str, int]] = []
        self.busy: dict[int, list[int]] = {}
        self.delay = 0.0

    @property
    def read_timeout(self) -> float:
        return 5

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        endpoint = url.rpartition("/")[2]
        chat = int((request_data.json_parameters if request_data else {}).get("chat_id", 0))
        self.requests.append((now(), endpoint, chat))
        await asyncio.sleep(self.delay)
        if self.busy.get(chat):
            return 429, _refusal(self.busy[chat].pop(0))
        return 200, json.dumps({"ok": True, "result": _result(endpoint)}).encode()

    @property
    def chats(self) -> list[int]:
        return [chat for _, _, chat in self.requests]


def _refusal(seconds: int) -> bytes:
    error = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry later"}
    return json.dumps({**error, "parameters": {"retry_after": seconds}}).encode()


def _result(endpoint: str) -> object:
    if endpoint == "getMe":
        return {"id": 1, "is_bot": True, "first_name": "Numlet", "username": "numlet_bot"}
    if endpoint == "sendMediaGroup":
        return [MESSAGE]
    return True if endpoint.startswith(("answer", "set")) else MESSAGE


@pytest.fixture
def telegram() -> FakeTelegram:
    return FakeTelegram()


@pytest.fixture
def lanes() -> Lanes:
    return Lanes(time=now)


@pytest.fixture
async def bot(telegram: FakeTelegram, lanes: Lanes) -> AsyncIterator[ExtBot]:
    async with ExtBot("1:token", request=telegram, get_updates_request=telegram, rate_limiter=lanes) as bot:
        telegram.requests.clear()
        yield bot


async def settle() -> None:
    """Let everything happen that needs no time: the loop jumps only when nothing else is left."""
    await asyncio.sleep(0.001)


async def test_a_lone_message_leaves_at_once(bot, telegram):
    started = now()
    await bot.send_message(1, "hello")
    assert telegram.requests == [(started, "sendMessage", 1)]


async def test_requests_without_a_chat_pass_straight_through(bot, telegram):
    telegram.delay = 60
    started = now()
    await asyncio.gather(*(bot.set_my_name("Numlet") for _ in range(50)))
    assert {moment for moment, _, _ in telegram.requests} == {started}


async def test_a_code_overtakes_the_broadcast_that_was_there_first(bot, telegram):
    bulk = [asyncio.create_task(bot.send_message(n, "news", rate_limit_args=Lane.BULK)) for n in range(1, 51)]
    await asyncio.sleep(0.5)
    started, before = now(), len(telegram.requests)
    await bot.send_message(99, "123456", rate_limit_args=Lane.CODE)
    assert telegram.requests[before] == (started, "sendMessage", 99)
    assert 0 < before < 50
    await asyncio.gather(*bulk)
    assert sorted(telegram.chats) == [*range(1, 51), 99]


async def test_the_lane_follows_from_the_endpoint(bot, telegram):
    telegram.delay = 1
    lanes = Lanes(Schedule(in_flight=1), time=now)
    bot = ExtBot("1:token", request=telegram, get_updates_request=telegram, rate_limiter=lanes)
    await asyncio.gather(
        bot.send_message(1, "first come"),
        bot.send_message(2, "bulk", rate_limit_args=Lane.BULK),
        bot.edit_message_text("card", chat_id=3, message_id=1),
        bot.edit_message_text("card", inline_message_id="x"),
        bot.send_message(4, "reply"),
        bot.send_message(5, "code", rate_limit_args=Lane.CODE),
        bot.answer_callback_query("1"),
    )
    assert [(endpoint, chat) for _, endpoint, chat in telegram.requests] == [
        ("sendMessage", 1),
        ("answerCallbackQuery", 0),
        ("sendMessage", 5),
        ("sendMessage", 4),
        ("editMessageText", 3),
        ("editMessageText", 0),
        ("sendMessage", 2),
    ]


async def test_an_id_as_text_is_the_same_chat(bot, telegram):
    started = now()
    await asyncio.gather(*(bot.send_message(chat, "hello") for chat in [1, "1"] * 4))
    assert telegram.requests[-1][0] - started == pytest.approx(3, abs=0.2)


async def test_albums_count_as_many_messages(bot, telegram):
    album = [InputMediaPhoto("file")] * 10
    started = now()
    for chat in (1, 2, 3, 4):
        await bot.send_media_group(chat, album, rate_limit_args=Lane.BULK)
    assert telegram.requests[-1][0] - started == pytest.approx(29 / 25)


async def test_a_request_that_is_told_to_wait_is_repeated_after_the_wait(bot, telegram):
    telegram.busy = {1: [7]}
    started = now()
    refused = asyncio.create_task(bot.send_message(1, "hello"))
    await settle()
    await bot.send_message(2, "not concerned")
    await refused
    assert telegram.chats == [1, 2, 1]
    assert telegram.requests[1][0] - started < 1
    assert telegram.requests[2][0] - started == pytest.approx(7)


async def test_two_chats_told_to_wait_at_once_pause_the_rest(bot, telegram):
    telegram.busy = {1: [7], 2: [9]}
    started = now()
    refused = [asyncio.create_task(bot.send_message(chat, "hello")) for chat in (1, 2)]
    await asyncio.sleep(0.1)
    await bot.answer_callback_query("1")
    assert now() - started < 1
    await bot.send_message(3, "123456", rate_limit_args=Lane.CODE)
    assert now() - started == pytest.approx(9, abs=0.1)
    await asyncio.gather(*refused)


async def test_after_a_few_tries_the_caller_is_told(bot, telegram):
    telegram.busy = {1: [3, 3, 3, 3]}
    with pytest.raises(RetryAfter):
        await bot.send_message(1, "hello")
    assert telegram.chats == [1] * 4


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
@pytest.mark.parametrize(("setting", "kind"), [("true", timedelta), ("false", int)])
async def test_a_wait_may_be_a_timedelta_or_seconds(lanes, monkeypatch, setting, kind):
    monkeypatch.setenv("PTB_TIMEDELTA", setting)
    assert isinstance(RetryAfter(4).retry_after, kind)
    waits = [4]

    async def callback() -> bool:
        if waits:
            raise RetryAfter(waits.pop())
        return True

    started = now()
    assert await lanes.process_request(callback, (), {}, "sendMessage", {"chat_id": 1}, None)
    assert now() - started == pytest.approx(4)


async def test_an_error_of_the_request_frees_its_slot_and_reaches_the_caller():
    lanes = Lanes(Schedule(in_flight=1), time=now)

    async def broken() -> bool:
        raise OSError("no network")

    for _ in range(3):
        with pytest.raises(OSError, match="no network"):
            await lanes.process_request(broken, (), {}, "sendMessage", {"chat_id": 1}, None)


async def test_a_cancelled_caller_leaves_the_queue(bot, telegram):
    telegram.busy = {1: [60]}
    refused = asyncio.create_task(bot.send_message(1, "hello"))
    waiting = asyncio.create_task(bot.send_message(1, "me too"))
    await settle()
    for task in (refused, waiting):
        task.cancel()
    await asyncio.wait([refused, waiting])
    sent = len(telegram.requests)
    await asyncio.sleep(120)
    assert len(telegram.requests) == sent


@pytest.mark.parametrize("steps", range(6))
async def test_whenever_a_caller_is_cancelled_its_slot_is_free_again(bot, telegram, steps):
    telegram.delay = 1
    lanes = Lanes(Schedule(in_flight=1), time=now)
    bot = ExtBot("1:token", request=telegram, get_updates_request=telegram, rate_limiter=lanes)
    first = asyncio.create_task(bot.send_message(1, "first"))
    second = asyncio.create_task(bot.send_message(2, "second"))
    await asyncio.sleep(1)  # the first one's answer comes in this very moment
    for _ in range(steps):
        await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([first, second])
    await bot.send_message(3, "third")
    assert telegram.chats[-1] == 3


async def test_shutdown_cancels_who_still_waits(bot, telegram, lanes):
    telegram.busy = {1: [30]}
    waiting = asyncio.create_task(bot.send_message(1, "hello"))
    await settle()
    await lanes.shutdown()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


async def test_a_long_wait_is_the_callers_to_put_off(bot, telegram):
    telegram.busy = {1: [3600]}
    with pytest.raises(RetryAfter):
        await bot.send_message(1, "hello")


async def test_a_thousand_callers_all_get_their_turn(bot, telegram):
    started = now()
    await asyncio.gather(*(bot.send_message(n, "n", rate_limit_args=Lane.BULK) for n in range(1, 1001)))
    assert telegram.chats == [*range(1, 1001)]
    assert (now() - started) * 25 <= 1000 / 0.95

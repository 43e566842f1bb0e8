"""Polling: the receipt goes out only after the batch is on disk, and nothing ends it."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from telegram.error import NetworkError

from bot import updates
from bot.errors import is_database_trouble
from bot.running import check_currency
from bot.settings import WrongSettings
from bot.updates import Polling, serial_of
from sandbox.clock import ManualClock
from services.inbox import Inbox

pytestmark = pytest.mark.anyio


class Bot:
    """Telegram as `getUpdates` shows it: hands out updates until their receipt comes."""

    def __init__(self, *batches: list[dict] | Exception) -> None:
        self.batches = list(batches)
        self.offsets: list[int] = []
        self.idle = asyncio.Event()

    async def do_api_request(self, _endpoint: str, *, api_kwargs: dict, **_options: object) -> list[dict]:
        self.offsets.append(api_kwargs["offset"])
        if not self.batches:
            self.idle.set()
            await asyncio.Event().wait()
        batch = self.batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        return batch


async def poll(bot: Bot, inbox: Inbox) -> Polling:
    """Poll until Telegram has nothing more."""
    polling = Polling(bot, inbox)  # type: ignore[arg-type]
    task = asyncio.create_task(polling.run())
    await bot.idle.wait()
    task.cancel()
    return polling


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(updates, "PAUSE_SECONDS", 0)


@pytest.fixture
async def inbox(database):
    inbox = Inbox(database, ManualClock())
    yield inbox
    await inbox.settle()


async def test_the_receipt_names_the_update_after_the_last_one_stored(inbox):
    bot = Bot([{"update_id": 7}, {"update_id": 9}])
    await poll(bot, inbox)
    assert bot.offsets == [0, 10]


@pytest.mark.parametrize("trouble", [OperationalError("", {}, Exception()), OSError(), RuntimeError()])
async def test_what_the_database_did_not_take_is_not_receipted(inbox, monkeypatch, trouble):
    store, failures = inbox.store, [trouble]

    async def fail_once(*args, **options):
        if failures:
            raise failures.pop()
        return await store(*args, **options)

    monkeypatch.setattr(inbox, "store", fail_once)
    bot = Bot([{"update_id": 7}], [{"update_id": 7}])
    await poll(bot, inbox)
    assert bot.offsets == [0, 0, 8]


async def test_telegram_away_is_said_and_outlived(inbox):
    bot = Bot(NetworkError("no route"), [{"update_id": 7}])
    polling = await poll(bot, inbox)
    assert bot.offsets == [0, 0, 8]
    assert polling.trouble is None


@pytest.mark.parametrize(
    ("update", "serial"),
    [
        ({"update_id": 1, "message": {"from": {"id": 42}, "chat": {"id": -5}}}, "person:42"),
        ({"update_id": 1, "channel_post": {"chat": {"id": -5}}}, "person:-5"),
        ({"update_id": 1, "message": {"from": "x"}}, "person:0"),
        ({"update_id": 1, "pre_checkout_query": {"id": "1", "from": {"id": 42}}}, "checkout:42"),
        ({"update_id": 1}, "person:0"),
    ],
)
async def test_updates_of_one_person_are_one_series(update, serial):
    assert serial_of(update) == serial


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (OperationalError("", {}, Exception()), True),
        (DBAPIError("", {}, Exception()), True),
        (ConnectionError(), True),
        (IntegrityError("", {}, Exception()), False),
        (ValueError(), False),
    ],
)
async def test_what_is_worth_another_try(error, again):
    assert is_database_trouble(error) is again


async def test_a_database_keeps_its_currency(database):
    clock = ManualClock()
    await check_currency(database, clock, "IDR")
    await check_currency(database, clock, "IDR")
    with pytest.raises(WrongSettings, match="counts in IDR"):
        await check_currency(database, clock, "USD")

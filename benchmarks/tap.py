"""A tap on a menu of 45,000 offers, beside what python-telegram-bot itself takes for one.

Both read the same update, answer it and edit the message, over the same HTTP client, to a Bot API without
latency. Ours goes the whole way: on disk first, the doorman, the index, the screen, the signed buttons.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import ApplicationBuilder, CallbackQueryHandler
from telegram.request import HTTPXRequest

from benchmarks.catalog import SUPPLIERS, Vendor
from benchmarks.load import free_port, median
from bot.app import Numlet, build
from bot.buttons import Buttons
from bot.process import calm_garbage_collector
from bot.running import open_reception
from bot.settings import Settings
from bot.updates import TELEGRAM, handler, serial_of, serial_of_body
from db.session import Database
from services.accounts import Accounts
from services.clock import SystemClock
from services.deliveries import Source
from services.inbox import Delivery

TAPS, PEOPLE = 200, 100
PAUSE_SECONDS = 0.04
"""Fewer a second than the lanes let through, which are not what is measured here."""
KEYBOARD = InlineKeyboardMarkup(
    [[InlineKeyboardButton(f"Country {n} · Rp 1,234", callback_data=f"{n}" * 20)] for n in range(10, 22)]
)
Tap = Callable[[dict[str, Any]], Awaitable[None]]
"""Handles an update, to the end."""


async def measure() -> dict[str, float]:
    """Medians: milliseconds by the clock, and of processor time with every thread."""
    with tempfile.TemporaryDirectory() as folder:
        async with _telegram() as api, _ours(Path(folder), api) as (numlet, ours), _bare(api) as bare:
            buttons = Buttons(numlet.keys.buttons)
            times: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
            for number in range(TAPS):
                for name, tap in (("ours", ours), ("bare", bare)):
                    times[name].append(await _timed(tap, _update(number, name == "bare", buttons)))
                    await asyncio.sleep(PAUSE_SECONDS)
    clock = {name: median([by_clock for by_clock, _ in found[PEOPLE:]]) for name, found in times.items()}
    used = {
        name: median([of_processor for _, of_processor in found[PEOPLE:]]) for name, found in times.items()
    }
    return {
        "python-telegram-bot alone, ms": clock["bare"],
        "a tap on a menu, ms": clock["ours"],
        "ratio (bar: at most 3)": clock["ours"] / clock["bare"],
        "python-telegram-bot alone, processor ms": used["bare"],
        "a tap on a menu, processor ms": used["ours"],
        "ratio of processor time": used["ours"] / used["bare"],
    }


async def _timed(tap: Tap, update: dict[str, Any]) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    await tap(update)
    return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000


def _update(number: int, is_bare: bool, buttons: Buttons) -> dict[str, Any]:
    """Somebody turns a page of a service's countries, on a message whose keyboard comes along."""
    person = _person(number)
    chat = {"id": person["id"], "type": "private", "first_name": "Ann"}
    message = {
        "message_id": 5,
        "date": int(time.time()),
        "chat": chat,
        "text": "Which country?",
        "reply_markup": KEYBOARD.to_dict(),
    }
    data = buttons.pack(person["id"], "service", 1 + number % 90, number % 10)
    query = {"id": str(number), "from": person, "chat_instance": "1", "message": message, "data": data}
    return {"update_id": 2 * number + is_bare, "callback_query": query}


def _person(number: int) -> dict[str, Any]:
    return {"id": 1000 + number % PEOPLE, "is_bot": False, "first_name": "Ann", "language_code": "en"}


@asynccontextmanager
async def _telegram() -> AsyncIterator[str]:
    port = free_port()
    stub = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.telegram_stub", str(port))
    try:
        async with asyncio.timeout(10):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        stub.terminate()
        await stub.wait()


@asynccontextmanager
async def _ours(folder: Path, api: str) -> AsyncIterator[tuple[Numlet, Tap]]:
    """The real parts, without the clockwork around them."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        bot_token=SecretStr("1:bench"),
        bot_api_url=api,
        database_url=SecretStr(f"sqlite:///{folder / 'bench.db'}"),
    )
    database = Database(settings.database_url.get_secret_value())
    reception = await open_reception(settings, database, SystemClock())
    reception.suppliers = [Vendor(name) for name in SUPPLIERS]  # type: ignore[misc]
    numlet = build(reception)
    for name in SUPPLIERS:
        await numlet.catalog.refresh(name)
    accounts = Accounts(database, SystemClock(), currency=settings.currency)
    for number in range(PEOPLE):
        user = _person(number)
        await accounts.meet(user["id"], name=user["first_name"], username=None, language_code="en")
        await accounts.accept_terms(user["id"])
    await numlet.application.initialize()
    handle, handled = handler(numlet.application), asyncio.Event()

    async def handle_and_tell(delivery: Delivery) -> None:
        await handle(delivery)
        handled.set()

    numlet.inbox.take = numlet.deliveries.take
    numlet.deliveries.register({TELEGRAM: Source(handle_and_tell, serial_of_body)})

    async def tap(update: dict[str, Any]) -> None:
        handled.clear()
        id, body = str(update["update_id"]), json.dumps(update)
        await numlet.inbox.store(TELEGRAM, id, body, serial=serial_of(update), message=update)
        await handled.wait()

    calm_garbage_collector()
    yield numlet, tap
    await numlet.deliveries.settle()
    await numlet.application.shutdown()
    await database.aclose()


@asynccontextmanager
async def _bare(api: str) -> AsyncIterator[Tap]:
    """The library with one handler, which shows a screen that it need not think about."""
    request = HTTPXRequest(httpx_kwargs={"limits": httpx.Limits(keepalive_expiry=60)})
    builder = ApplicationBuilder().token("1:bench").base_url(f"{api}/bot").request(request)
    application = builder.updater(None).job_queue(None).build()

    async def show(update: Update, context: Any) -> None:
        assert update.callback_query
        await update.callback_query.answer()
        await update.callback_query.edit_message_text("Which country?", reply_markup=KEYBOARD)

    application.add_handler(CallbackQueryHandler(show))
    await application.initialize()

    async def tap(update: dict[str, Any]) -> None:
        await application.process_update(Update.de_json(json.loads(json.dumps(update)), application.bot))

    yield tap
    await application.shutdown()

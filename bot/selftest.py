"""`numlet selftest`: the operator's own installation, rehearsed in the sandbox before it matters."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from sqlalchemy import make_url

from bot.rehearsal import Broken, Latencies, Rehearsal
from bot.settings import Settings, WrongSettings, read_settings
from bot.stage import BotProcess, environment
from db import migrate
from db.session import Database
from db.spare import spare
from sandbox.catalog_data import RATES_IN_IDR
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import Telegram

REHEARSED = (
    "bot_updates",
    "currency",
    "markup_percent",
    "stars_rate",
    "order_limit",
    "order_limit_per_hour",
    "invite_percent",
    "invite_purchases",
    "retention_days",
)
"""The settings that are taken over. The rest names the outside world, which the sandbox plays."""
RECONCILE_SECONDS = 2
LOG_LINES = 12


@dataclass(frozen=True)
class Step:
    name: str
    play: Callable[[], Awaitable[str]]
    advice: str
    """What to do where it fails."""


async def rehearse(settings: Settings, *, codes: int) -> bool:
    """Print each step as it ends; whether all of them went well. Leaves nothing behind.

    Raises WrongSettings or OSError where there is no place to rehearse in.
    """
    _end_cleanly_on_sigterm()
    async with spare(settings.database_url.get_secret_value(), name="numlet_selftest") as url:
        is_sqlite = make_url(url).get_backend_name() == "sqlite"
        place = "SQLite, in a file of its own" if is_sqlite else "PostgreSQL, in a schema of its own"
        print(f"A rehearsal with your settings, on {place}.")
        print("Telegram and the supplier are played on this machine; nothing real is touched.")
        print("\n".join([*_differences(settings), ""]))
        with tempfile.TemporaryDirectory(prefix="numlet_selftest-") as folder:
            log = Path(folder) / "log"
            async with _stage(settings, url, log) as rehearsal:
                went_well = await play(_steps(rehearsal, codes), log)
            if rehearsal.latencies:
                _print_latencies(rehearsal.latencies)
    print("\nEvery promise was kept." if went_well else "\nThe rest was not tried.")
    return went_well


def _end_cleanly_on_sigterm() -> None:
    """As on Ctrl+C: the bot is stopped, and its place removed."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@asynccontextmanager
async def _stage(settings: Settings, url: str, log: Path) -> AsyncIterator[Rehearsal]:
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock))
    database = Database(url)
    async with serving(world) as origin:
        own = _own_environment(settings, environment(origin, world.telegram.token, url))
        bot = BotProcess(own, log=log)
        try:
            await migrate.upgrade(database)
            rehearsal = Rehearsal(world, bot, database, _read_back(own))
            await rehearsal.give_money()
            yield rehearsal
        finally:
            await bot.kill()
            await database.aclose()


def _differences(settings: Settings) -> list[str]:
    """Where the rehearsal is not the shop, a line each."""
    lines = []
    if not _knows(settings.currency):
        lines.append(f"In IDR, not in {settings.currency}: the supplier that is played knows no rate for it.")
    if settings.numberpanel_key:
        lines.append("With smscode alone: numberpanel is not rehearsed.")
    return lines


def _knows(currency: str) -> bool:
    """Whether the sandbox's supplier has a rate for it; without one nothing could be sold."""
    return currency in {"IDR", *RATES_IN_IDR}


def _own_environment(settings: Settings, sandbox: dict[str, str]) -> dict[str, str]:
    """The operator's settings where they say how the shop works, and the sandbox's for whom it talks to."""
    only_smscode = {name: value for name, value in sandbox.items() if not name.startswith("NUMBERPANEL_")}
    chosen = {name: str(getattr(settings, name)) for name in REHEARSED if name in settings.model_fields_set}
    if not _knows(settings.currency):
        chosen.pop("currency", None)
        chosen.pop("stars_rate", None)
    return (
        only_smscode
        | {name.upper(): value for name, value in chosen.items()}
        | {
            "RECONCILE_SECONDS": str(min(settings.reconcile_seconds, RECONCILE_SECONDS)),
            "LOG_LEVEL": "WARNING",
            "LOG_FORMAT": "console",
        }
    )


def _read_back(own: dict[str, str]) -> Settings:
    names = Settings.model_fields
    given = {name: own[name.upper()] for name in names if name.upper() in own}
    return read_settings(_env_file=None, **given)


def _steps(rehearsal: Rehearsal, codes: int) -> list[Step]:
    def busy() -> Awaitable[str]:
        return rehearsal.busy(codes)

    database = "Is the disk or the database server slow or full? ./numlet doctor looks at it."
    code = "The promise that no code is lost is broken: please report it, with what the bot said."
    money = "The promise about money is broken: please report it, with what the bot said."
    return [
        Step("start", rehearsal.start, f"What the bot said stands below. {database}"),
        Step("a purchase", rehearsal.purchase, f"What the bot said stands below. {database}"),
        Step("a lost webhook", rehearsal.lost_webhook, code),
        Step("a webhook told twice", rehearsal.repeated_webhook, code),
        Step("a forged webhook", rehearsal.forged_webhook, "Somebody could invent codes: do not go live."),
        Step(
            "kill -9 in a purchase", rehearsal.crash, f"After a power cut the same could happen. {database}"
        ),
        Step("expiry", rehearsal.expiry, money),
        Step("a refund of Stars", rehearsal.refund, money),
        Step("a busy minute", busy, database),
        Step("an orderly end", rehearsal.stop, "systemd or Docker would have to kill it: please report it."),
        Step("the audit", rehearsal.audit, money),
    ]


async def play(steps: list[Step], log: Path) -> bool:
    """Until one fails, which is told with what the bot wrote into `log`; whether none did."""
    for step in steps:
        began = perf_counter()
        try:
            says, failed = await step.play(), False
        except (Broken, WrongSettings, TimeoutError) as error:
            says, failed = str(error), True
        print(
            f"{'bad ' if failed else 'ok  '} {perf_counter() - began:5.1f} s  {step.name}: {says}", flush=True
        )
        if failed:
            print(f"               → {step.advice}")
            _print_log(log)
            return False
    return True


def _print_log(log: Path) -> None:
    said = log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log.exists() else []
    print("               The bot said:" if said else "               The bot said nothing.")
    for line in said:
        print(f"               {line}")


def _print_latencies(latencies: Latencies) -> None:
    rows = (
        ("webhook → 200, on disk", latencies.webhooks),
        ("webhook → code at Telegram", latencies.codes),
        ("tap → answer at Telegram", latencies.taps),
    )
    print(f"\n{'milliseconds':32}{'p50':>8}{'p99':>8}")
    for name, times in rows:
        if times:
            print(f"{name:32}{times[len(times) // 2]:8.1f}{times[int(len(times) * 0.99)]:8.1f}")
    print("To the real Telegram it is as much more as the way there takes.")

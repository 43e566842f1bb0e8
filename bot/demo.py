"""The whole product on a stage: the sandbox plays the world, and the real bot runs beside it."""

import asyncio
from datetime import timedelta
from pathlib import Path

from bot.process import stop_on_signals
from bot.settings import WrongSettings
from bot.stage import PANEL_WEBHOOK_KEY, BotProcess, environment
from db import migrate
from db.session import Database
from sandbox.clock import Clock
from sandbox.server import World, serving
from sandbox.smscode import SmsCode
from sandbox.telegram import FloodLimits, Telegram
from services.accounts import Accounts
from services.clock import SystemClock

DATABASE = Path("numlet-demo.db")
STARTING_BALANCE = 500_000
RENTERS = (1001, 1002)


async def run_demo(*, port: int, speed: float, code_after: float) -> None:
    """Serve the page until interrupted. The database is made anew: the sandbox remembers nothing either."""
    clock = Clock(speed=speed)
    telegram = Telegram(clock, flood=FloodLimits())
    after = timedelta(seconds=code_after * speed) if code_after else None
    world = World(clock, telegram, SmsCode(clock, code_after=after))
    world.numberpanel.code_after = after
    _remove_database()
    try:
        async with serving(world, port=port) as origin:
            settings = environment(origin, telegram.token, f"sqlite:///{DATABASE}")
            settings["SUPPORT_CHAT_ID"] = str(world.forum.id)
            # As a person would type it into the panel's profile.
            webhooks = f"{settings['PUBLIC_URL']}/webhooks"
            world.numberpanel.webhook_url = f"{webhooks}/numberpanel/{PANEL_WEBHOOK_KEY}"
            bot = BotProcess(settings)
            world.restart_bot, world.kill_bot, world.bot_alive = bot.restart, bot.kill, lambda: bot.alive
            await bot.start()
            try:
                # The bot loads its modules meanwhile.
                await asyncio.gather(_fill_database(), bot.until_ready())
                print(
                    f"\n  Numlet is ready: {origin}\n\n  Open it in a browser. Ctrl+C ends the demo.\n",
                    flush=True,
                )
                await stop_on_signals().wait()
            finally:
                await bot.stop()
                DATABASE.with_name(DATABASE.name + ".lock").unlink(missing_ok=True)
    except OSError as error:
        raise WrongSettings(f"port {port}: {error.strerror}; try --port 0") from error


def _remove_database() -> None:
    for suffix in ("", "-wal", "-shm", ".lock"):
        DATABASE.with_name(DATABASE.name + suffix).unlink(missing_ok=True)


async def _fill_database() -> None:
    database = Database(f"sqlite:///{DATABASE}")
    try:
        await migrate.upgrade(database)
        accounts = Accounts(database, SystemClock(), currency="IDR")
        for renter in RENTERS:
            await accounts.credit(
                renter, STARTING_BALANCE, key=f"demo:{renter}", reason="a present, to try things with"
            )
    finally:
        await database.aclose()

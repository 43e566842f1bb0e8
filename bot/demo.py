"""The whole product on a stage: the sandbox plays the world, and the real bot runs beside it."""

import asyncio
import os
import socket
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx

from bot.process import stop_on_signals
from bot.settings import WrongSettings
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
OPERATOR = 1
PANEL_WEBHOOK_KEY = "the-path-that-only-the-panel-knows"
READY_WITHIN_SECONDS = 30
STOP_WITHIN_SECONDS = 10


class BotProcess:
    """`numlet run` in a process of its own, so that it can be killed and come back as in real life."""

    def __init__(self, environment: dict[str, str], *command: str) -> None:
        """`command`: the module that runs the bot and its arguments, `bot run` by default."""
        self._environment = environment
        self._command = command or ("bot", "run")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Of its HTTP server."""
        return f"http://127.0.0.1:{self._environment['HTTP_PORT']}"

    @property
    def id(self) -> int:
        """Of the process that was started last."""
        assert self._process
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def start(self, **environment: str) -> None:
        """`environment`: what is different this time."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self._command, env=self._environment | environment
        )

    async def kill(self) -> None:
        """As a power cut would: no goodbye."""
        if self._process and self.alive:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        if self._process and self.alive:
            self._process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN_SECONDS):
                    await self._process.wait()
            await self.kill()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def until_ready(self) -> None:
        """Raises WrongSettings where the bot ends, or takes too long."""
        async with httpx.AsyncClient() as client:
            with suppress(TimeoutError):
                async with asyncio.timeout(READY_WITHIN_SECONDS):
                    while self.alive:
                        with suppress(httpx.TransportError):
                            if (await client.get(f"{self.address}/readyz")).status_code == 200:
                                return
                        await asyncio.sleep(0.05)
        raise WrongSettings("the demo's bot did not start; what it said stands above")


async def run_demo(*, port: int, speed: float, code_after: float) -> None:
    """Serve the page until interrupted. The database is made anew: the sandbox remembers nothing either."""
    clock = Clock(speed=speed)
    telegram = Telegram(clock, flood=FloodLimits())
    after = timedelta(seconds=code_after * speed) if code_after else None
    world = World(clock, telegram, SmsCode(clock, code_after=after))
    world.numberpanel.code_after = after
    await _fresh_database()
    try:
        async with serving(world, port=port) as origin:
            settings = environment(origin, telegram.token, f"sqlite:///{DATABASE}")
            # As a person would type it into the panel's profile.
            webhooks = f"{settings['PUBLIC_URL']}/webhooks"
            world.numberpanel.webhook_url = f"{webhooks}/numberpanel/{PANEL_WEBHOOK_KEY}"
            bot = BotProcess(settings)
            world.restart_bot, world.kill_bot, world.bot_alive = bot.restart, bot.kill, lambda: bot.alive
            await bot.start()
            try:
                await bot.until_ready()
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


async def _fresh_database() -> None:
    for suffix in ("", "-wal", "-shm", ".lock"):
        DATABASE.with_name(DATABASE.name + suffix).unlink(missing_ok=True)
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


def environment(origin: str, token: str, database_url: str) -> dict[str, str]:
    """Settings for a bot in the sandbox at `origin`; what is set outside for a real one does not reach it."""
    port = _free_port()
    keep = (
        "PATH",
        "HOME",
        "LANG",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "SYSTEMROOT",
        "NO_COLOR",
        "LOG_LEVEL",
        "LOG_FORMAT",
    )
    return {name: os.environ[name] for name in keep if name in os.environ} | {
        "BOT_TOKEN": token,
        "BOT_API_URL": f"{origin}/telegram",
        "BOT_UPDATES": "polling",
        "ADMIN_IDS": str(OPERATOR),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HTTP_PORT": str(port),
        "DATABASE_URL": database_url,
        "SMSCODE_TOKEN": "sandbox-smscode-token",
        "SMSCODE_URL": f"{origin}/smscode/v1",
        "NUMBERPANEL_KEY": "sandbox-numberpanel-key",
        "NUMBERPANEL_URL": f"{origin}/numberpanel",
        "NUMBERPANEL_COST": "18000",
        "NUMBERPANEL_WEBHOOK_KEY": PANEL_WEBHOOK_KEY,
        "SMS_PRICE": "500",
        "CELLCAST_TOKEN": "sandbox-cellcast-token",
        "CELLCAST_URL": f"{origin}/cellcast",
        "SMSGATEWAY24_EMAIL": "owner@shop.example",
        "SMSGATEWAY24_PASSWORD": "sandbox-smsgateway24-password",
        "SMSGATEWAY24_URL": f"{origin}/smsgateway24/getdata",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "NUMLET_ENV_FILE": "",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

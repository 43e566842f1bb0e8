"""What a bot in the sandbox needs: a process of its own, and settings that lead nowhere else."""

import asyncio
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from bot.settings import WrongSettings

OPERATOR = 1
"""The id of the sandbox's operator."""
PANEL_WEBHOOK_KEY = "the-path-that-only-the-panel-knows"
READY_WITHIN_SECONDS = 60
STOP_WITHIN_SECONDS = 10
_KEPT = (
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


class BotProcess:
    """`numlet run` in a process of its own, so that it can be killed and come back as in real life.

    It ends with the process that started it, however that ends.
    """

    def __init__(self, environment: dict[str, str], *command: str, log: Path | None = None) -> None:
        """`command`: the module that runs the bot and its arguments, `bot.understudy` by default.

        What it says goes to the end of the file `log`, else where ours goes.
        """
        self._environment = environment
        self._command = command or ("bot.understudy",)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Of its HTTP server."""
        return f"http://127.0.0.1:{self._environment['HTTP_PORT']}"

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        assert self._process
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def exit_status(self) -> int | None:
        """Of the process that was started last; None while it runs."""
        assert self._process
        return self._process.returncode

    async def start(self, **environment: str) -> None:
        """`environment`: what is different this time."""
        said = self._log.open("ab") if self._log else None
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *self._command),
                env=self._environment | environment,
                stdin=asyncio.subprocess.PIPE,
                stderr=said,
            )
        finally:
            if said:
                said.close()

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
        raise WrongSettings("the bot in the sandbox did not start; what it said stands above")


def environment(origin: str, token: str, database_url: str) -> dict[str, str]:
    """Settings for a bot in the sandbox at `origin`; what is set outside for a real one does not reach it."""
    port = _free_port()
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
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

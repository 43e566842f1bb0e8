"""The bot on a stage of its own."""

import asyncio
import json
import os
import signal
import sys

import httpx
import pytest

from bot.stage import environment
from tests.crash.stage import until

pytestmark = pytest.mark.anyio

DEMO = """
import asyncio, json, os, signal
from bot.stage import BotProcess

async def play():
    bot = BotProcess(json.loads(os.environ["SETTINGS"]))
    await bot.start()
    await asyncio.to_thread(input)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(play())
"""


async def serves(address: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{address}/healthz")).status_code == 200
        except httpx.TransportError:
            return False


async def ended(address: str) -> bool:
    return not await serves(address)


async def test_a_bot_ends_with_whoever_started_it(sqlite_url: str):
    settings = environment("http://127.0.0.1:1", "123456:nobody", sqlite_url)
    address = f"http://127.0.0.1:{settings['HTTP_PORT']}"
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DEMO),
        env={**os.environ, "SETTINGS": json.dumps(settings)},
        stdin=asyncio.subprocess.PIPE,
    )
    await until(lambda: serves(address))
    await demo.communicate(b"\n")
    assert demo.returncode == -signal.SIGKILL
    await until(lambda: ended(address))

"""`numlet doctor` looks at our address from outside, as a supplier does."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.doctor import examine
from bot.healthcheck import is_serving
from bot.process import http_server
from bot.settings import read_settings
from bot.webhooks import Readiness, accept_telegram, create_app
from db.session import Database
from services.clock import SystemClock
from services.inbox import Inbox

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    """The port on which the app answers."""
    server = http_server(app)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def ours(sqlite_url: str) -> AsyncIterator[ASGIApp]:
    async def ready() -> Readiness:
        return Readiness(ok=True, says="ready")

    database = Database(sqlite_url)
    accept = accept_telegram("secret", Inbox(database, SystemClock()))
    yield create_app({"telegram": accept}, ready=ready)
    await database.aclose()


async def said_of_address(port: int, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> str:
    settings = read_settings(
        _env_file=None, public_url=f"http://127.0.0.1:{port}", database_url=sqlite_url, bot_token=None
    )
    await examine(settings)
    return next(line for line in capsys.readouterr().out.splitlines() if "PUBLIC_URL" in line)


async def test_an_address_that_leads_to_us_is_known_by_our_refusal(ours, sqlite_url, capsys):
    async with serving(ours) as port:
        assert await said_of_address(port, sqlite_url, capsys) == "ok    PUBLIC_URL: reaches this bot"


async def test_a_proxy_that_refuses_by_itself_is_not_taken_for_us(sqlite_url, capsys):
    async def refuse(_request: Request) -> Response:
        return HTMLResponse("<h1>Forbidden</h1>", status_code=403)

    wall = Starlette(routes=[Route("/{path:path}", refuse, methods=["POST"])])
    async with serving(wall) as port:
        assert "somebody else answers there, with 403" in await said_of_address(port, sqlite_url, capsys)


async def test_nobody_there_is_only_a_note(sqlite_url, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert (await said_of_address(port, sqlite_url, capsys)).startswith("note  PUBLIC_URL: is not reached")


async def test_a_container_is_healthy_while_it_serves(ours):
    async with serving(ours) as port:
        assert await asyncio.to_thread(is_serving, port)
    assert not await asyncio.to_thread(is_serving, port)

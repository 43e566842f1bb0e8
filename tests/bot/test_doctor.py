"""`numlet doctor` looks at our address from outside, as a supplier does."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.doctor.examination import examine
from bot.doctor.surroundings import misspelt
from bot.healthcheck import is_serving
from bot.miniapp.app import MiniApp
from bot.process import http_server
from bot.settings import Settings, read_settings
from bot.stage import environment
from bot.webhooks import Readiness, accept_telegram, create_app
from db.session import Database
from sandbox.clock import Clock
from sandbox.server import World
from sandbox.server import serving as in_sandbox
from sandbox.smscode import SmsCode
from sandbox.telegram import Telegram
from sandbox.telegram.wire import Params
from services.clock import SystemClock
from services.inbox import Inbox

pytestmark = pytest.mark.anyio

LONG_AGO = "Tue, 15 Nov 1994 08:12:31 GMT"


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
    page = MiniApp(SecretStr("7:token"), SystemClock(), lambda: None)
    yield create_app({"telegram": accept}, ready=ready, pages=page.routes())
    await database.aclose()


async def said(capsys: pytest.CaptureFixture[str], **settings: object) -> str:
    """All that the doctor says."""
    await examine(read_settings(_env_file=None, **{"bot_token": None, **settings}))
    return capsys.readouterr().out


async def said_of_address(port: int, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> str:
    settings = read_settings(
        _env_file=None, public_url=f"http://127.0.0.1:{port}", database_url=sqlite_url, bot_token=None
    )
    await examine(settings)
    return next(line for line in capsys.readouterr().out.splitlines() if "PUBLIC_URL" in line)


async def test_an_address_that_leads_to_us_is_known_by_our_refusal(ours, sqlite_url, capsys):
    async with serving(ours) as port:
        assert await said_of_address(port, sqlite_url, capsys) == "ok    PUBLIC_URL: reaches this bot"


async def test_a_proxy_that_keeps_the_page_of_the_shop_from_us_is_told(ours, sqlite_url, capsys):
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        passed_on = scope["path"].startswith("/webhooks/")
        await (ours if passed_on else Response(status_code=404))(scope, receive, send)

    async with serving(proxy) as port:
        assert "/app is answered 404" in await said_of_address(port, sqlite_url, capsys)


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


async def test_a_clock_that_is_wrong_is_told_by_telegrams(sqlite_url, capsys):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nDate: {LONG_AGO}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        words = await said(capsys, bot_api_url=f"http://127.0.0.1:{port}", database_url=sqlite_url)
    assert re.search(r"bad   clock: \d+ s ahead of Telegram's", words)


async def test_a_folder_that_cannot_be_used_is_named(tmp_path, capsys):
    words = await said(capsys, database_url=f"sqlite:///{tmp_path}/absent/numlet.db")
    assert f"bad   disk: {tmp_path}/absent cannot be written to" in words


async def test_an_address_without_encryption_is_refused(sqlite_url, capsys):
    words = await said(capsys, database_url=sqlite_url, public_url="http://shop.example")
    assert "bad   PUBLIC_URL: is not https" in words


def test_a_misspelt_setting_is_noticed_and_other_peoples_are_not(tmp_path):
    file = tmp_path / ".env"
    file.write_text("SMSCODE_TOKN=secret\nPOSTGRES_PASSWORD=x\nBOT_TOKEN=1:a\n")
    [finding] = misspelt(str(file))
    assert (finding.about, finding.advice) == ("SMSCODE_TOKN", "Is SMSCODE_TOKEN meant?")
    assert "secret" not in finding.says


async def test_where_updates_and_webhooks_lead_is_compared_with_the_settings(sqlite_url, capsys):
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock))
    async with in_sandbox(world) as origin:
        world.telegram.webhook.set_webhook(Params({"url": "https://other.example/hook"}))
        world.smscode.webhooks.configure(url="https://old.example/webhooks/smscode")
        own = environment(origin, world.telegram.token, sqlite_url) | {"PUBLIC_URL": "https://127.0.0.1:9"}
        given = {name: own[name.upper()] for name in Settings.model_fields if name.upper() in own}
        words = await said(capsys, **given)
        assert "sends updates to other.example, while BOT_UPDATES is polling" in words
        assert "smscode webhook: leads to old.example as yet" in words
        assert "ok    clock: agrees with Telegram's" in words
        world.smscode.webhooks.configure(url="https://127.0.0.1:9/webhooks/smscode")
        assert "ok    smscode webhook: leads here" in await said(capsys, **given)


async def test_the_operators_group_is_tried(sqlite_url, capsys):
    clock = Clock()
    world = World(clock, Telegram(clock), SmsCode(clock))
    async with in_sandbox(world) as origin:
        own = environment(origin, world.telegram.token, sqlite_url)
        given = {name: own[name.upper()] for name in Settings.model_fields if name.upper() in own}
        assert "ok    SUPPORT_CHAT_ID: not set" in await said(capsys, **given)
        given["support_chat_id"] = str(world.forum.id)
        assert "ok    SUPPORT_CHAT_ID: renters' messages come to Support" in await said(capsys, **given)
        world.forum.bot_rights.clear()
        assert "bad   SUPPORT_CHAT_ID: the bot may not manage topics" in await said(capsys, **given)
        world.forum.is_forum = False
        assert "bad   SUPPORT_CHAT_ID: the group has no topics" in await said(capsys, **given)
        world.forum.moved_to = -1009
        assert "Set it to -1009." in await said(capsys, **given)
        given["support_chat_id"] = "-5"
        assert "bad   SUPPORT_CHAT_ID: cannot be used: Chat not found" in await said(capsys, **given)

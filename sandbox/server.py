"""The sandbox over HTTP: the page, Telegram under `/telegram`, each vendor under its own name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from sandbox.page import Page
from sandbox.world import World

__all__ = ["World", "create_app", "serving"]

_GRACE_SECONDS = 1
"""What a vendor that hangs on purpose gets when the server stops."""


def create_app(world: World) -> Starlette:
    return Starlette(
        routes=[
            *Page(world).routes(),
            Route("/healthz", _healthz),
            Mount("/telegram", world.telegram.app),
            *(Mount(f"/{name}", supplier.app) for name, supplier in world.suppliers.items()),
            *(Mount(f"/{sender.name}", sender.app) for sender in world.senders),
        ]
    )


async def _healthz(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok\n")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program that the sandbox is part of."""
        yield


@asynccontextmanager
async def serving(world: World, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve the world and let its time run; gives the origin. Port 0 takes any that is free.

    Leaving ends the streams and long polls that are open, too, and closes the world.
    """
    config = uvicorn.Config(
        create_app(world),
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    with socket.create_server((host, port)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        running = asyncio.create_task(world.run())
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            running.cancel()
            await world.aclose()
            server.should_exit = True
            await serving
            with suppress(asyncio.CancelledError):
                await running

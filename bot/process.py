"""The process around the bot: its signals, its HTTP server, its memory."""

import asyncio
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


def stop_on_signals() -> asyncio.Event:
    """Set when the program is asked to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the program's, not the server's."""
        yield


def http_server(app: ASGIApp) -> uvicorn.Server:
    # The access log alone would halve what the server can take.
    return _Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            lifespan="off",
            # Nobody here asks for the caller's address.
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
    )


def calm_garbage_collector() -> None:
    """Leave what start-up built out of every later collection: it halves the slowest webhooks."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 20, 100)

"""Everything that goes to Telegram passes here: python-telegram-bot's rate limiter, with lanes.

A caller waits in `process_request` until the schedule gives it its turn. The library's own limiter
knows neither priorities nor private chats, and forgets a pause as soon as any other request ends.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog
from prometheus_client import Counter
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from services.lanes import Lane
from services.senders.limits import Chat
from services.senders.schedule import Schedule, Ticket

_TRIES = 4
_LONGEST_WAIT = 60
"""Seconds. Whoever is told to wait longer puts it off instead of keeping a place in the queue."""
_ALBUMS = {"sendMediaGroup": "media", "copyMessages": "message_ids", "forwardMessages": "message_ids"}

_Result = bool | dict[str, Any] | list[dict[str, Any]]
_log = structlog.get_logger(__name__)

WAITS = Counter("numlet_telegram_waits_total", "How often Telegram told us to wait (429)", ["lane"])


def pause_of(error: RetryAfter) -> timedelta:
    """How long we are to wait; the library gives a number of seconds or a duration, by its settings."""
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


class Lanes(BaseRateLimiter[Lane]):
    """Give it to the application's builder, and a lane to any method: `rate_limit_args=Lane.CODE`.

    Without one, answers to queries and edits go to their own lanes and the rest to REPLY; what names no
    chat is not held up at all. A request that Telegram tells to wait waits and is repeated, and raises
    RetryAfter only when that did not help either.
    """

    def __init__(self, schedule: Schedule | None = None, *, time: Callable[[], float] = monotonic) -> None:
        """`time` is seconds of a monotonic clock that runs like the loop's."""
        self._schedule = schedule or Schedule()
        self._time = time
        self._turns: dict[Ticket, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._wake_at: float | None = None

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Cancel whoever still waits: nothing will be sent any more."""
        self._arm(None)
        for turn in self._turns.values():
            turn.cancel()

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, _Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Lane | None,
    ) -> _Result:
        ticket = _ticket(endpoint, data, rate_limit_args)
        if ticket is None:
            return await callback(*args, **kwargs)
        for _ in range(_TRIES - 1):
            try:
                return await self._send(ticket, callback, args, kwargs)
            except RetryAfter as error:
                if pause_of(error).total_seconds() > _LONGEST_WAIT:
                    raise
        return await self._send(ticket, callback, args, kwargs)

    async def _send(
        self,
        ticket: Ticket,
        callback: Callable[..., Coroutine[Any, Any, _Result]],
        args: Any,
        kwargs: dict[str, Any],
    ) -> _Result:
        await self._turn(ticket)
        try:
            return await callback(*args, **kwargs)
        except RetryAfter as error:
            self._pause(ticket, pause_of(error).total_seconds())
            raise
        finally:
            self._release()

    async def _turn(self, ticket: Ticket) -> None:
        turn = self._turns[ticket] = asyncio.get_running_loop().create_future()
        self._schedule.push(ticket)
        self._pump()
        try:
            await turn
        except asyncio.CancelledError:
            if not self._schedule.remove(ticket):
                self._release()  # the turn came in the same moment
            raise
        finally:
            del self._turns[ticket]

    def _pause(self, ticket: Ticket, seconds: float) -> None:
        now = self._time()
        self._schedule.pause(ticket.chat, until=now + seconds, now=now)
        WAITS.labels(ticket.lane.name).inc()
        _log.warning("telegram_says_wait", lane=ticket.lane.name, seconds=seconds)

    def _release(self) -> None:
        self._schedule.finish()
        self._pump()

    def _pump(self) -> None:
        """Give every ticket its turn that may have it now, and come back when the next one may."""
        now = self._time()
        while ticket := self._schedule.pop_ready(now):
            turn = self._turns[ticket]
            if not turn.done():
                turn.set_result(None)
        self._arm(self._schedule.next_wake(now))

    def _arm(self, wake_at: float | None) -> None:
        if wake_at == self._wake_at:
            return
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._wake_at = wake_at
        if wake_at is not None:
            delay = wake_at - self._time()
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        self._timer = self._wake_at = None
        self._pump()


def _ticket(endpoint: str, data: dict[str, Any], lane: Lane | None) -> Ticket | None:
    """The request's place in the queue; None for what Telegram does not count."""
    chat = _chat(data.get("chat_id"))
    if lane is None and endpoint.startswith("answer"):
        lane = Lane.ANSWER
    elif lane is None and (chat is not None or "inline_message_id" in data):
        lane = Lane.EDIT if endpoint.startswith("edit") else Lane.REPLY
    if lane is None:
        return None
    if lane == Lane.ANSWER:
        return Ticket(Lane.ANSWER, None)
    return Ticket(Lane(lane), chat, _messages(endpoint, data))


def _chat(chat_id: object) -> Chat:
    """One chat, one key: python-telegram-bot takes ids as text too."""
    if isinstance(chat_id, str):
        with suppress(ValueError):
            return int(chat_id)
        return chat_id
    return chat_id if isinstance(chat_id, int) else None


def _messages(endpoint: str, data: dict[str, Any]) -> int:
    return len(data[_ALBUMS[endpoint]]) if endpoint in _ALBUMS else 1

"""What the bot has yet to hear: the queue of updates, and long polling.

Source: Bot API documentation, section "Getting updates".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Literal

from sandbox.clock import Clock
from sandbox.telegram.bell import Bell
from sandbox.telegram.errors import conflict
from sandbox.telegram.wire import Object, Params

Kind = Literal[
    "message", "edited_message", "callback_query", "inline_query", "pre_checkout_query", "my_chat_member"
]

LONGEST_POLL = 50
"""Seconds."""
_LIFETIMES = {
    "callback_query": timedelta(seconds=150),
    "pre_checkout_query": timedelta(seconds=150),
    "inline_query": timedelta(seconds=30),
}
_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class Update:
    id: int
    kind: Kind
    body: Object
    queue: str
    """Updates of one queue reach a webhook one by one."""
    expires_at: datetime

    def wire(self) -> Object:
        return {"update_id": self.id, self.kind: self.body}


class Updates:
    def __init__(self, clock: Clock, bell: Bell) -> None:
        self.pending: dict[int, Update] = {}
        self.allowed: list[str] = []
        """Kinds that the bot asked for; all where empty. Kept from call to call, as Telegram does."""
        self.webhook_is_set = False
        self.on_put: Callable[[Update], None] | None = None
        self._clock = clock
        self._bell = bell
        self._ids = count(700_000_001)
        self._poll = 0
        self._closed = False

    def put(self, kind: Kind, body: Object, *, person_id: int) -> None:
        if self.allowed and kind not in self.allowed:
            return
        queue = f"{'chat' if kind in {'message', 'edited_message', 'my_chat_member'} else kind}:{person_id}"
        expires_at = self._clock.now() + _LIFETIMES.get(kind, _LIFETIME)
        update = Update(next(self._ids), kind, body, queue, expires_at)
        self.pending[update.id] = update
        self._bell.ring()
        if self.on_put:
            self.on_put(update)

    def allow(self, params: Params) -> None:
        if "allowed_updates" in params:
            self.allowed = list(params.json("allowed_updates"))

    def drop(self, ids: Iterable[int]) -> None:
        for update_id in list(ids):
            self.pending.pop(update_id, None)

    def settle(self, update: Update) -> None:
        """The webhook has taken it, or it came too late."""
        self.drop([update.id])
        self._bell.ring()

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed = True
        self._bell.ring()

    async def get_updates(self, params: Params) -> list[Object]:
        if self.webhook_is_set:
            raise conflict(
                "can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first"
            )
        self.allow(params)
        self._confirm(params.integer("offset"))
        self._poll += 1
        await self._wait_for_news(self._poll, min(params.integer("timeout"), LONGEST_POLL))
        limit = min(max(params.integer("limit", 100), 1), 100)
        return [update.wire() for update in self._alive()[:limit]]

    def _confirm(self, offset: int) -> None:
        """Forget what came before `offset`; a negative one keeps only so many of the newest."""
        if offset < 0:
            self.drop(list(self.pending)[:offset])
        else:
            self.drop(update_id for update_id in self.pending if update_id < offset)

    async def _wait_for_news(self, poll: int, seconds: int) -> None:
        self._bell.ring()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.until(lambda: bool(self._alive()) or self._poll != poll or self._closed)
        if self._poll != poll:
            raise conflict(
                "terminated by other getUpdates request; make sure that only one bot instance is running"
            )

    def _alive(self) -> list[Update]:
        now = self._clock.now()
        self.drop(update.id for update in self.pending.values() if update.expires_at <= now)
        return list(self.pending.values())

"""Updates pushed to the bot's own address.

Updates of one queue are in flight one at a time and in order; queues run beside each other. An update that is
not answered with 2xx comes again: at once, then after 2, 4, 8 … seconds, until it expires.
Source: Bot API documentation, "setWebhook"; telegram-bot-api server, WebhookActor.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict, deque
from datetime import timedelta

import httpx

from sandbox.clock import Clock
from sandbox.telegram.errors import bad_request
from sandbox.telegram.updates import Update, Updates
from sandbox.telegram.wire import Object, Params

_ANSWER_SECONDS = 60
_LONGEST_PAUSE = 60


class Webhook:
    def __init__(self, clock: Clock, updates: Updates, transport: httpx.AsyncBaseTransport | None) -> None:
        self.url = ""
        self._clock = clock
        self._updates = updates
        self._client = httpx.AsyncClient(transport=transport, timeout=_ANSWER_SECONDS, trust_env=False)
        self._secret = ""
        self._slots = asyncio.Semaphore(40)
        self._max_connections = 40
        self._queues: dict[str, deque[Update]] = defaultdict(deque)
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._last_error: Object = {}
        self.methods = {
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "getWebhookInfo": self.get_webhook_info,
        }

    def set_webhook(self, params: Params) -> bool:
        url = params.text("url")
        if not url:
            return self.delete_webhook(params)
        if httpx.URL(url).scheme not in {"http", "https"}:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        secret = params.text("secret_token")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
            raise bad_request("secret token contains unallowed characters")
        self._forget_deliveries()
        self._start_afresh(params)
        self._updates.allow(params)
        self.url = url
        self._secret = secret
        self._max_connections = params.integer("max_connections", 40)
        self._slots = asyncio.Semaphore(self._max_connections)
        self._updates.webhook_is_set = True
        self._updates.on_put = self._enqueue
        for update in self._updates.pending.values():
            self._enqueue(update)
        return True

    def delete_webhook(self, params: Params) -> bool:
        self._forget_deliveries()
        self._start_afresh(params)
        self.url = ""
        self._updates.webhook_is_set = False
        self._updates.on_put = None
        return True

    def get_webhook_info(self, params: Params) -> Object:
        info: Object = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
            **self._last_error,
        }
        if self.url:
            info["max_connections"] = self._max_connections
        if self._updates.allowed:
            info["allowed_updates"] = self._updates.allowed
        return info

    async def aclose(self) -> None:
        self._forget_deliveries()
        await self._client.aclose()

    def _start_afresh(self, params: Params) -> None:
        self._last_error = {}
        if params.flag("drop_pending_updates"):
            self._updates.drop(self._updates.pending)

    def _forget_deliveries(self) -> None:
        for task in self._deliveries.values():
            task.cancel()
        self._deliveries.clear()
        self._queues.clear()

    def _enqueue(self, update: Update) -> None:
        self._queues[update.queue].append(update)
        if update.queue not in self._deliveries:
            self._deliveries[update.queue] = asyncio.create_task(self._deliver_queue(update.queue))

    async def _deliver_queue(self, name: str) -> None:
        queue = self._queues[name]
        while queue:
            await self._deliver(queue[0])
            self._updates.settle(queue.popleft())
        del self._queues[name], self._deliveries[name]

    async def _deliver(self, update: Update) -> None:
        """Until the bot has taken it or it expires."""
        pause = 1
        while self._clock.now() < update.expires_at:
            async with self._slots:
                failure, retry_after = await self._post(update)
            if failure is None:
                return
            self._last_error = {
                "last_error_date": int(self._clock.now().timestamp()),
                "last_error_message": failure,
            }
            wait = retry_after or (pause if pause > 1 else 0)
            await asyncio.sleep(self._clock.span(timedelta(seconds=wait)).total_seconds())
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _post(self, update: Update) -> tuple[str | None, int]:
        """What went wrong, and the pause that the bot asked for in seconds."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": self._secret} if self._secret else {}
        try:
            response = await self._client.post(self.url, json=update.wire(), headers=headers)
        except httpx.TimeoutException:
            return "Read timeout expired", 0
        except httpx.HTTPError:
            return "Connection refused", 0
        if response.is_success:
            return None, 0
        asked = response.headers.get("Retry-After", "")
        words = f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"
        return words, int(asked) if asked.isdigit() else 0

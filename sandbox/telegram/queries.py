"""Questions that wait for the bot's answer: taps on buttons, inline searches, checkouts.

Source: Bot API documentation, "answerCallbackQuery", "answerInlineQuery", "answerPreCheckoutQuery".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sandbox.telegram.account import Account, Method
from sandbox.telegram.errors import bad_request
from sandbox.telegram.inline import check_answer
from sandbox.telegram.updates import Kind
from sandbox.telegram.wire import Object, Params

CALLBACK_LIFETIME = timedelta(seconds=150)
INLINE_LIFETIME = timedelta(seconds=30)
CHECKOUT_LIFETIME = timedelta(seconds=10)


@dataclass(frozen=True)
class Answer:
    """What the person sees after a tap."""

    text: str = ""
    show_alert: bool = False
    url: str = ""
    copied: str = ""
    """What a copy button put on the clipboard."""


@dataclass
class Query:
    id: str
    expires_at: datetime
    reply: Object | None = None
    """The parameters of the bot's answer, once it has come."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, seconds: float) -> Object:
        """Raises: TimeoutError, when the bot does not answer in time."""
        async with asyncio.timeout(seconds):
            await self.answered.wait()
        return self.reply or {}


class Queries:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._open: dict[str, Query] = {}
        self._ids = count(4_000_000_000_001)
        self.methods: dict[str, Method] = {
            "answerCallbackQuery": self.answer_callback_query,
            "answerInlineQuery": self.answer_inline_query,
            "answerPreCheckoutQuery": self.answer_pre_checkout_query,
        }

    def ask(self, kind: Kind, user: Object, body: Object, lifetime: timedelta) -> Query:
        now = self._account.now()
        self._open = {key: query for key, query in self._open.items() if query.expires_at > now}
        query = Query(str(next(self._ids)), now + lifetime)
        self._open[query.id] = query
        body = {"id": query.id, "from": user, **body}
        self._account.updates.put(kind, body, person_id=user["id"])
        return query

    def close(self, query: Query) -> None:
        """Wait no longer: an answer comes too late from now on."""
        self._open.pop(query.id, None)

    def answer_callback_query(self, params: Params) -> bool:
        if len(params.text("text")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        return self._answer(params, "callback_query_id")

    def answer_inline_query(self, params: Params) -> bool:
        check_answer(params)
        return self._answer(params, "inline_query_id")

    def answer_pre_checkout_query(self, params: Params) -> bool:
        if not params.flag("ok") and not params.text("error_message"):
            raise bad_request("error message must be non-empty")
        return self._answer(params, "pre_checkout_query_id")

    def _answer(self, params: Params, name: str) -> bool:
        query = self._open.get(params.text(name))
        if query is None or query.expires_at <= self._account.now():
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        # An answer given twice is accepted and changes nothing.
        if query.reply is None:
            query.reply = params.values
            query.answered.set()
        return True

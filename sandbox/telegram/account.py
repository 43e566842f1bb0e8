"""What Telegram knows of one bot; the method modules share it.

Source: Bot API documentation, "Chat", "Message" and "File".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from secrets import token_urlsafe
from typing import Any, NoReturn

from sandbox.clock import Clock
from sandbox.telegram.bell import Bell
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import bad_request
from sandbox.telegram.formatting import Formatted
from sandbox.telegram.messages import Message
from sandbox.telegram.updates import Updates
from sandbox.telegram.wire import Object, Params, Upload

Method = Callable[[Params], Any]
"""Carries out one call. It may be a coroutine function."""


class Account:
    def __init__(self, clock: Clock, updates: Updates, bell: Bell, *, token: str, username: str) -> None:
        self.clock = clock
        self.updates = updates
        self.bell = bell
        self.token = token
        self.user: Object = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Numlet",
            "username": username,
        }
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, Upload] = {}
        """By `file_id`."""
        self._message_ids = count(1)

    def now(self) -> datetime:
        return self.clock.now()

    def find_chat(self, params: Params, name: str = "chat_id") -> Chat:
        """The chat that a parameter names, whether or not the bot may write there."""
        if name not in params:
            raise bad_request(f"{name} is empty")
        chat_id = params.text(name)
        chat = self.chats.get(int(chat_id)) if chat_id.lstrip("-").isdigit() else None
        if chat is None or chat.standing == "stranger":
            raise bad_request("chat not found")
        return chat

    def open_chat(self, params: Params) -> Chat:
        """The chat to write to. Raises: Refusal, where the bot may not."""
        chat = self.find_chat(params)
        if refusal := chat.refusal():
            raise refusal
        return chat

    def new_message(
        self, chat: Chat, content: Formatted, *, from_bot: bool, author: Object | None = None, **fields: Any
    ) -> Message:
        """A message that stands in the chat from now on. The person's own is not yet an update.

        `author`: who of a group wrote it; in a private chat there is only one.
        """
        message = Message(
            id=next(self._message_ids),
            chat=chat.wire(),
            sender=self.user if from_bot else author or chat.user,
            date=self.now(),
            content=content,
            **fields,
        )
        chat.add(message)
        return message

    def store(self, upload: Upload) -> Object:
        """Keep a file; answers the fields by which it is known from now on."""
        file_id = token_urlsafe(18)
        self.files[file_id] = upload
        return {"file_id": file_id, "file_unique_id": file_id[:12], "file_size": len(upload.content)}


def find_message(chat: Chat, message_id: int, purpose: str) -> Message:
    """Raises: Refusal ("message to edit not found", or whatever the purpose is)."""
    return chat.messages.get(message_id) or _missing(purpose)


def _missing(purpose: str) -> NoReturn:
    raise bad_request(f"message to {purpose} not found")

"""A chat with the bot: a person's private one, and what a group's has in common with it.

Source: Bot API documentation, "Making requests"; Bots FAQ, "Can my bot message people first?" (it cannot).
"""

from __future__ import annotations

from typing import Literal

from sandbox.telegram.bell import Bell
from sandbox.telegram.errors import Refusal, bad_request, forbidden
from sandbox.telegram.messages import Button, Message
from sandbox.telegram.wire import Object

HISTORY_LIMIT = 1000

Standing = Literal["stranger", "member", "blocked", "deactivated"]
"""A stranger has never written to the bot; only a member can be written to."""


class Chat:
    def __init__(self, user: Object, bell: Bell, *, started: bool) -> None:
        self.user = user
        self.standing: Standing = "member" if started else "stranger"
        self.messages: dict[int, Message] = {}
        self.deleted: dict[int, int] = {}
        """The bell's ring at which a message went, by message id."""
        self.unread = 0
        self.reply_keyboard: list[list[Button]] = []
        self.changed_at = 0
        """The bell's ring at the last change of anything here."""
        self._bell = bell

    @property
    def id(self) -> int:
        return int(self.user["id"])

    def wire(self) -> Object:
        shown = ("id", "first_name", "username")
        return {"type": "private"} | {key: self.user[key] for key in shown if key in self.user}

    def refusal(self) -> Refusal | None:
        """Why the bot cannot write here."""
        match self.standing:
            case "stranger":
                return bad_request("chat not found")
            case "blocked":
                return forbidden("bot was blocked by the user")
            case "deactivated":
                return forbidden("user is deactivated")
        return None

    def add(self, message: Message) -> None:
        self.messages[message.id] = message
        if len(self.messages) > HISTORY_LIMIT:
            self.remove(next(iter(self.messages)))
        if message.from_bot:
            self.unread += 1
        self._show_reply_keyboard(message)
        self.touch(message)

    def _show_reply_keyboard(self, message: Message) -> None:
        markup = message.markup or {}
        if "keyboard" in markup:
            self.reply_keyboard = [[Button.read(button) for button in row] for row in markup["keyboard"]]
        elif markup.get("remove_keyboard"):
            self.reply_keyboard = []

    def remove(self, message_id: int) -> None:
        del self.messages[message_id]
        self.deleted[message_id] = self.touch()
        if len(self.deleted) > HISTORY_LIMIT:
            del self.deleted[next(iter(self.deleted))]

    def touch(self, message: Message | None = None) -> int:
        """Note that the chat has changed, and tell everybody who watches."""
        self.changed_at = self._bell.ring()
        if message is not None:
            message.version = self.changed_at
        return self.changed_at

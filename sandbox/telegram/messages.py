"""A message as Telegram keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.telegram.formatting import Formatted
from sandbox.telegram.wire import Object

CAPTIONED = frozenset({"photo", "document", "video", "animation", "audio", "voice"})
"""What has a caption beside it, instead of a text of its own."""


@dataclass(frozen=True)
class Button:
    text: str
    callback_data: str | None = None
    copy_text: str | None = None
    url: str | None = None
    style: str | None = None
    pay: bool = False
    request_contact: bool = False
    web_app: str | None = None
    """The address of a page that opens inside Telegram."""

    @classmethod
    def read(cls, button: Object | str) -> Button:
        """From an inline button, or from a reply keyboard's, which may be a bare text."""
        if isinstance(button, str):
            return cls(button)
        return cls(
            text=button["text"],
            callback_data=button.get("callback_data"),
            copy_text=button.get("copy_text", {}).get("text"),
            url=button.get("url"),
            style=button.get("style"),
            pay=bool(button.get("pay")),
            request_contact=bool(button.get("request_contact")),
            web_app=button.get("web_app", {}).get("url"),
        )


@dataclass
class Message:
    id: int
    chat: Object
    sender: Object
    date: datetime
    content: Formatted
    """The text, or the caption where there is something to caption."""
    attachment: Object = field(default_factory=dict)
    """The fields of what is not text: photo, document, invoice, contact, successful_payment …"""
    markup: Object | None = None
    reply_to: Message | None = None
    origin: Object | None = None
    """Where a forwarded message came from."""
    edited_at: datetime | None = None
    pinned: bool = False
    thread_id: int | None = None
    """The topic of a forum that it stands in."""
    version: int = 0
    """The number of the bell's ring when it last changed."""

    @property
    def text(self) -> str:
        return self.content.text

    @property
    def entities(self) -> list[Object]:
        return self.content.entities

    @property
    def from_bot(self) -> bool:
        return bool(self.sender["is_bot"])

    @property
    def edited(self) -> bool:
        return self.edited_at is not None

    @property
    def captioned(self) -> bool:
        return not self.attachment.keys().isdisjoint(CAPTIONED)

    @property
    def buttons(self) -> list[list[Button]]:
        rows = (self.markup or {}).get("inline_keyboard", [])
        return [[Button.read(button) for button in row] for row in rows]

    def wire(self, *, nested: bool = False) -> Object:
        """The Bot API's Message; `nested` where it stands inside another as `reply_to_message`."""
        message: Object = {
            "message_id": self.id,
            "from": self.sender,
            "chat": self.chat,
            "date": int(self.date.timestamp()),
            **self.attachment,
        }
        text, entities = ("caption", "caption_entities") if self.captioned else ("text", "entities")
        if self.text:
            message[text] = self.text
        if self.entities:
            message[entities] = self.entities
        if self.markup and "inline_keyboard" in self.markup:
            message["reply_markup"] = self.markup
        if self.edited_at:
            message["edit_date"] = int(self.edited_at.timestamp())
        if self.origin:
            message["forward_origin"] = self.origin
        if self.thread_id:
            message |= {"message_thread_id": self.thread_id, "is_topic_message": True}
        if self.reply_to and not nested:
            message["reply_to_message"] = self.reply_to.wire(nested=True)
        return message

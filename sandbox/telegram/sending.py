"""Methods that put a message into a chat.

Source: Bot API documentation, section "Available methods".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.telegram.account import Account, Method, find_message
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import bad_request
from sandbox.telegram.formatting import Formatted, read_formatted
from sandbox.telegram.forums import Forum
from sandbox.telegram.keyboards import read_markup
from sandbox.telegram.messages import Message
from sandbox.telegram.wire import Object, Params, Upload

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
_CHAT_ACTIONS = {
    "typing",
    "upload_photo",
    "upload_document",
    "upload_video",
    "choose_sticker",
    "find_location",
}
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def read_text(params: Params, too_long: str = "message is too long") -> Formatted:
    content = read_formatted(params, "text", "entities")
    if not content.text:
        raise bad_request("message text is empty")
    if len(content.text) > TEXT_LIMIT:
        raise bad_request(too_long)
    return content


def read_caption(params: Params) -> Formatted:
    content = read_formatted(params, "caption", "caption_entities")
    if len(content.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return content


class Sending:
    def __init__(self, account: Account) -> None:
        self.on_send: Callable[[Message], None] | None = None
        """Called with every message of the bot's, as it comes into the chat."""
        self._account = account
        self.methods: dict[str, Method] = {
            "sendMessage": self.send_message,
            "sendPhoto": self.send_photo,
            "sendDocument": self.send_document,
            "sendChatAction": self.send_chat_action,
            "copyMessage": self.copy_message,
            "copyMessages": self.copy_messages,
            "forwardMessage": self.forward_message,
        }

    def post(self, params: Params, content: Formatted, **fields: Any) -> Message:
        """Put a message of the bot's into the chat that `chat_id` names."""
        chat = self._account.open_chat(params)
        fields.setdefault("markup", read_markup(params))
        reply_to = _read_reply(params, chat)
        message = self._account.new_message(
            chat, content, from_bot=True, reply_to=reply_to, thread_id=_read_thread(params, chat), **fields
        )
        if self.on_send:
            self.on_send(message)
        return message

    def send_message(self, params: Params) -> Object:
        self._account.open_chat(params)
        return self.post(params, read_text(params)).wire()

    def send_photo(self, params: Params) -> Object:
        self._account.open_chat(params)
        return self.post(params, read_caption(params), attachment=self.photo(params, "photo")).wire()

    def photo(self, params: Params, name: str) -> Object:
        """The attachment of a photo that a parameter brings or names."""
        stored = self.stored_file(params, name)
        content = self._account.files[stored["file_id"]].content
        if not content.startswith(_PICTURES):
            raise bad_request("IMAGE_PROCESS_FAILED")
        return {"photo": [{**stored, "width": 1280, "height": 720}]}

    def send_document(self, params: Params) -> Object:
        self._account.open_chat(params)
        return self.post(params, read_caption(params), attachment=self.document(params, "document")).wire()

    def document(self, params: Params, name: str) -> Object:
        stored = self.stored_file(params, name)
        upload = self._account.files[stored["file_id"]]
        return {"document": {**stored, "file_name": upload.name, "mime_type": upload.media_type}}

    def stored_file(self, params: Params, name: str) -> Object:
        file = params.file(name)
        if isinstance(file, Upload):
            return self._account.store(file)
        if not file:
            raise bad_request(f"there is no {name} in the request")
        if file not in self._account.files:
            raise bad_request("wrong file identifier/HTTP URL specified")
        size = len(self._account.files[file].content)
        return {"file_id": file, "file_unique_id": file[:12], "file_size": size}

    def send_chat_action(self, params: Params) -> bool:
        self._account.open_chat(params)
        if params.text("action") not in _CHAT_ACTIONS:
            raise bad_request("wrong parameter action in request")
        return True

    def copy_message(self, params: Params) -> Object:
        source = self._find_source(params, "copy")
        if not source.text and not source.captioned:
            raise bad_request("message can't be copied")
        content = read_caption(params) if source.captioned and "caption" in params else source.content
        return {"message_id": self.post(params, content, attachment=source.attachment).id}

    def copy_messages(self, params: Params) -> list[Object]:
        """Copies what can be copied, in order, and passes over the rest."""
        self._account.open_chat(params)
        chat = self._account.find_chat(params, "from_chat_id")
        sources = [chat.messages.get(message_id) for message_id in params.json("message_ids") or []]
        copies = [
            self.post(params, source.content, attachment=source.attachment)
            for source in sources
            if source and (source.text or source.captioned)
        ]
        if not copies:
            raise bad_request("there are no messages to copy")
        return [{"message_id": copy.id} for copy in copies]

    def forward_message(self, params: Params) -> Object:
        source = self._find_source(params, "forward")
        origin = {"type": "user", "sender_user": source.sender, "date": int(source.date.timestamp())}
        return self.post(params, source.content, attachment=source.attachment, origin=origin).wire()

    def _find_source(self, params: Params, purpose: str) -> Message:
        self._account.open_chat(params)
        chat = self._account.find_chat(params, "from_chat_id")
        return find_message(chat, params.integer("message_id"), purpose)


def _read_thread(params: Params, chat: Chat) -> int | None:
    topic_id = params.integer("message_thread_id")
    if isinstance(chat, Forum):
        return chat.topic_for(topic_id)
    if topic_id:
        raise bad_request("message thread not found")
    return None


def _read_reply(params: Params, chat: Chat) -> Message | None:
    reply = params.json("reply_parameters") or {"message_id": params.integer("reply_to_message_id")}
    message = chat.messages.get(int(reply["message_id"]))
    if reply["message_id"] and message is None and not reply.get("allow_sending_without_reply"):
        raise bad_request("message to be replied not found")
    return message

"""Methods that change a message or take it away.

Source: Bot API documentation, section "Updating messages".
"""

from __future__ import annotations

from datetime import timedelta

from sandbox.telegram.account import Account, Method, find_message
from sandbox.telegram.errors import bad_request
from sandbox.telegram.formatting import Formatted
from sandbox.telegram.keyboards import read_inline_markup
from sandbox.telegram.messages import Message
from sandbox.telegram.sending import Sending, read_caption, read_text
from sandbox.telegram.wire import Object, Params

DELETABLE_FOR = timedelta(hours=48)
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


class Editing:
    def __init__(self, account: Account, sending: Sending) -> None:
        self._account = account
        self._sending = sending
        self.methods: dict[str, Method] = {
            "editMessageText": self.edit_message_text,
            "editMessageMedia": self.edit_message_media,
            "editMessageCaption": self.edit_message_caption,
            "editMessageReplyMarkup": self.edit_message_reply_markup,
            "deleteMessage": self.delete_message,
            "deleteMessages": self.delete_messages,
            "pinChatMessage": self.pin_chat_message,
            "unpinChatMessage": self.unpin_chat_message,
        }

    def edit_message_text(self, params: Params) -> Object:
        message = self._find_editable(params)
        if message.attachment:
            raise bad_request("there is no text in the message to edit")
        return self._change(message, read_text(params, "MESSAGE_TOO_LONG"), read_inline_markup(params))

    def edit_message_caption(self, params: Params) -> Object:
        message = self._find_editable(params)
        if not message.captioned:
            raise bad_request("there is no caption in the message to edit")
        return self._change(message, read_caption(params), read_inline_markup(params))

    def edit_message_media(self, params: Params) -> Object:
        """Puts a photo in the place of another, or of a text."""
        message = self._find_editable(params)
        media = params.json("media") or {}
        if media.get("type") != "photo":
            raise bad_request("the sandbox puts nothing but photos in")
        if message.attachment and "photo" not in message.attachment:
            raise bad_request("message can't be edited")
        new = Params({**params.values, **media})
        content = read_caption(new)
        message.attachment = self._sending.photo(new, "media")
        message.edited_at = self._account.now()
        return self._put(message, content, read_inline_markup(params))

    def edit_message_reply_markup(self, params: Params) -> Object:
        message = self._find_editable(params)
        return self._change(message, message.content, read_inline_markup(params))

    def _find_editable(self, params: Params) -> Message:
        chat = self._account.open_chat(params)
        message = find_message(chat, params.integer("message_id"), "edit")
        if not message.from_bot:
            raise bad_request("message can't be edited")
        return message

    def _change(self, message: Message, content: Formatted, markup: Object | None) -> Object:
        if message.content == content and message.markup == markup:
            raise bad_request(_NOT_MODIFIED)
        # A change of the keyboard alone does not mark a message as edited.
        if message.content != content:
            message.edited_at = self._account.now()
        return self._put(message, content, markup)

    def _put(self, message: Message, content: Formatted, markup: Object | None) -> Object:
        message.content = content
        message.markup = markup
        self._account.chats[message.chat["id"]].touch(message)
        return message.wire()

    def delete_message(self, params: Params) -> bool:
        chat = self._account.find_chat(params)
        message = find_message(chat, params.integer("message_id"), "delete")
        if self._is_too_old(message):
            raise bad_request("message can't be deleted for everyone")
        chat.remove(message.id)
        return True

    def delete_messages(self, params: Params) -> bool:
        """Takes away what can be taken away, and passes over the rest."""
        chat = self._account.find_chat(params)
        for message_id in params.json("message_ids") or []:
            message = chat.messages.get(int(message_id))
            if message and not self._is_too_old(message):
                chat.remove(message.id)
        return True

    def _is_too_old(self, message: Message) -> bool:
        return self._account.now() - message.date > DELETABLE_FOR

    def pin_chat_message(self, params: Params) -> bool:
        chat = self._account.open_chat(params)
        message = find_message(chat, params.integer("message_id"), "pin")
        message.pinned = True
        chat.touch(message)
        return True

    def unpin_chat_message(self, params: Params) -> bool:
        """Without a `message_id`: the newest of the pinned."""
        chat = self._account.open_chat(params)
        pinned = [message for message in chat.messages.values() if message.pinned]
        if "message_id" in params:
            pinned = [find_message(chat, params.integer("message_id"), "unpin")]
        if not pinned:
            raise bad_request("message to unpin not found")
        pinned[-1].pinned = False
        chat.touch(pinned[-1])
        return True

"""People who use the bot, as a test or the page moves them."""

# ruff: noqa: ASYNC109 - how long a person waits reads better as an argument than as a block around each step.

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.account import Account
from sandbox.telegram.chats import Chat, Standing
from sandbox.telegram.formatting import Formatted, detect
from sandbox.telegram.forums import Forum
from sandbox.telegram.inline import read_content, read_keyboard
from sandbox.telegram.messages import Button, Message
from sandbox.telegram.payments import Payment, Payments
from sandbox.telegram.queries import CALLBACK_LIFETIME, INLINE_LIFETIME, Answer, Queries, Query
from sandbox.telegram.web_apps import sign_init_data
from sandbox.telegram.wire import Object, Params, Upload

PATIENCE = 30.0
"""Seconds of real time that a person waits for the bot."""


@dataclass(frozen=True)
class _Spot:
    message: Message
    button: Button


class Person:
    def __init__(self, chat: Chat, account: Account, queries: Queries, payments: Payments) -> None:
        self.chat = chat
        self._account = account
        self._queries = queries
        self._payments = payments
        self._offered: dict[str, Object] = {}
        """The results of the last inline search, by id."""
        self.forums: list[Forum] = []
        """Groups that they are in."""

    @property
    def id(self) -> int:
        return self.chat.id

    @property
    def name(self) -> str:
        return str(self.chat.user["first_name"])

    @property
    def messages(self) -> list[Message]:
        """The chat as it looks now, oldest first."""
        return list(self.chat.messages.values())

    async def say(self, text: str, *, reply_to: Message | None = None) -> Message:
        content = Formatted(text.strip())
        content.entities += detect(content)
        return self._send(content, reply_to=reply_to)

    async def edit(self, message: Message, text: str) -> None:
        """Correct a message of one's own."""
        message.content = Formatted(text)
        message.content.entities += detect(message.content)
        message.edited_at = self._account.now()
        self.chat.touch(message)
        self._account.updates.put("edited_message", message.wire(), person_id=self.id)

    async def send_photo(self, content: bytes, caption: str = "", *, album: str = "") -> Message:
        """`album` is shared by the photos that were sent together."""
        attachment = self._photo(content)
        if album:
            attachment["media_group_id"] = album
        return self._send(Formatted(caption), attachment=attachment)

    def join(self, forum: Forum) -> None:
        forum.members.add(self.id)
        self.forums.append(forum)

    async def say_in(
        self, forum: Forum, topic_id: int | None, text: str, *, reply_to: Message | None = None
    ) -> Message:
        """Write into a topic of a group, or into the general one (None)."""
        content = Formatted(text.strip())
        content.entities += detect(content)
        return self._post(forum, topic_id, content, reply_to=reply_to)

    async def send_photo_in(self, forum: Forum, topic_id: int | None, content: bytes, caption: str) -> None:
        self._post(forum, topic_id, Formatted(caption), attachment=self._photo(content))

    def close_topic(self, forum: Forum, topic_id: int, *, closed: bool = True) -> None:
        """By hand, as an administrator; with `closed=False`, open it again."""
        forum.topics[topic_id].is_closed = closed
        service: Object = {"forum_topic_closed" if closed else "forum_topic_reopened": {}}
        self._post(forum, topic_id, Formatted(""), attachment=service)

    def _post(self, forum: Forum, topic_id: int | None, content: Formatted, **fields: Any) -> Message:
        assert self.id in forum.members, f"{self.name} is not in {forum.title}"
        forum.unread = 0
        message = self._account.new_message(
            forum, content, from_bot=False, author=self.chat.user, thread_id=topic_id, **fields
        )
        self._account.updates.put("message", message.wire(), person_id=forum.id)
        return message

    def _photo(self, content: bytes) -> Object:
        stored = self._account.store(Upload("photo", content, "image/png"))
        return {"photo": [{**stored, "width": 1280, "height": 720}]}

    async def send_voice(self, content: bytes) -> Message:
        voice = {**self._account.store(Upload("voice", content, "audio/ogg")), "duration": 3}
        return self._send(Formatted(""), attachment={"voice": voice})

    async def share_contact(self, phone_number: str = "+61400000001") -> Message:
        contact = {"phone_number": phone_number, "first_name": self.name, "user_id": self.id}
        return self._send(Formatted(""), attachment={"contact": contact})

    async def forward(self, message: Message, to: Person) -> Message:
        """Have somebody else see a message of this chat; an invoice as what its copy is worth."""
        origin = {"type": "user", "sender_user": message.sender, "date": int(message.date.timestamp())}
        copy = to._send(message.content, attachment=message.attachment, origin=origin)
        if "invoice" in message.attachment:
            copy.markup = self._payments.copy_invoice(message.id, copy.id)
            to.chat.touch(copy)
        return copy

    def _send(self, content: Formatted, **fields: Any) -> Message:
        assert self.chat.standing in ("stranger", "member"), (
            f"{self.name} must unblock the bot to write to it"
        )
        self.chat.standing = "member"
        self.chat.unread = 0
        message = self._account.new_message(self.chat, content, from_bot=False, **fields)
        self._account.updates.put("message", message.wire(), person_id=self.id)
        return message

    async def tap(self, text: str, message: Message | None = None, *, timeout: float = PATIENCE) -> Answer:
        """Tap the button that is called, or begins with, `text`, and wait for what comes of it.

        Without a `message`, the newest one with such a button; waits until there is one.
        Raises: TimeoutError.
        """
        spot = await self._find_button(text, message, timeout)
        return await self.use(spot.message, spot.button, timeout=timeout)

    async def press(self, text: str, message: Message | None = None, *, timeout: float = PATIENCE) -> Query:
        """As `tap`, on a button with callback data, without waiting for the answer."""
        spot = await self._find_button(text, message, timeout)
        return self._ask(spot.message, spot.button)

    async def use(self, message: Message, button: Button, *, timeout: float = PATIENCE) -> Answer:
        """Tap a given button, even one that the bot has taken away since."""
        if button.copy_text is not None:
            return Answer(copied=button.copy_text)
        if button.url is not None:
            return Answer(url=button.url)
        if button.pay:
            return Answer((await self.pay(message)).error)
        if button.request_contact:
            await self.share_contact()
            return Answer()
        if button.callback_data is None:
            await self.say(button.text)
            return Answer()
        reply = Params(await self._ask(message, button).wait(timeout))
        return Answer(reply.text("text"), reply.flag("show_alert"), reply.text("url"))

    def _ask(self, message: Message, button: Button) -> Query:
        assert button.callback_data is not None, f"the button {button.text!r} sends the bot nothing"
        body = {
            "chat_instance": str(-message.chat["id"] * 7919),
            "message": message.wire(),
            "data": button.callback_data,
        }
        return self._queries.ask("callback_query", self.chat.user, body, CALLBACK_LIFETIME)

    async def borrow(self, button: Button, *, timeout: float = PATIENCE) -> Answer:
        """Send the data of somebody else's button from below a message of one's own, as a forged app can.

        Raises: LookupError, where the bot has not written to them. TimeoutError.
        """
        own = next((message for message in reversed(self.messages) if message.from_bot), None)
        if own is None:
            raise LookupError(self.id)
        reply = Params(await self._ask(own, button).wait(timeout))
        return Answer(reply.text("text"), reply.flag("show_alert"), reply.text("url"))

    async def _find_button(self, text: str, message: Message | None, timeout: float) -> _Spot:
        found: list[_Spot] = []

        def appeared() -> bool:
            found[:] = self._spots(text, message)
            return bool(found)

        try:
            await self._until(appeared, timeout)
        except TimeoutError:
            seen = [spot.button.text for spot in self._spots("", message)]
            raise TimeoutError(f"{self.name} sees no button {text!r}, only {seen}") from None
        return found[0]

    def _spots(self, text: str, message: Message | None) -> list[_Spot]:
        """Where such a button is: newest message first, and within one the exact name first."""
        messages = [message] if message else [shown for shown in reversed(self.messages) if shown.from_bot]
        spots = [_Spot(shown, button) for shown in messages for row in shown.buttons for button in row]
        if message is None and messages:
            spots += [_Spot(messages[0], button) for row in self.chat.reply_keyboard for button in row]
        matching = [spot for spot in spots if spot.button.text.startswith(text)]
        return sorted(matching, key=lambda spot: (-spot.message.id, spot.button.text != text))

    async def pay(self, invoice: Message | str) -> Payment:
        """Pay the invoice in a message, or behind a link."""
        return await self._payments.pay(self.chat, invoice if isinstance(invoice, str) else invoice.id)

    async def search_inline(self, query: str, *, timeout: float = PATIENCE) -> list[Object]:
        """Type `@bot query`; answers the results that the bot offers."""
        body = {"query": query, "offset": "", "chat_type": "sender"}
        asked = self._queries.ask("inline_query", self.chat.user, body, INLINE_LIFETIME)
        results = Params(await asked.wait(timeout)).json("results")
        self._offered = {str(result["id"]): result for result in results or []}
        return list(self._offered.values())

    def init_data(self) -> str:
        """What Telegram tells a page of the bot's that they open now."""
        return sign_init_data(self.chat.user, self._account.token, self._account.now())

    async def pick(self, result_id: str) -> Message:
        """Send one of the results that the last search brought. Raises: LookupError."""
        result = self._offered[result_id]
        return self._send(
            read_content(result),
            attachment={"via_bot": self._account.user},
            markup=read_keyboard(result),
        )

    async def wait_for(
        self,
        wanted: str | Callable[[Message], bool],
        *,
        timeout: float = PATIENCE,
        after: Message | None = None,
    ) -> Message:
        """The bot's newest message that contains the text or meets the predicate, now or when it comes.

        With `after`, only one sent or changed since that message was. Raises: TimeoutError.
        """
        meets = (lambda message: wanted in message.text) if isinstance(wanted, str) else wanted
        found: list[Message] = []

        def appeared() -> bool:
            since = after.version if after else 0
            found[:] = [
                message
                for message in self.messages
                if message.from_bot and message.version > since and meets(message)
            ]
            return bool(found)

        try:
            await self._until(appeared, timeout)
        except TimeoutError:
            last = [message.text for message in self.messages[-3:]]
            raise TimeoutError(f"{self.name} waits for {wanted!r} and sees {last}") from None
        return found[-1]

    async def _until(self, condition: Callable[[], bool], timeout: float) -> None:
        async with asyncio.timeout(timeout):
            await self._account.bell.until(condition)

    def block(self) -> None:
        self._become("blocked")

    def unblock(self) -> None:
        self._become("member")

    def deactivate(self) -> None:
        """Delete one's account; of this the bot hears nothing."""
        self.chat.standing = "deactivated"
        self.chat.touch()

    def _become(self, standing: Standing) -> None:
        before = self.chat.standing
        self.chat.standing = standing
        self.chat.touch()
        change = {
            "chat": self.chat.wire(),
            "from": self.chat.user,
            "date": int(self._account.now().timestamp()),
            "old_chat_member": self._membership(before),
            "new_chat_member": self._membership(standing),
        }
        self._account.updates.put("my_chat_member", change, person_id=self.id)

    def _membership(self, standing: Standing) -> Object:
        if standing == "blocked":
            return {"user": self._account.user, "status": "kicked", "until_date": 0}
        return {"user": self._account.user, "status": "member"}

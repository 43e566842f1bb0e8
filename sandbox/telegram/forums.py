"""Supergroups with topics, and the methods that make, close and open topics.

Source: Bot API documentation, "createForumTopic" and its neighbours, "getChatMember"; the words of the
refusals are those of Telegram's servers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.account import Account, Method
from sandbox.telegram.bell import Bell
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import Refusal, bad_request, forbidden
from sandbox.telegram.formatting import Formatted
from sandbox.telegram.messages import Message
from sandbox.telegram.wire import Object, Params

NAME_LIMIT = 128
_ALWAYS_MAY = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)


@dataclass
class Topic:
    id: int
    """That of the service message which opened it."""
    name: str
    is_closed: bool = False


class Forum(Chat):
    """A supergroup in which the bot is an administrator."""

    def __init__(self, id: int, title: str, bell: Bell, *, is_forum: bool = True) -> None:
        super().__init__({"id": id, "is_bot": False, "first_name": title}, bell, started=True)
        self.title = title
        self.is_forum = is_forum
        self.topics: dict[int, Topic] = {}
        self.members: set[int] = set()
        self.bot_rights = {"can_manage_topics", "can_pin_messages"}
        self.bot_is_member = True
        self.moved_to: int | None = None
        """The id of the supergroup that this group became."""

    def wire(self) -> Object:
        chat: Object = {"id": self.id, "type": "supergroup", "title": self.title}
        return chat | ({"is_forum": True} if self.is_forum else {})

    def refusal(self) -> Refusal | None:
        if self.moved_to:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return Refusal(400, words, migrate_to_chat_id=self.moved_to)
        return None if self.bot_is_member else forbidden("bot was kicked from the supergroup chat")

    def topic_for(self, topic_id: int) -> int | None:
        """Where the bot's message goes; None: the general topic. Raises: Refusal."""
        if not topic_id:
            return None
        topic = self.topics.get(topic_id)
        if topic is None:
            raise bad_request("message thread not found")
        if topic.is_closed and "can_manage_topics" not in self.bot_rights:
            raise bad_request("TOPIC_CLOSED")
        return topic_id

    def of_topic(self, topic_id: int | None) -> list[Message]:
        """What stands in a topic, oldest first."""
        return [message for message in self.messages.values() if message.thread_id == topic_id]

    def remove_topic(self, topic_id: int) -> None:
        """With all that is written there, as a person does it; of this the bot hears nothing."""
        del self.topics[topic_id]
        for message in self.of_topic(topic_id):
            self.remove(message.id)


@dataclass
class Forums:
    account: Account
    methods: dict[str, Method] = field(init=False)

    def __post_init__(self) -> None:
        self.methods = {
            "createForumTopic": self.create,
            "closeForumTopic": lambda params: self._set_closed(params, closed=True),
            "reopenForumTopic": lambda params: self._set_closed(params, closed=False),
            "deleteForumTopic": self.delete,
            "getChatMember": self.get_chat_member,
        }

    def create(self, params: Params) -> Object:
        forum = self._forum(params)
        name = params.text("name").strip()
        if not 1 <= len(name) <= NAME_LIMIT:
            raise bad_request("TOPIC_TITLE_INVALID" if name else "topic name must be non-empty")
        opening = self.note(forum, {"forum_topic_created": {"name": name, "icon_color": 7322096}})
        opening.thread_id = opening.id
        topic = forum.topics[opening.id] = Topic(opening.id, name)
        return {"message_thread_id": topic.id, "name": name, "icon_color": 7322096}

    def delete(self, params: Params) -> bool:
        forum = self._forum(params)
        forum.remove_topic(self._topic(forum, params).id)
        return True

    def _set_closed(self, params: Params, *, closed: bool) -> bool:
        forum = self._forum(params)
        topic = self._topic(forum, params)
        if topic.is_closed == closed:
            raise bad_request("TOPIC_NOT_MODIFIED")
        topic.is_closed = closed
        self.note(forum, {"forum_topic_closed" if closed else "forum_topic_reopened": {}}, topic.id)
        return True

    def note(self, forum: Forum, service: Object, topic_id: int | None = None) -> Message:
        """What Telegram writes into the group when the bot has done something."""
        return self.account.new_message(
            forum, Formatted(""), from_bot=True, attachment=service, thread_id=topic_id
        )

    def _forum(self, params: Params) -> Forum:
        """The group whose topics the bot may change. Raises: Refusal."""
        chat = self.account.open_chat(params)
        if not isinstance(chat, Forum) or not chat.is_forum:
            raise bad_request("the chat is not a forum")
        if "can_manage_topics" not in chat.bot_rights:
            raise bad_request("not enough rights to manage topics")
        return chat

    def _topic(self, forum: Forum, params: Params) -> Topic:
        topic = forum.topics.get(params.integer("message_thread_id"))
        if topic is None:
            raise bad_request("message thread not found")
        return topic

    def get_chat_member(self, params: Params) -> Object:
        chat, user_id = self.account.open_chat(params), params.integer("user_id")
        if isinstance(chat, Forum) and user_id == self.account.user["id"]:
            rights: dict[str, Any] = dict.fromkeys(_ALWAYS_MAY, True)
            rights |= {name: name in chat.bot_rights for name in ("can_manage_topics", "can_pin_messages")}
            return {
                "status": "administrator",
                "user": self.account.user,
                "can_be_edited": False,
                "is_anonymous": False,
                "can_promote_members": False,
                **rights,
            }
        known = self.account.chats.get(user_id)
        if known is None:
            raise bad_request("user not found")
        inside = not isinstance(chat, Forum) or user_id in chat.members
        return {"status": "member" if inside else "left", "user": known.user}

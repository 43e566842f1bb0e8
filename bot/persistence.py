"""Conversations that survive a restart: python-telegram-bot's persistence over our own table.

An update counts as handled only after `flush`, which `bot.errors.process` awaits: what the handlers
changed in one update is written in one transaction, and most updates change nothing.
"""

import asyncio
import json
from typing import Any

from telegram.ext import BasePersistence, PersistenceInput

from bot.context import Data
from db import conversations
from db.session import Database

_USER_DATA = "user_data"
"""Beside the conversations' own names, what the people in them have said so far."""

ConversationKey = tuple[int | str, ...]
_Place = tuple[str, str]
_Content = tuple[str, Data]
"""State and data; a conversation has no data of its own, and what people said no state."""


class StoredConversations(BasePersistence[Data, Data, Data]):
    """Conversation states, which are strings, and `user_data`, which is JSON and empty outside of them."""

    def __init__(self, database: Database) -> None:
        super().__init__(
            PersistenceInput(bot_data=False, chat_data=False, user_data=True, callback_data=False)
        )
        self._database = database
        self._stored: dict[_Place, _Content] = {}
        self._unsaved: dict[_Place, _Content | None] = {}
        self._lock = asyncio.Lock()

    async def get_conversations(self, name: str) -> dict[ConversationKey, object]:
        states = await self._load(name)
        return {_key_of(key): state for key, (state, _data) in states.items()}

    async def update_conversation(self, name: str, key: ConversationKey, new_state: object | None) -> None:
        content: _Content | None = None if new_state is None else (str(new_state), {})
        self._note((name, json.dumps(key)), content)

    async def get_user_data(self) -> dict[int, Data]:
        return {int(key): data for key, (_state, data) in (await self._load(_USER_DATA)).items()}

    async def update_user_data(self, user_id: int, data: Data) -> None:
        self._note((_USER_DATA, str(user_id)), ("", data) if data else None)

    async def drop_user_data(self, user_id: int) -> None:
        self._note((_USER_DATA, str(user_id)), None)

    async def flush(self) -> None:
        """Write what has changed; what the database does not take stays to be written next time."""
        async with self._lock:
            if not self._unsaved:
                return
            changes = dict(self._unsaved)
            async with self._database.write() as session:
                for (name, key), content in changes.items():
                    if content is None:
                        await conversations.remove(session, name, key)
                    else:
                        await conversations.put(session, name, key, state=content[0], context=content[1])
            self._settle(changes)

    def _note(self, place: _Place, content: _Content | None) -> None:
        if content != self._stored.get(place):
            self._unsaved[place] = content
        else:
            self._unsaved.pop(place, None)

    def _settle(self, changes: dict[_Place, _Content | None]) -> None:
        for place, content in changes.items():
            if content is None:
                self._stored.pop(place, None)
            else:
                self._stored[place] = content
            if self._unsaved.get(place) == content:
                del self._unsaved[place]

    async def _load(self, name: str) -> dict[str, _Content]:
        async with self._database.read() as session:
            rows = await conversations.of_name(session, name)
        found = {row.key: (row.state, row.context) for row in rows}
        self._stored.update({(name, key): content for key, content in found.items()})
        return found

    # What this bot keeps nowhere: the port of the library wants an answer all the same.

    async def get_chat_data(self) -> dict[int, Data]:
        return {}

    async def get_bot_data(self) -> Data:
        return {}

    async def get_callback_data(self) -> None:
        return None

    async def update_chat_data(self, chat_id: int, data: Data) -> None: ...

    async def update_bot_data(self, data: Data) -> None: ...

    async def update_callback_data(self, data: Any) -> None: ...

    async def drop_chat_data(self, chat_id: int) -> None: ...

    async def refresh_user_data(self, user_id: int, user_data: Data) -> None: ...

    async def refresh_chat_data(self, chat_id: int, chat_data: Data) -> None: ...

    async def refresh_bot_data(self, bot_data: Data) -> None: ...


def _key_of(stored: str) -> ConversationKey:
    return tuple(json.loads(stored))

"""How the bot presents itself: name, descriptions, commands, menu button, and what it may know of people.

Source: Bot API documentation, "getMe", "setMyCommands" and their neighbours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from sandbox.telegram.account import Account, Method
from sandbox.telegram.errors import bad_request
from sandbox.telegram.keyboards import check_web_app
from sandbox.telegram.wire import Object, Params

_TEXTS = {
    "Name": ("name", 64),
    "Description": ("description", 512),
    "ShortDescription": ("short_description", 120),
}
_SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat"}


class Profile:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._commands: dict[tuple[str, str], list[Object]] = {}
        """By scope (as JSON) and language code."""
        self._texts: dict[tuple[str, str], str] = {}
        """By field and language code."""
        self._menu_buttons: dict[int, Object] = {}
        """By chat id; 0 is the default."""
        self.methods: dict[str, Method] = {
            "getMe": self.get_me,
            "getChat": self.get_chat,
            "setMyCommands": self.set_my_commands,
            "getMyCommands": self.get_my_commands,
            "deleteMyCommands": self.delete_my_commands,
            "setChatMenuButton": self.set_chat_menu_button,
            "getChatMenuButton": self.get_chat_menu_button,
        }
        for noun, (field, limit) in _TEXTS.items():
            self.methods[f"setMy{noun}"] = self._setter(field, limit)
            self.methods[f"getMy{noun}"] = self._getter(field)

    def commands_for(self, user: Object) -> list[Object]:
        """What the person's menu shows: the narrowest scope that has commands wins."""
        scopes: list[Object] = [
            {"type": "chat", "chat_id": user["id"]},
            {"type": "all_private_chats"},
            {"type": "default"},
        ]
        for scope in scopes:
            for language in (user.get("language_code", ""), ""):
                if commands := self._commands.get((_scope_key(scope), language)):
                    return commands
        return []

    def text_for(self, field: str, user: Object) -> str:
        """`field` is name, description or short_description."""
        return self._texts.get((field, user.get("language_code", "")), self._texts.get((field, ""), ""))

    def get_me(self, params: Params) -> Object:
        return {
            **self._account.user,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": True,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def get_chat(self, params: Params) -> Object:
        return {
            **self._account.find_chat(params).wire(),
            "accent_color_id": 1,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(
                (
                    "unlimited_gifts",
                    "limited_gifts",
                    "unique_gifts",
                    "premium_subscription",
                    "gifts_from_channels",
                ),
                True,
            ),
        }

    def set_my_commands(self, params: Params) -> bool:
        commands = params.json("commands") or []
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"].removeprefix("/")):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self._commands[self._commands_key(params)] = commands
        return True

    def get_my_commands(self, params: Params) -> list[Object]:
        return self._commands.get(self._commands_key(params), [])

    def delete_my_commands(self, params: Params) -> bool:
        self._commands.pop(self._commands_key(params), None)
        return True

    def _commands_key(self, params: Params) -> tuple[str, str]:
        scope = params.json("scope") or {"type": "default"}
        if scope["type"] not in _SCOPES:
            raise bad_request("unsupported type specified")
        if scope["type"] == "chat" and int(scope["chat_id"]) not in self._account.chats:
            raise bad_request("chat not found")
        return _scope_key(scope), params.text("language_code")

    def set_chat_menu_button(self, params: Params) -> bool:
        button = params.json("menu_button") or {"type": "default"}
        if button["type"] == "web_app":
            check_web_app(button["web_app"])
        self._menu_buttons[params.integer("chat_id")] = button
        return True

    def get_chat_menu_button(self, params: Params) -> Object:
        default = self._menu_buttons.get(0, {"type": "commands"})
        return self._menu_buttons.get(params.integer("chat_id"), default)

    def _setter(self, field: str, limit: int) -> Callable[[Params], bool]:
        def set_text(params: Params) -> bool:
            if len(params.text(field)) > limit:
                raise bad_request(f"bot {field.replace('_', ' ')} is too long")
            self._texts[field, params.text("language_code")] = params.text(field)
            return True

        return set_text

    def _getter(self, field: str) -> Callable[[Params], Object]:
        def get_text(params: Params) -> Object:
            return {field: self._texts.get((field, params.text("language_code")), "")}

        return get_text


def _scope_key(scope: Object) -> str:
    known = {key: int(value) if key == "chat_id" else value for key, value in scope.items()}
    return json.dumps(known, sort_keys=True)

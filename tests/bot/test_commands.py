from collections.abc import Iterable

import pytest
from telegram.ext import BaseHandler, CommandHandler, ConversationHandler

from bot import commands
from bot.language import Language
from services.roles import Role

pytestmark = pytest.mark.anyio


async def test_everybody_sees_the_commands_that_work_for_them(stage, ann, olga):
    await commands.publish(stage.application.bot, await stage.shop.team.roles())
    profile = stage.telegram.profile
    renters = [command["command"] for command in profile.commands_for(ann.chat.user)]
    operators = [command["command"] for command in profile.commands_for(olga.chat.user)]
    assert renters == [
        *("start", "buy", "orders", "balance", "redeem", "invite", "topup"),
        "settings",
        *("help", "terms", "privacy", "paysupport", "cancel"),
    ]
    assert set(operators) - set(renters) == {
        "admin",
        "credit",
        "debit",
        "users",
        "user",
        "order",
        "suppliers",
        "senders",
        "broadcast",
        "vouchers",
        "ban",
        "unban",
        "audit",
        "maintenance",
    }
    assert "No code, no charge" in profile.text_for("description", ann.chat.user)
    assert "No code, no charge" in profile.text_for("short_description", ann.chat.user)


async def test_an_operator_who_never_opened_the_bot_stops_nothing(stage, ann):
    await commands.publish(stage.application.bot, {987654: Role.OWNER})
    assert "No code, no charge" in stage.telegram.profile.text_for("description", ann.chat.user)


def commands_of(handlers: Iterable[BaseHandler]) -> set[str]:
    """What some handlers answer, also as the beginning of a conversation."""
    answered: set[str] = set()
    for handler in handlers:
        if isinstance(handler, CommandHandler):
            answered |= handler.commands
        elif isinstance(handler, ConversationHandler):
            answered |= commands_of(handler.entry_points)
    return answered


async def test_every_command_that_is_answered_is_published(stage):
    english = Language.of("en")
    published = {
        name
        for name, _ in commands.renter_commands(english) + commands.operator_commands(english, Role.OWNER)
    }
    handlers = [handler for group in stage.application.handlers.values() for handler in group]
    assert commands_of(handlers) == published

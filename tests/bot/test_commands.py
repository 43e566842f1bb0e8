from collections.abc import Iterable

import pytest
from telegram import MenuButtonCommands, MenuButtonWebApp
from telegram.ext import BaseHandler, CommandHandler, ConversationHandler

from bot import commands
from bot.language import Language
from db.models import User
from services.roles import Role

pytestmark = pytest.mark.anyio


async def test_everybody_sees_the_commands_that_work_for_them(stage, ann, olga):
    await stage.world.accounts.meet(olga.id, name="Olga", username=None, language_code="en")
    await commands.publish(stage.application.bot, await stage.shop.team.members())
    profile = stage.telegram.profile
    renters = [command["command"] for command in profile.commands_for(ann.chat.user)]
    operators = [command["command"] for command in profile.commands_for(olga.chat.user)]
    assert renters == [
        *("start", "buy", "orders", "balance", "redeem", "invite", "topup"),
        *("settings", "language", "support"),
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
        "webhooks",
        "pricing",
        "senders",
        "broadcast",
        "vouchers",
        "ban",
        "unban",
        "audit",
        "export",
        "stats",
        "maintenance",
    }
    assert "No code, no charge" in profile.text_for("description", ann.chat.user)
    assert "No code, no charge" in profile.text_for("short_description", ann.chat.user)


async def test_an_operator_who_never_opened_the_bot_stops_nothing(stage, ann):
    await commands.publish(
        stage.application.bot, [(User(id=987654, created_at=stage.world.clock.now()), Role.OWNER)]
    )
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


async def test_the_button_beside_the_message_box_opens_the_page_where_there_is_one(stage):
    bot = stage.application.bot
    await commands.publish(bot, [], page_url="https://numlet.example/app")
    button = await bot.get_chat_menu_button()
    assert isinstance(button, MenuButtonWebApp)
    assert button.web_app.url == "https://numlet.example/app"
    await commands.publish(bot, [])
    assert isinstance(await bot.get_chat_menu_button(), MenuButtonCommands)

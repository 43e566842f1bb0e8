"""What Telegram shows of the bot before anybody has written to it, and in its menus."""

from collections.abc import Collection, Coroutine, Mapping
from typing import Any

import structlog
from telegram import BotCommandScopeChat, MenuButtonCommands, MenuButtonWebApp, WebAppInfo
from telegram.error import TelegramError

from bot.context import Bot
from bot.language import CATALOGUES, ENGLISH, Language
from db.models import User
from services.roles import RIGHTS, Right, Role

log = structlog.get_logger()

COMMANDS: Mapping[str, Right] = {
    "admin": Right.DESK,
    "credit": Right.MONEY,
    "debit": Right.MONEY,
    "vouchers": Right.MONEY,
    "users": Right.PEOPLE,
    "user": Right.PEOPLE,
    "order": Right.PEOPLE,
    "ban": Right.BAN,
    "unban": Right.BAN,
    "suppliers": Right.SHOP,
    "webhooks": Right.SHOP,
    "pricing": Right.SHOP,
    "senders": Right.SHOP,
    "broadcast": Right.BROADCAST,
    "audit": Right.AUDIT,
    "stats": Right.AUDIT,
    "export": Right.AUDIT,
    "maintenance": Right.MAINTENANCE,
}
"""Which right each of the operators' commands needs."""


def renter_commands(language: Language) -> list[tuple[str, str]]:
    _ = language._
    return [
        ("start", _("The menu")),
        ("buy", _("Buy a number: /buy whatsapp indonesia")),
        ("orders", _("Your numbers and codes")),
        ("balance", _("Your money")),
        ("redeem", _("Use a voucher: CODE")),
        ("invite", _("Bring friends and earn")),
        ("topup", _("Add money with Telegram Stars")),
        ("settings", _("Language, currency, and what you get by SMS")),
        ("language", _("The language I write in")),
        ("support", _("Write to us")),
        ("help", _("How it works")),
        ("terms", _("The rules")),
        ("privacy", _("What we keep about you")),
        ("paysupport", _("Help with a payment")),
        ("cancel", _("Leave what you are typing")),
    ]


def operator_commands(language: Language, role: Role) -> list[tuple[str, str]]:
    """What somebody in this role may call."""
    _ = language._
    commands = [
        ("admin", _("The operator's panel")),
        ("credit", _("Give a renter money: ID AMOUNT [reason]")),
        ("debit", _("Take money back: ID AMOUNT [reason]")),
        ("ban", _("Keep somebody out: ID [reason]")),
        ("unban", _("Let them back in: ID")),
        ("users", _("Find renters: [text]")),
        ("user", _("One renter: ID")),
        ("order", _("One order: ID")),
        ("suppliers", _("Balance, health and webhooks")),
        ("webhooks", _("Whether suppliers reach us")),
        ("pricing", _("Rules for prices")),
        ("senders", _("Who sends our SMS")),
        ("broadcast", _("A message to everybody, or to some")),
        ("vouchers", _("Vouchers: [AMOUNT USES LIFETIME [WORD]]")),
        ("audit", _("Whether all sums agree, the margin, and who did what: [log [ID]]")),
        ("stats", _("Figures and pictures: today, 7, 30 and 90 days")),
        ("export", _("The books as CSV")),
        ("maintenance", _("Close the shop for a while: on [text] | off")),
    ]
    return [(name, says) for name, says in commands if COMMANDS[name] in RIGHTS[role]]


def description(language: Language) -> str:
    """What somebody reads who has not pressed Start yet; at most 512 characters."""
    return language._(
        "Rent a phone number for minutes and get its code right here.\n\n"
        "Pick a service and a country, tap Buy, and the code arrives as a message. "
        "No code, no charge."
    )


def short_description(language: Language) -> str:
    """Stands on the bot's profile and below shared links; at most 120 characters."""
    return language._("Rent a phone number, get its code here. No code, no charge.")


async def publish(bot: Bot, team: Collection[tuple[User, Role]], *, page_url: str = "") -> None:
    """Set descriptions and menus in every language; those in `team` see the commands of their role.

    `page_url`: what the button beside the message box opens; where it is empty, the commands.
    They are a courtesy: what fails is logged and does no harm.
    """
    for code in CATALOGUES.codes:
        await _publish_language(bot, code)
    page = MenuButtonWebApp(Language.of(ENGLISH)._("Shop"), WebAppInfo(page_url)) if page_url else None
    await _try(bot.set_chat_menu_button(menu_button=page or MenuButtonCommands()))
    for user, role in team:
        await _try(publish_menu(bot, user, role))


async def _publish_language(bot: Bot, code: str) -> None:
    """English is for everybody whose language has nothing of its own."""
    language, tag = Language.of(code), "" if code == ENGLISH else code.partition("_")[0]
    await _try(bot.set_my_commands(renter_commands(language), language_code=tag))
    await _try(bot.set_my_description(description(language), language_code=tag))
    await _try(bot.set_my_short_description(short_description(language), language_code=tag))


async def publish_menu(bot: Bot, user: User, role: Role | None) -> bool:
    """The commands that one person sees, where they are not what everybody does. Raises TelegramError."""
    scope, language = BotCommandScopeChat(user.id), Language.of(user.language)
    if role:
        return await bot.set_my_commands(renter_commands(language) + operator_commands(language, role), scope)
    if user.chosen_language:
        return await bot.set_my_commands(renter_commands(language), scope)
    return await bot.delete_my_commands(scope)


async def _try(call: Coroutine[Any, Any, bool]) -> None:
    try:
        await call
    except TelegramError as error:
        log.warning("commands.not_published", error=f"{type(error).__name__}: {error}")

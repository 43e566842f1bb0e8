"""What Telegram shows of the bot before anybody has written to it, and in its menus."""

from collections.abc import Coroutine, Mapping
from typing import Any

import structlog
from telegram import BotCommandScopeChat
from telegram.error import TelegramError

from bot.context import Bot
from bot.language import Language
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
    "senders": Right.SHOP,
    "broadcast": Right.BROADCAST,
    "audit": Right.AUDIT,
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
        ("settings", _("Your phone, and what it gets by SMS")),
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
        ("senders", _("Who sends our SMS")),
        ("broadcast", _("A message to everybody, or to some")),
        ("vouchers", _("Vouchers: [AMOUNT USES LIFETIME [WORD]]")),
        ("audit", _("Whether all sums agree, the margin, and who did what: [log [ID]]")),
        ("maintenance", _("Close the shop for a while: on [text] | off")),
    ]
    return [(name, says) for name, says in commands if COMMANDS[name] in RIGHTS[role]]


async def publish(bot: Bot, roles: Mapping[int, Role]) -> None:
    """Set descriptions and menus; those in `roles` see their own.

    They are a courtesy: what fails is logged and does no harm.
    """
    language = Language.of("en")
    _ = language._
    renters = renter_commands(language)
    await _try(bot.set_my_commands(renters))
    for user_id, role in roles.items():
        await _try(publish_menu(bot, user_id, role))
    await _try(
        bot.set_my_description(
            _(
                "Rent a phone number for minutes and get its code right here.\n\n"
                "Pick a service and a country, tap Buy, and the code arrives as a message. "
                "No code, no charge."
            )
        )
    )
    await _try(bot.set_my_short_description(_("Rent a phone number, get its code here. No code, no charge.")))


async def publish_menu(bot: Bot, user_id: int, role: Role | None) -> bool:
    """The commands that one person sees: a renter's, and those of their role. Raises TelegramError."""
    scope, language = BotCommandScopeChat(user_id), Language.of("en")
    if role is None:
        return await bot.delete_my_commands(scope)
    return await bot.set_my_commands(renter_commands(language) + operator_commands(language, role), scope)


async def _try(call: Coroutine[Any, Any, bool]) -> None:
    try:
        await call
    except TelegramError as error:
        log.warning("commands.not_published", error=f"{type(error).__name__}: {error}")

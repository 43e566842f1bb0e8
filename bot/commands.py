"""What Telegram shows of the bot before anybody has written to it, and in its menus."""

from collections.abc import Collection, Coroutine
from typing import Any

import structlog
from telegram import BotCommandScopeChat
from telegram.error import TelegramError

from bot.context import Bot
from bot.language import Language

log = structlog.get_logger()


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
        ("help", _("How it works")),
        ("terms", _("The rules")),
        ("privacy", _("What we keep about you")),
        ("paysupport", _("Help with a payment")),
        ("cancel", _("Leave what you are typing")),
    ]


def operator_commands(language: Language) -> list[tuple[str, str]]:
    _ = language._
    return [
        ("admin", _("The operator's panel")),
        ("credit", _("Give a renter money: ID AMOUNT [reason]")),
        ("debit", _("Take money back: ID AMOUNT [reason]")),
        ("users", _("Find renters: [text]")),
        ("user", _("One renter: ID")),
        ("order", _("One order: ID")),
        ("suppliers", _("Balance, health and webhooks")),
        ("senders", _("Who sends our SMS")),
        ("broadcast", _("A message to everybody, or to some")),
        ("vouchers", _("Vouchers: [AMOUNT USES LIFETIME [WORD]]")),
        ("audit", _("Whether all sums agree, and the margin")),
    ]


async def publish(bot: Bot, admin_ids: Collection[int]) -> None:
    """Set the menus and descriptions. They are a courtesy: what fails is logged and does no harm."""
    language = Language.of("en")
    _ = language._
    renters = renter_commands(language)
    await _try(bot.set_my_commands(renters))
    for admin_id in admin_ids:
        everything = renters + operator_commands(language)
        await _try(bot.set_my_commands(everything, BotCommandScopeChat(admin_id)))
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


async def _try(call: Coroutine[Any, Any, bool]) -> None:
    try:
        await call
    except TelegramError as error:
        log.warning("commands.not_published", error=f"{type(error).__name__}: {error}")

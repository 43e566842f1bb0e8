"""Invitations, as those who invite and those who are invited read of them."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import Reader, View, bold, code, copy_button
from bot.views.start import home_button
from services.invitations import Invites

SHARE = "https://t.me/share/url"
"""Opens Telegram's list of chats. Source: core.telegram.org/widgets/share."""


@dataclass(frozen=True, slots=True)
class Reward:
    """How much an invitation brings: `percent` of each of a friend's first `purchases` numbers."""

    percent: Decimal
    purchases: int


def invite(reader: Reader, invites: Invites, reward: Reward, *, link: str, currency: str) -> View:
    _ = reader.language._
    what = reader.language.ngettext(
        "You get {percent}% of what a friend pays for the first number whose code comes.",
        "You get {percent}% of what a friend pays for each of the first {count} numbers whose code comes.",
        reward.purchases,
    )
    earned = reader.language.money(invites.earned, currency)
    words = _("Rent a phone number for minutes, and get its code in Telegram.")
    return View.of(
        [
            bold(_("Invite friends")),
            "",
            _fill(what, reader.language, reward),
            _("It costs your friends nothing, and we tell them about it."),
            "",
            _("Friends who came: {count}").format(count=bold(reader.language.number(invites.friends))),
            _("Earned: {amount}").format(amount=bold(earned)),
            "",
            code(link),
        ],
        [
            [
                InlineKeyboardButton(
                    _("Share"), url=f"{SHARE}?url={quote(link, '')}&text={quote(words, '')}"
                ),
                copy_button(_("Copy link"), link),
            ],
            [home_button(reader)],
        ],
    )


def invited(language: Language, name: str, reward: Reward) -> list[str]:
    """For somebody who came by a link; stands above the terms."""
    what = language.ngettext(
        "They get {percent}% of what you pay for your first number. You pay nothing more for it.",
        "They get {percent}% of what you pay for your first {count} numbers. You pay nothing more for it.",
        reward.purchases,
    )
    who = language._("{name} invited you.").format(name=bold(name))
    return [f"{who} {_fill(what, language, reward)}"]


def rewarded(language: Language, amount: int, currency: str) -> View:
    """For the inviter. It does not say which friend: what they rent is their own business."""
    money = bold(language.money(amount, currency))
    text = language._("🎁 A friend whom you invited has rented a number: {amount} was added to your balance.")
    return View.of([text.format(amount=money)])


def closed(reader: Reader) -> View:
    _ = reader.language._
    return View.of([_("There is no reward for invitations at the moment.")], [[home_button(reader)]])


def _fill(text: str, language: Language, reward: Reward) -> str:
    percent = language.number(reward.percent)
    return text.format(percent=percent, count=language.number(reward.purchases))

"""Conversations with renters, on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.helpers import create_deep_linked_url

from bot.language import Language
from bot.views.cards import sign
from bot.views.screen import Reader, Row, View, bold, code, escape, moment
from bot.views.start import home_button
from db.models import User
from services.accounts import Wallet
from services.orders import PurchaseView

_NAME_LIMIT, _TOPIC_LIMIT = 40, 128


@dataclass(frozen=True, slots=True)
class Facts:
    """What operators see of a renter at the top of the conversation."""

    user: User
    wallet: Wallet
    orders: Sequence[PurchaseView]


def screen(reader: Reader) -> View:
    """What comes when somebody asks for support: all that they write now is carried."""
    _ = reader.language._
    return View.of(
        [
            bold(_("Support")),
            "",
            _("Write what you need. Photos, files and voice messages are fine, too."),
            _("A person reads it and answers here."),
            "",
            _("Is it about an order? Open it and tap “Problem with this order”: then we see what happened."),
            "",
            _("To leave: /cancel"),
        ],
        [[reader.button(_("My orders"), "orders", "history", 0), home_button(reader)]],
    )


def sent(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("Sent. The answer comes here. What else you write goes to support, too, until you tap Leave.")],
        [[reader.button(_("Leave"), "home")]],
    )


def answer_keyboard(reader: Reader) -> InlineKeyboardMarkup:
    """Below an operator's answer."""
    return InlineKeyboardMarkup([[reader.button(reader.language._("Answer"), "support", "below")]])


def not_carried(language: Language) -> View:
    """For whoever wrote something that Telegram does not let us copy."""
    return View.of([language._("This kind of message cannot be passed on. Please write it in another way.")])


def topic_name(user: User) -> str:
    return f"{_name(user)} · {user.id}"[:_TOPIC_LIMIT]


def header(language: Language, renter: User, author: User) -> View:
    """The line above a message in an operator's private chat."""
    _ = language._
    if author.id != renter.id:
        text = _("↩️ {author} answered {renter}")
        return View.of([text.format(author=bold(_name(author)), renter=_title(renter))])
    return View.of(["✉️ " + _title(renter), _("Reply to the message to answer.")])


def facts(reader: Reader, shown: Facts, bot_name: str) -> View:
    """The first message of a topic."""
    _, money = reader.language._, reader.language.money
    user, wallet = shown.user, shown.wallet
    lines = [
        _title(user),
        "",
        _("Balance: {amount}").format(amount=bold(money(wallet.available, wallet.currency))),
        _("Reserved: {amount}").format(amount=money(wallet.held, wallet.currency)),
        _("First met: {when}").format(when=moment(user.created_at)),
    ]
    if wallet.debt:
        lines.append(_("Owes us: {amount}").format(amount=money(wallet.debt, wallet.currency)))
    if user.banned_at:
        lines.append(_("🚫 Banned: {reason}").format(reason=escape(user.ban_reason or _("no reason given"))))
    return View.of(
        [*lines, "", _("What you write in this topic goes to them. /close closes it.")],
        [
            *([_order_link(reader.language, view, bot_name)] for view in shown.orders),
            _facts_row(reader, user, bot_name),
        ],
    )


def _facts_row(reader: Reader, user: User, bot_name: str) -> Row:
    _ = reader.language._
    return [
        InlineKeyboardButton(_("User"), url=create_deep_linked_url(bot_name, f"user_{user.id}")),
        reader.button(_("Refresh"), "facts", user.id),
    ]


def _order_link(language: Language, view: PurchaseView, bot_name: str) -> InlineKeyboardButton:
    """To the order in the operator's own chat."""
    order = view.orders[0].order
    label = f"{sign(order.status)} {order.id} · {language.service(view.service.name)}"
    return InlineKeyboardButton(label, url=create_deep_linked_url(bot_name, f"order_{order.id}"))


def blocked(language: Language) -> View:
    """For the operator whose answer did not arrive."""
    return View.of([language._("Not delivered: they have blocked the bot.")])


def no_right(language: Language) -> View:
    """For somebody in the operators' group who may not answer."""
    _ = language._
    return View.of(
        [
            _(
                "Not passed on: only operators answer renters, and none who is anonymous here."
                " An owner adds operators: /admin, Team."
            )
        ]
    )


def closed(language: Language) -> View:
    return View.of([language._("Closed. It opens again when they write.")])


def cannot_close(language: Language) -> View:
    return View.of([language._("I may not close topics here. Please give me the right to manage topics.")])


def _title(user: User) -> str:
    username = f" @{escape(user.username)}" if user.username else ""
    return f"{bold(_name(user))}{username} · {code(str(user.id))}"


def _name(user: User) -> str:
    return user.name[:_NAME_LIMIT] or str(user.id)

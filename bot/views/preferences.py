"""`/settings`: what renters choose for themselves, and the linking of their phone."""

from dataclasses import dataclass
from typing import Any

from telegram import KeyboardButton, ReplyKeyboardMarkup

from bot.language import Language
from bot.views import choices
from bot.views.screen import DANGER, Reader, Row, View, bold, escape
from bot.views.start import home_button
from db.models import LinkedPhone, User
from services.accounts import CODES_ERASED_AFTER
from services.phones import Wish
from services.places import mask_phone

HOUR = 60
"""Minutes."""


@dataclass(frozen=True, slots=True)
class TextingState:
    """What SMS can do for a renter, and does."""

    phone: LinkedPhone | None
    price: int | None
    """Of each part of a forwarded code, in minor units of `currency`; None where it is not offered."""
    currency: str
    is_operator: bool
    heeds_stop: bool
    """Whether answering STOP to a text ends them."""


def settings(
    reader: Reader,
    user: User,
    texting: TextingState | None,
    *,
    currency: str | None = None,
    rewards: bool = False,
    news: str = "",
) -> View:
    """`texting`: None where no SMS can be sent. `currency`: the one that prices are also shown in.

    `rewards`: whether invitations earn some. `news`: what has just changed.
    """
    _ = reader.language._
    lines = [bold(_("Settings")), "", *choices.lines(reader.language, currency)]
    rows = [choices.row(reader)]
    if news:
        lines = [news, "", *lines]
    lines += ["", *_chat_lines(reader.language, user)]
    rows.append(_chat_row(reader, user))
    if rewards:
        told = user.told_of_rewards
        label = _switched(reader.language, _("Messages about rewards"), told)
        rows.append([reader.button(label, "rewardnews", 0 if told else 1)])
    if texting:
        lines += ["", *_texting_lines(reader.language, texting)]
        rows += _texting_rows(reader, texting)
    rows.append([reader.button(_("Price alerts"), "lookouts")])
    return View.of(lines, [*rows, [reader.button(_("Erase my data"), "forgetme"), home_button(reader)]])


def _chat_lines(language: Language, user: User) -> list[str]:
    _ = language._
    news = _("News here in the chat: {state}").format(
        state=bold(_("on") if user.takes_broadcasts else _("off"))
    )
    kept = _("Codes in this chat: {state}").format(state=bold(_erasure(language, user.codes_erased_after)))
    return [news, kept]


def _chat_row(reader: Reader, user: User) -> Row:
    _ = reader.language._
    label = _("Stop news") if user.takes_broadcasts else _("Get news")
    return [
        reader.button(label, "chatnews", 0 if user.takes_broadcasts else 1),
        reader.button(_("Delete codes…"), "codeerasure"),
    ]


def _erasure(language: Language, minutes: int | None) -> str:
    """What becomes of a code's message."""
    if minutes is None:
        return language._("they stay")
    if minutes < HOUR:
        text = language.ngettext("deleted after {count} minute", "deleted after {count} minutes", minutes)
        return text.format(count=language.number(minutes))
    hours = minutes // HOUR
    text = language.ngettext("deleted after {count} hour", "deleted after {count} hours", hours)
    return text.format(count=language.number(hours))


def code_erasure(reader: Reader, user: User) -> View:
    """When codes are deleted from the chat."""
    _ = reader.language._
    chosen = user.codes_erased_after

    def choice(minutes: int | None) -> Row:
        label = _erasure(reader.language, minutes)
        label = label[:1].upper() + label[1:]
        return [reader.button(f"✓ {label}" if minutes == chosen else label, "erasecodes", minutes or 0)]

    return View.of(
        [
            bold(_("Codes in this chat")),
            "",
            _("I can delete each code from this chat some time after it came, starting with the next one."),
            _("After 48 hours Telegram does not let me, so 47 hours are the most."),
            _("Until it is erased for good, you can still copy it under My orders."),
        ],
        [*map(choice, (None, *CODES_ERASED_AFTER)), [reader.button(_("‹ Settings"), "settings")]],
    )


def _texting_lines(language: Language, texting: TextingState) -> list[str]:
    _ = language._
    phone = texting.phone
    lines = [
        _("Your phone: {phone}").format(phone=bold(mask_phone(phone.phone_number)))
        if phone
        else _("Link your phone, and texts can go there, too.")
    ]
    if texting.price is not None:
        price = language.money(texting.price, texting.currency)
        lines += [
            "",
            _(
                "<b>Codes by SMS</b>: every code also comes to your phone. {price} per SMS from your balance;"
                " a long one counts as several. If it cannot be sent, the money comes back."
            ).format(price=escape(price)),
        ]
    if phone:
        lines += ["", _("<b>News by SMS</b>: a text now and then when there is something new.")]
        if texting.heeds_stop:
            lines.append(_("Answer STOP to any text, and nothing more is texted to you."))
    return lines


def _texting_rows(reader: Reader, texting: TextingState) -> list[Row]:
    _ = reader.language._
    phone = texting.phone
    if phone is None:
        return [[reader.button(_("Link my phone"), "phonelink")]]
    wishes = [(_("Codes by SMS"), Wish.CODES, phone.forwards_codes)] if texting.price is not None else []
    wishes.append((_("News by SMS"), Wish.NEWS, phone.takes_news))
    if texting.is_operator:
        wishes.append((_("Alarms by SMS"), Wish.ALARMS, phone.takes_alarms))
    return [
        *([_switch(reader, *wish)] for wish in wishes),
        [
            reader.button(_("Another phone"), "phonelink"),
            reader.button(_("Unlink"), "phoneunlink", style=DANGER),
        ],
    ]


def _switch(reader: Reader, label: str, wish: Wish, on: bool) -> Any:
    return reader.button(_switched(reader.language, label, on), "wish", wish, 0 if on else 1)


def _switched(language: Language, label: str, on: bool) -> str:
    """The name of a switch, with how it stands."""
    _ = language._
    return (_("✅ {what}: on") if on else _("{what}: off")).format(what=label)


def ask_phone(reader: Reader, *, problem: str = "") -> View:
    _ = reader.language._
    lines = [problem, ""] if problem else []
    lines += [
        _("Which phone? Tap the button below, or write its number, like +61 400 000 000."),
        _("I text it a code, which you then type here. To leave: /cancel"),
    ]
    return View.of(lines)


def share_keyboard(language: Language) -> ReplyKeyboardMarkup:
    """The only way in which Telegram lets a bot ask for somebody's own number."""
    button = KeyboardButton(language._("Share my number"), request_contact=True)
    return ReplyKeyboardMarkup([[button]], resize_keyboard=True, one_time_keyboard=True)


def ask_code(reader: Reader, phone_number: str) -> View:
    _ = reader.language._
    text = _("A code is on its way to {phone}. Type it here within ten minutes.")
    return View.of([text.format(phone=bold(mask_phone(phone_number)))])


def check_text(language: Language, otp: str) -> str:
    """The SMS itself: plain text."""
    return language._("{code} links this phone to Numlet. Do not tell it to anybody.").format(code=otp)


def foreign_contact(language: Language) -> str:
    return language._("That is somebody else's contact. Share your own number.")


def no_phone(language: Language) -> str:
    return language._("That is no phone number. Begin with + and the country, like +61.")


def linked(language: Language, phone: LinkedPhone) -> str:
    text = language._("✅ {phone} is your phone now. Choose what it shall get.")
    return text.format(phone=bold(mask_phone(phone.phone_number)))


def notice(reader: Reader, name: str) -> View:
    """A word about what changed by itself."""
    _ = reader.language._
    words = {
        "forwarding_unpaid": _(
            "Codes no longer go to your phone: your balance is too low for an SMS."
            " They still arrive here. Top up and switch it on again."
        ),
        "phone_unsubscribed": _("Your phone has asked for no more SMS, so I have switched them off."),
        "phone_stopped": _(
            "Your phone has answered STOP, so nothing is texted to it any more."
            " To undo that, text START from it to the same number."
        ),
        "phone_resumed": _("Your phone has answered START, so it can be texted again. Choose what it gets."),
        "phone_invalid": _("Your phone cannot be texted, so I have switched SMS off."),
        "phone_taken": _("Somebody else has proven that your linked phone is theirs. It is unlinked here."),
        "check_failed": _("The code could not be texted to your phone. Nothing is linked."),
    }
    return View.of([words[name]], [[reader.button(_("Settings"), "settings")]])

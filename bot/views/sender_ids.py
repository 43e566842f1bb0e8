"""Numbers and names of the operator's own that texts may come from."""

from collections.abc import Sequence

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import Reader, Row, View, bold, code, escape
from services.errors import (
    AccessRefused,
    NameInvalid,
    NameRequired,
    NumberInvalid,
    NumberRequired,
    NumberTaken,
    OtpRefused,
    UpstreamError,
    UpstreamRefused,
    UpstreamUnavailable,
)
from services.sender_ids import OwnId, Standing


def book(reader: Reader, sender: str, known: Sequence[OwnId], in_use: str | None) -> View:
    """All sender IDs of one sender that we know of."""
    _ = reader.language._
    lines = [bold(_("Sender IDs at {sender}").format(sender=sender)), ""]
    lines.append(_("Texts come from: {id}").format(id=escape(in_use or _("its own number"))))
    lines += ["", *(_line(reader.language, own) for own in known)]
    own_number = [reader.button(_("Use its own number"), "siduse", sender, "")] if in_use else []
    return View.of(
        lines,
        [
            *(_buttons(reader, sender, own) for own in known if own.sender_id != in_use),
            own_number,
            [
                reader.button(_("Add a number"), "sidnumber", sender),
                reader.button(_("Request a name"), "sidname", sender),
            ],
            [reader.button(_("‹ Senders"), "senders")],
        ],
    )


def _line(language: Language, own: OwnId) -> str:
    _ = language._
    words = {
        Standing.VERIFIED: _("verified"),
        Standing.UNVERIFIED: _("not verified yet"),
        Standing.REQUESTED: _("requested; the vendor tells you when it is approved"),
    }
    return f"{code(own.sender_id)} – {words[own.standing]}"


def _buttons(reader: Reader, sender: str, own: OwnId) -> Row:
    _ = reader.language._
    if own.standing is Standing.UNVERIFIED:
        label = _("Verify {id}").format(id=own.sender_id)
        return [reader.button(label, "sidverify", sender, own.sender_id)]
    return [_use_button(reader, sender, own)]


def _use_button(reader: Reader, sender: str, own: OwnId) -> InlineKeyboardButton:
    return reader.button(
        reader.language._("Use {id}").format(id=own.sender_id), "siduse", sender, own.sender_id
    )


def ask_name(reader: Reader, sender: str, problem: str = "") -> View:
    return _ask(reader, sender, reader.language._("What shall the number be called? Write a name."), problem)


def ask_number(reader: Reader, sender: str, problem: str = "") -> View:
    _ = reader.language._
    return _ask(reader, sender, _("Which number? Write it, like +61 400 000 000. You must have it."), problem)


def ask_otp(reader: Reader, sender: str, phone_number: str, problem: str = "") -> View:
    _ = reader.language._
    text = _("{phone} has been sent a code. Write it here.").format(phone=code(phone_number))
    return _ask(reader, sender, text, problem)


def ask_alpha(reader: Reader, sender: str, problem: str = "") -> View:
    _ = reader.language._
    return _ask(reader, sender, _("Which name? 3 to 11 letters, digits, spaces or dashes."), problem)


def _ask(reader: Reader, sender: str, question: str, problem: str) -> View:
    lines = [escape(problem), question] if problem else [question]
    return View.of(lines, [[_back(reader, sender)]])


def verified(reader: Reader, sender: str, own: OwnId) -> View:
    _ = reader.language._
    return View.of(
        [
            _("✅ {id} is yours, and {sender} can text from it.").format(
                id=code(own.sender_id), sender=bold(sender)
            ),
            _("Each text from a number or name of your own may cost more there."),
        ],
        [[_use_button(reader, sender, own)], [_back(reader, sender)]],
    )


def requested(reader: Reader, sender: str, own: OwnId) -> View:
    _ = reader.language._
    text = _("{sender} was asked for {id}. Its people will get in touch with you; use it when they agree.")
    said = text.format(id=code(own.sender_id), sender=bold(sender))
    return View.of([said], [[_back(reader, sender)]])


def failed(reader: Reader, sender: str, problem: str) -> View:
    return View.of([escape(problem)], [[_back(reader, sender)]])


def sentence(error: UpstreamError, language: Language) -> str:
    """What went wrong, and what can be done about it."""
    _ = language._
    match error:
        case NameRequired():
            return _("It needs a name.")
        case NameInvalid():
            return _("That cannot be a sender's name.")
        case NumberRequired():
            return _("It needs a phone number.")
        case NumberInvalid():
            return _("That is no number that this sender takes.")
        case NumberTaken():
            return _("This number is registered there already. If it got a code, write the code here.")
        case OtpRefused():
            return _("That is not the code. Please look again.")
        case AccessRefused():
            return _("The sender refuses our key. Please check its setting.")
        case UpstreamUnavailable():
            return _("The sender cannot be reached just now. Nothing was changed; please try later.")
        case UpstreamRefused():
            return _("The sender refused it, and did not say why in words that I know.")
        case _:
            return _("The sender gave no clear answer. It may have done it all the same.")


def _back(reader: Reader, sender: str) -> InlineKeyboardButton:
    return reader.button(reader.language._("‹ Sender IDs"), "senderids", sender)

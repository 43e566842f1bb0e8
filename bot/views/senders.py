"""What operators read about the senders of SMS and the texts that they test them with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import Reader, Row, View, bold, columns, escape, moment
from db.models import TextMessage, TextStatus
from services.places import mask_phone
from services.senders.base import Device, Sender, Usage
from services.supply import Health

USAGE_SHOWN = DEVICES_SHOWN = 8
NAME_SHOWN = 40
"""Characters of what others have named."""


@dataclass(frozen=True, slots=True)
class SenderState:
    """What is known of one sender now."""

    sender: Sender
    health: Health
    sender_id: str | None
    """Whom its texts come from; its own choice where None."""
    has_sender_ids: bool
    usage: Sequence[Usage] | None = None
    devices: Sequence[Device] | None = None
    """None where it has no such thing, or did not answer."""
    newsletters: bool | None = None
    """Whether its news goes out as newsletters; None where it has none."""


def senders(reader: Reader, states: Sequence[SenderState], choices: Mapping[str, str]) -> View:
    _ = reader.language._
    lines = [bold(_("Senders of SMS"))]
    for state in states:
        lines += ["", *_state(reader.language, state)]
    if not states:
        lines += ["", _("None is connected: set CELLCAST_TOKEN or SMSGATEWAY24_TOKEN.")]
    if choices:
        lines += ["", bold(_("Chosen by you"))]
        lines += [f"{reader.language.country(iso)} – {escape(name)}" for iso, name in sorted(choices.items())]
    buttons = [row for state in states for row in _sender_buttons(reader, state)]
    return View.of(lines, [*buttons, *_foot(reader, states)])


def _sender_buttons(reader: Reader, state: SenderState) -> list[Row]:
    _ = reader.language._
    name = state.sender.name
    row = [reader.button(_("Test {sender}").format(sender=name), "texttest", name)]
    if state.has_sender_ids:
        row.append(reader.button(_("Sender ID"), "senderids", name))
    if state.newsletters is None:
        return [row]
    label = _("Send news in bulk") if state.newsletters else _("Send news as newsletter")
    return [row, [reader.button(label, "newsletters", name, 0 if state.newsletters else 1)]]


def _foot(reader: Reader, states: Sequence[SenderState]) -> list[Row]:
    _ = reader.language._
    country = [reader.button(_("Sender by country"), "textroute")] if states else []
    return [
        country,
        [reader.button(_("Refresh"), "senders"), reader.button(_("‹ Operator"), "panel")],
    ]


def _state(language: Language, state: SenderState) -> list[str]:
    _ = language._
    health = state.health
    well = _("🟢 working") if not health.failures else _("🔴 does not work now")
    lines = [
        f"{bold(state.sender.name)} {well}",
        _("Texts to: {countries}").format(countries=_countries(language, state.sender)),
    ]
    if state.has_sender_ids:
        lines.append(_("Texts come from: {id}").format(id=escape(state.sender_id or _("its own number"))))
    if state.newsletters:
        lines.append(_("News goes out as newsletters: each phone becomes a contact in your account there"))
    elif state.newsletters is not None:
        lines.append(_("News goes out in bulk"))
    if health.failures and health.last_error:
        lines.append(_("Last trouble: {error}").format(error=escape(health.last_error)))
    return [*lines, *_usage(language, state.usage), *_devices(language, state.devices)]


def _countries(language: Language, sender: Sender) -> str:
    if sender.countries is None:
        return language._("all countries")
    return language.join(language.country(iso) for iso in sorted(sender.countries))


def _usage(language: Language, usage: Sequence[Usage] | None) -> list[str]:
    _ = language._
    if usage is None:
        return []
    if not usage:
        return [_("Nothing sent yet")]
    return [
        _("Used for {what}: {parts} SMS, credits: {credits}").format(
            what=escape(used.name[:NAME_SHOWN]),
            parts=language.number(used.parts),
            credits=language.number(used.credits),
        )
        for used in usage[:USAGE_SHOWN]
    ]


def _devices(language: Language, devices: Sequence[Device] | None) -> list[str]:
    _ = language._
    if devices is None:
        return []
    if not devices:
        return [_("No phone is registered")]
    return [
        _("📱 {name} ({sims}), last seen {when}").format(
            name=escape(device.name[:NAME_SHOWN]),
            sims=escape(language.join(sim.carrier[:NAME_SHOWN] for sim in device.sims) or _("no SIM")),
            when=moment(device.last_seen_at) if device.last_seen_at else _("never"),
        )
        for device in devices[:DEVICES_SHOWN]
    ]


def ask_test_number(reader: Reader, sender: Sender, *, wrong: bool = False) -> View:
    _ = reader.language._
    question = _("Which phone shall {sender} text? Write its number, like +61 400 000 000.")
    lines = [question.format(sender=bold(sender.name))]
    if wrong:
        lines.insert(0, _("That is no phone number that it can text."))
    return View.of(lines, [[_back(reader)]])


def test_text(language: Language) -> str:
    """The SMS itself: plain text."""
    return language._("This is a test of Numlet's SMS. If you can read it, they work.")


def test_queued(reader: Reader, sender: str, phone_number: str) -> View:
    _ = reader.language._
    text = _("{sender} is asked to text {phone}. You will read here what comes of it.")
    said = text.format(sender=bold(sender), phone=escape(mask_phone(phone_number)))
    return View.of([said], [[_back(reader)]])


def text_news(reader: Reader, text: TextMessage, *, has_sender_ids: bool) -> View:
    """How a text fares, in words."""
    words = _words(reader.language, text, has_sender_ids=has_sender_ids).format(
        sender=bold(text.sender or ""),
        phone=escape(mask_phone(text.phone_number)),
        parts=reader.language.number(text.parts),
    )
    lines = [words]
    if text.reason:
        lines.append(reader.language._("Its own words: {words}").format(words=escape(text.reason)))
    return View.of(lines, [[_back(reader)]])


def _words(language: Language, text: TextMessage, *, has_sender_ids: bool) -> str:
    _ = language._
    match text.status:
        case TextStatus.ACCEPTED:
            return _("✅ {sender} has taken your test to {phone}, as {parts} SMS.")
        case TextStatus.SENT:
            return _("📤 {sender} has sent your test to {phone}.")
        case TextStatus.DELIVERED:
            return _("✅ Your test has arrived at {phone}.")
        case TextStatus.FAILED:
            return _failure(language, text.failure, has_sender_ids=has_sender_ids)
        case TextStatus.UNKNOWN:
            return _(
                "❔ {sender} gave no clear answer, so nobody knows whether {phone} was texted."
                " It will not be tried again."
            )
        case _:
            return _("⏳ The test to {phone} is on its way.")


def _failure(language: Language, failure: str | None, *, has_sender_ids: bool) -> str:
    _ = language._
    match failure:
        case "invalid":
            return _("❌ {sender} cannot text {phone}: it does not take this number.")
        case "unsubscribed":
            return _("❌ {phone} does not want texts: it has opted out at {sender}.")
        case "no_credit":
            return _("❌ Not sent: our credit at {sender} is too low. Please top it up.")
        case "access_refused":
            return _("❌ Not sent: {sender} refuses our key. Please check its setting.")
        case "unreachable":
            return _("❌ Not sent: {sender} could not be reached for ten minutes.")
        case "no_sender":
            return _("❌ Not sent: {sender} is no longer connected.")
        case "not_delivered":
            return _("❌ {sender} could not deliver the test to {phone}.")
        case _ if has_sender_ids:
            return _("❌ {sender} refused the test to {phone}. Is the sender ID approved?")
        case _:
            return _("❌ {sender} refused the test to {phone}. /senders shows how it is doing.")


def ask_country(reader: Reader, *, wrong: bool = False) -> View:
    _ = reader.language._
    lines = [_("For which country? Write its name, like <i>Australia</i>.")]
    if wrong:
        lines.insert(0, _("I know no such country."))
    return View.of(lines, [[_back(reader)]])


def country(
    reader: Reader, iso: str, able: Sequence[Sender], serving: str | None, chosen: str | None
) -> View:
    """Who texts a country, and who else could."""
    _ = reader.language._
    lines = [bold(reader.language.country(iso)), ""]
    if serving is None:
        lines.append(_("No connected sender reaches it."))
    elif serving == chosen:
        lines.append(_("Texted by {sender}, as you have chosen.").format(sender=bold(serving)))
    else:
        lines.append(_("Texted by {sender}.").format(sender=bold(serving)))
    labels = ((sender.name, f"✓ {sender.name}" if sender.name == serving else sender.name) for sender in able)
    buttons = [reader.button(label, "textserve", iso, name) for name, label in labels]
    default = [reader.button(_("By default"), "textserve", iso, "")] if chosen else []
    return View.of(lines, [*columns(buttons), default, [_back(reader)]])


def _back(reader: Reader) -> InlineKeyboardButton:
    return reader.button(reader.language._("‹ Senders"), "senders")

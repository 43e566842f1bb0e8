"""What the operator reads while writing to everybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.screen import DANGER, SUCCESS, Reader, Row, View, bold, columns, escape, moment
from db.models import Broadcast, BroadcastStatus
from services.broadcasts import TextCounts, quiet_until

_BAR = 12
_LANGUAGES = 4
"""As many languages have a button of their own."""
AUDIENCES = ("all", "active", "buyers", "never", "balance")


def ask_message(reader: Reader, recent: Sequence[Broadcast]) -> View:
    _ = reader.language._
    return View.of(
        [
            bold(_("Broadcast")),
            "",
            _("Send me the message, just as everybody should see it: text, photo, video or an album."),
            _("Nothing goes out before you tap Send. To leave: /cancel"),
        ],
        [
            *([reader.button(_label(reader.language, one), "bc", "panel", one.id or 0)] for one in recent),
            [reader.button(_("‹ Operator"), "panel")],
        ],
    )


@dataclass(frozen=True, slots=True)
class TextReach:
    """What a broadcast comes to as SMS."""

    phones: int
    parts: int
    """For each phone: what senders charge for."""
    newsletter_senders: Sequence[str] = ()
    """Those that send it as a newsletter of theirs rather than in bulk."""


def draft(
    reader: Reader, broadcast: Broadcast, reach: int, languages: Sequence[str], texts: TextReach | None
) -> View:
    """Everything that can be chosen before it is sent; `texts`: None where it cannot be texted."""
    _ = reader.language._
    id = broadcast.id or 0
    lines = [
        bold(_("Broadcast, not sent yet")),
        "",
        _content(reader.language, broadcast),
        _("To: {audience} · {count}").format(
            audience=audience_name(reader.language, broadcast.audience),
            count=bold(_people(reader.language, reach)),
        ),
    ]
    if texts:
        lines.append(_text_line(reader.language, broadcast, texts))
        if broadcast.by_text:
            lines += [
                _("Through {sender} it goes out as a newsletter.").format(sender=escape(name))
                for name in texts.newsletter_senders
            ]
    if broadcast.quiet_hours:
        lines.append(_quiet_line(reader.language, broadcast))
    choices = [*AUDIENCES, *(f"language:{code}" for code in languages[:_LANGUAGES])]
    rows: list[Row] = columns(
        reader.button(
            f"{'● ' if choice == broadcast.audience else ''}{audience_name(reader.language, choice)}",
            "bc",
            "to",
            id,
            *choice.split(":"),
        )
        for choice in choices
    )
    rows.append(_extras(reader, broadcast))
    if texts:
        on = broadcast.by_text
        label = _("✅ Also by SMS") if on else _("Also by SMS")
        rows.append([reader.button(label, "bc", "text", id, 0 if on else 1)])
    rows.append(
        [
            reader.button(_("Send"), "bc", "send", id, style=SUCCESS),
            reader.button(_("Schedule"), "bctime", id),
            reader.button(_("Discard"), "bc", "discard", id, style=DANGER),
        ]
    )
    return View.of(lines, rows)


def _quiet_line(language: Language, broadcast: Broadcast) -> str:
    return language._("Quiet hours: {span}").format(span=bold(broadcast.quiet_hours or ""))


def _text_line(language: Language, broadcast: Broadcast, texts: TextReach) -> str:
    """Its cost, in what senders count."""
    _ = language._
    line = _("By SMS: yes, {count}") if broadcast.by_text else _("By SMS: no; it would be {count}")
    count = language.ngettext(
        "{phones} phone × {parts} SMS = {sms} SMS", "{phones} phones × {parts} SMS = {sms} SMS", texts.phones
    ).format(
        phones=language.number(texts.phones),
        parts=language.number(texts.parts),
        sms=language.number(texts.phones * texts.parts),
    )
    return line.format(count=bold(count))


def _extras(reader: Reader, broadcast: Broadcast) -> Row:
    _ = reader.language._
    id = broadcast.id or 0
    row = [reader.button(_("Preview"), "bc", "preview", id)]
    if len(broadcast.message_ids) == 1:  # Telegram gives albums no buttons
        row.append(reader.button(_("Add a button"), "bclink", id))
    if broadcast.quiet_hours:
        row.append(reader.button(_("No quiet hours"), "bc", "noquiet", id))
    else:
        row.append(reader.button(_("Quiet hours"), "bcquiet", id))
    if broadcast.links:
        row.append(reader.button(_("Remove buttons"), "bc", "nolinks", id))
    return row


def ask_link(reader: Reader, *, wrong: bool = False) -> View:
    _ = reader.language._
    problem = _("That is no text with an address behind it.")
    return View.of(
        [
            *([problem, ""] if wrong else []),
            _("What should the button say, and where does it lead? For example:"),
            "<code>Our news | https://t.me/example</code>",
        ]
    )


def ask_time(reader: Reader, *, wrong: bool = False) -> View:
    _ = reader.language._
    return View.of(
        [
            *([_("I cannot read that as a time to come."), ""] if wrong else []),
            _("When? Type a time, with a date where it is not the next such hour. For example:"),
            "<code>09:30 Asia/Jakarta</code>",
            "<code>2026-12-01 18:00 +7</code>",
            _("Without a time zone it is UTC."),
        ]
    )


def ask_quiet(reader: Reader, *, wrong: bool = False) -> View:
    _ = reader.language._
    return View.of(
        [
            *([_("I cannot read that as a span of hours."), ""] if wrong else []),
            _("In which hours should nobody be sent to? It waits then, and goes on after them. For example:"),
            "<code>22-8 Asia/Jakarta</code>",
            "<code>21:30-07:00 +7</code>",
            _("Without a time zone it is UTC."),
        ]
    )


def panel(
    reader: Reader, broadcast: Broadcast, now: datetime, texts: TextCounts | None, *, recallable: bool
) -> View:
    """How far it has come, and what can be done about it."""
    language = reader.language
    _ = language._
    lines = [
        f"{bold(_('Broadcast'))} · {_state(language, broadcast)}",
        _("To: {audience}").format(audience=audience_name(language, broadcast.audience)),
        "",
    ]
    if broadcast.started_at:
        lines += [*_progress(language, broadcast, now)]
    elif broadcast.starts_at:
        begins = quiet_until(broadcast, broadcast.starts_at) or broadcast.starts_at
        lines.append(_("Begins {when}").format(when=moment(begins)))
    if broadcast.quiet_hours and broadcast.ended_at is None:
        lines += ["", _quiet_line(language, broadcast)]
        if broadcast.started_at and (until := quiet_until(broadcast, now)):
            lines.append(_("Goes on {when}").format(when=moment(until)))
    if texts:
        lines += ["", *_text_progress(language, texts)]
    if broadcast.trouble == "sender_trouble":
        lines += ["", _("The sender of SMS does not work: look at /senders, then tap Resume.")]
    if broadcast.trouble == "original_gone":
        lines += ["", _("The message it copies was deleted. Stop this broadcast and make a new one.")]
    return View.of(lines, _controls(reader, broadcast, texts, recallable=recallable))


def _progress(language: Language, broadcast: Broadcast, now: datetime) -> list[str]:
    _ = language._
    done = broadcast.sent + broadcast.blocked + broadcast.failed + broadcast.unknown
    total = max(broadcast.total, done)
    filled = _BAR * done // total if total else _BAR
    percent = 100 * done // total if total else 100
    lines = [
        f"{'▓' * filled}{'░' * (_BAR - filled)} {language.percent(percent)}",
        _("{done} of {total}").format(done=language.number(done), total=language.number(total)),
        "",
        _("Sent: {count}").format(count=language.number(broadcast.sent)),
        _("Have blocked the bot: {count}").format(count=language.number(broadcast.blocked)),
        _("Failed: {count}").format(count=language.number(broadcast.failed)),
    ]
    if broadcast.unknown:
        lines.append(
            _("Perhaps sent, cut off on the way: {count}").format(count=language.number(broadcast.unknown))
        )
    if broadcast.recalled:
        lines.append(_("Deleted again: {count}").format(count=language.number(broadcast.recalled)))
    # Hours in which it waited would count as slowness.
    steady = broadcast.status == BroadcastStatus.SENDING and not broadcast.quiet_hours
    if steady and done and broadcast.started_at:
        left = (now - broadcast.started_at) * (total - done) / done
        lines += ["", _("About {minutes} min left").format(minutes=language.number(_minutes(left)))]
    return lines


def _text_progress(language: Language, texts: TextCounts) -> list[str]:
    _ = language._
    lines = [
        _("By SMS: {sent} of {total} sent").format(
            sent=language.number(texts.sent), total=language.number(max(texts.total, texts.sent))
        )
    ]
    if texts.failed:
        lines.append(_("SMS failed: {count}").format(count=language.number(texts.failed)))
    if texts.unknown:
        lines.append(_("SMS perhaps sent: {count}").format(count=language.number(texts.unknown)))
    return lines


def _controls(
    reader: Reader, broadcast: Broadcast, texts: TextCounts | None, *, recallable: bool
) -> list[Row]:
    _ = reader.language._
    id = broadcast.id or 0

    def button(label: str, verb: str, style: str | None = None) -> InlineKeyboardButton:
        return reader.button(label, "bc", verb, id, style=style)

    first: Row = []
    if broadcast.status == BroadcastStatus.SENDING:
        first.append(button(_("Pause"), "pause"))
    if broadcast.status == BroadcastStatus.PAUSED:
        first.append(button(_("Resume"), "resume", SUCCESS))
    if broadcast.ended_at is None:
        first.append(button(_("Stop"), "stop", DANGER))
    second: Row = []
    missed = broadcast.blocked + broadcast.failed + broadcast.unknown
    if missed or (texts and texts.failed + texts.unknown):
        second.append(button(_("Who did not get it (CSV)"), "csv"))
    if recallable:
        second.append(button(_("Recall"), "askrecall", DANGER))
    return [first, second, [reader.button(_("‹ Operator"), "panel")]]


def ask_recall(reader: Reader, broadcast: Broadcast) -> View:
    _ = reader.language._
    id = broadcast.id or 0
    left = broadcast.sent - broadcast.recalled
    question = reader.language.ngettext(
        "Delete this message from {count} chat?", "Delete this message from {count} chats?", left
    )
    return View.of(
        [question.format(count=bold(reader.language.number(left)))],
        [
            [reader.button(_("Delete it everywhere"), "bc", "recall", id, style=DANGER)],
            [reader.button(_("‹ Back"), "bc", "panel", id)],
        ],
    )


def discarded(reader: Reader) -> View:
    _ = reader.language._
    return View.of([_("Discarded. Nothing was sent.")], [[reader.button(_("‹ Operator"), "panel")]])


def audience_name(language: Language, audience: str) -> str:
    _ = language._
    name, _colon, code = audience.partition(":")
    names = {
        "all": _("Everybody"),
        "active": _("Active in 30 days"),
        "buyers": _("Buyers"),
        "never": _("Never bought"),
        "balance": _("With balance"),
        "language": _("Language: {code}").format(code=escape(code)),
    }
    return names[name]


def _content(language: Language, broadcast: Broadcast) -> str:
    count, links = len(broadcast.message_ids), len(broadcast.links)
    pieces = language.ngettext("{count} message", "Album of {count}", count).format(count=count)
    if not links:
        return pieces
    buttons = language.ngettext("{count} button", "{count} buttons", links).format(count=links)
    return f"{pieces} · {buttons}"


def _people(language: Language, count: int) -> str:
    return language.ngettext("{count} person", "{count} people", count).format(count=language.number(count))


def _state(language: Language, broadcast: Broadcast) -> str:
    _ = language._
    return {
        BroadcastStatus.DRAFT: _("draft"),
        BroadcastStatus.SCHEDULED: _("🕓 waiting"),
        BroadcastStatus.SENDING: _("📣 sending"),
        BroadcastStatus.PAUSED: _("⏸ paused"),
        BroadcastStatus.STOPPED: _("⏹ stopped"),
        BroadcastStatus.DONE: _("✅ done"),
    }[BroadcastStatus(broadcast.status)]


def _label(language: Language, broadcast: Broadcast) -> str:
    count = language.number(broadcast.sent)
    return f"{_state(language, broadcast)} · {audience_name(language, broadcast.audience)} · {count}"


def _minutes(duration: timedelta) -> int:
    return max(1, round(duration.total_seconds() / 60))

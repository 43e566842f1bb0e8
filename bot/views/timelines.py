"""What happened to an order, a line an event."""

from datetime import timedelta

from bot.language import Language
from bot.views.screen import escape
from services.timelines import Event, Timeline, What

_SHOWN = 30
"""So many of the newest events fit into one message."""
_WORDS_LIMIT = 80


def lines(language: Language, timeline: Timeline) -> list[str]:
    """For whoever may read this timeline: `Timeline.for_renter` makes a renter's."""
    return [
        f"{language.time(event.at, seconds=True)} {_says(language, event, timeline.currency)}"
        for event in timeline.events[-_SHOWN:]
    ]


def _says(language: Language, event: Event, currency: str) -> str:
    amount = language.money(event.amount, currency) if event.amount else ""
    return _words(language, event).format(
        amount=amount,
        count=language.number(event.count),
        supplier=escape(event.supplier),
        words=escape(_known(language, event.words)[:_WORDS_LIMIT]),
        after=_duration(language, event.after),
    )


def _words(language: Language, event: Event) -> str:
    _ = language._
    match event.what:
        case What.HEARD:
            return {
                "webhook": _("SMS: the supplier told us"),
                "asking": _("SMS: found when we asked the supplier"),
            }.get(event.via, _("SMS arrived"))
        case What.SHOWN:
            return _("code shown") if event.after is None else _("code shown, {after} later")
        case What.RENTED:
            return _("number rented from {supplier} for {amount}") if event.supplier else _("number rented")
        case What.RESENT:
            return language.ngettext(
                "another SMS asked for, {count} time", "another SMS asked for, {count} times", event.count
            )
    return {
        What.PLACED: _("ordered, {amount} reserved"),
        What.STARS_PAID: _("{count} ⭐ paid"),
        What.ASKED: _("asked {supplier} for {count} at {amount}"),
        What.REFUSED: _("{supplier} refused: {words}"),
        What.HEARD_LATE: _("SMS came too late, kept back"),
        What.PAID: _("{amount} taken"),
        What.LATE_PAID: _("late code bought for {amount}"),
        What.CANCEL_ASKED: _("asked to cancel"),
        What.ENDED: _("ended: {words}"),
        What.RELEASED: _("{amount} went back"),
        What.STARS_BACK: _("{count} ⭐ went back"),
        What.DISPUTED: _("problem reported: {words}"),
        What.REFUNDED: _("{amount} refunded"),
        What.REJECTED: _("problem rejected"),
    }[event.what]


def _known(language: Language, words: str) -> str:
    """States and reasons in the reader's language; a supplier's own words as they are."""
    _ = language._
    return {
        "completed": _("completed"),
        "failed": _("failed"),
        "canceled": _("canceled"),
        "expired": _("expired"),
        "no_code": _("no code came"),
        "wrong_code": _("the code did not work"),
        "used": _("the number had been used before"),
        "other": _("something else"),
    }.get(words, words)


def _duration(language: Language, duration: timedelta | None) -> str:
    if duration is None:
        return ""
    if duration < timedelta(seconds=10):
        milliseconds = round(duration / timedelta(milliseconds=1))
        return language._("{milliseconds} ms").format(milliseconds=language.number(milliseconds))
    return language._("{seconds} s").format(seconds=language.number(round(duration.total_seconds())))

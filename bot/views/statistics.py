"""What `/stats` says, and the buttons below it and below its pictures."""

from bot.language import Language
from bot.views import charts
from bot.views.screen import Reader, Row, View, bold, columns, escape
from services.statistics import Figures, Period, Summary

PERIODS = (1, 7, 30, 90)
"""Days, today among them."""


def summary(reader: Reader, shown: Summary, currency: str) -> View:
    language, _ = reader.language, reader.language._
    now, before, days = shown.now, shown.before, shown.period.days
    return View.of(
        [
            f"📊 {bold(_('Statistics'))} · {escape(charts.period_text(language, shown.period))}",
            "",
            *_money_lines(language, now, before, currency),
            "",
            *_order_lines(language, now, before),
            "",
            *_people_lines(language, now, before),
            "",
            _("Arrows: against yesterday up to the same hour.")
            if days == 1
            else language.ngettext(
                "Arrows: against the {count} day before, up to the same hour.",
                "Arrows: against the {count} days before, up to the same hour.",
                days,
            ).format(count=language.number(days)),
        ],
        [
            _periods(reader, days, "stats"),
            *columns(
                reader.button(charts.name_of(language, name), "picture", name, days)
                for name in charts.PICTURES
            ),
            [reader.button(_("Export the books"), "export"), reader.button(_("‹ Operator"), "panel")],
        ],
    )


def _money_lines(language: Language, now: Figures, before: Figures, currency: str) -> list[str]:
    _ = language._
    return [
        _("Revenue: {amount}").format(amount=bold(language.money(now.income, currency)))
        + _change(language, now.income, before.income),
        _("Margin: {amount}").format(amount=bold(language.money(now.margin, currency)))
        + _change(language, now.margin, before.margin),
    ]


def _order_lines(language: Language, now: Figures, before: Figures) -> list[str]:
    _, speed = language._, now.speed
    lines = [
        _("Orders: {count}").format(count=bold(language.number(now.orders)))
        + _change(language, now.orders, before.orders)
    ]
    if speed.percent is None:
        return lines
    lines.append(
        _("With a code: {percent}").format(percent=bold(language.percent(speed.percent)))
        + _change(language, speed.percent, before.speed.percent or 0)
    )
    if speed.median_seconds:
        within = charts.seconds_text(language, speed.median_seconds)
        lines.append(_("Half of the codes came within {time}").format(time=bold(within)))
    return lines


def _people_lines(language: Language, now: Figures, before: Figures) -> list[str]:
    _, number = language._, language.number
    return [
        _("Renters who ordered: {count}, for the first time: {new}").format(
            count=bold(number(now.buyers)), new=number(now.new_buyers)
        )
        + _change(language, now.buyers, before.buyers),
        _("Came for the first time: {count}").format(count=bold(number(now.came)))
        + _change(language, now.came, before.came),
    ]


def _change(language: Language, now: int, before: int) -> str:
    """ " ▲ 12%"; nothing where there is nothing to compare with."""
    if before <= 0:
        return ""
    percent = round(100 * (now - before) / before)
    if not percent:
        return " ＝"
    return f" {'▲' if percent > 0 else '▼'} {language.isolate(language.percent(abs(percent)))}"


def picture(reader: Reader, name: str, period: Period) -> View:
    """The caption of a picture, and where its buttons lead."""
    language, _ = reader.language, reader.language._
    others = (other for other in charts.PICTURES if other != name)
    caption = f"{bold(charts.title_of(language, name))} · {escape(charts.period_text(language, period))}"
    return View.of(
        [caption],
        [
            _periods(reader, period.days, "picture", name),
            *columns(
                reader.button(charts.name_of(language, other), "picture", other, period.days)
                for other in others
            ),
            [reader.button(_("Figures (CSV)"), "figures", name, period.days)],
        ],
    )


def _periods(reader: Reader, chosen: int, action: str, *args: str) -> Row:
    labels = {days: _period_name(reader.language, days) for days in PERIODS}
    return [
        reader.button(f"• {label} •" if days == chosen else label, action, *args, days)
        for days, label in labels.items()
    ]


def _period_name(language: Language, days: int) -> str:
    if days == 1:
        return language._("Today")
    return language.ngettext("{count} day", "{count} days", days).format(count=language.number(days))


def nothing_yet(reader: Reader) -> str:
    return reader.language._("There is nothing to draw for this time yet.")


def not_drawn(reader: Reader, name: str, period: Period) -> View:
    _ = reader.language._
    return View.of(
        [_("The picture could not be drawn; the log says why. The figures are here all the same.")],
        [[reader.button(_("Figures (CSV)"), "figures", name, period.days)]],
    )

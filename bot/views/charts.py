"""Figures as charts, in the reader's words, and as tables for a spreadsheet."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_skeleton
from babel.numbers import format_compact_decimal

from bot.charts import Chart, Panel, Series
from bot.language import Language
from db.statistics import Buyers, Money, Newcomers, Sale
from services import places
from services.money import to_decimal
from services.odds import FAILED, LIMITS
from services.statistics import Period, Speed, together

BARS = 9
"""So many services, countries and suppliers fit; the rest is one bar."""
_LABELS = 8
"""So many dates fit below a time axis."""
_TICKS = 4
_NAME_LIMIT = 18


@dataclass(frozen=True, slots=True)
class Table:
    """For a spreadsheet: names in English, times in UTC, amounts in minor units and as people write them."""

    header: Sequence[str]
    rows: Sequence[Sequence[str | int | Decimal]]


def title_of(language: Language, picture: str) -> str:
    return _DRAWINGS[picture].title(language)


def name_of(language: Language, picture: str) -> str:
    """As short as a button."""
    return _DRAWINGS[picture].name(language)


def chart(language: Language, picture: str, period: Period, figures: Any, currency: str) -> Chart | None:
    """None where there is nothing to be seen yet."""
    panels = _DRAWINGS[picture].panels(language, period, figures, currency)
    if not any(any(series.values) for panel in panels for series in panel.series):
        return None
    title, when = title_of(language, picture), period_text(language, period)
    return Chart(title, when, panels, right_to_left=language.is_right_to_left)


def table(picture: str, figures: Any, currency: str) -> Table:
    return _DRAWINGS[picture].table(figures, currency)


def period_text(language: Language, period: Period) -> str:
    """Which days, and whose."""
    _, last = language._, day(language, period.until)
    if period.days == 1:
        return _("{day}, hours in UTC").format(day=last)
    return _("{first} – {last}, days in UTC").format(first=day(language, period.since), last=last)


def day(language: Language, moment: datetime) -> str:
    """ "Nov 21"."""
    return format_skeleton("MMMd", moment, locale=language.locale)


def _money_panels(
    language: Language, period: Period, rows: Sequence[tuple[datetime, Money]], currency: str
) -> list[Panel]:
    """The margin is what is left of each bar's revenue."""
    _ = language._

    def units(amounts: Iterable[int]) -> list[float]:
        return [float(to_decimal(amount, currency)) for amount in amounts]

    income = Series(
        _("Revenue, {currency}").format(currency=currency), units(money.income for _at, money in rows)
    )
    margin = Series(_("Margin"), units(money.income - money.cost for _at, money in rows))
    return [
        Panel(
            _time_labels(language, period, [at for at, _money in rows]),
            [income],
            _ticks(language, [*income.values, *margin.values]),
            line=margin,
        )
    ]


def _money_table(rows: Sequence[tuple[datetime, Money]], currency: str) -> Table:
    def cells(amount: int) -> tuple[int, Decimal]:
        return amount, to_decimal(amount, currency)

    header = ["from", "revenue_minor", "revenue", "cost_minor", "cost", "margin_minor", "margin", "currency"]
    return Table(
        header,
        [
            (
                at.isoformat(),
                *cells(money.income),
                *cells(money.cost),
                *cells(money.income - money.cost),
                currency,
            )
            for at, money in rows
        ],
    )


def _sales_panels(language: Language, period: Period, sales: Sequence[Sale], currency: str) -> list[Panel]:
    _ = language._
    by_service = _summed((sale.service, sale) for sale in sales)
    by_country = _summed((places.country_name(sale.country, language.code), sale) for sale in sales)
    return [
        _sales_panel(language, _("By service"), by_service),
        _sales_panel(language, _("By country"), by_country),
    ]


def _summed(sales: Iterable[tuple[str, Sale]]) -> list[tuple[str, int, int]]:
    """Name, orders and codes; the most orders first."""
    sums: dict[str, tuple[int, int]] = {}
    for name, sale in sales:
        orders, codes = sums.get(name, (0, 0))
        sums[name] = orders + sale.orders, codes + sale.codes
    return sorted(((name, *counts) for name, counts in sums.items()), key=lambda row: (-row[1], row[0]))


def _sales_panel(language: Language, title: str, rows: list[tuple[str, int, int]]) -> Panel:
    _ = language._
    if len(rows) > BARS:
        rest = rows[BARS - 1 :]
        others = (_("Others"), sum(row[1] for row in rest), sum(row[2] for row in rest))
        rows = [*rows[: BARS - 1], others]
    return Panel(
        [_short(name) for name, _orders, _codes in rows],
        [
            Series(_("With a code"), [codes for _name, _orders, codes in rows]),
            Series(_("Without"), [orders - codes for _name, orders, codes in rows]),
        ],
        title=title,
        ends=[_count(language, orders) for _name, orders, _codes in rows],
        lying=True,
    )


def _sales_table(sales: Sequence[Sale], currency: str) -> Table:
    rows = [(sale.service, sale.country, sale.orders, sale.codes) for sale in sales]
    return Table(["service", "country", "orders", "orders_with_code"], rows)


def _supplier_panels(
    language: Language, period: Period, speeds: Sequence[Speed], currency: str
) -> list[Panel]:
    _, shown = language._, speeds[:BARS]
    names = [_short(speed.supplier) for speed in shown]
    odds = Panel(
        names,
        [Series("", [speed.percent or 0 for speed in shown])],
        title=_("Orders that had a code"),
        ends=[_odds_text(language, speed) for speed in shown],
        lying=True,
    )
    times = Panel(
        [""] * len(shown),
        [Series("", [speed.median_seconds or 0 for speed in shown])],
        title=_("Half of the codes came within"),
        ends=[seconds_text(language, speed.median_seconds) for speed in shown],
        lying=True,
    )
    return [odds, times]


def _odds_text(language: Language, speed: Speed) -> str:
    if speed.percent is None:
        return ""
    return language._("{percent} of {count}").format(
        percent=language.percent(speed.percent), count=_count(language, speed.orders)
    )


def seconds_text(language: Language, seconds: int | None) -> str:
    """ "45 s", "3 min"; a dash where it is not known."""
    _ = language._
    if seconds is None:
        return "–"
    if seconds < 120:
        return _("{seconds} s").format(seconds=language.number(seconds))
    return _("{minutes} min").format(minutes=language.number(seconds // 60))


def _supplier_table(speeds: Sequence[Speed], currency: str) -> Table:
    rows = [
        (one.supplier, one.orders, one.codes, _known(one.percent), _known(one.median_seconds))
        for one in speeds
    ]
    return Table(["supplier", "orders", "orders_with_code", "percent", "median_seconds_at_most"], rows)


def _known(number: int | None) -> str | int:
    return "" if number is None else number


def _renter_panels(
    language: Language, period: Period, rows: Sequence[tuple[datetime, Buyers]], currency: str
) -> list[Panel]:
    _ = language._
    labels = _time_labels(language, period, [at for at, _buyers in rows])
    returning = Series(_("Ordered before"), [buyers.all - buyers.new for _at, buyers in rows])
    new = Series(_("First order"), [buyers.new for _at, buyers in rows])
    return [Panel(labels, [returning, new], _ticks(language, [buyers.all for _at, buyers in rows]))]


def _renter_table(rows: Sequence[tuple[datetime, Buyers]], currency: str) -> Table:
    written = [(at.isoformat(), buyers.all, buyers.new, buyers.all - buyers.new) for at, buyers in rows]
    return Table(["from", "renters", "new", "returning"], written)


def _funnel_panels(language: Language, period: Period, people: Newcomers, currency: str) -> list[Panel]:
    _ = language._
    steps = [
        (_("Came"), people.came),
        (_("Accepted the terms"), people.accepted),
        (_("Had money"), people.had_money),
        (_("Ordered"), people.ordered),
        (_("Had a code"), people.coded),
        (_("Had a second code"), people.coded_again),
    ]
    counts = [count for _step, count in steps]
    return [
        Panel(
            [step for step, _count in steps],
            [Series("", counts)],
            title=_("People who came in this time, and how far they have got"),
            ends=[_share(language, count, people.came) for count in counts],
            lying=True,
        )
    ]


def _share(language: Language, count: int, whole: int) -> str:
    percent = language.percent(round(100 * count / whole)) if whole else ""
    return f"{language.isolate(_count(language, count))} · {language.isolate(percent)}"


def _funnel_table(people: Newcomers, currency: str) -> Table:
    names = ("came", "accepted", "had_money", "ordered", "coded", "coded_again")
    return Table(["step", "people"], [(name, getattr(people, name)) for name in names])


def _speed_panels(language: Language, period: Period, speeds: Sequence[Speed], currency: str) -> list[Panel]:
    _, all_of_them = language._, together(speeds)
    counts = [all_of_them.counts.get(bucket, 0) for bucket in range(len(LIMITS) + 1)]
    labels = [*(seconds_text(language, limit) for limit in LIMITS), _("longer")]
    return [
        Panel(
            labels,
            [Series("", counts)],
            _ticks(language, counts),
            title=_("Codes by how long they took at most"),
            ends=[_count(language, count) if count else "" for count in counts],
        )
    ]


def _speed_table(speeds: Sequence[Speed], currency: str) -> Table:
    limits: list[str | int] = [*LIMITS, "later"]
    counts = together(speeds).counts
    rows = [(limit, counts.get(bucket, 0)) for bucket, limit in enumerate(limits)]
    return Table(["within_seconds", "codes"], [*rows, ("no_code", counts.get(FAILED, 0))])


def _time_labels(language: Language, period: Period, moments: Sequence[datetime]) -> list[str]:
    every = math.ceil(len(moments) / _LABELS)
    written = [f"{at:%H}" if period.days == 1 else day(language, at) for at in moments]
    # Counted from the end: today always has its label.
    return [text if (len(moments) - 1 - n) % every == 0 else "" for n, text in enumerate(written)]


def _ticks(language: Language, values: Sequence[float]) -> list[tuple[float, str]]:
    """Round numbers from the lowest value, or zero, up to the highest."""
    low, high = min([*values, 0]), max([*values, 0])
    step = _round_step((high - low) / _TICKS)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [(n * step, _compact(language, n * step)) for n in range(first, last + 1)]


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, whole, and no less than that."""
    if least <= 1:
        return 1
    power: float = 10 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


def _count(language: Language, count: int) -> str:
    return language.number(count) if count < 10_000 else _compact(language, count)


def _compact(language: Language, number: float) -> str:
    """ "1.5M"."""
    return format_compact_decimal(Decimal(str(number)), locale=language.locale, fraction_digits=1)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LIMIT else f"{name[: _NAME_LIMIT - 1]}…"


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How one kind of figures is shown."""

    name: Callable[[Language], str]
    title: Callable[[Language], str]
    panels: Callable[[Language, Period, Any, str], list[Panel]]
    table: Callable[[Any, str], Table]


_DRAWINGS = {
    "money": _Drawing(
        lambda language: language._("Money"),
        lambda language: language._("Revenue and margin"),
        _money_panels,
        _money_table,
    ),
    "sales": _Drawing(
        lambda language: language._("Orders"),
        lambda language: language._("Orders by service and country"),
        _sales_panels,
        _sales_table,
    ),
    "suppliers": _Drawing(
        lambda language: language._("Suppliers"),
        lambda language: language._("Suppliers"),
        _supplier_panels,
        _supplier_table,
    ),
    "renters": _Drawing(
        lambda language: language._("Renters"),
        lambda language: language._("Renters who ordered"),
        _renter_panels,
        _renter_table,
    ),
    "funnel": _Drawing(
        lambda language: language._("Newcomers"),
        lambda language: language._("From the first word to a code"),
        _funnel_panels,
        _funnel_table,
    ),
    "speed": _Drawing(
        lambda language: language._("Speed"),
        lambda language: language._("Time to a code"),
        _speed_panels,
        _speed_table,
    ),
}
PICTURES = tuple(_DRAWINGS)

"""Draws a chart: `python -m bot.drawing` reads charts on its input and writes a PNG to its output.

A process of its own, because matplotlib takes more memory than all the rest of the bot, and keeps the
processor for a second. Of several charts, which say the same in different languages, the first is drawn
whose letters the machine's fonts have; the last one in any case.
"""

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from io import BytesIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font, get_font_names
from matplotlib.layout_engine import ConstrainedLayoutEngine

from bot.charts import Chart, Panel, read

DOTS_PER_INCH = 200
INCHES = (6.4, 4.0)
BELOW_THE_HEADING = (0.015, 0.02, 0.97, 0.84)
"""Left, bottom, width and height of where the plots stand, as parts of the whole."""
CARD, INK, FAINT, GRID = "#f7f9fc", "#17202b", "#5c6b7d", "#dde4ec"
"""A light card of its own, legible in Telegram's light and dark themes."""
COLOURS = ("#2f7de1", "#f2a33a", "#9fb3c8")
"""Told apart also by those who do not see red and green."""
LINE = "#0e8a6d"
FONTS = ("DejaVu Sans", "Noto Sans", "Noto Sans Devanagari", "Lohit Devanagari", "Noto Sans Arabic", "Mangal")
"""The first that has a letter draws it."""
FEWEST_ROWS = 3
"""Bars of fewer rows are no thicker than those of so many."""
NICENESS = 10


def main() -> None:
    # A code that comes meanwhile goes first.
    os.nice(NICENESS)
    charts = read(sys.stdin.buffer.read())
    sys.stdout.buffer.write(draw(choose(charts)))


def choose(charts: Sequence[Chart]) -> Chart:
    """The first that the fonts here can write."""
    return next((chart for chart in charts if can_write(words_of(chart))), charts[-1])


def words_of(chart: Chart) -> Iterable[str]:
    yield from (chart.title, chart.subtitle)
    for panel in chart.panels:
        yield from (panel.title, *panel.labels, *panel.ends, *(text for _, text in panel.ticks))
        yield from (series.name for series in (*panel.series, *([panel.line] if panel.line else [])))


def can_write(words: Iterable[str]) -> bool:
    letters = {ord(letter) for letter in visible("".join(words))}
    known: set[int] = set()
    for name in available_fonts():
        known |= set(get_font(findfont(FontProperties(family=name))).get_charmap())
    return letters <= known


def available_fonts() -> list[str]:
    there = set(get_font_names())
    return [name for name in FONTS if name in there]


def visible(text: str) -> str:
    """Without marks of direction, which fonts have no picture of."""
    return "".join(letter for letter in text if unicodedata.category(letter) != "Cf")


def draw(chart: Chart) -> bytes:
    """A PNG."""
    with matplotlib.rc_context({"font.family": available_fonts(), "font.size": 8, "text.color": INK}):
        layout = ConstrainedLayoutEngine(rect=BELOW_THE_HEADING, wspace=0.06)
        figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, facecolor=CARD, layout=layout)
        _write_heading(figure, chart)
        [places] = figure.subplots(1, len(chart.panels), squeeze=False)
        panels = chart.panels[::-1] if chart.right_to_left else chart.panels
        for place, panel in zip(places, panels, strict=True):
            (_draw_lying if panel.lying else _draw_standing)(place, panel, chart.right_to_left)
            _tidy(place, panel, chart.right_to_left)
        written = BytesIO()
        figure.savefig(written, format="png", facecolor=CARD)
    return written.getvalue()


def _write_heading(figure: Figure, chart: Chart) -> None:
    x, side = (0.97, "right") if chart.right_to_left else (0.03, "left")
    figure.text(x, 0.965, visible(chart.title), size=13, weight="bold", ha=side, va="top")
    figure.text(x, 0.895, visible(chart.subtitle), size=8, color=FAINT, ha=side, va="top")


def _draw_standing(place: Axes, panel: Panel, right_to_left: bool) -> None:
    where, floor = range(len(panel.labels)), [0.0] * len(panel.labels)
    for series, colour in zip(panel.series, COLOURS, strict=False):
        place.bar(
            where, series.values, width=0.72, bottom=floor, color=colour, label=visible(series.name), zorder=2
        )
        floor = [below + value for below, value in zip(floor, series.values, strict=True)]
    if panel.line:
        place.plot(
            where,
            panel.line.values,
            color=LINE,
            linewidth=1.6,
            marker="o",
            markersize=2.6,
            label=visible(panel.line.name),
            zorder=3,
        )
    for x, height, text in zip(where, floor, panel.ends, strict=False):
        place.annotate(visible(text), (x, height), (0, 2), textcoords="offset points", ha="center", size=7)
    named = [(x, visible(label)) for x, label in zip(where, panel.labels, strict=True) if label]
    place.set_xticks([x for x, _ in named], [label for _, label in named])
    place.set_yticks([at for at, _ in panel.ticks], [visible(text) for _, text in panel.ticks])
    place.set_xlim(-0.7, len(panel.labels) - 0.3)
    place.yaxis.grid(True, color=GRID, linewidth=0.8, zorder=0)
    place.axhline(0, color=FAINT, linewidth=0.8, zorder=4)
    if right_to_left:
        place.yaxis.tick_right()


def _draw_lying(place: Axes, panel: Panel, right_to_left: bool) -> None:
    where, start = range(len(panel.labels)), [0.0] * len(panel.labels)
    for series, colour in zip(panel.series, COLOURS, strict=False):
        place.barh(where, series.values, height=0.62, left=start, color=colour, label=visible(series.name))
        start = [before + value for before, value in zip(start, series.values, strict=True)]
    gap, side = (-3, "right") if right_to_left else (3, "left")
    for y, length, text in zip(where, start, panel.ends, strict=False):
        place.annotate(
            visible(text), (length, y), (gap, 0), textcoords="offset points", va="center", ha=side, size=7.5
        )
    place.set_yticks(where, [visible(label) for label in panel.labels])
    place.set_xticks([])
    # Room for what is written at the ends.
    place.set_xlim(0, max([*start, 1e-9]) * 1.3)
    spare = max(0, FEWEST_ROWS - len(panel.labels)) / 2
    place.set_ylim(len(panel.labels) - 0.4 + spare, -0.6 - spare)
    if right_to_left:
        place.invert_xaxis()
        place.yaxis.tick_right()


def _tidy(place: Axes, panel: Panel, right_to_left: bool) -> None:
    place.set_facecolor(CARD)
    place.spines[:].set_visible(False)
    place.tick_params(length=0, labelcolor=INK)
    if panel.title:
        place.set_title(
            visible(panel.title),
            loc="right" if right_to_left else "left",
            size=9,
            color=FAINT,
            pad=18 if _has_legend(panel) else 6,
        )
    if _has_legend(panel):
        place.legend(
            loc="lower right" if right_to_left else "lower left",
            bbox_to_anchor=(1, 1) if right_to_left else (0, 1),
            ncols=4,
            frameon=False,
            handlelength=0.9,
            handleheight=0.9,
            columnspacing=1.4,
            borderaxespad=0.2,
        )


def _has_legend(panel: Panel) -> bool:
    return bool(panel.line) or any(series.name for series in panel.series)


if __name__ == "__main__":
    main()

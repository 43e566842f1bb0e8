"""What a picture of figures shows, before it is drawn: words in their reader's language, and numbers.

`bot/drawing.py` draws it, in a process of its own; here nothing needs more than the standard library.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Series:
    """Parts of bars that have the same meaning, and colour."""

    name: str
    """What the legend says; empty where there is nothing to tell apart."""
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot. Its bars are stacked, and stand beside each other or lie below each other."""

    labels: Sequence[str]
    """One for each bar; empty for those of a time axis that need none."""
    series: Sequence[Series]
    ticks: Sequence[tuple[float, str]] = ()
    """Of the axis of values: where, and what is written there."""
    title: str = ""
    ends: Sequence[str] = ()
    """What is written at the end of each bar."""
    line: Series | None = None
    """Drawn over the bars."""
    lying: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    subtitle: str
    panels: Sequence[Panel]
    right_to_left: bool = False


def write(charts: Sequence[Chart]) -> bytes:
    """For the process that draws."""
    return json.dumps([asdict(chart) for chart in charts]).encode()


def read(written: bytes) -> list[Chart]:
    return [_chart(**chart) for chart in json.loads(written)]


def _chart(panels: list[dict[str, Any]], **rest: Any) -> Chart:
    return Chart(panels=[_panel(**panel) for panel in panels], **rest)


def _panel(series: list[dict[str, Any]], line: dict[str, Any] | None, **rest: Any) -> Panel:
    return Panel(series=[Series(**one) for one in series], line=Series(**line) if line else None, **rest)

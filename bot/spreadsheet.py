"""Cells that are safe to open in a spreadsheet."""

from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

Cell: TypeAlias = str | int | Decimal | datetime | None
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet may take for a formula: some of these texts are written by strangers."""


def cell(value: Cell) -> str | int:
    """As it stands in a CSV: only texts are guarded, so that a negative number stays a number."""
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat(timespec="seconds")
        case Decimal():
            return f"{value:f}"
        case str() if value.startswith(FORMULA):
            return f"'{value}"
        case _:
            return value

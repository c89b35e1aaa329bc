"""How numbers look: decimals per kind, once for pages and text, once for Excel."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from csat.report.description import Cell, Kind
from csat.report.words import Words

DASH = "–"
MINUS = "−"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.0005 else f"{value:.3f}"


SHOWN: Mapping[Kind, Callable[[float], str]] = {
    "score": "{:.2f}".format,
    "percent": "{:.1%}".format,
    "p_value": _p_value,
    "count": "{:,.0f}".format,
    "estimate": "{:.3f}".format,
    "statistic": "{:.2f}".format,
}

EXCEL: Mapping[Kind, str] = {
    "text": "@",
    "score": "0.00",
    "percent": "0.0%",
    "p_value": '[<0.0005]"<0.001";0.000',
    "count": "#,##0",
    "estimate": "0.000",
    "statistic": "0.00",
}


def number(value: float, kind: Kind) -> str:
    """Round a number for reading; minus signs are real ones, and what rounds to nothing has none.

    >>> number(-15.474, "score"), number(-0.001, "score"), number(0.0001, "p_value")
    ('−15.47', '0.00', '<0.001')
    """
    if not math.isfinite(value):
        return DASH if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")
    text = SHOWN[kind](value)
    negative = text.startswith("-")
    return (MINUS if negative and any(digit in text for digit in "123456789") else "") + text.removeprefix("-")


def shown(cell: Cell, kind: Kind, catalogue: Words) -> str:
    """Write a cell in a language: a dash for what is not shown, nothing where the column does not apply."""
    kind = cell.kind or kind
    if not cell.applies:
        return ""
    if cell.missing or cell.value is None:
        return DASH
    if isinstance(cell.value, (int, float)):
        return number(float(cell.value), kind) if kind != "text" else f"{cell.value:g}"
    return catalogue.say(cell.value)

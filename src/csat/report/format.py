"""How numbers look: decimals per kind, once for pages and text, once for Excel."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from csat.report.description import Cell, Kind
from csat.report.words import Words

#: Characters that XML 1.0 forbids, and so Excel: controls, lone surrogates, U+FFFE and U+FFFF.
ILLEGAL = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

DASH = "–"
MINUS = "−"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.0005 else f"{value:.3f}"


def _chance(value: float) -> str:
    """A probability or a share of replicates: whole per cent, and nothing is certain, whatever all draws say."""
    if 0 < value < 0.005:
        return "<1%"
    return ">99%" if value > 0.995 else f"{value:.0%}"


SHOWN: Mapping[Kind, Callable[[float], str]] = {
    "score": "{:.2f}".format,
    "tenths": "{:.1f}".format,
    "percent": "{:.1%}".format,
    "percentage_points": lambda value: f"{100 * value:.1f}",
    "chance": _chance,
    "p_value": _p_value,
    "count": "{:,.0f}".format,
    "estimate": "{:.3f}".format,
    "statistic": "{:.2f}".format,
    "plain": "{:g}".format,
}

EXCEL: Mapping[Kind, str] = {
    "text": "@",
    "score": "0.00",
    "tenths": "0.0",
    "percent": "0.0%",
    "percentage_points": "0.0%",
    "chance": '[>0.995]">99%";[<0.005]"<1%";0%',
    "p_value": '[<0.0005]"<0.001";0.000',
    "count": "#,##0",
    "estimate": "0.000",
    "statistic": "0.00",
    "plain": "General",
}


def legal(text: str) -> str:
    """Text without the characters that no page and no workbook may hold."""
    return ILLEGAL.sub("", text) if ILLEGAL.search(text) else text


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


def signed(value: float, kind: Kind = "score") -> str:
    """Write a figure with its sign.

    >>> signed(5.29), signed(-15.47)
    ('+5.29', '−15.47')
    """
    text = number(value, kind)
    return text if text.startswith(MINUS) or not any(digit in text for digit in "123456789") else f"+{text}"


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

"""What all sentences by rule share: figures in running text, and the list that holds the sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.report.description import Cell, Column
from csat.report.format import MINUS, number
from csat.report.guidance import Advice
from csat.report.jupyter import Table
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.report.names import Names

#: Names that a sentence lists before it only counts the others.
MOST = 5


def tenth(value: float, *, sign: bool = False) -> str:
    """A figure of running text: one decimal, with a real minus sign; with `sign`, a plus as well.

    >>> tenth(-4.364), tenth(0.98, sign=True), tenth(-0.01)
    ('−4.4', '+1.0', '0.0')
    """
    text = f"{abs(value):.1f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def figures(estimate: float, low: float, high: float, *, sign: bool = False) -> dict[str, str]:
    """A figure with the ends of its interval, as blanks of a sentence."""
    ends = {"low": _end(float(low), sign=sign), "high": _end(float(high), sign=sign)}
    return {"estimate": tenth(float(estimate), sign=sign), **ends}


def _end(value: float, *, sign: bool) -> str:
    """An end of an interval: a second decimal where the first would hide on which side of 0 it lies."""
    text = tenth(value, sign=sign)
    return number(value, "score") if text == "0.0" and abs(value) >= 0.005 else text


def distance(estimate: float, low: float, high: float) -> dict[str, str]:
    """How far a figure lies from 0, whichever side, with its interval: "higher by", "lower by".

    >>> distance(-4.36, -6.58, -2.15)
    {'estimate': '4.4', 'low': '2.2', 'high': '6.6'}
    """
    return figures(estimate, low, high) if estimate >= 0 else figures(-estimate, -high, -low)


def known(*values: float) -> bool:
    """Whether all figures are there."""
    return bool(np.isfinite(values).all())


def listed(names: Sequence[str], texts: Names) -> Word | str:
    """The first names in a row, and how many more there are."""
    first = texts.listed(list(names[:MOST]))
    more = len(names) - MOST
    return Word("sentence.more", {"names": first, "more": more}) if more > 0 else first


def bracketed(name: str, figure: str, texts: Names) -> str:
    """A name with a figure in brackets."""
    return f"{name}（{figure}）" if texts.lang == "zh" else f"{name} ({figure})"


def quoted(name: str) -> str:
    """A name between quotation marks: those of items may hold commas."""
    return f"“{name}”"


def advice_of(
    name: str,
    title: Word,
    lines: Iterable[Word],
    texts: Names,
    *,
    notes: Sequence[Word | str] = (),
    base: Word | str | None = None,
) -> Advice:
    """Put sentences into a list, a row each, whom they are about first among its notes."""
    rows = tuple((Cell(line),) for line in lines)
    whom: list[Word | str] = [] if base is None else [Word("note.base", {"base": base})]
    shown = tuple(notes) if rows else ()
    return Advice(Table(name, title, (Column("sentence", title),), rows, texts.lang, notes=(*whom, *shown)))


def top_of(tidy: pd.DataFrame) -> pd.Series:
    """Row of the index itself."""
    return tidy[tidy["kind"] == "index"].iloc[0]

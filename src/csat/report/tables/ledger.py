"""Table of a ledger: what happened to every row and code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from csat.report.names import Names
from csat.report.table import Kind, Table
from csat.report.tables.cells import Show, describe
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.survey import Ledger


def ledger(result: Ledger, names: Names) -> Table:
    """Rows and codes accounted for, as the ledger lists them."""
    frame = result.tidy()
    catalogue = words(names.lang)
    said = frame.copy().astype(object)
    shows = []
    for name in map(str, frame.columns):
        number = pd.api.types.is_numeric_dtype(frame[name])
        kind: Kind = "count" if number else "text"
        heading = Word(f"column.{name}") if f"column.{name}" in catalogue else name
        shows.append(Show(name, kind, heading=heading))
        if not number:
            said[name] = [_text(value, names) for value in frame[name]]
    return describe("ledger", Word("title.ledger"), said, shows, names.lang)


def _text(value: object, names: Names) -> Word | str:
    text = "" if value is None or value != value else str(value)
    return Word(f"ledger.{text}") if f"ledger.{text}" in words(names.lang) else names.code(text)

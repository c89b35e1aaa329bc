"""A table of the service room as it was handed in: columns found by their role, cells checked one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from csat.errors import OptionError, UnknownColumnError
from csat.moments import as_names, shown
from csat.read.raw import is_empty, numbers_in, text_in
from csat.read.sources import read_raw
from csat.results import COLUMNS
from csat.service.faults import ServiceError
from csat.service.roles import Roles
from csat.trends.periods import in_order

#: The row, or the term, of everything together.
TOTAL = "total"

#: Largest number of anything: beyond it whole numbers are not exact.
MOST = 2.0**53

#: What the row of sums is called in printed tables, in small letters.
TOTAL_WORDS = (TOTAL, "sum", "总分", "合计", "总计", "总和")

#: Columns of the tidy tables of this room, which no group may overwrite.
RESERVED = frozenset((
    "term", *COLUMNS, *("full_marks", "score", "lost", "visits", "share", "share_low", "share_high", "rank", "count"),
    *("cumulative", "complaints", "dissatisfied", "count_before", "count_after", "rate_before", "rate_after"),
    *("adjusted_p", "verdict", "limit", "over", "open_over", "open_within", "least", "most", "median", "ninety"),
))  # fmt: skip

#: A moment begins with its year: 03/04/2026 means two days.
_MOMENT = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[ T]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
)


@dataclass(frozen=True, slots=True)
class Log:
    """A table with named roles.

    source : the file, or kind of frame. rows : (n,) numbers of the rows as their reader sees them.
    cells : column → values. names : role → column, for the roles that the table has.
    """

    source: str
    rows: np.ndarray
    cells: Mapping[str, pa.Array]
    names: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, role: str) -> bool:
        """Whether the table has a column for a role."""
        return role in self.names

    def fault(self, role: str, place: int, problem: str) -> ServiceError:
        """Error about one cell, by the position of its row."""
        return ServiceError.cell(self.source, int(self.rows[place]), self.names.get(role, role), problem)

    def texts(self, role: str) -> np.ndarray:
        """(n,) texts of a column given by its role or name; refuses an empty cell."""
        column = self.cells[self.names.get(role, role)]
        values = np.array(text_in(column).to_pylist(), dtype=object)
        empty = np.flatnonzero([value is None for value in values])
        if len(empty):
            raise self.fault(role, int(empty[0]), "the cell is empty.")
        return values

    def numbers(self, role: str, *, empty: bool = False) -> np.ndarray:
        """(n,) numbers of a column; NaN for empty cells if they are allowed."""
        column = self.cells[self.names[role]]
        values = numbers_in(column)
        blank = is_empty(column, number=True)
        wrong = ~np.isfinite(values) & ~(blank & empty)
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            problem = "the cell is empty." if blank[place] else f"{_said(column, place)} is no number."
            raise self.fault(role, place, problem)
        return values

    def moments(self, role: str) -> np.ndarray:
        """(n,) moments as hours since 1970; NaN for empty cells."""
        column = self.cells[self.names[role]]
        texts = text_in(column).to_pylist()
        return np.array([np.nan if text is None else self._hours(role, i, text) for i, text in enumerate(texts)], float)

    def _hours(self, role: str, place: int, text: str) -> float:
        hours = hours_of(text)
        if hours is None:
            raise self.fault(role, place, f"{shown(text)} is no moment; write 2026-07-31 18:05 (year first).")
        return hours

    def labels(self, by: Any) -> tuple[tuple[str, ...], list[tuple[str, ...]], np.ndarray]:
        """Grouping columns, their groups, and (n,) the group of each row.

        Groups stand in the order of the rows, periods in the order of time.
        """
        named = tuple(self.names.get(name, name) for name in as_names(by, "by"))
        for name in named:
            if named.count(name) > 1:
                raise OptionError(f"by names column {name!r} twice.")
            if name in RESERVED:
                raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the table.")
            if name not in self.cells:
                raise UnknownColumnError.among(name, list(self.cells), self.source)
        columns = [self.texts(name) for name in named]
        keys = list(zip(*columns, strict=True)) if columns else [()] * len(self)
        ranks = [{label: i for i, label in enumerate(in_order(list(dict.fromkeys(column))))} for column in columns]
        first = dict.fromkeys(keys)
        groups = sorted(first, key=lambda key: tuple(rank[label] for rank, label in zip(ranks, key, strict=True)))
        place = {group: i for i, group in enumerate(groups)}
        return named, groups, np.array([place[key] for key in keys], int)

    def only(self, keep: np.ndarray) -> Log:
        """The rows (n,) marked."""
        chosen = {name: column.filter(pa.array(keep)) for name, column in self.cells.items()}
        return replace(self, rows=self.rows[keep], cells=chosen)


def read_log(table: Any, roles: Roles, needed: Sequence[str], columns: Any = None) -> Log:
    """Read a table and find its columns.

    Parameters
    ----------
    table : path of a .csv, .xlsx or .parquet file, or a frame.
    roles : that columns can have, with their usual names.
    needed : roles that must be there.
    columns : role → column, where it has another name.

    Raises
    ------
    DataError
        If the table cannot be read, has no rows, or lacks a column.
    OptionError, UnknownColumnError
        If `columns` names no role, or no column.
    """
    if isinstance(table, Log):
        return table
    raw = read_raw(table)
    filled = ~np.all([is_empty(column, number=False) for column in raw.columns.values()], axis=0)
    if not len(raw.rows) or not filled.any():
        raise ServiceError.no_rows(raw.source)
    given = _given(columns, roles)
    for role, column in given.items():
        if column not in raw.columns:
            raise UnknownColumnError.among(column, list(raw.columns), raw.source)
        if role not in roles:
            raise OptionError.choose("columns", role, roles)
    folded = {name.casefold(): name for name in raw.columns}
    found = {role: next((folded[word] for word in usual if word in folded), None) for role, usual in roles.items()}
    names = {role: column for role, column in found.items() if column is not None} | given
    for role in needed:
        if role not in names:
            raise ServiceError.no_column(raw.source, role, roles[role], list(raw.columns))
    _one_clock(table, raw.source, [names[role] for role in ("start", "end") if role in names])
    return Log(raw.source, raw.rows, raw.columns, names).only(filled)


def _one_clock(table: Any, source: str, columns: Sequence[str]) -> None:
    """Refuse moments on clocks of different time zones: their difference would be off by hours."""
    if not isinstance(table, pd.DataFrame):
        return
    zones = {name: str(getattr(table[name].dtype, "tz", None)) for name in columns if table[name].notna().any()}
    if len(set(zones.values())) > 1:
        said = ", ".join(f"{name!r} in {'none' if zone == 'None' else zone}" for name, zone in zones.items())
        raise ServiceError(f"{source}: moments in different time zones ({said}); bring them to one with tz_convert.")


def _given(columns: Any, roles: Roles) -> dict[str, str]:
    if columns is None:
        return {}
    if not isinstance(columns, Mapping) or not all(isinstance(x, str) for pair in columns.items() for x in pair):
        listed = ", ".join(map(repr, roles))
        raise OptionError(f"columns is a table: role → name of the column; roles are {listed}. Found {shown(columns)}.")
    for role in columns:
        if role not in roles:
            raise OptionError.choose("columns: role", role, roles)
    return dict(columns)


def refuse_repeats(log: Log, keys: Sequence[tuple[Any, ...]], words: str, remedy: str) -> None:
    """Refuse two rows with the same key."""
    seen: dict[tuple[Any, ...], int] = {}
    for place, key in enumerate(keys):
        if key in seen:
            said = " · ".join(str(part) for part in key if part != "")
            rows = [int(log.rows[seen[key]]), int(log.rows[place])]
            raise ServiceError.repeated(log.source, f"{words} {said!r}", rows, remedy)
        seen[key] = place


def hours_of(text: str) -> float | None:
    """A moment in hours since 1970 (its own clock), None for what is no moment with its year first.

    >>> hours_of("1970-01-02 06:30")
    30.5
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day, m, d, hour, minute, second = (int(part) for part in found.groups(default="0"))
    try:
        moment = datetime(year, month or m, day or d, hour, minute, second)
    except ValueError:
        return None
    return (moment - datetime(1970, 1, 1)).total_seconds() / 3600


def positive(name: str, value: Any) -> float:
    """Refuse an option that is no number above 0, or too large to count with."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < MOST:
        raise OptionError(f"{name} is a number above 0; found {shown(value)}.")
    return float(value)


def _said(column: pa.Array, place: int) -> str:
    return shown(column[place].as_py())

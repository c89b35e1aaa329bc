"""The ledger: every row and every cell of the data is accounted for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from csat.errors import LedgerError
from csat.read.weights import WeightReport
from csat.results import Shown

#: Why a whole row is left out, in the order in which reasons are tried.
ROW_REASONS = (
    "empty_row",
    "weight_not_a_number",
    "weight_missing",
    "weight_zero",
    "weight_negative",
    "replicate_weight_missing",
    "stratum_missing",
    "psu_missing",
    "ssu_missing",
    "duplicate_id",
)

#: What becomes of a cell of a kept row. All but the first are missing.
CELL_REASONS = (
    "valid",
    "empty",
    "dont_know",
    "not_used",
    "refused",
    "not_asked",
    "user_missing",
    "unknown_code",
    "out_of_range",
)

#: Examples kept per column and reason.
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one thing happened in one column.

    what : "row" (left out) or "cell" (of a kept row).
    column : the column that is the reason; empty for a row without any answer.
    reason : one of `ROW_REASONS` or `CELL_REASONS`.
    count : rows or cells.
    rows : of the first few; in a file as its program numbers them (the header is row 1), in a frame from 0.
    values : what stood there.
    files : in which files of a folder; empty for other sources.
    """

    what: str
    column: str
    reason: str
    count: int
    rows: tuple[int, ...] = ()
    values: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.what,
            self.column,
            self.reason,
            self.count + other.count,
            (self.rows + other.rows)[:EXAMPLES],
            (self.values + other.values)[:EXAMPLES],
            (self.files + other.files)[:EXAMPLES],
        )

    @property
    def examples(self) -> str:
        """``row 5: '11'; row 9: '77'``."""
        files = [f"{file}, " for file in self.files] or [""] * len(self.rows)
        places = zip(files, self.rows, self.values, strict=True)
        return "; ".join(f"{file}row {row}: {value!r}" for file, row, value in places)


@dataclass(frozen=True, slots=True, repr=False)
class Ledger(Shown):
    """What became of every row and cell.

    Parameters
    ----------
    source : what was read.
    rows_read, rows_kept : counts of respondents.
    tallies : why rows were left out, and what became of the cells of the kept rows.
    plain : columns of the data that the questionnaire does not know; they are kept as they are.
    notes : how the data were read: encoding, separator, sheet, renamed and unreadable columns.
    weights : spread of the weights of the rows kept; None without a weight column.

    Raises
    ------
    LedgerError
        If the counts do not add up: rows read = kept + left out, and for each column rows kept = cells.
    """

    source: str
    rows_read: int
    rows_kept: int
    tallies: tuple[Tally, ...] = ()
    plain: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    weights: WeightReport | None = None

    def __post_init__(self) -> None:
        left_out = sum(tally.count for tally in self.tallies if tally.what == "row")
        if self.rows_kept + left_out != self.rows_read:
            raise LedgerError(f"{self.rows_read} rows read, but {self.rows_kept} kept and {left_out} left out.")
        for column, cells in _cells(self.tallies).items():
            if cells != self.rows_kept:
                raise LedgerError(f"{self.rows_kept} rows kept, but {cells} cells accounted for in {column!r}.")

    def __add__(self, other: Ledger) -> Ledger:
        if _cells(self.tallies).keys() != _cells(other.tallies).keys():
            different = sorted(_cells(self.tallies).keys() ^ _cells(other.tallies).keys())
            raise LedgerError(f"Only ledgers of the same columns add up; they differ at {different[0]!r}.")
        return Ledger(
            "; ".join(dict.fromkeys((self.source, other.source))),
            self.rows_read + other.rows_read,
            self.rows_kept + other.rows_kept,
            _merged((*self.tallies, *other.tallies)),
            tuple(dict.fromkeys(self.plain + other.plain)),
            tuple(dict.fromkeys(self.notes + other.notes)),
            self.weights + other.weights if self.weights is not None and other.weights is not None else None,
        )

    @property
    def rows_left_out(self) -> int:
        """Rows read but not kept."""
        return self.rows_read - self.rows_kept

    def count(self, reason: str, column: str | None = None) -> int:
        """Rows or cells with this reason, in one column or in all."""
        return sum(tally.count for tally in self.tallies if tally.reason == reason and column in (None, tally.column))

    def tidy(self) -> pd.DataFrame:
        """One row per reason and column: ``what column reason count share examples``.

        `share` is of the rows read for rows, of the rows kept for cells.
        """
        total = {"row": self.rows_read, "cell": self.rows_kept}
        return pd.DataFrame(
            [
                (
                    tally.what,
                    tally.column,
                    tally.reason,
                    tally.count,
                    tally.count / max(total[tally.what], 1),
                    tally.examples,
                )
                for tally in self.tallies
            ],
            columns=["what", "column", "reason", "count", "share", "examples"],
        )

    def glance(self) -> pd.DataFrame:
        """One row: the source, rows read, kept and left out, cells valid and missing, plain columns, notes."""
        cells = sum(tally.count for tally in self.tallies if tally.what == "cell")
        valid = self.count("valid")
        return pd.DataFrame(
            {
                "source": [self.source],
                "rows_read": [self.rows_read],
                "rows_kept": [self.rows_kept],
                "rows_left_out": [self.rows_left_out],
                "cells_valid": [valid],
                "cells_missing": [cells - valid],
                "plain_columns": [", ".join(self.plain)],
                "notes": ["; ".join(self.notes)],
            }
        )

    def __repr__(self) -> str:
        head = f"Ledger of {self.source}: {self.rows_read} rows read, {self.rows_kept} kept"
        losses = [tally for tally in self.tallies if tally.reason != "valid"]
        lines = [_line(tally) for tally in losses[:20]]
        lines += [f"  … {len(losses) - 20} more; tidy() has them all"] if len(losses) > 20 else []
        lines += [f"  {self.weights}"] if self.weights is not None else []
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  columns outside the questionnaire: {', '.join(self.plain)}"] if self.plain else []
        return "\n".join([head, *lines])


def _line(tally: Tally) -> str:
    where = f" in {tally.column}" if tally.column else ""
    examples = f" ({tally.examples})" if tally.rows else ""
    return f"  {tally.count} {tally.what}s {tally.reason}{where}{examples}"


def _cells(tallies: Iterable[Tally]) -> dict[str, int]:
    """Column → cells accounted for."""
    cells: dict[str, int] = {}
    for tally in tallies:
        if tally.what == "cell":
            cells[tally.column] = cells.get(tally.column, 0) + tally.count
    return cells


def _merged(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    """One tally per thing, rows before cells, in the order of appearance of their columns."""
    merged: dict[tuple[str, str, str], Tally] = {}
    for tally in tallies:
        key = (tally.what, tally.column, tally.reason)
        merged[key] = merged[key] + tally if key in merged else tally
    columns = list(dict.fromkeys(tally.column for tally in merged.values()))
    order = (*ROW_REASONS, *CELL_REASONS)
    ranked = sorted(merged.values(), key=lambda t: (t.what != "row", columns.index(t.column), order.index(t.reason)))
    return tuple(ranked)

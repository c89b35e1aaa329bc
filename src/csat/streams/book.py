"""`Book`: what the passes over a source have found so far, so that no pass looks for it again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

import numpy as np

from csat.errors import DataError
from csat.questionnaire import Questionnaire
from csat.read.batch import Part, Roles, refuse_unknown
from csat.read.ledger import CELL_REASONS, Ledger, Tally
from csat.read.weights import WeightReport, judge
from csat.streams.budget import Counted


@dataclass(slots=True)
class Book:
    """Findings about the whole source, filled by complete passes.

    rows : ledger of rows of the first complete pass; every pass finds the same.
    cells : column → tallies of its cells.
    notes : how cells were read, the first example of each kind.
    weights : report on the weights.
    answers : column → values that occur in it, of the rows of a domain.
    cells_found : columns of groups, strata and units, and a domain → how many of each there are.
    middles : plain numbers → a number near the middle of their first rows.
    repeated : places of rows that repeat an interview; None: not yet known.
    """

    rows: tuple[int, int, tuple[Tally, ...]] | None = None
    cells: dict[str, tuple[Tally, ...]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    weights: WeightReport | None = None
    answers: dict[object, tuple[str, ...]] = field(default_factory=dict)
    middles: dict[str, float] = field(default_factory=dict)
    cells_found: dict[Hashable, Counted] = field(default_factory=dict)
    repeated: np.ndarray | None = None
    lock: Lock = field(default_factory=Lock)

    def close(self, found: Findings, roles: Roles, on_unknown: str) -> None:
        """Enter what a complete pass found.

        Raises
        ------
        DataError
            If no row can be used, or there are answers that the study does not know and they are not to be missing.
        """
        ledger = found.ledger
        if ledger is None or not ledger.rows_read:
            raise DataError.no_rows(roles.source)
        if on_unknown == "raise":
            refuse_unknown(roles.source, found.unknown, roles.asked)
        rows = tuple(tally for tally in ledger.tallies if tally.what == "row")
        if not ledger.rows_kept:
            why = ", ".join(f"{tally.count} × {tally.reason} ({tally.examples})" for tally in rows)
            raise DataError(f"{roles.source}: no row can be used: {why}.")
        with self.lock:
            first, self.rows = self.rows is None, (ledger.rows_read, ledger.rows_kept, rows)
            self.weights = ledger.weights
            for tally in (tally for tally in ledger.tallies if tally.what == "cell"):
                others = [old for old in self.cells.get(tally.column, ()) if old.reason != tally.reason]
                self.cells[tally.column] = (*others, tally)
            for note in ledger.notes:
                self.notes.setdefault(note.partition(": ")[0], note)
        if first and ledger.weights is not None:
            judge(roles.source, ledger.weights, stacklevel=6)

    def ledger(self, roles: Roles, notes: Sequence[str], questionnaire: Questionnaire | None) -> Ledger:
        """The whole ledger, once every column has been counted."""
        read, kept, rows = self.rows or (0, 0, ())
        known = {*roles.asked.codes, *(column.code for column in roles.asked.columns), *roles.design.columns}
        plain = tuple(name for name in roles.columns if name not in known) if questionnaire is not None else ()
        cells = [tally for name in roles.columns for tally in sorted(self.cells.get(name, ()), key=_rank)]
        said = (*notes, *self.notes.values())
        return Ledger(roles.source, read, kept, (*rows, *cells), plain, said, self.weights)


class Findings:
    """What one pass has found so far."""

    def __init__(self) -> None:
        self.ledger: Ledger | None = None
        self.unknown: list[Tally] = []

    def add(self, part: Part) -> None:
        """Add a batch."""
        self.ledger = part.ledger if self.ledger is None else self._sum(self.ledger, part.ledger)
        for tally in part.unknown:
            place = next((i for i, old in enumerate(self.unknown) if old.column == tally.column), None)
            if place is None:
                self.unknown.append(tally)
            else:
                self.unknown[place] = self.unknown[place] + tally

    @staticmethod
    def _sum(total: Ledger, part: Ledger) -> Ledger:
        weights = [report for report in (total.weights, part.weights) if report is not None]
        both = replace(total, weights=None) + replace(part, weights=None)
        return replace(both, weights=_added(weights))


def _rank(tally: Tally) -> int:
    return CELL_REASONS.index(tally.reason)


def _added(weights: Iterable[WeightReport]) -> WeightReport | None:
    total: WeightReport | None = None
    for report in weights:
        total = report if total is None else total + report
    return total

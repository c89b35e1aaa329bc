"""From a table as it came to a clean one: every row and every cell accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from csat.design import Design
from csat.errors import DataError, OptionError, check_choice
from csat.questionnaire import Questionnaire, Scale
from csat.questionnaire.decode import LONGEST, quoted
from csat.read.answers import Answers
from csat.read.cells import Cells
from csat.read.fromfile import asked_in
from csat.read.ledger import CELL_REASONS, EXAMPLES, Ledger, Tally
from csat.read.raw import Raw, is_empty, text_in, words_in
from csat.read.roles import columns_in_roles, declared, spoken_names
from csat.read.sources import read_raw
from csat.read.universe import Universe
from csat.read.weights import weights_of
from csat.read.words import snippet

#: Column of a clean table with the number of each row in its source.
ROW = "(row)"

#: Column of a clean table that marks the rows of a domain; a survey adds it.
INSIDE = "(inside)"

#: Distinct unknown answers that an error lists per column.
LISTED = 6

_VALID = CELL_REASONS.index("valid")
_NOT_A_NUMBER = CELL_REASONS.index("unknown_code")
_OUT_OF_RANGE = CELL_REASONS.index("out_of_range")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A clean table, the design it follows, the ledger of how it came about, and what was asked.

    The questionnaire is the one given, or the one that the value labels of a .sav or .dta file amount to, or None.
    """

    table: pa.Table
    design: Design
    ledger: Ledger
    questionnaire: Questionnaire | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Rows (n,) that cannot be used, and why."""

    reason: str
    column: str
    bad: np.ndarray


def read_clean(
    data: Any,
    questionnaire: Questionnaire | None = None,
    *,
    design: Design | None = None,
    on_unknown: str = "raise",
    on_absent: str = "raise",
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    universe: Universe | None = None,
) -> Cleaned:
    """Read a table in any form, check it against the questionnaire, and account for every row and cell.

    Parameters
    ----------
    data, sheet, encoding, header_row : see `csat.read.sources.read_raw`.
    questionnaire : what was asked; None takes numbers as variables and text as categories, and value labels of a
        .sav or .dta file as scales.
    design : columns of weight, stratum, unit …; None takes the questionnaire's.
    on_unknown : answers that are neither a level nor a missing code: "raise", or "missing" and counted.
    on_absent : columns of the questionnaire that the data lack: "raise", or "missing" and counted as not asked.
    universe : rows outside it are not there.

    Returns
    -------
    Cleaned
        Scaled questions, numbers and weights as float64, everything else as text; null = missing.

    Raises
    ------
    DataError
        Naming source, row, column and remedy.
    """
    check_reading(on_unknown, on_absent, design)
    asked = Questionnaire(name="") if questionnaire is None else questionnaire
    design = asked.design if design is None else design
    raw = read_raw(data, sheet, encoding, header_row, spoken_names(asked, design))
    if questionnaire is None and raw.value_labels:
        stated = asked_in(raw, without=design.columns)
        questionnaire = stated if stated.items else None
        asked = questionnaire or asked
    if not len(raw.rows):
        raise DataError.no_rows(raw.source)
    raw = raw if universe is None else universe.of(raw)
    for name in (ROW, INSIDE):
        if name in raw.columns:
            raise DataError(f"{raw.source}: the column name {name!r} is reserved; rename the column.")
    raw, read, notes = columns_in_roles(raw, asked, design, on_absent)
    kept, tallies = rows_left_out(raw, read, asked, design)
    if not kept.any():
        raise DataError(f"{raw.source}: no row can be used: {', '.join(_spoken(tally) for tally in tallies)}.")
    if on_unknown == "raise":
        _refuse_unknown(raw, read, asked, design, kept)
    cells = [tally for name in read if name not in design.columns for tally in cells_of(raw, name, read[name], kept)]
    outside = [name for name in read if name not in declared(asked) and name not in design.columns]
    weights = None
    if design.weight is not None:
        weights = weights_of(raw.source, design.weight, _numbers(read[design.weight])[kept], raw.rows[kept])
    ledger = Ledger(
        raw.source,
        len(kept),
        int(kept.sum()),
        (*tallies, *cells),
        () if questionnaire is None else tuple(outside),
        (*raw.notes, *notes),
        weights,
    )
    arrays = {name: answers.values for name, answers in read.items()} | {ROW: pa.array(raw.rows)}
    return Cleaned(pa.table(arrays).filter(pa.array(kept)).combine_chunks(), design, ledger, questionnaire)


def check_reading(on_unknown: object, on_absent: object, design: object) -> None:
    """Refuse options of reading that are outside what they accept; `OptionError`."""
    for option, value in (("on_unknown", on_unknown), ("on_absent", on_absent)):
        check_choice(option, value, ("raise", "missing"))
    if design is not None and not isinstance(design, Design):
        raise OptionError(f'design must be a Design, not {type(design).__name__}: csat.Design(weight="w", psu="hall").')


def rows_left_out(
    raw: Raw,
    read: Mapping[str, Answers] | Mapping[str, Cells],
    asked: Questionnaire,
    design: Design,
    *,
    blank: bool = True,
    repeated: np.ndarray | None = None,
) -> tuple[np.ndarray, list[Tally]]:
    """Find the rows to keep (n,), and tally the others by the first reason that applies.

    Parameters
    ----------
    raw, read : the table as it came, and its answers.
    asked, design : what each column is.
    blank : whether rows may be blank.
    repeated : (n,) rows that repeat an interview; None: found here, among these rows.
    """
    left = np.ones(len(raw.rows), bool)
    tallies: list[Tally] = []
    for check in _checks(raw, read, design, blank):
        tallies += tallied(raw, "row", check.reason, check.column, left & check.bad)
        left &= ~check.bad
    identity = asked.column_of_kind("id")
    if identity is not None and (repeated is not None or identity in read):
        repeated = repeated if repeated is not None else _repeated(read[identity].values, left)
        tallies += tallied(raw, "row", "duplicate_id", identity, left & repeated)
        left &= ~repeated
    return left, tallies


def _checks(raw: Raw, read: Mapping[str, Answers] | Mapping[str, Cells], design: Design, blank: bool) -> list[Check]:
    checks = [Check("empty_row", "", _blank(raw))] if blank else []
    if design.weight is not None:
        reasons, weight = read[design.weight].reasons, _numbers(read[design.weight])
        words = reasons == _NOT_A_NUMBER
        checks += [
            Check("weight_not_a_number", design.weight, words),
            Check("weight_missing", design.weight, (reasons != _VALID) & ~words),
            Check("weight_zero", design.weight, weight == 0),
            Check("weight_negative", design.weight, weight < 0),
        ]
    checks += [Check("replicate_weight_missing", name, np.isnan(_numbers(read[name]))) for name in design.replicates]
    for reason, name in (
        ("stratum_missing", design.stratum),
        ("psu_missing", design.psu),
        ("ssu_missing", design.ssu),
    ):
        if name is not None:
            checks.append(Check(reason, name, read[name].reasons != _VALID))
    return checks


def _blank(raw: Raw) -> np.ndarray:
    """Mark the rows (n,) without any answer; columns are looked at only as long as a row may be one."""
    blank = np.ones(len(raw.rows), bool)
    for column in raw.columns.values():
        if not blank.any():
            break
        blank &= is_empty(column, number=False)
    return blank


def _numbers(answers: Answers | Cells) -> np.ndarray:
    """(n,) values, NaN where missing."""
    return answers.values.to_numpy(zero_copy_only=False)


def _repeated(identity: pa.Array, left: np.ndarray) -> np.ndarray:
    """Mark the rows (n,) whose identifier stands in an earlier usable row; empty ones repeat nothing."""
    encoded = identity.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    usable = np.flatnonzero(left & (encoded >= 0))
    _, first = np.unique(encoded[usable], return_index=True)
    repeated = np.zeros(len(left), bool)
    repeated[usable] = True
    repeated[usable[first]] = False
    return repeated


def cells_of(raw: Raw, name: str, answers: Answers, kept: np.ndarray) -> list[Tally]:
    """Tally what became of the cells of one column in the kept rows."""
    reasons = answers.reasons if kept.all() else answers.reasons[kept]
    counts = np.bincount(reasons, minlength=len(CELL_REASONS)).tolist()
    tallies: list[Tally] = []
    for code, reason in enumerate(CELL_REASONS):
        if counts[code] and code in (_NOT_A_NUMBER, _OUT_OF_RANGE):
            tallies += tallied(raw, "cell", reason, name, kept & (answers.reasons == code))
        elif counts[code] or code == _VALID:
            tallies.append(Tally("cell", name, reason, counts[code]))
    return tallies


def tallied(raw: Raw, what: str, reason: str, column: str, rows: np.ndarray) -> list[Tally]:
    """Count rows, marked (n,) or listed (m,), with the first few as examples; nothing if there are none."""
    found = np.flatnonzero(rows) if rows.dtype == bool else rows
    if not len(found):
        return []
    first = found[:EXAMPLES]
    values = text_in(raw.columns[column].take(pa.array(first))).to_pylist() if column in raw.columns else []
    shown = tuple(
        "" if value is None else value if len(value) <= LONGEST else f"{value[:LONGEST]}…" for value in values
    ) or ("",) * len(first)
    return [Tally(what, column, reason, len(found), tuple(raw.rows[first].tolist()), shown)]


def _refuse_unknown(
    raw: Raw, read: Mapping[str, Answers], asked: Questionnaire, design: Design, kept: np.ndarray
) -> None:
    """Raise for answers that the questionnaire does not know, all columns at once."""
    lines = []
    words: dict[str, list[str]] = {}
    scales: dict[str, Scale] = {}
    for name in declared(asked):
        # a stratum with an unknown code was left out above, but must not vanish for that
        rows = np.ones(len(kept), bool) if name in (design.stratum, design.psu, design.ssu) else kept
        unknown = (read[name].reasons == _NOT_A_NUMBER) | (read[name].reasons == _OUT_OF_RANGE)
        if name != design.weight and (rows & unknown).any():
            if name in asked.codes:
                scale = asked.scale_of(name)
                scales[scale.name] = scale
                words.setdefault(scale.name, []).extend(_words(raw, name, rows & unknown))
            lines.append(f"{name}{expected(asked, name)}: {_listed(raw, name, np.flatnonzero(rows & unknown))}")
    if lines:
        proposed = (snippet(scales[name], found) for name, found in words.items())
        raise DataError.unknown_codes(raw.source, lines, "\n".join(filter(None, proposed)))


def _words(raw: Raw, name: str, rows: np.ndarray) -> list[str]:
    """List the words in some cells (n,) that are no numbers."""
    cells = text_in(raw.columns[name].filter(pa.array(rows)))
    return words_in(cells.drop_null())


def expected(asked: Questionnaire, name: str) -> str:
    """What a column may hold, for a message."""
    described = asked.column(name)
    if described is not None:
        return f" (one of {', '.join(described.labels)})" if described.labels else " (a number)"
    scale = asked.scale_of(name)
    return f" ({scale.low:g}–{scale.high:g})"


def _listed(raw: Raw, name: str, rows: np.ndarray) -> str:
    """``'11' × 2 (row 5), '77' × 1 (row 9)``, the most frequent first."""
    cells = text_in(raw.columns[name].take(pa.array(rows))).dictionary_encode()
    codes = cells.indices.to_numpy(zero_copy_only=False)
    count = np.bincount(codes)
    first = rows[np.unique(codes, return_index=True)[1]]
    order = np.argsort(-count, kind="stable")
    words = cells.dictionary.to_pylist()
    shown = [f"{quoted(words[i])} × {count[i]} (row {raw.rows[first[i]]})" for i in order[:LISTED]]
    return ", ".join(shown) + (f" and {len(order) - LISTED} more codes" if len(order) > LISTED else "")


def _spoken(tally: Tally) -> str:
    where = f" in {tally.column!r}" if tally.column else ""
    return f"{tally.count} × {tally.reason}{where} ({tally.examples})"

"""Every column of the data in its role: found by code or text, then read as the questionnaire says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.errors import DataError
from csat.questionnaire import Column, Item, Questionnaire
from csat.questionnaire.scales import folded
from csat.read.answers import (
    Answers,
    Ranges,
    category_answers,
    in_ranges,
    labelled,
    number_answers,
    scaled_answers,
    text_answers,
)
from csat.read.ledger import CELL_REASONS
from csat.read.raw import Raw, guessed, numbers_in

_USER_MISSING = CELL_REASONS.index("user_missing")
_NOT_ASKED = CELL_REASONS.index("not_asked")


def declared(asked: Questionnaire) -> tuple[str, ...]:
    """Columns that the questionnaire describes."""
    return (*asked.codes, *(column.code for column in asked.columns))


def columns_in_roles(
    raw: Raw, asked: Questionnaire, design: Design, on_absent: str
) -> tuple[Raw, dict[str, Answers], tuple[str, ...]]:
    """Read every column in its role.

    Parameters
    ----------
    raw : the table as it came.
    asked, design : what each column is.
    on_absent : "raise", or "missing" to take absent columns of the questionnaire as not asked.

    Returns
    -------
    tuple
        The table with the columns under the names of the study; name → answers, in the order of the data; and notes
        on columns that were renamed or are absent.

    Raises
    ------
    DataError
        If columns are absent, or value labels of the file contradict the questionnaire.
    """
    wanted = tuple(dict.fromkeys((*declared(asked), *design.columns)))
    raw, changed = renamed(raw, asked, wanted)
    absent = [name for name in wanted if name not in raw.columns]
    fatal = [name for name in absent if on_absent == "raise" or name in design.columns]
    if fatal:
        _refuse_two_names(raw, asked, design, fatal)
        raise DataError.absent(raw.source, fatal, list(raw.columns))
    read = {name: _answers(name, raw, asked, design) for name in raw.columns}
    size = len(raw.rows)
    scaled = set(asked.codes)
    for name in absent:
        kind = pa.float64() if name in scaled else pa.string()
        read[name] = Answers(pa.nulls(size, kind), np.full(size, _NOT_ASKED, np.int8))
    notes = [f"columns found by name or text: {', '.join(changed)}"] if changed else []
    notes += [f"{name}: {note}" for name, answers in read.items() for note in answers.notes]
    notes += [f"not in the data, taken as not asked: {', '.join(absent)}"] if absent else []
    return raw, read, tuple(notes)


def _refuse_two_names(raw: Raw, asked: Questionnaire, design: Design, absent: list[str]) -> None:
    """Raise if an absent column is there under its text, by which the design names it."""
    for column in asked.columns:
        heading = next((text for text in column.texts.values() if text in design.columns and text in raw.columns), None)
        if column.code in absent and heading is not None:
            raise DataError(
                f"{raw.source}: the column {heading!r} has two names: the design calls it {heading!r}, the study "
                f"describes it as {column.code!r}. Write {column.code!r} in the design too."
            )


def renamed(raw: Raw, asked: Questionnaire, wanted: tuple[str, ...]) -> tuple[Raw, list[str]]:
    """Find columns whose name is a code in other case or width, or the text of exactly one question."""
    spoken: dict[str, set[str]] = {folded(code): {code} for code in wanted}
    parts: tuple[Item | Column, ...] = (*asked.scaled, *asked.columns)
    for part in parts:
        for text in part.texts.values():
            spoken.setdefault(folded(text), set()).add(part.code)
    taken = {name: name for name in raw.columns}
    for name in raw.columns:
        means = spoken.get(folded(name), set())
        code = next(iter(means)) if len(means) == 1 and name not in wanted else name
        if code not in raw.columns and code not in taken.values():
            taken[name] = code
    changed = [f"{old!r} is {new}" for old, new in taken.items() if old != new]
    columns = {taken[name]: column for name, column in raw.columns.items()}
    labels = {taken.get(name, name): value for name, value in raw.value_labels.items()}
    missing = {taken.get(name, name): ranges for name, ranges in raw.user_missing.items()}
    return replace(raw, columns=columns, value_labels=labels, user_missing=missing), changed


def spoken_names(asked: Questionnaire, design: Design) -> frozenset[str]:
    """Every name a header may use for a column of the study, folded."""
    parts: tuple[Item | Column, ...] = (*asked.scaled, *asked.columns)
    texts = (text for part in parts for text in part.texts.values())
    return frozenset(folded(word) for word in (*declared(asked), *design.columns, *texts))


def _answers(name: str, raw: Raw, asked: Questionnaire, design: Design) -> Answers:
    column = raw.columns[name]
    missing, labels = raw.user_missing.get(name, ()), raw.value_labels.get(name, {})
    read = described_answers(name, asked, design, missing, labels)
    return _undescribed(column, raw.typed, missing, labels) if read is None else read(column)


def described_answers(
    name: str, asked: Questionnaire, design: Design, missing: Ranges = (), labels: Mapping[Any, str] | None = None
) -> Callable[[pa.Array], Answers] | None:
    """How the cells of a column of the study or the design are read; None for any other column.

    Parameters
    ----------
    name : of the column.
    asked, design : what each column is.
    missing, labels : what the file declares of the column.
    """
    described, labels = asked.column(name), labels or {}
    if name in asked.codes:
        return lambda column: scaled_answers(column, asked.scale_of(name), missing, labels)
    if name in design.columns and name not in (design.stratum, design.psu, design.ssu):
        return lambda column: number_answers(column, missing)
    if described is not None:
        return lambda column: _described(column, described, missing, labels)
    if name in design.columns:
        return lambda column: text_answers(labelled(column, labels))
    return None


def _described(column: pa.Array, described: Column, missing: Ranges, labels: Mapping[Any, str]) -> Answers:
    if described.kind == "category":
        return category_answers(column, described, missing, labels)
    return text_answers(column) if described.kind == "id" else number_answers(column, missing)


def _undescribed(column: pa.Array, typed: bool, missing: Ranges, labels: Mapping[Any, str]) -> Answers:
    """Numbers are variables; text and fully labelled codes are categories."""
    gone = in_ranges(column, numbers_in(column), missing) if missing else np.zeros(len(column), bool)
    left = pc.if_else(pa.array(gone), None, column) if gone.any() else column
    left = labelled(left, labels)
    # a column of numbers arrives as text if some of its missing codes are letters (Stata)
    left = left if typed and not gone.any() else guessed(left)
    read = text_answers(left) if pa.types.is_string(left.type) else number_answers(left, ())
    return Answers(read.values, np.where(gone, _USER_MISSING, read.reasons).astype(np.int8))

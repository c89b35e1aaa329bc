"""What an SPSS or Stata file says about its own columns, as a `Questionnaire`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.errors import DataError, QuestionnaireError
from csat.questionnaire import Column, Item, Questionnaire, Scale, Texts
from csat.questionnaire.scales import MOST_LEVELS, folded
from csat.read.answers import in_ranges
from csat.read.raw import Raw, is_text, numbers_in, text_in
from csat.read.sources import read_raw
from csat.read.words import language_of, reason_in


def questionnaire_from_sav(path: str | Path) -> Questionnaire:
    """Start a study from an SPSS (.sav) or Stata (.dta) file.

    Columns of numbers with value labels become items: the scale runs over the labels and the answers. Codes that the
    file declares missing keep their meaning where their label tells it ("不知道", "refused"), else they are
    "not_asked". Labelled text becomes a category, everything else a plain column. Write it with
    `csat.questionnaire.write_codebook`, then sort out what is no satisfaction question, and add the index tree.

    Parameters
    ----------
    path : of the file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DataError
        If it is of another kind or cannot be read.
    """
    raw = read_raw(path)
    if Path(path).suffix.lower() not in (".sav", ".dta"):
        raise DataError(f"{raw.source}: a study is started from a .sav or .dta file.")
    return asked_in(raw, missing=True)


def asked_in(raw: Raw, *, without: Collection[str] = (), missing: bool = False) -> Questionnaire:
    """Build a questionnaire from value labels, declared missing codes and the wording of columns.

    Parameters
    ----------
    raw : as read.
    without : columns that describe the sample.
    missing : whether declared missing codes become missing codes of the scales, with a reason; otherwise the file's
        own declaration stays in force.
    """
    items: dict[str, Item] = {}
    columns: dict[str, Column] = {}
    scales: dict[tuple[Any, ...], Scale] = {}
    taken = {folded(name) for name in without} | {""}
    for name, column in raw.columns.items():
        if folded(name) in taken:
            continue
        taken.add(folded(name))
        texts = _texts(raw.titles.get(name) or "")
        scale = _scale(name, column, raw, missing)
        if scale is None:
            columns[name] = _column(name, column, raw, texts)
            continue
        key = (scale.low, scale.high, scale.step, repr(scale.missing), repr(scale.labels))
        items[name] = Item(name, scales.setdefault(key, scale), texts)
    stem = Path(raw.source).stem
    return Questionnaire(
        stem, scales=tuple(scales.values()), items=tuple(items.values()), columns=tuple(columns.values())
    )


def _scale(name: str, column: pa.Array, raw: Raw, missing: bool) -> Scale | None:
    """Scale of a column of numbers with labels; None for any other."""
    ranges = raw.user_missing.get(name, ())
    labels = {
        float(code): str(label)
        for code, label in raw.value_labels.get(name, {}).items()
        if isinstance(code, int | float) and np.isfinite(code)
    }
    codes = np.array(list(labels), float)
    gone = _declared(codes, ranges)
    numbers = numbers_in(column)
    words = is_text(column) and not bool(np.all(~np.isnan(numbers) | _no_number(column, numbers, ranges)))
    answers = numbers[np.isfinite(numbers) & ~in_ranges(column, numbers, ranges)]
    if words or gone.all():
        return None
    points = np.unique(np.concatenate([answers, codes[~gone]]))
    if len(points) < 2:
        return None
    low, high = float(points[0]), float(points[-1])
    whole = bool(np.all(points == np.rint(points))) and high - low < MOST_LEVELS - 1
    away = {code: labels[code] for code in codes[gone].tolist() if not low <= code <= high} if missing else {}
    spoken = {code: _texts(labels[code]) for code in codes[~gone].tolist()} | {c: _texts(t) for c, t in away.items()}
    reasons = {code: reason_in(label) or "not_asked" for code, label in away.items()}
    try:
        return Scale(name, low, high, 1.0 if whole else None, reasons, spoken)
    except QuestionnaireError:
        # two codes with one label, or a label that reads as another number: the codes are still answers
        return Scale(name, low, high, 1.0 if whole else None, reasons)


def _declared(codes: np.ndarray, ranges: Collection[tuple[Any, Any]]) -> np.ndarray:
    gone = np.zeros(len(codes), bool)
    for low, high in ranges:
        if not isinstance(low, str):
            gone |= (codes >= low) & (codes <= high)
    return gone


def _no_number(column: pa.Array, numbers: np.ndarray, ranges: Any) -> np.ndarray:
    empty: np.ndarray = text_in(column).is_null().to_numpy(zero_copy_only=False)
    return empty | in_ranges(column, numbers, ranges)


def _column(name: str, column: pa.Array, raw: Raw, texts: Texts) -> Column:
    if not is_text(column):
        return Column(name, "number", texts)
    labels = {str(code): _texts(str(label)) for code, label in raw.value_labels.get(name, {}).items()}
    if not labels:
        return Column(name, "category", texts)
    found = pc.unique(text_in(column)).drop_null().to_pylist()
    declared = {low for low, _ in raw.user_missing.get(name, ()) if isinstance(low, str)}
    every = {code: labels.get(code, {}) for code in (*labels, *found) if code not in declared}
    try:
        return Column(name, "category", texts, every)
    except QuestionnaireError:
        return Column(name, "category", texts)


def _texts(text: str) -> Texts:
    """Text under the language it is in."""
    plain = "".join(mark for mark in text if mark.isprintable()).strip()
    if not plain:
        return {}
    return {language_of(plain): plain}

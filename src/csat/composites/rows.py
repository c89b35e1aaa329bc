"""The rows of a survey that a path model is about, for what sums over respondents cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.composites.checks import unknown_item
from csat.composites.fitted import Fitted
from csat.composites.scores import group_positions
from csat.errors import SampleError, UnknownColumnError
from csat.moments import Source, TableSource, source_of


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Respondents with all answers, in one group.

    values : (n, p) answers, one column for each of the blocks'. weight : (n,). index : rows in the source.
    stratum, unit : (n,) codes 0, 1, … of strata, and of sampling units, which are the respondents themselves if the
        design has none. left_out : respondents of the group without an answer to one of the items.
    """

    values: np.ndarray
    weight: np.ndarray
    index: pd.Index
    stratum: np.ndarray
    unit: np.ndarray
    left_out: int


def rows_of(source: Source, result: Fitted, at: int, what: str) -> Rows:
    """Read the rows of the group at position `at`; `what` needs them, in words.

    Raises
    ------
    SampleError
        For a summary without rows, or answers in words.
    UnknownColumnError
        If the survey lacks an item.
    """
    table, blocks = source_of(source), result.blocks
    if not isinstance(table, TableSource):
        raise SampleError.needs_rows(what)
    design = getattr(table, "design", None)
    stratum, unit = getattr(design, "stratum", None), getattr(design, "psu", None)
    drawn = [name for name in (stratum, unit) if name is not None]
    try:
        frame = table.frame(list(dict.fromkeys([*blocks.observed, *result.by, *drawn])))
    except UnknownColumnError as error:
        raise unknown_item(error, blocks) from None
    for name in blocks.observed:
        if frame[name].dtype.kind not in "biuf":
            raise SampleError.categories(name, frame[name].dropna().unique().tolist())
    values = frame[list(blocks.items)].to_numpy(float)
    inside = group_positions(frame, result) == at
    kept = inside & ~np.isnan(values).any(axis=1)
    held = frame[kept]
    return Rows(
        values=values[kept],
        weight=np.asarray(table.weight, float)[kept],
        index=held.index,
        stratum=_codes(held, drawn[:1] if stratum is not None else []),
        unit=np.arange(len(held)) if unit is None else _codes(held, drawn),
        left_out=int((inside & ~kept).sum()),
    )


def _codes(frame: pd.DataFrame, names: list[str]) -> np.ndarray:
    """(n,) code of each row's combination of columns; 0 without columns."""
    if not names:
        return np.zeros(len(frame), int)
    return frame.groupby(names, sort=True, dropna=False, observed=True).ngroup().to_numpy()

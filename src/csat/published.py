"""Checks of printed tables: whether ranks follow from scores, and composites can follow from their parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError
from csat.moments import shown
from csat.results import Shown


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TableCheck(Shown):
    """What a check of a printed table found: `frame` has a row per entry and the column ``finding``.

    Findings: "agrees"; "left_out" of the printed ranking; "wrong_rank", which does not follow from the scores;
    "outside" the range of its parts, so that no weights can give it.
    """

    frame: pd.DataFrame

    @property
    def mistakes(self) -> pd.DataFrame:
        """The rows that do not agree."""
        return self.frame[self.frame["finding"] != "agrees"]

    def tidy(self) -> pd.DataFrame:
        """A row per entry checked."""
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """One row: entries checked and mistakes found."""
        return pd.DataFrame({"entries": [len(self.frame)], "mistakes": [len(self.mistakes)]})


def check_ranks(scores: Mapping[str, float], ranks: Mapping[str, float | None]) -> TableCheck:
    """Check a printed ranking (1 = highest score) against the scores.

    Parameters
    ----------
    scores : entry → score.
    ranks : entry → printed rank; None, NaN or absent if the print leaves it out.

    Returns
    -------
    TableCheck
        Per entry its score, rank by score (ties share the better rank), printed rank and finding: "agrees",
        "left_out" or "wrong_rank".

    Raises
    ------
    SampleError
        For a rank of an entry without a score, or a score that is no number.
    """
    scores, ranks = _figures(scores, "score"), _figures(ranks, "rank", empty=True)
    unknown = [entry for entry in ranks if entry not in scores]
    if unknown:
        raise SampleError(f"Rank of {unknown[0]!r} but no score: both tables must speak of the same entries.")
    score = pd.Series(scores, dtype=float)
    printed = pd.Series({entry: ranks.get(entry) for entry in scores}, dtype=float)
    true = score.rank(ascending=False, method="min")
    finding = np.select([printed.isna(), printed == true], ["left_out", "agrees"], default="wrong_rank")
    frame = pd.DataFrame(
        {
            "term": score.index,
            "score": score.to_numpy(),
            "rank": true.to_numpy(int),
            "printed": printed.to_numpy(),
            "finding": finding,
        }
    )
    return TableCheck(frame.sort_values(["rank", "term"], ignore_index=True))


def check_composites(
    composites: Mapping[str, float], parts: Mapping[str, Sequence[float]], *, digits: int = 2
) -> TableCheck:
    """Check that each composite lies within the range of its parts, as any weighted mean must.

    Parameters
    ----------
    composites : entry → printed composite.
    parts : entry → printed scores that it is a weighted mean of.
    digits : decimals printed; half a unit of the last one is allowed for rounding on both sides.

    Returns
    -------
    TableCheck
        Per entry the composite, the lowest and highest part, and "agrees" or "outside".
    """
    composites = _figures(composites, "composite")
    if not isinstance(parts, Mapping | pd.Series):
        raise OptionError(f"parts is a table entry → its scores; found {shown(parts)}.")
    if not isinstance(digits, int) or not 0 <= digits <= 15:
        raise OptionError(f"digits={digits!r}: the number of printed decimals is a whole number from 0 to 15.")
    slack = 10.0**-digits
    rows = []
    for entry, value in composites.items():
        found = _parts_of(entry, parts.get(entry))
        low, high = min(found), max(found)
        finding = "agrees" if low - slack <= value <= high + slack else "outside"
        rows.append({"term": entry, "composite": float(value), "lowest": low, "highest": high, "finding": finding})
    return TableCheck(pd.DataFrame(rows))


def _figures(table: Any, what: str, *, empty: bool = False) -> dict[Any, float]:
    """Entry → number; NaN for None if a figure may be `empty`."""
    if not isinstance(table, Mapping | pd.Series):
        raise OptionError(f"A table entry → {what} is needed; found {shown(table)}.")
    figures = {entry: float("nan") if value is None else value for entry, value in table.items()}
    for entry, value in figures.items():
        if not isinstance(value, int | float | np.number) or np.isinf(value):
            raise SampleError(f"The {what} of {entry!r} is no number; found {shown(value)}.")
        if np.isnan(value) and not empty:
            raise SampleError(f"The {what} of {entry!r} is empty.")
    return {entry: float(value) for entry, value in figures.items()}


def _parts_of(entry: Any, parts: Any) -> list[float]:
    if not isinstance(parts, Iterable) or isinstance(parts, str) or not len(listed := list(parts)):
        raise SampleError(f"No parts given for the composite {entry!r}.")
    return list(_figures({f"{entry}, part {i}": part for i, part in enumerate(listed, 1)}, "figure").values())

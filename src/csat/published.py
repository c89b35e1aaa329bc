"""Checks of printed tables: whether ranks follow from scores, and composites can follow from their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.errors import SampleError
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
    scores, ranks = dict(scores), dict(ranks)
    unknown = [entry for entry in ranks if entry not in scores]
    if unknown:
        raise SampleError(f"Rank of {unknown[0]!r} but no score: both tables must speak of the same entries.")
    score = pd.Series(scores, dtype=float)
    if score.isna().any():
        raise SampleError(f"The score of {score.index[score.isna()][0]!r} is empty.")
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
    composites = dict(composites)
    missing = [entry for entry in composites if not len(parts.get(entry, ()))]
    if missing:
        raise SampleError(f"No parts given for the composite {missing[0]!r}.")
    slack = 10.0**-digits
    rows = []
    for entry, value in composites.items():
        low, high = float(np.min(parts[entry])), float(np.max(parts[entry]))
        finding = "agrees" if low - slack <= value <= high + slack else "outside"
        rows.append({"term": entry, "composite": float(value), "lowest": low, "highest": high, "finding": finding})
    return TableCheck(pd.DataFrame(rows))

"""Rows that look careless: flags that remove nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.results import Shown

#: Answers needed before equal ones look like a habit.
LEAST_ANSWERS = 5

FLAGS = ("straight_line", "too_fast", "duplicate_answers")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quality(Shown):
    """Flags of each respondent.

    Parameters
    ----------
    rows : one row per respondent: ``row id straight_line too_fast duplicate_answers missing_share``.
        `row` is the row in the source; `id` is empty without an id column, `too_fast` False without a
        column of kind "seconds".
    limit : seconds below which an interview is too fast; NaN without such a column.
    """

    rows: pd.DataFrame
    limit: float

    def tidy(self) -> pd.DataFrame:
        """One row per respondent."""
        return self.rows.copy()

    def glance(self) -> pd.DataFrame:
        """One row: respondents, how many bear each flag and any flag, mean share missing, seconds limit."""
        flags = self.rows[list(FLAGS)]
        counts = {name: [int(flags[name].sum())] for name in FLAGS}
        return pd.DataFrame(
            {
                "n": [len(self.rows)],
                **counts,
                "any_flag": [int(flags.any(axis=1).sum())],
                "missing_share": [float(self.rows["missing_share"].mean()) if len(self.rows) else np.nan],
                "seconds_limit": [self.limit],
            }
        )

    def __repr__(self) -> str:
        summary = self.glance().iloc[0]
        flagged = ", ".join(f"{name} {int(summary[name])}" for name in (*FLAGS, "any_flag"))
        return f"Quality of {len(self.rows)} respondents: {flagged}; {summary['missing_share']:.1%} of answers missing"


def quality_of(
    rows: pd.DataFrame,
    items: Sequence[str],
    leaves: Sequence[str],
    identity: str | None,
    seconds: str | None,
    fast: float,
) -> Quality:
    """Flag straight-lining, haste, repeated interviews and gaps.

    Parameters
    ----------
    rows : one row per respondent with these columns, indexed by the row in the source.
    items : (k,) all scaled questions: for duplicates and the share missing.
    leaves : (m,) questions of the index tree: for straight-lining.
    identity, seconds : columns, if there are any.
    fast : part of the median time below which a respondent is too fast.

    Raises
    ------
    OptionError
        If `fast` is not between 0 and 1.
    """
    if not 0 < fast < 1:
        raise OptionError(f"fast={fast!r}: write a part of the median time between 0 and 1, such as 1/3.")
    answers, tree = rows[list(items)].to_numpy(float), rows[list(leaves)].to_numpy(float)
    haste, limit = _too_fast(rows, seconds, fast)
    flags = pd.DataFrame(
        {
            "row": rows.index.to_numpy(),
            "id": rows[identity].to_numpy() if identity is not None else np.full(len(rows), None),
            "straight_line": _straight(tree),
            "too_fast": haste,
            "duplicate_answers": _repeated(answers),
            "missing_share": np.isnan(answers).mean(axis=1) if answers.shape[1] else np.zeros(len(rows)),
        }
    )
    return Quality(flags, limit)


def _answered(answers: np.ndarray) -> np.ndarray:
    return (~np.isnan(answers)).sum(axis=1)


def _straight(answers: np.ndarray) -> np.ndarray:
    """Mark the rows (n,) whose answers (n, m) are all the same, if there are enough."""
    if answers.shape[1] < LEAST_ANSWERS:
        return np.zeros(len(answers), bool)
    missing = np.isnan(answers)
    low, high = np.where(missing, np.inf, answers).min(axis=1), np.where(missing, -np.inf, answers).max(axis=1)
    return (low == high) & (_answered(answers) >= LEAST_ANSWERS)


def _repeated(answers: np.ndarray) -> np.ndarray:
    """Mark the rows (n,) whose answers (n, k) another row has too, if there are enough."""
    twice = pd.DataFrame(answers).duplicated(keep=False).to_numpy()
    return twice & (_answered(answers) >= LEAST_ANSWERS)


def _too_fast(rows: pd.DataFrame, seconds: str | None, fast: float) -> tuple[np.ndarray, float]:
    if seconds is None or not rows[seconds].notna().any():
        return np.zeros(len(rows), bool), float("nan")
    limit = fast * float(rows[seconds].median())
    return rows[seconds].to_numpy(float) < limit, limit

"""What all tables of the driver analysis share: names of coefficients, intervals, whom the figures rest on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from csat.report.description import Kind
from csat.report.names import Names
from csat.report.tables.cells import Show, objects
from csat.report.tables.model import sample_notes
from csat.report.words import Word

INTERCEPTS = frozenset({"(intercept)", "(Intercept)", "Intercept", "intercept", "const"})
N = ("n",)


def terms_named(terms: Iterable[Any], names: Names) -> np.ndarray:
    """Texts of terms and coefficients as a column of a frame."""
    return objects([Word("term.intercept") if term in INTERCEPTS else names.driver(term) for term in terms])


def ends(figure: str, level: float, base: tuple[str, ...] = N, kind: Kind = "estimate") -> list[Show]:
    """Both ends of the interval of a figure: the columns ``<figure>_low`` and ``<figure>_high``."""
    blanks = {"level": level}
    return [Show(f"{figure}_{end}", kind, base, Word(f"column.{end}", blanks)) for end in ("low", "high")]


def respondents(n: Any, left_out: Any, names: Names) -> list[Word]:
    """Say who counts, over all groups of a result.

    Parameters
    ----------
    n, left_out : one number, or (G,) of them; `left_out` is NaN where it is not known.
    """
    total, lost = float(np.sum(n)), float(np.sum(left_out))
    return list(sample_notes(total, None if np.isnan(lost) else lost, names.bases))


def too_few(n: Any, names: Names) -> bool:
    """Whether all groups of a result together are too few to show."""
    return names.bases.judge(float(np.sum(n))).hidden


def error_note(variance: str) -> list[Word]:
    """Say what the standard errors follow from; nothing where there are none."""
    known = {"linearisation": "note.se_design", "classical": "note.se_classical", "none": ""}
    if variance.startswith("replicates"):
        return [Word("note.se_replicates")]
    if variance.startswith("HC"):
        return [Word("note.se_hc", {"kind": variance})]
    key = known.get(variance, "note.se_other")
    return [Word(key, {"kind": variance} if key == "note.se_other" else {})] if key else []


def ordered_by(frame: pd.DataFrame, groups: Sequence[str], figure: str, *, rising: bool = True) -> pd.DataFrame:
    """Rows sorted within each group, the groups in the order in which they come; what is NaN comes last."""
    order = frame.assign(_first=frame.groupby(list(groups), sort=False).ngroup() if groups else 0)
    order = order.sort_values(["_first", figure], ascending=[True, rising], kind="stable", na_position="last")
    return order.drop(columns="_first")


def both(*notes: Word | None) -> Word | None:
    """Several footnotes of one cell as one."""
    said = [note for note in notes if note is not None]
    if len(said) < 2:
        return said[0] if said else None
    return Word("note.both", {"first": said[0], "second": both(*said[1:])})

"""A typed-in membership matrix and its weights: what they must look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import MembershipError, OptionError
from csat.fuzzy.factors import shares_of
from csat.fuzzy.tree import COMPOSITE
from csat.moments import shown
from csat.questionnaire import GRADES, Grade, Questionnaire

#: Rows of R and weights may miss 1 by this much.
TOLERANCE = 1e-6
#: Cells of R may leave 0–1 by this much, from subtractions such as 1 − 0.7 − 0.2 − 0.1.
ROUNDING = 1e-9

#: What can be typed in as a membership matrix.
Matrix = np.ndarray | pd.DataFrame | Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Typed:
    """A checked matrix.

    factors : (m,) names. grades : (g,) names, best first. scores : (g,) of the grades, NaN if they have none.
    rows : (m, g) memberships. weights : (m,).
    """

    factors: tuple[str, ...]
    grades: tuple[str, ...]
    scores: np.ndarray
    rows: np.ndarray
    weights: np.ndarray


def read_typed(
    matrix: Matrix, weights: Any, grades: Sequence[Grade] | None, questionnaire: Questionnaire | None
) -> Typed:
    """Check a matrix and its weights.

    The grades are those given, else the questionnaire's, else the default ones for five columns; other matrices
    have grades without scores. A DataFrame whose columns are the grades' codes may have them in any order; with
    other names it keeps them, best first. Rows without names have those of the weights, if these have some.

    Raises
    ------
    MembershipError
        For cells that are no numbers within 0–1, shapes that do not fit, rows or weights that do not sum to 1, and
        names that stand for two factors or grades.
    OptionError
        Without weights, or for grades whose scores do not fall.
    """
    frame = _frame(matrix)
    known = _grades(frame.shape[1], grades, questionnaire)
    codes = [grade.code for grade in known]
    if known and frame.shape[1] != len(known):
        raise MembershipError.shape("The membership matrix", f"{frame.shape[1]} columns", f"{len(known)} columns")
    unnamed = not isinstance(matrix, pd.DataFrame) or isinstance(matrix.columns, pd.RangeIndex)
    if known and unnamed:
        frame.columns = pd.Index(codes)
    elif set(frame.columns) == set(codes):
        frame = frame[codes]
    scores = np.array([grade.score for grade in known]) if known else np.full(frame.shape[1], np.nan)
    named = shares_of(weights)
    nameless = not isinstance(matrix, pd.DataFrame) or isinstance(matrix.index, pd.RangeIndex)
    if named is not None and nameless and len(named.values) == len(frame):
        frame.index = pd.Index(list(named.values))
    _check_names(frame)
    _check_rows(frame)
    factors = tuple(frame.index)
    given = weights if named is None else named.values
    rows = np.clip(frame.to_numpy(), 0.0, 1.0)
    return Typed(factors, tuple(frame.columns), scores, rows, _checked_weights(given, factors))


def _frame(matrix: Matrix) -> pd.DataFrame:
    """Give the matrix text names: its own, or factor1, factor2 … and grade1, grade2 … in order."""
    try:
        if np.iscomplexobj(matrix):
            raise TypeError
        rows = np.asarray(matrix, float)
    except (TypeError, ValueError, OverflowError):
        answers = " (answers are read with csat.read_survey)" if isinstance(matrix, pd.DataFrame) else ""
        found = f"{shown(matrix)}{answers}"
        raise MembershipError.shape("The membership matrix", found, "a table of numbers") from None
    if rows.ndim != 2 or not rows.size:
        raise MembershipError.shape("The membership matrix", shown(matrix), "rows and columns")
    if rows.shape[1] < 2:
        raise MembershipError.shape("The membership matrix", "1 column", "2 columns or more")
    index = [f"factor{i + 1}" for i in range(rows.shape[0])]
    columns = [f"grade{j + 1}" for j in range(rows.shape[1])]
    if isinstance(matrix, pd.DataFrame):
        index = index if isinstance(matrix.index, pd.RangeIndex) else [str(name) for name in matrix.index]
        columns = columns if isinstance(matrix.columns, pd.RangeIndex) else [str(name) for name in matrix.columns]
    return pd.DataFrame(rows, index=index, columns=columns)


def _grades(columns: int, grades: Sequence[Grade] | None, questionnaire: Questionnaire | None) -> tuple[Grade, ...]:
    if grades is not None:
        listed = check_grade_list(grades)
        _check_order(listed)
        return listed
    if questionnaire is not None:
        return questionnaire.grades
    return GRADES if columns == len(GRADES) else ()


def check_grade_list(grades: Any) -> tuple[Grade, ...]:
    """Grades as given; `OptionError` for anything else."""
    if not isinstance(grades, Sequence) or not grades or not all(isinstance(grade, Grade) for grade in grades):
        raise OptionError(f"grades is a list of csat.questionnaire.Grade, best first; found {shown(grades)}.")
    codes = [grade.code for grade in grades]
    for i, grade in enumerate(grades):
        if not isinstance(grade.code, str) or not grade.code.strip() or grade.code in codes[:i]:
            raise OptionError(f"grades: each has a code of its own, a text; {shown(grade.code)} is none.")
        for figure in (grade.score, grade.cut):
            if isinstance(figure, bool) or not isinstance(figure, int | float | np.integer | np.floating):
                raise OptionError(f"grades: score and cut of {grade.code!r} are numbers; found {shown(figure)}.")
    return tuple(grades)


def _check_order(grades: Sequence[Grade]) -> None:
    """Refuse grades whose scores do not fall; their cut points play no part in typed-in memberships."""
    for better, worse in pairwise(grades):
        if not worse.score < better.score:
            raise OptionError(
                f"grades: the score of {worse.code!r} is {worse.score:g}, not below the {better.score:g} of "
                f"{better.code!r}; they run from best to worst."
            )


def _check_names(frame: pd.DataFrame) -> None:
    """Refuse names that stand for two rows, two columns, or the composite of all rows."""
    for what, names in (("factors", frame.index), ("grades", frame.columns)):
        for name in names[names.duplicated()].tolist()[:1]:
            raise MembershipError(f"The membership matrix: two {what} are called {name!r}; rename one of them.")
    if COMPOSITE in frame.index:
        raise MembershipError(f"The membership matrix: {COMPOSITE!r} is the name of the result; rename that factor.")


def _check_rows(frame: pd.DataFrame) -> None:
    rows = frame.to_numpy()
    for i, j in np.argwhere(~((rows >= -ROUNDING) & (rows <= 1 + ROUNDING)))[:1].tolist():
        raise MembershipError.outside(frame.index[i], frame.columns[j], rows[i, j])
    for i in np.flatnonzero(np.abs(rows.sum(axis=1) - 1) > TOLERANCE)[:1].tolist():
        raise MembershipError.row_sum(frame.index[i], float(rows[i].sum()))


def _checked_weights(weights: Any, factors: Sequence[str]) -> np.ndarray:
    """(m,) weights in the order of the factors."""
    if weights is None:
        raise OptionError("A typed-in membership matrix needs weights=…, one per factor, which sum to 1.")
    if isinstance(weights, Mapping | pd.Series):
        if set(weights.keys()) != set(factors):
            raise MembershipError.shape("The factor weights", sorted(map(str, weights.keys())), sorted(factors))
        weights = [weights[factor] for factor in factors]
    try:
        shares = np.asarray(weights, float)
    except (TypeError, ValueError, OverflowError):
        raise MembershipError.shape("The factor weights", shown(weights), f"{len(factors)} numbers") from None
    if shares.shape != (len(factors),):
        raise MembershipError.shape("The factor weights", shares.size, len(factors))
    for i in np.flatnonzero(~((shares >= 0) & np.isfinite(shares)))[:1].tolist():
        raise MembershipError.negative_weight(factors[i], float(shares[i]))
    if abs(shares.sum() - 1) > TOLERANCE:
        raise MembershipError.weight_sum(float(shares.sum()))
    return shares

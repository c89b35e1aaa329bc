"""Pairwise judgements: read from whatever form they come in, checked, and refused in words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import CsatError
from csat.moments import shown

#: Saaty's scale runs from 1/9 to 9.
STRONGEST = 9.0
#: The 17 values of the scale.
SCALE = np.array([1 / v for v in range(9, 1, -1)] + list(range(1, 10)), float)
#: A reciprocal typed with two decimals (0.33 for 1/3, 0.14 for 1/7) misses the exact one by at most this much.
TYPED = 0.005 + 1e-9
#: A judgement written out: "3", "1/3", "0.33".
_WRITTEN = re.compile(r"\s*\d{1,9}(\.\d{1,9})?(\s*/\s*[1-9]\d{0,8})?\s*", re.ASCII)
#: Matrices with more factors than this are a slip: 435 judgements each.
MOST_FACTORS = 30

#: What one judge may hand in.
Judged = np.ndarray | pd.DataFrame | Sequence[Sequence[float]] | Mapping[tuple[str, str], float]


class JudgementError(CsatError, ValueError):
    """Pairwise judgements that are incomplete, not reciprocal, off the scale, or contradict each other."""


def said(value: float) -> str:
    """A judgement as people write it: 3, 1/3, 2.5."""
    found = Fraction(value if value >= 1 else 1 / value).limit_denominator(100)
    if found.denominator == 1 and abs(max(value, 1 / value) - found.numerator) < 1e-6:
        return str(found.numerator) if value >= 1 else f"1/{found.numerator}"
    return f"{value:.4g}"


def read_judges(judgements: Any, names: Any) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """Judges (J,), factors (m,) and their matrices (J, m, m): exactly reciprocal, within 1/9 … 9, diagonal 1.

    Parameters
    ----------
    judgements : a square matrix; a DataFrame; a mapping of pairs of names (a, b) → how many times a outweighs b, each
        pair once (or twice, reciprocal); or several of these: a list, or a mapping judge → judgements.
    names : (m,) of the factors; None: those of the DataFrame or of the pairs, else factor1, factor2 …

    Raises
    ------
    JudgementError
        With the judgement at fault and the value that would do.
    """
    given = None if names is None else _names(names)
    each = _several(judgements)
    found = [_matrix(one, given, _of(judge)) for judge, one in each.items()]
    factors = found[0][0]
    for judge, (own, _) in zip(each, found, strict=True):
        if set(own) != set(factors):
            raise JudgementError(f"{_of(judge)}judges {list(own)}, the first judge {list(factors)}: compare the same.")
    order = [[own.index(name) for name in factors] for own, _ in found]
    stack = np.stack([matrix[np.ix_(at, at)] for at, (_, matrix) in zip(order, found, strict=True)])
    return tuple(each), factors, stack


def _of(judge: str) -> str:
    return f"Judge {judge!r}: " if judge else ""


def _several(judgements: Any) -> dict[str, Any]:
    """Judge → judgements; a lone one has no name."""
    if isinstance(judgements, Mapping) and judgements and not any(_is_pair(key) for key in judgements):
        return {str(judge): one for judge, one in judgements.items()}
    if isinstance(judgements, np.ndarray) and judgements.ndim == 3 and len(judgements):
        return {f"judge{i + 1}": one for i, one in enumerate(judgements)}
    several = isinstance(judgements, list | tuple) and judgements and all(map(_is_whole, judgements))
    return {f"judge{i + 1}": one for i, one in enumerate(judgements)} if several else {"": judgements}


def _is_pair(key: Any) -> bool:
    return isinstance(key, tuple) and len(key) == 2


def _is_whole(found: Any) -> bool:
    """Whether this is all the judgements of somebody, and not a row of a matrix."""
    if isinstance(found, pd.DataFrame | Mapping):
        return True
    if isinstance(found, np.ndarray):
        return found.ndim == 2
    return isinstance(found, list | tuple) and bool(found) and all(isinstance(row, list | tuple) for row in found)


def _names(names: Any) -> tuple[str, ...]:
    listed = [] if isinstance(names, str | bytes) or not isinstance(names, Iterable) else list(names)
    if not listed or not all(isinstance(name, str) for name in listed) or len(set(listed)) < len(listed):
        raise JudgementError(f"names: different texts are needed, one per factor; found {shown(names)}.")
    if len(listed) > MOST_FACTORS:
        raise JudgementError(f"{len(listed)} factors; at most {MOST_FACTORS} can be judged: put them into groups.")
    return tuple(listed)


def _matrix(judged: Any, names: tuple[str, ...] | None, of: str) -> tuple[tuple[str, ...], np.ndarray]:
    if isinstance(judged, Mapping):
        return _of_pairs(judged, names, of)
    own = None
    if isinstance(judged, pd.DataFrame):
        own, judged = _frame(judged, of)
    table = _square(judged, of)
    if names is not None and own is not None and set(own) != set(names):
        raise JudgementError(f"{of}names= says {list(names)}, the matrix {list(own)}.")
    factors = own or names or tuple(f"factor{i + 1}" for i in range(len(table)))
    if len(factors) != len(table):
        raise JudgementError(f"{of}{len(table)} rows but {len(factors)} names.")
    if own is not None and names is not None:
        at = [own.index(name) for name in names]
        factors, table = names, table[np.ix_(at, at)]
    return factors, _checked(table, factors, of)


def _frame(judged: pd.DataFrame, of: str) -> tuple[tuple[str, ...] | None, np.ndarray]:
    """Names and cells of a DataFrame, rows in the order of the columns."""
    columns = [str(name) for name in judged.columns]
    if isinstance(judged.columns, pd.RangeIndex):
        return None, judged.to_numpy()
    if isinstance(judged.index, pd.RangeIndex):
        return _names(columns), judged.to_numpy()
    rows = [str(name) for name in judged.index]
    if len(set(rows)) < len(rows) or set(rows) != set(columns):
        raise JudgementError(f"{of}rows and columns name different factors: {rows[:6]} and {columns[:6]}.")
    return _names(columns), judged.to_numpy()[[rows.index(name) for name in columns]]


def _square(judged: Any, of: str) -> np.ndarray:
    try:
        if np.iscomplexobj(judged):
            raise TypeError
        table = np.asarray(judged)
        if table.dtype.kind not in "biufOU":
            raise TypeError
        cells = [_number(cell) for cell in table.ravel().tolist()]
        table = np.reshape(np.array(cells, float), table.shape)
    except (TypeError, ValueError, OverflowError):
        raise JudgementError(
            f"{of}a square matrix of numbers is needed, or pairs {{('a', 'b'): 3, …}}; found {shown(judged)}."
        ) from None
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size:
        raise JudgementError(
            f"{of}a matrix of judgements is square, a row and a column per factor; {table.shape} found."
        )
    if len(table) > MOST_FACTORS:
        raise JudgementError(f"{of}{len(table)} factors; at most {MOST_FACTORS} can be judged: put them into groups.")
    return table


def _of_pairs(judged: Mapping[Any, Any], names: tuple[str, ...] | None, of: str) -> tuple[tuple[str, ...], np.ndarray]:
    for pair, value in judged.items():
        if not _is_pair(pair) or not all(isinstance(name, str) for name in pair):
            raise JudgementError(f"{of}a judgement is about a pair of names, ('a', 'b'); found {shown(pair)}.")
        if isinstance(value, bool) or not _is_number(value):
            raise JudgementError(
                f"{of}{pair[0]!r} over {pair[1]!r}: a number such as 3 or '1/3' is needed; found {shown(value)}."
            )
    if not judged:
        raise JudgementError(f"{of}no judgements: pairs {{('a', 'b'): 3, …}} or a square matrix are needed.")
    listed = names or _names(list(dict.fromkeys(name for pair in judged for name in pair)))
    odd = [name for pair in judged for name in pair if name not in listed]
    if odd:
        raise JudgementError(f"{of}{odd[0]!r} is judged but is none of the factors {list(listed)}.")
    place = {name: i for i, name in enumerate(listed)}
    table = np.full((len(listed), len(listed)), np.nan)
    np.fill_diagonal(table, 1.0)
    for (a, b), value in judged.items():
        table[place[a], place[b]] = _number(value)
    for i, j in np.argwhere(np.isnan(table) & np.isfinite(table.T) & (table.T != 0)).tolist():
        table[i, j] = 1 / table[j, i]
    return listed, _checked(table, listed, of)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) or (
        isinstance(value, str) and _WRITTEN.fullmatch(value) is not None
    )


def _number(value: Any) -> float:
    """A number, or a text such as "1/3" as a sheet holds it; nothing is NaN."""
    if isinstance(value, str | bytes):
        if not _is_number(value):
            raise TypeError
        over, _, under = str(value).partition("/")
        return float(over) / float(under or 1)
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.inf


def _checked(table: np.ndarray, factors: Sequence[str], of: str) -> np.ndarray:
    """The exact matrix: the larger of two reciprocal judgements counts, the smaller may have been rounded."""
    for i, name in enumerate(factors):
        if not abs(table[i, i] - 1) <= 1e-9:
            raise JudgementError(f"{of}{name!r} over itself is {table[i, i]:g}; write 1.")
    for i, j in combinations(range(len(table)), 2):
        if np.isnan(table[i, j]) or np.isnan(table[j, i]):
            raise JudgementError(
                f"{of}{factors[i]!r} over {factors[j]!r} is not judged; write {_implied(table, i, j)}. "
                "Weights need every pair."
            )
        _check_pair(float(table[i, j]), float(table[j, i]), factors[i], factors[j], of)
    upper = np.where(table >= 1, table, 1 / np.maximum(table.T, 1.0))
    exact = np.triu(upper, 1)
    return np.asarray(exact + np.eye(len(table)) + np.tril((1 / (exact + exact.T + np.eye(len(table)))), -1))


def _implied(table: np.ndarray, i: int, j: int) -> str:
    """What would do for a missing judgement: its counterpart, else what the judgements at hand imply."""
    counterpart = table[j, i] if np.isnan(table[i, j]) else table[i, j]
    if 1 / STRONGEST - TYPED <= counterpart <= STRONGEST:
        return f"{said(1 / counterpart if np.isnan(table[i, j]) else counterpart)}, as its counterpart says"
    rows, columns = np.nonzero(np.triu((table > 0) & np.isfinite(table), 1))
    if not len(rows):
        return "a value from 1/9 to 9"
    at = np.arange(len(rows))
    signs = np.zeros((len(rows), len(table)))
    signs[at, rows], signs[at, columns] = 1.0, -1.0
    goal = np.eye(len(table))[i] - np.eye(len(table))[j]
    if np.abs(goal @ np.linalg.pinv(signs) @ signs - goal).max() > 1e-8:
        return "a value from 1/9 to 9 (the others do not imply any)"
    log = float(goal @ np.linalg.lstsq(signs, np.log(table[rows, columns]), rcond=None)[0])
    nearest = SCALE[np.abs(np.log(SCALE) - log).argmin()]
    return f"a value from 1/9 to 9 (the others imply about {said(float(nearest))})"


def _check_pair(value: float, back: float, a: str, b: str, of: str) -> None:
    """Refuse what two factors are judged against each other, with what would do."""
    for found, first, second in ((value, a, b), (back, b, a)):
        if not 1 / STRONGEST - TYPED <= found <= STRONGEST + 1e-9:
            instead = said(STRONGEST if found > 1 else 1 / STRONGEST)
            raise JudgementError(
                f"{of}{first!r} over {second!r} is {found:g}; judgements run from 1/9 to 9. Write {instead} at most."
                if found > 1
                else f"{of}{first!r} over {second!r} is {found:g}; judgements run from 1/9 to 9. "
                f"Write {instead} at least."
            )
    small, large = sorted((value, back))
    if abs(small - 1 / large) > TYPED * min(1.0, large) or large < 1:
        raise JudgementError(
            f"{of}{a!r} over {b!r} is {said(value)} but {b!r} over {a!r} is {said(back)}, not its reciprocal: write "
            f"{said(1 / value)} for {b!r} over {a!r}, or {said(1 / back)} for {a!r} over {b!r}."
        )

"""`Source`: whatever can give summaries; a published covariance matrix is one too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError, check_choice
from csat.moments.groups import Groups
from csat.moments.guards import shown
from csat.moments.summaries import Levels
from csat.moments.variables import Variable

if TYPE_CHECKING:
    from csat.design import Replication
    from csat.questionnaire import Questionnaire


#: More respondents than people on earth are a typing error.
LARGEST = 10**11


@runtime_checkable
class Source(Protocol):
    """Whatever can give summaries: a `Survey`, a saved `Groups`, a published covariance matrix."""

    @property
    def questionnaire(self) -> Questionnaire | None:
        """What was asked, if known."""

    def groups(self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available") -> Groups:
        """Moments per (domain, stratum, unit)."""

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Answer counts per domain."""


class RowScores(Protocol):
    """Scores of rows: `size` figures of each."""

    @property
    def size(self) -> int:
        """Figures per row, q."""

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, q) scores, not yet weighted, of rows z (n, p) around the midpoints, as in `Moments`, and weights (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Quadratic:
    """Scores s_q = zᵀ·D_q·z: the influence of a row on functions of the Gram matrix; `matrices` (q, p, p)."""

    matrices: np.ndarray

    @property
    def size(self) -> int:
        """Figures per row."""
        return len(self.matrices)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, q) scores of rows z (n, p)."""
        return np.einsum("ni,qni->nq", z, z @ self.matrices)


@runtime_checkable
class RowSource(Source, Protocol):
    """A source that still has its rows, so that any score of a row can be summed."""

    def score_groups(
        self,
        names: Sequence[Variable],
        by: Sequence[str],
        scores: Mapping[tuple[str, ...], RowScores],
        rule: str = "listwise",
    ) -> Groups:
        """Groups with `score_sums` Σ w·s and `score_squares` Σ w²·ssᵀ of the rows' scores, by domain."""

    def replicated(self, replication: Replication) -> RowSource:
        """The same rows under replicate weights to be made."""


@runtime_checkable
class UnitSource(Source, Protocol):
    """A source that can be done again under replicate weights: it has rows, or remembers sampling units."""

    def replicated(self, replication: Replication) -> Source:
        """The same sums under replicate weights to be made."""


@runtime_checkable
class TableSource(Source, Protocol):
    """A source that hands out its rows as a table, for what sums cannot tell: the diagnosis of a regression."""

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Rows of the respondents, missing cells as NaN; the index is the row in the source."""

    @property
    def weight(self) -> np.ndarray:
        """(n,) weights of the same rows."""


def source_of(source: Any) -> Source:
    """The source itself; `OptionError` for anything that cannot give summaries, above all a plain table."""
    if isinstance(source, pd.DataFrame):
        raise OptionError("A DataFrame is not a survey yet; read it first: csat.read_survey(frame).")
    if isinstance(source, str):
        raise OptionError(f"{source!r} is not a survey yet; read it first: csat.read_survey({source!r}).")
    if isinstance(source, type) or not isinstance(source, Source):
        raise OptionError(
            f"A survey (csat.read_survey) or a summary (csat.from_covariance) is needed; found {shown(source)}."
        )
    return source


def from_covariance(
    cov: pd.DataFrame | np.ndarray | Sequence[Sequence[float]],
    n: int,
    mean: Mapping[str, float] | Sequence[float] | None = None,
    *,
    names: Sequence[str] | None = None,
    divisor: str = "n-1",
) -> Groups:
    """Make a source of a published covariance (or correlation) matrix.

    Parameters
    ----------
    cov : (k, k) symmetric, positive semi-definite; a DataFrame brings the names, and its rows may be in any order.
    n : respondents behind it, at least 2.
    mean : (k,) means, by name or in order. None: unknown (NaN); methods that need means will say so.
    names : (k,) variables, if `cov` has none.
    divisor : "n-1" if the matrix was divided by n − 1 (the common habit), "n" if by n.

    Returns
    -------
    Groups
        One cell under the rule "listwise", complete by definition.

    Raises
    ------
    SampleError
        If the matrix is not square, not symmetric, not positive semi-definite, `n` is no whole number, or names or
        means do not fit.

    Examples
    --------
    >>> g = from_covariance([[2.0, 1.0], [1.0, 2.0]], n=250, names=["quality", "loyalty"])
    >>> g.moments().corr.round(3).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    check_choice("divisor", divisor, ("n-1", "n"))
    size = _respondents(n)
    matrix, own = _matrix(cov)
    names = _distinct(names if names is not None else own, len(matrix))
    _check_covariance(matrix, names)
    k = len(names)
    gram = np.zeros((1 + k, 1 + k))
    gram[0, 0] = size
    gram[1:, 1:] = matrix * (size - 1 if divisor == "n-1" else size)
    centre = np.full(k, np.nan) if mean is None else _means(mean, names)
    zero = np.zeros(1, int)
    return Groups(
        names, "listwise", centre, (), ((),), ("",), (), np.array([size]), np.array([np.inf]), zero, zero, zero - 1,
        gram[None], gram[None].copy(), np.array([size]), np.full((1, k), size), published=True,
    )  # fmt: skip


def _respondents(n: Any) -> int:
    """The base as a whole number; text, fractions and sizes beyond any population are refused."""
    number = isinstance(n, int | float | np.integer | np.floating)
    if not number or not 2 <= n <= LARGEST or n != int(n):
        found = "above 10¹¹" if number and n > LARGEST else repr(n)[:20]
        raise SampleError(f"n={found}: the number of respondents is a whole number, 2 or more.")
    return int(n)


def _matrix(cov: Any) -> tuple[np.ndarray, Sequence[Any] | None]:
    """A table of numbers, and the names that a DataFrame brings; its rows are put in the order of its columns."""
    own = None
    if isinstance(cov, pd.DataFrame):
        own = [str(name) for name in cov.columns]
        if cov.index.has_duplicates or cov.columns.has_duplicates:
            raise SampleError(f"The covariance matrix names a variable twice: {own}.")
        if not isinstance(cov.index, pd.RangeIndex):
            if set(cov.index) != set(cov.columns):
                raise SampleError(
                    f"Rows and columns of the covariance matrix differ: rows {list(cov.index)[:8]}, columns {own[:8]}."
                )
            cov = cov.loc[list(cov.columns)]
    try:
        cells = np.asarray(cov)
        if cells.dtype.kind not in "biufO" or any(isinstance(cell, str) for cell in cells.ravel().tolist()):
            raise TypeError
        matrix = cells.astype(float)
    except (TypeError, ValueError, OverflowError):
        raise SampleError("A covariance matrix is a square table of numbers, every row of the same length.") from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise SampleError(f"A covariance matrix is square; found shape {matrix.shape}.")
    return matrix, own


def _distinct(names: Any, k: int) -> tuple[str, ...]:
    if names is None:
        return tuple(f"x{i + 1}" for i in range(k))
    listed = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else [names]
    if len(listed) != k or not all(isinstance(name, str) for name in listed) or len(set(listed)) != k:
        raise SampleError(f"{k} different names are needed, one text per row; found {listed}.")
    return tuple(listed)


def _means(mean: Any, names: Sequence[str]) -> np.ndarray:
    """(k,) means in the order of the names."""
    if isinstance(mean, Mapping | pd.Series):
        keys = list(mean.keys())
        odd = [*(name for name in names if name not in keys), *(key for key in keys if key not in names)]
        if odd or len(keys) != len(names):
            raise SampleError(f"Means are needed for exactly the variables of the matrix; they differ at {odd[:5]}.")
        mean = [mean[name] for name in names]
    try:
        centre = np.asarray(mean, float)
    except (TypeError, ValueError, OverflowError):
        raise SampleError(f"Means are numbers, by name or in order; found {shown(mean)}.") from None
    if centre.shape != (len(names),):
        raise SampleError(f"{len(names)} means are needed, one per variable; found {centre.size}.")
    for name, value in zip(names, centre.tolist(), strict=True):
        if not math.isfinite(value):
            raise SampleError(f"The mean of {name!r} is {value:g}; leave mean= out if means are not known.")
    return centre


def _check_covariance(matrix: np.ndarray, names: Sequence[str]) -> None:
    if not np.isfinite(matrix).all():
        raise SampleError("The covariance matrix has empty or infinite cells.")
    scale = np.sqrt(np.abs(np.diag(matrix)))
    far = np.abs(matrix - matrix.T) > 1e-8 * np.maximum(np.outer(scale, scale), 1e-300)
    if far.any():
        row, column = np.argwhere(far)[0]
        raise SampleError(
            f"The covariance matrix is not symmetric: {names[row]!r} × {names[column]!r} is {matrix[row, column]:g} "
            f"one way and {matrix[column, row]:g} the other."
        )
    if np.linalg.eigvalsh(matrix)[0] < -1e-8 * np.diag(matrix).max():
        raise SampleError(
            "The covariance matrix is not positive semi-definite: no data can have it. Check the figures."
        )

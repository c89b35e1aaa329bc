"""`Source`: whatever can give summaries; a published covariance matrix is one too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError
from csat.moments.groups import Groups
from csat.moments.summaries import Levels
from csat.moments.variables import Variable

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire


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


@runtime_checkable
class RowSource(Source, Protocol):
    """A source that still has its rows, so that any quadratic score of a row can be summed."""

    def score_groups(
        self, names: Sequence[Variable], by: Sequence[str], scores: Mapping[tuple[str, ...], np.ndarray]
    ) -> Groups:
        """Listwise groups with `score_squares` = Σ w²·ssᵀ, s_q = zᵀ·D_q·z, D = `scores[domain]` (q, p, p)."""


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
    cov : (k, k) symmetric, positive semi-definite; a DataFrame brings the names.
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
        If the matrix is not square, not symmetric, not positive semi-definite, or names do not fit.

    Examples
    --------
    >>> g = from_covariance([[2.0, 1.0], [1.0, 2.0]], n=250, names=["quality", "loyalty"])
    >>> g.moments().corr.round(3).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    if divisor not in ("n-1", "n"):
        raise OptionError.choose("divisor", divisor, ("n-1", "n"))
    if isinstance(cov, pd.DataFrame):
        names = [str(name) for name in cov.columns] if names is None else names
        cov = cov.to_numpy(float)
    matrix = np.asarray(cov, float)
    names = tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(len(matrix)))
    _check_covariance(matrix, names, n)
    k = len(names)
    gram = np.zeros((1 + k, 1 + k))
    gram[0, 0] = n
    gram[1:, 1:] = matrix * (n - 1 if divisor == "n-1" else n)
    if mean is None:
        centre = np.full(k, np.nan)
    else:
        centre = np.array(
            [mean[name] for name in names] if isinstance(mean, Mapping | pd.Series) else list(mean), float
        )
    if centre.shape != (k,):
        raise SampleError(f"{k} means are needed, one per variable; found {centre.size}.")
    zero = np.zeros(1, int)
    return Groups(
        names, "listwise", centre, (), ((),), ("",), (), np.array([n]), np.array([np.inf]), zero, zero, zero - 1,
        gram[None], gram[None].copy(), np.array([n]), np.full((1, k), n), published=True,
    )  # fmt: skip


def _check_covariance(matrix: np.ndarray, names: Sequence[str], n: int) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise SampleError(f"A covariance matrix is square; found shape {matrix.shape}.")
    if len(names) != len(matrix) or len(set(names)) != len(names):
        raise SampleError(f"{len(matrix)} different names are needed, one per row; found {list(names)}.")
    if n < 2:
        raise SampleError(f"n={n}: a covariance matrix needs at least 2 respondents.")
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

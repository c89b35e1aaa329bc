"""Two questions against each other: shares, and tests of independence that respect the design."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import SampleError, check_choice
from csat.estimation.intervals import INTERVALS, with_interval
from csat.estimation.means import totals
from csat.moments import Recode, Source, one_name, source_of
from csat.results import Estimates, Provenance, Shown, Test, Unavailable
from csat.variance import degrees_of_freedom, method_of

#: What the shares of a table add up to 1 over.
BASES = ("row", "column", "total")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Crosstab(Shown):
    """A table of two questions, R rows by C columns.

    shares : of each cell in its base, row by row; key columns bear the names of the two questions.
    rows, columns : labels. counts : (R, C) respondents, unweighted. totals : (R, C) weighted.
    pearson : X² of the weighted shares at n respondents, without regard to the design.
    test : Rao–Scott test of independence, second order (X² over the trace of its design effects, F).
    first_order : Rao–Scott test, first order (X² over the mean design effect, χ²).
    wald, adjusted_wald : F tests of the differences from independence (Koch, Freeman & Freeman 1975); the
        plain one rejects too often with few units.
    """

    shares: Estimates
    rows: tuple[Any, ...]
    columns: tuple[Any, ...]
    counts: np.ndarray
    totals: np.ndarray
    pearson: float
    test: Test
    first_order: Test
    wald: Test
    adjusted_wald: Test

    def tidy(self) -> pd.DataFrame:
        """A row per cell."""
        return self.shares.tidy()

    def glance(self) -> pd.DataFrame:
        """One row: the second-order test, X² and the number of respondents."""
        return self.test.tidy().assign(pearson=self.pearson, n=int(self.counts.sum()))


def crosstab(
    source: Source, row: str, column: str, *, base: str = "row", interval: str = "beta", level: float = 0.95
) -> Crosstab:
    """Cross two questions; for a domain, filter first: ``crosstab(s.where(brand="gotone"), …)`` keeps the design.

    Parameters
    ----------
    source : a survey.
    row, column : two items or category columns. Answers that nobody gave are left out.
    base : "row" (each row adds up to 1), "column" or "total".
    interval : of the shares, see `share`.
    level : of the intervals.

    Returns
    -------
    Crosstab

    Raises
    ------
    OptionError
        For an unknown base.
    SampleError
        If fewer than two rows or two columns have answers, or the source has no rows.

    Notes
    -----
    Everything follows from the weighted totals of the cells and their joint covariance; under replicate weights the
    replicates are of these totals, and shares are linearised in them.
    Sources: Rao & Scott (1984), Annals of Statistics 12, 46–60; Thomas & Rao (1987), JASA 82, 630–636.
    """
    source = source_of(source)
    row = one_name(row, "row")
    column = one_name(column, "column")
    check_choice("base", base, BASES)
    check_choice("interval", interval, INTERVALS)
    counted = source.levels([column], [row])
    counts = counted.unweighted[0]
    kept_rows, kept_columns = np.flatnonzero(counts.sum(axis=1)), np.flatnonzero(counts.sum(axis=0))
    if min(len(kept_rows), len(kept_columns)) < 2:
        raise SampleError(
            f"A table needs two answers each way; {row!r} has {len(kept_rows)} and {column!r} {len(kept_columns)} "
            "among those who answered both."
        )
    answers = [counted.levels[0][i] for i in kept_columns]
    known = [a for a, some in zip(counted.levels[0], counts.sum(axis=0), strict=True) if some]
    variables = [Recode(f"{column}={a}", column, {b: float(a == b) for b in known}) for a in answers]
    groups = source.groups(variables, [row], "available")
    total, vcov = totals(groups)
    total, vcov = total[kept_rows], vcov[kept_rows][:, :, kept_rows]
    whole = float(degrees_of_freedom(groups, np.ones((1, len(groups.domains))))[0, 0])
    cells = Cells(total, vcov.reshape(total.size, total.size), counts[np.ix_(kept_rows, kept_columns)], whole)
    labels = tuple(groups.domains[i][0] for i in kept_rows)
    pearson, second, first = rao_scott(cells)
    wald, adjusted = wald_tests(cells)
    by_row = np.repeat(degrees_of_freedom(groups)[kept_rows, 0], len(answers))
    shares = _shares(cells, base, by_row if base == "row" else whole, level, method_of(groups))
    keys = {row: tuple(label for label in labels for _ in answers), column: tuple(answers) * len(labels)}
    shares = replace(shares, term=(column,) * total.size, keys=keys)
    return Crosstab(
        with_interval(shares, interval), labels, tuple(answers), cells.n, total, pearson, second, first, wald, adjusted
    )


@dataclass(frozen=True, slots=True)
class Cells:
    """total : (R, C) weighted. vcov : (RC, RC) of the totals, row by row. n : (R, C) unweighted. df : of the design."""

    total: np.ndarray
    vcov: np.ndarray
    n: np.ndarray
    df: float

    def together(self, base: str) -> np.ndarray:
        """(RC, RC) 1 where two cells are in the same row, the same column, or the same table."""
        rows, columns = self.total.shape
        ones = {"row": (np.eye(rows), np.ones((columns, columns))), "column": (np.ones((rows, rows)), np.eye(columns))}
        return np.kron(*ones[base]) if base in ones else np.ones((rows * columns, rows * columns))


def _linear_shares(cells: Cells, base: str) -> tuple[np.ndarray, np.ndarray]:
    """(RC,) shares of the cells in their base, and their (RC, RC) covariance."""
    total, same = cells.total.ravel(), cells.together(base)
    whole = same @ total
    share = total / whole
    slope = (np.eye(len(total)) - share[:, None] * same) / whole[:, None]
    return share, slope @ cells.vcov @ slope.T


def _shares(cells: Cells, base: str, df: np.ndarray | float, level: float, method: str) -> Estimates:
    share, vcov = _linear_shares(cells, base)
    n = (cells.together(base) @ cells.n.ravel()).astype(int)
    unknown = n < 2
    vcov[unknown, :] = vcov[:, unknown] = np.nan
    variance = np.diag(vcov)
    with np.errstate(divide="ignore", invalid="ignore"):
        n_eff = np.where(variance > 0, share * (1 - share) * n / (n - 1) / variance, np.nan)
    return Estimates(
        term=("",) * len(share),
        estimate=share,
        vcov=vcov,
        df=df,
        n=n,
        n_eff=n_eff,
        unit="share",
        provenance=Provenance("listwise", method),
        level=level,
        unavailable={int(i): Unavailable("one_answer") for i in np.flatnonzero(unknown)},
    )


def rao_scott(cells: Cells) -> tuple[float, Test, Test]:
    """Pearson's X² on n, and the Rao–Scott tests of second and first order.

    The design effects are the eigenvalues of Δ = n·(CᵀP⁻¹C)⁻¹·CᵀP⁻¹VP⁻¹C, with V the covariance of the cells' shares,
    P their diagonal and C the contrasts of interaction. An empty cell drops out of P⁻¹.
    """
    share, vcov = _linear_shares(cells, "total")
    n, (rows, columns) = float(cells.n.sum()), cells.total.shape
    inverse = np.divide(1.0, share, out=np.zeros_like(share), where=share > 0)
    contrast = np.kron(_contrasts(rows), _contrasts(columns))
    weighted = inverse[:, None] * contrast
    delta = n * np.linalg.pinv(contrast.T @ weighted) @ (weighted.T @ vcov @ weighted)
    trace, df = float(np.trace(delta)), float((rows - 1) * (columns - 1))
    table = share.reshape(rows, columns)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    pearson = float(n * ((table - expected) ** 2 / expected).sum())
    spread = trace**2 / float(np.trace(delta @ delta))
    return (
        pearson,
        Test("independence", pearson / trace, spread, spread * cells.df),
        Test("independence", pearson * df / trace, df),
    )


def _contrasts(size: int) -> np.ndarray:
    """(size, size − 1) columns that sum to zero."""
    return np.eye(size)[:, 1:] - 1 / size


def wald_tests(cells: Cells) -> tuple[Test, Test]:
    """Wald's F test of T − T_row·T_column/T = 0, and the same adjusted for few units; NaN if they are too few."""
    rows, columns = cells.total.shape
    whole, free = cells.total.sum(), (rows - 1) * (columns - 1)
    of_row, of_column = cells.total.sum(axis=1) / whole, cells.total.sum(axis=0) / whole
    expected = np.outer(of_row, of_column).ravel()
    column_share, row_share = np.tile(of_column, rows), np.repeat(of_row, columns)
    slope = np.eye(rows * columns) + expected[:, None]
    slope -= cells.together("row") * column_share[:, None] + cells.together("column") * row_share[:, None]
    use = np.arange(rows * columns).reshape(rows, columns)[1:, 1:].ravel()
    distance = (cells.total.ravel() - expected * whole)[use]
    vcov = (slope @ cells.vcov @ slope.T)[np.ix_(use, use)]
    values, rest = np.linalg.eigvalsh(vcov), cells.df - free + 1
    clear = values[0] > 1e-12 * values[-1]
    statistic = float(distance @ np.linalg.solve(vcov, distance)) / free if clear else float("nan")
    adjusted = statistic * rest / cells.df if rest > 0 else float("nan")
    return Test("independence", statistic, free, cells.df), Test("independence", adjusted, free, rest)

"""What the weights look like: their spread, and what it costs."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.read.faults import TableError, WeightWarning
from csat.results import Shown

#: One respondent should not carry more than this share of all weight, among `MANY` respondents or more. With equal
#: weights the share is 1 % or less there, so that 5 % is a figure that rests on one person.
HEAVIEST = 0.05
MANY = 100

#: Largest weight over smallest beyond which a warning is given. Weights are commonly trimmed to a range of 10 to 25.
WIDE = 100.0

#: Largest weight over smallest beyond which sums of squares lose the small weights in double precision.
TOO_WIDE = 1e10


@dataclass(frozen=True, slots=True, repr=False)
class WeightReport(Shown):
    """The weights of the rows kept.

    Parameters
    ----------
    column : that holds them.
    n : respondents.
    total, squares : Σw and Σw².
    smallest, largest : weights.
    row : of the largest, as the ledger numbers rows.
    lightest : row of the smallest.
    """

    column: str
    n: int
    total: float
    squares: float
    smallest: float
    largest: float
    row: int
    lightest: int = 0

    @property
    def largest_share(self) -> float:
        """Part of all weight that one respondent carries."""
        return self.largest / self.total

    @property
    def ratio(self) -> float:
        """Largest weight over smallest."""
        return self.largest / self.smallest

    @property
    def n_eff(self) -> float:
        """Effective sample size under weighting, (Σw)²/Σw² (Kish 1965, Survey Sampling, 11.7)."""
        return self.total * self.total / self.squares

    @property
    def deff(self) -> float:
        """Kish's design effect of weighting, n/n_eff = 1 + the squared coefficient of variation of the weights."""
        return self.n / self.n_eff

    def __add__(self, other: WeightReport) -> WeightReport:
        heavier = self if self.largest >= other.largest else other
        return WeightReport(
            self.column,
            self.n + other.n,
            self.total + other.total,
            self.squares + other.squares,
            min(self.smallest, other.smallest),
            heavier.largest,
            heavier.row,
            self.lightest if self.smallest <= other.smallest else other.lightest,
        )

    def tidy(self) -> pd.DataFrame:
        """One row: ``column n sum min max ratio largest_share largest_row n_eff deff``."""
        return pd.DataFrame(
            {
                "column": [self.column],
                "n": [self.n],
                "sum": [self.total],
                "min": [self.smallest],
                "max": [self.largest],
                "ratio": [self.ratio],
                "largest_share": [self.largest_share],
                "largest_row": [self.row],
                "n_eff": [self.n_eff],
                "deff": [self.deff],
            }
        )

    def __str__(self) -> str:
        return (
            f"weights in {self.column}: {self.smallest:.4g} to {self.largest:.4g} (row {self.row}, "
            f"{self.largest_share:.2%} of the sum), effective n {self.n_eff:.1f}, design effect {self.deff:.3g}"
        )


def weights_of(source: str, column: str, weight: np.ndarray, rows: np.ndarray) -> WeightReport:
    """Report the weights of the rows kept, and warn of those that look mistyped; see `judge`.

    Parameters
    ----------
    source, column : for the messages.
    weight : (n,) above 0.
    rows : (n,) row numbers.
    """
    made = report_of(column, weight, rows)
    judge(source, made, stacklevel=5)
    return made


def report_of(column: str, weight: np.ndarray, rows: np.ndarray) -> WeightReport:
    """Report weights (n,) of rows with these numbers (n,)."""
    low, high = int(weight.argmin()), int(weight.argmax())
    return WeightReport(
        column,
        len(weight),
        float(weight.sum()),
        float((weight**2).sum()),
        float(weight[low]),
        float(weight[high]),
        int(rows[high]),
        int(rows[low]),
    )


def judge(source: str, made: WeightReport, stacklevel: int = 3) -> None:
    """Refuse or warn of weights that look mistyped.

    Parameters
    ----------
    source : for the messages.
    made : report on all weights.
    stacklevel : of the warning.

    Raises
    ------
    TableError
        If the largest is more than `TOO_WIDE` times the smallest.

    Warns
    -----
    WeightWarning
        If one respondent carries more than `HEAVIEST` of all weight, or the largest weight is more than `WIDE` times
        the smallest.
    """
    ends = (made.smallest, made.lightest, made.largest, made.row)
    if made.smallest < made.largest / TOO_WIDE:
        raise TableError.weights_apart(source, made.column, *ends)
    if made.n >= MANY and made.largest_share > HEAVIEST:
        heavy = WeightWarning.heavy(source, made.column, made.largest, made.row, made.largest_share, made.n)
        warnings.warn(heavy, stacklevel=stacklevel)
    elif made.ratio > WIDE:
        warnings.warn(WeightWarning.wide(source, made.column, *ends), stacklevel=stacklevel)

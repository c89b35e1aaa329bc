"""The one shape that all results share: `Estimates`, `Test`, `Unavailable`.

Results are frozen values. They hold no data, draw nothing and read no clock, so that their
representation is the same every time. Three verbs: ``tidy()`` gives one row per term, ``glance()``
one row about the whole, ``_repr_html_`` a table for Jupyter: the report's own, else the tidy one, escaped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import chi2_tail, f_tail, t_quantile, two_sided_p
from csat.errors import OptionError
from csat.moments import as_names
from csat.notebooks import SHOWN_BY
from csat.version import __version__
from csat.within import Covariance, blanked, changed, combined, variances

#: Why a figure can be missing, in English; `report/locale` holds the other languages.
REASONS: Mapping[str, str] = {
    "no_answers": "no valid answers",
    "one_answer": "only one valid answer: no variance",
    "no_variance": "nothing varies: no test",
    "no_rows": "this source is a summary without rows",
    "no_uncertainty": "published without a standard deviation: no interval",
    "not_identified": "not identified by the data",
    "no_draws": "nothing was drawn again: no standard error",
    "no_scores": "the grades have no scores: memberships and a verdict only",
    "df_zero": "too few sampling units with answers: no degrees of freedom, no interval",
    "few_answers": "no more complete answers than coefficients",
    "fewer_than_items": "no more complete answers than items",
    "constant": "a variable does not vary here",
    "collinear": "drivers repeat each other exactly here",
    "empty_band": "nobody gave a low, a high or a middle answer",
    "small_band": "too few respondents with low, high or middle answers",
    "full_leverage": "a respondent determines a coefficient alone: it has no standard error of this kind",
    "separated": "the drivers predict the outcome without error: no finite odds",
    "too_few_answers": "too few answers for this test",
    "too_many_answers": "this test is made for up to 5000 answers",
    "too_many_columns": "too many drivers and answers for this test",
    "same_df": "the same degrees of freedom: no test",
    "not_nested": "not nested: the larger model cannot reproduce what the smaller one implies",
    "negative_scaling": "the correction is not positive: use method='satorra-bentler-2010'",
    "no_scalar_step": "the intercepts were not held equal: means of constructs cannot be compared",
    "not_invariant": "not measured alike in all groups: means of constructs cannot be compared",
    "one_item": "too few items in the scale for this figure",
    "no_factor_model": "the factor model of the scales has no solution here",
    "perfect_correlation": "a correlation of ±1: no standard error",
    "not_converged": "the estimates did not settle",
    "no_points": "the scale or the mean of an item is not known: no figure on 0–100",
    "unstable": "paths in a circle amplify each other: the effects add up to no finite sum",
    "given_weights": "given as they are: no standard error",
    "negative_weight": "negative where it comes from: counts as 0",
    "one_judge": "one judge only: no spread between judges",
    "one_visit": "one visit or site only: nothing is known of the spread between visits",
    "same_in_all": "the same in all visits: the spread says nothing about the next one",
    "nothing_lost": "no marks were lost",
    "not_judged": "not judged in these visits",
    "no_customers": "the number of customers is not known",
    "no_complaints": "no complaints were counted",
    "none_in_one": "no complaints in one of the periods",
    "no_limit": "no time limit given",
    "not_reached": "too many cases are still open",
    "open_end": "too few cases for both ends of the interval",
    "no_loading_error": "no standard error: components, promax, or an item explained wholly",
}

#: The columns that every `Estimates.tidy()` has, after `term` and its key columns.
COLUMNS = ("estimate", "se", "statistic", "df", "p", "low", "high", "n", "n_eff", "note")


#: A variance below this share of the squares it is the difference of is their rounding error.
ROUNDING = 1024 * float(np.finfo(float).eps)


def ratio_to_error(figure: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Figures in standard errors; NaN where the standard error is 0: what does not vary cannot be tested."""
    return np.divide(figure, se, out=np.full(np.shape(figure), np.nan), where=se > 0)


def check_level(level: Any) -> None:
    """Refuse a confidence level that is no number between 0 and 1."""
    if not isinstance(level, float | np.floating) or not 0 < level < 1:
        raise OptionError(f"level={level!r}: the confidence level lies between 0 and 1, e.g. 0.95.")


def without_rounding(vcov: np.ndarray, size: np.ndarray, share: float = ROUNDING) -> np.ndarray:
    """A covariance matrix in which variances that are mere rounding error are exactly 0, with their row and column.

    Parameters
    ----------
    vcov : (…, k, k). size : (…, k) the positive terms that each variance is made of. share : of `size` that counts as
        noise.
    """
    noise = np.diagonal(vcov, axis1=-2, axis2=-1) <= share * size
    return np.where(noise[..., :, None] | noise[..., None, :], 0.0, vcov)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A figure that cannot be computed, and why: `reason` is a key of `REASONS`."""

    reason: str

    def __str__(self) -> str:
        return REASONS[self.reason]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where figures come from.

    sample : the rule that says who counts ("available", "listwise", "published").
    variance : how standard errors were made ("linearisation", "classical", "HC3", "expected information").
    version : the csat version that computed them.
    """

    sample: str
    variance: str
    version: str = __version__


class Shown(ABC):
    """A terminal shows ``tidy()``, a notebook the table for people; neither computes nor prints."""

    __slots__ = ()

    @abstractmethod
    def tidy(self) -> pd.DataFrame:
        """One row per term."""

    def __repr__(self) -> str:
        return printed(type(self).__name__, self.tidy(), "tidy()")

    def _repr_html_(self) -> str:
        return import_module(SHOWN_BY).html_of(self) or self.tidy().to_html(
            index=False, escape=True, border=0, na_rep="–", float_format=lambda value: f"{value:.4g}"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        return dict(import_module(SHOWN_BY).bundle_of(self))


def printed(name: str, frame: pd.DataFrame, whole: str) -> str:
    """The first rows of a result's table for a terminal; `whole` says where all of them are."""
    text = frame.head(20).to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep="–")
    more = f"\n… {len(frame) - 20} more rows; {whole} has them all" if len(frame) > 20 else ""
    return f"{name}: {len(frame)} rows\n{text}{more}"


def insert_before(frame: pd.DataFrame, before: str, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A copy of `frame` with new columns in front of one of its own."""
    at = list(frame.columns).index(before)
    order = [*frame.columns[:at], *columns, *frame.columns[at:]]
    return frame.assign(**columns)[order]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Estimates(Shown):
    """What we believe, and how surely.

    term : (k,) what each figure is about (an item code, a node of the tree, a coefficient).
    estimate : (k,) in `unit`.
    vcov : (k, k) whole covariance of the estimates, so that any contrast has a standard error. `WithinGroups` of
        thousands of groups: then there are only contrasts within a group, and using it as an array is refused.
    df : degrees of freedom of the t distribution, one number or (k,); inf means normal.
    n : (k,) respondents behind each figure, unweighted.
    n_eff : (k,) the simple random sample that would give the same standard error; of the figures of a regression, which
        have no such sample, (Σw)²/Σw² (Kish 1965). NaN where not known.
    unit : of the estimates ("points" of 0–100, "scale" points, "share" …).
    level : of the intervals.
    null : value that `statistic` and `p` test against; None where a test makes no sense.
    keys : further columns of the tidy table, each (k,): the group a row belongs to, its place in the tree …
    unavailable : term position → reason, for what could not be computed (estimate and SE are NaN there).
    bounds : (k,) lower and (k,) upper ends at `level` where the interval is not estimate ± t·se; None: it is.
    """

    term: tuple[str, ...]
    estimate: np.ndarray
    vcov: Covariance
    df: np.ndarray | float
    n: np.ndarray
    n_eff: np.ndarray
    unit: str
    provenance: Provenance
    level: float = 0.95
    null: float | None = None
    keys: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    unavailable: Mapping[int, Unavailable] = field(default_factory=dict)
    bounds: tuple[np.ndarray, np.ndarray] | None = None

    def __post_init__(self) -> None:
        check_level(self.level)
        for key in self.keys:
            if key in ("term", *COLUMNS):
                raise OptionError(f"Column {key!r} has the name of a result's column; rename it in the data.")

    @property
    def joint(self) -> np.ndarray:
        """(k, k) `vcov` as an array; refused in words where only the covariance within groups is kept."""
        return np.asarray(self.vcov)

    @property
    def se(self) -> np.ndarray:
        """(k,) standard errors; 0 where the answers do not vary, NaN where the variance is not computable.

        A variance of 0 without degrees of freedom says nothing: within a single sampling unit there is none to see.
        """
        se = np.sqrt(np.maximum(variances(self.vcov), 0.0))
        return np.where((np.asarray(self.df) < 1) & (se <= ROUNDING * np.abs(self.estimate)), np.nan, se)

    @property
    def statistic(self) -> np.ndarray:
        """(k,) distance from `null` in standard errors; NaN without a `null`, or where nothing varies."""
        if self.null is None:
            return np.full(len(self.term), np.nan)
        return ratio_to_error(self.estimate - self.null, self.se)

    @property
    def deff(self) -> np.ndarray:
        """(k,) design effects: variance over that of a simple random sample with replacement of the same n."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.n / self.n_eff)

    @property
    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """(k,) lower and (k,) upper ends at `level`."""
        if self.bounds is not None:
            return self.bounds
        half = t_quantile((1 + self.level) / 2, self.df) * self.se
        return self.estimate - half, self.estimate + half

    def tidy(self) -> pd.DataFrame:
        """One row per term: ``term``, key columns, then `COLUMNS`."""
        low, high = self.interval
        statistic = self.statistic
        frame: dict[str, Any] = {"term": list(self.term), **{key: list(column) for key, column in self.keys.items()}}
        frame |= {
            "estimate": self.estimate,
            "se": self.se,
            "statistic": statistic,
            "df": np.broadcast_to(np.asarray(self.df, float), len(self.term)),
            "p": two_sided_p(statistic, self.df),
            "low": low,
            "high": high,
            "n": self.n,
            "n_eff": self.n_eff,
            "note": self._notes(),
        }
        return pd.DataFrame(frame)

    def _notes(self) -> list[str]:
        """Why a figure or its test is missing, row by row."""
        constant = dict.fromkeys(np.flatnonzero(self.se == 0).tolist(), Unavailable("no_variance"))
        reasons = constant | dict(self.unavailable)
        return [str(reasons.get(i, "")) for i in range(len(self.term))]

    def glance(self) -> pd.DataFrame:
        """One row: number of terms, unit, level, and how the figures were made."""
        return pd.DataFrame(
            {
                "terms": [len(self.term)],
                "unit": [self.unit],
                "level": [self.level],
                "sample": [self.provenance.sample],
                "variance": [self.provenance.variance],
                "version": [self.provenance.version],
            }
        )

    def contrast(
        self, matrix: np.ndarray, term: Sequence[str], keys: Mapping[str, tuple[Any, ...]] | None = None
    ) -> Estimates:
        """Linear combinations of the terms, with their joint covariance.

        Parameters
        ----------
        matrix : (q, k) one combination per row. A zero weight leaves a not-computable term out.
        term : (q,) names of the combinations.
        keys : further tidy columns, each (q,).

        Returns
        -------
        Estimates
            `null` is 0. Bases are the smallest `n` among the terms used; `n_eff` is NaN.

        Raises
        ------
        OptionError
            If the matrix does not fit the terms and names.
        SampleError
            If a combination takes terms of two groups whose covariance is not kept.
        """
        term = as_names(term, "term")
        matrix = _numbers(matrix, (len(term), len(self.term)))
        keys = _key_columns(keys, len(term))
        used = matrix != 0
        known = np.isfinite(variances(self.vcov))
        estimate = np.where(used, matrix * np.where(np.isfinite(self.estimate), self.estimate, 0.0), 0.0).sum(axis=1)
        covariance = changed(self.vcov, lambda entries: np.where(np.isfinite(entries), entries, 0.0))
        size = np.square(matrix) @ variances(covariance)
        vcov = changed(
            combined(covariance, matrix), lambda entries: without_rounding(entries, size.reshape(entries.shape[:-1]))
        )
        broken = {
            row: self.unavailable.get(int(np.flatnonzero(used[row] & ~known)[0]), Unavailable("no_answers"))
            for row in np.flatnonzero((used & ~known).any(axis=1)).tolist()
        }
        vcov = blanked(vcov, np.isin(np.arange(len(term)), list(broken)))
        for row in broken:
            if (used[row] & ~np.isfinite(self.estimate)).any():
                estimate[row] = np.nan
        smallest = np.array([self.n[row].min() if row.any() else 0 for row in used])
        df = self.df if np.ndim(self.df) == 0 else np.array([np.asarray(self.df)[row].min() for row in used])
        return Estimates(
            term,
            estimate,
            vcov,
            df,
            smallest,
            np.full(len(term), np.nan),
            self.unit,
            self.provenance,
            self.level,
            0.0,
            keys,
            broken,
        )


def _numbers(matrix: Any, shape: tuple[int, int]) -> np.ndarray:
    """A contrast matrix with a row per name and a column per term."""
    try:
        found = np.asarray(matrix, float)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0)
    if found.shape != shape or not np.isfinite(found).all():
        raise OptionError(f"A contrast is a matrix of numbers, here {shape[0]} names × {shape[1]} terms.")
    return found


def _key_columns(keys: Any, size: int) -> dict[str, tuple[Any, ...]]:
    """Further columns of `size` rows each."""
    columns = {} if keys is None else keys
    if not isinstance(columns, Mapping) or any(
        not isinstance(name, str) or not isinstance(column, Sequence) or len(column) != size
        for name, column in columns.items()
    ):
        raise OptionError(f"keys is a table: name of a column → its {size} values.")
    return {name: tuple(column) for name, column in columns.items()}


def estimates_of(found: Any) -> Estimates:
    """The estimates themselves; `OptionError` for anything else, naming where a result keeps its own."""
    if isinstance(found, Estimates):
        return found
    hint = "pass its .estimates" if isinstance(getattr(found, "estimates", None), Estimates) else "e.g. of csat.index"
    raise OptionError(f"Estimates are needed; found {type(found).__name__}: {hint}.")


@dataclass(frozen=True, slots=True, repr=False)
class Test(Shown):
    """A test statistic with its null hypothesis in words; `df2` is None for a χ² test."""

    null: str
    statistic: float
    df: float
    df2: float | None = None

    @property
    def p(self) -> float:
        """Upper-tail probability."""
        if self.df2 is None:
            return float(chi2_tail(self.statistic, self.df)) if self.df > 0 else float("nan")
        return float(f_tail(self.statistic, self.df, self.df2))

    def tidy(self) -> pd.DataFrame:
        """One row: the hypothesis, statistic, degrees of freedom and p."""
        return pd.DataFrame(
            {"null": [self.null], "statistic": [self.statistic], "df": [self.df],
             "df2": [np.nan if self.df2 is None else self.df2], "p": [self.p]}
        )  # fmt: skip

    glance = tidy

"""`Sem`: an estimated structural model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, check_choice
from csat.model import Model
from csat.results import Estimates, Provenance, Shown
from csat.structural.effects import Effects, Fitted, effects_of
from csat.structural.engine.discrepancy import Discrepancy, Sample, distance
from csat.structural.engine.fit import Optimum
from csat.structural.engine.structure import Layout, Point
from csat.structural.engine.values import KINDS, explained, table_values, tables
from csat.structural.figures import Figures, delta_errors, symmetric_figures, without_noise
from csat.structural.gaps.answered import Answered
from csat.structural.guards import Doubt, doubts
from csat.structural.intervals import METHODS
from csat.structural.measures import Measures
from csat.structural.ordered.thresholds import Thresholds
from csat.structural.residual_errors import NORMALIZED, STANDARDIZED, Residuals, residuals_over_errors
from csat.structural.uncertainty.resampled import Resampled
from csat.structural.uncertainty.robust import Robust
from csat.structural.uncertainty.scaled import Indices

#: What `Sem.glance` begins with, whatever the estimator.
_HEADLINES = (
    *("estimator", "n", "chisq", "df", "p", "cfi", "tli", "nfi", "gfi", "rmsea", "rmsea_low", "rmsea_high", "rmsea_p"),
    *("srmr", "loglik", "aic", "bic", "npar", "converged", "iterations"),
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sem(Shown):
    """An estimated structural model.

    model : as written.
    estimator : "ML", "MLR", "GLS" …
    optimum : where the estimator stopped: estimates, implied moments, gradient.
    discrepancy : what was minimised.
    samples : (G,) moments that were fitted, in the order of `observed`. sizes : (G,) respondents of each group.
    vcov : (k, k) covariance of the free parameters.
    measures : fit of the model.
    condition : condition number of the information matrix, scaled to a unit diagonal.
    level : of the intervals.
    engine : who searched for the optimum.
    notes : doubts about the solution, as warned of.
    left_out : respondents without an answer to one of the model's questions, or without a group.
    robust : what the robust standard errors and the corrected χ² are made of; None under other estimators.
    thresholds : of ordered items; None without any.
    answered : who answered what; None if only complete answers count.
    indices : CFI, TLI and RMSEA as they would be without gaps; None unless missing="fiml" (robust estimators have them
        in `robust`).
    group : column whose categories are the groups; None without groups.
    resampled : estimates on replicates of the sample, from which standard errors and intervals come; None if these
        are the estimator's own.
    df : degrees of freedom of the t distribution of single parameters, those of a design with sampling units or
        replicate weights under robust estimators; else inf.
    """

    model: Model
    estimator: str
    optimum: Optimum
    discrepancy: Discrepancy
    samples: tuple[Sample, ...]
    sizes: tuple[int, ...]
    vcov: np.ndarray
    measures: Measures
    condition: float
    level: float
    engine: str
    notes: tuple[str, ...]
    provenance: Provenance
    left_out: int = 0
    robust: Robust | None = None
    thresholds: Thresholds | None = None
    answered: Answered | None = None
    indices: Indices | None = None
    group: str | None = None
    resampled: Resampled | None = None
    df: float = np.inf

    @property
    def layout(self) -> Layout:
        """Where each parameter stands."""
        return self.optimum.state.layout

    @property
    def groups(self) -> tuple[str, ...]:
        """(G,) names of the groups; one empty name if there are none."""
        return self.layout.labels

    @property
    def observed(self) -> tuple[str, ...]:
        """(p,) observed variables."""
        return self.layout.groups[0].observed

    @property
    def latents(self) -> tuple[str, ...]:
        """Constructs."""
        return self.layout.groups[0].latents

    @property
    def converged(self) -> bool:
        """Whether the gradient vanishes at the estimates."""
        return bool(self.optimum.converged)

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Reasons not to trust the solution, as values: what `notes` says in sentences."""
        state = self.optimum.state
        return doubts(state, self.samples, self.sizes, self.discrepancy.curvature(state))

    @property
    def parameters(self) -> Estimates:
        """Free parameters, then thresholds, with their joint covariance; equal labels are one parameter."""
        names, estimate, vcov = self.layout.names, self.optimum.theta, self.vcov
        if self.thresholds is not None:
            names, vcov = (*names, *self.thresholds.named(self.groups)), self.thresholds.joint
            estimate = np.concatenate([estimate, self.thresholds.estimate])
        k = len(vcov)
        return Estimates(
            names, estimate, vcov, self.df, np.full(k, self.measures.n), np.full(k, np.nan), "scale", self.provenance,
            self.level, 0.0,
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """One row per parameter, fixed ones (SE 0), thresholds (op "|") and definitions included.

        Returns
        -------
        DataFrame
            lhs, op, rhs, group, label, estimate, se, statistic (z, or t with `df`), p, low, high; then std_all (all
            variables standardized) and std_lv (only constructs). Under se="bootstrap" low and high are percentiles of
            the draws.
        """
        raw, *standard = tables(self.layout, self.model.definitions, self.optimum.theta, KINDS)
        of_thresholds = () if self.thresholds is None else self.thresholds.estimate
        columns = self._keys() | self._figures("raw", raw).columns
        for kind, values in zip(KINDS[1:], standard, strict=True):
            columns[f"std_{kind}"] = self._with(values, of_thresholds)
        return pd.DataFrame(columns)

    def _with(self, values: np.ndarray, of_thresholds: Sequence[float] | np.ndarray) -> np.ndarray:
        """Values of the rows and definitions with those of the thresholds between them."""
        cut = len(self.layout.rows)
        return np.concatenate([values[:cut], of_thresholds, values[cut:]]) if len(of_thresholds) else values

    def _keys(self) -> dict[str, Any]:
        """What each row of the table is about: its first columns."""
        keys = [(row.lhs, row.op, row.rhs, self.groups[row.group], row.label) for row in self.layout.rows]
        keys += [] if self.thresholds is None else self.thresholds.keys(self.groups)
        keys += [(d.name, ":=", d.text, "", d.name) for d in self.model.definitions]
        columns = zip(*keys, strict=True) if keys else ((),) * 5
        return {
            name: list(column) for name, column in zip(("lhs", "op", "rhs", "group", "label"), columns, strict=True)
        }

    def standardized(self, kind: str = "all") -> pd.DataFrame:
        """Standardized solution with standard errors of its own, by the delta method or from replicates.

        Parameters
        ----------
        kind : "all" variables, or only constructs ("lv").

        Returns
        -------
        DataFrame
            lhs, op, rhs, group, label, estimate, se, statistic, p, low, high.
        """
        if kind not in KINDS[1:]:
            raise OptionError.choose("kind", kind, KINDS[1:])
        values = table_values(self.layout, self.model.definitions, self.optimum.theta, kind)
        return pd.DataFrame(self._keys() | self._figures(kind, values).columns)

    def effects(self, specific: str | Sequence[str] = ()) -> Effects:
        """Direct, indirect and total effects between all variables that paths connect, raw and standardized.

        Standard errors are those of the model: by the delta method, or from its draws, with their percentiles.

        Parameters
        ----------
        specific : single ways to show as well, e.g. "quality → satisfaction → loyalty"; "->" is the same.

        Raises
        ------
        ModelError
            If the model has no paths.
        OptionError
            If a way takes an arrow that the model does not have.

        Notes
        -----
        Where paths form a circle, indirect and total effects sum up ever longer ways round. The sum is finite only if
        the stability index (largest |eigenvalue| of the path matrix) is below 1; else there are no such effects.
        """
        fitted = Fitted(
            self.layout, self.optimum.theta, self.vcov, self.resampled, self.sizes, self.level, self.df,
            self.provenance, self.group,
        )  # fmt: skip
        return effects_of(fitted, specific)

    def intervals(self, method: str = "bca", kind: str = "raw") -> pd.DataFrame:
        """Intervals from the draws of a bootstrap.

        Parameters
        ----------
        method : "percentile" (as in `tidy`); "bias-corrected" for the median of the draws, lavaan's "bca.simple";
            "bca", corrected for acceleration too; "normal", estimate ± z·se.
        kind : "raw" values, or standardized: "all" variables, or only constructs ("lv").

        Returns
        -------
        DataFrame
            lhs, op, rhs, group, label, estimate, se, low, high; NaN where all draws lie on one side of the estimate.

        Raises
        ------
        OptionError
            If standard errors do not come from draws.
        """
        check_choice("method", method, METHODS)
        check_choice("kind", kind, KINDS)
        if self.resampled is None or not (self.resampled.drawn or method == "normal"):
            raise OptionError("Intervals from draws need draws: fit the model with sem(…, se='bootstrap').")
        place = (self.layout, self.model.definitions, self.optimum.theta)
        found = self.resampled.figures(*place, kind, self.level, method).columns
        return pd.DataFrame(self._keys() | {name: found[name] for name in ("estimate", "se", "low", "high")})

    def _figures(self, kind: str, values: np.ndarray) -> Figures:
        """Inference about the values (rows + definitions,) of a kind, thresholds between them."""
        if self.resampled is not None:
            method = "percentile" if self.resampled.drawn else "normal"
            place = (self.layout, self.model.definitions, self.optimum.theta)
            return self.resampled.figures(*place, kind, self.level, method)
        se = delta_errors(self.layout, self.model.definitions, self.optimum.theta, self.vcov, kind)
        se = without_noise(values, se)
        if self.thresholds is not None:
            values, se = self._with(values, self.thresholds.estimate), self._with(se, self.thresholds.se)
        return symmetric_figures(values, se, self.level, self.df)

    def glance(self) -> pd.DataFrame:
        """One row: bases, χ², fit indices, information criteria, and how the estimates were found.

        Robust estimators add the corrected χ² and indices after the plain ones; "fiml" the indices that complete
        answers would have. `patterns` counts the different sets of answered variables, over all groups.
        """
        found = {
            "left_out": self.left_out, "patterns": self._patterns, "condition": self.condition,
            "converged": self.converged, "iterations": self.optimum.iterations,
            "engine": self.engine, "sample": self.provenance.sample, "variance": self.provenance.variance,
            "version": self.provenance.version,
        }  # fmt: skip
        corrected = {} if self.indices is None else asdict(self.indices)
        corrected |= {} if self.robust is None else asdict(self.robust.scaled)
        corrected |= {} if self.resampled is None else self.resampled.counts
        values = {"estimator": self.estimator} | asdict(self.measures) | corrected | found
        return pd.DataFrame([{key: values[key] for key in _HEADLINES} | values])

    @property
    def _patterns(self) -> int:
        return len(self.groups) if self.answered is None else int(self.answered.patterns.sum())

    def coverage(self, group: str | None = None) -> pd.DataFrame:
        """(p, p) share of the respondents that count who answered both variables; on the diagonal, who answered one.

        Parameters
        ----------
        group : None: the first.
        """
        p = len(self.observed)
        share = np.ones((p, p)) if self.answered is None else self.answered.coverage[self._at(group)]
        return _square(share, self.observed)

    @property
    def r2(self) -> pd.DataFrame:
        """Explained share of the variance of each explained variable; NaN at a negative residual variance."""
        rows = [
            {"group": label, "term": term, "r2": share}
            for label, structure in zip(self.groups, self.layout.groups, strict=True)
            for term, share in explained(structure, self.optimum.theta).items()
        ]
        frame = pd.DataFrame(rows, columns=["group", "term", "r2"])
        return frame if len(self.groups) > 1 else frame.drop(columns="group")

    def implied(self, group: str | None = None) -> pd.DataFrame:
        """(p, p) covariances that the model implies for a group (None: the first)."""
        return _square(self._point(group).sigma, self.observed)

    def implied_means(self, group: str | None = None) -> pd.Series:
        """(p,) means that the model implies for a group; NaN if it has no intercepts."""
        point = self._point(group)
        means = point.mu if point.structure.means else np.full(point.structure.p, np.nan)
        return pd.Series(means, list(self.observed))

    def latent_covariance(self, group: str | None = None) -> pd.DataFrame:
        """Covariances of the constructs that the model implies for a group."""
        point = self._point(group)
        p = point.structure.p
        return _square(point.total[p:, p:], self.latents)

    def residuals(self, kind: str = "raw", group: str | None = None) -> pd.DataFrame:
        """What the model leaves unexplained of each covariance.

        Parameters
        ----------
        kind : "raw", sample minus implied covariances; "cor", sample minus implied correlations; "normalized", raw
            residuals over the standard errors of the sample covariances; "standardized", over their own: beyond ±1.96
            one is larger than chance would make it 19 times in 20 if the model were true. The latter two follow the
            estimator: normal theory, or the rows and the design.
        group : None: the first.

        Raises
        ------
        OptionError
            If the standard errors of residuals are not known (ordered items).
        """
        check_choice("kind", kind, ("raw", "cor", NORMALIZED, STANDARDIZED))
        if kind in (NORMALIZED, STANDARDIZED):
            return _square(self._over_errors(kind)[self._at(group)].cov, self.observed)
        sigma, sample = self._point(group).sigma, self.samples[self._at(group)].cov
        if kind == "raw":
            return _square(sample - sigma, self.observed)
        return _square(_correlations(sample) - _correlations(sigma), self.observed)

    def mean_residuals(self, kind: str = "raw", group: str | None = None) -> pd.Series:
        """What the model leaves unexplained of each mean; NaN if it has no intercepts.

        Parameters
        ----------
        kind : "raw", sample minus implied means; "cor", these over standard deviations; "normalized" and
            "standardized" as in `residuals`.
        group : None: the first.
        """
        check_choice("kind", kind, ("raw", "cor", NORMALIZED, STANDARDIZED))
        sample, point = self.samples[self._at(group)], self._point(group)
        apart = distance(point, sample)
        found = np.full(len(self.observed), np.nan) if apart is None else apart
        if kind == "cor":
            found = found / np.sqrt(np.diag(sample.cov))
        elif kind != "raw":
            found = self._over_errors(kind)[self._at(group)].mean
        return pd.Series(found, list(self.observed))

    def _over_errors(self, kind: str) -> tuple[Residuals, ...]:
        return residuals_over_errors(
            kind, self.optimum.state, self.samples, self.discrepancy, self.robust, self.measures.n
        )

    def _at(self, group: str | None) -> int:
        if group is not None and group not in self.groups:
            if self.group is None:
                raise OptionError(f"group={group!r}: this model has no groups; leave group out.")
            raise OptionError.choose("group", group, self.groups)
        return 0 if group is None else self.groups.index(group)

    def _point(self, group: str | None) -> Point:
        return self.optimum.state.points[self._at(group)]

    @property
    def _headline(self) -> str:
        m = self.measures
        if self.robust is None:
            return (
                f"Sem: n = {m.n}, χ²({m.df}) = {m.chisq:.3f}, p = {m.p:.4f}, CFI = {m.cfi:.3f}, TLI = {m.tli:.3f}, "
                f"RMSEA = {m.rmsea:.3f} [{m.rmsea_low:.3f}, {m.rmsea_high:.3f}], SRMR = {m.srmr:.3f}"
            )
        scaled = asdict(self.robust.scaled)
        kind = "robust" if np.isfinite(scaled["cfi_robust"]) else "scaled"
        shown = {key: scaled[f"{key}_{kind}"] for key in ("cfi", "tli", "rmsea", "rmsea_low", "rmsea_high")}
        return (
            f"Sem ({self.estimator}): n = {m.n}, scaled χ²({m.df}) = {scaled['chisq_scaled']:.3f}, "
            f"p = {scaled['p_scaled']:.4f}, {kind} CFI = {shown['cfi']:.3f}, TLI = {shown['tli']:.3f}, "
            f"RMSEA = {shown['rmsea']:.3f} [{shown['rmsea_low']:.3f}, {shown['rmsea_high']:.3f}], SRMR = {m.srmr:.3f}"
        )

    def __repr__(self) -> str:
        table = Shown.__repr__(self).split("\n", 1)[1]
        return "\n".join([self._headline, table, *(f"Note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<p>{escape(self._headline)}</p>{Shown._repr_html_(self)}{notes}"


def _square(values: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(values, list(names), list(names))


def _correlations(cov: np.ndarray) -> np.ndarray:
    sd = np.sqrt(np.diag(cov))
    return cov / np.outer(sd, sd)

"""Means of constructs compared between groups, in a model whose intercepts the groups share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import chi2_tail, holm, two_sided_p
from csat.results import Estimates, Shown, Unavailable
from csat.structural.engine.structure import evaluate
from csat.structural.result import Sem

_STEP = 1e-20
#: The groups compared: two positions each, the first minus the second.
Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LatentMeans(Shown):
    """Differences of the means of constructs between groups.

    estimates : (k,) differences with their joint covariance, in units of each construct's marker (or of the reference
        group's standard deviation); `keys` say between which groups.
    effects : (k,) the same in standard deviations of the construct, pooled over the two groups by their size (Hancock
        2001, Structural Equation Modeling 8(1), 20–49), with standard errors of their own.
    reason : why there are none, None if there are.
    """

    estimates: Estimates
    effects: Estimates
    reason: Unavailable | None = None

    @property
    def p_holm(self) -> np.ndarray:
        """(k,) p corrected for the number of pairs of groups, construct by construct."""
        p = two_sided_p(self.estimates.statistic, self.estimates.df)
        terms = np.array(self.estimates.term)
        out = np.full(len(p), np.nan)
        for construct in dict.fromkeys(self.estimates.term):
            out[terms == construct] = holm(p[terms == construct])
        return out

    def tidy(self) -> pd.DataFrame:
        """One row per construct and pair of groups.

        Returns
        -------
        DataFrame
            construct, group, against, estimate (group minus against), se, statistic (z), p, p_holm, low, high;
            effect, effect_se, effect_low, effect_high; note, why a row is empty.
        """
        frame = self.estimates.tidy().rename(columns={"term": "construct"})
        low, high = self.effects.interval
        effect = {"effect": self.effects.estimate, "effect_se": self.effects.se}
        frame = frame.assign(p_holm=self.p_holm, **effect, effect_low=low, effect_high=high)
        columns = ["construct", "group", "against", "estimate", "se", "statistic", "p", "p_holm", "low", "high"]
        return frame[[*columns, *effect, "effect_low", "effect_high", "note"]]

    def overall(self) -> pd.DataFrame:
        """One row per construct: Wald test that all groups compared have the same mean.

        Returns
        -------
        DataFrame
            construct, chisq, df, p.
        """
        rows = []
        terms = np.array(self.estimates.term)
        for construct in dict.fromkeys(self.estimates.term):
            of = terms == construct
            chisq, df = _wald(self.estimates.estimate[of], self.estimates.vcov[np.ix_(of, of)])
            rows.append({"construct": construct, "chisq": chisq, "df": df, "p": float(chi2_tail(chisq, max(df, 1)))})
        return pd.DataFrame(rows, columns=["construct", "chisq", "df", "p"])

    def glance(self) -> pd.DataFrame:
        """One row: constructs, comparisons, how many differ at 5 % after correction, and why there are none."""
        constructs = len(dict.fromkeys(self.estimates.term))
        count = {"constructs": constructs, "comparisons": len(self.estimates.term)}
        note = "" if self.reason is None else str(self.reason)
        different = int((self.p_holm < 1.0 - self.estimates.level).sum())
        return pd.DataFrame([count | {"different": different, "note": note}])


def _wald(estimate: np.ndarray, vcov: np.ndarray) -> tuple[float, int]:
    """Squared distance from 0 in the directions that vary, and their number; NaN where figures are missing."""
    if not np.isfinite(estimate).all():
        return np.nan, 0
    values, vectors = np.linalg.eigh(vcov)
    kept = values > 1e-9 * values.max(initial=0.0)
    return float(np.sum((vectors.T @ estimate)[kept] ** 2 / values[kept])), int(kept.sum())


def pairs_of(groups: int, reference: int, which: str) -> list[tuple[int, int]]:
    """The groups to compare: each with the reference, or "all" pairs."""
    if which == "reference":
        return [(g, reference) for g in range(groups) if g != reference]
    return [(h, g) for g, h in combinations(range(groups), 2)]


def latent_means(result: Sem, pairs: Pairs, reason: Unavailable | None = None) -> LatentMeans:
    """Compare the means of constructs.

    Parameters
    ----------
    result : a model in which groups share loadings and intercepts.
    pairs : (m,) positions of the groups.
    reason : why the means cannot be compared: the rows are there, without figures.
    """
    theta = result.optimum.theta
    nudged = theta + 1j * _STEP * np.eye(len(theta))
    values = _differences(result, pairs, theta)
    slopes = (part.imag / _STEP for part in _differences(result, pairs, nudged))
    units = ("scale", "sd")
    gaps, effects = (_estimates(result, pairs, *one, reason) for one in zip(values, slopes, units, strict=True))
    return LatentMeans(gaps, effects, reason)


def _differences(result: Sem, pairs: Pairs, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences of means (…, constructs · m), and the same in pooled standard deviations, at theta (…, k)."""
    points = evaluate(result.layout, theta).points
    p = points[0].structure.p
    centre = np.stack([point.centre[..., p:] for point in points], axis=-1)
    variance = np.stack([np.diagonal(point.total, axis1=-2, axis2=-1)[..., p:] for point in points], axis=-1)
    one, other = np.array(pairs, int).T
    n = np.array(result.sizes, float)
    gap = centre[..., one] - centre[..., other]
    pooled = (n[one] * variance[..., one] + n[other] * variance[..., other]) / (n[one] + n[other])
    with np.errstate(invalid="ignore"):
        effect = gap / np.sqrt(np.where(pooled.real > 0, pooled, np.nan))
    flat = (*gap.shape[:-2], -1)
    return gap.reshape(flat), effect.reshape(flat)


def _estimates(
    result: Sem, pairs: Pairs, values: np.ndarray, slope: np.ndarray, unit: str, reason: Unavailable | None
) -> Estimates:
    """Figures with the covariance that follows from that of the parameters; NaN for a reason."""
    term = tuple(name for name in result.latents for _ in pairs)
    keys: dict[str, tuple[Any, ...]] = {
        "group": tuple(result.groups[g] for _ in result.latents for g, _ in pairs),
        "against": tuple(result.groups[h] for _ in result.latents for _, h in pairs),
    }
    n = np.array([result.sizes[g] + result.sizes[h] for _ in result.latents for g, h in pairs])
    vcov = slope.T @ result.vcov @ slope
    if reason is not None:
        values, vcov = np.full_like(values, np.nan), np.full_like(vcov, np.nan)
    missing = {} if reason is None else dict.fromkeys(range(len(term)), reason)
    return Estimates(
        term, values, vcov, result.df, n, np.full(len(term), np.nan), unit, result.provenance, result.level, 0.0, keys,
        missing,
    )  # fmt: skip

"""Performance and importance of drivers as functions of one Gram matrix, with their joint covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from csat.drivers.linear.least_squares import fit_least_squares
from csat.drivers.linear.passes import effective_sizes
from csat.drivers.relative.quotients import percentages, share_intervals
from csat.drivers.relative.shares import MEASURES
from csat.errors import CollinearityError, SampleError
from csat.moments import Groups, RowSource, Source
from csat.results import Estimates, Provenance, Unavailable
from csat.scoring import ScoredItems
from csat.variance import degrees_of_freedom, gradient, linearised, method_of

#: Ways to derive importance that are no part of R² → unit of the importance.
EFFECTS: Mapping[str, str] = {
    "correlation": "correlation",
    "beta": "standard deviations of the outcome per standard deviation",
    "b": "units of the outcome per unit",
}
#: Unit of the parts of R² (`MEASURES`): per cent of their sum.
SHARE = "per cent"
STATED = "stated"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is asked of a Gram matrix of [drivers, stated importance items, outcome].

    items : (p−1,) variables and their way to scores. midpoint : (p−1,) that was subtracted.
    k : drivers. method : of `MEASURES` or `EFFECTS`, or "stated". modelled : there is an outcome.

    Figures: performance and importance of each driver, with an outcome its coefficient and, where importance is a share
    of R², the part of R² itself, which does not depend on how well the whole is known.
    """

    items: ScoredItems
    midpoint: np.ndarray
    k: int
    method: str
    modelled: bool

    @property
    def size(self) -> int:
        """Figures."""
        return (2 + self.modelled + self.shared) * self.k

    @property
    def shared(self) -> bool:
        """Whether importance is a share of R²."""
        return self.method in MEASURES

    @property
    def judged(self) -> list[int]:
        """(2k,) positions of performance, and of what says whether importance lies beyond a cut: parts, not shares."""
        start = (3 if self.shared else 1) * self.k
        return [*range(self.k), *range(start, start + self.k)]

    def __call__(self, grams: np.ndarray) -> np.ndarray:
        """(…, size) figures of Gram matrices (…, p, p)."""
        flat = grams.reshape(-1, *grams.shape[-2:])
        scores = self.items.offset + self.items.slope * (self.midpoint + flat[:, 0, 1:] / flat[:, :1, 0])
        parts = [scores[:, : self.k]]
        if self.method == STATED:
            parts.append(scores[:, self.k : 2 * self.k])
        if self.modelled:
            parts += _derived(self._covariances(flat), self.method)
        return np.concatenate(parts, axis=1).reshape(*grams.shape[:-2], self.size)

    def slopes(self, gram: np.ndarray) -> np.ndarray:
        """(size, p, p) symmetric derivatives of the figures by a Gram matrix (p, p)."""
        if not self.shared:
            return gradient(self, gram)
        cov, sizes = self._covariances(gram[None])[0], [1] * self.k
        measure, variance = MEASURES[self.method], cov[-1, -1]
        parts, by_cov = measure.parts(cov[None], sizes)[0], measure.slopes(cov, sizes)
        shares = (by_cov - parts[:, None, None] / parts.sum() * by_cov.sum(axis=0)) * 100 / parts.sum()
        by_cov[:, -1, -1] -= parts / variance
        scale = np.outer(self.items.slope[self._used], self.items.slope[self._used])
        both = _by_gram(np.concatenate([shares, by_cov / variance]) * scale, gram, self._used)
        out = gradient(replace(self, method="b"), gram)
        out[self.k : 2 * self.k] = both[: self.k]
        return np.concatenate([out, both[self.k :]])

    @property
    def _used(self) -> list[int]:
        """Positions of the drivers and the outcome."""
        return [*range(self.k), len(self.midpoint) - 1]

    def _covariances(self, grams: np.ndarray) -> np.ndarray:
        """(B, 1+k, 1+k) of the scores of the drivers and the outcome."""
        rows = [0, *(1 + at for at in self._used)]
        gram = grams[:, rows][:, :, rows]
        mean = gram[:, :1, 1:] / gram[:, :1, :1]
        scale = self.items.slope[self._used]
        return (gram[:, 1:, 1:] / gram[:, :1, :1] - mean.swapaxes(1, 2) * mean) * np.outer(scale, scale)


def _derived(cov: np.ndarray, method: str) -> list[np.ndarray]:
    """Importance, unless it is stated, coefficients and parts of R² (B, k), by covariances of [drivers, outcome]."""
    spread = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    corr = cov / (spread[:, :, None] * spread[:, None, :])
    beta = np.linalg.solve(corr[:, :-1, :-1], corr[:, :-1, -1:])[..., 0]
    slopes = beta * spread[:, -1:] / spread[:, :-1]
    if method == STATED:
        return [slopes]
    if method in MEASURES:
        parts = MEASURES[method].parts(cov, [1] * beta.shape[1])
        return [100 * parts / parts.sum(axis=1, keepdims=True), slopes, parts / cov[:, -1:, -1]]
    return [{"correlation": corr[:, :-1, -1], "beta": beta, "b": slopes}[method], slopes]


def _by_gram(by_cov: np.ndarray, gram: np.ndarray, used: Sequence[int]) -> np.ndarray:
    """(m, p, p) derivatives by a Gram matrix Σ w·zzᵀ of figures with derivatives (m, q, q) by covariances.

    With W = Σ w and g = Σ w·z, dC = dG/W − G·dW/W² − (dg·gᵀ + g·dgᵀ)/W² + 2·g·gᵀ·dW/W³.
    """
    at = 1 + np.array(used)
    weight, total, inner = gram[0, 0], gram[0, at], gram[np.ix_(at, at)]
    out = np.zeros((len(by_cov), *gram.shape))
    out[np.ix_(np.arange(len(out)), at, at)] = by_cov / weight
    out[:, 0, at] = out[:, at, 0] = -by_cov @ total / weight**2
    out[:, 0, 0] = ((2 * np.outer(total, total) / weight - inner) * by_cov).sum(axis=(1, 2)) / weight**2
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Figures of D groups.

    groups : where they come from. value : (D, q). df, n, n_eff : (D,).
    vcov : (D, q, D, q), NaN where a figure has no standard error.
    reason : why a group has no figures, or no standard errors; None where it has both. level : of intervals.
    """

    groups: Groups
    value: np.ndarray
    vcov: np.ndarray
    df: np.ndarray
    n: np.ndarray
    n_eff: np.ndarray
    reason: tuple[Unavailable | None, ...]
    level: float

    def some(self, start: int, end: int) -> np.ndarray:
        """(D, m, q) derivatives of the figures from `start` to before `end` themselves."""
        size, q = self.value.shape
        return np.broadcast_to(np.eye(q)[start:end], (size, end - start, q))

    def padded(self, jacobian: np.ndarray) -> np.ndarray:
        """(D, m, q) derivatives by all figures, from those (D, m, j) by the first j."""
        return np.concatenate([jacobian, np.zeros((*jacobian.shape[:2], self.value.shape[1] - jacobian.shape[2]))], 2)

    def named(
        self, terms: Sequence[str], value: np.ndarray, jacobian: np.ndarray, unit: str,
        keys: Mapping[str, tuple[Any, ...]] | None = None, null: float | None = 0.0, lost: int = 0,
    ) -> Estimates:  # fmt: skip
        """Functions of the figures, (D, m) with derivatives (D, m, q), by the delta method.

        lost : degrees of freedom that a regression takes, as in `csat.regress`; without any left there are no errors.
        """
        size, m = value.shape
        df = np.maximum(self.df - lost, 0)
        reason = [
            why or (None if free >= 1 else Unavailable("df_zero")) for why, free in zip(self.reason, df, strict=True)
        ]
        half = np.einsum("dij,djek->diek", jacobian, self.vcov)
        vcov = np.einsum("diek,elk->diel", half, jacobian)
        vcov[df < 1] = vcov[:, :, df < 1] = np.nan
        labels = {
            name: tuple(d[i] for d in self.groups.domains for _ in terms) for i, name in enumerate(self.groups.by)
        }
        known = np.isfinite(value)
        missing = {
            d * m + i: reason[d] or Unavailable("not_identified")
            for d, i in np.ndindex(size, m)
            if reason[d] is not None or not known[d, i]
        }
        return Estimates(
            term=tuple(terms) * size,
            estimate=value.ravel(),
            vcov=vcov.reshape(size * m, size * m),
            df=np.repeat(df, m),
            n=np.repeat(self.n, m),
            n_eff=np.repeat(self.n_eff, m),
            unit=unit,
            provenance=Provenance("listwise", "none" if self.groups.published else method_of(self.groups)),
            level=self.level,
            null=null,
            keys=labels | {name: column * size for name, column in (keys or {}).items()},
            unavailable=missing,
        )

    def share_intervals(self, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
        """(D, k) ends of the intervals of the shares, as `csat.importance` has them."""
        ends = percentages(MEASURES[plan.method].ends)
        at = slice(3 * plan.k, 4 * plan.k)
        found = [
            share_intervals(self.value[d, at], self.vcov[d, at, d, at], np.eye(plan.k), self.df[d], self.level, ends)
            for d in range(len(self.value))
        ]
        low, high = (np.array(side) for side in zip(*found, strict=True))
        return low, high


def figures(source: Source, groups: Groups, plan: Plan, level: float) -> Figures:
    """Compute the figures of each group, and how surely they are known.

    Parameters
    ----------
    source : where `groups` came from. groups : listwise, in D groups. plan : what to compute.
    level : of the intervals.

    Returns
    -------
    Figures
        A group among several that cannot bear the regression has NaN and a reason.

    Raises
    ------
    SampleError, CollinearityError
        If there is one group only and it cannot.
    """
    gram = groups.over_domains(groups.gram)
    fault = [_fault(groups, domain, plan) for domain in groups.domains]
    usable = [d for d, reason in enumerate(fault) if reason is None]
    value = np.full((len(gram), plan.size), np.nan)
    vcov = np.full((len(gram), plan.size, len(gram), plan.size), np.nan)
    df = degrees_of_freedom(groups).min(axis=1)
    if usable:
        value[usable] = plan(gram[usable])
        if _has_errors(source, groups):
            vcov = _covariance(source, groups, gram, plan, usable)
            vcov[df < 1] = vcov[:, :, df < 1] = np.nan
        for d in usable:
            fault[d] = _doubt(vcov[d, :, d], float(df[d]), groups.published)
    n, n_eff = groups.over_domains(groups.n), effective_sizes(source, groups)[:, 0]
    return Figures(groups, value, vcov, df, n, n_eff, tuple(fault), level)


def _fault(groups: Groups, domain: tuple[str, ...], plan: Plan) -> Unavailable | None:
    """Why a group has no figures; raised where it is the only one."""
    moments = groups.moments(domain)
    try:
        if moments.n < 2:
            raise SampleError.too_few("A map of importance and performance", moments.n, 2)
        if plan.modelled:
            names = [*moments.names[: plan.k], moments.names[-1]]
            fit_least_squares(moments.select(names))
    except CollinearityError:
        if not groups.by:
            raise
        return Unavailable("collinear")
    except SampleError:
        if not groups.by:
            raise
        few = moments.n < (plan.k + 2 if plan.modelled else 2)
        return Unavailable("no_answers" if moments.n == 0 else "few_answers" if few else "constant")
    return None


def _has_errors(source: Source, groups: Groups) -> bool:
    """Whether there are rows, or sums over units, that standard errors can come from."""
    remembered = groups.psus or groups.replicate_sums is not None or isinstance(source, RowSource)
    return bool(remembered) and not groups.published


def _doubt(vcov: np.ndarray, df: float, published: bool) -> Unavailable | None:
    """Why a group with figures has no intervals; `vcov` (q, q)."""
    if df < 1:
        return Unavailable("no_rows" if published else "df_zero")
    return None if np.isfinite(vcov).all() else Unavailable("no_rows")


def _covariance(source: Source, groups: Groups, gram: np.ndarray, plan: Plan, usable: list[int]) -> np.ndarray:
    """(D, q, D, q) covariance of the figures, NaN for groups that are not usable."""
    scores = np.zeros((len(gram), plan.size, *gram.shape[1:]))
    for d in usable:
        scores[d] = plan.slopes(gram[d])

    def again(grams: np.ndarray) -> np.ndarray:
        out = np.full((*grams.shape[:-2], plan.size), np.nan)
        out[..., usable, :] = plan(grams[..., usable, :, :])
        return out

    found = linearised(source, groups, scores, again)
    for d in set(range(len(gram))) - set(usable):
        found[d] = found[:, :, d] = np.nan
    return found

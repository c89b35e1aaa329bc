"""How much one respondent moves thresholds, means, variances and correlations of latent responses.

With sᵢ, the slopes of the log-likelihood of one variable, and s, that of a pair by its correlation, the influence on
the figures of the variable is A₁₁⁻¹sᵢ, and that on the correlation (s − A₂₁A₁₁⁻¹sᵢ − …)/A₂₂; the matrices A are sums
of products of slopes over the respondents. Source: Muthén (1984), Psychometrika 49(1), 115–132, appendix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, RowSource, Source, check_size
from csat.structural.ordered.binormal import normal_density
from csat.structural.ordered.mixed import Conditional, Rows, conditional, summed
from csat.structural.ordered.responses import Behind, Responses, rows_of
from csat.structural.ordered.tables import Grid
from csat.structural.uncertainty.gamma import drawn_singly, on_diagonal
from csat.variance import linearised_scores, row_squares, stratified

#: Correlation at which the slopes of a perfect pair are computed; its influence is not used.
_INSIDE = 0.5
#: Numbers held at once for the squares of scores: 160 MB.
_AT_ONCE = 2e7


@dataclass(frozen=True, slots=True, eq=False)
class _Lookup:
    """Influences that depend on answers only, times the sum of weights.

    single : (o, K, K − 1) of each category on its item's thresholds, 0 beyond the last one.
    tables : (m, K, K) of each pair of categories on the pair's correlation. pairs : (m, 2) items.
    """

    single: np.ndarray
    tables: np.ndarray
    pairs: np.ndarray


def _lookup(part: Responses, rho: np.ndarray) -> _Lookup:
    """Tables of influences of one group; rho (m,) of the pairs of ordered items."""
    counts, limits = part.counts, part.limits
    single = _on_thresholds(part)
    first, second = counts.pairs.T
    grid = Grid(limits[first], limits[second], rho)
    cells, slope = grid.cells, grid.slopes[0]
    score = slope / cells
    share = counts.tables / counts.n
    rows, columns = grid.by_threshold()
    each = share * score / cells
    on_rows = np.einsum("mkb,mkb->mk", rows[:, 1:-1], each[:, :-1] - each[:, 1:])
    on_columns = np.einsum("mak,mak->mk", columns[:, :, 1:-1], each[:, :, :-1] - each[:, :, 1:])
    own = np.einsum("mak,mk->ma", single[first], on_rows)[:, :, None]
    other = np.einsum("mbk,mk->mb", single[second], on_columns)[:, None, :]
    information = np.sum(share * score**2, axis=(1, 2))
    return _Lookup(single, (score - own - other) / information[:, None, None], counts.pairs)


def _on_thresholds(part: Responses) -> np.ndarray:
    """(o, K, K − 1) influence of an answer on thresholds: (1{answer below} − share below) / density there."""
    counts, inner = part.counts, part.limits[:, 1:-1]
    below = np.cumsum(counts.single, axis=1)[:, :-1] / counts.n
    k = np.arange(counts.single.shape[1])
    is_below = k[:, None] <= k[None, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (is_below[None] - below[:, None, :]) / normal_density(inner)[:, None, :]
    return np.where(np.isfinite(inner)[:, None, :], found, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Continuous:
    """Slopes of rows (n, …) by the figures of continuous variables."""

    values: np.ndarray
    sd: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """(n, c, 2) by mean and variance, of the variable's own density."""
        z = self.values
        return np.stack([z / self.sd, (z * z - 1.0) / (2.0 * self.sd**2)], axis=-1)

    def beside(self, found: Conditional) -> np.ndarray:
        """(n, o, c, 2) by mean and variance, of the density of the variable and an answer."""
        z = self.values[:, None, :]
        return np.stack(
            [(z - found.by_value) / self.sd, (z * z - 1.0 - z * found.by_value) / (2.0 * self.sd**2)], axis=-1
        )

    def pair(self, i: np.ndarray, j: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By the correlation (n, m), and by mean and variance of the one and the other (n, m, 4), of pairs (m,)."""
        a, b, rest = self.values[:, i], self.values[:, j], (1.0 - r) * (1.0 + r)
        form = a * a - 2.0 * r * a * b + b * b
        score = (r + a * b - form * r / rest) / rest
        by = [
            part
            for one, other, sd in ((a, b, self.sd[i]), (b, a, self.sd[j]))
            for part in ((one - r * other) / (sd * rest), ((one * one - r * a * b) / rest - 1.0) / (2.0 * sd**2))
        ]
        return score, np.stack(by, axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class _MixedProducts:
    """Per row and item: products of the slope by the correlation with itself, with those by thresholds, mean, variance.

    rows : with that variable alone. rho : (o, 1) correlations with it.
    """

    rows: Rows
    rho: np.ndarray

    @property
    def size(self) -> int:
        return len(self.rho) * (self.rows.limits.shape[1] + 1)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        codes, values = self.rows.codes(z), self.rows.values(z)
        found = conditional(codes, values, self.rows.limits, self.rho)
        score = found.by_rho[:, :, 0]
        cuts = np.zeros((*codes.shape, self.rows.limits.shape[1]))
        np.put_along_axis(cuts, codes[:, :, None] + 1, found.upper, axis=2)
        np.put_along_axis(cuts, codes[:, :, None], found.lower, axis=2)
        moments = _Continuous(values, self.rows.sd).beside(found)[:, :, 0]
        whole = np.concatenate([score[:, :, None], cuts[:, :, 1:-1], moments], axis=2)
        return (score[:, :, None] * whole).reshape(len(z), -1)


@dataclass(frozen=True, slots=True, eq=False)
class _ContinuousProducts:
    """Per row: products of the slopes of continuous variables (c, 3), then of pairs of them (m, 5)."""

    rows: Rows
    r: np.ndarray

    @property
    def size(self) -> int:
        return 3 * len(self.rows.sd) + 5 * len(self.r)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        slopes = _Continuous(self.rows.values(z), self.rows.sd)
        own = slopes.own
        score, by = slopes.pair(*np.triu_indices(len(self.rows.sd), 1), self.r)
        products = np.stack([own[..., 0] ** 2, own[..., 0] * own[..., 1], own[..., 1] ** 2], axis=-1)
        crossed = score[..., None] * np.concatenate([score[..., None], by], axis=-1)
        return np.concatenate([products.reshape(len(z), -1), crossed.reshape(len(z), -1)], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    """What the influence on figures of continuous variables needs; empty without any.

    inverse : (c, 2, 2) of the information about mean and variance.
    mixed : (o, c, K + 2) information about each polyserial correlation, then its products with K − 1 thresholds, mean
        and variance.
    pairs : (m, 5) the same of each correlation of two continuous variables, with two means and variances.
    """

    inverse: np.ndarray
    mixed: np.ndarray
    pairs: np.ndarray


def _around(source: Source, behind: Behind, rows: Sequence[Rows]) -> list[_Around]:
    """Sums over the rows of every group."""
    o, c = behind.items.ordered, behind.items.continuous
    if not len(c):
        return [_Around(np.zeros((0, 2, 2)), np.zeros((len(o), 0, 0)), np.zeros((0, 5))) for _ in rows]
    i, j = np.triu_indices(len(c), 1)
    r = [_usable(part.corr[c[i], c[j]]) for part in behind.parts]
    sums = summed(source, behind.summed, lambda d: _ContinuousProducts(rows[d], r[d]))
    own, pairs = np.split(sums, [3 * len(c)], axis=1)
    products = own.reshape(-1, len(c), 3)
    _check_values(behind, products)
    inverse = np.linalg.inv(products[..., [0, 1, 1, 2]].reshape(-1, len(c), 2, 2))
    mixed = np.zeros((len(rows), len(o), len(c), rows[0].limits.shape[1] + 1))
    for at in range(len(c)) if len(o) else ():
        found = summed(source, behind.summed, partial(_mixed_products, behind, rows, at))
        mixed[:, :, at] = found.reshape(len(rows), len(o), -1)
    return [_Around(inverse[d], mixed[d], pairs[d].reshape(-1, 5)) for d in range(len(rows))]


def _check_values(behind: Behind, products: np.ndarray) -> None:
    """Refuse a variable of two values as continuous: its mean and variance then tell the same; `products` (D, c, 3)."""
    apart = 1.0 - products[..., 1] ** 2 / (products[..., 0] * products[..., 2])
    if (apart < 1e-9).any():
        d, at = np.argwhere(apart < 1e-9)[0]
        name = behind.items.names[behind.items.continuous[at]]
        place = f" in group {' × '.join(behind.summed.domains[d])!r}" if behind.summed.by else ""
        raise SampleError(
            f"{name!r} takes only two values{place}: it cannot be a continuous variable beside ordered items. Name it "
            "among the ordered items, and take the moments of predictors as estimated: fixed_x=False."
        )


def _mixed_products(behind: Behind, rows: Sequence[Rows], at: int, d: int) -> _MixedProducts:
    """Products of slopes of all items with one continuous variable, in one group."""
    one, o = rows[d], behind.items.ordered
    alone = replace(one, continuous=one.continuous[at : at + 1], mean=one.mean[at : at + 1], sd=one.sd[at : at + 1])
    return _MixedProducts(alone, _usable(behind.parts[d].corr[o, one.continuous[at]])[:, None])


def _usable(rho: np.ndarray) -> np.ndarray:
    """Correlations, perfect ones replaced."""
    return np.where(np.abs(rho) < 1.0, rho, _INSIDE)


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """Influence of a row on all figures of its group, in the order of `Behind.places`.

    columns : which of the figures.
    """

    rows: Rows
    lookup: _Lookup
    around: _Around
    sizes: np.ndarray
    corr: np.ndarray
    weight: float
    columns: np.ndarray

    @property
    def size(self) -> int:
        """Figures of a row."""
        return len(self.columns)

    @property
    def kurtosis(self) -> np.ndarray:
        """(c,) of the continuous variables, from the products of the slopes by their variances."""
        information = np.linalg.inv(self.around.inverse)[:, 1, 1]
        return 1.0 + 4.0 * self.rows.sd**4 * information / self.weight

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, size) influences of rows z (n, 1 + p)."""
        codes, slopes = self.rows.codes(z), _Continuous(self.rows.values(z), self.rows.sd)
        cuts = self.lookup.single[np.arange(len(self.sizes)), codes] / self.weight
        own = np.einsum("cab,ncb->nca", self.around.inverse, slopes.own)
        inner = np.arange(cuts.shape[2]) < self.sizes[:, None] - 1
        parts = [cuts[:, inner], own[..., 0], own[..., 1], self._correlations(codes, slopes, cuts, own)]
        return np.concatenate(parts, axis=1)[:, self.columns]

    def _correlations(self, codes: np.ndarray, slopes: _Continuous, cuts: np.ndarray, own: np.ndarray) -> np.ndarray:
        """(n, p(p − 1)/2) influences on the correlations, those of the upper triangle row by row."""
        p, o, c = len(self.corr), self.rows.ordered, self.rows.continuous
        out = np.empty((len(codes), p, p))
        first, second = self.lookup.pairs.T
        found = self.lookup.tables[np.arange(len(first)), codes[:, first], codes[:, second]] / self.weight
        out[:, o[first], o[second]] = found
        if len(c):
            self._continuous(out, slopes, own)
            mixed = self._mixed(codes, slopes, cuts, own)
            out[:, o[:, None], c] = mixed
            out[:, c[:, None], o] = mixed.swapaxes(1, 2)
        i, j = np.triu_indices(p, 1)
        return out[:, i, j]

    def _continuous(self, out: np.ndarray, slopes: _Continuous, own: np.ndarray) -> None:
        c = self.rows.continuous
        i, j = np.triu_indices(len(c), 1)
        score, _ = slopes.pair(i, j, _usable(self.corr[c[i], c[j]]))
        beside = np.concatenate([own[:, i], own[:, j]], axis=2)
        crossed = np.einsum("nma,ma->nm", beside, self.around.pairs[:, 1:])
        out[:, c[i], c[j]] = (score - crossed) / self.around.pairs[:, 0]

    def _mixed(self, codes: np.ndarray, slopes: _Continuous, cuts: np.ndarray, own: np.ndarray) -> np.ndarray:
        """(n, o, c) influences on the polyserial correlations."""
        rho = _usable(self.corr[np.ix_(self.rows.ordered, self.rows.continuous)])
        score = conditional(codes, slopes.values, self.rows.limits, rho).by_rho
        sums = self.around.mixed
        crossed = np.einsum("nok,ock->noc", cuts, sums[:, :, 1:-2]) + np.einsum("nca,oca->noc", own, sums[:, :, -2:])
        return (score - crossed) / sums[:, :, 0]


def influences(source: Source, behind: Behind) -> list[Influence]:
    """(D,) influences of the rows of every group on all of its figures."""
    o = behind.items.ordered
    rows = [rows_of(behind.items, behind.summed, part) for part in behind.parts]
    columns = np.arange(behind.places[-1].stop)
    found = []
    for part, one, around in zip(behind.parts, rows, _around(source, behind, rows), strict=True):
        first, second = part.counts.pairs.T
        lookup = _lookup(part, _usable(part.corr[o[first], o[second]]))
        found.append(Influence(one, lookup, around, part.counts.sizes, part.corr, part.counts.weight, columns))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Certainty:
    """How sure the figures of all groups are.

    joint : (D, q, D, q) covariance, in the order of `Behind.places`; NaN for a perfect pair.
    kurtosis : (D, c) of the continuous variables, 3 if normal.
    """

    joint: np.ndarray
    kurtosis: np.ndarray


def certainty(source: Source, behind: Behind) -> Certainty:
    """Covariance of thresholds, means, variances and correlations, as the design says.

    Respondents drawn one by one: Σ w²·ssᵀ over each group times n/(n − 1), as lavaan has it.

    Raises
    ------
    SampleError
        If the figures are too many for a joint covariance.
    """
    groups = behind.summed
    size = behind.places[-1].stop
    check_size(groups.by, groups.domains, size)
    each = influences(source, behind)
    scores = dict(zip(groups.domains, each, strict=True))
    if drawn_singly(groups):
        n = np.array([part.counts.n for part in behind.parts], float)
        found = on_diagonal(row_squares(source, groups, scores) * (n / (n - 1.0))[:, None, None])
    else:
        found = _by_design(source, groups, scores, size)
    p = len(behind.items.names)
    pairs = np.stack([part.corr[np.triu_indices(p, 1)] for part in behind.parts])
    perfect = np.zeros((len(pairs), size), bool)
    perfect[:, behind.places[-1]] = np.abs(pairs) >= 1.0
    found[perfect] = np.nan
    found.transpose(2, 3, 0, 1)[perfect] = np.nan
    return Certainty(found, np.stack([one.kurtosis for one in each]))


def _by_design(source: Source, groups: Groups, scores: Mapping[tuple[str, ...], Influence], size: int) -> np.ndarray:
    """(D, q, D, q) from strata and units, or replicate weights.

    Squares of the scores are summed for every unit, though only respondents who are units need them: with many units
    the figures are summed some at a time.
    """
    stages = [groups] if groups.second is None else [groups, groups.second]
    width = max(int(np.sqrt(_AT_ONCE / len(groups.gram))), 8)
    if width >= size or groups.replication is not None or not all(stage.psus for stage in stages):
        return linearised_scores(source, groups, scores)
    parts = [
        _sums(source, groups, {domain: replace(each, columns=columns) for domain, each in scores.items()})
        for columns in np.split(np.arange(size), np.arange(width, size, width))
    ]
    sums = [np.concatenate(stage, axis=1) for stage in zip(*parts, strict=True)]
    return np.sum([stratified(stage, each, None) for stage, each in zip(stages, sums, strict=True)], axis=0)


def _sums(source: Source, groups: Groups, scores: Mapping[tuple[str, ...], Influence]) -> list[np.ndarray]:
    """(C, b) sums of scores over the units of each stage."""
    if not isinstance(source, RowSource):
        raise SampleError.needs_rows("The covariance of thresholds and correlations")
    again = source.score_groups(groups.variables, groups.by, scores, groups.rule)
    return [np.asarray(stage.score_sums) for stage in (again, again.second) if stage is not None]

"""Polyserial correlations: an ordered item and a continuous variable, from sums over the rows.

The item's normal response given the continuous variable is cut at the item's thresholds; mean, variance and
thresholds come first, the correlation given them. Source: Olsson, Drasgow & Dorans (1982), Psychometrika 47(3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csat.moments import Groups, RowScores, Source
from csat.structural.ordered.binormal import FAR, normal_cdf, normal_density
from csat.structural.ordered.tables import climbed
from csat.variance import score_sums

_LEAST = 1e-16


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """How to read a row z = [1, y − midpoint] of one group: the categories of o items, the values of c variables.

    ordered, continuous : (o,), (c,) positions among the variables. midpoint : (p,).
    limits : (o, K + 1) of the categories. mean, sd : (c,) of the continuous variables.
    """

    ordered: np.ndarray
    continuous: np.ndarray
    midpoint: np.ndarray
    limits: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def codes(self, z: np.ndarray) -> np.ndarray:
        """(n, o) category of each item, counted from 0."""
        return np.rint(z[:, 1 + self.ordered] + self.midpoint[self.ordered]).astype(np.intp)

    def values(self, z: np.ndarray) -> np.ndarray:
        """(n, c) standardized continuous variables."""
        return (z[:, 1 + self.continuous] + self.midpoint[self.continuous] - self.mean) / self.sd


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """Log-probabilities of the answers given a continuous variable, differentiated; every array is (n, o, c).

    by_rho : slope by the correlation. bend : p″/p, so that the second derivative is bend − by_rho².
    upper, lower : slopes by the limits above and below the answer. by_value : slope by the standardized variable,
        without its own density.
    """

    by_rho: np.ndarray
    bend: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    by_value: np.ndarray


def conditional(codes: np.ndarray, values: np.ndarray, limits: np.ndarray, rho: np.ndarray) -> Conditional:
    """Differentiate log P(answer | value) for correlations rho (o, c)."""
    rest = (1.0 - rho) * (1.0 + rho)
    spread = np.sqrt(rest)
    finite, item = np.clip(limits, -FAR, FAR), np.arange(len(limits))
    ends = (finite[item, codes + 1][:, :, None], finite[item, codes][:, :, None])
    z = values[:, None, :]
    places = [(end - rho * z) / spread for end in ends]
    probability = np.maximum(_between(places[1], places[0]), _LEAST)
    slopes, bends, heights = [], [], []
    for end, place in zip(ends, places, strict=True):
        height = normal_density(place) / probability
        first = (rho * end - z) / spread**3
        heights.append(height)
        slopes.append(height * first)
        bends.append(height * (end / spread**3 + 3.0 * rho * (rho * end - z) / spread**5 - place * first**2))
    return Conditional(
        by_rho=slopes[0] - slopes[1],
        bend=bends[0] - bends[1],
        upper=heights[0] / spread,
        lower=-heights[1] / spread,
        by_value=-(rho / spread) * (heights[0] - heights[1]),
    )


def _between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Φ(high) − Φ(low), from the tail that is nearer."""
    turned = low > 0
    return normal_cdf(np.where(turned, -low, high)) - normal_cdf(np.where(turned, -high, low))


@dataclass(frozen=True, slots=True, eq=False)
class _Slopes:
    """Per row: slope, bend and squared slope of each correlation; see `Conditional`."""

    rows: Rows
    rho: np.ndarray

    @property
    def size(self) -> int:
        return 3 * self.rho.size

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        found = conditional(self.rows.codes(z), self.rows.values(z), self.rows.limits, self.rho)
        return np.concatenate(
            [part.reshape(len(z), -1) for part in (found.by_rho, found.bend, found.by_rho**2)], axis=1
        )


def polyserial(source: Source, groups: Groups, rows: Sequence[Rows]) -> np.ndarray:
    """(D, o, c) correlations of the items with the continuous variables; ±1 where the likelihood rises to the edge.

    Parameters
    ----------
    source : where `groups` came from; each step is a pass over its rows.
    groups : listwise, of the codes of the items and the continuous variables, D domains. rows : (D,).
    """
    shape = (len(rows), len(rows[0].ordered), len(rows[0].continuous))
    whole = np.zeros(shape)

    def slopes(rho: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        whole.ravel()[which] = rho
        sums = summed(source, groups, lambda d: _Slopes(rows[d], whole[d])).reshape(len(rows), 3, -1)
        slope, bend, square = (sums[:, part].ravel()[which] for part in range(3))
        return slope, bend - square, -square

    return climbed(slopes, _start(groups, rows[0])).reshape(shape)


def _start(groups: Groups, rows: Rows) -> np.ndarray:
    """(D·o·c,) correlations of the category numbers."""
    blocks = [groups.moments(domain).corr[np.ix_(rows.ordered, rows.continuous)] for domain in groups.domains]
    return np.clip(np.stack(blocks), -0.9, 0.9).ravel()


def summed(source: Source, groups: Groups, scores: Callable[[int], RowScores]) -> np.ndarray:
    """(D, q) sums over the rows of each domain, from the scores of domain d."""
    by_domain: Mapping[tuple[str, ...], RowScores] = {domain: scores(d) for d, domain in enumerate(groups.domains)}
    return score_sums(source, groups, by_domain)

"""Latent responses: thresholds, means and correlations of the normal variables behind answers, and how sure they are.

Each figure is the solution of a likelihood equation: of one variable, or of two given those. The influence of a
respondent on all of them follows from the slopes of these likelihoods, with information matrices made of products of
slopes, as in Muthén (1984), Psychometrika 49(1), 115–132, appendix. The influence on figures of ordered items depends
on two answers only: it is looked up in tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, Moments, Source
from csat.structural.ordered.categories import Counts, Items, counts_of
from csat.structural.ordered.mixed import Rows, polyserial
from csat.structural.ordered.tables import adjusted, correlations_of, thresholds_of


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """Latent responses of one group.

    counts : of the answers. limits : (o, K + 1) of the categories.
    mean, variance : (p,) of the latent responses: 0 and 1 for ordered items.
    corr : (p, p); ±1 where two items repeat each other.
    filled : pairs of two-category items whose table had an empty cell and was filled up by ½.
    """

    counts: Counts
    limits: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    corr: np.ndarray
    filled: int

    @property
    def thresholds(self) -> list[np.ndarray]:
        """(o,) thresholds of each ordered item."""
        return [row[1:size] for row, size in zip(self.limits, self.counts.sizes.tolist(), strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """Latent responses of D groups.

    items : the p variables. summed : the reduction to one code per item that the groups came from.
    parts : (D,).
    """

    items: Items
    summed: Groups
    parts: tuple[Responses, ...]

    @property
    def places(self) -> tuple[slice, slice, slice, slice]:
        """Where thresholds, means and variances (of continuous variables), and correlations stand among q figures.

        Correlations are those of the upper triangle, row by row.
        """
        cuts = int((self.items.sizes - 1).sum())
        c, p = len(self.items.continuous), len(self.items.names)
        ends = np.cumsum([cuts, c, c, p * (p - 1) // 2]).tolist()
        return slice(0, ends[0]), slice(ends[0], ends[1]), slice(ends[1], ends[2]), slice(ends[2], ends[3])


def responses(source: Source, items: Items, by: Sequence[str]) -> Behind:
    """Estimate the latent responses of every group.

    Raises
    ------
    SampleError
        If the source has no rows, a category is empty in a group, or a continuous variable does not vary.
    """
    counted, counts = counts_of(source, items, by)
    summed = source.groups(items.variables, by, "listwise")
    parts = tuple(
        _of_group(items, summed.moments(domain), count) for domain, count in zip(counted.domains, counts, strict=True)
    )
    o, c = items.ordered, items.continuous
    if len(o) and len(c):
        found = polyserial(source, summed, [rows_of(items, summed, part) for part in parts])
        for part, rho in zip(parts, found, strict=True):
            part.corr[np.ix_(o, c)], part.corr[np.ix_(c, o)] = rho, rho.T
    return Behind(items, summed, parts)


def _of_group(items: Items, moments: Moments, counts: Counts) -> Responses:
    """Latent responses of one group, but for polyserial correlations; `moments` are those of the codes."""
    o, c = items.ordered, items.continuous
    _check_spread([items.names[at] for at in c.tolist()], moments.mean[c], np.diag(moments.cov)[c])
    mean, variance, corr = np.zeros(len(items.names)), np.ones(len(items.names)), np.eye(len(items.names))
    mean[c], variance[c] = moments.mean[c], np.diag(moments.cov)[c]
    corr[np.ix_(c, c)] = moments.corr[np.ix_(c, c)]
    limits = thresholds_of(counts)
    tables, filled = adjusted(counts)
    first, second = counts.pairs.T
    rho = correlations_of(tables, limits[first], limits[second])
    corr[o[first], o[second]] = corr[o[second], o[first]] = rho
    return Responses(counts, limits, mean, variance, corr, int(filled.sum()))


def _check_spread(names: Sequence[str], mean: np.ndarray, variance: np.ndarray) -> None:
    """Refuse continuous variables without variation."""
    flat = ~(variance > 1e-13 * mean**2)
    if flat.any():
        raise SampleError.constant([name for name, is_flat in zip(names, flat, strict=True) if is_flat])


def rows_of(items: Items, summed: Groups, part: Responses) -> Rows:
    """How to read the rows of one group; `summed` is the reduction to codes."""
    c = items.continuous
    return Rows(items.ordered, c, summed.midpoint, part.limits, part.mean[c], np.sqrt(part.variance[c]))

"""Who counts when answers are missing: covariances of a model's variables under three rules, and what they are worth.

"listwise": those who answered everything. "pairwise": each covariance over those who answered both, each variance over
all who answered. "em": maximum likelihood for normal variables, which uses all answers (`csat.normal`). Where nothing
is missing all three are the first.
Each rule knows the influence of a respondent on its covariances, so that any smooth figure gets a design-based error.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.drivers.linear.passes import rows_left_out
from csat.errors import SampleError
from csat.moments import Groups, Moments, PatternSource, RowSource, Source, Variable
from csat.normal import Normal, fit_normal, normal_scores
from csat.results import Unavailable
from csat.variance import linearised, linearised_scores, quadratic

#: Maps correlation matrices (B, p, p) to figures (B, q).
Figures = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Sample(ABC):
    """Moments of the variables of a model in D groups, as complete answers would give them.

    source : where they come from. groups : sums and design. moments : (D,) listwise in shape; None where they cannot be
    computed, and then `faults` has the error. answered : (D, p) respondents who answered each variable, unweighted.
    pairs : (D, p, p) who answered both, if it is known. left_out : (D,) respondents who do not count; NaN if not known.
    """

    source: Source
    groups: Groups
    moments: tuple[Moments | None, ...]
    faults: Mapping[int, SampleError]
    answered: np.ndarray
    pairs: np.ndarray | None
    left_out: np.ndarray

    @property
    def no_errors(self) -> Unavailable | None:
        """Why there are no standard errors."""
        groups = self.groups
        remembered = groups.psus or groups.replicate_sums is not None or isinstance(self.source, RowSource)
        return Unavailable("no_rows") if groups.published or not remembered else None

    @property
    def first_order(self) -> bool:
        """Whether replicate weights do not compute the figures anew but take their first-order change."""
        return False

    @abstractmethod
    def vcov(self, slopes: np.ndarray, usable: Sequence[int], figures: Figures | None) -> np.ndarray:
        """Covariance of q figures of each usable group.

        Parameters
        ----------
        slopes : (D, q, p, p) gradients by the correlations; zero for groups that are not usable.
        usable : (U,) positions of groups.
        figures : of correlations, for replicate weights, which compute them anew; None: their first-order change.

        Returns
        -------
        (D, q, D, q) array
        """


class Listwise(Sample):
    """Complete answers."""

    __slots__ = ()

    def vcov(self, slopes: np.ndarray, usable: Sequence[int], figures: Figures | None) -> np.ndarray:
        """By linearisation, or by replicates of the Gram matrices."""
        scores = np.zeros((*slopes.shape[:2], 1 + slopes.shape[2], 1 + slopes.shape[2]))
        for d in usable:
            moments = _known(self.moments[d])
            by_cov = slopes_by_covariance(slopes[d], moments)
            centre = np.column_stack([-moments.gram[0, 1:] / moments.weight, np.eye(slopes.shape[2])])
            scores[d] = centre.T @ by_cov @ centre / moments.weight
        anew = None if figures is None else _replicated(figures, correlations, usable, slopes.shape[1])
        return linearised(self.source, self.groups, scores, anew)


class Pairwise(Sample):
    """Each pair over those who answered both."""

    __slots__ = ()

    @property
    def no_errors(self) -> Unavailable | None:
        """Why there are no standard errors; replicate weights of single rows need the rows."""
        if self.groups.replicate_sums is not None and not isinstance(self.source, RowSource):
            return Unavailable("no_rows")
        return Sample.no_errors.__get__(self)

    @property
    def first_order(self) -> bool:
        """With replicate weights of single rows, whose Gram matrices are not kept."""
        return self.groups.replication is not None and self.groups.replicate_sums is not None

    def vcov(self, slopes: np.ndarray, usable: Sequence[int], figures: Figures | None) -> np.ndarray:
        """By linearisation; replicates of single rows take the first-order change, those of units compute anew."""
        p = slopes.shape[2]
        grams = self.groups.over_domains(self.groups.gram)
        scores = np.zeros((*slopes.shape[:2], 1 + 2 * p, 1 + 2 * p))
        for d in usable:
            scores[d] = _pairwise_scores(slopes_by_covariance(slopes[d], _known(self.moments[d])), grams[d])
        if self.first_order:
            return linearised_scores(self.source, self.groups, quadratic(self.groups, scores))
        anew = None if figures is None else _replicated(figures, pairwise_correlations, usable, slopes.shape[1])
        return linearised(self.source, self.groups, scores, anew)


@dataclass(frozen=True, slots=True, eq=False)
class Likely(Sample):
    """Maximum likelihood; `normal` (D,) holds the estimates."""

    normal: tuple[Normal | None, ...] = ()

    @property
    def first_order(self) -> bool:
        """With any replicate weights: the search for the maximum is not repeated."""
        return self.groups.replication is not None

    def vcov(self, slopes: np.ndarray, usable: Sequence[int], figures: Figures | None) -> np.ndarray:  # noqa: ARG002
        """By linearisation, under replicate weights too: these take the first-order change."""
        scores = {}
        for d in usable:
            found = self.normal[d]
            if found is not None:
                by_cov = slopes_by_covariance(slopes[d], _known(self.moments[d]))
                scores[self.groups.domains[d]] = normal_scores(found, by_cov)
        return linearised_scores(self.source, self.groups, scores)


def listwise(source: Source, variables: Sequence[Variable], by: tuple[str, ...]) -> Sample:
    """The sample of complete answers."""
    groups = source.groups(variables, by, "listwise")
    moments = tuple(groups.moments(domain) for domain in groups.domains)
    left_out = rows_left_out(source, groups, by)
    return Listwise(source, groups, moments, {}, groups.over_domains(groups.counts), None, left_out)


def _without_gaps(source: Source, variables: Sequence[Variable], by: tuple[str, ...], groups: Groups) -> Sample | None:
    """The sample of complete answers where nothing is missing in `groups`, of all answers; None where something is."""
    kept = groups.replicate_sums is None or isinstance(source, RowSource)  # a summary may lack what replicates need
    if not kept or not (groups.counts == groups.n[:, None]).all():
        return None
    return replace(listwise(source, variables, by), pairs=_everybody(groups))


def pairwise(source: Source, variables: Sequence[Variable], by: tuple[str, ...]) -> Sample:
    """The sample of all answers, pair by pair."""
    groups = _without_residuals(source.groups(variables, by, "available"))
    whole = _without_gaps(source, variables, by, groups)
    if whole is not None:
        return whole
    pairs, silent = _counts(source, variables, groups)
    moments: list[Moments | None] = []
    faults = {}
    for d, domain in enumerate(groups.domains):
        try:
            moments.append(_pairwise_moments(groups.moments(domain), None if pairs is None else pairs[d]))
        except SampleError as error:
            moments.append(None)
            faults[d] = error
    return Pairwise(source, groups, tuple(moments), faults, groups.over_domains(groups.counts), pairs, silent)


def likely(source: Source, variables: Sequence[Variable], by: tuple[str, ...]) -> Sample:
    """The sample of all answers, by maximum likelihood."""
    if not isinstance(source, PatternSource) or not isinstance(source, RowSource):
        raise SampleError.needs_rows('missing="em"')
    groups = _without_residuals(source.groups(variables, by, "available"))
    whole = _without_gaps(source, variables, by, groups)
    if whole is not None:
        return whole
    patterns = source.patterns(variables, by)
    found: list[Normal | None] = []
    faults = {}
    for d, domain in enumerate(groups.domains):
        try:
            found.append(fit_normal(patterns.of(domain)))
        except SampleError as error:
            found.append(None)
            faults[d] = error
    moments = tuple(None if normal is None else _normal_moments(normal, groups) for normal in found)
    answered = groups.over_domains(groups.counts)
    return Likely(source, groups, moments, faults, answered, patterns.pairs, patterns.silent, tuple(found))


RULES: Mapping[str, Callable[[Source, Sequence[Variable], tuple[str, ...]], Sample]] = {
    "listwise": listwise,
    "pairwise": pairwise,
    "em": likely,
}


def correlations(gram: np.ndarray) -> np.ndarray:
    """(B, p, p) correlations from Gram matrices (B, 1+p, 1+p) of complete answers."""
    mean = gram[:, :1, 1:] / gram[:, :1, :1]
    return _scaled(gram[:, 1:, 1:] / gram[:, :1, :1] - mean.swapaxes(1, 2) * mean)


def pairwise_correlations(gram: np.ndarray) -> np.ndarray:
    """(B, p, p) correlations from Gram matrices (B, 1+2p, 1+2p) of [1, m, m·y]."""
    return _scaled(_pairwise_covariances(gram)[0])


def _scaled(cov: np.ndarray) -> np.ndarray:
    spread = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    return cov / (spread[:, :, None] * spread[:, None, :])


def _pairwise_covariances(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariances, means of the row's variable and sums of weights over those who answered both: (B, p, p) each."""
    p = gram.shape[1] // 2
    both = gram[:, 1 : 1 + p, 1 : 1 + p]
    mean = gram[:, 1 + p :, 1 : 1 + p] / both
    return gram[:, 1 + p :, 1 + p :] / both - mean * mean.swapaxes(1, 2), mean, both


def slopes_by_covariance(slopes: np.ndarray, moments: Moments) -> np.ndarray:
    """Gradients (q, p, p) by correlations as gradients by covariances."""
    spread = np.sqrt(np.diag(moments.cov))
    out = slopes.copy()
    at = np.arange(len(spread))
    out[:, at, at] -= (slopes * moments.corr).sum(axis=2)
    return out / np.outer(spread, spread)


def _pairwise_scores(by_cov: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Influence of a row [1, m, m·y] as quadratic forms (q, 1+2p, 1+2p).

    Of a covariance: m_i·m_j·((y_i − ȳ_i)(y_j − ȳ_j) − c_ij) / Σw·m_i·m_j, with means over those who answered both.
    """
    p = by_cov.shape[1]
    cov, mean, both = (found[0] for found in _pairwise_covariances(gram[None]))
    each = by_cov / both
    out = np.zeros((len(by_cov), 1 + 2 * p, 1 + 2 * p))
    out[:, 1 + p :, 1 + p :] = each
    out[:, 1 : 1 + p, 1 + p :] = -each * mean
    out[:, 1 + p :, 1 : 1 + p] = -each * mean.T
    out[:, 1 : 1 + p, 1 : 1 + p] = each * (mean * mean.T - cov)
    return out


def _replicated(
    figures: Figures, of_gram: Callable[[np.ndarray], np.ndarray], usable: Sequence[int], size: int
) -> Callable[[np.ndarray], np.ndarray]:
    """A statistic of Gram matrices (…, D, p, p): figures of the usable groups, zero for the others."""
    at = list(usable)

    def anew(grams: np.ndarray) -> np.ndarray:
        out = np.zeros((*grams.shape[:-2], size))
        taken = grams[..., at, :, :]
        out[..., at, :] = figures(of_gram(taken.reshape(-1, *taken.shape[-2:]))).reshape(*taken.shape[:-2], size)
        return out

    return anew


def _known(moments: Moments | None) -> Moments:
    if moments is None:
        raise SampleError("A group without moments has no figures.")
    return moments


def _without_residuals(groups: Groups) -> Groups:
    """Calibrated weights are taken as given, as under "listwise"."""
    return replace(groups, residuals=None)


def _counts(source: Source, variables: Sequence[Variable], groups: Groups) -> tuple[np.ndarray | None, np.ndarray]:
    """Who answered both of each pair (D, p, p), and how many answered nothing (D,)."""
    if isinstance(source, PatternSource):
        patterns = source.patterns(variables, groups.by)
        return patterns.pairs, patterns.silent
    if (groups.counts == groups.n[:, None]).all():
        return _everybody(groups), np.zeros(len(groups.domains), int)
    return None, np.full(len(groups.domains), np.nan)


def _everybody(groups: Groups) -> np.ndarray:
    """(D, p, p) who answered both where everybody answered everything."""
    n, p = groups.over_domains(groups.n), len(groups.names)
    return np.broadcast_to(n[:, None, None], (len(n), p, p))


def _pairwise_moments(available: Moments, pairs: np.ndarray | None) -> Moments:
    """Moments in the shape of complete answers; n is that of the smallest pair."""
    p = len(available.names)
    with np.errstate(invalid="ignore", divide="ignore"):
        cov, mean, both = (found[0] for found in _pairwise_covariances(available.gram[None]))
    if not (both > 0).all():
        first, second = (available.names[i] for i in np.argwhere(~(both > 0))[0].tolist())
        what = f"Nobody answered {first!r}" if first == second else f"Nobody answered both {first!r} and {second!r}"
        raise SampleError(f"{what}: how they go together cannot be estimated. Leave one of them out.")
    smallest = int(available.counts.min() if pairs is None else pairs.min())
    return _shaped(available, np.diag(mean), cov, smallest, np.full(p, smallest))


def _normal_moments(normal: Normal, groups: Groups) -> Moments:
    centre = normal.centre + normal.spread * normal.mean
    cov = normal.cov * np.outer(normal.spread, normal.spread)
    p = len(centre)
    empty = Moments(groups.names, np.full((1, 1), normal.weight), groups.midpoint, 0, np.zeros(p, int), "listwise")
    return _shaped(empty, centre, cov, normal.n, np.full(p, normal.n))


def _shaped(like: Moments, mean: np.ndarray, cov: np.ndarray, n: int, counts: np.ndarray) -> Moments:
    """Listwise moments with this mean (around the midpoints) and covariance."""
    row = np.r_[1.0, mean]
    gram = like.weight * np.outer(row, row)
    gram[1:, 1:] += like.weight * cov
    return Moments(like.names, gram, like.midpoint, n, counts, "listwise")

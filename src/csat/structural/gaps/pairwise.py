"""Covariances pair by pair: every covariance over the respondents who answered both variables.

Such moments are those of nobody in particular, so that the normal likelihood says nothing about their errors. Their
joint covariance is known all the same, from what each respondent adds to each of them; standard errors and tests follow
from it as from any other covariance of moments (van Praag, Dijkstra & Van Velzen 1985, Psychometrika 50(1), 25–36).
Unbiased only if gaps have nothing to do with answers (missing completely at random).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.errors import CsatWarning, SampleError, UnknownColumnError
from csat.model import Model
from csat.moments import Moments, PatternSource, RowSource, Source, one_name
from csat.structural.engine.checks import check_sample
from csat.structural.gaps.answered import Answered
from csat.structural.samples import Data, unknown_column
from csat.structural.uncertainty.gamma import MomentCovariance, drawn_singly, on_diagonal
from csat.variance import linearised_scores, method_of, row_squares


class PairwiseWarning(CsatWarning):
    """Covariances over different respondents."""


@dataclass(frozen=True, slots=True, eq=False)
class PairwiseScores:
    """What a row z = [1, m, m·y], m = 1 where answered, adds to n times [1, means, covariances] of its group.

    weight : of the respondents with any answer. pairs : (p, p) weights of those who answered both.
    centre : (p, p) mean of the row's variable, around the midpoint, over those who answered the column's too.
    cov : (p, p).
    """

    weight: float
    pairs: np.ndarray
    centre: np.ndarray
    cov: np.ndarray

    @property
    def size(self) -> int:
        """Scores of a row, 1 + p + p(p+1)/2."""
        p = len(self.cov)
        return 1 + p + p * (p + 1) // 2

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, size) scores of rows z (n, 1 + 2p)."""
        p = len(self.cov)
        i, j = np.tril_indices(p)
        m, y = z[:, 1 : 1 + p], z[:, 1 + p :]
        means = (y - m * np.diag(self.centre)) * (self.weight / np.diag(self.pairs))
        one = y[:, i] - m[:, i] * self.centre[i, j]
        other = y[:, j] - m[:, j] * self.centre[j, i]
        products = (one * other - m[:, i] * m[:, j] * self.cov[i, j]) * (self.weight / self.pairs[i, j])
        return np.hstack([m.any(axis=1, keepdims=True), means, products])


@dataclass(frozen=True, slots=True, eq=False)
class Pairs(Data):
    """Moments pair by pair. weights : (G,) of the respondents with any answer. answered : who answered what."""

    weights: tuple[float, ...]
    answered: Answered


def pairwise(source: Source, model: Model, group: str | None) -> Pairs:
    """Moments of all pairs of variables; respondents with any answer count.

    Raises
    ------
    SampleError
        If the source is a summary, two variables were never answered together, or the covariances contradict each
        other.
    UnknownColumnError, CollinearityError
        If the data lack a variable, or one repeats others.
    """
    if not isinstance(source, PatternSource) or not isinstance(source, RowSource):
        raise SampleError.needs_rows('missing="pairwise"')
    by = () if group is None else (one_name(group, "group"),)
    names = list(model.observed)
    try:
        summary = replace(source.groups(names, by, "available"), residuals=None)
        patterns = source.patterns(names, by)
    except UnknownColumnError as error:
        raise unknown_column(error, model) from None
    weights = np.bincount(patterns.domain, patterns.gram[:, 0, 0], len(patterns.domains))
    sizes = np.bincount(patterns.domain, patterns.n, len(patterns.domains)).astype(int)
    parts = [summary.moments(domain) for domain in summary.domains]
    for part, pairs, domain in zip(parts, patterns.pairs, summary.domains, strict=True):
        _check(names, part.cov, part.mean - part.midpoint, pairs, domain[0] if by else "")
    return Pairs(
        summary=summary,
        labels=tuple(domain[0] for domain in summary.domains) if by else ("",),
        covs=tuple(part.cov for part in parts),
        means=tuple(part.mean for part in parts),
        sizes=tuple(sizes.tolist()),
        masses=tuple((weights * (sizes.sum() / weights.sum())).tolist()),
        weights=tuple(weights.tolist()),
        answered=Answered(
            pairs=patterns.pairs,
            patterns=np.bincount(patterns.domain, minlength=len(sizes)),
            silent=patterns.silent,
            unpredicted=np.zeros_like(patterns.silent),
            sizes=sizes,
        ),
    )


def _check(names: Sequence[str], cov: np.ndarray, shift: np.ndarray, pairs: np.ndarray, label: str) -> None:
    """Refuse pairs without respondents, and covariances that no data have."""
    place = f" in group {label!r}" if label else ""
    empty = [name for name, n in zip(names, np.diag(pairs).tolist(), strict=True) if not n]
    if empty:
        raise SampleError(f"Nobody answered {', '.join(map(repr, empty))}{place}: leave it out.")
    apart = np.argwhere(pairs == 0)
    if len(apart):
        first, second = (names[i] for i in apart[0].tolist())
        raise SampleError(
            f"Nobody answered both {first!r} and {second!r}{place}: there is no covariance. Leave one of them out."
        )
    sd = np.sqrt(np.maximum(np.diag(cov), 0.0))
    if (sd > 0).all():
        least = float(np.linalg.eigvalsh(cov / np.outer(sd, sd))[0])
        if least < -1e-10:
            raise SampleError(
                f"The covariances over different respondents contradict each other{place}: no data have them all "
                f"(smallest eigenvalue of the correlations {least:.3g}). Use missing='fiml', or leave out variables "
                "that few answered."
            )
    check_sample(names, cov, shift, int(pairs.min()))


def pairwise_covariance(source: Source, data: Pairs) -> MomentCovariance:
    """Covariance of the moments of all groups, as the design says; see `moment_covariance`."""
    groups = data.summary
    parts = zip(groups.domains, data.weights, strict=True)
    scores = {domain: _scores(groups.moments(domain), weight) for domain, weight in parts}
    if drawn_singly(groups):
        joint, method = on_diagonal(row_squares(source, groups, scores)), "respondents"
    else:
        joint, method = linearised_scores(source, groups, scores), method_of(groups)
    return MomentCovariance(joint * (sum(data.sizes) / sum(data.weights) ** 2), method)


def _scores(part: Moments, weight: float) -> PairwiseScores:
    p = len(part.names)
    pairs = part.gram[1 : 1 + p, 1 : 1 + p]
    return PairwiseScores(weight, pairs, part.gram[1 + p :, 1 : 1 + p] / pairs, part.cov)


def doubts_of_pairs(answered: Answered) -> list[tuple[type[CsatWarning], str]]:
    """What covariances over different respondents ask for, in words; nothing if there are no gaps."""
    least, n = int(answered.pairs.sum(axis=0).min()), int(answered.sizes.sum())
    if least == n:
        return []
    text = (
        f"Each covariance is over those who answered both variables, {least} respondents at least of {n}: right only "
        "if gaps have nothing to do with answers. Standard errors and χ² are robust ones that know of the pairs; the "
        "plain χ² has no p value, and there is no likelihood. missing='fiml' asks for less and uses the answers better."
    )
    return [(PairwiseWarning, text)]

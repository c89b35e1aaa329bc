"""How sure the sample moments are: their joint covariance, from the rows or the units of the design.

Robust standard errors and tests of a structural model are functions of it. Moments are taken as sums over
respondents of [1, d, dᵢdⱼ − sᵢⱼ], d = y − ȳ: deviations from the group's own moments. The 1 is there because groups
of a sample have random sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, RowSource, Source
from csat.replicates import joint_covariance
from csat.variance import linearised_scores, method_of, row_squares, stratified


@dataclass(frozen=True, slots=True, eq=False)
class MomentCovariance:
    """Covariance of the sums of [1, d, dᵢdⱼ − sᵢⱼ] over the respondents of each of G groups, divided by n.

    joint : (G, 1 + p + p*, G, 1 + p + p*), p* = p(p+1)/2, lower triangle row by row; weights sum to n over all groups.
    method : how it was made, for `Provenance.variance`.
    """

    joint: np.ndarray
    method: str

    def moments(self, shares: Sequence[float], *, means: bool) -> np.ndarray:
        """(G, q, G, q) covariance of the moments themselves, times n: Γ of the literature, groups together.

        Parameters
        ----------
        shares : (G,) of the respondents, by weight. means : with means before the p* covariances, or without.
        """
        kept = slice(1 if means else 1 + observed_in(self.joint.shape[1]), None)
        share = np.asarray(shares, float)
        return self.joint[:, kept, :, kept] / (share[:, None, None, None] * share[None, None, :, None])


def observed_in(size: int) -> int:
    """Number of variables p behind 1 + p + p(p+1)/2 sums.

    >>> observed_in(10)
    3
    """
    return round((np.sqrt(8 * size + 1) - 3) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class ProductScores:
    """[1, d, dᵢdⱼ − sᵢⱼ] of a row. centre : (p,) mean, around the midpoints. cov : (p, p)."""

    centre: np.ndarray
    cov: np.ndarray

    @property
    def size(self) -> int:
        """Scores of a row, 1 + p + p(p+1)/2."""
        p = len(self.centre)
        return 1 + p + p * (p + 1) // 2

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, size) scores of rows z (n, 1 + p)."""
        p = len(self.centre)
        i, j = np.tril_indices(p)
        out = np.empty((len(z), self.size))
        out[:, 0] = 1.0
        d = np.subtract(z[:, 1:], self.centre, out=out[:, 1 : 1 + p])
        np.multiply(d[:, i], d[:, j], out=out[:, 1 + p :])
        out[:, 1 + p :] -= self.cov[i, j]
        return out

    def of_gram(self, gram: np.ndarray) -> np.ndarray:
        """(…, size) sums of the scores over rows with the Gram matrices (…, 1 + p, 1 + p)."""
        weight, first = gram[..., :1, 0], gram[..., 0, 1:]
        sums = first - weight * self.centre
        cross = first[..., :, None] * self.centre
        middle = np.outer(self.centre, self.centre) - self.cov
        products = gram[..., 1:, 1:] - cross - cross.swapaxes(-1, -2) + weight[..., None] * middle
        i, j = np.tril_indices(len(self.centre))
        return np.concatenate([weight, sums, products[..., i, j]], axis=-1)


def moment_covariance(source: Source, groups: Groups) -> MomentCovariance:
    """Covariance of the sample moments of all groups, as the design says.

    Parameters
    ----------
    source : where `groups` came from; asked for a pass over the rows if respondents are the units.
    groups : listwise sums of the observed variables, one domain per group.

    Returns
    -------
    MomentCovariance
        Respondents drawn one by one without strata (weighted or not): Σ w²·ssᵀ around zero, without a factor n/(n − 1),
        as in White's sandwich, lavaan and Mplus. Else the covariance of the design: strata, sampling units,
        n/(n − 1) of each stratum, finite population correction, or replicate weights. For units in one stratum and one
        group that is lavaan's m/(m − 1); in several groups lavaan takes each group's units for a sample of their own,
        here units that reach into several groups make them covary.

    Raises
    ------
    SampleError
        If rows are needed and the source has none: published covariances do not tell their own uncertainty.

    References
    ----------
    Browne (1984), British Journal of Mathematical and Statistical Psychology 37, 62–83; Oberski (2014), Journal of
    Statistical Software 57(1), section 3.
    """
    parts = [groups.moments(domain) for domain in groups.domains]
    scores = {
        domain: ProductScores(part.mean - groups.midpoint, part.cov)
        for domain, part in zip(groups.domains, parts, strict=True)
    }
    check_rows(source, groups)
    n, weight = int(groups.n.sum()), sum(part.weight for part in parts)
    if drawn_singly(groups):
        given = ", calibrated weights taken as given" if groups.calibrated else ""
        joint, method = on_diagonal(row_squares(source, groups, scores)), f"respondents{given}"
    else:
        joint, method = _of_design(source, groups, scores), method_of(groups)
    return MomentCovariance(joint * (n / weight**2), method)


def check_rows(source: Source, groups: Groups) -> None:
    """Refuse a source that cannot tell how sure its moments are, before anything is computed.

    Raises
    ------
    SampleError
    """
    stages = [groups] if groups.second is None else [groups, groups.second]
    needs_rows = groups.replication is None and not all(stage.psus for stage in stages)
    if groups.published or (needs_rows and not isinstance(source, RowSource)):
        raise SampleError(
            "Robust standard errors and tests need the respondents' rows, or the sums of declared sampling units: "
            "fourth moments are not in a covariance matrix. Use estimator='ML' here, or give the survey itself."
        )


def drawn_singly(groups: Groups) -> bool:
    """Whether respondents were drawn one by one from all of a large population."""
    return (
        not groups.psus
        and groups.replication is None
        and groups.second is None
        and groups.share is None
        and len(groups.strata) == 1
        and bool(np.isinf(groups.population).all())
    )


def on_diagonal(blocks: np.ndarray) -> np.ndarray:
    """(G, q, G, q) with the blocks (G, q, q) on its diagonal."""
    size, q, _ = blocks.shape
    out = np.zeros((size, q, size, q))
    out[np.arange(size), :, np.arange(size), :] = blocks
    return out


def _of_design(source: Source, groups: Groups, scores: dict[tuple[str, ...], ProductScores]) -> np.ndarray:
    """(G, q, G, q) covariance of the sums; the sums of units and replicates follow from their Gram matrices."""
    each = [scores[domain] for domain in groups.domains]
    if groups.replication is not None:

        def sums(grams: np.ndarray) -> np.ndarray:
            return np.stack([score.of_gram(grams[..., d, :, :]) for d, score in enumerate(each)], axis=-2)

        flat = joint_covariance(groups, sums, grams=True)
        return flat.reshape(len(each), len(flat) // len(each), len(each), -1)
    stages = [groups] if groups.second is None else [groups, groups.second]
    if not all(stage.psus for stage in stages):
        return linearised_scores(source, groups, scores)
    return np.sum([stratified(stage, _of_cells(stage, each), None) for stage in stages], axis=0)


def _of_cells(groups: Groups, scores: Sequence[ProductScores]) -> np.ndarray:
    """(C, q) sums of the scores of each cell."""
    out = np.zeros((len(groups.gram), scores[0].size))
    for d, score in enumerate(scores):
        mine = groups.domain == d
        out[mine] = score.of_gram(groups.gram[mine])
    return out

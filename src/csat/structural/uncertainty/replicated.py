"""Sample moments of replicates: given or drawn weights, draws from the model itself, samples in which it holds.

A replicate is the sample with other weights. Its Gram matrix is all that a model of moments needs, so that any number
of replicates is one array; a model is then fitted to all of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.design import Replication
from csat.errors import OptionError, SampleError
from csat.moments import Groups, RowSource, Source, UnitSource
from csat.replicates import Scaling, replicate_sums, scaling_of
from csat.structural.engine.cells import MEAN
from csat.structural.engine.discrepancy import Sample
from csat.structural.engine.structure import Layout, Point, Structure
from csat.variance import method_of

#: Kinds of replicate weights that are draws from the sample.
DRAWN = ("bootstrap", "subbootstrap")
#: Up to so many units each is left out in turn to see how skewed figures are; with more, draws tell.
MOST_UNITS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Moments of R replicates.

    samples : (G,) of each group, with a first axis of R. apart : (G,) of (R, p), their means less the sample's.
    weights : (R, G) of the groups, as parts of the sample's.
    scaling : how variances come from spread. words : how they were made. df : degrees of freedom of variances.
    drawn : whether each is a sample from the sample, so that quantiles of figures are intervals.
    """

    samples: tuple[Sample, ...]
    apart: tuple[np.ndarray, ...]
    weights: np.ndarray
    scaling: Scaling
    words: str
    df: float
    drawn: bool

    def linear(self, fitted: Sequence[Sample], part: float) -> tuple[Sample, ...]:
        """(G,) the moments `fitted` of the sample, moved by a part of what each replicate's weights move them by.

        Only in first order: deviations from the sample's own moments, summed with the replicate's weights.
        """
        moved = []
        for g, (sample, own, apart) in enumerate(zip(self.samples, fitted, self.apart, strict=True)):
            factor = part * self.weights[:, g, None]
            about = sample.cov + apart[:, :, None] * apart[:, None, :]
            share = np.asarray(own.share) + part * (np.asarray(sample.share) - own.share)
            mean = None if own.mean is None else own.mean + factor * apart
            moved.append(Sample(own.cov + factor[..., None] * (about - own.cov), mean, share))
        return tuple(moved)


def unit_jackknife(source: Source, summary: Groups, *, means: bool, wishart: bool) -> Replicates | None:
    """Moments without each sampled unit in turn; None where there are more than `MOST_UNITS`, or no rows."""
    if summary.units.sum() > MOST_UNITS or not isinstance(source, UnitSource):
        return None
    if not isinstance(source, RowSource) and not summary.psus:
        return None
    left_out = source.replicated(Replication("JKn")).groups(list(summary.variables), summary.by, "listwise")
    grams = replicate_sums(left_out, grams=True)
    parts = _parts(left_out, grams, means=means, wishart=wishart)
    return Replicates(*parts, scaling_of(left_out, len(grams)), "jackknife", float(summary.df), False)


def declared_replicates(summary: Groups, *, means: bool, wishart: bool) -> Replicates:
    """Moments under the replicate weights that the design declares, given or made of its units.

    Parameters
    ----------
    summary : listwise sums, one domain per group. means, wishart : as in `Data.samples`.

    Raises
    ------
    OptionError
        If the design declares none.
    """
    if summary.replication is None:
        raise OptionError(
            "se='replicates' refits the model on replicate weights; this source has none. Declare "
            "csat.Design(…, replication=csat.Replication('JKn')), or use se='bootstrap'."
        )
    grams = replicate_sums(summary, grams=True)
    scaling = scaling_of(summary, len(grams))
    drawn = summary.replication.kind in DRAWN and _as_varied_as_samples(scaling, len(grams))
    parts = _parts(summary, grams, means=means, wishart=wishart)
    return Replicates(*parts, scaling, f"refits on {method_of(summary)}", float(summary.df), drawn)


def drawn_replicates(
    source: Source, summary: Groups, size: int, seed: int, *, means: bool, wishart: bool
) -> Replicates:
    """Moments of bootstrap samples: bootstrap weights that the design declares, else n − 1 of n units of each stratum.

    Units are sampling units if there are some, else respondents (random groups of them in a large survey). Draws of
    n − 1 units have the variance of the design in strata of any size (Rao & Wu 1988, JASA 83, 231–241).

    Raises
    ------
    SampleError
        For a published matrix, or a summary without rows or units.
    """
    if summary.published:
        raise SampleError(
            "A published covariance matrix has no respondents to draw from. se='parametric' draws matrices from the "
            "normal distribution that the model implies, if you are ready to believe in it."
        )
    declared = summary.replication
    if declared is not None and declared.kind in DRAWN:
        found = declared_replicates(summary, means=means, wishart=wishart)
        if found.drawn:
            return found
    if not isinstance(source, UnitSource):
        raise SampleError.needs_rows("A bootstrap")
    again = source.replicated(Replication("subbootstrap", size=size, seed=seed)).groups(
        list(summary.variables), summary.by, "listwise"
    )
    grams = replicate_sums(again, grams=True)
    of = "sampling units" if summary.psus else "random groups of respondents" if again.psus else "respondents"
    parts = _parts(again, grams, means=means, wishart=wishart)
    return Replicates(*parts, scaling_of(again, len(grams)), f"bootstrap of {of}", float(summary.df), True)


def _as_varied_as_samples(scaling: Scaling, size: int) -> bool:
    """Whether the plain variance of the replicates is that of the design."""
    return bool(np.all(np.abs(scaling.scale * scaling.rscales * (size - 1) - 1) < 0.1))


def _parts(
    groups: Groups, grams: np.ndarray, *, means: bool, wishart: bool
) -> tuple[tuple[Sample, ...], tuple[np.ndarray, ...], np.ndarray]:
    """Samples, means and weights of replicates from Gram matrices (R, G, 1 + p, 1 + p); NaN without weight.

    Covariances and shares are those of `Data.samples`.
    """
    n, whole = float(groups.n.sum()), groups.over_domains(groups.gram)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = grams[:, :, 0, 0]
        mass = n * weight / weight.sum(axis=1, keepdims=True)
        multiplier = mass - wishart
        share = multiplier / multiplier.sum(axis=1, keepdims=True)
        first = grams[:, :, 0, 1:] / weight[..., None]
        cov = grams[:, :, 1:, 1:] / weight[..., None, None] - first[..., :, None] * first[..., None, :]
        cov = cov * (mass / multiplier)[..., None, None]
    apart = first - whole[:, 0, 1:] / whole[:, :1, 0]
    size = range(len(groups.domains))
    samples = tuple(Sample(cov[:, g], groups.midpoint + first[:, g] if means else None, share[:, g]) for g in size)
    return samples, tuple(apart[:, g] for g in size), weight / whole[:, 0, 0]


def simulated_replicates(
    points: Sequence[Point], fitted: Sequence[Sample], masses: Sequence[float], size: int, seed: int
) -> Replicates:
    """Moments of samples drawn from the normal distributions that a model implies: covariances from Wishart's.

    Parameters
    ----------
    points : (G,) the model at its estimates. fitted : (G,) moments that it was fitted to.
    masses : (G,) respondents, by weight.
    """
    rng = np.random.default_rng(seed)
    samples, apart = [], []
    for point, sample, n in zip(points, fitted, masses, strict=True):
        root = np.linalg.cholesky(point.sigma)
        cov = _wishart(rng, root, max(round(n) - 1, len(root)), size) / n
        apart.append(rng.standard_normal((size, len(root))) @ root.T / np.sqrt(n))
        samples.append(Sample(cov, None if sample.mean is None else point.mu + apart[-1], sample.share))
    return Replicates(
        tuple(samples), tuple(apart), np.ones((size, len(samples))), Scaling(1.0 / (size - 1), np.ones(size)),
        "draws from the model's normal distribution", np.inf, True,
    )  # fmt: skip


def _wishart(rng: np.random.Generator, root: np.ndarray, df: int, size: int) -> np.ndarray:
    """(size, p, p) draws of a Wishart matrix with scale root·rootᵀ, by Bartlett's decomposition."""
    p = len(root)
    lower = np.tril(rng.standard_normal((size, p, p)), -1)
    lower[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(df - np.arange(p), (size, p)))
    turned = root @ lower
    return turned @ turned.swapaxes(-1, -2)


def under_the_model(samples: Sequence[Sample], fitted: Sequence[Sample], points: Sequence[Point]) -> tuple[Sample, ...]:
    """Moments of replicates of a sample that is turned so that the model holds in it exactly.

    Answers y become μ + T(y − ȳ), T = Σ^½ S^−½ with symmetric roots; moments turn as T does (Bollen & Stine 1992,
    Sociological Methods & Research 21(2), 205–229).

    Parameters
    ----------
    samples : (G,) of replicates. fitted : (G,) of the sample itself. points : (G,) the model at its estimates.
    """
    turned = []
    for sample, own, point in zip(samples, fitted, points, strict=True):
        turn = _power(point.sigma, 0.5) @ _power(own.cov, -0.5)
        mean = None if sample.mean is None else point.mu + (sample.mean - own.mean) @ turn.T
        turned.append(replace(sample, cov=turn @ sample.cov @ turn.T, mean=mean))
    return tuple(turned)


def _power(matrix: np.ndarray, power: float) -> np.ndarray:
    """Power of a symmetric positive definite matrix (p, p)."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**power) @ vectors.T


def with_own_predictors(layout: Layout, samples: Sequence[Sample]) -> Layout:
    """The layout in which the moments of predictors that are taken from the sample are those of each replicate."""
    pairs = zip(layout.groups, samples, strict=True)
    return replace(layout, groups=tuple(_with_moments(structure, sample) for structure, sample in pairs))


def _with_moments(structure: Structure, sample: Sample) -> Structure:
    kind, i, j = structure.cells[[row.sampled for row in structure.rows]].T
    if not len(kind):
        return structure
    size = len(sample.cov)
    symmetric = np.repeat(structure.symmetric[None], size, axis=0)
    offset = np.repeat(structure.offset[None], size, axis=0)
    pair = kind != MEAN
    symmetric[:, i[pair], j[pair]] = symmetric[:, j[pair], i[pair]] = sample.cov[:, i[pair], j[pair]]
    if sample.mean is not None:
        offset[:, i[~pair]] = sample.mean[:, i[~pair]]
    return replace(structure, symmetric=symmetric, offset=offset)

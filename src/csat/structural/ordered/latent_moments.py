"""The moments that a structural model of ordered items is fitted to: covariances of latent responses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.structural.engine.discrepancy import DiagonalLeastSquares, Sample
from csat.structural.ordered.responses import Behind, Responses


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What a model of ordered items is fitted to.

    samples : (G,) covariances of the latent responses and the continuous variables; means (0 for latent responses) if
        there are continuous variables. thresholds : (G,) of each group's thresholds, (o,) arrays.
    sizes : (G,) respondents.
    joint : (G·q, G·q) covariance of thresholds, means, variances and covariances; q of each group.
    places : where these four stand among the q.
    ordered, continuous : positions of the variables.
    """

    samples: tuple[Sample, ...]
    thresholds: tuple[list[np.ndarray], ...]
    sizes: tuple[int, ...]
    joint: np.ndarray
    places: tuple[slice, slice, slice, slice]
    ordered: np.ndarray
    continuous: np.ndarray

    @property
    def scale(self) -> float:
        """What multiplies the fit function: respondents, less one per group."""
        return float(sum(self.sizes) - len(self.sizes))

    def positions(self, *parts: int) -> np.ndarray:
        """Places of these of the four kinds of figures, in all groups."""
        q = self.places[-1].stop
        own = np.concatenate([np.arange(q)[self.places[part]] for part in parts])
        return (np.arange(len(self.samples))[:, None] * q + own).ravel()

    @property
    def fitted(self) -> np.ndarray:
        """Places of the figures that the model is fitted to: all but the thresholds."""
        return self.positions(1, 2, 3)

    @property
    def weights(self) -> np.ndarray:
        """(G·q,) inverse variances."""
        return 1.0 / np.diag(self.joint)

    def vector(self, covs: Sequence[np.ndarray], means: Sequence[np.ndarray | None]) -> np.ndarray:
        """(f, …) the fitted figures of covariances (G,) of (p, p, …) and means (G,) of (p, …)."""
        i, j = np.triu_indices(len(covs[0]), 1)
        parts = []
        for cov, mean in zip(covs, means, strict=True):
            if mean is not None:
                parts.append(mean[self.continuous])
            parts += [cov[self.continuous, self.continuous], cov[i, j]]
        return np.concatenate(parts)

    def discrepancy(self) -> DiagonalLeastSquares:
        """The fit function, scaled so that χ² is `scale` times its minimum."""
        p, c = len(self.samples[0].cov), self.continuous
        i, j = np.triu_indices(p, 1)
        weights, of_means = [], []
        for own in np.split(self.weights / self.scale, len(self.samples)):
            weight, of_mean = np.zeros((p, p)), np.zeros(p)
            of_mean[c], weight[c, c] = own[self.places[1]], own[self.places[2]]
            weight[i, j] = weight[j, i] = own[self.places[3]]
            weights.append(weight)
            of_means.append(of_mean)
        return DiagonalLeastSquares(self.samples, tuple(weights), tuple(of_means))


def moments_of(behind: Behind, covariance: np.ndarray) -> Moments:
    """Covariances instead of correlations, with their joint covariance, of the latent responses of all groups.

    Parameters
    ----------
    covariance : (D, q, D, q) of thresholds, means, variances, correlations.
    """
    size, q = covariance.shape[:2]
    turn = np.zeros((size, q, size, q))
    for d, part in enumerate(behind.parts):
        turn[d, :, d, :] = _to_covariances(behind, part)
    flat = turn.reshape(size * q, size * q)
    c = behind.items.continuous
    samples = tuple(
        Sample(part.corr * np.sqrt(np.outer(part.variance, part.variance)), part.mean if len(c) else None)
        for part in behind.parts
    )
    return Moments(
        samples=samples,
        thresholds=tuple(part.thresholds for part in behind.parts),
        sizes=tuple(part.counts.n for part in behind.parts),
        joint=flat @ covariance.reshape(size * q, size * q) @ flat.T,
        places=behind.places,
        ordered=behind.items.ordered,
        continuous=c,
    )


def _to_covariances(behind: Behind, part: Responses) -> np.ndarray:
    """(q, q) derivatives of thresholds, means, variances, covariances by thresholds, means, variances, correlations."""
    _, _, variances, pairs = behind.places
    out = np.eye(behind.places[-1].stop)
    sd = np.sqrt(part.variance)
    i, j = np.triu_indices(len(sd), 1)
    at = np.arange(pairs.start, pairs.stop)
    out[at, at] = sd[i] * sd[j]
    for place, one in enumerate(behind.items.continuous.tolist()):
        for own, other in ((i, j), (j, i)):
            mine = own == one
            half = part.corr[own[mine], other[mine]] * sd[other[mine]] / (2.0 * sd[one])
            out[at[mine], variances.start + place] = half
    return out

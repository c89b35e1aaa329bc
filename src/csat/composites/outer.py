"""Outer weights: the fixed point between each construct's items and what its neighbours say of it.

Everything runs on the covariance matrix of the items, for many samples at once. Sources: Wold (1982), in Systems under
Indirect Observation II; Lohmöller (1989), Latent Variable Path Modeling with Partial Least Squares, ch. 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.fixed import fixed_weights
from csat.composites.linear import inverse, regressions

#: Largest change of a standardized weight in the last step, and most steps.
TOLERANCE = 1e-10
MOST_STEPS = 500


def centroid(corr: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(…, q, q) signs of the correlations with neighbours."""
    return np.sign(corr) * (blocks.paths | blocks.paths.T)


def factorial(corr: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(…, q, q) correlations with neighbours."""
    return corr * (blocks.paths | blocks.paths.T)


def path(corr: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(…, q, q) regression coefficients on what explains a construct, correlations with what it explains."""
    return regressions(corr, blocks.explained) + corr * blocks.paths.T


#: How a construct's neighbours speak for it: weights of the columns' constructs in the proxy of the row's.
SCHEMES: dict[str, Callable[[np.ndarray, Blocks], np.ndarray]] = {
    "path": path,
    "centroid": centroid,
    "factorial": factorial,
}


@dataclass(frozen=True, slots=True, eq=False)
class Outer:
    """weights : (m, p) that give constructs a variance of 1. steps : (m,) taken. converged : (m,)."""

    weights: np.ndarray
    steps: np.ndarray
    converged: np.ndarray


def outer_weights(
    cov: np.ndarray, blocks: Blocks, scheme: str = "path", *, tolerance: float = TOLERANCE, most: int = MOST_STEPS
) -> Outer:
    """Weights of m samples; those that have converged leave the batch.

    Parameters
    ----------
    cov : (m, p, p) covariances of the columns of `blocks` (correlations for standardized items).
    scheme : of `SCHEMES`. tolerance : largest change of the absolute value of a weight, in units of its item's SD.

    Returns
    -------
    Outer
        Each construct is turned so that most of its items load positively. NaN where a sample has no variation.
    """
    size, p = cov.shape[:2]
    found, steps = np.full((size, p), np.nan), np.zeros(size, int)
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    at, closed = np.arange(size), np.zeros(size, bool)
    with np.errstate(all="ignore"):
        update = _Update.of(cov, blocks, scheme)
        weights, load = update.scaled(np.ones((size, p)))
        for step in range(1, most + 1):
            new, load = update(weights, load)
            change = np.abs(np.abs(new) - np.abs(weights)) * sd[at]
            weights = new
            found[at[~closed]], steps[at[~closed]] = weights[~closed], step
            closed |= ~(np.max(change, axis=1) >= tolerance)  # NaN too: nothing more will come of it
            if closed.all():
                break
            if closed.mean() > 0.2:
                keep = ~closed
                at, closed, weights, load, update = at[keep], closed[keep], weights[keep], load[keep], update.take(keep)
        settled = np.ones(size, bool)
        settled[at[~closed]] = False
        converged = settled & np.isfinite(found).all(axis=1)
        return Outer(_turned(found, cov, blocks), steps, converged)


@dataclass(frozen=True, slots=True, eq=False)
class _Update:
    """One step of the iteration: cov (m, p, p); inverses (m, k, k) of the blocks in mode B; weights that are fixed."""

    cov: np.ndarray
    blocks: Blocks
    scheme: str
    inverses: tuple[tuple[np.ndarray, np.ndarray], ...]
    fixed: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, cov: np.ndarray, blocks: Blocks, scheme: str) -> _Update:
        """With what does not change from step to step."""
        regressed = [blocks.columns(j) for j, mode in enumerate(blocks.modes) if mode == "B"]
        inverses = tuple((at, inverse(cov[:, at[:, None], at])) for at in regressed)
        return cls(cov, blocks, scheme, inverses, fixed_weights(cov, blocks))

    def take(self, keep: np.ndarray) -> _Update:
        """The same for fewer samples."""
        inverses = tuple((at, found[keep]) for at, found in self.inverses)
        return _Update(self.cov[keep], self.blocks, self.scheme, inverses, (self.fixed[0], self.fixed[1][keep]))

    def scaled(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, p) weights that give variances of 1, and (m, p, q) covariances of items and constructs."""
        load = self.cov @ (weights[:, :, None] * self.blocks.member)
        own = load[:, np.arange(len(self.blocks.block)), self.blocks.block]
        length = np.sqrt(self.blocks.summed(weights * own))
        return weights / length[:, self.blocks.block], load / length[:, None, :]

    def __call__(self, weights: np.ndarray, load: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The weights after one round, and the covariances of items and constructs."""
        blocks = self.blocks
        corr = blocks.member.T @ (weights[:, :, None] * load)
        inner = SCHEMES[self.scheme](corr, blocks)
        said = np.einsum("mpi,mpi->mp", load, inner[:, blocks.block])
        for at, inverted in self.inverses:
            said[:, at] = (inverted @ said[:, at, None])[..., 0]
        said[:, self.fixed[0]] = self.fixed[1]
        return self.scaled(said)


def _turned(weights: np.ndarray, cov: np.ndarray, blocks: Blocks) -> np.ndarray:
    """Weights of constructs that most of their items load positively on; as many either way: their sum decides."""
    load = (cov @ (weights[:, :, None] * blocks.member))[:, np.arange(len(blocks.block)), blocks.block]
    load = load / np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    votes = blocks.summed(np.sign(load)) + 1e-3 * np.tanh(blocks.summed(load))
    return weights * np.where(votes < 0, -1.0, 1.0)[:, blocks.block]

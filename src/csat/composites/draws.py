"""Partial least squares on replicates of a sample: standard errors, intervals, and what became of the replicates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.items import ItemMoments
from csat.composites.solution import Solution
from csat.replicates import Scaling

#: What to do about a construct that a draw turns round: nothing, or turn it as it is in the sample.
SIGNS = ("construct", "none")


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Estimates on R replicates of the D groups.

    items : moments, mean (R, D, p) and cov (R, D, p, p). solution : (R, D).
    figures : (R, D, m) as in `Layout.keys`; NaN where a replicate does not define one, or has no estimates of a group.
    used : (R, D) which have estimates. improper : (R, D) which have impossible ones.
    turned : (R, D) in which a construct was turned round to the direction that it has in the sample.
    scaling : how variances come from spread. words : how they were made.
    drawn : whether each is a sample from the sample, so that quantiles are intervals.
    moves : (u, D, m) how far leaving each sampled unit out moves the figures; None if it was not asked for.
    """

    items: ItemMoments
    solution: Solution
    figures: np.ndarray
    used: np.ndarray
    improper: np.ndarray
    turned: np.ndarray
    scaling: Scaling
    words: str
    drawn: bool
    moves: np.ndarray | None = None

    def covariance(self, centre: np.ndarray) -> np.ndarray:
        """(D·m, D·m) covariance of the figures of all groups; `centre` (D, m) those of the sample.

        A replicate without a figure is taken to deviate as much as the others do on average.
        """
        known = np.isfinite(self.figures)
        factor = self.scaling.rscales[:, None, None] * known
        weight = factor / np.maximum(factor.sum(axis=0), 1e-300)
        middle = centre if self.scaling.mse else np.sum(weight * np.where(known, self.figures, 0.0), axis=0)
        size = self.scaling.scale * self.scaling.rscales.sum()
        apart = np.sqrt(size * weight) * np.where(known, self.figures - middle, 0.0)
        flat = apart.reshape(len(apart), -1)
        enough = ((known.sum(axis=0) > 1) & np.isfinite(centre)).ravel()
        return np.where(enough[:, None] & enough, flat.T @ flat, np.nan)

    @property
    def counts(self) -> dict[str, np.ndarray]:
        """What became of the replicates of each group: (D,) each, columns of ``Pls.glance()``."""
        size = len(self.used)
        return {
            "replicates": np.full(self.used.shape[1], size),
            "replicates_used": self.used.sum(axis=0),
            "replicates_failed": size - self.used.sum(axis=0),
            "replicates_improper": (self.improper & self.used).sum(axis=0),
            "replicates_turned": (self.turned & self.used).sum(axis=0),
        }


def usable(solution: Solution) -> np.ndarray:
    """(…) whether samples have estimates: weights settled, and loadings and paths are numbers."""
    known = np.isfinite(solution.loadings).all(axis=-1) & np.isfinite(solution.paths).all(axis=(-2, -1))
    return np.asarray(solution.converged & known)


def improper(solution: Solution, blocks: Blocks) -> np.ndarray:
    """(…) whether estimates are impossible: a reliability, loading or correlation beyond 1, or no joint distribution.

    This happens only to corrected constructs.
    """
    lead = solution.converged.shape
    if not blocks.consistent.any():
        return np.zeros(lead, bool)
    corrected = blocks.consistent[blocks.block]
    known = np.isfinite(solution.corr).all(axis=(-2, -1))
    roots = np.linalg.eigvalsh(np.where(known[..., None, None], solution.corr, np.eye(len(blocks.constructs))))
    return np.asarray(
        ((solution.rho_a > 1) & blocks.consistent).any(axis=-1)
        | ((np.abs(solution.loadings) > 1) & corrected).any(axis=-1)
        | (roots[..., 0] < -1e-10)
        | ~known
    )


def directions(solution: Solution, sample: Solution, blocks: Blocks) -> np.ndarray:
    """(…, q) −1 for a construct whose loadings are nearer to the sample's when it is turned round, else 1.

    Source: Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), Computational Statistics & Data Analysis 48(1), 159–205.
    """
    as_is = blocks.summed(np.abs(solution.loadings - sample.loadings))
    round_ = blocks.summed(np.abs(solution.loadings + sample.loadings))
    return np.where(round_ < as_is, -1.0, 1.0)


def turned(solution: Solution, signs: np.ndarray, blocks: Blocks) -> Solution:
    """The same estimates with constructs turned round where `signs` (…, q) is −1."""
    both, items = signs[..., :, None] * signs[..., None, :], signs[..., blocks.block]
    return replace(
        solution,
        weights=solution.weights * items,
        loadings=solution.loadings * items,
        cross=solution.cross * signs[..., None, :],
        proxies=solution.proxies * both,
        corr=solution.corr * both,
        paths=solution.paths * both,
        total=solution.total * both,
    )

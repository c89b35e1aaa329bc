"""Doubts about a path model, in words, and the warnings that carry them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.draws import Draws, improper, usable
from csat.composites.solution import Solution
from csat.errors import CsatWarning


class ImproperSolutionWarning(CsatWarning):
    """A corrected path model with a reliability, loading or correlation that no population has."""


class ReplicatesWarning(CsatWarning):
    """Replicates of a sample on which a path model has no estimates."""


def doubts(solution: Solution, blocks: Blocks, labels: Sequence[str]) -> list[str]:
    """What is impossible in the solutions (D,) of the groups that `labels` name ("" without groups)."""
    found = []
    for d, label in enumerate(labels):
        if not usable(solution[d]) or not improper(solution[d : d + 1], blocks)[0]:
            continue
        where = f"In group {label!r}: " if label else ""
        found.append(f"{where}{_impossible(solution[d], blocks)} Figures of this solution are not to be trusted: merge "
                     "constructs that cannot be told apart, or estimate composites (consistent=False).")  # fmt: skip
    return found


def _impossible(solution: Solution, blocks: Blocks) -> str:
    """The first impossible thing in one solution."""
    names = blocks.constructs
    over = np.flatnonzero((solution.rho_a > 1) & blocks.consistent)
    if over.size:
        return f"the reliability ρA of {names[over[0]]!r} is {solution.rho_a[over[0]]:.3f}, above 1."
    high = np.abs(np.triu(solution.corr, 1))
    if np.nanmax(high) > 1:
        i, j = np.unravel_index(np.nanargmax(high), high.shape)
        return f"corrected for attenuation {names[i]!r} and {names[j]!r} correlate {solution.corr[i, j]:.3f}, beyond 1."
    steep = np.flatnonzero((np.abs(solution.loadings) > 1) & blocks.consistent[blocks.block])
    if steep.size:
        return f"the corrected loading of {blocks.items[steep[0]]!r} is {solution.loadings[steep[0]]:.3f}, beyond 1."
    return "the corrected correlations of the constructs are not positive definite: no population has them."


def lost(draws: Draws, labels: Sequence[str]) -> list[str]:
    """What became of replicates, where it is not that all have estimates and possible ones."""
    counts = draws.counts
    return [
        *_counted(counts["replicates_failed"], draws, labels, _NO_ESTIMATES),
        *_counted(counts["replicates_improper"], draws, labels, _IMPOSSIBLE),
    ]


_NO_ESTIMATES = "have no estimates; they are left out of standard errors and intervals."
_IMPOSSIBLE = (
    "have a reliability, loading or correlation beyond 1, or correlations that no population has; they count in "
    "standard errors and intervals."
)
#: More groups than these are not listed one by one.
_LISTED = 3


def _counted(found: np.ndarray, draws: Draws, labels: Sequence[str], what: str) -> list[str]:
    """Sentences about so many replicates of each group (D,); one about the worst if there are many such groups."""
    size, concerned = len(draws.used), np.flatnonzero(found).tolist()
    if len(concerned) > _LISTED:
        worst = int(np.argmax(found))
        return [
            f"In {len(concerned)} of {len(labels)} groups some of {size} replicates ({draws.words}) {what} Most of "
            f"them, {int(found[worst])}, in group {labels[worst]!r}."
        ]
    return [
        f"{f'In group {labels[d]!r} ' if labels[d] else ''}{int(found[d])} of {size} replicates ({draws.words}) {what}"
        for d in concerned
    ]

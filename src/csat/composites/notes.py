"""Doubts about a path model, in words, and the warnings that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.draws import Draws, improper, usable
from csat.composites.figures import Layout
from csat.composites.solution import Solution
from csat.errors import CsatError, CsatWarning

#: Standard errors of a correlation of 0, 1/√n, beyond which a negative loading is no chance.
CHANCE = 2.0
#: More groups, and more items, than these are not listed one by one.
_LISTED, _ITEMS = 3, 6


class ImproperSolutionWarning(CsatWarning):
    """A corrected path model with a reliability, loading or correlation that no population has."""


class NoEstimatesWarning(CsatWarning):
    """Groups without estimates of a path model."""


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


def against(layout: Layout, figures: np.ndarray, n: np.ndarray, labels: Sequence[str]) -> list[str]:
    """Items that load negatively on their own construct by more than chance, 2/√n.

    Parameters
    ----------
    figures : (D, m) of the groups that `labels` name. n : (D,) respondents, or as many as the weights leave.
    """
    at = [i for i, (kind, owner, _) in enumerate(layout.keys) if kind == "loading" and owner in layout.measured]
    low = figures[:, at] < -CHANCE / np.sqrt(np.maximum(n, 1.0))[:, None]
    concerned = np.flatnonzero(low.any(axis=1)).tolist()
    several = len(concerned) > _LISTED
    found = []
    for d in sorted(concerned, key=lambda d: -low[d].sum())[:1] if several else concerned:
        cells = [(layout.keys[at[i]], figures[d, at[i]]) for i in np.flatnonzero(low[d])]
        listed = ", ".join(f"{item} ({owner}: {value:.2f})" for (_, owner, item), value in cells[:_ITEMS])
        listed += f", +{len(cells) - _ITEMS}" if len(cells) > _ITEMS else ""
        where = f"In group {labels[d]!r}: items" if labels[d] else "Items"
        more = f" So do items in {len(concerned) - 1} other groups." if several else ""
        found.append(
            f"{where} load negatively on their own construct, by more than chance: {listed}.{more} If they are worded "
            "the other way round, recode their answers (highest to lowest) before estimating: until then alpha, "
            "figures on 0–100 and importance of these constructs mean little."
        )
    return found


def absent(errors: Mapping[int, CsatError], n: np.ndarray, items: int, labels: Sequence[str]) -> list[str]:
    """Why groups have no estimates; `errors` : by position. n : (D,) respondents. items : of the model."""
    if len(errors) > _LISTED:
        listed = ", ".join(repr(labels[d]) for d in list(errors)[:_ITEMS]) + (", …" if len(errors) > _ITEMS else "")
        return [
            f"{len(errors)} of {len(labels)} groups have no estimates ({listed}); the notes of tidy() say why. Merge "
            "small groups, or use fewer items."
        ]
    return [f"Group {labels[d]!r} has no estimates: {_why(error, int(n[d]), items)}" for d, error in errors.items()]


def _why(error: CsatError, n: int, items: int) -> str:
    few = f"{n} complete answers for {items} items. Merge it with another group, or use fewer items."
    return few if n <= items else str(error)


def lost(draws: Draws, there: np.ndarray, labels: Sequence[str]) -> list[str]:
    """What became of replicates of the groups that have estimates themselves, `there` (D,)."""
    counts = draws.counts
    return [
        *_counted(np.where(there, counts["replicates_failed"], 0), draws, labels, _NO_ESTIMATES),
        *_counted(counts["replicates_improper"], draws, labels, _IMPOSSIBLE),
    ]


_NO_ESTIMATES = "have no estimates; they are left out of standard errors and intervals."
_IMPOSSIBLE = (
    "have a reliability, loading or correlation beyond 1, or correlations that no population has; they count in "
    "standard errors and intervals."
)


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

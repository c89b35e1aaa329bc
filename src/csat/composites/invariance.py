"""Measurement invariance of composites (MICOM): whether paths, and means of constructs, can be compared over groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from csat.composites.blocks import Blocks
from csat.composites.draws import usable
from csat.composites.exchange import Exchange, Shuffles, estimated, exchange_of, notes_of, tails, two_sided
from csat.composites.figures import Layout
from csat.composites.fitted import Fitted
from csat.composites.items import ItemMoments
from csat.composites.solution import solve
from csat.errors import ConvergenceError, OptionError
from csat.moments import Source, shown
from csat.replicates.intervals import quantile
from csat.results import Shown, check_level
from csat.version import __version__

#: What a construct allows: comparing paths and means; paths only; neither.
VERDICTS = ("full", "partial", "none")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Micom(Shown):
    """Invariance of q composites between P pairs of groups, under R permutations of the labels.

    constructs : (q,). pairs : (P,) group and the one it is compared with.
    configural : what the groups have in common by construction (step 1), in words.
    c : (P, q) correlation of the composites with the weights of either group (step 2). c_low : (P, q) what it exceeds
        at `level` if labels mean nothing. c_p : (P, q) one-sided.
    mean : (P, q) difference of means, group minus the other, in standard deviations of both together (step 3), with
        mean_low, mean_high, mean_p; variance : (P, q) difference of the logarithms of variances, with variance_low …
    verdict : (P, q) of `VERDICTS`; None where a figure is missing.
    permutations : R. used : (P,) with estimates of both groups. sizes : (P,) respondents of the smaller group.
    words : what was exchanged. notes : what to beware of.
    """

    constructs: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    configural: str
    c: np.ndarray
    c_low: np.ndarray
    c_p: np.ndarray
    mean: np.ndarray
    mean_low: np.ndarray
    mean_high: np.ndarray
    mean_p: np.ndarray
    variance: np.ndarray
    variance_low: np.ndarray
    variance_high: np.ndarray
    variance_p: np.ndarray
    verdict: tuple[tuple[str | None, ...], ...]
    level: float
    permutations: int
    used: np.ndarray
    sizes: np.ndarray
    words: str
    notes: tuple[str, ...] = ()

    def tidy(self) -> pd.DataFrame:
        """One row per pair of groups and construct.

        Returns
        -------
        DataFrame
            group, against, construct, c, c_low, c_p, mean, mean_low, mean_high, mean_p, variance, variance_low,
            variance_high, variance_p, invariance ("full", "partial", "none").
        """
        q = len(self.constructs)
        ends = ("", "_low", "_high", "_p")
        names = ["c", "c_low", "c_p", *(f"{kind}{end}" for kind in ("mean", "variance") for end in ends)]
        columns: dict[str, Any] = {
            "group": [one for one, _ in self.pairs for _ in range(q)],
            "against": [other for _, other in self.pairs for _ in range(q)],
            "construct": list(self.constructs) * len(self.pairs),
        }
        columns |= {name: getattr(self, name).ravel() for name in names}
        return pd.DataFrame(columns | {"invariance": [found for row in self.verdict for found in row]})

    def glance(self) -> pd.DataFrame:
        """One row: how many constructs and pairs are fully, partly and not invariant, and how that was tested."""
        found = [one for row in self.verdict for one in row]
        facts = {
            "constructs": len(self.constructs), "pairs": len(self.pairs),
            **{name: found.count(name) for name in VERDICTS}, "level": self.level,
            "permutations": self.permutations, "permutations_used": int(self.used.min()), "exchanged": self.words,
            "version": __version__,
        }  # fmt: skip
        return pd.DataFrame([facts])

    def __repr__(self) -> str:
        lines = [f"Step 1: {self.configural}", *(f"Note: {note}" for note in self.notes)]
        return "\n".join([Shown.__repr__(self), *lines])


def micom(
    result: Fitted,
    source: Source,
    *,
    permutations: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> Micom:
    """Test whether composites are formed alike in groups, and have equal means and variances.

    Parameters
    ----------
    result : of ``csat.pls(…, by=…)``.
    source : the survey that it was estimated from.
    permutations, seed : group labels are exchanged so often; 5,000 for figures to be published.
    level : 0.95 tests each step at 5 per cent.

    Returns
    -------
    Micom
        A construct is invariant in part if the correlation c is not lower than permuted groups have it: its paths may
        then be compared. If its mean and variance do not differ either, it is so in full: groups may be pooled.

    Raises
    ------
    OptionError
        If there are no two groups with estimates, or the constructs are not plain composites of items.
    SampleError
        Without the rows (or whole sampling units) of the result, or with nothing to exchange.
    ConvergenceError
        If hardly any permutation, or not the sample as a whole, has estimates.

    Notes
    -----
    Composites are weighted sums of the items as the model takes them: standardized over both groups together, or in
    their own unit with ``scaled=False``. A turned construct is the same one: c is the absolute correlation.
    Source: Henseler, Ringle & Sarstedt (2016), International Marketing Review 33(3), 405–431.
    """
    if not isinstance(result, Fitted):
        raise OptionError(f"A result of csat.pls(…, by=…) is needed; found {shown(result)}.")
    if type(result.layout) is not Layout:
        raise OptionError(
            "Invariance is tested for composites of items; this model has products of constructs, or constructs made "
            "of constructs. Test the model of the items behind them."
        )
    check_level(level)
    asked = Shuffles(permutations, seed)
    kept = estimated(result)
    units = exchange_of(result, source)
    pairs = list(combinations(range(len(kept)), 2))
    labels = [result.labels[group] for group in kept]
    names = [(labels[a], labels[b]) for a, b in pairs]
    parts = [units.among(list(pair)) for pair in pairs]
    tested = [_pair(result, part, asked, level, name) for part, name in zip(parts, names, strict=True)]
    figures = {name: np.stack([found[name] for found in tested]) for name in tested[0] if name != "used"}
    return Micom(
        constructs=result.blocks.constructs,
        pairs=tuple(names),
        configural=_configural(result),
        verdict=_verdicts(figures, level),
        level=level,
        permutations=permutations,
        used=np.array([found["used"] for found in tested]),
        sizes=np.array([min(result.layout.n[kept[a]], result.layout.n[kept[b]]) for a, b in pairs]),
        words=units.words,
        notes=notes_of(parts, names, permutations),
        **figures,
    )


def _configural(result: Fitted) -> str:
    """What all groups share because one model was estimated for all of them."""
    settings = result.layout.settings
    treated = "standardized within each group" if settings.scaled else "in their own unit"
    modes = ", ".join(f"{mode} {result.blocks.modes.count(mode)}" for mode in dict.fromkeys(result.blocks.modes))
    return (
        f"all groups have the same {len(result.blocks.observed)} items in the same {len(result.blocks.constructs)} "
        f"constructs, modes ({modes}), inner scheme ({settings.scheme}) and treatment of answers (complete answers, "
        f"{treated}). That the questions mean the same to all of them is for you to judge."
    )


def _pair(result: Fitted, units: Exchange, asked: Shuffles, level: float, labels: Sequence[str]) -> dict[str, Any]:
    """Steps 2 and 3 for two groups, 0 and 1 of `units`: (q,) figures."""
    layout = result.layout
    own = units.grams(units.label[None])
    pooled = layout.moments(own.sum(axis=1), units.midpoint)
    both = solve(pooled.cov, layout.blocks, layout.settings)
    if not usable(both).all():
        raise ConvergenceError(
            f"The model has no estimates for {labels[0]!r} and {labels[1]!r} together: their scores cannot be compared."
        )
    common = (both.weights / both.sd if layout.settings.scaled else both.weights)[0]
    within = pooled.corr[0] if layout.settings.scaled else pooled.cov[0]

    def figures(grams: np.ndarray) -> np.ndarray:
        items = layout.moments(grams, units.midpoint)
        solution = solve(items.cov, layout.blocks, layout.settings)
        weights = np.where(usable(solution)[..., None], solution.weights, np.nan)
        alike = same_scores(weights[:, 0], weights[:, 1], within, layout.blocks)
        mean, variance = _apart(items, common, layout.blocks)
        return np.stack([alike, mean, variance], axis=1)

    (c, mean, variance), null = figures(own)[0], units.permuted(figures, asked)
    used = int(np.isfinite(null[:, 0]).all(axis=1).sum())
    if units.arrangements > 1 and used < max(2, asked.size // 20):
        raise ConvergenceError(f"Only {used} of {asked.size} permutations have estimates: simplify the model.")
    ends = [(1 - level) / 2, (1 + level) / 2]
    q = len(c)
    bounds = [[quantile(null[:, at], np.full(q, end)) for end in ends] for at in (1, 2)]
    return {
        "c": c, "c_low": quantile(null[:, 0], np.full(q, 1 - level)), "c_p": tails(null[:, 0], c)[0],
        "mean": mean, "mean_low": bounds[0][0], "mean_high": bounds[0][1], "mean_p": two_sided(null[:, 1], mean),
        "variance": variance, "variance_low": bounds[1][0], "variance_high": bounds[1][1],
        "variance_p": two_sided(null[:, 2], variance), "used": used,
    }  # fmt: skip


def same_scores(one: np.ndarray, other: np.ndarray, cov: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(…, q) absolute correlations of the composites that two sets of weights (…, p) make of the same items.

    Parameters
    ----------
    cov : (p, p) covariances of the items as they are used.
    """
    same = cov * np.equal.outer(blocks.block, blocks.block)
    to_one, to_other = one @ same, other @ same
    across = blocks.summed(to_one * other)
    length = np.sqrt(blocks.summed(to_one * one) * blocks.summed(to_other * other))
    return np.asarray(np.minimum(np.abs(across) / length, 1.0))


def _apart(items: ItemMoments, weights: np.ndarray, blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    """(R, q) differences of means and of log variances of composites between groups 0 and 1 of (R, 2) samples."""
    mean = blocks.summed(items.mean * weights)
    same = items.cov * np.equal.outer(blocks.block, blocks.block)
    variance = blocks.summed((same @ weights) * weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(variance)
    return mean[:, 0] - mean[:, 1], logs[:, 0] - logs[:, 1]


def _verdicts(figures: dict[str, np.ndarray], level: float) -> tuple[tuple[str | None, ...], ...]:
    """(P, q) verdicts from the p-values of both steps."""
    chance = 1 - level
    alike = np.minimum(figures["mean_p"], figures["variance_p"]) > chance
    found = np.where(figures["c_p"] > chance, np.where(alike, "full", "partial"), "none").astype(object)
    known = np.isfinite(figures["c_p"] + figures["mean_p"] + figures["variance_p"])
    found[~known] = None
    return tuple(tuple(row) for row in found.tolist())

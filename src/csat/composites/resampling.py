"""Path models estimated anew on replicates of their sample, all groups and replicates in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from csat.composites.draws import SIGNS, Draws, directions, improper, turned, usable
from csat.composites.figures import Layout
from csat.composites.inference import INTERVALS
from csat.composites.solution import Solution, solve
from csat.errors import ConvergenceError, OptionError, check_choice
from csat.moments import Groups, Source, shown
from csat.replicates.intervals import QUANTILES
from csat.replicates.redone import MOST_UNITS, Redone, bootstrap, can_be_redone, declared, jackknife

#: Where standard errors come from.
ERRORS = ("bootstrap", "replicates", "jackknife")
#: Draws: a standard error then has a simulation error of 2 per cent. Fewest and most.
DEFAULT_DRAWS, FEWEST, MOST = 1000, 50, 100_000
#: Numbers in the covariance matrices of all replicates and groups at most; each array of that size takes 320 MB.
MOST_CELLS = 4 * 10**7


@dataclass(frozen=True, slots=True)
class Resampling:
    """What `pls` was asked: where standard errors come from, draws and their seed, signs, kind of interval."""

    se: str | None = None
    replicates: int = DEFAULT_DRAWS
    seed: int = 1
    sign: str = "construct"
    interval: str | None = None

    def __post_init__(self) -> None:
        if self.se is not None:
            check_choice("se", self.se, ERRORS)
        check_choice("sign", self.sign, SIGNS)
        check_whole("replicates", self.replicates, FEWEST, MOST)
        check_whole("seed", self.seed, 0, 2**63)
        if self.interval is not None:
            check_choice("interval", self.interval, INTERVALS)
            if self.interval in QUANTILES and self.se == "jackknife":
                raise OptionError(
                    f"interval={self.interval!r} needs draws of a bootstrap; a jackknife gives 't' or 'normal'."
                )


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """Refuse what is no whole number between `least` and `most`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        ends = f"{least} to {most}" if most < 2**63 else f"{least} or more"
        raise OptionError(f"{name} is a whole number, {ends}; found {shown(value)}.")


def draws_of(
    source: Source, summary: Groups, layout: Layout, sample: tuple[Solution, np.ndarray], asked: Resampling
) -> Draws | None:
    """Estimates on replicates; None where there is nothing to make them of and nobody insists.

    Parameters
    ----------
    summary : of the source. sample : the solution of its groups, and their figures (D, m).

    Raises
    ------
    OptionError, SampleError, DesignError
        If the source has no such replicates, or they would take too much memory.
    ConvergenceError
        If hardly any replicate has estimates.
    """
    if asked.se is None and summary.replication is None and not can_be_redone(source, summary):
        return None
    kind = asked.se or ("bootstrap" if summary.replication is None else "replicates")
    own, figures = sample
    if kind == "bootstrap":
        _check_memory(asked.replicates, summary, layout)
        made = bootstrap(source, summary, asked.replicates, asked.seed)
    else:
        made = declared(summary) if kind == "replicates" else jackknife(source, summary)
    found = refitted(made, summary, layout, own, asked.sign)
    if asked.interval != "bca" or not made.drawn:
        return found
    if summary.units.sum() > MOST_UNITS:
        raise OptionError(
            f"interval='bca' leaves each of the {int(summary.units.sum())} sampled units out in turn; at most "
            f"{MOST_UNITS} are. Use 'bias-corrected' or 'percentile': with so many units there is little skewness to "
            "correct."
        )
    left_out = jackknife(source, summary)
    apart = np.nan_to_num(refitted(left_out, summary, layout, own, asked.sign).figures - figures)
    return replace(found, moves=-apart * left_out.scaling.rscales[:, None, None])


def _check_memory(size: int, summary: Groups, layout: Layout) -> None:
    """Refuse more draws than memory holds."""
    items, groups = max(len(layout.blocks.items), len(layout.variables)), len(summary.domains)
    most = MOST_CELLS // (groups * items**2)
    if size > most:
        where = f"{items} items" + (f" in {groups} groups" if groups > 1 else "")
        raise OptionError(
            f"replicates={size}: with {where} at most {most} draws are made at once. Ask for fewer; 1,000 leave a "
            "standard error a simulation error of 2 per cent."
        )


def refitted(made: Redone, summary: Groups, layout: Layout, own: Solution, sign: str) -> Draws:
    """The model on every replicate of every group, in one batch; `own` : (D,) solution of the groups themselves."""
    blocks = layout.blocks
    items = layout.moments(made.grams, summary.midpoint)
    cov = np.where(usable(own)[:, None, None], items.cov, np.nan)
    solution = solve(cov, blocks, layout.settings)
    signs = directions(solution, own, blocks)
    if sign == "construct":
        solution = turned(solution, signs, blocks)
    figures, used = layout.values(items, solution), usable(solution)
    found = Draws(
        items, solution, np.where(used[..., None], figures, np.nan), used, improper(solution, blocks),
        np.asarray((signs < 0).any(axis=-1)), made.scaling, made.words, made.drawn,
    )  # fmt: skip
    _check_used(found, summary.by)
    return found


def _check_used(draws: Draws, by: Sequence[str]) -> None:
    """Refuse replicates of which fewer than one in twenty have estimates."""
    used, size = int(draws.used.sum(axis=0).max()), len(draws.used)
    if used < max(2, size // 20):
        raise ConvergenceError(
            f"Only {used} of {size} replicates ({draws.words}) have estimates{' in any group' if by else ''}: this "
            "model cannot be resampled on these data. Simplify it, or merge constructs that cannot be told apart."
        )

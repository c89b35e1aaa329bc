"""From targets to weights: the methods in a table, checks, and the rounds of trimming."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError, WeightingError
from csat.weighting.cells import Cells, compress, extremes
from csat.weighting.distances import Distance, exponential, linear, logit
from csat.weighting.result import Balance, Weights
from csat.weighting.solve import Solution, calibrate, farthest, level, rake
from csat.weighting.targets import Margin, Targets, read_targets
from csat.weighting.trim import Trim, beyond, trim_weights

#: Cutting and meeting the targets again, in turns.
ROUNDS = 500
RAKE_SWEEPS = 200
NEWTON_STEPS = 200
#: Methods whose factors are positive and not bounded in another way.
TRIMMED = ("rake", "poststratify", "exponential")


@dataclass(frozen=True, slots=True)
class Method:
    """A way to find the factors.

    distance : makes the distance from the bounds.
    proportional : fit the margins in proportion first, as it takes categories only.
    bounded : needs bounds of the factor. residual : weights of the regression behind its standard errors,
        "design" or "unweighted" (see `residual_scores`).
    """

    distance: Callable[[float, float], Distance]
    proportional: bool = False
    bounded: bool = False
    residual: str = "design"


METHODS: Mapping[str, Method] = {
    "rake": Method(exponential, proportional=True, residual="unweighted"),
    "poststratify": Method(exponential, proportional=True),
    "linear": Method(linear),
    "exponential": Method(exponential),
    "logit": Method(logit, bounded=True),
    "bounded": Method(linear, bounded=True),
}


def calibrate_weights(
    frame: pd.DataFrame,
    design_weight: np.ndarray | pd.Series | None,
    targets: Mapping[Any, Any] | pd.DataFrame | Targets,
    *,
    method: str = "rake",
    bounds: tuple[float, float] | None = None,
    trim: Trim | tuple[float, float] | None = None,
    total: float | None = None,
    tolerance: float = 1e-10,
) -> Weights:
    """Weights that make a sample match known figures of its population.

    Parameters
    ----------
    frame : n respondents with the columns that the targets name: categories (1, 1.0 and "1" are the same), or
        numbers.
    design_weight : (n,) finite and above 0; None: everybody counts once. The result is design weight × factor.
    targets : ``{column: {category: target}}``; a crossed margin is ``{(column, column): {(category, category):
        target}}``; a number is ``{column: total}``. Or a DataFrame with margin, category, target: see `read_targets`.
        Targets that add up to 1 are shares, others totals; for percentages pass `total`.
    method :
        "rake" — proportional fitting over margins of categories (raking), by Newton's method where that is slow;
        "poststratify" — one margin, perhaps crossed;
        "linear" — least change in the χ² sense, the regression estimator (GREG); takes numbers;
        "exponential" — raking ratio by Newton's method: "rake" that takes numbers too;
        "logit" — between bounds along a logistic curve; takes numbers;
        "bounded" — "linear" with the factor cut at bounds; takes numbers.
    bounds : smallest and largest factor for "logit" and "bounded", relative to the average factor (population by sum
        of design weights), lower < 1 < upper. With numbers only, the factor itself.
    trim : bounds of the final weights, (lower, upper) in multiples of the mean weight, or a `Trim`.
    total : size of the population; every margin is taken as a distribution and scaled to it.
    tolerance : largest relative miss of a target.

    Returns
    -------
    Weights

    Raises
    ------
    OptionError
        For an argument that the method does not take.
    SampleError
        For design weights that are not finite and above 0, or not one per respondent.
    UnknownColumnError
        If a column of the targets is not in `frame`.
    WeightingError
        For a category without respondents or without target, empty cells, margins that contradict each other, bounds
        that cannot hold, weights below 0, or no convergence. The message names margin and category.

    Notes
    -----
    Sources: Deming & Stephan (1940), Ann. Math. Stat. 11, 427–444; Deville & Särndal (1992), JASA 87, 376–382;
    Deville, Särndal & Sautory (1993), JASA 88, 1013–1020.

    Examples
    --------
    >>> sample = pd.DataFrame({"sex": ["f", "f", "f", "m"]})
    >>> calibrate_weights(sample, None, {"sex": {"f": 0.5, "m": 0.5}}).weights.round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    weight = _design_weight(design_weight, len(frame))
    plan = METHODS.get(method)
    if plan is None:
        raise OptionError.choose("method", method, METHODS)
    asked = read_targets(targets).scaled(float(weight.sum()), total)
    cutting = Trim(*trim) if isinstance(trim, tuple) else trim
    _check_options(method, plan, asked, bounds, cutting)
    cells, asked = compress(frame, weight, asked)
    if bounds is not None:
        _check_reach(cells, asked, bounds)

    def solve(cells: Cells) -> Solution:
        return _solution(cells, asked, method, bounds, tolerance)

    return _weights(cells, asked, weight, solve, cutting, method)


def _weights(
    cells: Cells, targets: Targets, weight: np.ndarray, solve: Callable[[Cells], Solution], trim: Trim | None,
    method: str,
) -> Weights:  # fmt: skip
    first = solve(cells)
    _check_positive(cells, targets, first.factor, method)
    low = high = first.factor
    found, last, rounds, cut = weight * first.factor[cells.row], first, 1, np.zeros(len(weight), bool)
    if trim is not None:
        found, last, rounds, cut = _trimmed(cells, targets, found, first, solve, trim, method)
        low, high = extremes(cells.row, found / weight, found / weight, len(cells.n))
    reached = cells.sums(targets, np.bincount(cells.row, found, minlength=len(cells.n)))
    return Weights(
        weights=found,
        factor=found / weight,
        method=method,
        converged=trim is None or trim.recalibrate or not cut.any(),
        iterations=last.iterations,
        rounds=rounds,
        trimmed=int(cut.sum()),
        balance=_balance(cells, targets, reached, low, high),
    )


def _solution(
    cells: Cells, targets: Targets, method: str, bounds: tuple[float, float] | None, tolerance: float
) -> Solution:
    plan = METHODS[method]
    fitted = rake(cells, targets, tolerance=tolerance, iterations=RAKE_SWEEPS) if plan.proportional else None
    if fitted is not None:
        return fitted
    distance = plan.distance(*(bounds or (-np.inf, np.inf)))
    return calibrate(cells, targets, distance, tolerance=tolerance, iterations=NEWTON_STEPS, method=method)


def _trimmed(
    cells: Cells, targets: Targets, weights: np.ndarray, solution: Solution, solve: Callable[[Cells], Solution],
    trim: Trim, method: str,
) -> tuple[np.ndarray, Solution, int, np.ndarray]:  # fmt: skip
    """Weights within bounds, the last solution, the rounds it took, and whose weight was cut."""
    lower, upper = trim.bounds(weights)
    cut = beyond(weights, lower, upper)
    if not trim.recalibrate:
        return trim_weights(weights, lower, upper, redistribute=trim.redistribute), solution, 1, cut
    for rounds in range(1, ROUNDS + 1):
        outside = beyond(weights, lower, upper)
        cut |= outside
        if not outside.any():
            return weights, solution, rounds, cut
        weights = np.clip(weights, lower, upper)
        solution = solve(cells.weighed(weights))
        weights = weights * solution.factor[cells.row]
    reached = cells.sums(targets, np.bincount(cells.row, np.clip(weights, lower, upper), minlength=len(cells.n)))
    _, at = farthest(reached, targets, np.abs(targets.goal))
    margin, category = targets.places[at]
    raise WeightingError.at(
        margin, category, f"with every weight between {lower:.6g} and {upper:.6g} the total stays at "
        f"{reached[at]:.10g} instead of {targets.goal[at]:.10g} ({ROUNDS} rounds of cutting and method={method!r})",
        "Widen the bounds of trim=, or merge the category with another.",
    )  # fmt: skip


def _balance(cells: Cells, targets: Targets, reached: np.ndarray, low: np.ndarray, high: np.ndarray) -> Balance:
    numbers = len(targets.numbers)
    counts = [np.bincount(code, cells.n).astype(int) for code in cells.codes]
    bases = [np.full(len(m.targets), cells.weight.sum()) for m in targets.margins]
    sizes = [np.full(len(m.targets), m.targets.sum()) for m in targets.margins]
    lowest, highest = cells.spread(low, high)
    margin, category = zip(*targets.places, strict=True)
    unknown = np.full(numbers, np.nan)
    return Balance(
        margin, category, np.concatenate([*counts, np.repeat(cells.n.sum(), numbers)]), targets.goal,
        cells.sums(targets, cells.weight), reached, np.concatenate([*bases, unknown]),
        np.concatenate([*sizes, unknown]), lowest, highest,
    )  # fmt: skip


def _design_weight(weight: np.ndarray | pd.Series | None, n: int) -> np.ndarray:
    if n == 0:
        raise SampleError.too_few("Weighting", 0, 1)
    if weight is None:
        return np.ones(n)
    out = np.asarray(weight, float)
    if out.shape != (n,):
        raise SampleError(f"One design weight per respondent is needed: {n} respondents, weights of shape {out.shape}.")
    bad = np.flatnonzero(~(np.isfinite(out) & (out > 0)))
    if bad.size:
        raise SampleError(
            f"{bad.size} design weights are not finite and above 0, the first at position {bad[0]}: {out[bad[0]]:g}. "
            "Leave these respondents out or correct their weights."
        )
    return out


def _check_options(
    method: str, plan: Method, targets: Targets, bounds: tuple[float, float] | None, trim: Trim | None
) -> None:
    if plan.proportional and targets.numbers:
        raise OptionError(
            f"method={method!r} takes categories only, but {targets.numbers[0].name!r} has a single total. Choose "
            "'linear', 'exponential', 'logit' or 'bounded'."
        )
    if method == "poststratify" and len(targets.margins) != 1:
        raise OptionError(
            f"method='poststratify' takes one margin; {len(targets.margins)} were given. Cross them, {{('sex', 'age'): "
            "{('f', '18-34'): total, …}}, or choose 'rake'."
        )
    if plan.bounded != (bounds is not None):
        wanted = [name for name, known in METHODS.items() if known.bounded]
        needs = "needs" if plan.bounded else "takes no"
        raise OptionError(f"method={method!r} {needs} bounds=(lower, upper); they belong to {' and '.join(wanted)}.")
    if bounds is not None and not bounds[0] < 1 < bounds[1] < np.inf:
        raise OptionError(f"bounds={bounds}: finite bounds around the average factor are needed, lower < 1 < upper.")
    if bounds is not None and bounds[0] < 0:
        raise OptionError(f"bounds={bounds}: the lower bound must not be below 0, or weights could be negative.")
    if trim is not None and method not in TRIMMED:
        raise OptionError(
            f"method={method!r} does not go with trim=; choose one of {', '.join(map(repr, TRIMMED))}. 'logit' and "
            "'bounded' bound the factors themselves."
        )


def _check_reach(cells: Cells, targets: Targets, bounds: tuple[float, float]) -> None:
    """Refuse bounds that a single margin shows to be impossible."""
    average = level(cells, targets)
    for margin, code in zip(targets.margins, cells.codes, strict=True):
        before = np.bincount(code, cells.weight) * average
        needed = margin.targets / before
        bad = (needed < bounds[0]) | (needed > bounds[1])
        if bad.any():
            _refuse(margin, int(np.flatnonzero(bad)[0]), before, needed, bounds)


def _refuse(margin: Margin, at: int, before: np.ndarray, needed: np.ndarray, bounds: tuple[float, float]) -> None:
    raise WeightingError.at(
        margin.name, margin.labels[at], f"the design weights give {before[at]:.6g}, the target is "
        f"{margin.targets[at]:.6g}: its factors must average {needed[at]:.4g}, outside bounds=({bounds[0]:g}, "
        f"{bounds[1]:g})",
        f"This margin alone needs bounds that include {needed.min():.4g} to {needed.max():.4g}.",
    )  # fmt: skip


def _check_positive(cells: Cells, targets: Targets, factor: np.ndarray, method: str) -> None:
    bad = np.flatnonzero(factor <= 0)
    if bad.size:
        at = int(bad[np.argmin(factor[bad])])
        margin = targets.margins[0] if targets.margins else targets.numbers[0]
        label = margin.labels[cells.codes[0][at]] if targets.margins else ""
        raise WeightingError.at(
            margin.name, label, f"method={method!r} makes {int(cells.n[bad].sum())} weights negative or 0, with "
            f"factors down to {factor[at]:.4g}",
            "Choose 'exponential' (always positive), or 'bounded' with bounds.",
        )  # fmt: skip

"""Trimming: weights beyond a bound are cut, and what was cut off is given to the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.errors import OptionError, WeightingError

REDISTRIBUTIONS = ("equal", "proportional")
#: A weight closer to a bound than this, relatively, lies on it: so rounding decides nobody's fate.
SLACK = 1e-7
EXACT = 1e-13
#: Passes over all weights under `strict`.
PASSES = 1000


@dataclass(frozen=True, slots=True)
class Trim:
    """How far weights may go.

    lower, upper : bounds of the final weights. unit : what they are multiples of, "mean" (the mean weight)
    or "weight" (1, so that they are weights). recalibrate : meet the targets again after cutting, in turns until
    both hold. False: cut once and share out what was cut off (`redistribute` as in `trim_weights`); the targets are
    then met only roughly, and the result says by how much.
    """

    lower: float = 0.0
    upper: float = np.inf
    unit: str = "mean"
    recalibrate: bool = True
    redistribute: str = "equal"

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper:
            raise OptionError(f"trim=({self.lower:g}, {self.upper:g}): the bounds must be 0 ≤ lower < upper.")
        if self.unit not in ("mean", "weight"):
            raise OptionError.choose("unit", self.unit, ("mean", "weight"))
        if self.unit == "mean" and not self.lower < 1 < self.upper:
            raise OptionError(
                f"trim=({self.lower:g}, {self.upper:g}) are multiples of the mean weight: lower must be below 1 and "
                "upper above 1. Bounds of the weights themselves: Trim(..., unit='weight')."
            )
        _known(self.redistribute)

    def bounds(self, weights: np.ndarray) -> tuple[float, float]:
        """Lower and upper bound as weights."""
        scale = float(weights.mean()) if self.unit == "mean" else 1.0
        return self.lower * scale, self.upper * scale


def trim_weights(
    weights: np.ndarray, lower: float, upper: float, *, redistribute: str = "equal", strict: bool = False
) -> np.ndarray:
    """Cut weights at two bounds and keep their sum.

    Parameters
    ----------
    weights : (n,) above 0.
    lower, upper : bounds of a weight, in the unit of the weights.
    redistribute : what was cut off goes to the others in "equal" amounts, or "proportional" to their weights.
    strict : repeat until no weight lies outside; otherwise a weight may end slightly above, or below, a bound
        by what it was given.

    Returns
    -------
    (n,) array

    Raises
    ------
    OptionError
        For bounds that are not in order.
    WeightingError
        If all weights lie outside, or `strict` is asked of bounds that do not enclose the mean weight.

    Notes
    -----
    As ``trimWeights`` of R's survey (equal amounts). Source: Potter (1990), Proceedings of the Section on Survey
    Research Methods, American Statistical Association, 225–230.
    """
    _known(redistribute)
    if not lower < upper:
        raise OptionError(f"lower={lower:g}, upper={upper:g}: lower must be below upper.")
    if strict and not lower <= weights.mean() <= upper:
        raise WeightingError(
            f"No weights between {lower:g} and {upper:g} can keep the sum: the mean weight is {weights.mean():g}. "
            "Choose bounds around it."
        )
    out = weights
    for _ in range(PASSES):
        outside = beyond(out, lower, upper, EXACT if strict else SLACK)
        if not outside.any():
            break
        out = _once(out, outside, lower, upper, redistribute)
        if not strict:
            break
    return np.clip(out, lower, upper) if strict else out


def beyond(weights: np.ndarray, lower: float, upper: float, slack: float = SLACK) -> np.ndarray:
    """(n,) which weights lie outside the bounds by more than `slack`, relatively."""
    return (weights < lower * (1 - slack)) | (weights > upper * (1 + slack))


def _once(weights: np.ndarray, outside: np.ndarray, lower: float, upper: float, redistribute: str) -> np.ndarray:
    if outside.all():
        raise WeightingError(
            f"All {len(weights)} weights lie outside {lower:g} to {upper:g}: nobody is left to carry what is cut off. "
            "Choose wider bounds."
        )
    out = np.clip(weights, lower, upper)
    share = np.ones(len(out)) if redistribute == "equal" else out
    left = weights.sum() - out.sum()
    out[~outside] += left * share[~outside] / share[~outside].sum()
    return out


def _known(redistribute: str) -> None:
    if redistribute not in REDISTRIBUTIONS:
        raise OptionError.choose("redistribute", redistribute, REDISTRIBUTIONS)

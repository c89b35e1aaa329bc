"""Moments of the items of a path model, of a sample or of its replicates, and how answers become 0–100."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from csat.composites.blocks import Blocks
from csat.errors import OptionError, closest
from csat.moments import shown
from csat.questionnaire import Questionnaire


@dataclass(frozen=True, eq=False)
class ItemMoments:
    """mean (…, p) and cov (…, p, p) of the columns of `Blocks`, weighted; divisor: the sum of weights.

    shift : (…, p) means around the midpoints that sums were taken around: what they make of rounding shows in cov.
    """

    mean: np.ndarray
    cov: np.ndarray
    shift: np.ndarray

    def of(self, at: int) -> ItemMoments:
        """Those of one sample."""
        return ItemMoments(self.mean[at], self.cov[at], self.shift[at])

    @property
    def corr(self) -> np.ndarray:
        """(…, p, p) correlations; NaN for a constant item."""
        sd = np.sqrt(np.diagonal(self.cov, axis1=-2, axis2=-1))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.cov / (sd[..., :, None] * sd[..., None, :]))


def item_moments(gram: np.ndarray, midpoint: np.ndarray, blocks: Blocks) -> ItemMoments:
    """Moments from Gram matrices (…, 1 + k, 1 + k) of the k observed variables around midpoints (k,)."""
    found, at = variable_moments(gram, midpoint), blocks.at
    return ItemMoments(found.mean[..., at], found.cov[..., at[:, None], at], found.shift[..., at])


def variable_moments(gram: np.ndarray, midpoint: np.ndarray) -> ItemMoments:
    """Moments of the k variables of Gram matrices (…, 1 + k, 1 + k) around midpoints (k,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = gram[..., 0, 0]
        first = gram[..., 0, 1:] / weight[..., None]
        cov = gram[..., 1:, 1:] / weight[..., None, None] - first[..., :, None] * first[..., None, :]
    return ItemMoments(midpoint + first, cov, first)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """score = offset + slope · answer on 0–100, of each column (p,); NaN where the scale of an item is not known."""

    offset: np.ndarray
    slope: np.ndarray


def points_of(blocks: Blocks, questionnaire: Questionnaire | None, limits: Any) -> Points:
    """How the answers to each item become 0–100.

    Parameters
    ----------
    questionnaire : its scales are used, unless `limits` are given.
    limits : lowest and highest possible answer of all items, or item → these two; None: as the questionnaire says.

    Raises
    ------
    OptionError
        If limits are no pairs of numbers, or name no item.
    """
    known = {name: _line(questionnaire, name) for name in blocks.observed}
    if isinstance(limits, Mapping):
        for name, pair in limits.items():
            if name not in known:
                raise OptionError(
                    f"limits names {shown(name)}, which is no item of the model. Did you mean "
                    f"{closest(str(name), known)}?"
                )
            known[name] = _between(pair)
    elif limits is not None:
        known = dict.fromkeys(blocks.observed, _between(limits))
    lines = np.array([known[name] for name in blocks.items])
    return Points(lines[:, 0], lines[:, 1])


def _line(questionnaire: Questionnaire | None, name: str) -> tuple[float, float]:
    if questionnaire is None or name not in questionnaire.codes:
        return np.nan, np.nan
    found = questionnaire.scale_of(name).affine
    return (np.nan, np.nan) if found is None else found


def _between(pair: Any) -> tuple[float, float]:
    """(offset, slope) of the line from 0 at the first end to 100 at the second, which may be the lower one."""
    ends = list(pair) if isinstance(pair, Iterable) and not isinstance(pair, str) else []
    numbers = [float(end) for end in ends if isinstance(end, Real) and not isinstance(end, bool | np.bool_)]
    low, high = numbers if len(numbers) == len(ends) == 2 else (np.nan, np.nan)
    if not np.isfinite([low, high]).all() or low == high:
        raise OptionError(
            "limits are the lowest and the highest possible answer, two different numbers, e.g. limits=(1, 10), or by "
            f'item {{"Q1": (1, 10)}}; found {shown(pair)}.'
        )
    return -100.0 * low / (high - low), 100.0 / (high - low)


def index_weights(weights: np.ndarray, sd: np.ndarray, points: Points, blocks: Blocks, *, scaled: bool) -> np.ndarray:
    """(…, p) weights of the items' 0–100 scores in the index of their construct; they sum to 1.

    Parameters
    ----------
    weights, sd : (…, p) as in `Solution`. scaled : whether the weights are those of standardized items.

    Notes
    -----
    Weights of the answers in their own unit, over points of 0–100 per unit, divided by their sum. The index is then
    Σ w·(mean − low) / Σ w·(high − low), as in the American index.
    Source: Fornell et al. (1996), Journal of Marketing 60(4), 7–18, appendix.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = (weights / sd if scaled else weights) / points.slope
        return np.asarray(raw / blocks.summed(raw)[..., blocks.block])


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Scores on q constructs: offset (D, q) plus answers to p `items` (one may stand twice) by slope (D, p, q)."""

    items: tuple[str, ...]
    constructs: tuple[str, ...]
    slope: np.ndarray
    offset: np.ndarray


def performance(mean: np.ndarray, weights: np.ndarray, points: Points, blocks: Blocks) -> np.ndarray:
    """(…, q) index of each construct on 0–100 from means (…, p) and `index_weights` (…, p)."""
    return blocks.summed(weights * (points.offset + points.slope * mean))

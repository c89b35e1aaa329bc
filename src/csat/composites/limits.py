"""Whether the scales that figures on 0–100 suppose can be those of the answers."""

from __future__ import annotations

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.items import ItemMoments, Points
from csat.errors import OptionError
from csat.moments import Source, TableSource

#: Share of the squared width of a scale that a variance may be off by rounding.
ROUNDING = 1e-9
#: Most items in one sentence.
_LISTED = 3


def check_scales(source: Source, blocks: Blocks, points: Points, items: ItemMoments) -> None:
    """Refuse scales that answers lie outside of, or whose means and variances no answers on them have.

    Parameters
    ----------
    source : its rows are read if it hands them out; a summary tells its means and variances alone.
    points : scales of the columns of `blocks`; NaN where they are not known. items : (D,) moments of the columns.

    Raises
    ------
    OptionError
        With the items, what was found and what their scales are.

    Notes
    -----
    Answers from a to b with the mean m have a variance of (b − m)(m − a) at most.
    Source: Bhatia & Davis (2000), American Mathematical Monthly 107(4), 353–357.
    """
    first = np.array([blocks.items.index(name) for name in blocks.observed])
    with np.errstate(invalid="ignore"):
        ends = np.sort([-points.offset / points.slope, (100.0 - points.offset) / points.slope], axis=0)[:, first]
    if isinstance(source, TableSource):
        found = _outside(source, blocks, ends)
    else:
        variance = np.diagonal(items.cov, axis1=-2, axis2=-1)
        found = _impossible(items.mean[:, first], variance[:, first], blocks, ends)
    if found:
        more = f" (and {len(found) - _LISTED} more items)" if len(found) > _LISTED else ""
        raise OptionError(
            f"Scales that cannot be those of the answers: {'; '.join(found[:_LISTED])}{more}. Give the lowest and the "
            'highest possible answer, limits=(1, 10) or by item {"Q1": (1, 10)}, or correct the scales of the '
            "questionnaire."
        )


def _outside(source: TableSource, blocks: Blocks, ends: np.ndarray) -> list[str]:
    """Items with answers outside of their scale, in words."""
    known = np.flatnonzero(np.isfinite(ends).all(axis=0))
    names = [blocks.observed[i] for i in known]
    frame = source.frame(names)
    low, high = frame.min().to_numpy(float), frame.max().to_numpy(float)
    slack = ROUNDING * (ends[1] - ends[0])[known]
    beyond = (low < ends[0, known] - slack) | (high > ends[1, known] + slack)
    return [
        f"{names[i]!r} is taken for a scale from {ends[0, known[i]]:g} to {ends[1, known[i]]:g}, its answers go from "
        f"{low[i]:g} to {high[i]:g}"
        for i in np.flatnonzero(beyond).tolist()
    ]


def _impossible(mean: np.ndarray, variance: np.ndarray, blocks: Blocks, ends: np.ndarray) -> list[str]:
    """Items whose mean or variance (D, p) in a group no answers on their scale have, in words."""
    low, high = ends
    middle = np.where(np.isfinite(mean), mean, (low + high) / 2)  # of all means it leaves the most room
    with np.errstate(invalid="ignore"):
        room = (high - middle) * (middle - low) + ROUNDING * (high - low) ** 2
        beyond = (middle < low) | (middle > high) | (variance > room)
    found = []
    for i in np.flatnonzero(beyond.any(axis=0)).tolist():
        d = int(np.argmax(beyond[:, i]))
        about = f"a mean of {mean[d, i]:.4g} and " if np.isfinite(mean[d, i]) else ""
        found.append(
            f"{blocks.observed[i]!r} is taken for a scale from {low[i]:g} to {high[i]:g}, its answers have {about}a "
            f"standard deviation of {np.sqrt(variance[d, i]):.4g}"
        )
    return found

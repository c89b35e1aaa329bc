"""What calibration does to standard errors: scores are replaced by their residuals.

A calibrated total Σ w·u varies only as far as u is not explained by the calibration variables x: its linearisation is
Σ w·e with e = u − xᵀB. So the variance of any statistic with scores u is that of the design for the residuals.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.weighting.cells import compress
from csat.weighting.targets import Targets

RESIDUALS = ("design", "unweighted")


def auxiliaries(frame: pd.DataFrame, targets: Targets) -> pd.DataFrame:
    """Calibration variables of n respondents, without the redundancy of margins that share their total.

    Returns
    -------
    (n, q) frame of float columns ``margin=category`` and the numbers
        All categories of the first margin, all but the first of each other margin. A constant is among their
        combinations whenever there is a margin of categories, so none is added.
    """
    cells, targets = compress(frame, np.ones(len(frame)), targets)
    x = cells.matrix(targets)
    names = [f"{margin}={label}" if label else margin for margin, label in targets.places]
    sizes = np.cumsum([0, *(len(margin.categories) for margin in targets.margins)])
    kept = np.setdiff1d(np.arange(len(names)), sizes[1:-1])
    return pd.DataFrame(x[cells.row][:, kept], columns=[names[i] for i in kept], index=frame.index)


def residual_scores(
    x: np.ndarray, design_weight: np.ndarray, factor: np.ndarray, scores: np.ndarray, *, regression: str = "design"
) -> np.ndarray:
    """Weighted residual scores w·(u − xᵀB) of each respondent.

    Parameters
    ----------
    x : (n, q) calibration variables of all respondents of the design, those outside a domain too; columns may be
        redundant.
    design_weight : (n,) weights d before calibration.
    factor : (n,) g; w = d·g.
    scores : (n, k) unweighted scores u of the statistics, 0 outside their domain: for a mean
        1_domain·(y − ȳ)/Σ_domain w, for a total y. If the weights were trimmed to v after calibration
        without meeting the targets again: the scores under v, times v/w.
    regression : the weights b in B = (Σ b·xxᵀ)⁻¹ Σ b·xuᵀ: "design" (b = d) or "unweighted" (b = 1).

    Returns
    -------
    (n, k) array
        Sum over the respondents of each unit; the design's variance formula for these sums is the variance.

    Notes
    -----
    "design" is the linearisation of Deville & Särndal (1992), and what R's survey does after ``calibrate``
    (regression weighted by d, `regcalibrate` and `svyrecvar`) and ``postStratify`` (cell means weighted by d). After
    ``rake``, R's survey 4.1-1 sweeps plain means of u over the margins ten times: its limit is the unweighted
    regression. Both forms are the same for equal design weights, and where x holds the full cross of the cells;
    otherwise "design" is the textbook form, and "unweighted" reproduces R.
    """
    if regression not in RESIDUALS:
        raise OptionError.choose("regression", regression, RESIDUALS)
    root = np.sqrt(design_weight) if regression == "design" else np.ones(len(design_weight))
    b = np.linalg.lstsq(x * root[:, None], scores * root[:, None], rcond=None)[0]
    return (scores - x @ b) * (design_weight * factor)[:, None]

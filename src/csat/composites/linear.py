"""Small symmetric systems, thousands at a time, that never stop at a singular one."""

from __future__ import annotations

import numpy as np

#: A pivot of a correlation matrix below this share is no variation left.
SINGULAR = 1e-12


def inverse(matrices: np.ndarray) -> np.ndarray:
    """Inverses of symmetric matrices (…, k, k) by Gauss–Jordan steps over all of them; NaN where singular.

    Pivots need no search, as correlation matrices are positive definite; those corrected for attenuation may be not
    quite so, and pass too. One step is a few operations on whole arrays, so that many small matrices take a fraction of
    the time of a routine that is called for each.
    """
    work = np.array(matrices, float)
    scale = np.diagonal(work, axis1=-2, axis2=-1).copy()
    for j in range(work.shape[-1]):
        pivot = work[..., j, j]
        pivot = np.where(np.abs(pivot) > SINGULAR * scale[..., j], pivot, np.nan)[..., None]
        row = work[..., j, :] / pivot
        column = work[..., :, j].copy()
        column[..., j] = 0.0
        work -= column[..., :, None] * row[..., None, :]
        work[..., :, j] = -column / pivot
        row[..., j] = 1.0 / pivot[..., 0]
        work[..., j, :] = row
    return work


def regressions(corr: np.ndarray, explained: tuple[tuple[int, np.ndarray], ...]) -> np.ndarray:
    """Standardized coefficients of each explained construct on what explains it.

    Parameters
    ----------
    corr : (…, q, q) correlations of constructs. explained : construct → its predictors.

    Returns
    -------
    (…, q, q) array
        Row: the explained construct; column: the explaining one; 0 without a path, NaN where predictors are collinear.
    """
    out = np.zeros(corr.shape)
    for j, by in explained:
        if len(by) == 1:
            out[..., j, by] = corr[..., j, by]
        else:
            among = inverse(corr[..., by[:, None], by])
            out[..., j, by] = (among @ corr[..., by, j, None])[..., 0]
    return out

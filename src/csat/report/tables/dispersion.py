"""On which items customers agree, and on which they are divided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from csat.comparisons.result import adjusted
from csat.distributions import two_sided_p
from csat.report.names import Names

if TYPE_CHECKING:
    from csat.indices import Index

#: Verdicts on the dispersion of an item.
DIVIDED, AGREED = "divided", "agreed"


def dispersion(index: Index, rows: Sequence[int], names: Names) -> np.ndarray:
    """Judge on which items customers agree or are divided more than on the others.

    An item's measure is its standard deviation over that of answers spread evenly over its scale, so that scales of
    different length compare. Its logarithm is compared with the mean of all items; the standard error of the logarithm
    of a standard deviation is 1/√(2·(n − 1)) for normal answers, taken with the effective base; p values are corrected
    for the number of items (Holm).

    Parameters
    ----------
    rows : positions of the items in the index.

    Returns
    -------
    (len(rows),) array of str
        "divided", "agreed" or "".
    """
    at = np.asarray(rows, int)
    sizes = np.fmin(index.estimates.n[at].astype(float), index.estimates.n_eff[at])
    with np.errstate(divide="ignore", invalid="ignore"):
        measure = np.log(index.sd[at] / _even(index, at, names))
        variance = 1 / (2 * (sizes - 1))
    usable = np.isfinite(measure) & np.isfinite(variance) & (sizes > 2)
    verdict = np.full(len(at), "", object)
    count = int(usable.sum())
    if count < 3:
        return verdict
    far = measure[usable] - measure[usable].mean()
    own = variance[usable]
    spread = own * (1 - 2 / count) + own.sum() / count**2
    p = adjusted(two_sided_p(far / np.sqrt(spread), np.inf), "holm")
    alpha = 1 - index.estimates.level
    verdict[usable] = np.select([(p < alpha) & (far > 0), (p < alpha) & (far < 0)], [DIVIDED, AGREED], "")
    return verdict


def _even(index: Index, at: np.ndarray, names: Names) -> np.ndarray:
    """Standard deviation of scores if every answer of the scale were as frequent; 1 where the scale is not known."""
    asked, found = names.questionnaire, []
    for row in at.tolist():
        code = index.estimates.term[row]
        levels = () if asked is None or code not in asked.codes else asked.scale_of(code).levels
        found.append(float(np.std(asked.scale_of(code).score(np.array(levels, float)))) if levels and asked else 1.0)
    return np.array(found)

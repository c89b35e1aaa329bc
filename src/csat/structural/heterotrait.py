"""Whether constructs are told apart: correlations across their indicators against those within."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from csat.consistency import correlations, heterotrait_ratio
from csat.structural.engine.structure import Structure


def heterotrait_ratios(structure: Structure, cov: np.ndarray) -> dict[tuple[str, str], float]:
    """HTMT of every pair of constructs with two or more indicators of their own.

    The mean correlation (in absolute value) between the indicators of two constructs, over the geometric mean of the
    mean correlations within each.

    Parameters
    ----------
    structure : says which observed variables measure (``=~``) which construct; those that measure both count for none.
    cov : (p, p) covariances or correlations of the observed variables.

    References
    ----------
    Henseler, Ringle & Sarstedt (2015), Journal of the Academy of Marketing Science 43(1), 115–135, equation 6.
    """
    corr = correlations(cov)
    place = {name: at for at, name in enumerate(structure.observed)}
    measured = {
        name: [place[row.rhs] for row in structure.rows if row.op == "=~" and row.lhs == name and row.rhs in place]
        for name in structure.latents
    }
    ratios = {}
    for one, other in combinations(measured, 2):
        shared = set(measured[one]) & set(measured[other])
        a, b = ([at for at in measured[name] if at not in shared] for name in (one, other))
        if min(len(a), len(b)) > 1:
            ratios[one, other] = float(heterotrait_ratio(corr, a, b))
    return ratios

"""Residual form of standard errors: what calibration already knows about a figure does not vary.

Calibrated weights reproduce the totals of the auxiliaries exactly, so only the part of a score that the auxiliaries do
not explain varies from sample to sample: u − xᵀB. Source: Deville & Särndal (1992), J. Am. Stat. Assoc. 87, 376–382.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from csat.moments import Groups, Residuals
from csat.moments.variables import basis


def residual_sums(
    groups: Groups, residuals: Residuals, jacobian: np.ndarray
) -> tuple[Groups, np.ndarray, np.ndarray | None]:
    """Score sums of functions of totals after calibration, ready for the variance of the design.

    Parameters
    ----------
    groups : under "available". residuals : its sums over all rows.
    jacobian : (D, t, p) derivatives of t figures with respect to the totals Σ w·z of each domain.

    Returns
    -------
    cells : the wide groups as one domain; sums : (C, t); squares : (C, t, t), or None with declared units.
        B = (Σ b·xxᵀ)⁻¹ Σ b·x·uᵀ over all rows, with the weights b of the regression; a row outside the domains of a
        figure has u = 0, but its −xᵀB counts.
    """
    wide, base, q = residuals.weighted, residuals.base, residuals.auxiliaries
    k = len(groups.names)
    own, x = basis(np.arange(k), k + q, "available"), 1 + 2 * k + q + np.arange(q)
    place = {domain: i for i, domain in enumerate(groups.domains)}
    of_domain = np.concatenate([jacobian, np.zeros((1, *jacobian.shape[1:]))])
    scores = of_domain[[place.get(domain, len(place)) for domain in wide.domains]]
    products = base.over_domains(base.gram)
    by_base = of_domain[[place.get(domain, len(place)) for domain in base.domains]]
    crossed = np.einsum("dxz,dtz->xt", products[:, x][:, :, own], by_base)
    slopes = coefficients(products[:, x][:, :, x].sum(axis=0), crossed)
    linear = np.zeros((*scores.shape[:2], wide.gram.shape[1]))
    linear[:, :, own] = scores
    linear[:, :, x] -= slopes.T
    of_cell = linear[wide.domain]
    sums = np.einsum("ctp,cp->ct", of_cell, wide.gram[:, 0])
    squares = None if wide.square is None else of_cell @ wide.square @ of_cell.transpose(0, 2, 1)
    return replace(wide, by=(), domains=((),), domain=np.zeros_like(wide.domain)), sums, squares


def coefficients(xx: np.ndarray, xu: np.ndarray) -> np.ndarray:
    """B = (Σ b·xxᵀ)⁻¹ Σ b·xuᵀ from sums over the whole sample.

    Parameters
    ----------
    xx : (q, q) over all respondents of the design. xu : (..., q, k) scores of each domain, 0 outside it.

    Returns
    -------
    (..., q, k) array
        A minimum-norm solution where columns of x are redundant.
    """
    unit = np.sqrt(np.diag(xx))
    unit = np.where(unit > 0, unit, 1.0)
    inverse = np.linalg.pinv(xx / np.outer(unit, unit), rcond=1e-12, hermitian=True) / np.outer(unit, unit)
    return inverse @ xu

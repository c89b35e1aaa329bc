"""Covariance of smooth functions of totals and of Gram matrices: scores, residuals, replicates, gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, Quadratic, RowScores, RowSource, Source, check_size
from csat.replicates import Statistic, joint_covariance, score_covariance
from csat.residuals import residual_sums
from csat.results import without_rounding
from csat.variance.gradients import Gradients
from csat.variance.sampling import rounding_base, stratified

#: Scores of the rows of each domain.
Scores = Mapping[tuple[str, ...], RowScores]


def totals_covariance(groups: Groups, scores: np.ndarray, statistic: Statistic | None = None) -> np.ndarray:
    """Covariance of smooth functions of the totals Σ w·z (means, ratios, totals themselves).

    Parameters
    ----------
    groups : of any sample rule.
    scores : (D, q, p) gradients of the q figures by the totals of each domain.
    statistic : maps (…, D, p) totals to (…, D, q) figures, for replicate weights, which compute each figure anew.
        None: the figures are linear in the totals.

    Returns
    -------
    (D, q, D, q) array

    Raises
    ------
    SampleError
        If respondents are the units but the source has no rows.
    """
    check_size(groups.by, groups.domains, scores.shape[1])
    if groups.replication is None and groups.residuals is None:
        vcov = _linear(groups, Gradients(scores, groups.domain))
        if groups.second is not None:
            vcov = vcov + _linear(groups.second, Gradients(scores, groups.second.domain))
        return _by_domains(vcov, groups)
    if groups.replication is not None:
        vcov = joint_covariance(groups, statistic or along_totals(scores), grams=False)
    else:
        vcov = _after_calibration(groups, _side_by_side(scores))
    size, share = rounding_base(groups, Gradients(scores, groups.domain))
    return _by_domains(without_rounding(vcov, size.ravel(), share), groups)


def joint_totals_covariance(groups: Groups, jacobian: np.ndarray, statistic: Statistic) -> np.ndarray:
    """Covariance of q functions of the totals Σ w·z of all domains together; groups may overlap in them.

    Parameters
    ----------
    groups : the cells and their design.
    jacobian : (D, q, p) derivatives with respect to the totals of each domain.
    statistic : maps (…, D, p) totals to (…, q) figures, for designs with replicate weights.

    Returns
    -------
    (q, q) array
    """
    check_size((), ((),), jacobian.shape[1])
    gradients = Gradients(jacobian, groups.domain)
    if groups.replication is None and groups.residuals is None:
        vcov = _linear(_as_one(groups), gradients)
        if groups.second is not None:
            vcov = vcov + _linear(_as_one(groups.second), Gradients(jacobian, groups.second.domain))
        return vcov
    if groups.replication is not None:
        vcov = joint_covariance(groups, statistic, grams=False)
    else:
        vcov = _after_calibration(groups, jacobian)
    size, share = rounding_base(_as_one(groups), gradients)
    return without_rounding(vcov, size.ravel(), share)


def _as_one(groups: Groups) -> Groups:
    """The same cells as one domain."""
    return replace(groups, by=(), domains=((),), domain=np.zeros_like(groups.domain))


def _linear(groups: Groups, gradients: Gradients) -> np.ndarray:
    """(D·q, D·q) covariance of the sums of scores of one stage."""
    sums = gradients.times(groups.gram[:, 0, :])
    squares = None if groups.square is None else gradients.products(groups.square)
    size, share = rounding_base(groups, gradients)
    return without_rounding(_flat(stratified(groups, sums, squares)), size.ravel(), share)


def _flat(vcov: np.ndarray) -> np.ndarray:
    """(D, q, D, q) as (D·q, D·q)."""
    size = vcov.shape[0] * vcov.shape[1]
    return vcov.reshape(size, size)


def _after_calibration(groups: Groups, jacobian: np.ndarray) -> np.ndarray:
    if groups.residuals is None:
        raise SampleError.needs_rows("The residual form of a standard error")
    return stratified(*residual_sums(groups, groups.residuals, jacobian))[0, :, 0, :]


def _side_by_side(scores: np.ndarray) -> np.ndarray:
    """(D, D·q, p) Jacobian of figures that each depend on their own domain, from (D, q, p)."""
    size, q, p = scores.shape
    out = np.zeros((size, size, q, p))
    out[np.arange(size), np.arange(size)] = scores
    return out.reshape(size, size * q, p)


def _by_domains(vcov: np.ndarray, groups: Groups) -> np.ndarray:
    """(D·q, D·q) as (D, q, D, q)."""
    size = len(groups.domains)
    q = len(vcov) // max(size, 1)
    return vcov.reshape(size, q, size, q)


def along_totals(scores: np.ndarray) -> Statistic:
    """The figures whose gradients by the totals are `scores` (D, q, p), as linear functions of (…, D, p) totals."""
    return lambda totals: np.einsum("dqp,...dp->...dq", scores, totals)


def _along_grams(scores: np.ndarray) -> Statistic:
    return lambda grams: np.einsum("dqij,...dij->...dq", scores, grams)


def linearised(source: Source, groups: Groups, scores: np.ndarray, statistic: Statistic | None = None) -> np.ndarray:
    """Covariance of any smooth function of moments, from its gradient.

    The influence of one respondent on a function θ of the Gram matrix is a quadratic form in the
    respondent's row: s_q = zᵀ·D_q·z with D_q = ∂θ_q/∂gram. Sums over units follow from the Gram
    matrices themselves; without declared units a second pass over the rows sums the products of scores.

    Parameters
    ----------
    source : where `groups` came from; asked for the second pass if respondents are the units.
    groups : listwise; or under "available", with rows z = [1, m, m·y].
    scores : (D, q, p, p) symmetric gradients per domain, in the coordinates of `groups` (around its midpoints).
    statistic : maps (…, D, p, p) Gram matrices to (…, D, q) figures, for replicate weights, which compute each
        figure anew. None: they take its first-order change, from the gradients.

    Returns
    -------
    (D, q, D, q) array

    Raises
    ------
    SampleError
        If a second pass is needed but the source has no rows.
    """
    if groups.replication is not None:
        return _by_domains(joint_covariance(groups, statistic or _along_grams(scores), grams=True), groups)
    sums = np.einsum("cqij,cij->cq", scores[groups.domain], groups.gram)
    squares = None if groups.psus else _second_pass(source, groups, quadratic(groups, scores)).score_squares
    vcov = stratified(groups, sums, squares)
    if groups.second is None:
        return vcov
    within = groups.second
    if not within.psus:
        within = _second_pass(source, groups, quadratic(groups, scores)).second or within
    return vcov + stratified(
        within, np.einsum("cqij,cij->cq", scores[within.domain], within.gram), within.score_squares
    )


def linearised_scores(source: Source, groups: Groups, scores: Scores, statistic: Statistic | None = None) -> np.ndarray:
    """Covariance of figures whose influence is any function of a row, by another pass over the rows.

    Parameters
    ----------
    source : with rows, where `groups` came from.
    groups : says which variables, groups, sample rule and design.
    scores : domain → q scores of a row. Without replicate weights they are the influences on the q figures.
    statistic : maps replicates (R, D, q) of the sums Σ w·s to (R, D, m) figures; used with replicate weights only.
        None: the sums themselves, that is the first-order change of the figures.

    Returns
    -------
    (D, q, D, q) array
        (D, m, D, m) with a `statistic`.

    Raises
    ------
    SampleError
        If the source has no rows.
    """
    again = _second_pass(source, groups, scores)
    if groups.replication is not None:
        return _by_domains(score_covariance(again, statistic), groups)
    vcov = stratified(again, np.asarray(again.score_sums), again.score_squares)
    if again.second is None:
        return vcov
    return vcov + stratified(again.second, np.asarray(again.second.score_sums), again.second.score_squares)


def score_sums(source: Source, groups: Groups, scores: Scores) -> np.ndarray:
    """(D, q) sums Σ w·s over the rows of each domain."""
    return groups.over_domains(np.asarray(_second_pass(source, groups, scores).score_sums))


def row_squares(source: Source, groups: Groups, scores: Scores) -> np.ndarray:
    """(D, q, q) sums of w²·ssᵀ over the rows of each domain, the middle of an HC covariance."""
    return groups.over_domains(np.asarray(_second_pass(source, groups, scores).score_squares))


def quadratic(groups: Groups, matrices: np.ndarray) -> dict[tuple[str, ...], RowScores]:
    """Scores by domain from symmetric matrices (D, q, p, p)."""
    return {domain: Quadratic(each) for domain, each in zip(groups.domains, matrices, strict=True)}


def _second_pass(source: Source, groups: Groups, scores: Scores) -> Groups:
    if groups.published or not isinstance(source, RowSource):
        raise SampleError.needs_rows("A standard error of this kind (se='classical' needs none)")
    again = source.score_groups(groups.variables, groups.by, scores, groups.rule)
    if again.score_squares is None or len(again.score_squares) != len(groups.gram):
        raise SampleError("The rows changed between two passes over them: read the survey again.")
    return again


def gradient(statistic: Callable[[np.ndarray], np.ndarray], gram: np.ndarray) -> np.ndarray:
    """Exact derivatives of a statistic of a symmetric matrix, by complex steps.

    Parameters
    ----------
    statistic : maps (B, p, p) complex arrays to (B, q); built of analytic operations only (no abs, no
        conjugate, no comparison on values).
    gram : (p, p) where to differentiate.

    Returns
    -------
    (q, p, p) array
        Symmetric D with dθ_q = Σ_ij D_q[i, j]·dgram[i, j]. Source: Squire & Trapp (1998), SIAM Review 40, 110–112.
    """
    p = len(gram)
    rows, columns = np.triu_indices(p)
    scale = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    step = 1e-20 * scale[rows] * scale[columns]
    moved = np.repeat(gram[None].astype(complex), len(rows), axis=0)
    at = np.arange(len(rows))
    moved[at, rows, columns] += 1j * step
    moved[at, columns, rows] += 1j * np.where(rows == columns, 0.0, step)
    slopes = (statistic(moved).imag / step[:, None]).T
    out = np.zeros((len(slopes), p, p))
    out[:, rows, columns] = out[:, columns, rows] = slopes / np.where(rows == columns, 1.0, 2.0)
    return out

"""How sure a figure is: from `Groups` and any smooth statistic to its design-based covariance.

Taylor linearisation unless the design declares replicate weights: a figure is written as a sum of scores over
respondents, and the covariance of that sum follows from the design (strata, units drawn within them, finite
population correction). Replicate weights compute the figure anew with each of them.
References: Binder (1983), Int. Stat. Review 51, 279–292; Lumley (2010), Complex Surveys, ch. 2.
The numerics return plain arrays; `by_domain` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.errors import DesignError, SampleError
from csat.moments import Groups, RowSource, Source, first_moments
from csat.replicates import Statistic, joint_covariance
from csat.results import Estimates, Provenance, Unavailable


@dataclass(frozen=True, slots=True)
class Means:
    """Means of k variables in D domains, jointly.

    mean : (D, k); NaN where nobody answered.
    vcov : (D, k, D, k) covariance of all means; zero where nobody answered.
    spread : (D, k, k) covariance of single answers, by pairs who answered both (for design effects).
    n : (D, k) answers. df : of the design.
    """

    mean: np.ndarray
    vcov: np.ndarray
    spread: np.ndarray
    n: np.ndarray
    df: float


@dataclass(frozen=True, slots=True)
class Combined:
    """Linear combinations of means: q per domain, flattened domain by domain.

    estimate : (D·q,). vcov : (D·q, D·q). n, n_eff : (D·q,). df : of the design.
    """

    estimate: np.ndarray
    vcov: np.ndarray
    n: np.ndarray
    n_eff: np.ndarray
    df: float


def stratified(groups: Groups, sums: np.ndarray, squares: np.ndarray | None) -> np.ndarray:
    """Covariance of sums of scores over a stratified sample of units, first stage.

    Parameters
    ----------
    groups : the cells and the design around them.
    sums : (C, q) weighted score sums of each cell.
    squares : (C, q, q) weighted products of single respondents' scores; needed if they are the units.

    Returns
    -------
    (D, q, D, q) array
        Σ_h n_h/(n_h−1)·(1−n_h/N_h)·Σ_i (u_hi − ū_h)(u_hi − ū_h)ᵀ over the units of each stratum, units
        without a respondent in a domain counting as zeros.

    Raises
    ------
    DesignError
        For a stratum with a single unit (unless it is its whole population), or more units than the population has.
    """
    if groups.replication is not None:
        raise DesignError(
            "This standard error comes from strata and units, but the design declares replicate weights. "
            "Read the survey with a Design without replication."
        )
    scale, centred_part = _scale(groups)
    size, q = len(groups.domains), sums.shape[1]
    if groups.psus:
        by_unit = np.zeros((len(groups.psus), size, q))
        np.add.at(by_unit, (groups.psu, groups.domain), sums)
        flat = by_unit.reshape(len(groups.psus), size * q)
        place = {label: i for i, label in enumerate(groups.strata)}
        stratum = np.array([place[label] for label, _ in groups.psus], int)
        total = np.zeros((len(groups.strata), size * q))
        np.add.at(total, stratum, flat)
        middle = total * (centred_part / np.maximum(groups.units, 1))[:, None]
        centred = (flat - middle[stratum]) * np.sqrt(scale)[stratum, None]
        return (centred.T @ centred).reshape(size, q, size, q)
    if squares is None:
        raise SampleError.needs_rows("A design-based standard error without declared sampling units")
    by_stratum = np.zeros((len(groups.strata), size, q))
    np.add.at(by_stratum, (groups.stratum, groups.domain), sums)
    flat = by_stratum.reshape(len(groups.strata), size * q) * np.sqrt(scale * centred_part / groups.units)[:, None]
    out = -(flat.T @ flat).reshape(size, q, size, q)
    blocks = np.zeros((size, q, q))
    np.add.at(blocks, groups.domain, squares * scale[groups.stratum][:, None, None])
    diagonal = np.arange(size)
    out[diagonal, :, diagonal, :] += blocks
    return out


def _scale(groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """n/(n−1)·(1−n/N) of each stratum, and 1 where scores are taken around the stratum's mean, 0 around zero.

    A lone unit has no mean to differ from. By rule it adds nothing ("certainty"), its square ("adjust"), or what the
    other strata add on average ("average"), as `survey.lonely.psu` of Lumley's R package survey.
    """
    units, population = groups.units, groups.population
    short = np.flatnonzero(units > population)
    if short.size:
        at = int(short[0])
        raise DesignError.population_too_small(groups.strata[at], int(units[at]), float(population[at]))
    lone = (units < 2) & (units < population)
    rest = 1 - units / population
    scale = np.where(units > 1, units / np.maximum(units - 1, 1), 0.0) * rest
    if lone.any() and (groups.lone_psu == "fail" or (groups.lone_psu == "average" and lone.all())):
        raise DesignError.lone_psu([groups.strata[i] for i in np.flatnonzero(lone)])
    if groups.lone_psu == "adjust":
        scale = np.where(lone, rest, scale)
    elif groups.lone_psu == "average":
        scale = scale * len(units) / max((~lone).sum(), 1)
    return scale, np.where(lone, 0.0, 1.0)


def method_of(groups: Groups) -> str:
    """Name how variances are made from `groups`, for `Provenance.variance`."""
    replication = groups.replication
    if replication is not None:
        return f"replicates: {replication.kind}" + (f", ρ = {replication.rho:g}" if replication.rho is not None else "")
    return "linearisation" + (f", lone units: {groups.lone_psu}" if groups.lone_psu != "fail" else "")


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
    if groups.replication is not None:
        return _by_domains(joint_covariance(groups, statistic or _along_totals(scores), grams=False), groups)
    of_cell = scores[groups.domain]
    sums = np.einsum("cqp,cp->cq", of_cell, groups.gram[:, 0, :])
    squares = None if groups.square is None else of_cell @ groups.square @ of_cell.transpose(0, 2, 1)
    return stratified(groups, sums, squares)


def _by_domains(vcov: np.ndarray, groups: Groups) -> np.ndarray:
    """(D·q, D·q) as (D, q, D, q)."""
    size = len(groups.domains)
    q = len(vcov) // max(size, 1)
    return vcov.reshape(size, q, size, q)


def _along_totals(scores: np.ndarray) -> Statistic:
    return lambda totals: np.einsum("dqp,...dp->...dq", scores, totals)


def _along_grams(scores: np.ndarray) -> Statistic:
    return lambda grams: np.einsum("dqij,...dij->...dq", scores, grams)


def means(groups: Groups) -> Means:
    """Means of every variable in every domain, with their joint covariance.

    A mean is a ratio of totals; its score is w·m·(x − x̄)/Σw·m. Domains and variables answered by
    different people keep their exact joint covariance.
    """
    k = len(groups.names)
    gram = groups.over_domains(groups.gram)
    answered, total = first_moments(gram, k, groups.rule)
    positive = answered > 0
    base = np.where(positive, answered, 1.0)
    centred = total / base
    linear = mean_scores(centred, positive / base, groups.rule)

    def again(totals: np.ndarray) -> np.ndarray:
        # Like the rows of totals, so that `first_moments` finds them; nobody answered: zero, as `positive` says.
        weights, sums = first_moments(totals[..., None, :], k, groups.rule)
        return np.where(positive, sums / weights, 0.0)

    return Means(
        mean=np.where(positive, groups.midpoint + centred, np.nan),
        vcov=totals_covariance(groups, linear, again),
        spread=pairwise_spread(gram, centred, groups.rule),
        n=groups.over_domains(groups.counts),
        df=groups.df,
    )


def mean_scores(centred: np.ndarray, share: np.ndarray, rule: str) -> np.ndarray:
    """(D, k, p) matrices that turn a Gram row Σ w·z into score sums of the k means."""
    size, k = centred.shape
    diagonal = np.arange(k)
    if rule == "listwise":
        out = np.zeros((size, k, 1 + k))
        out[:, :, 0] = -centred * share
        out[:, diagonal, 1 + diagonal] = share
        return out
    out = np.zeros((size, k, 1 + 2 * k))
    out[:, diagonal, 1 + diagonal] = -centred * share
    out[:, diagonal, 1 + k + diagonal] = share
    return out


def pairwise_spread(gram: np.ndarray, centred: np.ndarray, rule: str) -> np.ndarray:
    """(D, k, k) weighted covariance of answers around the domain means, over those who answered both."""
    k = centred.shape[1]
    outer = centred[:, :, None] * centred[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        if rule == "listwise":
            return gram[:, 1:, 1:] / gram[:, :1, :1] - outer
        both = gram[:, 1 : 1 + k, 1 : 1 + k]
        cross = gram[:, 1 + k :, 1 : 1 + k]
        one_way = cross * centred[:, None, :]
        return (gram[:, 1 + k :, 1 + k :] - one_way - one_way.transpose(0, 2, 1)) / both + outer


def combine(means: Means, matrix: np.ndarray, offset: np.ndarray | float = 0.0) -> Combined:
    """Linear combinations of the means of each domain: estimate = matrix @ mean + offset.

    Parameters
    ----------
    means : of k variables in D domains.
    matrix : (q, k). A zero weight leaves a variable out, so that one without answers does no harm.
    offset : (q,) constant.

    Returns
    -------
    Combined
        Domain by domain. The base `n` is the smallest number of answers among the variables used. A figure
        with fewer than two answers, or one that a replicate does not define, has NaN variance. `n_eff` is the
        simple random sample (drawn with replacement, complete answers) that would give the same standard error:
        n divided by the design effect.
    """
    size, q = len(means.mean), len(matrix)
    used = matrix != 0
    n = np.where(used[None], means.n[:, None, :], np.iinfo(int).max).min(axis=2)
    known = np.where(np.isfinite(means.mean), means.mean, 0.0)
    estimate = np.where(n > 0, known @ matrix.T + offset, np.nan)
    k = used.shape[1]
    certain = np.isfinite(np.diag(means.vcov.reshape(size * k, size * k))).reshape(size, 1, k)
    half = np.einsum("qk,dkel->dqel", matrix, np.where(np.isfinite(means.vcov), means.vcov, 0.0))
    vcov = np.einsum("rl,dqel->dqer", matrix, half).reshape(size * q, size * q)
    unknown = ((n < 2) | (used & ~certain).any(axis=2)).ravel()
    vcov[unknown, :] = vcov[:, unknown] = np.nan
    pairs = np.where(np.einsum("qk,ql->qkl", used, used)[None], means.spread[:, None], 0.0)
    spread = np.einsum("qk,dqkl,ql->dq", matrix, pairs, matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        n_eff = spread * n / (n - 1) / np.diag(vcov).reshape(size, q)
    n_eff[~(np.diag(vcov).reshape(size, q) > 0)] = np.nan
    return Combined(estimate.ravel(), vcov, n.ravel(), n_eff.ravel(), means.df)


def by_domain(
    combined: Combined,
    groups: Groups,
    terms: Sequence[str],
    unit: str,
    level: float,
    keys: Mapping[str, tuple[Any, ...]] | None = None,
    null: float | None = None,
) -> Estimates:
    """Name the figures of each domain: the terms repeat for every group, whose labels become key columns."""
    size = len(terms)
    labels = {name: tuple(d[i] for d in groups.domains for _ in range(size)) for i, name in enumerate(groups.by)}
    missing = {
        int(i): Unavailable("no_answers" if combined.n[i] == 0 else "one_answer")
        for i in np.flatnonzero(combined.n < 2)
    }
    return Estimates(
        term=tuple(terms) * len(groups.domains),
        estimate=combined.estimate,
        vcov=combined.vcov,
        df=combined.df,
        n=combined.n,
        n_eff=combined.n_eff,
        unit=unit,
        provenance=Provenance(groups.rule, method_of(groups)),
        level=level,
        null=null,
        keys=labels | dict(keys or {}),
        unavailable=missing,
    )


def linearised(source: Source, groups: Groups, scores: np.ndarray, statistic: Statistic | None = None) -> np.ndarray:
    """Covariance of any smooth function of listwise moments, from its gradient.

    The influence of one respondent on a function θ of the Gram matrix is a quadratic form in the
    respondent's row: s_q = zᵀ·D_q·z with D_q = ∂θ_q/∂gram. Sums over units follow from the Gram
    matrices themselves; without declared units a second pass over the rows sums the products of scores.

    Parameters
    ----------
    source : where `groups` came from; asked for the second pass if respondents are the units.
    groups : listwise.
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
    squares = None if groups.psus else _second_pass(source, groups, scores)
    return stratified(groups, sums, squares)


def row_squares(source: Source, groups: Groups, scores: np.ndarray) -> np.ndarray:
    """(D, q, q) sums of w²·ssᵀ over the rows of each domain, the middle of an HC covariance."""
    return groups.over_domains(_second_pass(source, groups, scores))


def _second_pass(source: Source, groups: Groups, scores: np.ndarray) -> np.ndarray:
    if groups.published or not isinstance(source, RowSource):
        raise SampleError.needs_rows("A standard error of this kind (se='classical' needs none)")
    matrices = dict(zip(groups.domains, scores, strict=True))
    squares = source.score_groups(groups.names, groups.by, matrices).score_squares
    if squares is None or len(squares) != len(groups.gram):
        raise SampleError("The rows changed between two passes over them: read the survey again.")
    return squares


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

"""Means of all variables in all domains with their joint covariance, and what is linear in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.errors import OptionError
from csat.moments import Groups, first_moments
from csat.results import Estimates, Provenance, Unavailable, without_rounding
from csat.variance.sampling import degrees_of_freedom, method_of
from csat.variance.smooth import totals_covariance


@dataclass(frozen=True, slots=True)
class Means:
    """Means of k variables in D domains, jointly.

    mean : (D, k); NaN where nobody answered.
    vcov : (D, k, D, k) covariance of all means; zero where nobody answered.
    spread : (D, k, k) covariance of single answers, by pairs who answered both (for design effects).
    n : (D, k) answers. df : (D, k) degrees of freedom, see `degrees_of_freedom`.
    """

    mean: np.ndarray
    vcov: np.ndarray
    spread: np.ndarray
    n: np.ndarray
    df: np.ndarray


@dataclass(frozen=True, slots=True)
class Combined:
    """Linear combinations of means: q per domain, flattened domain by domain.

    estimate : (D·q,). vcov : (D·q, D·q). n, n_eff : (D·q,). df : (D·q,), or one number.
    """

    estimate: np.ndarray
    vcov: np.ndarray
    n: np.ndarray
    n_eff: np.ndarray
    df: np.ndarray | float


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
        df=degrees_of_freedom(groups),
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
    finite = np.isfinite(means.mean)
    computable = (n > 0) & ~(used[None] & ~finite[:, None, :]).any(axis=2)
    estimate = np.where(computable, np.where(finite, means.mean, 0.0) @ matrix.T + offset, np.nan)
    k = used.shape[1]
    certain = np.isfinite(np.diag(means.vcov.reshape(size * k, size * k))).reshape(size, 1, k)
    joint = np.where(np.isfinite(means.vcov), means.vcov, 0.0)
    half = np.einsum("qk,dkel->dqel", matrix, joint)
    vcov = np.einsum("rl,dqel->dqer", matrix, half).reshape(size * q, size * q)
    single = np.diag(joint.reshape(size * k, size * k)).reshape(size, k)
    vcov = without_rounding(vcov, (single @ np.square(matrix).T).ravel())
    unknown = (~computable | (n < 2) | (used & ~certain).any(axis=2)).ravel()
    vcov[unknown, :] = vcov[:, unknown] = np.nan
    pairs = np.where(np.einsum("qk,ql->qkl", used, used)[None], means.spread[:, None], 0.0)
    spread = np.einsum("qk,dqkl,ql->dq", matrix, pairs, matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        n_eff = spread * n / (n - 1) / np.diag(vcov).reshape(size, q)
    n_eff[~(np.diag(vcov).reshape(size, q) > 0)] = np.nan
    df = np.where(used[None], means.df[:, None, :], np.inf).min(axis=2)
    return Combined(estimate.ravel(), vcov, n.ravel(), n_eff.ravel(), df.ravel())


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
    _check_keys(groups.by, keys or {})
    df = np.broadcast_to(np.asarray(combined.df, float), len(combined.n))
    unknown = ~(np.isfinite(combined.estimate) & np.isfinite(np.diag(combined.vcov)))
    reason = Unavailable("no_rows" if groups.published else "not_identified")
    missing = dict.fromkeys(np.flatnonzero(unknown).tolist(), reason)
    missing |= {int(i): Unavailable("df_zero") for i in np.flatnonzero(df < 1)}
    missing |= {
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


def _check_keys(by: Sequence[str], keys: Mapping[str, tuple[Any, ...]]) -> None:
    for name in by:
        if by.count(name) > 1:
            raise OptionError(f"by names column {name!r} twice.")
        if name in keys:
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")

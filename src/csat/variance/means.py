"""Means of all variables in all domains with their joint covariance, and what is linear in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.errors import OptionError
from csat.moments import Groups, Source, Variable, first_moments, joint_fits
from csat.replicates import Statistic, psu_factors
from csat.results import Estimates, Provenance, Unavailable, without_rounding
from csat.variance.blocks import parts_of, replicates_of, totals_blocks
from csat.variance.lean import sums_for_means
from csat.variance.sampling import degrees_of_freedom, method_of
from csat.variance.smooth import totals_covariance
from csat.within import Covariance, WithinGroups, blanked, variances

#: Domains whose answers' covariances are combined at once: of 31 nodes and 24 items they take 10 MB.
SPREAD_DOMAINS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Means of k variables in D domains.

    mean : (D, k); NaN where nobody answered.
    spread : (D, k, k) covariance of single answers, by pairs who answered both (for design effects).
    n : (D, k) answers. df : (D, k) degrees of freedom, see `degrees_of_freedom`.
    """

    mean: np.ndarray
    spread: np.ndarray
    n: np.ndarray
    df: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Means(Described):
    """Means of k variables in D domains, jointly.

    vcov : (D, k, D, k) covariance of all means; zero where nobody answered.
    """

    vcov: np.ndarray


@dataclass(frozen=True, slots=True)
class Combined:
    """Linear combinations of means: q per domain, flattened domain by domain.

    estimate : (D·q,). vcov : (D·q, D·q), or the blocks of the domains. n, n_eff : (D·q,). df : (D·q,), or one number.
    """

    estimate: np.ndarray
    vcov: Covariance
    n: np.ndarray
    n_eff: np.ndarray
    df: np.ndarray | float


def means(groups: Groups, products: np.ndarray | None = None) -> Means:
    """Means of every variable in every domain, with their joint covariance.

    A mean is a ratio of totals; its score is w·m·(x − x̄)/Σw·m. Domains and variables answered by
    different people keep their exact joint covariance. `products` are those of `combined_means`.
    """
    found = _described(groups, degrees_of_freedom(groups), products)
    return Means(
        mean=found.means.mean,
        vcov=totals_covariance(groups, found.scores, found.again),
        spread=found.means.spread,
        n=found.means.n,
        df=found.means.df,
    )


def describe(groups: Groups) -> Described:
    """Means of every variable in every domain, without their covariance."""
    return _described(groups, degrees_of_freedom(groups)).means


@dataclass(frozen=True, slots=True)
class _Linear:
    """Means and how they follow from totals.

    scores : (D, k, p) their gradients. again : maps (…, D, p) totals to (…, D, k) means, 0 where nobody answered.
    """

    means: Described
    scores: np.ndarray
    again: Statistic


def _described(groups: Groups, df: np.ndarray, products: np.ndarray | None = None) -> _Linear:
    """Means of every variable in every domain; `df` (D, k) their degrees of freedom."""
    k = len(groups.names)
    gram = groups.over_domains(groups.gram) if products is None else products
    answered, total = first_moments(gram, k, groups.rule)
    positive = answered > 0
    base = np.where(positive, answered, 1.0)
    centred = total / base

    def again(totals: np.ndarray) -> np.ndarray:
        # Like the rows of totals, so that `first_moments` finds them; nobody answered: zero, as `positive` says.
        weights, sums = first_moments(totals[..., None, :], k, groups.rule)
        return np.where(positive, sums / weights, 0.0)

    found = Described(
        mean=np.where(positive, groups.midpoint + centred, np.nan),
        spread=pairwise_spread(gram, centred, groups.rule),
        n=groups.over_domains(groups.counts),
        df=df,
    )
    return _Linear(found, mean_scores(centred, positive / base, groups.rule), again)


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
    used, k = matrix != 0, matrix.shape[1]
    variance = np.diag(means.vcov.reshape(size * k, size * k)).reshape(size, k)
    joint = np.where(np.isfinite(means.vcov), means.vcov, 0.0)
    half = matrix @ joint.reshape(size, k, size * k)
    vcov = (half.reshape(size * q * size, k) @ matrix.T).reshape(size * q, size * q)
    single = np.diag(joint.reshape(size * k, size * k)).reshape(size, k)
    vcov = without_rounding(vcov, (single @ np.square(matrix).T).ravel())
    vague = (used & ~np.isfinite(variance)[:, None, :]).any(axis=2)
    return _with_covariance(means, matrix, offset, blanked(vcov, vague.ravel()))


def estimated_means(
    source: Source,
    variables: Sequence[Variable],
    by: Sequence[str],
    matrix: np.ndarray,
    offset: np.ndarray | float = 0.0,
    rule: str = "available",
) -> tuple[Groups, Described, Combined]:
    """Means of the groups of a source and linear combinations of them, of any number of groups and sampling units.

    Parameters
    ----------
    source, variables, by, rule : as in `Source.groups`. matrix, offset : as in `combine`.

    Returns
    -------
    groups : the design around the figures; of their sums only totals may be left.
    the means; Combined
        As `combined_means`.
    """
    groups, products = sums_for_means(source, variables, by, rule)
    found, combined = combined_means(groups, matrix, offset, products)
    return groups, found, combined


def combined_means(
    groups: Groups, matrix: np.ndarray, offset: np.ndarray | float = 0.0, products: np.ndarray | None = None
) -> tuple[Described, Combined]:
    """Means of every domain and linear combinations of them, of any number of domains.

    Parameters
    ----------
    groups, matrix, offset : as in `means` and `combine`.
    products : (D, p, p) sums of products over the domains, if `groups` has only totals, see `sums_for_means`.

    Returns
    -------
    the means; Combined
        With the joint covariance of all domains if there is room for it (`joint_fits`), else with that within each
        domain. Means that have no joint covariance are combined before the covariance is taken.
    """
    if joint_fits(len(groups.domains), len(groups.names)):
        found = means(groups, products)
        return found, combine(found, matrix, offset)
    df = degrees_of_freedom(groups)
    if joint_fits(len(groups.domains), len(matrix)) and groups.replication is None and groups.residuals is None:
        linear = _described(groups, df, products)
        vcov = totals_covariance(groups, matrix @ linear.scores)
        flat = vcov.reshape(-1, vcov.shape[2] * vcov.shape[3])
        return linear.means, _with_covariance(linear.means, matrix, offset, flat)
    factors = psu_factors(groups)
    each = [
        _within(part, matrix, df[at], factors, None if products is None else products[at])
        for at, part in parts_of(groups, max(matrix.shape), replicates_of(groups, factors))
    ]
    linear_means = [found for found, _ in each]
    whole = Described(
        mean=np.concatenate([found.mean for found in linear_means]),
        spread=np.concatenate([found.spread for found in linear_means]),
        n=np.concatenate([found.n for found in linear_means]),
        df=df,
    )
    blocks = WithinGroups(np.concatenate([found for _, found in each]))
    return whole, _with_covariance(whole, matrix, offset, blocks)


def _within(
    groups: Groups, matrix: np.ndarray, df: np.ndarray, factors: np.ndarray | None, products: np.ndarray | None
) -> tuple[Described, np.ndarray]:
    """Means of some domains, and the (D, q, q) covariance of their combinations within each."""
    found = _described(groups, df, products)

    def again(totals: np.ndarray) -> np.ndarray:
        single = found.again(totals)
        lost = ~np.isfinite(single)
        # A weight of zero leaves a mean out, also one that a replicate does not define.
        return np.where(lost @ (matrix != 0).T, np.nan, np.where(lost, 0.0, single) @ matrix.T)

    return found.means, totals_blocks(groups, matrix @ found.scores, again, factors)


def _with_covariance(found: Described, matrix: np.ndarray, offset: np.ndarray | float, vcov: Covariance) -> Combined:
    """Combinations of means whose covariance is known, as `combine` describes them."""
    size, q = len(found.mean), len(matrix)
    used = matrix != 0
    n = np.where(used[None], found.n[:, None, :], np.iinfo(int).max).min(axis=2)
    finite = np.isfinite(found.mean)
    computable = (n > 0) & ~(used[None] & ~finite[:, None, :]).any(axis=2)
    estimate = np.where(computable, np.where(finite, found.mean, 0.0) @ matrix.T + offset, np.nan)
    vcov = blanked(vcov, (~computable | (n < 2)).ravel())
    variance = variances(vcov).reshape(size, q)
    with np.errstate(invalid="ignore", divide="ignore"):
        n_eff = _spread(found, matrix) * n / (n - 1) / variance
    n_eff[~(variance > 0)] = np.nan
    df = np.where(used[None], found.df[:, None, :], np.inf).min(axis=2)
    return Combined(estimate.ravel(), vcov, n.ravel(), n_eff.ravel(), df.ravel())


def _spread(found: Described, matrix: np.ndarray) -> np.ndarray:
    """(D, q) variance of the combinations of single respondents' answers."""
    used = matrix != 0
    both = np.einsum("qk,ql->qkl", used, used)
    out = np.empty((len(found.spread), len(matrix)))
    for start in range(0, len(out), SPREAD_DOMAINS):
        part = slice(start, start + SPREAD_DOMAINS)
        pairs = np.where(both[None], found.spread[part, None], 0.0)
        out[part] = np.einsum("qk,dqkl,ql->dq", matrix, pairs, matrix)
    return out


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
    unknown = ~(np.isfinite(combined.estimate) & np.isfinite(variances(combined.vcov)))
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

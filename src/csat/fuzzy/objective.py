"""Weights that the answers themselves give: by entropy, variation, conflict (CRITIC), spread, or level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import SampleError, check_choice
from csat.fuzzy.measured import ANSWERS, RANGE, Measured
from csat.fuzzy.weights import FactorWeights, Note
from csat.moments import Groups, Recode, RowSource, Source
from csat.questionnaire import Questionnaire
from csat.results import Estimates, Provenance, Unavailable
from csat.variance import combine, degrees_of_freedom, gradient, linearised, linearised_scores, means, method_of

ENTROPY, CV, CRITIC, SD, MEAN = METHODS = ("entropy", "cv", "critic", "sd", "mean")
#: Below this share of the largest, a factor's figure is rounding: nobody differs on it.
_NOTHING = 1e-12
_STEP = 1e-20

#: Raw figures (…, m) from arrays; complex numbers pass through.
Figures = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Raw figures of m factors before they are made to sum to 1.

    raw : (m,). vcov : (m, m) of the weights, NaN if not known. df : of the design. n : (m,) answers.
    left_out : respondents who do not count. rule : sample rule. variance : how standard errors were made.
    """

    raw: np.ndarray
    vcov: np.ndarray
    df: float
    n: np.ndarray
    left_out: int
    rule: str
    variance: str


def shares(raw: np.ndarray) -> np.ndarray:
    """(…, m) figures divided by their sum."""
    return raw / raw.sum(axis=-1, keepdims=True)


def jacobian(function: Figures, at: np.ndarray) -> np.ndarray:
    """(m, p) derivatives at `at` (p,) by complex steps (Squire & Trapp 1998)."""
    scale = _STEP * max(1.0, float(np.abs(at).max()))
    moved = at + 1j * scale * np.eye(len(at))
    return np.asarray(function(moved).imag.T / scale)


def of_answers(
    source: Source, measured: Measured, method: str, rule: str, asked: Questionnaire | None, values: str
) -> Found:
    """Raw figures over respondents, each as often as its weight says."""
    if method == MEAN:
        return _by_means(source, measured, rule)
    if method == ENTROPY:
        recoded = None if not measured.single else _recoded(source, measured, asked, values)
        return _entropy(source, measured) if recoded is None else _entropy_of_levels(source, recoded, rule)
    return _by_moments(source, measured, method, rule)


def of_groups(
    source: Source, measured: Measured, method: str, by: Sequence[str], values: str
) -> tuple[Found, list[Note]]:
    """Raw figures over the D groups' means, each group once; and notes on who does not count."""
    groups = source.groups(list(measured.variables), by, "available")
    made = combine(means(groups), measured.matrix * measured.slope, measured.matrix @ measured.offset)
    m = len(measured.factors)
    table = made.estimate.reshape(-1, m)
    kept = np.isfinite(table).all(axis=1)
    if kept.sum() < 2:
        raise SampleError(f"by={list(by)}: weights over groups need two groups with answers; {int(kept.sum())} found.")
    at = np.repeat(kept, m)
    size = int(kept.sum())

    def raw(flat: np.ndarray) -> np.ndarray:
        return over_rows(flat.reshape(*flat.shape[:-1], size, m), method, ranged=values == RANGE)

    flat = table[kept].ravel()
    if method == CRITIC:
        _check_spread(table[kept].var(axis=0), table[kept].mean(axis=0), measured.factors)
    figures = _checked(raw(flat), table[kept], measured.factors, method)
    slope = jacobian(lambda moved: shares(raw(moved)), flat)
    vcov = slope @ made.vcov[np.ix_(at, at)] @ slope.T
    df = float(np.min(np.broadcast_to(np.asarray(made.df, float), len(made.n))[at]))
    n = made.n.reshape(-1, m)[kept].sum(axis=0)
    return Found(figures, vcov, df, n, 0, "available", method_of(groups)), _left(groups, kept)


def _left(groups: Groups, kept: np.ndarray) -> list[Note]:
    """Notes on respondents without a group, and on groups without a mean of some factor."""
    counts = {"ungrouped": groups.ungrouped, "empty_groups": int((~kept).sum())}
    return [Note(kind, "", {"count": count}) for kind, count in counts.items() if count]


def over_rows(table: np.ndarray, method: str, *, ranged: bool = False) -> np.ndarray:
    """(…, m) raw figures of rows (…, D, m) that count alike; `ranged`: first put on 0–1 by their lowest and highest."""
    if ranged:
        real = table.real
        low = np.take_along_axis(table, real.argmin(axis=-2, keepdims=True), axis=-2)
        high = np.take_along_axis(table, real.argmax(axis=-2, keepdims=True), axis=-2)
        span = high - low
        table = (table - low) / np.where(span.real > 0, span, 1.0)
    mean = table.mean(axis=-2)
    if method == MEAN:
        return mean
    if method == ENTROPY:
        return divergence(mean, _x_log_x(table).mean(axis=-2))
    apart = table - mean[..., None, :]
    cov = np.swapaxes(apart, -1, -2) @ apart / table.shape[-2]
    return figures_of(mean, cov, method)


def divergence(mean: np.ndarray, mean_log: np.ndarray) -> np.ndarray:
    """(…, m) E[x·ln x]/E[x] − ln E[x]: what entropy weights are proportional to.

    With p = x/Σx over N rows the entropy is e = −Σ p·ln p/ln N and d = 1 − e = (E[x ln x]/E[x] − ln E[x])/ln N: ln N
    divides out of the weights, which therefore do not depend on the size of the sample (Shannon 1948; Zeleny 1982).
    """
    return np.asarray(mean_log / mean - np.log(mean))


def figures_of(mean: np.ndarray, cov: np.ndarray, method: str) -> np.ndarray:
    """(…, m) standard deviations, these over the means, or CRITIC's σⱼ·Σₖ(1 − rⱼₖ), from moments.

    Source of CRITIC: Diakoulaki, Mavrotas & Papayannakis (1995), Computers & Operations Research 22, 763–770.
    """
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    if method == SD:
        return sd
    if method == CV:
        return np.asarray(sd / mean)
    return np.asarray(sd * (1 - cov / (sd[..., :, None] * sd[..., None, :])).sum(axis=-1))


def _x_log_x(x: np.ndarray) -> np.ndarray:
    """x·ln x, 0 at 0."""
    positive = x.real > 0
    return np.where(positive, x * np.log(np.where(positive, x, 1.0)), 0.0)


def _checked(raw: np.ndarray, mean: np.ndarray, factors: Sequence[str], method: str) -> np.ndarray:
    """Figures (m,) that can be weights; rounding is 0. mean : (…, m) of the values."""
    lowest = mean.reshape(-1, len(factors)).min(axis=0)
    low = {CV: lowest <= 0, MEAN: lowest < 0, ENTROPY: lowest < 0}.get(method, np.zeros(len(factors), bool))
    for i in np.flatnonzero(low).tolist():
        raise SampleError(
            f"method={method!r} needs values above 0; {factors[i]!r} has {lowest[i]:g}. Use values='points', or "
            "method='sd'."
        )
    if not np.isfinite(raw).all():
        lost = [factors[i] for i in np.flatnonzero(~np.isfinite(raw)).tolist()]
        raise SampleError(
            f"method={method!r} has no figure for {', '.join(map(repr, lost))}: too few answers, or none."
        )
    raw = np.where(np.abs(raw) <= _NOTHING * max(1.0, float(np.abs(raw).max())), 0.0, raw)
    if not raw.max() > 0 and method == CRITIC:
        raise SampleError("method='critic': the factors run exactly alike, so that none says what others do not.")
    if not raw.max() > 0:
        raise SampleError.constant(list(factors))
    return np.asarray(raw)


def _by_means(source: Source, measured: Measured, rule: str) -> Found:
    groups = source.groups(list(measured.variables), (), rule)
    made = combine(means(groups), measured.matrix * measured.slope, measured.matrix @ measured.offset)
    if not np.isfinite(made.estimate).all():
        raise SampleError(_no_mean(measured, made.estimate, groups))
    raw = _checked(made.estimate, made.estimate, measured.factors, MEAN)
    slope = jacobian(shares, made.estimate)
    vcov = slope @ made.vcov @ slope.T
    df = float(np.min(np.asarray(made.df, float)))
    return Found(raw, vcov, df, made.n, groups.incomplete, rule, method_of(groups))


def _no_mean(measured: Measured, estimate: np.ndarray, groups: Groups) -> str:
    lost = [measured.factors[i] for i in np.flatnonzero(~np.isfinite(estimate)).tolist()]
    why = "this source does not know means (from_covariance(…, mean=…))" if groups.published else "nobody answered"
    return f"There is no mean of {', '.join(map(repr, lost))}: {why}."


def _recoded(
    source: Source, measured: Measured, asked: Questionnaire | None, values: str
) -> list[tuple[Recode, Recode]] | None:
    """Each item's value x and x·ln x by answer level; None if an item has no levels, or the source no rows."""
    if asked is None or isinstance(source, Groups) or not all(code in asked.codes for code in measured.codes):
        return None
    found = []
    for code in measured.codes:
        scale = asked.scale_of(code)
        x = np.array(scale.levels) if values == ANSWERS else scale.score(np.array(scale.levels))
        if not x.size or x.min() < 0:
            return None
        both = (dict(zip(scale.levels, v.tolist(), strict=True)) for v in (x, _x_log_x(x)))
        plain, logs = both
        found.append((Recode(code, code, plain), Recode(f"{code} ln", code, logs)))
    return found


def _entropy_of_levels(source: Source, recoded: Sequence[tuple[Recode, Recode]], rule: str) -> Found:
    """Entropy from the means of x and x·ln x, which are shares of answers times values: exact, in one pass."""
    factors = [plain.term for plain, _ in recoded]
    m = len(factors)
    groups = source.groups([plain for plain, _ in recoded] + [logs for _, logs in recoded], (), rule)
    found = means(groups)
    flat = found.mean[0]
    if not np.isfinite(flat).all():
        lost = [factor for i, factor in enumerate(factors) if not np.isfinite(flat[i])]
        raise SampleError(f"There is no mean of {', '.join(map(repr, lost))}: nobody answered.")

    def raw(x: np.ndarray) -> np.ndarray:
        return divergence(x[..., :m], x[..., m:])

    with np.errstate(divide="ignore", invalid="ignore"):
        figures = _checked(raw(flat), flat[:m], factors, ENTROPY)
        slope = jacobian(lambda x: shares(raw(x)), flat)
    vcov = slope @ found.vcov[0, :, 0] @ slope.T
    df = float(found.df.min())
    return Found(figures, vcov, df, found.n[0, :m], groups.incomplete, rule, method_of(groups))


@dataclass(frozen=True, slots=True, eq=False)
class _Logs:
    """Scores [1, x, x·ln x] of the rows, or linear combinations of them; turn : (1 + m, 1 + k), carry : (q, 1 + 2m)."""

    turn: np.ndarray
    carry: np.ndarray

    @property
    def size(self) -> int:
        """Figures per row."""
        return len(self.carry)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, q) scores of rows z (n, 1 + k)."""
        x = z @ self.turn[1:].T
        logs = np.where(x >= -1e-9, _x_log_x(x), np.nan)
        return np.column_stack([z[:, 0], x, logs]) @ self.carry.T


def _entropy(source: Source, measured: Measured) -> Found:
    """Entropy of values that have no levels, or are made of several items: sums over complete rows."""
    if not isinstance(source, RowSource):
        raise SampleError.needs_rows("Weights by entropy")
    variables, m = list(measured.variables), len(measured.factors)
    groups = source.groups(variables, (), "listwise")
    turn = measured.turn(groups.midpoint)
    again = source.score_groups(variables, (), {(): _Logs(turn, np.eye(1 + 2 * m))}, "listwise")
    sums = np.asarray(again.score_sums).sum(axis=0)
    if not np.isfinite(sums).all():
        raise SampleError("method='entropy' needs values of 0 and more; some are negative. Use method='sd'.")

    def raw(total: np.ndarray) -> np.ndarray:
        return divergence(total[..., 1 : 1 + m] / total[..., :1], total[..., 1 + m :] / total[..., :1])

    with np.errstate(divide="ignore", invalid="ignore"):
        figures = _checked(raw(sums), sums[1 : 1 + m] / sums[0], measured.factors, ENTROPY)
        slope = jacobian(lambda total: shares(raw(total)), sums)
    vcov = linearised_scores(source, groups, {(): _Logs(turn, slope)})[0, :, 0]
    return _found(figures, vcov, groups, m)


def _by_moments(source: Source, measured: Measured, method: str, rule: str) -> Found:
    """Figures of means and covariances, with their exact derivatives by the sums of products."""
    groups = source.groups(list(measured.variables), (), rule)
    k, m = len(measured.codes), len(measured.factors)
    unknown = not np.isfinite(groups.midpoint).all()
    if unknown and method == CV:
        raise SampleError(_no_mean(measured, measured.matrix @ groups.midpoint, groups))
    turn = measured.turn(np.where(np.isfinite(groups.midpoint), groups.midpoint, 0.0))

    def raw(gram: np.ndarray) -> np.ndarray:
        mean, cov = _moments(gram, k, groups.rule)
        mean = turn[1:, 0] + (turn[1:, 1:] @ mean[..., None])[..., 0]
        return figures_of(mean, turn[1:, 1:] @ cov @ turn[1:, 1:].T, method)

    _check_answered(groups, measured.codes)
    gram = groups.over_domains(groups.gram)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, cov = _moments(gram[0], k, groups.rule)
    varies = np.diag(turn[1:, 1:] @ cov @ turn[1:, 1:].T)
    centre = turn[1:, 0] + turn[1:, 1:] @ mean
    if method == CRITIC:
        _check_spread(varies, centre, measured.factors)
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = _checked(raw(gram[0].astype(complex)).real, centre, measured.factors, method)
    if not (isinstance(source, RowSource) or groups.psus or groups.replication is not None):
        return _found(figures, np.full((m, m), np.nan), groups, m)
    spread = np.flatnonzero(figures > 0)

    def weights(gram: np.ndarray) -> np.ndarray:
        """(…, m) shares of those that differ; 0 for the others, whose square roots have no derivatives."""
        found = shares(raw(gram)[..., spread])
        out = np.zeros((*found.shape[:-1], m), found.dtype)
        out[..., spread] = found
        return out

    with np.errstate(divide="ignore", invalid="ignore"):
        slope = gradient(weights, gram[0])
    vcov = linearised(source, groups, slope[None], weights)[0, :, 0]
    return _found(figures, vcov, groups, m)


def _check_answered(groups: Groups, codes: Sequence[str]) -> None:
    """Refuse items that nobody answered, or nobody together with the others."""
    counts = groups.over_domains(groups.counts)[0].tolist()
    empty = ", ".join(repr(code) for code, count in zip(codes, counts, strict=True) if not count)
    if empty and groups.rule == "listwise":
        raise SampleError(f"Nobody answered all of {empty}; leave out those that few answered.")
    if empty:
        raise SampleError(f"Nobody answered {empty}; leave out what nobody answered.")


def _check_spread(varies: np.ndarray, centre: np.ndarray, factors: Sequence[str]) -> None:
    """Refuse factors that nobody differs on: (m,) variances and means."""
    lost = varies <= _NOTHING * (1.0 + np.square(centre))
    if lost.any():
        raise SampleError.constant([factors[i] for i in np.flatnonzero(lost).tolist()])


def _moments(gram: np.ndarray, k: int, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """(…, k) means around the midpoints and (…, k, k) covariances; "available": by pairs who answered both."""
    if rule == "listwise":
        mean = gram[..., 0, 1:] / gram[..., :1, 0]
        return mean, gram[..., 1:, 1:] / gram[..., :1, :1] - mean[..., :, None] * mean[..., None, :]
    both = gram[..., 1 : 1 + k, 1 : 1 + k]
    of_pair = gram[..., 1 + k :, 1 : 1 + k] / both
    mean = np.diagonal(of_pair, axis1=-2, axis2=-1)
    return mean, gram[..., 1 + k :, 1 + k :] / both - of_pair * np.swapaxes(of_pair, -1, -2)


def _found(figures: np.ndarray, vcov: np.ndarray, groups: Groups, m: int) -> Found:
    df = float(degrees_of_freedom(groups).min()) if not groups.published else np.nan
    n = np.full(m, int(groups.over_domains(groups.counts).min()))
    how = method_of(groups) if np.isfinite(vcov).all() else "none"
    return Found(figures, vcov, df, n, groups.incomplete, "published" if groups.published else groups.rule, how)


def weights_of(found: Found, factors: Sequence[str], method: str, level: float, notes: Sequence[Note]) -> FactorWeights:
    """Figures as weights with sum 1; what nobody differs on has weight 0 and a note."""
    if found.df < 1:
        found_vcov = np.full_like(found.vcov, np.nan)
    else:
        found_vcov = np.where(np.outer(found.raw > 0, found.raw > 0), found.vcov, 0.0)
    said = [*notes, *([Note("left_out", "", {"count": found.left_out})] if found.left_out else [])]
    said += [Note("no_spread", factors[i]) for i in np.flatnonzero(found.raw == 0).tolist()]
    unknown = ~np.isfinite(np.diag(found_vcov))
    reason = "df_zero" if found.df < 1 else "no_rows" if found.variance == "none" else "one_answer"
    estimates = Estimates(
        tuple(factors), shares(found.raw), found_vcov, found.df, found.n, np.full(len(factors), np.nan), "share",
        Provenance(found.rule, found.variance), level, None, {},
        dict.fromkeys(np.flatnonzero(unknown).tolist(), Unavailable(reason)),
    )  # fmt: skip
    return FactorWeights(estimates, method, tuple(said))


def check_rule(rule: str | None, method: str) -> str:
    """The sample rule: those asked for, else what the method can use."""
    if rule is not None:
        check_choice("rule", rule, ("available", "listwise"))
    return rule or ("available" if method in (MEAN, ENTROPY) else "listwise")

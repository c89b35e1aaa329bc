"""Reasons not to trust a solution: what is wrong, with which constructs, and what to do about it.

Every guard is a pure function of the solution and the moments it was fitted to; none needs the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import floor

import numpy as np

from csat.errors import (
    CsatWarning,
    IllConditionedWarning,
    LatentCovarianceWarning,
    NegativeVarianceWarning,
    StandardizedPathWarning,
)
from csat.model import Row
from csat.structural.engine.checks import condition_number, information_axes
from csat.structural.engine.discrepancy import Sample
from csat.structural.engine.linear import definite
from csat.structural.engine.structure import Layout, Point, State, Structure
from csat.structural.engine.values import table_values
from csat.structural.heterotrait import heterotrait_ratios
from csat.structural.measures import free_parameters

#: Condition number of the information, each parameter in its own unit, above which results are called unstable.
ILL_CONDITIONED = 1e6
#: Condition number from which on the parameters that trade off are named: a condition index of 100, past what Belsley,
#: Kuh & Welsch (1980, Regression Diagnostics, ch. 3) call strong. And the share of a parameter's variance that must
#: come from such a direction, theirs too.
TRADE_OFF, TRADED = 1e4, 0.5
#: Correlation of two constructs above which they are one to all practical purposes (Rönkkö & Cho 2022, Organizational
#: Research Methods 25(1), call .9 to 1 a moderate problem; few samples tell .95 from 1).
SAME = 0.95
#: Heterotrait-monotrait ratio above which constructs are not told apart (Henseler, Ringle & Sarstedt 2015, Journal of
#: the Academy of Marketing Science 43(1), for constructs that are alike, as those of satisfaction are).
HTMT = 0.90
#: Smallest eigenvalue of the sample correlations below which variables nearly repeat each other.
REPEATED = 1e-4
#: Respondents per free parameter: fewer than the first are too few (Bentler & Chou 1987, Sociological Methods &
#: Research 16(1)), fewer than the second are worth a mention.
FEW, SCARCE = 5.0, 10.0
#: Respondents from which on a group counts as large enough whatever the model.
LARGE = 100
#: Standardized loading below which an indicator shares less than a sixth of its variance with its construct.
WEAK = 0.4
#: Most names in one sentence.
_LISTED = 8


class LatentCorrelationWarning(CsatWarning):
    """Two constructs correlate so highly that they are hardly two."""


class DiscriminantValidityWarning(CsatWarning):
    """The indicators of two constructs correlate across as much as within: their HTMT ratio is too high."""


class EmpiricalIdentificationWarning(CsatWarning):
    """A model that is identified, but hardly so by these data: some parameters trade off."""


class NearCollinearityWarning(CsatWarning):
    """Observed variables that nearly repeat each other."""


class FewCasesWarning(CsatWarning):
    """Too few respondents for so many free parameters."""


class SmallGroupWarning(CsatWarning):
    """Groups with too few respondents for their parameters."""


class WeakIndicatorWarning(CsatWarning):
    """Indicators that say little about their construct; kept as a note, never raised."""


#: Kinds after which a solution must not be reported.
INADMISSIBLE = (NegativeVarianceWarning, LatentCovarianceWarning)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason not to trust a solution.

    kind : of warning. text : in English, for warnings and ``Sem.notes``.
    about : what it is about, each with a figure: variables or constructs, or the two ends of a relation, effect first.
    group : the group it is about; "" for all of them, or if there are none.
    raised : as a warning; else it is only noted.
    """

    kind: type[CsatWarning]
    text: str
    about: tuple[tuple[tuple[str, ...], float], ...] = ()
    group: str = ""
    raised: bool = True


def doubts(state: State, samples: Sequence[Sample], sizes: Sequence[int], information: np.ndarray) -> tuple[Doubt, ...]:
    """Everything that should be said before a solution is believed.

    Parameters
    ----------
    state : the model at its estimates.
    samples : (G,) moments that were fitted. sizes : (G,) respondents of each group.
    information : (k, k) expected curvature of the discrepancy, in any unit.
    """
    slope = state.layout.restriction_slope(state.theta)
    local = tuple(_of_groups(state, samples))
    admissible = not any(doubt.kind in INADMISSIBLE for doubt in local)
    standard = table_values(state.layout, (), state.theta, "all")
    condition = condition_number(information, slope)
    # An impossible solution makes trade-offs of its own.
    traded = _trade_offs(state, information, slope) if admissible and condition > TRADE_OFF else ()
    return (
        *local,
        *_large_paths(state.layout, standard),
        *_ill_conditioned(state, information, slope, condition),
        *traded,
        *_weak_indicators(state.layout, standard),
        *_sizes(state.layout, sizes),
    )


def _of_groups(state: State, samples: Sequence[Sample]) -> Iterator[Doubt]:
    for label, point, sample in zip(state.layout.labels, state.points, samples, strict=True):
        yield from _negative_variances(point, state.theta, label)
        yield from _latent_covariance(point, label)
        yield from _latent_correlations(point, label)
        yield from _discriminant_validity(point.structure, sample.cov, label)
        yield from _near_collinearity(point.structure.observed, sample.cov, label)


def _place(label: str) -> str:
    return f" in group {label!r}" if label else ""


def _listed(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    return ", ".join(parts[:_LISTED]) + more


def _negative_variances(point: Point, theta: np.ndarray, label: str) -> Iterator[Doubt]:
    st = point.structure
    variance = np.diag(st.matrices(theta)[1])
    bad = [((st.variables[i],), float(variance[i])) for i in np.flatnonzero(variance < 0)]
    if bad:
        shown = _listed([f"{name} ({value:.3g})" for (name,), value in bad])
        yield Doubt(
            NegativeVarianceWarning,
            f"Negative variance (Heywood case) of {shown}{_place(label)}: the model is wrong for these data or the "
            "sample is too small. Do not report this solution; leave the variable out, or fix its variance "
            f"(`{bad[0][0][0]} ~~ 0*{bad[0][0][0]}`, if zero is plausible).",
            tuple(bad), label,
        )  # fmt: skip


def _latent_correlations_of(point: Point) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Correlations of the constructs, and which pairs are meant to differ: not a construct and what measures it."""
    st = point.structure
    block = point.total[st.p :, st.p :]
    sd = np.sqrt(np.abs(np.diag(block)))
    sizes = np.outer(sd, sd)
    corr = block / np.where(sizes > 0, sizes, np.inf)
    parts = {frozenset((row.lhs, row.rhs)) for row in st.rows if row.op in ("=~", "<~")}
    pairs = [
        (i, j) for i, j in combinations(range(len(corr)), 2) if frozenset((st.latents[i], st.latents[j])) not in parts
    ]
    return corr, pairs


def _latent_covariance(point: Point, label: str) -> Iterator[Doubt]:
    st = point.structure
    block = point.total[st.p :, st.p :]
    variance = np.diag(block)
    sd = np.sqrt(np.where(variance > 0, variance, 1.0))
    if not len(block) or np.linalg.eigvalsh(block / np.outer(sd, sd))[0] >= -1e-10:
        return
    yield Doubt(
        LatentCovarianceWarning,
        f"The covariance matrix of the constructs {', '.join(st.latents)}{_place(label)} is not positive definite: "
        f"{_contradiction(point)}. Do not report this solution; merge constructs that cannot be told apart, or drop "
        "one of them.",
        tuple(((name,), float(value)) for name, value in zip(st.latents, variance, strict=True)), label,
    )  # fmt: skip


def _contradiction(point: Point) -> str:
    """What makes the covariances of the constructs impossible."""
    st = point.structure
    variance = np.diag(point.total[st.p :, st.p :])
    negative = [f"{name} ({value:.3g})" for name, value in zip(st.latents, variance, strict=True) if value < 0]
    if negative:
        return f"the variance of {_listed(negative)} is below 0"
    corr, pairs = _latent_correlations_of(point)
    sized = sorted((((st.latents[i], st.latents[j]), float(corr[i, j])) for i, j in pairs), key=lambda x: -abs(x[1]))
    beyond = [pair for pair in sized if abs(pair[1]) > 1]
    if beyond:
        return f"beyond 1 lies the correlation of {_pairs(beyond)}"
    return f"no data can have these correlations together, the largest of which are {_pairs(sized[:3])}"


def _latent_correlations(point: Point, label: str) -> Iterator[Doubt]:
    corr, pairs = _latent_correlations_of(point)
    names = point.structure.latents
    near = [((names[i], names[j]), float(corr[i, j])) for i, j in pairs if SAME < abs(corr[i, j]) <= 1]
    if near:
        near.sort(key=lambda pair: -abs(pair[1]))
        yield Doubt(
            LatentCorrelationWarning,
            f"Constructs that correlate near 1{_place(label)}: {_pairs(near)}. The answers hardly tell them apart, so "
            "that their separate effects cannot be known. Merge them, drop one, or let a common construct stand behind "
            "them; for prediction use PLS.",
            tuple(near), label,
        )  # fmt: skip


def _pairs(pairs: Sequence[tuple[tuple[str, ...], float]]) -> str:
    return _listed([f"{' and '.join(names)} ({value:.3f})" for names, value in pairs])


def _discriminant_validity(structure: Structure, cov: np.ndarray, label: str) -> Iterator[Doubt]:
    high = [(pair, ratio) for pair, ratio in heterotrait_ratios(structure, cov).items() if ratio > HTMT]
    if high:
        high.sort(key=lambda pair: -pair[1])
        yield Doubt(
            DiscriminantValidityWarning,
            f"No discriminant validity (HTMT above {HTMT:.2f}){_place(label)}: {_pairs(high)}. Indicators of these "
            "constructs correlate across as much as within. Merge the constructs, or drop indicators that belong to "
            "both; do not read their paths as separate effects.",
            tuple(high), label,
        )  # fmt: skip


def _near_collinearity(names: Sequence[str], cov: np.ndarray, label: str) -> Iterator[Doubt]:
    sd = np.sqrt(np.diag(cov))
    corr = cov / np.outer(sd, sd)
    if definite(corr, REPEATED):
        return
    values, vectors = np.linalg.eigh(corr)
    if values[0] > 0:
        part = np.abs(vectors[:, 0])
        found = [((names[i],), float(part[i])) for i in np.argsort(-part) if part[i] > 0.3]
        yield Doubt(
            NearCollinearityWarning,
            f"Variables that nearly repeat each other{_place(label)}: {_listed([name for (name,), _ in found])} "
            f"(smallest eigenvalue of the correlations {values[0]:.2g}). χ² and standard errors rest on the little in "
            "which they differ. Drop one of them, or use their mean.",
            tuple(found), label,
        )  # fmt: skip


def _large_paths(layout: Layout, values: np.ndarray) -> Iterator[Doubt]:
    """`values` : (rows,) standardized."""
    several = len(layout.labels) > 1
    large = [
        (f"{row.lhs} ~ {row.rhs}{f' ({layout.labels[row.group]})' if several else ''} ({value:.2f})", row, value)
        for row, value in zip(layout.rows, values.tolist(), strict=True)
        if row.op == "~" and abs(value) > 1
    ]
    if large:
        yield Doubt(
            StandardizedPathWarning,
            f"Standardized path beyond ±1: {_listed([shown for shown, _, _ in large])}. Predictors that correlate "
            "highly make such paths; they do not measure importance. Merge or drop predictors, or compare their "
            "importance by csat.importance.",
            tuple(((row.lhs, row.rhs), value) for _, row, value in large),
        )


def _ill_conditioned(state: State, information: np.ndarray, slope: np.ndarray, condition: float) -> Iterator[Doubt]:
    if condition > ILL_CONDITIONED:
        part = np.abs(information_axes(information, slope)[1][:, 0])
        rows = _row_of_each(state.layout)
        first = [rows[k].relation for k in np.argsort(-part).tolist() if part[k] > part.max() / 2]
        yield Doubt(
            IllConditionedWarning,
            f"The information matrix is nearly singular (condition number {condition:.2g}, expected below "
            f"{ILL_CONDITIONED:.0g}): some parameters can hardly be told apart, above all {_listed(first)}, and their "
            "estimates would change a lot with a few answers. Look for constructs that correlate near 1, and merge "
            "them, leave paths out, or use PLS.",
            (((), condition),),
        )


def _trade_offs(state: State, information: np.ndarray, slope: np.ndarray) -> Iterator[Doubt]:
    """Parameters most of whose variance comes from directions in which the moments hardly change."""
    values, vectors = information_axes(information, slope)
    if not len(values) or values[0] >= values[-1] / TRADE_OFF:
        return
    inflation = np.square(vectors) / np.maximum(values, 1e-300)
    loose = values < values[-1] / TRADE_OFF
    total = inflation.sum(axis=1)
    share = inflation[:, loose].sum(axis=1) / np.where(total > 0, total, 1.0)
    rows, times = _row_of_each(state.layout), np.sqrt(total)
    found = [(rows[k], float(times[k])) for k in np.argsort(-times).tolist() if share[k] > TRADED]
    if found:
        yield Doubt(
            EmpiricalIdentificationWarning,
            f"These data hardly identify {_listed([row.relation for row, _ in found])}: they can change together "
            f"while the fit stays almost the same (standard errors up to {found[0][1]:.3g} times what they would be "
            "with the others known). Fix one of them, set two equal by the same label, merge the constructs, or add "
            "indicators.",
            tuple((_ends(row), value) for row, value in found),
        )


def _ends(row: Row) -> tuple[str, ...]:
    """The two ends of a relation, effect first; a variance or an intercept has one."""
    return (row.rhs, row.lhs) if row.op == "=~" else tuple(name for name in dict.fromkeys((row.lhs, row.rhs)) if name)


def _row_of_each(layout: Layout) -> dict[int, Row]:
    """The first row of each free parameter."""
    rows: dict[int, Row] = {}
    for structure in layout.groups:
        for r, k in zip(structure.free.tolist(), structure.parameter.tolist(), strict=True):
            rows.setdefault(k, structure.rows[r])
    return rows


def _weak_indicators(layout: Layout, values: np.ndarray) -> Iterator[Doubt]:
    """`values` : (rows,) standardized."""
    observed = set(layout.groups[0].observed)
    weak = [
        (row, value)
        for row, value in zip(layout.rows, values.tolist(), strict=True)
        if row.op == "=~" and row.rhs in observed and abs(value) < WEAK
    ]
    if weak:
        several = len(layout.labels) > 1
        shown = [
            f"{row.rhs} of {row.lhs}{f' in {layout.labels[row.group]!r}' if several else ''} ({value:.2f})"
            for row, value in weak
        ]
        yield Doubt(
            WeakIndicatorWarning,
            f"Weak indicators (standardized loading below {WEAK:g}): {_listed(shown)}. They say little about their "
            "construct; think of dropping them.",
            tuple(((row.lhs, row.rhs), value) for row, value in weak), raised=False,
        )  # fmt: skip


def rounded(ratio: float) -> float:
    """Respondents per parameter in one decimal; too few never read as enough.

    >>> rounded(6.58), rounded(4.976), rounded(9.98)
    (6.6, 4.9, 9.9)
    """
    near = round(ratio, 1)
    lifted = any(ratio < limit <= near for limit in (FEW, SCARCE))
    return floor(10 * ratio) / 10 if lifted else near


def _sizes(layout: Layout, sizes: Sequence[int]) -> Iterator[Doubt]:
    n, k = sum(sizes), free_parameters(layout)
    ratio = n / k if k else np.inf
    if ratio < SCARCE:
        few = ratio < FEW
        advice = (
            "Simplify the model, average indicators, or use PLS." if few else "10 or more make for figures that last."
        )
        yield Doubt(
            FewCasesWarning,
            f"{n} respondents for {k} free parameters, {rounded(ratio):.1f} each"
            + (f": fewer than {FEW:g} are too few for stable estimates and tests. " if few else ". ") + advice,
            (((), n), ((), k)), raised=few,
        )  # fmt: skip
    if len(sizes) > 1 and ratio >= FEW:
        yield from _small_groups(layout, sizes)


def _small_groups(layout: Layout, sizes: Sequence[int]) -> Iterator[Doubt]:
    """Groups with too few respondents for their parameters, those that groups share counted in parts."""
    own = [np.unique(structure.parameter) for structure in layout.groups]
    holders = np.bincount(np.concatenate(own), minlength=len(layout.names))
    each = [float((1.0 / holders[mine]).sum()) for mine in own]
    ratios = [n / k if k else np.inf for n, k in zip(sizes, each, strict=True)]
    small = [
        ((label,), ratio)
        for label, n, ratio in zip(layout.labels, sizes, ratios, strict=True)
        if ratio < FEW and n < LARGE
    ]
    if small:
        yield Doubt(
            SmallGroupWarning,
            f"Groups with fewer than {LARGE} respondents, and fewer than {FEW:g} per parameter: "
            + _listed([f"{label!r} ({rounded(ratio):.1f})" for (label,), ratio in small])
            + ". Merge them with similar groups, share more parameters (equal=…), or leave them out.",
            tuple(small),
        )

"""Path models of groups compared: differences of figures, with the methods of the literature and of the design."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from csat.composites.draws import Draws, usable
from csat.composites.exchange import Exchange, Shuffles, estimated, exchange_of, notes_of, tails, two_sided
from csat.composites.figures import OF_CONSTRUCTS, RELATIONS, Layout
from csat.composites.fitted import Fitted
from csat.composites.implied import distances, implied_items
from csat.composites.inference import bounds_of
from csat.composites.solution import solve
from csat.distributions import holm, t_quantile, two_sided_p
from csat.errors import ConvergenceError, DesignIgnoredWarning, OptionError, check_choice
from csat.moments import Source, as_names, shown
from csat.replicates.intervals import quantile
from csat.results import Estimates, Shown, ratio_to_error

#: How differences are tested; see `pls_differences`.
METHODS = ("contrast", "parametric", "welch", "henseler", "permutation")
ADJUST = ("holm", "none")
#: Differences at most in one table: their covariance takes 130 MB.
MOST_DIFFERENCES = 4000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PlsDifferences(Shown):
    """Differences of the figures of a path model between groups.

    estimates : (k,) figure of the group minus that of `against`, with their joint covariance; keys ``kind``, ``lhs``,
        ``rhs``, ``group``, ``against``.
    method : of `METHODS`. p : (k,). p_adjusted : (k,) corrected for the number of differences of the same kind.
    adjust : "holm" or "none".
    null_low, null_high : (k,) where the difference would lie at `level` if labels meant nothing; None unless permuted.
    omnibus : tests that no group differs, under permutation: columns distance, statistic, critical, p.
    permutations, used : asked for, and (k,) with estimates of both groups; 0 and None unless permuted.
    words : what was exchanged. notes : what to beware of.
    """

    estimates: Estimates
    method: str
    p: np.ndarray
    p_adjusted: np.ndarray
    adjust: str
    null_low: np.ndarray | None = None
    null_high: np.ndarray | None = None
    omnibus: pd.DataFrame | None = None
    permutations: int = 0
    used: np.ndarray | None = None
    words: str = ""
    notes: tuple[str, ...] = ()

    def tidy(self) -> pd.DataFrame:
        """One row per figure and pair of groups.

        Returns
        -------
        DataFrame
            kind, lhs, rhs, group, against, estimate (group minus against), se, statistic, df, p, p_adjusted, low, high;
            after a permutation test also null_low, null_high. `statistic` and `df` are NaN where p has another source.
        """
        own = self.estimates
        low, high = own.interval
        of_t = self.method in ("contrast", "parametric", "welch")
        blank = np.full(len(own.term), np.nan)
        figures = {
            "estimate": own.estimate, "se": own.se, "statistic": own.statistic if of_t else blank,
            "df": np.broadcast_to(np.asarray(own.df, float), len(own.term)) if of_t else blank,
            "p": self.p, "p_adjusted": self.p_adjusted, "low": low, "high": high,
        }  # fmt: skip
        if self.null_low is not None and self.null_high is not None:
            figures |= {"null_low": self.null_low, "null_high": self.null_high}
        return pd.DataFrame({name: list(column) for name, column in own.keys.items()} | figures)

    def glance(self) -> pd.DataFrame:
        """One row: method, correction, number of differences and of those beyond chance, how p-values were made."""
        own = self.estimates
        facts: dict[str, Any] = {
            "method": self.method, "adjust": self.adjust, "differences": len(own.term),
            "beyond_chance": int((self.p_adjusted < 1 - own.level).sum()), "level": own.level,
            "permutations": self.permutations,
            "permutations_used": 0 if self.used is None else int(self.used.min(initial=self.permutations)),
            "exchanged": self.words, "sample": own.provenance.sample, "variance": own.provenance.variance,
            "version": own.provenance.version,
        }  # fmt: skip
        return pd.DataFrame([facts])

    def __repr__(self) -> str:
        table = Shown.__repr__(self)
        whole = [] if self.omnibus is None else [self.omnibus.to_string(index=False, float_format="{:.4g}".format)]
        return "\n".join([table, *whole, *(f"Note: {note}" for note in self.notes)])


def pls_differences(
    result: Fitted,
    source: Source | None = None,
    *,
    against: str | Sequence[str] | None = None,
    method: str = "contrast",
    kinds: str | Sequence[str] = RELATIONS,
    adjust: str = "holm",
    permutations: int = 1000,
    seed: int = 1,
) -> PlsDifferences:
    """Test whether paths, loadings, weights and effects differ between groups.

    Parameters
    ----------
    result : of ``csat.pls(…, by=…)``.
    source : the survey that it was estimated from; only ``method="permutation"`` needs it.
    against : reference group, by its label as in ``tidy()``; None: all pairs.
    method : "contrast" (the difference over its standard error from the joint covariance: whatever the design is, and
        groups may share sampling units); "permutation" (labels exchanged between units); and of the literature on
        simple random samples "parametric" (pooled variance), "welch" (unequal variances), "henseler" (probability over
        the draws of the bootstrap). Intervals are those of the joint draws, except for "parametric" and "welch".
    kinds : "weight", "loading", "path", "total", "indirect"; also figures of constructs: "r2", "ave", "alpha", "rho_a",
        "rho_c", "performance" …
    adjust : "holm" corrects p for all differences of one kind; "none" leaves it.
    permutations, seed : of a permutation test.

    Returns
    -------
    PlsDifferences

    Raises
    ------
    OptionError
        If there are no two groups with estimates, an argument makes no sense, or there are too many differences.
    SampleError
        For a permutation without the rows (or whole sampling units) of the result, or with nothing to exchange.
    ConvergenceError
        If hardly any permutation has estimates.

    Warns
    -----
    DesignIgnoredWarning
        If "parametric", "welch" or "henseler" meets weights, strata or sampling units.

    Notes
    -----
    Keil et al. (2000), MIS Quarterly 24(2), 299–325, for the pooled variance; Sarstedt, Henseler & Ringle (2011),
    Advances in International Marketing 22, 195–218, for unequal variances (degrees of freedom are not rounded);
    Henseler, Ringle & Sinkovics (2009), same series 20, 277–319, equation 6, here two-sided; Chin & Dibbern (2010),
    Handbook of Partial Least Squares, 171–193, with both tails doubled; Klesel, Schuberth, Henseler & Niehaves (2019),
    Internet Research 29(3), 464–477, for the omnibus test.
    """
    own = _fitted(result)
    check_choice("method", method, METHODS)
    check_choice("adjust", adjust, ADJUST)
    checked = Shuffles(permutations, seed)
    rows = _rows_of(own, kinds)
    pairs = _pairs(own, against)
    if len(pairs) * len(rows) > MOST_DIFFERENCES:
        raise OptionError(
            f"{len(pairs)} pairs of groups × {len(rows)} figures are more than {MOST_DIFFERENCES} differences. Compare "
            "fewer: kinds='path', against='…', or fewer groups."
        )
    found = _contrasts(own, pairs, rows)
    if method == "permutation":
        if source is None:
            raise OptionError("method='permutation' exchanges labels of rows: pass the survey as source=….")
        return _permuted(own, exchange_of(own, source), found, pairs, rows, adjust, checked)
    if own.draws is None and method != "contrast":
        raise OptionError(f"method={method!r} needs standard errors or draws; this result has none.")
    if method in CLASSICAL:
        found = _classical(own, found, pairs, rows, CLASSICAL[method])
    p = _henseler(own, pairs, rows) if method == "henseler" else two_sided_p(found.statistic, found.df)
    return PlsDifferences(found, method, p, _adjusted(p, found, adjust), adjust, notes=_ignored(own, method))


def _ignored(result: Fitted, method: str) -> tuple[str, ...]:
    """What a test of simple random samples leaves out of the design, warned of."""
    if method == "contrast" or not result.designed:
        return ()
    text = (
        f"The sample has {', '.join(result.designed)}: method={method!r} takes the groups for independent simple "
        "random samples. method='contrast' follows the design."
    )
    warnings.warn(text, DesignIgnoredWarning, stacklevel=3)
    return (text,)


def _fitted(result: Any) -> Fitted:
    if not isinstance(result, Fitted):
        raise OptionError(f"A result of csat.pls(…, by=…) is needed; found {shown(result)}.")
    return result


def _rows_of(result: Fitted, kinds: Any) -> np.ndarray:
    """(m,) positions of the figures of the kinds asked for."""
    wanted = as_names(kinds, "kinds")
    for kind in wanted:
        check_choice("kinds", kind, (*RELATIONS, *OF_CONSTRUCTS))
    rows = np.flatnonzero(np.isin(result.layout.kinds, wanted))
    if not len(rows):
        there = ", ".join(dict.fromkeys(map(repr, result.layout.kinds.tolist())))
        raise OptionError(f"kinds={shown(kinds)}: the model has no such figure; it has {there}.")
    return rows


def _pairs(result: Fitted, against: Any) -> list[tuple[int, int]]:
    """Positions of the group and of the one that it is compared with."""
    kept = estimated(result)
    if against is None:
        return list(combinations(kept, 2))
    reference = result.position(against, "against")
    if reference not in kept:
        raise OptionError(f"against={against!r}: this group has no estimates. Choose another one.")
    return [(other, reference) for other in kept if other != reference]


def _contrasts(result: Fitted, pairs: Sequence[tuple[int, int]], rows: np.ndarray) -> Estimates:
    """Differences with their covariance from the joint covariance of all groups, pair by pair."""
    m, groups = len(result.layout.keys), len(result.domains)
    matrix = np.zeros((len(pairs) * len(rows), groups * m))
    for i, (one, other) in enumerate(pairs):
        at = np.arange(len(rows)) + i * len(rows)
        matrix[at, one * m + rows] = 1
        matrix[at, other * m + rows] = -1
    keys: dict[str, tuple[Any, ...]] = {
        name: tuple(result.layout.keys[row][i] for _ in pairs for row in rows)
        for i, name in enumerate(("kind", "lhs", "rhs"))
    }
    labels = result.labels
    keys["group"] = tuple(labels[one] for one, _ in pairs for _ in rows)
    keys["against"] = tuple(labels[other] for _, other in pairs for _ in rows)
    term = [result.estimates.term[row] for _ in pairs for row in rows]
    found = result.estimates.contrast(matrix, term, keys)
    bounds = _joint_bounds(result, found, pairs, rows)
    return found if bounds is None else replace(found, bounds=bounds)


def _joint_bounds(
    result: Fitted, found: Estimates, pairs: Sequence[tuple[int, int]], rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Intervals of the differences, made as those of the result are."""
    draws = result.draws
    if draws is None:
        return None

    def apart(figures: np.ndarray) -> np.ndarray:
        return np.concatenate([(figures[:, a] - figures[:, b])[:, rows] for a, b in pairs], axis=1)[:, None]

    used = np.ones((len(draws.used), 1), bool)
    moves = None if draws.moves is None else apart(draws.moves)
    own: Draws = replace(draws, figures=apart(draws.figures), used=used, moves=moves)
    return bounds_of(found.estimate, found.joint, own, found.level, result.interval)


@dataclass(frozen=True, slots=True)
class Classical:
    """A t test of two independent samples: variance and degrees of freedom from standard errors and sizes."""

    variance: Callable[[np.ndarray, np.ndarray, float, float], np.ndarray]
    df: Callable[[np.ndarray, np.ndarray, float, float], np.ndarray]


def _pooled(a: np.ndarray, b: np.ndarray, m: float, n: float) -> np.ndarray:
    """Variance of a difference with equal variances of respondents; a, b: squared standard errors."""
    return np.asarray(((m - 1) ** 2 * a + (n - 1) ** 2 * b) / (m + n - 2) * (1 / m + 1 / n))


def _unequal(a: np.ndarray, b: np.ndarray, m: float, n: float) -> np.ndarray:
    return np.asarray((m - 1) / m * a + (n - 1) / n * b)


def _satterthwaite(a: np.ndarray, b: np.ndarray, m: float, n: float) -> np.ndarray:
    below = (m - 1) / m**2 * a**2 + (n - 1) / n**2 * b**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(_unequal(a, b, m, n) ** 2 / below - 2)


CLASSICAL = {
    "parametric": Classical(_pooled, lambda a, b, m, n: np.full(np.shape(a + b), m + n - 2.0)),
    "welch": Classical(_unequal, _satterthwaite),
}


def _classical(
    result: Fitted, found: Estimates, pairs: Sequence[tuple[int, int]], rows: np.ndarray, test: Classical
) -> Estimates:
    """The same differences as if groups were independent simple random samples."""
    m, n = len(result.layout.keys), result.layout.n.astype(float)
    squares = np.square(result.estimates.se).reshape(-1, m)[:, rows]
    parts = [(squares[a], squares[b], n[a], n[b]) for a, b in pairs]
    variance = np.concatenate([test.variance(*part) for part in parts])
    df = np.concatenate([test.df(*part) for part in parts])
    scale = ratio_to_error(np.sqrt(variance), found.se)
    scale = np.where(np.isfinite(scale), scale, 0.0)
    vcov = scale[:, None] * np.where(np.isfinite(found.vcov), found.vcov, 0.0) * scale
    known = np.isfinite(variance)
    vcov[np.arange(len(vcov)), np.arange(len(vcov))] = variance
    vcov = np.where(known[:, None] & known, vcov, np.nan)
    se = np.sqrt(variance)
    half = t_quantile((1 + found.level) / 2, df) * se
    return replace(found, vcov=vcov, df=df, bounds=(found.estimate - half, found.estimate + half))


def _henseler(result: Fitted, pairs: Sequence[tuple[int, int]], rows: np.ndarray) -> np.ndarray:
    """(k,) p-values from the share of pairs of draws, centred on the estimates' bias, in which one group is higher."""
    draws = result.draws
    if draws is None or not draws.drawn:
        raise OptionError("method='henseler' counts draws of a bootstrap: estimate with pls(…, se='bootstrap').")
    return np.concatenate(
        [[_as_high(draws.figures[:, a, row], draws.figures[:, b, row]) for row in rows] for a, b in pairs]
    )


def _as_high(one: np.ndarray, other: np.ndarray) -> float:
    """Two-sided p of one figure from its draws in two groups.

    The one-sided p is the share of pairs i, j with 2·mean(one) − oneⱼ ≤ 2·mean(other) − otherᵢ; ties count by half.
    """
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    if min(len(one), len(other)) < 2:
        return float("nan")
    # What is the same in all draws, as the weight of a single item, differs by rounding only.
    mirrored, against = np.round(2 * one.mean() - one, 12), np.sort(np.round(2 * other.mean() - other, 12))
    below = np.searchsorted(against, mirrored, "left") + np.searchsorted(against, mirrored, "right")
    greater = float(below.mean()) / (2 * len(against))
    return 2 * min(greater, 1 - greater)


def _adjusted(p: np.ndarray, found: Estimates, adjust: str) -> np.ndarray:
    """(k,) p corrected within each kind of figure."""
    if adjust == "none":
        return p
    kinds, out = np.array(found.keys["kind"]), np.full(len(p), np.nan)
    for kind in set(found.keys["kind"]):
        out[kinds == kind] = holm(p[kinds == kind])
    return out


def _permuted(
    result: Fitted, units: Exchange, found: Estimates, pairs: Sequence[tuple[int, int]], rows: np.ndarray, adjust: str,
    asked: Shuffles,
) -> PlsDifferences:  # fmt: skip
    """Permutation tests of all pairs, each among its own units, and of all groups at once."""
    kept, size, level = estimated(result), asked.size, found.level
    parts = [units.among([kept.index(group) for group in pair]) for pair in pairs]
    null = np.concatenate(
        [_differences(result, part, pair, asked)[:, rows] for part, pair in zip(parts, pairs, strict=True)], axis=1
    )  # (R, k): pair by pair, as the differences are
    used = np.isfinite(null).sum(axis=0)
    known = np.isfinite(found.estimate) & np.repeat([part.arrangements > 1 for part in parts], len(rows))
    if known.any() and used[known].max() < max(2, size // 20):
        raise ConvergenceError(
            f"Only {used[known].max()} of {size} permutations have estimates of both groups: simplify the model, or "
            "use method='contrast'."
        )
    p = two_sided(null, found.estimate)
    low, high = (quantile(null, np.full(len(p), (1 + sign * level) / 2)) for sign in (-1, 1))
    labels = [(result.labels[a], result.labels[b]) for a, b in pairs]
    return PlsDifferences(
        found, "permutation", p, _adjusted(p, found, adjust), adjust, low, high, _omnibus(result, units, asked, level),
        size, used, units.words, notes_of(parts, labels, size),
    )  # fmt: skip


def _differences(result: Fitted, among: Exchange, pair: tuple[int, int], asked: Shuffles) -> np.ndarray:
    """(R, m) differences of all figures of two groups whose labels are permuted."""
    layout: Layout = replace(result.layout, n=result.layout.n[list(pair)])

    def apart(grams: np.ndarray) -> np.ndarray:
        items = layout.moments(grams, among.midpoint)
        solution = solve(items.cov, layout.blocks, layout.settings)
        figures = np.where(usable(solution)[..., None], layout.values(items, solution), np.nan)
        return np.asarray(figures[:, 0] - figures[:, 1])

    return among.permuted(apart, asked)


def _omnibus(result: Fitted, units: Exchange, asked: Shuffles, level: float) -> pd.DataFrame:
    """Average distances of the groups' implied correlations, against those of permuted groups."""
    layout = result.layout

    def apart(grams: np.ndarray) -> np.ndarray:
        items = layout.moments(grams, units.midpoint)
        solution = solve(items.cov, layout.blocks, layout.settings)
        implied = implied_items(items.corr, solution, layout.blocks)
        implied = np.where(usable(solution)[..., None, None], implied, np.nan)
        pairs = list(combinations(range(units.groups), 2))
        found = [distances(implied[:, a], implied[:, b]) for a, b in pairs]
        return np.stack([np.mean([d.d_g for d in found], axis=0), np.mean([d.d_uls for d in found], axis=0)], axis=1)

    observed = apart(units.grams(units.label[None]))[0]
    null = units.permuted(apart, asked)
    return pd.DataFrame(
        {
            "distance": ["geodesic", "squared"],
            "statistic": observed,
            "critical": quantile(null, np.full(2, level)),
            "p": tails(null, observed)[1],
        }
    )

"""Rules of selection: which term comes or goes next, by p, by an information criterion or by adjusted R²."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.distributions import f_tail
from csat.drivers.linear.least_squares import EXACT
from csat.drivers.selection.sweeps import Layout, Outlook

RULES = ("p", "aic", "bic", "adjr2")
DIRECTIONS = ("both", "forward", "backward")
STARTS = ("empty", "full")
#: A criterion that improves by less than this share of its size has not improved.
NOISE = 1e-12
#: Below this, tails of F are compared through an asymptotic form of their logarithm.
UNDERFLOW = 1e-290


@dataclass(frozen=True, slots=True)
class Rule:
    """How terms are chosen.

    name : one of `RULES`. direction : one of `DIRECTIONS`. enter, remove : probabilities of F for "p".
    tolerance : share of its variance that a column must have left, when it enters and as long as others enter.
    """

    name: str
    direction: str
    enter: float
    remove: float
    tolerance: float

    def score(self, rss: np.ndarray, df: np.ndarray, n: int) -> np.ndarray:
        """What rules other than "p" make small; `rss` as a share of the outcome's variance, `df` = n − 1 − columns."""
        if self.name == "adjr2":
            return -adjusted_r2(rss, df, n)
        return information(rss, df, n, penalty(self.name, n))


def penalty(name: str, n: int) -> float:
    """What a coefficient costs: 2 under AIC, log n under BIC."""
    return float(np.log(n)) if name == "bic" else 2.0


def information(rss: np.ndarray, df: np.ndarray, n: int, price: float) -> np.ndarray:
    """n·log(rss/n) + price·coefficients, as R's `extractAIC`; `rss`/n is given as a variance or as a share of one."""
    return n * np.log(np.maximum(rss, np.finfo(float).tiny)) + price * (n - df)


def adjusted_r2(rss: np.ndarray, df: np.ndarray, n: int) -> np.ndarray:
    """1 − (rss/df) / (tss/(n−1)); `rss` as a share of tss."""
    return 1 - rss * (n - 1) / df


def partial_f(change: np.ndarray, rss: np.ndarray, width: np.ndarray, df: np.ndarray) -> np.ndarray:
    """F of `width` columns that lower the rss of the larger model, `rss` with `df` left, by `change`; inf if exact."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (change / width) / (np.where(rss < EXACT, 0.0, rss) / df)


def log_tail(f: np.ndarray, df1: np.ndarray, df2: np.ndarray) -> np.ndarray:
    """Logarithm of the upper tail of F; orders tails that are too small for a number."""
    from scipy.special import betaln

    p = f_tail(f, df1, df2)
    a, b = df2 / 2, df1 / 2
    left = df2 / (df2 + df1 * f)
    with np.errstate(divide="ignore", invalid="ignore"):
        far = a * np.log(left) + (b - 1) * np.log1p(-left) - np.log(a) - betaln(a, b)
        return np.where(p > UNDERFLOW, np.log(p), far)


def choose(
    found: Outlook, inside: np.ndarray, entered: np.ndarray, df: np.ndarray, layout: Layout, rule: Rule, n: int
) -> np.ndarray:
    """The term that moves next in each model.

    Parameters
    ----------
    found : what each move would do. inside : (B, m) terms in each model.
    entered : (B, m) when a term inside entered; the earlier one moves first if two are equal.
    df : (B,) n − 1 − columns inside. n : respondents.

    Returns
    -------
    (B,) array
        Position of the term, −1 where nothing moves.
    """
    may_leave = inside & ~layout.forced & ~(inside.astype(int) @ layout.needs > 0)
    may_enter = ~inside & ~(~inside @ layout.needs.T.astype(int) > 0)
    may_enter &= (found.room >= rule.tolerance) & (df[:, None] > layout.width)
    may_leave &= rule.direction != "forward"
    may_enter &= rule.direction != "backward"
    if rule.name == "p":
        return _by_p(found, may_leave, may_enter, entered, df, layout, rule)
    return _by_score(found, may_leave, may_enter, entered, df, layout, rule, n)


def _by_p(
    found: Outlook, may_leave: np.ndarray, may_enter: np.ndarray, entered: np.ndarray, df: np.ndarray, layout: Layout,
    rule: Rule,
) -> np.ndarray:  # fmt: skip
    """The worst term leaves if its p ≥ remove; only if none does, the best one enters if its p ≤ enter."""
    width, rss = layout.width, found.rss[:, None]
    equal = len(set(width.tolist())) == 1
    at = np.arange(len(df))

    def best(allowed: np.ndarray, left: np.ndarray, df_left: np.ndarray, sign: int) -> tuple[np.ndarray, np.ndarray]:
        f = partial_f(found.change, left, width, df_left)
        # with one df for all, the order of F is that of p, to the last digit
        key = sign * (-found.change if equal else log_tail(f, width, df_left))
        chosen = _smallest(np.where(allowed, key, np.inf), entered)
        p = f_tail(f[at, chosen], width[chosen], np.broadcast_to(df_left, f.shape)[at, chosen])
        return chosen, np.where(allowed[at, chosen], p, np.nan)

    worst, p_out = best(may_leave, rss, df[:, None], -1)
    first, p_in = best(may_enter, rss - found.change, np.maximum(df[:, None] - width, 1), 1)
    return np.where(p_out >= rule.remove, worst, np.where(p_in <= rule.enter, first, -1))


def _by_score(
    found: Outlook, may_leave: np.ndarray, may_enter: np.ndarray, entered: np.ndarray, df: np.ndarray, layout: Layout,
    rule: Rule, n: int,
) -> np.ndarray:  # fmt: skip
    """The move with the smallest score, if that is below the present one; leaving comes first among equals."""
    width, rss = layout.width, found.rss[:, None]
    now = rule.score(found.rss, df, n)
    without = np.where(may_leave, rule.score(rss + found.change, df[:, None] + width, n), np.inf)
    within = np.where(may_enter, rule.score(rss - found.change, np.maximum(df[:, None] - width, 1), n), np.inf)
    out, into = _smallest(without, entered), within.argmin(axis=1)
    at = np.arange(len(df))
    leaves = without[at, out] <= within[at, into]
    least = np.where(leaves, without[at, out], within[at, into])
    better = least < now - NOISE * (n + np.abs(now))
    return np.where(better, np.where(leaves, out, into), -1)


def _smallest(key: np.ndarray, entered: np.ndarray) -> np.ndarray:
    """(B,) position of the smallest key; of those that are equal, the one that entered first."""
    ties = key == key.min(axis=1, keepdims=True)
    return np.where(ties, entered, np.iinfo(int).max).argmin(axis=1)

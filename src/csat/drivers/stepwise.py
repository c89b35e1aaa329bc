"""Stepwise selection by the probability of F, the rule of SPSS REGRESSION, on swept correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import f_tail
from csat.drivers.least_squares import EXACT, fit_least_squares
from csat.drivers.regression import Regression, regress, variables_of
from csat.errors import OptionError, SampleError, check_choice
from csat.moments import Moments, Source, source_of
from csat.results import Shown, check_level

DIRECTIONS = ("both", "forward", "backward")
#: SPSS: a variable with less than this share of its variance left cannot enter.
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Step:
    """One move: `f` and `p` of the variable that moved, and the fit after the move."""

    action: str
    term: str
    f: float
    df2: int
    p: float
    r2: float
    r2_change: float
    adj_r2: float
    sigma: float
    model: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stepwise(Shown):
    """A finished selection.

    steps : the moves in order. final : the last model refitted (None if nothing entered).
    selected : drivers in the model, in order of entry. excluded : the others, with F and p if they entered next.
    n : respondents, fixed before the first step; left_out : those without an answer to one of the candidates.
    ended : "settled", "cycling" if a model came back, or "exact" if the drivers in the model determine the outcome, so
        that no further F exists.

    Notes
    -----
    The p-values of a model chosen by looking at p-values are too small (Freedman 1983, Am. Stat. 37, 152–155):
    `caution` says so wherever the result is shown.
    """

    outcome: str
    steps: tuple[Step, ...]
    final: Regression | None
    selected: tuple[str, ...]
    excluded: pd.DataFrame
    n: int
    left_out: int
    ended: str
    enter: float
    remove: float
    direction: str

    caution = "p-values after a selection are optimistic: the same data chose the drivers and tested them."

    def tidy(self) -> pd.DataFrame:
        """The step table."""
        rows = [
            {"step": i + 1, "action": s.action, "term": s.term, "f": s.f, "df1": 1, "df2": s.df2, "p": s.p, "r2": s.r2,
             "r2_change": s.r2_change, "adj_r2": s.adj_r2, "sigma": s.sigma, "drivers": len(s.model)}
            for i, s in enumerate(self.steps)
        ]  # fmt: skip
        columns = ["step", "action", "term", "f", "df1", "df2", "p", "r2", "r2_change", "adj_r2", "sigma", "drivers"]
        return pd.DataFrame(rows, columns=columns)

    def glance(self) -> pd.DataFrame:
        """One row about the selection."""
        last = self.steps[-1] if self.steps else None
        return pd.DataFrame(
            {"outcome": [self.outcome], "selected": [len(self.selected)], "n": [self.n],
             "left_out": [self.left_out], "steps": [len(self.steps)],
             "ended": [self.ended], "r2": [last.r2 if last else 0.0], "direction": [self.direction],
             "enter": [self.enter], "remove": [self.remove], "note": [self.caution]}
        )  # fmt: skip


def stepwise(
    source: Source,
    outcome: str,
    candidates: Sequence[Any],
    *,
    rule: str = "p",
    direction: str = "both",
    enter: float = 0.05,
    remove: float = 0.10,
    se: str = "design",
    level: float = 0.95,
) -> Stepwise:
    """Select drivers step by step as SPSS REGRESSION does.

    At each step the variable in the model with the largest p leaves if p ≥ `remove`; only if none leaves does the
    variable outside with the smallest p enter, if p ≤ `enter` and enough of its variance is left (tolerance 0.0001,
    its own and, once it is in, that of each variable in the model). F tests are the classical ones on weighted
    moments with n respondents.

    Parameters
    ----------
    source : survey or summary. The sample is fixed before the first step: complete answers to all candidates.
    outcome : dependent variable.
    candidates : variables that may enter.
    rule : "p".
    direction : "both" (SPSS STEPWISE), "forward" (never remove) or "backward" (start full, never enter).
    enter, remove : probabilities of F; `enter` < `remove`.
    se, level : of the final model, as in `regress`.

    Returns
    -------
    Stepwise

    Raises
    ------
    OptionError, SampleError, CollinearityError
        As for `regress`; backward selection needs candidates that are not exactly collinear.
    """
    check_choice("rule", rule, ("p",))
    check_choice("direction", direction, DIRECTIONS)
    check_level(level)
    numbers = all(isinstance(limit, int | float | np.number) for limit in (enter, remove))
    if not numbers or not 0 < enter < remove <= 1:
        raise OptionError(
            f"enter={enter!r} and remove={remove!r}: 0 < enter < remove ≤ 1 is needed, or steps would cycle."
        )
    *names, outcome = variables_of(outcome, candidates)
    groups = source_of(source).groups([*names, outcome], (), "listwise")
    moments = groups.moments()
    start = tuple(range(len(names))) if direction == "backward" else ()
    steps, inside, ended = _search(moments, direction, enter, remove, start)
    selected = tuple(names[j] for j in inside)
    final = regress(source, outcome, selected, se=se, level=level, complete=names) if selected else None
    excluded = _excluded(moments, inside)
    return Stepwise(
        outcome, tuple(steps), final, selected, excluded, moments.n, groups.incomplete, ended, enter, remove, direction
    )


@dataclass(frozen=True, slots=True)
class _State:
    """The fit of one model, on correlations: everything the next move needs.

    inside : drivers in the model. rss : 1 − R². df : n − 1 − drivers. drop_f : (m,) F to remove.
    gain, room : (k,) fall of rss and tolerance if a driver entered (0 inside).
    """

    inside: tuple[int, ...]
    rss: float
    df: int
    drop_f: np.ndarray
    gain: np.ndarray
    room: np.ndarray


def _state(corr: np.ndarray, n: int, inside: tuple[int, ...]) -> _State:
    at, k = list(inside), len(corr) - 1
    inverse = np.linalg.inv(corr[np.ix_(at, at)])
    slopes = inverse @ corr[at]
    left = corr - corr[at].T @ slopes
    rss, df = float(left[k, k]), n - 1 - len(at)
    rss = rss if rss > EXACT else 0.0
    loss = slopes[:, k] ** 2 / np.diag(inverse)
    own = np.where(np.isin(np.arange(k), at), 0.0, np.diag(left)[:k])
    safe = np.maximum(own, np.finfo(float).tiny)
    # the tolerance of those inside falls when a driver enters: 1 / diagonal of the enlarged inverse
    with np.errstate(over="ignore"):
        others = 1 / (np.diag(inverse)[:, None] + slopes[:, :k] ** 2 / safe)
    room = np.where(own > 0, np.minimum(own, others.min(axis=0, initial=1.0)), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        drop_f = loss / (rss / df)
    gain = np.where((room > 0) & (rss > 0), left[:k, k] ** 2 / safe, 0.0)
    return _State(inside, rss, df, drop_f, gain, room)


def _f_and_p(gain: np.ndarray | float, rss: float, df: int) -> tuple[np.ndarray, np.ndarray]:
    """F and p of a fall in rss by `gain`, with `df` left afterwards."""
    left = rss - np.asarray(gain)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = np.asarray(gain) / (np.where(left < EXACT, 0.0, left) / df)
    return f, f_tail(f, 1, df)


def _search(
    moments: Moments, direction: str, enter: float, remove: float, start: tuple[int, ...]
) -> tuple[list[Step], tuple[int, ...], str]:
    corr, n = moments.corr, moments.n
    k = len(corr) - 1
    if n < k + 2:
        raise SampleError.too_few(f"A selection among {k} candidates", n, k + 2)
    if not np.isfinite(corr).all():
        flat = ~np.isfinite(np.diag(corr))
        raise SampleError.constant([name for name, is_flat in zip(moments.names, flat, strict=True) if is_flat])
    if start:
        fit_least_squares(moments)
    steps: list[Step] = []
    inside, seen = start, {frozenset(start)}
    while True:
        state = _state(corr, n, inside)
        if state.rss == 0:
            return steps, inside, "exact"
        move = _removal(state, remove) if direction != "forward" else None
        if move is None and direction != "backward":
            move = _entry(state, enter)
        if move is None:
            return steps, inside, "settled"
        action, j, f, p, df = move
        inside = (*inside, j) if action == "enter" else tuple(i for i in inside if i != j)
        after = _state(corr, n, inside)
        steps.append(_step(moments, action, j, f, p, df, state, after))
        if frozenset(inside) in seen:
            return steps, inside, "cycling"
        seen.add(frozenset(inside))


_Move = tuple[str, int, float, float, int]


def _removal(state: _State, remove: float) -> _Move | None:
    if not state.inside:
        return None
    p = f_tail(state.drop_f, 1, state.df)
    worst = int(np.argmin(state.drop_f))
    if p[worst] < remove:
        return None
    return "remove", state.inside[worst], float(state.drop_f[worst]), float(p[worst]), state.df


def _entry(state: _State, enter: float) -> _Move | None:
    able = state.room >= TOLERANCE
    if not able.any() or state.df < 2:
        return None
    f, p = _f_and_p(state.gain, state.rss, state.df - 1)
    best = int(np.argmax(np.where(able, f, -np.inf)))
    if p[best] > enter:
        return None
    return "enter", best, float(f[best]), float(p[best]), state.df - 1


def _step(moments: Moments, action: str, j: int, f: float, p: float, df: int, before: _State, after: _State) -> Step:
    n = moments.n
    scale = float(moments.cov[-1, -1]) * moments.weight
    return Step(
        action, moments.names[j], f, df, p, 1 - after.rss, before.rss - after.rss, 1 - after.rss * (n - 1) / after.df,
        float(np.sqrt(after.rss * scale / after.df)), tuple(moments.names[i] for i in after.inside),
    )  # fmt: skip


def _excluded(moments: Moments, inside: tuple[int, ...]) -> pd.DataFrame:
    """F, p and tolerance of each driver outside, if it entered next."""
    state = _state(moments.corr, moments.n, inside)
    out = [j for j in range(len(moments.names) - 1) if j not in inside]
    f, p = _f_and_p(state.gain[out], state.rss, state.df - 1)
    return pd.DataFrame({"term": [moments.names[j] for j in out], "f": f, "p": p, "tolerance": state.room[out]})

"""What a selection did, step by step, and what it left out, as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csat.distributions import f_tail
from csat.drivers.linear.least_squares import EXACT
from csat.drivers.selection.criteria import adjusted_r2, information, partial_f, penalty
from csat.drivers.selection.search import Found, Task
from csat.drivers.selection.sweeps import outlook, swept

#: Columns of the step table.
STEP_COLUMNS = (
    *("step", "action", "term", "statistic", "p", "r2", "adj_r2", "criterion"),
    *("f", "df1", "df2", "r2_change", "sigma", "drivers"),
)


def criterion(task: Task, rss: np.ndarray, df: np.ndarray, variance: float) -> np.ndarray:
    """The figure that the rule improves: AIC or BIC as R's `extractAIC`, adjusted R², NaN for "p".

    rss : share of the outcome's variance. df : n − 1 − columns. variance : of the outcome, with divisor n.
    """
    rule, n = task.rule.name, task.n
    if rule == "p":
        return np.full(np.shape(rss), np.nan)
    if rule == "adjr2":
        return adjusted_r2(rss, df, n)
    return np.where(rss > 0, information(rss * variance, df, n, penalty(rule, n)), -np.inf)


def step_table(corr: np.ndarray, found: Found, task: Task, variance: float) -> tuple[pd.DataFrame, float]:
    """A row per move of a single search, and the criterion of the start.

    Parameters
    ----------
    corr : (1, p, p). variance : of the outcome, with divisor n.
    """
    layout, moves = task.layout, found.moves[:, 0]
    models = np.logical_xor.accumulate([task.begin, *(np.arange(len(task.begin)) == move for move in moves)])
    table = swept(np.repeat(corr, len(models), axis=0), models[:, layout.owner])[0]
    ahead = outlook(table, models, layout)
    rss = np.where(ahead.rss < EXACT, 0.0, ahead.rss)
    df = task.df(models)
    level = criterion(task, rss, df, variance)
    steps = np.arange(len(moves))
    enters, width = models[steps + 1, moves], layout.width[moves]
    larger = np.where(enters, steps + 1, steps)
    f = partial_f(ahead.change[steps, moves], rss[larger], width, df[larger])
    columns = {
        "step": steps + 1,
        "action": np.where(enters, "enter", "remove").astype(object),
        "term": np.array([task.terms.labels[move] for move in moves], object),
        "statistic": f if task.rule.name == "p" else np.diff(level),
        "p": f_tail(f, width, df[larger]),
        "r2": 1 - rss[1:],
        "adj_r2": adjusted_r2(rss, df, task.n)[1:],
        "criterion": level[1:],
        "f": f,
        "df1": width,
        "df2": df[larger],
        "r2_change": rss[:-1] - rss[1:],
        "sigma": np.sqrt(rss * variance * task.n / df)[1:],
        "drivers": models[1:].sum(axis=1),
    }
    return pd.DataFrame(columns, columns=list(STEP_COLUMNS)), float(level[0])


def left_out_table(found: Found, task: Task, variance: float) -> pd.DataFrame:
    """F, p, tolerance and criterion of each term outside, if it entered next; NaN where it may not."""
    layout, inside = task.layout, found.inside[0]
    ahead = outlook(found.table, found.inside, layout)
    out = np.flatnonzero(~inside)
    rss, change, width = float(ahead.rss[0]), ahead.change[0, out], layout.width[out]
    df = task.df(found.inside)[0] - width
    may = (df > 0) & ~(layout.needs[out] & ~inside).any(axis=1) & (ahead.room[0, out] > 0) & (rss > EXACT)
    left, df = np.where(may, rss - change, np.nan), np.maximum(df, 1)
    f = partial_f(np.where(may, change, np.nan), left, width, df)
    columns = {
        "term": [task.terms.labels[term] for term in out.tolist()],
        "f": f,
        "df1": width,
        "df2": df,
        "p": f_tail(f, width, df),
        "tolerance": ahead.room[0, out],
        "criterion": np.where(may, criterion(task, np.where(may, left, 1.0), df, variance), np.nan),
    }
    return pd.DataFrame(columns)

"""Stepwise search, for one sample or for many replicates of it at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.drivers.linear.least_squares import EXACT
from csat.drivers.selection.criteria import Rule, choose
from csat.drivers.selection.sweeps import Layout, outlook, sweep, swept
from csat.drivers.terms import Terms

#: How a search ends: no move is left; a model came back; the terms determine the outcome; it could not begin.
ENDS = ("settled", "cycling", "exact", "failed")


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is to be selected from, and how.

    begin : (m,) terms in the model before the first step. n : respondents.
    """

    terms: Terms
    layout: Layout
    rule: Rule
    begin: np.ndarray
    n: int

    def df(self, inside: np.ndarray) -> np.ndarray:
        """(B,) n − 1 − columns of the models `inside` (B, m)."""
        return self.n - 1 - inside @ self.layout.width


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What B searches ended with.

    inside : (B, m) terms selected. entered : (B, m) when they entered (those of the start: their position, minus m).
    ended : (B,) positions in `ENDS`. table : (B, p, p) swept correlations of the selected models.
    moves : (steps, B) term that moved at each step, −1: none.
    """

    inside: np.ndarray
    entered: np.ndarray
    ended: np.ndarray
    table: np.ndarray
    moves: np.ndarray


def search(corr: np.ndarray, task: Task) -> Found:
    """Move terms in and out of B models until the rule moves none.

    Parameters
    ----------
    corr : (B, p, p) correlations of the columns, the outcome last.

    Returns
    -------
    Found
        "failed" where the columns of the start are collinear. A step costs O(p²) per model, O(p³) after a removal.
    """
    size, m = len(corr), len(task.begin)
    inside = np.tile(task.begin, (size, 1))
    table, least = swept(corr, inside[:, task.layout.owner])
    ended = np.where(least > EXACT, 0, ENDS.index("failed"))
    found = Found(inside, np.where(inside, np.arange(m) - m, m), ended, table, np.empty(0, int))
    alive = np.flatnonzero(least > EXACT)
    seen: list[np.ndarray] = [inside.copy()]
    moves: list[np.ndarray] = []
    while alive.size:
        alive, moved = _step(corr, found, alive, task, len(moves))
        if alive.size:
            came_back = np.any([(inside[alive] == before[alive]).all(axis=1) for before in seen], axis=0)
            ended[alive[came_back]] = ENDS.index("cycling")
            alive = alive[~came_back]
            seen.append(inside.copy())
            moves.append(moved)
    return Found(inside, found.entered, ended, table, np.array(moves, int).reshape(-1, size))


def _step(corr: np.ndarray, found: Found, alive: np.ndarray, task: Task, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Move one term in each model of `alive`, in place; the models that moved, and (B,) what moved in each."""
    inside, table, layout = found.inside, found.table, task.layout
    exact = table[alive, -1, -1] < EXACT
    found.ended[alive[exact]] = ENDS.index("exact")
    alive = alive[~exact]
    ahead = outlook(table[alive], inside[alive], layout)
    term = choose(ahead, inside[alive], found.entered[alive], task.df(inside[alive]), layout, task.rule, task.n)
    alive, term = alive[term >= 0], term[term >= 0]
    inside[alive, term] ^= True
    found.entered[alive, term] = step
    enters = inside[alive, term]
    out = alive[~enters]
    table[out] = swept(corr[out], inside[out][:, layout.owner])[0]
    _enter(table, alive[enters], term[enters], layout)
    moved = np.full(len(inside), -1)
    moved[alive] = term
    return alive, moved


def _enter(table: np.ndarray, rows: np.ndarray, term: np.ndarray, layout: Layout) -> None:
    """Sweep the columns of one term each into the models of `rows`, in place."""
    for column in layout.places[term].T:
        has = column >= 0
        sweep(table, rows[has], column[has])

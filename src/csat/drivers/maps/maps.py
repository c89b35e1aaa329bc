"""`Ipa`: the map of importance and performance, one per group, with its ellipses and probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.drivers.maps.quadrants import QUADRANTS
from csat.drivers.maps.scored import number_in
from csat.errors import OptionError
from csat.moments import shown
from csat.results import Estimates, Shown

#: The two axes, in the order in which `Ipa.estimates` holds them.
AXES = ("performance", "importance")
#: Columns of ``Ipa.tidy()`` after ``term`` and the columns of the groups.
COLUMNS = (
    *(f"{figure}{part}" for figure in reversed(AXES) for part in ("", "_se", "_low", "_high")),
    *("quadrant", "p_quadrant", *(f"p_{zone}" for zone in QUADRANTS)),
    *(f"{figure}{part}" for figure in ("distance", "slope", "potential") for part in ("", "_se", "_low", "_high")),
    *("priority", "n", "n_eff", "note"),
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ipa(Shown):
    """An importance–performance map of k drivers in each of D groups.

    outcome : dependent variable; None for stated importance without one. importance : how it was found.
    rule : of the cut: "means", "given" or "iso". terms : (k,) drivers.
    by, groups : grouping columns, and (D,) labels of the groups; one group () without `by`.
    estimates : D × 2 × k rows, group by group, performance then importance (key column ``axis``), with their whole
        joint covariance. Performance is on 0–100, or in scale units without a questionnaire.
    distance : D × k standardized importance − standardized performance: above 0 a driver lies above the iso-line.
    slopes, potential : D × k regression coefficients, and coefficient × (100 − performance); None if not known.
    quadrant : (D·k,) of `QUADRANTS` by the estimates. zones : (D·k, 4) their probabilities.
    cuts : (D, 2) performance and importance where the lines cross.
    lines : (D, 2) intercept and slope of the iso-line: importance = intercept + slope · performance.
    left_out : respondents without an answer to one of the variables. ungrouped : those who belong to no group.
    """

    outcome: str | None
    importance: str
    rule: str
    terms: tuple[str, ...]
    by: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    estimates: Estimates
    distance: Estimates
    slopes: Estimates | None
    potential: Estimates | None
    quadrant: tuple[str, ...]
    zones: np.ndarray
    cuts: np.ndarray
    lines: np.ndarray
    left_out: int
    ungrouped: int

    @property
    def performance(self) -> Estimates:
        """D × k rows of performance."""
        return rows_of(self.estimates, self._axis(0))

    @property
    def importances(self) -> Estimates:
        """D × k rows of importance."""
        return rows_of(self.estimates, self._axis(1))

    @property
    def cut(self) -> tuple[float, float] | str:
        """(performance, importance) where the lines of the only map cross; "iso" where the diagonal divides it."""
        self._only()
        return "iso" if self.rule == "iso" else (float(self.cuts[0, 0]), float(self.cuts[0, 1]))

    @property
    def ranked_by(self) -> str:
        """What ``priority`` ranks by: "potential" where it is known, else "distance"."""
        return "distance" if self.potential is None else "potential"

    @property
    def priority(self) -> np.ndarray:
        """(D·k,) 1 = what promises most on its map; NaN where not known."""
        figure = self.distance if self.potential is None else self.potential
        table = figure.estimate.reshape(len(self.groups), -1)
        rank = 1.0 + (table[:, None, :] > table[:, :, None]).sum(axis=2)
        return np.where(np.isfinite(table), rank, np.nan).ravel()

    def of(self, *group: str) -> Ipa:
        """The map of one group, by the labels of its grouping columns.

        Raises
        ------
        OptionError
            If there is no such group.
        """
        if tuple(group) not in self.groups:
            known = [" × ".join(labels) for labels in self.groups if labels]
            raise OptionError.choose("group", " × ".join(map(str, group)), known)
        at, k = self.groups.index(tuple(group)), len(self.terms)
        rows = np.arange(at * k, (at + 1) * k)
        return replace(
            self,
            groups=(tuple(group),),
            estimates=rows_of(self.estimates, np.arange(2 * at * k, 2 * (at + 1) * k)),
            distance=rows_of(self.distance, rows),
            slopes=None if self.slopes is None else rows_of(self.slopes, rows),
            potential=None if self.potential is None else rows_of(self.potential, rows),
            quadrant=self.quadrant[at * k : (at + 1) * k],
            zones=self.zones[rows],
            cuts=self.cuts[at : at + 1],
            lines=self.lines[at : at + 1],
        )

    def ellipse(self, term: str, points: int = 100) -> np.ndarray:
        """The joint confidence region of performance and importance of a driver.

        Parameters
        ----------
        term : driver of the only map (`of` picks one of several).
        points : of the closed outline, at least 8.

        Returns
        -------
        (points, 2) array
            Performance and importance. Radius² = 2·ν/(ν − 1)·F(2, ν − 1) at the level of the estimates, ν their
            degrees of freedom (Korn & Graubard 1990, The American Statistician 44, 270–276: Hotelling's T²), which is
            the χ²(2) quantile for ν = ∞. It holds both figures at once, so that it is wider than either first-order
            interval. Of shares it is a first-order region, which does not know that they lie between 0 and 100. NaN
            where there is no standard error, or ν ≤ 1.

        Raises
        ------
        OptionError
            For an unknown driver, or several maps.
        """
        self._only()
        if term not in self.terms:
            raise OptionError.choose("term", term, self.terms)
        if isinstance(points, bool) or not isinstance(points, int) or points < 8:
            raise OptionError(f"points={points!r}: the outline needs at least 8 points.")
        at = self.terms.index(term) + np.array([0, len(self.terms)])
        centre, vcov = self.estimates.estimate[at], self.estimates.vcov[np.ix_(at, at)]
        if not np.isfinite(vcov).all():
            return np.full((points, 2), np.nan)
        values, vectors = np.linalg.eigh(vcov)
        angle = np.linspace(0.0, 2 * np.pi, points)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        df = float(np.broadcast_to(np.asarray(self.estimates.df, float), len(self.estimates.term))[at[0]])
        return centre + radius(df, self.estimates.level) * circle * np.sqrt(np.maximum(values, 0.0)) @ vectors.T

    def gain(self, points: float = 5.0) -> Estimates:
        """What goes with a better driver: the difference in the outcome between respondents `points` apart on it.

        Everything else in the regression is held equal. An association: whether raising the driver would move the
        outcome by as much, the answers cannot tell.

        Parameters
        ----------
        points : of the driver (of 0–100; scale units without a questionnaire).

        Returns
        -------
        Estimates
            D × k rows, in points (or units) of the outcome.

        Raises
        ------
        OptionError
            Without a regression behind the map, or for points that are no number.
        """
        size = number_in(points)
        if not np.isfinite(size):
            raise OptionError(f"points={shown(points)}: a number of points is needed, e.g. 5.")
        if self.slopes is None:
            raise OptionError("Stated importance has no coefficients: name the outcome in ipa(…, outcome=…).")
        unit = self.slopes.unit.split(" per ", maxsplit=1)[0]
        return replace(self.slopes, estimate=size * self.slopes.estimate, vcov=size**2 * self.slopes.joint, unit=unit)

    def tidy(self) -> pd.DataFrame:
        """A row per group and driver: ``term``, the groups, then `COLUMNS`.

        ``p_quadrant`` is the probability of the quadrant named; ``priority`` ranks by `ranked_by`.
        """
        performance = self.performance
        figures = {
            "importance": self.importances,
            "performance": performance,
            "distance": self.distance,
            "slope": self.slopes,
            "potential": self.potential,
        }
        columns: dict[str, Any] = {"term": performance.term, **{name: performance.keys[name] for name in self.by}}
        for name, estimates in figures.items():
            columns |= _four(name, estimates, len(performance.term))
        own = [QUADRANTS.index(zone) if zone else 0 for zone in self.quadrant]
        columns["quadrant"] = self.quadrant
        columns["p_quadrant"] = self.zones[np.arange(len(own)), own]
        columns |= {f"p_{zone}": self.zones[:, j] for j, zone in enumerate(QUADRANTS)}
        columns |= {"priority": self.priority, "n": performance.n, "n_eff": performance.n_eff, "note": self._notes()}
        return pd.DataFrame(columns)[["term", *self.by, *COLUMNS]]

    def glance(self) -> pd.DataFrame:
        """One row per map: what was asked, where the lines are, and who was left out."""
        k, made = len(self.terms), self.estimates.provenance
        facts: dict[str, Any] = {name: [labels[i] for labels in self.groups] for i, name in enumerate(self.by)}
        facts |= {
            "outcome": self.outcome,
            "importance": self.importance,
            "unit": self.importances.unit,
            "cut": self.rule,
            "cut_performance": self.cuts[:, 0],
            "cut_importance": self.cuts[:, 1],
            "iso_intercept": self.lines[:, 0],
            "iso_slope": self.lines[:, 1],
            "priority": self.ranked_by,
            "drivers": k,
            "n": self.performance.n[::k],
            "left_out": self.left_out,
            "ungrouped": self.ungrouped,
            "level": self.estimates.level,
            "sample": made.sample,
            "variance": made.variance,
            "version": made.version,
        }
        return pd.DataFrame(facts, index=range(len(self.groups)))

    def _notes(self) -> list[str]:
        """Why figures are missing: performance, or the coefficients alone."""
        notes = [self.performance.tidy()["note"]] + ([] if self.slopes is None else [self.slopes.tidy()["note"]])
        return [next((note for note in row if note), "") for row in zip(*notes, strict=True)]

    def _axis(self, axis: int) -> np.ndarray:
        size, k = len(self.groups), len(self.terms)
        return np.arange(2 * size * k).reshape(size, 2, k)[:, axis].ravel()

    def _only(self) -> None:
        if len(self.groups) != 1:
            known = ", ".join(repr(" × ".join(labels)) for labels in self.groups[:5])
            raise OptionError(f"There are {len(self.groups)} maps ({known}): pick one with of(…).")


def radius(df: float, level: float) -> float:
    """Radius of the joint confidence region of two figures, in standard errors; NaN for ν ≤ 1.

    The F quantile with 2 degrees of freedom above has a closed form, from its tail (1 + 2x/d)^(−d/2).
    """
    if not df > 1:
        return float("nan")
    if np.isinf(df):
        return float(np.sqrt(-2 * np.log1p(-level)))
    return float(np.sqrt(df * np.expm1(-2 / (df - 1) * np.log1p(-level))))


def rows_of(estimates: Estimates, rows: Sequence[int] | np.ndarray) -> Estimates:
    """Some rows of estimates, with their joint covariance; the unit is theirs if a key column says so."""
    at = [int(row) for row in rows]
    place = {row: i for i, row in enumerate(at)}
    keys = {name: tuple(column[row] for row in at) for name, column in estimates.keys.items()}
    units = set(keys.get("unit", ())) or {estimates.unit}
    return replace(
        estimates,
        term=tuple(estimates.term[row] for row in at),
        estimate=estimates.estimate[at],
        vcov=estimates.vcov[np.ix_(at, at)],
        df=np.broadcast_to(np.asarray(estimates.df, float), len(estimates.term))[at],
        n=estimates.n[at],
        n_eff=estimates.n_eff[at],
        unit=units.pop() if len(units) == 1 else estimates.unit,
        keys=keys,
        bounds=None if estimates.bounds is None else (estimates.bounds[0][at], estimates.bounds[1][at]),
        unavailable={place[row]: reason for row, reason in estimates.unavailable.items() if row in place},
    )


def _four(name: str, estimates: Estimates | None, size: int) -> dict[str, np.ndarray]:
    """A figure, its standard error and its interval; NaN where there is no such figure."""
    if estimates is None:
        return {f"{name}{part}": np.full(size, np.nan) for part in ("", "_se", "_low", "_high")}
    low, high = estimates.interval
    return {name: estimates.estimate, f"{name}_se": estimates.se, f"{name}_low": low, f"{name}_high": high}

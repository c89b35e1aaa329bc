"""`Pls`: the result of a path model by partial least squares, of one group or of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from csat.composites.figures import OF_CONSTRUCTS, RELATIONS
from csat.composites.fitted import Fitted
from csat.composites.implied import Distances, implied_items
from csat.composites.inference import bounds_of, check_interval, part_of
from csat.composites.ipma import Ipma, ipma
from csat.composites.quality import effect_sizes, goodness_of_fit, item_inflation
from csat.composites.scores import PlsScores, pls_scores
from csat.composites.solution import Solution, variance_inflation
from csat.distributions import two_sided_p
from csat.errors import check_choice, check_switch
from csat.model import Model
from csat.moments import Source
from csat.results import Estimates, Shown

#: Columns of this result's tables: no grouping column may have their names.
OWN_COLUMNS = frozenset({
    "lhs", "rhs", "construct", "item", "mode", "items", "iterations", "converged", "srmr", "d_uls", "d_g", "d_ml",
    "nfi", "gof", "improper", "scheme", "scaled", "sample", "variance", "version", "ungrouped", "replicates", "f2",
    "vif", "sign", "axis", "target", "importance", "potential", "priority",
    *OF_CONSTRUCTS, *(f"{kind}_se" for kind in OF_CONSTRUCTS),
})  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pls(Fitted, Shown):
    """A path model by partial least squares; with `by` one for each of D groups, else D = 1. See `Fitted` too.

    model : as given.
    distances : (D,) from the sample's to the implied correlations.
    n_eff : (D,) (Σw)²/Σw² (Kish 1965); NaN where single weights are not known.
    left_out : respondents without an answer to one of the items. ungrouped : respondents without a group.
    improper : (D,) whether a corrected reliability, loading or correlation is impossible.
    notes : doubts, in words.
    """

    model: Model
    distances: Distances
    n_eff: np.ndarray
    left_out: int
    ungrouped: int
    improper: np.ndarray
    notes: tuple[str, ...] = ()

    def tidy(self) -> pd.DataFrame:
        """One row per weight, loading, path, total and indirect effect (and group).

        Returns
        -------
        DataFrame
            Group columns, kind, lhs, rhs, estimate, se, statistic, p, low, high, note (why a figure is missing; "").
            `lhs` is the construct that an item (`rhs`) belongs to, or the explained construct of an effect of `rhs`.
        """
        return self._table(self.estimates)

    def _table(self, estimates: Estimates) -> pd.DataFrame:
        rows = np.isin(np.array(estimates.keys["kind"]), RELATIONS)
        low, high = estimates.interval
        figures = {
            "estimate": estimates.estimate, "se": estimates.se, "statistic": estimates.statistic,
            "p": two_sided_p(estimates.statistic, estimates.df), "low": low, "high": high,
            "note": [str(estimates.unavailable.get(i, "")) for i in range(len(rows))],
        }  # fmt: skip
        frame = pd.DataFrame({name: list(column) for name, column in estimates.keys.items()} | figures)
        return frame[rows].reset_index(drop=True)

    def intervals(self, method: str) -> pd.DataFrame:
        """The same table with other intervals.

        Parameters
        ----------
        method : "percentile", "basic", "bias-corrected" or "bca", from draws of a bootstrap ("bca" if it was asked for
            in `pls`); "normal" or "t", from the standard error.

        Raises
        ------
        OptionError
            If there are no such draws.
        """
        check_interval(method, self.draws)
        own = self.estimates
        bounds = bounds_of(own.estimate, own.joint, self.draws, own.level, method)
        return self._table(replace(own, bounds=bounds))

    def select(self, kind: str) -> Estimates:
        """The estimates of one kind, with their covariance over groups: for contrasts, above all.

        Parameters
        ----------
        kind : "weight", "loading", "path", "total", "indirect", "r2", "adj_r2", "ave", "alpha", "rho_a", "rho_c" or
            "performance" (points of 0–100).
        """
        check_choice("kind", kind, (*RELATIONS, *OF_CONSTRUCTS))
        unit = "points" if kind == "performance" else "standardized"
        return part_of(self.estimates, np.array(self.estimates.keys["kind"]) == kind, unit)

    @property
    def performance(self) -> Estimates:
        """Index of each construct on 0–100: means of its items' scores by their weights, as in the American index."""
        return self.select("performance")

    def constructs(self) -> pd.DataFrame:
        """One row per construct (and group): mode, number of items, quality and performance, with standard errors.

        Returns
        -------
        DataFrame
            Group columns, construct, mode ("A", "B", "unit", "factor"; "A, consistent" if corrected for attenuation;
            "single"), items, r2, adj_r2 (NaN where nothing explains), ave, alpha, rho_a, rho_c, performance, and
            ``…_se`` of each.
        """
        described = self.layout.described
        size, names = len(self.domains), described.constructs
        columns: dict[str, Any] = {
            name: [domain[i] for domain in self.domains for _ in names] for i, name in enumerate(self.by)
        }
        columns |= {"construct": list(names) * size, "mode": self._modes * size}
        columns["items"] = np.tile(described.sizes, size)
        figures: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for kind in OF_CONSTRUCTS:
            at = [i for i, key in enumerate(self.layout.keys) if key[0] == kind]
            place = [names.index(self.layout.keys[i][1]) for i in at]
            for into, values in ((figures, self.estimates.estimate), (errors, self.estimates.se)):
                full = np.full((size, len(names)), np.nan)
                full[:, place] = values.reshape(size, -1)[:, at]
                into[kind] = full.ravel()
        return pd.DataFrame(columns | figures | {f"{kind}_se": found for kind, found in errors.items()})

    @property
    def _modes(self) -> list[str]:
        blocks = self.layout.described
        found = zip(blocks.modes, blocks.sizes.tolist(), blocks.consistent.tolist(), strict=True)
        return ["single" if size == 1 else f"{mode}, consistent" if fixed else mode for mode, size, fixed in found]

    def glance(self) -> pd.DataFrame:
        """One row (per group): bases, convergence, fit, and what became of replicates.

        ``srmr`` to ``nfi`` compare the correlations of the items with those that the model implies; see `implied`.
        """
        size = len(self.domains)
        found: dict[str, Any] = {name: [domain[i] for domain in self.domains] for i, name in enumerate(self.by)}
        found |= {"n": self.layout.n, "n_eff": self.n_eff, "left_out": [self.left_out] * size}
        found |= {"ungrouped": [self.ungrouped] * size} if self.by else {}
        found |= {"iterations": self.solution.steps, "converged": self.solution.converged, "improper": self.improper}
        fit = ("srmr", "d_uls", "d_g", "d_ml", "nfi")
        found |= {name: np.where(self.solution.converged, getattr(self.distances, name), np.nan) for name in fit}
        found["gof"] = goodness_of_fit(self.solution, self.blocks)
        found |= {} if self.draws is None else self.draws.counts
        settings, made = self.layout.settings, self.estimates.provenance
        facts = {"scheme": settings.scheme, "scaled": settings.scaled, "interval": self.interval}
        facts |= {"sample": made.sample, "variance": made.variance, "version": made.version}
        return pd.DataFrame(found | {name: [fact] * size for name, fact in facts.items()})

    def cross_loadings(self, group: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Correlations of items (rows) with composites (columns), not corrected for attenuation, of one group."""
        return pd.DataFrame(self._one(group).cross, list(self.blocks.items), list(self.blocks.constructs))

    def correlations(self, group: str | Sequence[str] | None = None, *, corrected: bool = True) -> pd.DataFrame:
        """Correlations of constructs; of their composites if not `corrected` for attenuation."""
        check_switch("corrected", corrected)
        one = self._one(group)
        return self._square(one.corr if corrected else one.proxies)

    def f2(self, group: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Cohen's f² of each path: row explained, column explaining; NaN without a path. Weights stay as they are."""
        return self._square(effect_sizes(self._one(group), self.blocks))

    def vif(self, group: str | Sequence[str] | None = None, *, corrected: bool = True) -> pd.DataFrame:
        """Variance inflation of each explaining construct (column) in the equation of the row; NaN without a path."""
        check_switch("corrected", corrected)
        one = self._one(group)
        return self._square(variance_inflation(one.corr if corrected else one.proxies, self.blocks))

    def item_vif(self, group: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Variance inflation of each item among those of its construct: construct, item, vif."""
        corr = self.items.corr[self.position(group)]
        owners = [self.blocks.constructs[j] for j in self.blocks.block]
        found = item_inflation(corr, self.blocks)
        return pd.DataFrame({"construct": owners, "item": list(self.blocks.items), "vif": found})

    def implied(self, group: str | Sequence[str] | None = None, *, saturated: bool = False) -> pd.DataFrame:
        """Correlations of items that the model implies; `saturated`: with constructs correlating as estimated.

        Items of a composite correlate among one another as in the sample, those of a construct that is corrected for
        attenuation as its loadings say.
        """
        check_switch("saturated", saturated)
        at = self.position(group)
        found = implied_items(self.items.corr[at], self.solution[at], self.blocks, saturated=saturated)
        return pd.DataFrame(found, list(self.blocks.items), list(self.blocks.items))

    def scores(self, source: Source, *, unit: str = "standardized") -> PlsScores:
        """Scores of respondents on the constructs. Reads the rows; see `csat.composites.scores.pls_scores`."""
        return pls_scores(self, source, unit=unit)

    def ipma(self, target: str) -> Ipma:
        """Importance of constructs and items for a target, and how well they do; see `csat.composites.ipma.ipma`."""
        return ipma(self, target, left_out=self.left_out)

    def _one(self, group: str | Sequence[str] | None) -> Solution:
        return self.solution[self.position(group)]

    def _square(self, values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, list(self.blocks.constructs), list(self.blocks.constructs))

    @property
    def _headline(self) -> str:
        if self.by:
            return f"Pls: {len(self.domains)} groups by {', '.join(self.by)}, n = {int(self.layout.n.sum())}"
        return (
            f"Pls: n = {int(self.layout.n[0])}, {len(self.blocks.constructs)} constructs, {len(self.blocks.items)} "
            f"items, SRMR = {self.distances.srmr[0]:.3f}, {self.estimates.provenance.variance}"
        )

    def __repr__(self) -> str:
        table = Shown.__repr__(self).split("\n", 1)[1]
        return "\n".join([self._headline, table, *(f"Note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<p>{escape(self._headline)}</p>{Shown._repr_html_(self)}{notes}"

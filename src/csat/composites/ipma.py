"""Importance–performance map of a path model: what the target gains from each construct and item, and how well it does.

Source: Ringle & Sarstedt (2016), Industrial Management & Data Systems 116(9), 1865–1886; index weights after Fornell
et al. (1996), Journal of Marketing 60(4), 7–18, appendix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from csat.composites.blocks import Blocks
from csat.composites.draws import usable
from csat.composites.fitted import Fitted
from csat.composites.inference import bounds_of, part_of
from csat.composites.items import ItemMoments, index_weights, performance
from csat.composites.solution import Solution
from csat.errors import OptionError, check_choice
from csat.results import Estimates, Shown, Unavailable, without_rounding

#: Figures of every construct and item, and their units.
AXES: Mapping[str, str] = {"importance": "points per point", "performance": "points", "potential": "points"}
#: A perfect score.
FULL = 100.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ipma(Shown):
    """An importance–performance map of a target construct, of D groups (1 without).

    target : the construct that is to be raised.
    estimates : D × 3 × k rows, group by group, importance, performance, potential of the k constructs and items; keys:
        groups, ``axis``, ``kind`` ("construct", "item"), ``construct`` (that an item belongs to); one joint covariance.
    target_performance : (D,) index of the target on 0–100.
    by : grouping columns. domains : (D,) groups as tuples of labels. left_out, interval : as in `Pls`.
    notes : doubts, in words.
    """

    target: str
    estimates: Estimates
    target_performance: np.ndarray
    by: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    left_out: int
    interval: str
    notes: tuple[str, ...] = ()

    @property
    def importance(self) -> Estimates:
        """D × k rows: points that the target gains if the construct, or the answers to the item, gain one point."""
        return self._axis("importance")

    @property
    def performance(self) -> Estimates:
        """D × k rows on 0–100."""
        return self._axis("performance")

    @property
    def potential(self) -> Estimates:
        """D × k rows: importance × (100 − performance), what the target would gain from a perfect score."""
        return self._axis("potential")

    @property
    def priority(self) -> np.ndarray:
        """(D·k,) 1 = what promises most among the constructs, and among the items, of a group; NaN where not known."""
        table = self.potential.estimate.reshape(len(self.domains), -1)
        kinds = np.array(self.potential.keys["kind"]).reshape(table.shape)
        better = (table[:, None, :] > table[:, :, None]) & (kinds[:, None, :] == kinds[:, :, None])
        return np.where(np.isfinite(table), 1.0 + better.sum(axis=2), np.nan).ravel()

    def cuts(self, kind: str = "construct") -> np.ndarray:
        """(D, 2) mean importance and mean performance of the constructs, or items, of each group."""
        shape = (len(self.domains), len(AXES), -1)
        mine = np.array(self.estimates.keys["kind"]).reshape(shape)[0, 0] == kind
        return np.asarray(self.estimates.estimate.reshape(shape)[:, :2, mine].mean(axis=2))

    def tidy(self) -> pd.DataFrame:
        """One row per construct and item (and group).

        Returns
        -------
        DataFrame
            Group columns, kind, term, construct, importance, performance and potential, each with ``…_se``, ``…_low``
            and ``…_high``, priority, n, note.
        """
        first = self.importance
        columns: dict[str, Any] = {name: first.keys[name] for name in (*self.by, "kind")}
        columns |= {"term": first.term, "construct": first.keys["construct"]}
        for name in AXES:
            part = self._axis(name)
            low, high = part.interval
            columns |= {name: part.estimate, f"{name}_se": part.se, f"{name}_low": low, f"{name}_high": high}
        return pd.DataFrame(columns | {"priority": self.priority, "n": first.n, "note": self._reasons()})

    def glance(self) -> pd.DataFrame:
        """One row (per group): the target, its performance, the means of importance and performance, and the sample."""
        made, cuts = self.estimates.provenance, self.cuts()
        size = len(self.domains)
        found: dict[str, Any] = {name: [domain[i] for domain in self.domains] for i, name in enumerate(self.by)}
        found |= {"target": [self.target] * size, "performance": self.target_performance}
        found |= {"mean_importance": cuts[:, 0], "mean_performance": cuts[:, 1]}
        found |= {"n": self.importance.n.reshape(size, -1)[:, 0], "left_out": [self.left_out] * size}
        facts = {"level": self.estimates.level, "interval": self.interval, "sample": made.sample}
        facts |= {"variance": made.variance, "version": made.version}
        return pd.DataFrame(found | {name: [fact] * size for name, fact in facts.items()})

    def _axis(self, name: str) -> Estimates:
        return part_of(self.estimates, np.array(self.estimates.keys["axis"]) == name, AXES[name])

    def _reasons(self) -> list[str]:
        """Why figures of a row are missing."""
        found = [self._axis(name).unavailable for name in AXES]
        rows = range(len(self.estimates.term) // len(AXES))
        return [next((str(part[i]) for part in found if i in part), "") for i in rows]

    def __repr__(self) -> str:
        head, table = Shown.__repr__(self).split("\n", 1)
        return "\n".join([f"{head}, target {self.target}", table, *(f"Note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        return Shown._repr_html_(self) + "".join(f"<p>{escape(note)}</p>" for note in self.notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Which constructs lead to the target, and their items: positions (q',), (p',) of `Blocks`."""

    target: int
    constructs: np.ndarray
    items: np.ndarray

    @property
    def size(self) -> int:
        return len(self.constructs) + len(self.items)


def ipma(fitted: Fitted, target: str, *, left_out: int = 0) -> Ipma:
    """Map what a target construct gains from the constructs that lead to it against how well they do.

    Parameters
    ----------
    fitted : a path model of items whose scales are known: of a survey with a questionnaire, or with ``limits=…``.
    target : an explained construct.
    left_out : respondents who did not answer all items.

    Returns
    -------
    Ipma
        ``importance`` of a construct is its total effect on the target, both on 0–100: points of the target per point
        of the construct. That of an item is its construct's times the item's weight in the index. ``performance`` is
        the mean on 0–100, between the lowest and highest *possible* answer. ``potential`` is importance × (100 −
        performance), the order of ``priority``. A total effect is what goes with a change if the model is right.

    Raises
    ------
    OptionError
        If nothing leads to the target, or the ends of the scales are not known.

    Notes
    -----
    Of constructs that are corrected for attenuation, the effects are those of the constructs themselves, whose standard
    deviation is √ρA times that of their index.
    """
    places = _places(fitted.blocks, target)
    figures, performances = _figures(fitted, fitted.items, fitted.solution, places)
    if not np.isfinite(figures[:, : places.size]).any():
        raise OptionError(
            "ipma needs the ends of the scales: read the survey with a questionnaire, or estimate with "
            "pls(…, limits=(1, 10))."
        )
    # How far each unit moves these figures is not kept: without it, "bca" is "bias-corrected".
    method = "bias-corrected" if fitted.interval == "bca" else fitted.interval
    return Ipma(
        target=target,
        estimates=_estimates(fitted, figures, places, method),
        target_performance=performances[:, places.target],
        by=fitted.by,
        domains=fitted.domains,
        left_out=left_out,
        interval=method,
        notes=_notes(fitted, places),
    )


def _places(blocks: Blocks, target: Any) -> _Places:
    explained = [blocks.constructs[j] for j in np.flatnonzero(blocks.endogenous)]
    check_choice("target", target, explained)
    at = blocks.constructs.index(target)
    leading = np.flatnonzero(blocks.reach[at] > 0)
    return _Places(at, leading, np.flatnonzero(np.isin(blocks.block, leading)))


def _figures(fitted: Fitted, items: ItemMoments, solution: Solution, places: _Places) -> tuple[np.ndarray, np.ndarray]:
    """(…, 3k) importance, performance, potential, and (…, q) performance of all constructs; NaN where not known."""
    blocks, points, scaled = fitted.blocks, fitted.layout.points, fitted.layout.settings.scaled
    with np.errstate(all="ignore"):
        raw = (solution.weights / solution.sd if scaled else solution.weights) / points.slope
        # A composite of variance 1 is an index on 0–100 times the sum of its weights per point.
        spread = np.where(blocks.consistent, np.sqrt(solution.rho_a), 1.0) / blocks.summed(raw)
        effect = solution.total[..., places.target, :] * spread[..., [places.target]] / spread
        shares = index_weights(solution.weights, solution.sd, points, blocks, scaled=scaled)
        means = points.offset + points.slope * items.mean
        performances = performance(items.mean, shares, points, blocks)
        importance = [effect[..., places.constructs], (effect[..., blocks.block] * shares)[..., places.items]]
        scores = [performances[..., places.constructs], means[..., places.items]]
        gains = [one * (FULL - other) for one, other in zip(importance, scores, strict=True)]
    found = np.concatenate([*importance, *scores, *gains], axis=-1)
    known = usable(solution)[..., None]
    return np.where(known, found, np.nan), np.where(known, performances, np.nan)


def _estimates(fitted: Fitted, figures: np.ndarray, places: _Places, method: str) -> Estimates:
    """All figures (D, 3k) of all groups with their joint covariance."""
    own, draws, blocks = fitted.estimates, fitted.draws, fitted.blocks
    size, m = figures.shape
    estimate = figures.ravel()
    vcov = np.full((size * m, size * m), np.nan)
    if draws is not None:
        again, _ = _figures(fitted, draws.items, draws.solution, places)
        draws = replace(draws, figures=again, moves=None)
        found = draws.covariance(figures)
        known = np.isfinite(np.diag(found))
        exact = without_rounding(np.where(np.isfinite(found), found, 0.0), np.nan_to_num(estimate) ** 2)
        vcov = np.where(known[:, None] & known, exact, np.nan)
    owners = [*places.constructs, *blocks.block[places.items]]
    terms = [*(blocks.constructs[j] for j in places.constructs), *(blocks.items[i] for i in places.items)]
    kinds = ["construct"] * len(places.constructs) + ["item"] * len(places.items)
    per = len(own.term) // size
    df = own.df if np.ndim(own.df) == 0 else np.repeat(np.asarray(own.df)[::per], m)
    return Estimates(
        term=tuple(terms) * (3 * size),
        estimate=estimate,
        vcov=vcov,
        df=df,
        n=np.repeat(fitted.layout.n, m),
        n_eff=np.full(size * m, np.nan),
        unit="points",
        provenance=own.provenance,
        level=own.level,
        keys={name: tuple(domain[i] for domain in fitted.domains for _ in range(m)) for i, name in enumerate(fitted.by)}
        | {
            "axis": tuple(np.repeat(list(AXES), places.size).tolist()) * size,
            "kind": tuple(kinds) * (3 * size),
            "construct": tuple(blocks.constructs[j] for j in owners) * (3 * size),
        },
        unavailable=_unavailable(fitted, estimate, np.diag(vcov), m),
        bounds=bounds_of(estimate, vcov, draws, own.level, method),
    )


def _unavailable(fitted: Fitted, estimate: np.ndarray, variance: np.ndarray, m: int) -> dict[int, Unavailable]:
    """Why figures or their standard errors are missing: the reason of the whole group, the scale, or no rows."""
    own = fitted.estimates
    per = len(own.term) // len(fitted.domains)
    found = {}
    for i in np.flatnonzero(~np.isfinite(variance)).tolist():
        if not np.isfinite(own.estimate[i // m * per]):
            found[i] = own.unavailable.get(i // m * per, Unavailable("not_converged"))
        elif not np.isfinite(estimate[i]):
            found[i] = Unavailable("no_points")
        else:
            found[i] = Unavailable("no_rows" if fitted.draws is None else "not_converged")
    return found


def _notes(fitted: Fitted, places: _Places) -> tuple[str, ...]:
    """Items whose weight has the wrong sign: the index is then no mean of their answers."""
    blocks, solution = fitted.blocks, fitted.solution
    at = [*places.items, *blocks.columns(places.target)]
    with np.errstate(invalid="ignore"):
        shares = index_weights(
            solution.weights, solution.sd, fitted.layout.points, blocks, scaled=fitted.layout.settings.scaled
        )
        wrong = np.atleast_1d((shares[:, at] < 0).any(axis=0))
    names = [blocks.items[i] for i, bad in zip(at, wrong, strict=True) if bad]
    if not names:
        return ()
    return (
        f"Weights below 0: {', '.join(map(repr, dict.fromkeys(names)))}. An index with such an item is no mean of its "
        "items and can leave 0–100: reverse the item's scale if it asks the opposite, or leave it out.",
    )

"""`pls_slopes`: how strong an effect is at low, average and high values of the construct that it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.composites.draws import Draws
from csat.composites.fitted import Fitted
from csat.composites.inference import bounds_of
from csat.composites.products import Interaction, Moderated
from csat.errors import OptionError
from csat.moments import shown
from csat.results import Estimates, Shown, Unavailable

_KEYS = ("outcome", "of", "moderator", "at")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Slopes(Shown):
    """Effects of a construct at values of its moderator.

    product : the product, as in the model. of, moderator : its two constructs.
    estimates : (k,) standardized effects of `of`; keys: groups, outcome, of, moderator, ``at`` (standard deviations of
        the moderator from its mean), with their covariance: contrasts of two rows are differences of slopes.
    levels : (k,) standardized effect of the moderator itself, times ``at``: where the line of a row is at the mean of
        `of`.
    """

    product: str
    of: str
    moderator: str
    estimates: Estimates
    levels: np.ndarray

    def tidy(self) -> pd.DataFrame:
        """One row per outcome and value of the moderator (and group): estimate, se, statistic, df, p, low, high."""
        return self.estimates.tidy().drop(columns=["term", "n_eff"])

    def lines(self, ends: Sequence[float] = (-2.0, 2.0)) -> pd.DataFrame:
        """Points of the lines of a plot: group columns, outcome, at, x (`of`) and y (outcome), standardized."""
        keys = pd.DataFrame({name: list(column) for name, column in self.estimates.keys.items()})
        found = [keys.assign(x=float(x), y=self.levels + self.estimates.estimate * float(x)) for x in ends]
        return pd.concat(found, ignore_index=True).drop(columns=["of", "moderator"])

    def glance(self) -> pd.DataFrame:
        """One row: the product, its constructs, level of the intervals, and where they come from."""
        made = self.estimates.provenance
        facts = {"product": self.product, "of": self.of, "moderator": self.moderator, "level": self.estimates.level}
        facts |= {"sample": made.sample, "variance": made.variance, "version": made.version}
        return pd.DataFrame([facts])


def pls_slopes(
    result: Fitted, product: str | None = None, *, of: str | None = None, at: Sequence[float] = (-1.0, 0.0, 1.0)
) -> Slopes:
    """Effects of a construct at values of the one that it is multiplied with (simple slopes).

    Parameters
    ----------
    result : of `csat.pls` with a product of constructs, such as ``loyalty ~ image + quality + image:quality``.
    product : which, as written in the model; None: the only one.
    of : whose effect; None: that of the construct written first. The other one is the moderator.
    at : values of the moderator, in standard deviations from its mean.

    Returns
    -------
    Slopes
        Of every outcome that the product explains directly. Effects of other products are at the mean of theirs.

    Raises
    ------
    OptionError
        If the model has no such product or construct, or the values are no distinct numbers.

    Notes
    -----
    A slope is b + at·c, with the effect b of the construct and c of the product. With interaction="two-stage" this is
    the model; with products of items it is the usual approximation.
    Source: Aiken & West (1991), Multiple Regression: Testing and Interpreting Interactions, ch. 2.
    """
    layout = result.layout if isinstance(result, Fitted) else None
    if not isinstance(layout, Moderated):
        raise OptionError(
            "Slopes need a path model with a product, such as 'loyalty ~ image + quality + image:quality'; "
            f"found {'a model without one' if layout is not None else shown(result)}."
        )
    chosen = _chosen(layout, product)
    focus = chosen.factors[0] if of is None else of
    if not isinstance(focus, str) or focus not in chosen.factors:
        raise OptionError.choose("of", shown(of), chosen.factors)
    moderator = next(name for name in chosen.factors if name != focus)
    values = _values(at)
    clash = [name for name in result.by if name in _KEYS]
    if clash:
        raise OptionError(f"The grouping column {clash[0]!r} has the name of a column of this result; rename it.")
    outcomes = [lhs for kind, lhs, rhs in layout.keys if kind == "path" and rhs == chosen.name]
    keys = list(layout.keys)
    slopes = np.zeros((len(outcomes) * len(values), len(keys)))
    shift = np.zeros_like(slopes)
    for row, (outcome, value) in enumerate((outcome, value) for outcome in outcomes for value in values):
        slopes[row, keys.index(("path", outcome, focus))] = 1.0
        slopes[row, keys.index(("path", outcome, chosen.name))] = value
        shift[row, keys.index(("path", outcome, moderator))] = value
    names = [(outcome, focus, moderator, value) for outcome in outcomes for value in values]
    found = _estimates(result, slopes, names)
    return Slopes(chosen.name, focus, moderator, found, _applied(result.estimates.estimate, shift).ravel())


def _chosen(layout: Moderated, product: Any) -> Interaction:
    named = {each.name: each for each in layout.products}
    if product is None and len(named) == 1:
        return layout.products[0]
    if not isinstance(product, str) or product not in named:
        raise OptionError.choose("product", product, named)
    return named[product]


def _values(at: Any) -> list[float]:
    fault = OptionError(f"at={shown(at)}: values of the moderator are distinct numbers, e.g. at=(-1, 0, 1).")
    if isinstance(at, str | bytes) or not isinstance(at, Sequence | np.ndarray):
        raise fault
    try:
        found = [float(value) for value in at]
    except (TypeError, ValueError):
        raise fault from None
    if not found or not np.isfinite(found).all() or len(set(found)) < len(found):
        raise fault
    return found


def _applied(figures: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(…, D, k) linear combinations of the figures (…, D·m) or (…, D, m); what is not used may be NaN."""
    used = rows.any(axis=0)
    cells = figures.reshape(*figures.shape[:-1], -1, rows.shape[1]) if figures.ndim == 1 else figures
    return cells[..., used] @ rows[:, used].T


def _estimates(result: Fitted, rows: np.ndarray, names: list[tuple[str, str, str, float]]) -> Estimates:
    own = result.estimates
    figures = _applied(own.estimate, rows)
    size, k = figures.shape
    used = np.flatnonzero(rows.any(axis=0))
    cells = (np.arange(size)[:, None] * rows.shape[1] + used).ravel()
    turn = np.kron(np.eye(size), rows[:, used])
    vcov = own.vcov[np.ix_(cells, cells)]
    known = np.isfinite(vcov)
    spread = turn @ np.where(known, vcov, 0.0) @ turn.T
    lost = (np.abs(turn) @ (~np.diag(known)).astype(float)) > 0
    vcov = np.where(lost[:, None] | lost, np.nan, spread)
    first = np.arange(size).repeat(k) * rows.shape[1] + used[0]
    df = own.df if np.ndim(own.df) == 0 else np.asarray(own.df)[first]
    draws, method = _of_draws(result.draws, rows), result.interval
    if method == "bca" and (draws is None or draws.moves is None):
        method = "bias-corrected"
    faults = {i: own.unavailable.get(int(at), Unavailable("not_identified")) for i, at in enumerate(first) if lost[i]}
    groups = {name: tuple(own.keys[name][at] for at in first) for name in result.by}
    return Estimates(
        term=tuple(f"{of} → {outcome} at {value:g} SD of {by}" for outcome, of, by, value in names) * size,
        estimate=figures.ravel(),
        vcov=vcov,
        df=df,
        n=own.n[first],
        n_eff=np.full(size * k, np.nan),
        unit="standardized",
        provenance=own.provenance,
        level=own.level,
        null=0.0,
        keys=groups | {key: tuple(name[i] for name in names) * size for i, key in enumerate(_KEYS)},
        unavailable=faults,
        bounds=bounds_of(figures.ravel(), vcov, draws, own.level, method),
    )


def _of_draws(draws: Draws | None, rows: np.ndarray) -> Draws | None:
    if draws is None:
        return None
    moves = None if draws.moves is None else _applied(draws.moves, rows)
    return replace(draws, figures=_applied(draws.figures, rows), moves=moves)

"""From figures of a sample and of its replicates to `Estimates` with one joint covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from csat.composites.draws import Draws
from csat.composites.figures import Layout
from csat.errors import OptionError, check_choice
from csat.replicates.intervals import QUANTILES, acceleration_of, interval_of
from csat.results import Estimates, Provenance, Unavailable, without_rounding

#: How intervals come about: quantiles of draws, estimate ± z·se, estimate ± t·se.
INTERVALS = (*QUANTILES, "normal", "t")


def check_interval(method: str, draws: Draws | None) -> None:
    """Refuse intervals that the replicates at hand do not give."""
    check_choice("interval", method, INTERVALS)
    if method in QUANTILES and draws is not None and not draws.drawn:
        raise OptionError(
            f"interval={method!r} needs draws of a bootstrap; these replicates ({draws.words}) give 't' or 'normal'."
        )
    if method == "bca" and draws is not None and draws.moves is None:
        raise OptionError("interval='bca' needs the jackknife as well: ask for it in pls(…, interval='bca').")


def bounds_of(
    estimate: np.ndarray, vcov: np.ndarray, draws: Draws | None, level: float, method: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """(k,) lower and (k,) upper ends of intervals; None: estimate ± t·se, or there are no replicates.

    Parameters
    ----------
    estimate : (k,) figures of all groups. vcov : (k, k). draws : with the same figures. method : of `INTERVALS`.
    """
    if draws is None or method == "t":
        return None
    se = np.sqrt(np.diag(vcov))
    if method == "normal":
        from scipy.special import ndtri

        half = float(ndtri((1 + level) / 2)) * se
        return estimate - half, estimate + half
    flat = np.where(draws.used[..., None], draws.figures, np.nan).reshape(len(draws.figures), -1)
    skewed = np.zeros(len(estimate))
    if method == "bca" and draws.moves is not None:
        skewed = acceleration_of(np.nan_to_num(draws.moves.reshape(len(draws.moves), -1)), draws=False)
    low, high = interval_of(flat, estimate, level, method, skewed)
    known = np.isfinite(se)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def estimates_of_groups(
    layout: Layout, figures: np.ndarray, draws: Draws | None, domains: Sequence[tuple[str, ...]], by: Sequence[str],
    df: np.ndarray, faults: Mapping[int, Unavailable], sample: str, level: float, method: str,
) -> Estimates:  # fmt: skip
    """Figures (D, m) of all groups, group by group, with their joint covariance."""
    size, m = figures.shape
    estimate = figures.ravel()
    vcov = np.full((size * m, size * m), np.nan)
    if draws is not None:
        found = draws.covariance(figures)
        known = np.isfinite(np.diag(found))
        exact = without_rounding(np.where(np.isfinite(found), found, 0.0), np.nan_to_num(estimate) ** 2)
        vcov = np.where(known[:, None] & known, exact, np.nan)
    return Estimates(
        term=tuple(lhs if not rhs else f"{lhs} {_OPERATORS[kind]} {rhs}" for kind, lhs, rhs in layout.keys) * size,
        estimate=estimate,
        vcov=vcov,
        df=np.repeat(df, m) if by else float(df[0]),
        n=np.repeat(layout.n, m),
        n_eff=np.full(size * m, np.nan),
        unit="standardized",
        provenance=Provenance(sample, "none" if draws is None else f"{draws.words}, {len(draws.used)} replicates"),
        level=level,
        null=0.0,
        keys={name: tuple(domain[i] for domain in domains for _ in range(m)) for i, name in enumerate(by)}
        | {name: tuple(key[i] for key in layout.keys) * size for i, name in enumerate(("kind", "lhs", "rhs"))},
        unavailable=_unavailable(layout, estimate, np.diag(vcov), df, faults, no_rows=draws is None),
        bounds=bounds_of(estimate, vcov, draws, level, method),
    )


_OPERATORS = {"weight": "<~", "loading": "=~", "path": "~", "total": "~", "indirect": "~"}


def _unavailable(
    layout: Layout, estimate: np.ndarray, variance: np.ndarray, df: np.ndarray, faults: Mapping[int, Unavailable],
    *, no_rows: bool,
) -> dict[int, Unavailable]:  # fmt: skip
    """Why figures, their standard errors or intervals are missing."""
    m = len(layout.keys)
    found = {i: Unavailable("df_zero") for i in range(len(estimate)) if df[i // m] < 1}
    for i in np.flatnonzero(~np.isfinite(variance)).tolist():
        figure = np.isfinite(estimate[i])
        found[i] = Unavailable("no_rows" if figure and no_rows else "not_converged" if figure else "not_identified")
        if not figure and layout.keys[i % m][0] == "performance":
            found[i] = Unavailable("no_points")
    return found | {d * m + i: fault for d, fault in faults.items() for i in range(m)}


def part_of(estimates: Estimates, rows: np.ndarray, unit: str) -> Estimates:
    """Some rows of estimates, with their covariance."""
    at = np.flatnonzero(rows)
    df = estimates.df if np.ndim(estimates.df) == 0 else np.asarray(estimates.df)[at]
    place = {int(old): new for new, old in enumerate(at)}
    return Estimates(
        term=tuple(estimates.term[i] for i in at),
        estimate=estimates.estimate[at],
        vcov=estimates.vcov[np.ix_(at, at)],
        df=df,
        n=estimates.n[at],
        n_eff=estimates.n_eff[at],
        unit=unit,
        provenance=estimates.provenance,
        level=estimates.level,
        null=None if unit == "points" else estimates.null,
        keys={name: tuple(column[i] for i in at) for name, column in estimates.keys.items()},
        unavailable={place[i]: why for i, why in estimates.unavailable.items() if i in place},
        bounds=None if estimates.bounds is None else (estimates.bounds[0][at], estimates.bounds[1][at]),
    )

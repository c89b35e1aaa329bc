"""Peers that are only known from print: published means, with or without a spread and a base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from csat.comparisons.result import Gaps
from csat.errors import OptionError, SampleError, UnknownColumnError
from csat.moments import as_names, shown
from csat.questionnaire import Questionnaire
from csat.results import Estimates, Provenance, Unavailable

FIGURES = ("mean", "sd", "n")


def of_table(
    table: pd.DataFrame, against: str | pd.DataFrame, own: str | Sequence[str] | None,
    weights: Mapping[str, float] | None, level: float, adjust: str, margin: float,
) -> Gaps:  # fmt: skip
    """Gaps within one published table: a row per term, a column per group, no intervals."""
    if not isinstance(against, str):
        raise OptionError("Within one published table against= is the label of a column, not another table.")
    names = [str(name) for name in table.select_dtypes("number").columns]
    _no_twins(names)
    scores = table.select_dtypes("number").set_axis(names, axis=1)
    mine = [name for name in names if name != against] if own is None else list(as_names(own, "own"))
    for label in [against, *mine]:
        if label not in names:
            raise UnknownColumnError(
                f"No group {label!r} in the published table; its groups are {', '.join(map(repr, names))}."
            )
    if not mine or against in mine:
        raise OptionError(f"The published table has no group besides {against!r} to compare with it.")
    terms = [str(term) for term in table.index]
    if weights is not None:
        scores = pd.concat([scores, _composite(scores, terms, weights)])
        terms.append("composite")
    first = np.concatenate([scores[label].to_numpy(float) for label in mine])
    second = np.tile(scores[against].to_numpy(float), len(mine))
    size = len(first)
    estimates = Estimates(
        term=tuple(terms) * len(mine),
        estimate=first - second,
        vcov=np.full((size, size), np.nan),
        df=np.inf,
        n=np.full(size, np.nan),
        n_eff=np.full(size, np.nan),
        unit="points",
        provenance=Provenance("published", "none"),
        level=level,
        null=0.0,
        keys={"group": tuple(label for label in mine for _ in terms)},
        unavailable=dict.fromkeys(range(size), Unavailable("no_uncertainty")),
    )
    return Gaps(estimates, first, second, np.full(size, np.nan), against, adjust, margin)


def _composite(scores: pd.DataFrame, terms: Sequence[str], weights: Mapping[str, float]) -> pd.DataFrame:
    if not isinstance(weights, Mapping | pd.Series):
        raise OptionError(f"weights is a table term → weight; found {shown(weights)}.")
    weights = dict(weights)
    if set(weights) != set(terms):
        odd = sorted(map(str, set(weights) ^ set(terms)))
        raise SampleError(
            f"weights and rows of the published table must match; they differ at {', '.join(map(repr, odd))}."
        )
    try:
        share = np.array([weights[term] for term in terms], float)
    except (TypeError, ValueError):
        raise SampleError("weights must be numbers, one per row of the published table.") from None
    if (share < 0).any() or not abs(share.sum() - 1) <= 1e-9:
        raise SampleError(f"weights must be zero or more and sum to 1; they sum to {share.sum():g}.")
    return pd.DataFrame(share @ scores.to_numpy(float)[None], columns=scores.columns, index=["composite"])


def _no_twins(names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SampleError(f"The published figures have {twice!r} twice.")


def against_figures(
    own: Estimates,
    published: pd.DataFrame,
    nodes: Sequence[str],
    asked: Questionnaire,
    keys: Mapping[str, tuple[Any, ...]],
    adjust: str,
    margin: float,
) -> Gaps:
    """Gaps of estimated nodes to published ones.

    The peer's variance is sd²/n; degrees of freedom combine both (Welch–Satterthwaite). Published figures of
    different nodes are taken as unrelated: only the diagonal of the peer's covariance is known.
    """
    figures = _figures(published, nodes, asked)
    times = len(own.term) // len(nodes)
    peer, sd, n = (np.tile(figures[name].to_numpy(float), times) for name in FIGURES)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = sd**2 / n
        own_variance = np.diag(own.vcov)
        df = (own_variance + variance) ** 2 / (own_variance**2 / own.df + variance**2 / (n - 1))
    unknown = np.isnan(variance) | np.isnan(own_variance)
    vcov = own.vcov + np.diag(np.where(unknown, 0.0, variance))
    vcov[unknown, :] = vcov[:, unknown] = np.nan
    reasons = {
        int(i): own.unavailable.get(int(i), Unavailable("no_answers" if np.isnan(peer[i]) else "no_uncertainty"))
        for i in np.flatnonzero(unknown)
    }
    gap = replace(
        own,
        estimate=own.estimate - peer,
        vcov=vcov,
        df=np.where(np.isfinite(df), df, own.df),
        n_eff=np.full(len(peer), np.nan),
        null=0.0,
        keys=dict(keys),
        unavailable=reasons,
    )
    return Gaps(gap, own.estimate, peer, n, "published", adjust, margin)


def _figures(published: pd.DataFrame, nodes: Sequence[str], asked: Questionnaire) -> pd.DataFrame:
    _no_twins([str(name) for name in published.columns])
    if "mean" not in published.columns:
        raise SampleError(
            "A table of published figures needs the column 'mean' (and, if known, 'sd' and 'n'); "
            f"found {list(published.columns)}."
        )
    strange = [str(node) for node in published.index if node not in asked.nodes]
    if strange:
        raise UnknownColumnError.among(strange[0], list(asked.nodes), "the index tree")
    _no_twins([str(node) for node in published.index])
    figures = published.reindex(index=list(nodes), columns=list(FIGURES)).apply(pd.to_numeric, errors="coerce")
    if (figures["sd"] < 0).any() or (figures["n"] < 2).any():
        raise SampleError("Published figures: sd must be 0 or more and n at least 2, or empty where unknown.")
    return figures

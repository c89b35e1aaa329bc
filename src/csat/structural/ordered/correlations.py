"""`polychoric`: correlations of the normal variables behind answers on ordered scales, with thresholds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import CsatWarning, OptionError
from csat.moments import Source, as_names, group_names, source_of
from csat.results import Estimates, Provenance, Shown, Unavailable, check_level
from csat.structural.ordered.categories import Items, doubts_of_items, items_of, names_among
from csat.structural.ordered.influence import certainty
from csat.structural.ordered.ordinal import doubts_of, notes_of, place_of
from csat.structural.ordered.responses import Behind, Responses, responses
from csat.structural.uncertainty.gamma import drawn_singly
from csat.variance import method_of

_KINDS = np.array(["polychoric", "polyserial", "pearson"])


class PerfectCorrelationWarning(CsatWarning):
    """Two items of which one tells the other: their latent correlation is ±1."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Polychoric(Shown):
    """Thresholds and correlations of latent responses.

    estimates : thresholds "x1 | t1" of every ordered item, then correlations "x1 ~~ x2", group by group; the key
        `kind` says "threshold", "polychoric", "polyserial" or "pearson". Joint covariance over all of them.
    names : (p,) variables. answers : (p,) answers of each ordered item, between which its thresholds lie in order;
        empty for a continuous variable.
    groups : (D,) labels. correlations : (D,) of (p, p). sizes : (D,) respondents.
    empty : (D,) pairs of categories of two items that nobody combines.
    notes : doubts, as warned of. left_out : respondents without an answer to one of the items.
    """

    estimates: Estimates
    names: tuple[str, ...]
    answers: tuple[tuple[Any, ...], ...]
    groups: tuple[tuple[str, ...], ...]
    correlations: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]
    empty: tuple[int, ...]
    notes: tuple[str, ...]
    left_out: int

    def tidy(self) -> pd.DataFrame:
        """One row per threshold and correlation: term, kind, grouping columns, estimate, se, statistic, df, p …."""
        return self.estimates.tidy()

    def matrix(self, *group: str) -> pd.DataFrame:
        """(p, p) correlations of a group, named by its label in each grouping column; of the first without a name."""
        if group and group not in self.groups:
            raise OptionError.choose("group", " × ".join(group), [" × ".join(known) for known in self.groups])
        found = self.correlations[self.groups.index(group) if group else 0]
        return pd.DataFrame(found, list(self.names), list(self.names))

    def glance(self) -> pd.DataFrame:
        """One row: variables, respondents, those left out, the smallest eigenvalue, and empty pairs of categories."""
        least = min(float(np.linalg.eigvalsh(matrix)[0]) for matrix in self.correlations)
        found = {
            "variables": len(self.names), "groups": len(self.groups), "n": sum(self.sizes), "left_out": self.left_out,
            "smallest_eigenvalue": least, "empty_cells": sum(self.empty), "level": self.estimates.level,
            "sample": self.estimates.provenance.sample, "variance": self.estimates.provenance.variance,
            "version": self.estimates.provenance.version,
        }  # fmt: skip
        return pd.DataFrame([found])

    def __repr__(self) -> str:
        return "\n".join([Shown.__repr__(self), *(f"Note: {note}" for note in self.notes)])


def polychoric(
    source: Source,
    names: str | Sequence[str] | None = None,
    *,
    continuous: str | Sequence[str] = (),
    by: str | Sequence[str] = (),
    level: float = 0.95,
) -> Polychoric:
    """Correlate what stands behind answers on ordered scales: normal variables cut into categories.

    Parameters
    ----------
    source : a survey. Respondents with an answer to all of the variables count.
    names : two or more variables; None: all items of the questionnaire.
    continuous : those of them that are measurements, not ordered categories. Their correlations with ordered items
        are polyserial, with each other Pearson's.
    by : grouping columns.
    level : of the intervals, between 0 and 1.

    Returns
    -------
    Polychoric
        A correlation of ±1, where no answer to one item contradicts the other, has no standard error.

    Raises
    ------
    OptionError, UnknownColumnError
        If names are missing or unknown.
    SampleError
        If an item has one category, more than 12, or none in a group; if the source has no rows.

    Warns
    -----
    SparseCategoryWarning
        If a category has fewer than 5 answers.
    PerfectCorrelationWarning, IndefiniteCorrelationWarning
        If correlations are ±1, or contradict each other.
    KurtosisWarning
        If a continuous variable is far from normal: these standard errors take it as normal.

    Notes
    -----
    Maximum likelihood in two steps: thresholds from the margins, each correlation from its pair of items given them
    (Olsson 1979, Psychometrika 44(4), 443–460; with continuous variables Olsson, Drasgow & Dorans 1982, ibid. 47(3)).
    A table of two-category items with one empty cell gets ½ there; larger tables are taken as they are. The joint
    covariance follows Muthén (1984) and the design of the survey. Weighted answers count by their weights.
    """
    source = source_of(source)
    check_level(level)
    wanted = _wanted(source, names)
    measured = names_among(as_names(continuous, "continuous"), wanted, "continuous")
    items = items_of(source, wanted, [name for name in wanted if name not in measured], group_names(by))
    behind = responses(source, items, group_names(by))
    sure = certainty(source, behind)
    raised = [*doubts_of_items(items), *_perfect(behind), *doubts_of(behind, sure.kurtosis)]
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=2)
    return Polychoric(
        estimates=_estimates(behind, sure.joint, level),
        names=items.names,
        answers=items.answers,
        groups=behind.summed.domains,
        correlations=tuple(part.corr for part in behind.parts),
        sizes=tuple(part.counts.n for part in behind.parts),
        empty=tuple(int(part.counts.empty.sum()) for part in behind.parts),
        notes=(*(text for _, text in raised), *notes_of(behind)),
        left_out=behind.summed.incomplete,
    )


def _wanted(source: Source, names: str | Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        if source.questionnaire is None:
            raise OptionError(
                "Name the items to correlate, polychoric(source, ['q1', 'q2', …]): no questionnaire does."
            )
        return tuple(source.questionnaire.codes)
    found = as_names(names, "names")
    if len(found) < 2 or len(set(found)) < len(found):
        raise OptionError(f"names: two or more different variables are needed; found {list(found)}.")
    return found


def _perfect(behind: Behind) -> list[tuple[type[CsatWarning], str]]:
    found: list[tuple[type[CsatWarning], str]] = []
    for domain, part in zip(behind.summed.domains, behind.parts, strict=True):
        i, j = np.nonzero(np.triu(np.abs(part.corr) >= 1.0, 1))
        pairs = ", ".join(f"{behind.items.names[a]} and {behind.items.names[b]}" for a, b in zip(i, j, strict=True))
        text = f"No answer to one contradicts the other{place_of(domain)}: {pairs} correlate at ±1, without an SE."
        found += [(PerfectCorrelationWarning, text)] if len(i) else []
    return found


def _estimates(behind: Behind, vcov: np.ndarray, level: float) -> Estimates:
    """Thresholds and correlations of all groups, with the joint covariance."""
    cuts, _, _, pairs = behind.places
    q = pairs.stop
    own = np.r_[np.arange(cuts.stop), np.arange(pairs.start, pairs.stop)]
    kept = (np.arange(len(behind.parts))[:, None] * q + own).ravel()
    terms, kinds = _terms(behind.items)
    values = [_values(part) for part in behind.parts]
    groups = behind.summed
    labels = {name: tuple(domain[at] for domain in groups.domains for _ in own) for at, name in enumerate(groups.by)}
    flat = vcov.reshape(len(behind.parts) * q, -1)[np.ix_(kept, kept)]
    sizes = np.repeat([part.counts.n for part in behind.parts], len(own))
    return Estimates(
        term=terms * len(behind.parts),
        estimate=np.concatenate(values),
        vcov=flat,
        df=np.inf if drawn_singly(groups) else groups.df,
        n=sizes,
        n_eff=np.full(len(kept), np.nan),
        unit="scale",
        provenance=Provenance("listwise", "respondents" if drawn_singly(groups) else method_of(groups)),
        level=level,
        null=0.0,
        keys={"kind": kinds * len(behind.parts), **labels},
        unavailable={int(at): Unavailable("perfect_correlation") for at in np.flatnonzero(np.isnan(np.diag(flat)))},
    )


def _values(part: Responses) -> np.ndarray:
    return np.concatenate([*part.thresholds, part.corr[np.triu_indices(len(part.corr), 1)]])


def _terms(items: Items) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and kinds of the thresholds and correlations."""
    i, j = np.triu_indices(len(items.names), 1)
    cuts = [f"{items.names[at]} | t{k + 1}" for at in items.ordered for k in range(len(items.answers[at]) - 1)]
    pairs = [f"{items.names[a]} ~~ {items.names[b]}" for a, b in zip(i, j, strict=True)]
    kinds = _KINDS[np.isin(i, items.continuous).astype(int) + np.isin(j, items.continuous)].tolist()
    return (*cuts, *pairs), (*["threshold"] * len(cuts), *kinds)

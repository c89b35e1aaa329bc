"""The satisfaction index: every node of the item → dimension → index tree on 0–100, with its standard error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.moments import Source, group_names
from csat.questionnaire import Questionnaire
from csat.results import Estimates, Shown, insert_before
from csat.scoring import node_keys, nodes_of, score_items, tree_of
from csat.variance import by_domain, estimated_means


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index(Shown):
    """The index tree of each group.

    estimates : a row per group and node, in points of 0–100, with key columns for the groups, ``kind``
        ("index", "dimension", "item") and ``depth`` (0 at the root).
    sd : (k,) standard deviation of single respondents' item scores, NaN for nodes above the items:
        small means that customers agree, large that they dispute the item.
    ungrouped : respondents who belong to no group.
    """

    estimates: Estimates
    sd: np.ndarray
    ungrouped: int

    def tidy(self) -> pd.DataFrame:
        """A row per group and node; ``sd`` stands before the ``note``."""
        return insert_before(self.estimates.tidy(), "note", {"sd": self.sd})

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(ungrouped=self.ungrouped)


def index(
    source: Source,
    by: str | Sequence[str] | None = None,
    *,
    nodes: Sequence[str] | None = None,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> Index:
    """Compute the index, its dimensions and items.

    An item's score is the weighted mean of its answers on 0–100; a node's score is the weighted mean of its
    children. Each item uses everyone who answered it; standard errors use the joint covariance of all items
    and the sampling design. Of thousands of groups only the covariance within each group is kept
    (`csat.within.WithinGroups`): everything but comparisons between groups works as ever.

    Parameters
    ----------
    source : a survey, or a summary together with `questionnaire`.
    by : grouping columns (branch, brand, quarter …); a tree per group.
    nodes : codes to report; None: the whole tree, parents before children.
    level : of the intervals, between 0 and 1.
    questionnaire : needed if the source has none.

    Returns
    -------
    Index
        ``tidy()`` columns: term, the grouping columns, kind, depth, estimate … n, n_eff, sd, note. The base `n` of
        a node is the smallest number of answers among its items.

    Raises
    ------
    OptionError
        For arguments that make no sense.
    UnknownItemError, QuestionnaireError
        For a node outside the tree, or a study without one.
    """
    asked = tree_of(source, questionnaire)
    wanted = nodes_of(asked, nodes)
    matrix = asked.tree_matrix(wanted)
    items = score_items(asked)
    groups, found, combined = estimated_means(
        source, items.variables, group_names(by), matrix * items.slope, matrix @ items.offset
    )
    estimates = by_domain(combined, groups, wanted, "points", level, node_keys(asked, wanted, len(groups.domains)))
    return Index(estimates, _item_sd(asked, wanted, found.spread, found.n, items.slope), groups.ungrouped)


def _item_sd(
    asked: Questionnaire, nodes: Sequence[str], spread: np.ndarray, n: np.ndarray, slope: np.ndarray
) -> np.ndarray:
    place = {leaf: i for i, leaf in enumerate(asked.leaves)}
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.diagonal(spread, axis1=1, axis2=2) * n / (n - 1) * slope**2
    sd = np.sqrt(np.where(n > 1, variance, np.nan))
    empty = np.full(len(sd), np.nan)
    return np.stack([sd[:, place[node]] if node in place else empty for node in nodes], axis=1).ravel()

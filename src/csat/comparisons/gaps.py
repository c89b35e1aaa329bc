"""Gap tables: own minus peer for every node of the index tree, from answers or from published figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from csat.comparisons.peers import against_figures, of_table
from csat.comparisons.result import Gaps
from csat.errors import OptionError, UnknownColumnError
from csat.moments import Groups, Source, as_names, check_size, group_names, shown, source_of
from csat.questionnaire import Questionnaire
from csat.scoring import node_keys, nodes_of, score_items, tree_of
from csat.totals import union_means
from csat.variance import by_domain, combine

#: Words for a peer that is made of several groups.
EVERYONE, OTHERS = "all", "others"


def gaps(
    source: Source | pd.DataFrame,
    by: str | None = None,
    against: str | pd.DataFrame | None = None,
    *,
    own: str | Sequence[str] | None = None,
    nodes: Sequence[str] | None = None,
    adjust: str = "holm",
    margin: float = 2.0,
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> Gaps:
    """Compare groups with a peer, node by node of the index tree.

    Parameters
    ----------
    source : a survey or summary; or a table of published scores, one row per term and one column per group.
    by : column that holds own group and peer (branch, quarter …); not used with a published table. None with a table
        `against`: everyone in the survey is the own group.
    against : the peer's label in `by`; "all" (everyone, the own group too: a branch within its company); "others"
        (everyone but the own group); or a table of published figures, indexed by node, with the columns mean and, if
        known, sd and n.
    own : the groups to compare; None: all but the peer.
    nodes : codes to compare; None: the whole tree.
    adjust : correction of p for the number of rows: "holm", "bh" (Benjamini–Hochberg) or "none".
    margin : gaps surely within ± this many points are "equivalent".
    weights : term → weight, for a published table only: adds a row ``composite``, the weighted mean of the rows.
    level : of the intervals (each on its own) and of the verdict.
    questionnaire : needed if the source has none.

    Returns
    -------
    Gaps
        From answers: gap, standard error through the joint covariance of both groups, t interval, p, adjusted p,
        verdict. Overlap needs no care: a peer that contains the own group, and respondents who rate several brands
        (declare the respondent as the sampling unit, `Design(psu=…)`), enter through their covariance. Published
        means without sd and n: the gap alone, with the reason why there is no interval.

    Raises
    ------
    UnknownColumnError
        If `against` or `own` is none of the groups, naming those that exist.
    OptionError, SampleError
        If arguments or published figures do not fit together.
    """
    if against is None:
        raise OptionError("gaps needs against=…: the label of the peer to compare with.")
    if not isinstance(against, str | pd.DataFrame):
        raise OptionError(f"against is a group's label or a table of published figures; found {shown(against)}.")
    if isinstance(source, pd.DataFrame) and by is None:
        return of_table(source, against, own, weights, level, adjust, margin)
    answers = source_of(source)
    if weights is not None:
        raise OptionError("weights= is for published tables; a survey has its design and its index tree for that.")
    groupers = group_names(by)
    if len(groupers) != 1 and (groupers or isinstance(against, str)):
        raise OptionError("gaps needs by=…: the one column that tells own group and peer apart, e.g. by='branch'.")
    asked = tree_of(answers, questionnaire)
    wanted = nodes_of(asked, nodes)
    items, matrix = score_items(asked), asked.tree_matrix(wanted)
    groups = answers.groups(items.variables, groupers, "available")
    check_size(groupers, groups.domains, 2 * len(items.variables))
    labels = [label[0] if label else EVERYONE for label in groups.domains]
    mine = _own(own, against, labels, *groupers)
    peers = [_peer(against, label, labels) for label in mine] if isinstance(against, str) else []
    unions = [[labels.index(label)] for label in mine] + peers
    found = combine(union_means(groups, unions), matrix * items.slope, matrix @ items.offset)
    estimates = by_domain(found, _renamed(groups, len(unions)), wanted, "points", level)
    keys: dict[str, tuple[Any, ...]] = {name: tuple(label for label in mine for _ in wanted) for name in groupers}
    keys |= node_keys(asked, wanted, len(mine))
    size = len(mine) * len(wanted)
    if not isinstance(against, str):
        return against_figures(estimates, against, wanted, asked, keys, adjust, margin)
    contrast = np.hstack([np.eye(size), -np.eye(size)])
    gap = replace(estimates.contrast(contrast, wanted * len(mine), keys), n=estimates.n[:size])
    own_scores, peer_scores = np.split(estimates.estimate, 2)
    return Gaps(gap, own_scores, peer_scores, estimates.n[size:], against, adjust, margin)


def _renamed(groups: Groups, size: int) -> Groups:
    """Groups whose domains are numbered: unions have no labels of their own."""
    return replace(groups, by=(), domains=tuple((str(i),) for i in range(size)))


def _peer(against: str, label: str, labels: Sequence[str]) -> list[int]:
    if against in labels:
        return [labels.index(against)]
    return [i for i, other in enumerate(labels) if against == EVERYONE or other != label]


def _own(
    own: str | Sequence[str] | None, against: str | pd.DataFrame, labels: Sequence[str], by: str | None = None
) -> list[str]:
    peer = against if isinstance(against, str) else ""
    mine = [label for label in labels if label != peer] if own is None else as_names(own, "own")
    where = f"column {by!r}" if by else "the survey"
    known = [*labels, EVERYONE, OTHERS]
    for label in [*mine, *([peer] if peer else [])]:
        if label not in (known if label == peer else labels):
            raise UnknownColumnError(f"No group {label!r} in {where}; its groups are {', '.join(map(repr, labels))}.")
    if peer in mine:
        raise OptionError(f"own and against are both {peer!r}: a group has no gap to itself.")
    if not mine or (peer == OTHERS and len(labels) < 2):
        raise OptionError(f"{where} has only the group {labels[0]!r}: nothing to compare it with.")
    return list(mine)

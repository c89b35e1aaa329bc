"""Gap tables: own minus peer for every node of the index tree, from answers or from published figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError, UnknownColumnError
from csat.moments import Source, as_names
from csat.questionnaire import Questionnaire
from csat.results import Estimates, Provenance, Shown, Unavailable, insert_before
from csat.scoring import node_keys, score_items, tree_of
from csat.variance import by_domain, combine, means


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Gaps(Shown):
    """Own minus peer.

    estimates : the gaps, with their joint covariance; null 0.
    own, peer : (k,) the two figures of each gap, in points. n_peer : (k,) base of the peer.
    against : label of the peer.
    """

    estimates: Estimates
    own: np.ndarray
    peer: np.ndarray
    n_peer: np.ndarray
    against: str

    def tidy(self) -> pd.DataFrame:
        """A row per gap: the two figures stand before the gap, the peer's base after the own one."""
        frame = insert_before(self.estimates.tidy(), "estimate", {"own": self.own, "peer": self.peer})
        return insert_before(frame, "n_eff", {"n_peer": self.n_peer})

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(against=self.against)


def gaps(
    source: Source | pd.DataFrame,
    by: str | None = None,
    against: str | None = None,
    *,
    own: str | Sequence[str] | None = None,
    nodes: Sequence[str] | None = None,
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> Gaps:
    """Compare groups with one peer, node by node of the index tree.

    Parameters
    ----------
    source : a survey or summary; or a table of published scores, one row per term and one column per group.
    by : column that holds own group and peer (branch, operator); not used with a published table.
    against : the peer's label (or column of the published table).
    own : the groups to compare with it; None: all others.
    nodes : codes to compare; None: the whole tree.
    weights : term → weight, for a published table only: adds a row ``composite``, the weighted mean of the rows.
    level : of the intervals.
    questionnaire : needed if the source has none.

    Returns
    -------
    Gaps
        From answers: gap, standard error through the joint covariance of both groups, t interval and p.
        From published means: the gap alone, with the reason why there is no interval.

    Raises
    ------
    UnknownColumnError
        If `against` or `own` is none of the groups, naming those that exist.
    OptionError
        If an argument is missing, or `own` and `against` are the same.
    """
    if against is None:
        raise OptionError("gaps needs against=…: the label of the peer to compare with.")
    if isinstance(source, pd.DataFrame):
        return _published(source, against, own, weights, level)
    if by is None:
        raise OptionError("gaps needs by=…: the column that tells own group and peer apart, e.g. by='branch'.")
    if weights is not None:
        raise OptionError(
            "weights= is for published tables; a survey takes its weights from the design and the index tree."
        )
    asked = tree_of(source, questionnaire)
    wanted = asked.nodes if nodes is None else tuple(nodes)
    groups = source.groups(score_items(asked).variables, as_names(by), "available")
    labels = [label for (label,) in groups.domains]
    mine = _own_labels(own, against, labels, f"column {by!r}")
    items, matrix = score_items(asked), asked.tree_matrix(wanted)
    found = combine(means(groups), matrix * items.slope, matrix @ items.offset)
    nodes_of_groups = by_domain(found, groups, wanted, "points", level)
    size, peer = len(wanted), labels.index(against) * len(wanted)
    first = np.concatenate([labels.index(label) * size + np.arange(size) for label in mine])
    second = np.tile(peer + np.arange(size), len(mine))
    contrast = np.zeros((len(first), len(nodes_of_groups.term)))
    rows = np.arange(len(first))
    contrast[rows, first], contrast[rows, second] = 1.0, -1.0
    keys: dict[str, tuple[Any, ...]] = {by: tuple(label for label in mine for _ in wanted)}
    estimates = nodes_of_groups.contrast(contrast, wanted * len(mine), **keys, **node_keys(asked, wanted, len(mine)))
    return Gaps(
        estimates=replace(estimates, n=nodes_of_groups.n[first]),
        own=nodes_of_groups.estimate[first],
        peer=nodes_of_groups.estimate[second],
        n_peer=nodes_of_groups.n[second],
        against=against,
    )


def _own_labels(own: str | Sequence[str] | None, against: str, known: Sequence[str], where: str) -> list[str]:
    mine = (
        [label for label in known if label != against] if own is None else [own] if isinstance(own, str) else list(own)
    )
    for label in [against, *mine]:
        if label not in known:
            raise UnknownColumnError(
                f"No group {label!r} in {where}; its groups are {', '.join(map(repr, known)) or 'none'}."
            )
    if against in mine:
        raise OptionError(f"own and against are both {against!r}: a group has no gap to itself.")
    if not mine:
        raise OptionError(f"{where} has no group besides {against!r} to compare with it.")
    return mine


def _published(
    table: pd.DataFrame,
    against: str,
    own: str | Sequence[str] | None,
    weights: Mapping[str, float] | None,
    level: float,
) -> Gaps:
    scores = table.select_dtypes("number")
    mine = _own_labels(own, against, [str(name) for name in scores.columns], "the published table")
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
    return Gaps(estimates=estimates, own=first, peer=second, n_peer=np.full(size, np.nan), against=against)


def _composite(scores: pd.DataFrame, terms: Sequence[str], weights: Mapping[str, float]) -> pd.DataFrame:
    if set(weights) != set(terms):
        odd = sorted(set(weights) ^ set(terms))
        raise SampleError(
            f"weights and rows of the published table must match; they differ at {', '.join(map(repr, odd))}."
        )
    share = np.array([weights[term] for term in terms], float)
    if (share < 0).any() or abs(share.sum() - 1) > 1e-9:
        raise SampleError(f"weights must be zero or more and sum to 1; they sum to {share.sum():g}.")
    return pd.DataFrame(share @ scores.to_numpy(float)[None], columns=scores.columns, index=["composite"])

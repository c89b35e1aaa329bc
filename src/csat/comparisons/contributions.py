"""Contributions: how much of an index, a gap or a change belongs to each item. They sum exactly."""

from __future__ import annotations

import numpy as np

from csat.errors import OptionError, SampleError
from csat.questionnaire import Questionnaire
from csat.results import Estimates, estimates_of
from csat.scoring import check_questionnaire, nodes_of

#: Entries of the matrix that turns figures into contributions, at most: 800 MB.
MOST_ENTRIES = 10**8


def contributions(estimates: Estimates, questionnaire: Questionnaire, node: str | None = None) -> Estimates:
    """Split a node's figure into the contributions of its items: weight in the tree × the item's figure.

    Parameters
    ----------
    estimates : of a whole index tree, e.g. ``csat.index(s).estimates``, ``csat.gaps(…).estimates`` or the changes of
        a trend.
    questionnaire : with the tree.
    node : to split; None: the index itself.

    Returns
    -------
    Estimates
        A row per group and item of the node, in points of the node, with the tree weight in the key column
        ``weight``. The rows of a group sum to the node's figure.

    Raises
    ------
    OptionError
        If the estimates lack an item of the node.
    SampleError
        For more groups than can be split at once.
    """
    estimates_of(estimates)
    check_questionnaire(questionnaire)
    root = questionnaire.root if node is None else nodes_of(questionnaire, node)[0]
    weights = dict(zip(questionnaire.leaves, questionnaire.tree_matrix([root])[0], strict=True)) if root else {}
    weights = {leaf: float(weight) for leaf, weight in weights.items() if weight}
    absent = [leaf for leaf in weights if leaf not in estimates.term]
    if not weights or absent:
        raise OptionError(f"These estimates lack the items {absent[:5]} of {root!r}; compute them for the whole tree.")
    rows = [i for i, term in enumerate(estimates.term) if term in weights]
    _check_room(len(rows), len(estimates.term), len(weights))
    matrix = np.zeros((len(rows), len(estimates.term)))
    matrix[np.arange(len(rows)), rows] = [weights[estimates.term[i]] for i in rows]
    keys = {name: tuple(column[i] for i in rows) for name, column in estimates.keys.items()}
    terms = [estimates.term[i] for i in rows]
    return estimates.contrast(matrix, terms, keys | {"weight": tuple(weights[term] for term in terms)})


def _check_room(rows: int, figures: int, items: int) -> None:
    if rows * figures > MOST_ENTRIES:
        raise SampleError(
            f"The contributions of {items} items in {rows // items} groups are too many to be split at once: take "
            "fewer groups at a time, e.g. survey.where(column=[…])."
        )

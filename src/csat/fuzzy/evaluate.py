"""`evaluate`: from a survey, or a typed-in membership matrix, to grades, a score and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from csat.errors import OptionError, check_choice
from csat.fuzzy.membership import MEMBERSHIPS, level_memberships, level_scores
from csat.fuzzy.operators import LINEAR, Operator, normalised, operator_named
from csat.fuzzy.typed import Matrix, Typed, Weights, read_typed
from csat.fuzzy.verdict import between, strongest
from csat.moments import Levels, Recode, Source, group_names
from csat.questionnaire import Grade, Questionnaire
from csat.results import Estimates, Provenance, Shown, Unavailable, check_level
from csat.scoring import check_questionnaire, node_keys, questionnaire_of, tree_of
from csat.variance import by_domain, combine, means


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Evaluation(Shown):
    """Composite memberships, scores and verdicts, a row per group and node.

    score : B·V on 0–100 with its interval. Standard errors exist for a survey under a `LINEAR` operator, else NaN.
    grades : (g,) codes, best first. grade_scores : (g,) V; NaN if the grades have no scores.
    membership : (k, g) B, rows sum to 1. raw : (k, g) B as the operator left it.
    left_out : (k,) answers that did not count (don't know, not used, empty), summed over the items of a node.
    operator, membership_kind : how it was made.
    """

    score: Estimates
    grades: tuple[str, ...]
    grade_scores: np.ndarray
    membership: np.ndarray
    raw: np.ndarray
    left_out: np.ndarray
    operator: str
    membership_kind: str

    def tidy(self) -> pd.DataFrame:
        """A row per group and node.

        Columns: ``term``, the grouping columns, ``kind``, ``depth``, one column per grade with its membership,
        ``score se low high``, ``verdict`` (grade of maximum membership), ``upper lower position nearer``
        (the grades around the score), ``n n_eff left_out note``.
        """
        inner = self.score.tidy()
        frame = inner[["term", *self.score.keys]].copy()
        frame[list(self.grades)] = self.membership
        frame["score"] = inner["estimate"]
        frame[["se", "low", "high"]] = inner[["se", "low", "high"]]
        frame["verdict"] = strongest(self.membership, self.grades)
        places = [between(value, self.grades, self.grade_scores) for value in self.score.estimate.tolist()]
        for name in ("upper", "lower", "position", "nearer"):
            frame[name] = [getattr(place, name) for place in places]
        frame[["n", "n_eff"]] = inner[["n", "n_eff"]]
        frame["left_out"] = self.left_out
        frame["note"] = inner["note"]
        return frame

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.score.glance().assign(operator=self.operator, membership=self.membership_kind)


def evaluate(
    source: Source | Matrix,
    by: str | Sequence[str] | None = None,
    *,
    weights: Weights | None = None,
    operator: str | None = None,
    membership: str | None = None,
    grades: Sequence[Grade] | None = None,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> Evaluation:
    """Fuzzy comprehensive evaluation, B = A∘R, over the whole index tree or of one typed-in matrix.

    Parameters
    ----------
    source : a survey, whose answers make R and whose index tree holds A; or a membership matrix (m, g), one row per
        factor, one column per grade (best first), entries in 0–1, rows that sum to 1. A DataFrame names both.
    by : grouping columns of a survey; an evaluation per group.
    weights : (m,) factor weights A of a typed-in matrix, ≥ 0, sum 1, by name or in order.
    operator : "weighted-average" M(·,+), "min-max" M(∧,∨), "product-max" M(·,∨), "min-sum" M(∧,⊕),
        "product-sum" M(·,⊕). In a tree each level's composite is normalised before the next level uses it.
        None: as [fuzzy] of the study file says, else "weighted-average".
    membership : of an answer in a grade. "share": in one grade only, by level or by cut points on 0–100;
        "triangular": split between the two neighbouring grades, so that a score on 0–100 survives.
        None: as [fuzzy] of the study file says, else "share".
    grades : of a typed-in matrix; None: the questionnaire's, or the five default ones for five columns. Other
        matrices then have memberships and a verdict, but no score.
    level : of the intervals, between 0 and 1.
    questionnaire : needed if a survey has none.

    Returns
    -------
    Evaluation
        Of a matrix: the row "composite" first, then the factors.

    Raises
    ------
    MembershipError
        For a matrix or weights that do not make sense, or an item with a continuous scale.
    OptionError
        For an unknown operator or membership.
    QuestionnaireError
        For a study without an index tree.

    Notes
    -----
    Under "weighted-average" and "product-sum" the score is linear in the items' means (each answer replaced by what
    it adds to the score), so its standard error follows from the sampling design like that of an index.

    Under "share" an answer counts as the score of its grade: on a 1–10 scale 9 and 10 both become 100, and the
    score runs several points above the index. It is comparable with the index for items with one level per grade;
    for finer scales use "triangular".

    Examples
    --------
    >>> R = [[0.2, 0.5, 0.3, 0.0], [0.1, 0.3, 0.5, 0.1]]
    >>> evaluate(R, weights=[0.5, 0.5]).membership[0].round(3).tolist()
    [0.15, 0.4, 0.4, 0.05]
    """
    settings = _settings(source, questionnaire)
    operator = settings.get("operator", "weighted-average") if operator is None else operator
    membership = settings.get("membership", "share") if membership is None else membership
    compose = operator_named(operator)
    check_choice("membership", membership, MEMBERSHIPS)
    check_level(level)
    if isinstance(source, Source):
        if weights is not None or grades is not None:
            raise OptionError(
                "weights= and grades= belong to a typed-in matrix; a survey takes them from the index tree and the "
                "grades of its questionnaire (Questionnaire.with_weights changes the weights)."
            )
        return _of_survey(source, group_names(by), compose, operator, membership, level, tree_of(source, questionnaire))
    if by is not None:
        raise OptionError("by= needs a survey; a typed-in membership matrix has no respondents to group.")
    return _of_matrix(read_typed(source, weights, grades, questionnaire), compose, operator, level)


def _settings(source: Source | Matrix, questionnaire: Questionnaire | None) -> Mapping[str, str]:
    if isinstance(source, Source):
        asked = questionnaire_of(source, questionnaire)
    else:
        asked = None if questionnaire is None else check_questionnaire(questionnaire)
    return {} if asked is None else asked.fuzzy


def _of_survey(
    source: Source, by: tuple[str, ...], compose: Operator, operator: str, membership: str, level: float,
    asked: Questionnaire,
) -> Evaluation:  # fmt: skip
    leaves, nodes = asked.leaves, asked.nodes
    answers = [Recode(code, code, level_scores(asked, code, membership)) for code in leaves]
    counted = source.levels(leaves, by)
    groups = source.groups(answers, by, "available")
    order = [counted.domains.index(domain) for domain in groups.domains]
    memberships = leaf_memberships(asked, counted, membership)[order]
    raw = climb(asked, memberships, compose)
    final = normalised(raw)
    keys = dict(node_keys(asked, nodes, len(groups.domains)))
    score = by_domain(combine(means(groups), asked.tree_matrix()), groups, nodes, "points", level, keys)
    values = np.array([grade.score for grade in asked.grades])
    if operator not in LINEAR:
        score = _without_uncertainty(score, (final @ values).ravel())
    missing = counted.missing[order] @ (asked.tree_matrix() > 0).T
    size = len(asked.grades)
    return Evaluation(
        score, tuple(grade.code for grade in asked.grades), values, final.reshape(-1, size), raw.reshape(-1, size),
        missing.ravel(), operator, membership,
    )  # fmt: skip


def leaf_memberships(asked: Questionnaire, counted: Levels, membership: str) -> np.ndarray:
    """(D, leaves, g) memberships of each item in each group: weighted shares of answers times their memberships."""
    return np.stack(
        [
            counted.shares(code) @ level_memberships(asked.item(code), asked.grades, levels, membership)
            for code, levels in zip(counted.names, counted.levels, strict=True)
        ],
        axis=1,
    )


def climb(asked: Questionnaire, memberships: np.ndarray, compose: Operator) -> np.ndarray:
    """Compose memberships up the tree, level by level.

    Parameters
    ----------
    asked : with the tree. memberships : (D, leaves, g) of the items. compose : operator.

    Returns
    -------
    (D, nodes, g) array
        As the operator left them; each was normalised before its parent used it. Children of weight 0 do not count.
    """
    raw = {code: memberships[:, i] for i, code in enumerate(asked.leaves)}
    for node in reversed(asked.nodes):
        if node in raw:
            continue
        dimension = asked.dimension(node)
        used = [(child, share) for child, share in zip(dimension.children, dimension.shares, strict=True) if share > 0]
        rows = np.stack([normalised(raw[child]) for child, _ in used], axis=1)
        raw[node] = compose(np.array([share for _, share in used]), rows)
    return np.stack([raw[node] for node in asked.nodes], axis=1)


def _without_uncertainty(score: Estimates, estimate: np.ndarray) -> Estimates:
    size = len(estimate)
    return replace(
        score,
        estimate=estimate,
        vcov=np.full((size, size), np.nan),
        n_eff=np.full(size, np.nan),
        provenance=Provenance(score.provenance.sample, "none"),
        unavailable=dict.fromkeys(range(size), Unavailable("nonlinear_operator")) | dict(score.unavailable),
    )


def _of_matrix(typed: Typed, compose: Operator, operator: str, level: float) -> Evaluation:
    raw = np.vstack([compose(typed.weights, typed.rows), typed.rows])
    final = normalised(raw)
    size = len(final)
    unknown = np.full(size, np.nan)
    keys = {"kind": ("index", *["item"] * len(typed.factors)), "depth": (0, *[1] * len(typed.factors))}
    score = Estimates(
        ("composite", *typed.factors), final @ typed.scores, np.full((size, size), np.nan), np.nan, unknown, unknown,
        "points", Provenance("published", "none"), level, None, keys,
    )  # fmt: skip
    return Evaluation(
        score, typed.grades, typed.scores, final, raw, np.zeros(size, int), operator, membership_kind="typed in"
    )

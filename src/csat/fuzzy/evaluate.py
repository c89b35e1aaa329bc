"""`evaluate`: from a survey, or a typed-in membership matrix, to grades, a score and a verdict with its doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from csat.errors import OptionError, check_choice
from csat.fuzzy.draws import Drawn, drawn_leaves
from csat.fuzzy.factors import Weighed, typed_weights, weighed
from csat.fuzzy.membership import MEMBERSHIPS
from csat.fuzzy.operators import LINEAR, OPERATORS, normalised, operator_named
from csat.fuzzy.reading import OF, Reading, reading_of
from csat.fuzzy.remarks import Remark
from csat.fuzzy.result import Evaluation
from csat.fuzzy.state import State, Summary, summarised
from csat.fuzzy.tree import Tree, flat_tree
from csat.fuzzy.typed import Matrix, check_grade_list, read_typed
from csat.fuzzy.weights import check_count
from csat.moments import Groups, Source, as_names, group_names
from csat.moments.guards import RESERVED
from csat.questionnaire import Grade, Questionnaire
from csat.results import Estimates, Provenance, Unavailable, check_level
from csat.scoring import check_questionnaire, questionnaire_of, tree_of
from csat.variance import by_domain, combined_means
from csat.within import blanked, variances

#: What can be drawn again.
OVER = ("answers", "weights")
#: Draws at most.
MOST_REPLICATES = 100_000
#: Columns of an evaluation's tables that no grouping column and no grade can be named after.
TAKEN = frozenset({
    "node", "grade", "membership", "probability", "operator", "agree", "parent", "child", "flips_at", "new_verdict",
    "figure", "decided", "effectiveness", "effective", "characteristic", "closest", "defuzzified",
    "tied",
})  # fmt: skip
#: Below this effectiveness the maximum membership should not decide alone.
DOUBTFUL = 0.5


@dataclass(frozen=True, slots=True)
class _Asked:
    """Options of an evaluation, checked."""

    operator: str
    membership: str
    of: str
    over: tuple[str, ...]
    replicates: int
    seed: int
    level: float


def evaluate(
    source: Source | Matrix,
    by: str | Sequence[str] | None = None,
    *,
    weights: Any = None,
    operator: str | None = None,
    membership: str | None = None,
    of: str = "answers",
    grades: Sequence[Grade] | None = None,
    over: Sequence[str] = ("answers",),
    replicates: int = 500,
    seed: int = 0,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> Evaluation:
    """Fuzzy comprehensive evaluation, B = A∘R, over the whole index tree or of one typed-in matrix.

    Parameters
    ----------
    source : a survey, whose answers make R and whose index tree holds A; or a membership matrix (m, g), one row per
        factor, one column per grade (best first), entries in 0–1, rows that sum to 1. A DataFrame names both.
    by : grouping columns of a survey; an evaluation per group.
    weights : A, ≥ 0, sum 1. Of a typed-in matrix: (m,) by name or in order. Of a survey, None: those of the index tree;
        by code: of the children of one dimension, which is re-weighed, or of any items, processes and dimensions, which
        then make a tree of one level under the node "composite"; or a table dimension → weights by child. The
        results of `csat.factor_weights` and `csat.ahp` are weights too.
    operator : "weighted-average" M(·,+), "min-max" M(∧,∨), "product-max" M(·,∨), "min-sum" M(∧,⊕),
        "product-sum" M(·,⊕). In a tree each level's composite is normalised before the next level uses it.
        None: as [fuzzy] of the study file says, else "weighted-average".
    membership : of an answer in a grade. "share": in one grade only, by level or by cut points on 0–100;
        "triangular": split between the two neighbouring grades, so that a score on 0–100 survives; "trapezoidal",
        "gaussian", "ridge": likewise with flat tops, bell curves, slopes of a sine.
        None: as [fuzzy] of the study file says, else "share".
    of : "answers": R holds the mean membership of all answers to an item; "mean": the membership of their mean, which
        says nothing of how far customers are apart, but can be had from published means.
    grades : of a survey in place of its questionnaire's; of a typed-in matrix, None: the questionnaire's, or the five
        default ones for five columns. Other matrices then have memberships and a verdict, but no score.
    over : what is drawn again for probabilities and standard errors: "answers" (replicates of the respondents by their
        design), "weights" (such as bring their uncertainty), both, or nothing.
    replicates : draws, R. seed : the same seed gives the same draws.
    level : of the intervals, and the probability from which on a verdict counts as decided; between 0 and 1.
    questionnaire : needed if a survey has none.

    Returns
    -------
    Evaluation
        Of a matrix: the row "composite" first, then the factors. Like all results it has ``tidy()`` (a row per node and
        grade) and ``glance()``; ``verdicts()`` has a row per node, ``operators()`` the verdict under each operator,
        ``sensitivity()`` what would flip it, ``differences()`` the groups against all of them together.

    Raises
    ------
    MembershipError
        For a matrix or weights that do not make sense, or a continuous scale without the respondents' rows.
    OptionError
        For unknown options.
    QuestionnaireError
        For a study without an index tree, or grades that are not a ladder.
    SampleError
        For a source without what is needed, or more replicates than can be held.

    Notes
    -----
    Under "weighted-average" and "product-sum" the score is linear in the items' means (each answer replaced by what
    it adds to the score), so its standard error follows from the sampling design like that of an index. Other
    operators, memberships of means and drawn weights have the standard error and percentiles of the draws. Weights
    are drawn independently of the answers, also where both come from the same respondents.

    The bootstrap draws n − 1 of the n units of each stratum (Rao & Wu 1988, JASA 83, 231–241); see `draws` for designs
    that need another way. `Evaluation.probability` is how often a grade is the verdict in them.

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
    asked = _Asked(
        settings.get("operator", "weighted-average") if operator is None else operator,
        settings.get("membership", "share") if membership is None else membership,
        of, _checked_over(over), check_count("replicates", replicates, 2, MOST_REPLICATES),
        check_count("seed", seed, 0, 2**62), level,
    )  # fmt: skip
    operator_named(asked.operator)
    check_choice("membership", asked.membership, MEMBERSHIPS)
    check_choice("of", of, OF)
    check_level(level)
    if isinstance(source, Source):
        study = tree_of(source, questionnaire) if weights is None else _study(source, questionnaire)
        study = study if grades is None else replace(study, grades=check_grade_list(grades))
        return _of_survey(source, _groups(by), asked, study, weights)
    if by is not None:
        raise OptionError("by= needs a survey; a typed-in membership matrix has no respondents to group.")
    return _of_matrix(source, weights, grades, questionnaire, asked)


def _settings(source: Source | Matrix, questionnaire: Questionnaire | None) -> Mapping[str, str]:
    if isinstance(source, Source):
        asked = questionnaire_of(source, questionnaire)
    else:
        asked = None if questionnaire is None else check_questionnaire(questionnaire)
    return {} if asked is None else asked.fuzzy


def _study(source: Source, questionnaire: Questionnaire | None) -> Questionnaire:
    """The questionnaire, with or without a tree; without any, the error that asks for one."""
    return questionnaire_of(source, questionnaire) or tree_of(source, questionnaire)


def _checked_over(over: Any) -> tuple[str, ...]:
    names = as_names(over, "over")
    for name in names:
        check_choice("over", name, OVER)
    return names


def _groups(by: Any) -> tuple[str, ...]:
    names = group_names(by)
    for name in names:
        if name in TAKEN:
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")
    return names


def _of_survey(
    source: Source, by: tuple[str, ...], asked: _Asked, study: Questionnaire, weights: Any
) -> Evaluation:  # fmt: skip
    factors = weighed(study, weights, asked.replicates, asked.seed, "weights" in asked.over)
    tree = factors.tree
    reading = reading_of(source, study, tree.leaves, asked.membership, asked.of)
    base = source.groups(reading.scored(), by, "available")
    redraw = asked.replicates if "answers" in asked.over else None
    drawn = drawn_leaves(source, reading, base, by, redraw, asked.seed)
    state = _state(factors, drawn, len(base.domains))
    values = np.array([grade.score for grade in study.grades])
    score = _score(base, reading, tree, asked.level)
    unsure = (score.n < 2) | (np.broadcast_to(score.df, score.n.shape) < 1) | ~np.isfinite(score.se)
    df = None if drawn.draws is None else np.broadcast_to(score.df, score.n.shape)
    state = replace(state, unsure=unsure, df=df, words=drawn.words)
    found = summarised(state, OPERATORS[asked.operator], values, asked.level)
    if not (reading.linear and asked.operator in LINEAR and not factors.draws):
        score = _from_draws(score, found, state)
    missing = drawn.missing[: state.size] @ (tree.matrix() > 0).T
    remarks = _remarks(drawn, found, factors)
    return _evaluation(state, found, score, asked, study.grades, values, missing.ravel(), remarks)


def _state(factors: Weighed, drawn: Drawn, size: int) -> State:
    made = 0 if drawn.draws is None else len(drawn.draws)
    shares = dict(factors.draws)
    if made:
        # Declared replicates may be fewer or more than the draws of the weights.
        shares = {node: draws[np.arange(made) % len(draws)] for node, draws in shares.items()}
    count = made or max((len(draws) for draws in shares.values()), default=0)
    return State(factors.tree, drawn.leaves, drawn.draws, shares, size, count)


def _score(base: Groups, reading: Reading, tree: Tree, level: float) -> Estimates:
    """Scores of all nodes by the weights of the tree, with the linearised standard errors of weighted means."""
    matrix = tree.matrix()
    slope = np.ones(len(tree.leaves)) if reading.slope is None else reading.slope
    offset = np.zeros(len(tree.leaves)) if reading.offset is None else reading.offset
    _, combined = combined_means(base, matrix * slope, matrix @ offset)
    keys = {"kind": tree.kinds * len(base.domains), "depth": tree.depths * len(base.domains)}
    return by_domain(combined, base, tree.nodes, "points", level, keys)


def _from_draws(score: Estimates, found: Summary, state: State) -> Estimates:
    """Scores that are not linear in the answers: standard errors and percentiles of the draws."""
    certain = np.isfinite(variances(found.vcov))
    reasons = dict.fromkeys(np.flatnonzero(~certain).tolist(), Unavailable("no_draws")) | dict(score.unavailable)
    return replace(
        score,
        estimate=found.score,
        vcov=blanked(found.vcov, ~certain),
        n_eff=np.full(len(certain), np.nan),
        provenance=Provenance(score.provenance.sample, state.made),
        unavailable={i: reason for i, reason in reasons.items() if not certain[i]},
        bounds=(found.score_low, found.score_high),
    )


def _remarks(drawn: Drawn, found: Summary, factors: Weighed) -> list[Remark]:
    """How the draws were made, and what they leave out."""
    remarks = []
    if drawn.draws is not None:
        remarks.append(Remark("draws", {"count": len(drawn.draws), "words": drawn.words}))
    if factors.draws:
        remarks.append(Remark("weights_drawn", {"nodes": ", ".join(factors.draws)}))
    if factors.fixed:
        remarks.append(Remark("weights_fixed", {"nodes": ", ".join(factors.fixed)}))
    lost = int((found.undefined > 0).sum())
    return [*remarks, *([Remark("undefined", {"count": lost})] if lost else [])]


def _doubts(made: Evaluation) -> list[Remark]:
    """Roots whose verdict rests on a small lead, or is too close to call."""
    remarks = []
    keys = {name: column for name, column in made.score.keys.items() if name not in ("kind", "depth")}
    alpha, certainty, verdict, decided = made.effectiveness, made.certainty, made.verdict, made.decided
    for i in range(0, len(alpha), len(made.state.tree.nodes)):
        group = " · ".join(str(column[i]) for column in keys.values())
        at: dict[str, float | str] = {"node": made.score.term[i], "group": f" ({group})" if group else ""}
        if alpha[i] < DOUBTFUL:
            remarks.append(Remark("not_effective", at | {"alpha": float(alpha[i])}))
        if np.isfinite(certainty[i]) and not decided[i]:
            remarks.append(Remark("close", at | {"grade": verdict[i], "probability": float(certainty[i])}))
    return remarks


def _of_matrix(
    source: Matrix, weights: Any, grades: Sequence[Grade] | None, questionnaire: Questionnaire | None, asked: _Asked
) -> Evaluation:
    typed = read_typed(source, weights, grades, questionnaire)
    tree = flat_tree(typed.factors, typed.weights)
    draws = typed_weights(weights, typed.factors, asked.replicates, asked.seed, "weights" in asked.over)
    state = State(tree, typed.rows[None], None, draws, 1, asked.replicates if draws else 0)
    found = summarised(state, OPERATORS[asked.operator], typed.scores, asked.level)
    unknown = np.full(len(tree.nodes), np.nan)
    keys = {"kind": tree.kinds, "depth": tree.depths}
    values = normalised(found.raw) @ typed.scores
    lost = np.flatnonzero(~np.isfinite(variances(found.vcov))).tolist()
    reason = Unavailable("no_draws" if np.isfinite(typed.scores).all() else "no_scores")
    score = Estimates(
        tree.nodes, values, found.vcov, np.inf if draws else np.nan, unknown, unknown,
        "points", Provenance("published", "draws of the weights" if draws else "none"), asked.level, None, keys,
        dict.fromkeys(lost, reason), (found.score_low, found.score_high) if draws else None,
    )  # fmt: skip
    asked = replace(asked, membership="typed in", of="matrix")
    held = "weights" in asked.over and not draws
    remarks = [Remark("weights_fixed", {"nodes": tree.root})] if held else []
    made = tuple(Grade(code, {}, 0.0, 0.0) for code in typed.grades)
    return _evaluation(state, found, score, asked, made, typed.scores, np.zeros(len(unknown), int), remarks)


def _evaluation(
    state: State, found: Summary, score: Estimates, asked: _Asked, grades: Sequence[Grade], values: np.ndarray,
    missing: np.ndarray, remarks: list[Remark],
) -> Evaluation:  # fmt: skip
    codes = tuple(grade.code for grade in grades)
    _check_codes(codes, score)
    made = Evaluation(
        score=score,
        grades=codes,
        grade_scores=values,
        membership=normalised(found.raw),
        raw=found.raw,
        membership_se=found.se,
        membership_low=found.low,
        membership_high=found.high,
        probability=found.probability,
        left_out=missing,
        operator=asked.operator,
        membership_kind=asked.membership,
        of=asked.of,
        replicates=state.replicates,
        undefined=found.undefined,
        notes=tuple(remarks),
        state=state,
    )
    return replace(made, notes=(*remarks, *_doubts(made)))


def _check_codes(codes: Sequence[str], score: Estimates) -> None:
    """Refuse grades with the name of a column that `Evaluation.verdicts` has beside theirs."""
    for code in codes:
        if code in score.keys or code in RESERVED or code in TAKEN:
            raise OptionError(f"Grade {code!r} has the name of a result's column; give it another code.")

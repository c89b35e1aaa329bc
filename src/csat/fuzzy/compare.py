"""`compare_weights`: what the choice of weights does to ranks, score and verdict, in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.fuzzy.agreeing import kendall_tau, kendall_w, ranks_of
from csat.fuzzy.ahp import Ahp
from csat.fuzzy.combine import in_order
from csat.fuzzy.evaluate import evaluate
from csat.fuzzy.result import Evaluation
from csat.fuzzy.typed import Matrix
from csat.fuzzy.weighing import factor_weights, given
from csat.fuzzy.weights import FactorWeights
from csat.moments import Source, as_names, shown
from csat.questionnaire import Grade, Questionnaire
from csat.results import Shown

#: Columns of these results that no grouping column may have.
OWN_COLUMNS = ("set", "method", "group_rank", "agree", "decided", "probability", "against")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WeightComparison(Shown):
    """L sets of weights of m factors, and the evaluation of D groups under each (D = 1 without groups).

    sets : (L,) names. weights : (L,) the sets, factors in one order. evaluations : (L,) under each.
    by : grouping columns. domains : (D,) groups as tuples of labels.
    score, score_se : (L, D) of the root. verdict : (L, D) grades. probability : (L, D) of the verdict, NaN without
        draws. decided : (L, D) whether it reaches the level.
    rank : (L, m) of the factors, 1 = heaviest, equal ones share their mean rank. group_rank : (L, D) of the groups.
    concordance, group_concordance : Kendall's W over the sets, of the ranks of factors and of groups: 1 = every set
        ranks alike. NaN without groups. Groups without valid answers do not count.
    """

    sets: tuple[str, ...]
    weights: tuple[FactorWeights, ...]
    evaluations: tuple[Evaluation, ...]
    by: tuple[str, ...]
    domains: tuple[tuple[Any, ...], ...]
    score: np.ndarray
    score_se: np.ndarray
    verdict: np.ndarray
    probability: np.ndarray
    decided: np.ndarray
    rank: np.ndarray
    group_rank: np.ndarray
    concordance: float
    group_concordance: float

    @property
    def factors(self) -> tuple[str, ...]:
        """(m,) codes."""
        return self.weights[0].factors

    def tidy(self) -> pd.DataFrame:
        """A row per set (and group).

        Columns: ``set``, ``method``, the grouping columns, ``weight_…`` and ``rank_…`` of each factor, ``score se low
        high`` of the root, ``verdict probability decided``, ``agree`` (whether the verdict is that of most sets),
        ``group_rank`` (with groups).
        """
        size = len(self.domains)
        each = [
            pd.DataFrame({"set": [name] * size, "method": [found.method] * size}
                         | {column: [domain[i] for domain in self.domains] for i, column in enumerate(self.by)}
                         | {f"weight_{f}": [w] * size for f, w in zip(self.factors, found.values.tolist(), strict=True)}
                         | {f"rank_{f}": [r] * size for f, r in zip(self.factors, ranks.tolist(), strict=True)})
            for name, found, ranks in zip(self.sets, self.weights, self.rank, strict=True)
        ]  # fmt: skip
        low, high = self._interval()
        frame = pd.concat(each, ignore_index=True).assign(
            score=self.score.ravel(), se=self.score_se.ravel(), low=low, high=high, verdict=self.verdict.ravel(),
            probability=self.probability.ravel(), decided=self.decided.ravel(), agree=self._agreeing().ravel(),
        )  # fmt: skip
        return frame.assign(group_rank=self.group_rank.ravel()) if self.by else frame

    def _interval(self) -> tuple[np.ndarray, np.ndarray]:
        """(L·D,) ends of the intervals of the root's score."""
        ends = [evaluation.score.interval for evaluation in self.evaluations]
        at = [_roots(evaluation) for evaluation in self.evaluations]
        low, high = (np.concatenate([end[i][rows] for end, rows in zip(ends, at, strict=True)]) for i in (0, 1))
        return low, high

    def _agreeing(self) -> np.ndarray:
        """(L, D) whether the verdict is the one that most sets reach (of equals the better grade)."""
        grades = list(self.evaluations[0].grades)
        usual = [max(grades, key=lambda grade: (column == grade).sum()) for column in self.verdict.T]
        return np.asarray(self.verdict == np.array(usual, object))

    def by_factor(self) -> pd.DataFrame:
        """A row per set and factor: ``set``, then as `FactorWeights.tidy`."""
        each = [found.tidy() for found in self.weights]
        for name, frame in zip(self.sets, each, strict=True):
            frame.insert(0, "set", name)
        return pd.concat(each, ignore_index=True)

    def pairs(self) -> pd.DataFrame:
        """A row per two sets: how far their weights and rankings are apart.

        Columns: ``set against``, ``largest_gap`` (of a weight), ``tau`` (Kendall's tau-b of the factors' ranks),
        ``group_tau`` (of the groups'), ``score_gap`` (largest difference of a score), ``same_verdicts`` (share).
        """
        scored = np.isfinite(self.score).all(axis=0)
        judged = (self.verdict != "").any(axis=0)
        rows = [
            {
                "set": self.sets[i], "against": self.sets[j],
                "largest_gap": float(np.abs(self.weights[i].values - self.weights[j].values).max()),
                "tau": kendall_tau(self.rank[i], self.rank[j]),
                "group_tau": kendall_tau(self.group_rank[i], self.group_rank[j]),
                "score_gap": float(np.abs(self.score[i] - self.score[j])[scored].max()) if scored.any() else np.nan,
                "same_verdicts": float((self.verdict[i] == self.verdict[j])[judged].mean()) if judged.any() else np.nan,
            }
            for i, j in combinations(range(len(self.sets)), 2)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def glance(self) -> pd.DataFrame:
        """One row: sets, factors, groups, Kendall's W of factors and groups, mean tau, groups whose verdict differs.

        ``groups_unscored`` of the groups have no score under some set, and do not count.
        """
        changing = int((self.verdict != self.verdict[0]).any(axis=0).sum())
        pairs = self.pairs()
        scored = self.score[:, np.isfinite(self.score).all(axis=0)]
        low, high = (float(scored.min()), float(scored.max())) if scored.size else (np.nan, np.nan)
        return pd.DataFrame(
            {"sets": [len(self.sets)], "factors": [len(self.factors)], "groups": [len(self.domains)],
             "groups_unscored": [len(self.domains) - scored.shape[1]],
             "concordance": [self.concordance], "mean_tau": [float(pairs["tau"].mean())],
             "group_concordance": [self.group_concordance], "verdicts_that_change": [changing],
             "score_low": [low], "score_high": [high],
             "operator": [self.evaluations[0].operator], "membership": [self.evaluations[0].membership_kind]}
        )  # fmt: skip


def compare_weights(
    source: Source | Matrix,
    weights: Mapping[str, FactorWeights | Ahp | Mapping[str, float] | str] | Sequence[str],
    by: str | Sequence[str] | None = None,
    *,
    factors: str | Sequence[str] | None = None,
    operator: str | None = None,
    membership: str | None = None,
    of: str = "answers",
    grades: Sequence[Grade] | None = None,
    over: Sequence[str] = ("answers",),
    replicates: int = 500,
    seed: int = 0,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> WeightComparison:
    """Put several sets of weights of the same factors beside each other, with the verdict under each.

    Parameters
    ----------
    source : a survey, or a typed-in membership matrix.
    weights : name → weights (of `factor_weights`, `ahp`, `combine_weights`, or by factor), two or more; of a survey
        also methods of `factor_weights`: {"judges": found, "entropy": "entropy"} or ["equal", "cv", "critic"].
    by : grouping columns: an evaluation per group.
    factors : what the methods weigh, as in `factor_weights`; None: the factors of the weights given, else the children
        of the index.
    operator, membership, of, grades, over, replicates, seed, level, questionnaire : as in `evaluate`. All sets are
        evaluated with the same draws.

    Returns
    -------
    WeightComparison
        ``tidy()`` is the one table; ``pairs()`` compares two sets at a time.

    Raises
    ------
    OptionError
        For fewer than two sets, or sets of other factors; and as `evaluate` and `factor_weights`.
    """
    names = as_names(by)
    sets = _sets(source, weights, factors, questionnaire, level)
    of_factors = {f"{kind}_{factor}" for kind in ("weight", "rank") for factor in next(iter(sets.values())).factors}
    for name in names:
        if name in OWN_COLUMNS or name in of_factors:
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")
    found = [
        evaluate(
            source, by, weights=one, operator=operator, membership=membership, of=of, grades=grades, over=over,
            replicates=replicates, seed=seed, level=level, questionnaire=questionnaire,
        )
        for one in sets.values()
    ]  # fmt: skip
    return _compared(sets, found, names)


def _sets(
    source: Any, weights: Any, factors: Any, questionnaire: Questionnaire | None, level: float
) -> dict[str, FactorWeights]:
    """Name → weights, the factors in one order."""
    listed = _listed(weights)
    known = {name: _known(name, one) for name, one in listed.items() if not isinstance(one, str)}
    methods = {name: one for name, one in listed.items() if isinstance(one, str)}
    if methods and not isinstance(source, Source):
        raise OptionError(
            f"weights: {next(iter(methods))!r} needs a survey; a typed-in matrix has no answers to weigh."
        )
    order = next(iter(known.values())).factors if known else None
    wanted = order if factors is None and order is not None else factors
    for name, method in methods.items():
        known[name] = factor_weights(source, wanted, method=method, level=level, questionnaire=questionnaire)
    first = order or next(iter(known.values())).factors
    return {name: in_order(known[name], first, name) for name in listed}


def _listed(weights: Any) -> dict[str, Any]:
    if isinstance(weights, Mapping):
        found = {str(name): one for name, one in weights.items()}
    elif isinstance(weights, list | tuple) and all(isinstance(one, str) for one in weights):
        found = {one: one for one in weights}
    else:
        raise OptionError(f"weights: name → weights, or a list of methods, is needed; found {shown(weights)}.")
    if len(found) < 2:
        raise OptionError(f"weights: two or more different sets are needed to compare; found {list(found)}.")
    return found


def _known(name: str, one: Any) -> FactorWeights:
    if isinstance(one, Ahp):
        return one.weights
    if isinstance(one, FactorWeights):
        return one
    if isinstance(one, Mapping | pd.Series):
        return given(one)
    raise OptionError(f"weights: {name!r} is no set of weights (csat.factor_weights, csat.ahp): {shown(one)}.")


def _roots(evaluation: Evaluation) -> np.ndarray:
    """(D,) rows of the root, group by group."""
    return np.flatnonzero(np.asarray(evaluation.score.keys["depth"]) == 0)


def _compared(sets: Mapping[str, FactorWeights], found: Sequence[Evaluation], by: tuple[str, ...]) -> WeightComparison:
    at = [_roots(evaluation) for evaluation in found]
    keys = found[0].score.keys
    domains = tuple(tuple(keys[name][i] for name in by) for i in at[0].tolist())

    def of_root(figures: Sequence[Any]) -> np.ndarray:
        return np.stack([np.asarray(each)[rows] for each, rows in zip(figures, at, strict=True)])

    score = of_root([evaluation.score.estimate for evaluation in found])
    values = np.stack([one.values for one in sets.values()])
    several = len(domains) > 1
    return WeightComparison(
        sets=tuple(sets),
        weights=tuple(sets.values()),
        evaluations=tuple(found),
        by=by,
        domains=domains,
        score=score,
        score_se=of_root([evaluation.score.se for evaluation in found]),
        verdict=of_root([np.array(evaluation.verdict, object) for evaluation in found]),
        probability=of_root([evaluation.certainty for evaluation in found]),
        decided=of_root([evaluation.decided for evaluation in found]),
        rank=ranks_of(values),
        group_rank=ranks_of(score),
        concordance=kendall_w(values),
        group_concordance=kendall_w(score) if several else float("nan"),
    )

"""`Evaluation`: memberships, scores and verdicts of the nodes of a tree, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.errors import check_choice
from csat.fuzzy.apart import GroupDifferences, differences
from csat.fuzzy.operators import OPERATORS
from csat.fuzzy.remarks import Remark
from csat.fuzzy.sensitivity import sensitivity
from csat.fuzzy.state import State, Summary, summarised
from csat.fuzzy.verdict import (
    DEFUZZIFIERS,
    Between,
    between,
    characteristic,
    closeness,
    defuzzified,
    effective,
    effectiveness,
    strongest,
    tied,
)
from csat.results import Estimates, Shown, printed
from csat.within import variances


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Evaluation(Shown):
    """Composite memberships, scores and verdicts, a row per group and node (k rows).

    score : B·V on 0–100 with its interval: by the design (linearisation, declared replicates) where it is linear in the
        answers, else from the draws. NaN if the grades have no scores.
    grades : (g,) codes, best first. grade_scores : (g,) V; NaN if the grades have no scores.
    membership : (k, g) B, rows sum to 1. raw : (k, g) B as the operator left it.
    membership_se, membership_low, membership_high : (k, g) from the draws; NaN without.
    probability : (k, g) share of the draws in which the grade has the maximum membership; NaN without draws.
    left_out : (k,) answers that did not count (don't know, not used, empty), summed over the items of a node.
    operator, membership_kind : how it was made. of : "answers", "mean" or "matrix".
    replicates : draws behind it; 0 without. undefined : (k,) draws that left a node without answers.
    notes : how the draws were made, and what to beware of.
    state : memberships of the items and their draws, from which `operators`, `sensitivity` and `differences` compute.
    """

    score: Estimates
    grades: tuple[str, ...]
    grade_scores: np.ndarray
    membership: np.ndarray
    raw: np.ndarray
    membership_se: np.ndarray
    membership_low: np.ndarray
    membership_high: np.ndarray
    probability: np.ndarray
    left_out: np.ndarray
    operator: str
    membership_kind: str
    of: str
    replicates: int
    undefined: np.ndarray
    notes: tuple[Remark, ...]
    state: State

    @property
    def verdict(self) -> list[str]:
        """(k,) grade of maximum membership, the better one of equals; "" without memberships."""
        return strongest(self.membership, self.grades)

    @property
    def certainty(self) -> np.ndarray:
        """(k,) probability of the verdict; NaN without draws."""
        place = {grade: j for j, grade in enumerate(self.grades)} | {"": 0}
        return self.probability[np.arange(len(self.membership)), [place[grade] for grade in self.verdict]]

    @property
    def tied(self) -> np.ndarray:
        """(k,) whether several grades share the maximum membership."""
        return tied(self.membership)

    @property
    def decided(self) -> np.ndarray:
        """(k,) whether the verdict has at least the probability `level` and no equal; else it is too close to call."""
        return np.asarray((self.certainty >= self.score.level) & ~self.tied)

    @property
    def effectiveness(self) -> np.ndarray:
        """(k,) how far the maximum membership may decide; doubtful below 0.5. See `verdict.effectiveness`."""
        return effectiveness(self.membership)

    @property
    def between(self) -> tuple[Between, ...]:
        """(k,) the grades around the scores."""
        return tuple(between(value, self.grades, self.grade_scores) for value in self.score.estimate.tolist())

    def __repr__(self) -> str:
        columns = ["score", "low", "high", "verdict", "probability", "decided", "upper", "lower", "n"]
        return printed("Evaluation", self.verdicts()[["term", *self.score.keys, *columns]], "verdicts()")

    def tidy(self) -> pd.DataFrame:
        """A row per group, node and grade.

        Columns: ``node``, the grouping columns, ``kind``, ``depth``, ``grade``, ``membership se low high``,
        ``probability`` (that this is the verdict), ``n n_eff note``.
        """
        inner, size = self.score.tidy(), len(self.grades)
        keys = inner[["term", *self.score.keys]].rename(columns={"term": "node"})
        frame = keys.loc[keys.index.repeat(size)].reset_index(drop=True)
        frame["grade"] = list(self.grades) * len(keys)
        for name, figures in (
            ("membership", self.membership), ("se", self.membership_se), ("low", self.membership_low),
            ("high", self.membership_high), ("probability", self.probability),
        ):  # fmt: skip
            frame[name] = figures.ravel()
        for name in ("n", "n_eff", "note"):
            frame[name] = np.repeat(inner[name].to_numpy(), size)
        return frame

    def verdicts(self, defuzzify: str | None = None) -> pd.DataFrame:
        """A row per group and node.

        Columns: ``term``, the grouping columns, ``kind``, ``depth``, one column per grade with its membership, ``score
        se low high``, ``verdict`` (grade of maximum membership), ``probability`` of the verdict, ``decided`` (at least
        `level`, and no equal), ``tied`` (several grades share the maximum), ``effectiveness effective`` (how far the
        maximum may decide, in figures and words), ``characteristic`` (level characteristic value, 1 = best grade),
        ``closest`` (grade of largest asymmetric closeness), ``upper lower position nearer`` (the grades around the
        score), ``defuzzified`` if asked for, ``n n_eff left_out note``.

        Parameters
        ----------
        defuzzify : one of scikit-fuzzy's "centroid", "bisector", "mom", "som", "lom".

        Raises
        ------
        OptionError
            For another method.
        """
        if defuzzify is not None:
            check_choice("defuzzify", defuzzify, DEFUZZIFIERS)
        inner, alpha = self.score.tidy(), self.effectiveness
        frame = inner[["term", *self.score.keys]].copy()
        frame[list(self.grades)] = self.membership
        frame["score"] = inner["estimate"]
        frame[["se", "low", "high"]] = inner[["se", "low", "high"]]
        frame = frame.assign(
            verdict=self.verdict, probability=self.certainty, decided=self.decided, tied=self.tied,
            effectiveness=alpha, effective=effective(alpha), characteristic=characteristic(self.membership),
            closest=strongest(closeness(self.membership), self.grades),
        )  # fmt: skip
        for name in ("upper", "lower", "position", "nearer"):
            frame[name] = [getattr(place, name) for place in self.between]
        if defuzzify is not None:
            frame["defuzzified"] = defuzzified(self.membership, self.grade_scores, defuzzify)
        frame[["n", "n_eff"]] = inner[["n", "n_eff"]]
        return frame.assign(left_out=self.left_out, note=inner["note"])

    def operators(self) -> pd.DataFrame:
        """A row per group, node and operator.

        Columns: ``node``, the grouping columns, ``kind``, ``depth``, ``operator``, ``verdict``, its ``probability``,
        ``tied`` (several grades share the maximum), ``score se``, ``agree`` (with the verdict of this evaluation).

        Standard errors come from the draws, except those of this evaluation's own operator.
        """
        keys = self.score.tidy()[["term", *self.score.keys]].rename(columns={"term": "node"})
        own = np.array(self.verdict, object)
        parts = [self._strip(name, keys, own) for name in OPERATORS]
        whole = pd.concat(parts, keys=range(len(parts))).reset_index(level=0, drop=True)
        return whole.sort_index(kind="stable").reset_index(drop=True)

    def _strip(self, name: str, keys: pd.DataFrame, own: np.ndarray) -> pd.DataFrame:
        found = self._under(name)
        verdict = np.array(strongest(found.membership, self.grades), object)
        place = [self.grades.index(grade) if grade else 0 for grade in verdict.tolist()]
        return keys.assign(
            operator=name,
            verdict=verdict,
            probability=found.probability[np.arange(len(place)), place],
            tied=tied(found.membership),
            score=found.score,
            se=self.score.se if name == self.operator else np.sqrt(variances(found.vcov)),
            agree=verdict == own,
        )

    def _under(self, name: str) -> Summary:
        return summarised(self.state, OPERATORS[name], self.grade_scores, self.score.level)

    def sensitivity(self) -> pd.DataFrame:
        """How little a weight must change to flip the verdict of the root; see `csat.fuzzy.sensitivity.sensitivity`.

        A row per group and edge of the tree: the grouping columns, ``parent child weight``, ``change`` (the smallest of
        this weight, its siblings keeping their proportions), ``flips_at`` (weight + change), ``verdict``,
        ``new_verdict``, ``note`` (why there is none).
        """
        keys = {name: column for name, column in self.score.keys.items() if name not in ("kind", "depth")}
        return sensitivity(self.state, OPERATORS[self.operator], self.grades, keys)

    def differences(self) -> GroupDifferences:
        """Scores and memberships of each group minus those of all groups together.

        The groups are part of the whole; both come from the same draws, so that their covariance is accounted for.

        Raises
        ------
        OptionError
            Without groups.
        """
        return differences(self.state, OPERATORS[self.operator], self.score, self.grades, self.grade_scores)

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.score.glance().assign(
            operator=self.operator, membership=self.membership_kind, of=self.of, replicates=self.replicates,
            notes=" ".join(map(str, self.notes)),
        )  # fmt: skip

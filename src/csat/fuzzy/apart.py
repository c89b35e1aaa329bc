"""Groups against all groups together: differences of scores and memberships from the same draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.distributions import t_quantile, two_sided_p
from csat.errors import OptionError
from csat.fuzzy.operators import Operator, normalised
from csat.fuzzy.state import State, covariance_of, spread
from csat.results import Estimates, Provenance, Shown, Unavailable, ratio_to_error
from csat.within import blanked, variances


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GroupDifferences(Shown):
    """Each group minus all groups together, a row per group and node (k rows).

    score : differences of the scores, with their whole covariance. grades : (g,) codes, best first.
    membership, membership_se : (k, g) differences of the memberships; they sum to 0 over the grades.
    """

    score: Estimates
    grades: tuple[str, ...]
    membership: np.ndarray
    membership_se: np.ndarray

    def tidy(self) -> pd.DataFrame:
        """A row per group, node and figure.

        Columns: ``node``, the grouping columns, ``kind``, ``depth``, ``figure`` ("score" or the code of a grade),
        ``estimate se statistic df p low high n note``.
        """
        inner = self.score.tidy().rename(columns={"term": "node"}).drop(columns="n_eff")
        parts = [inner.assign(figure="score"), *(self._of(j, inner) for j in range(len(self.grades)))]
        whole = pd.concat(parts, keys=range(len(parts))).reset_index(level=0, drop=True).sort_index(kind="stable")
        whole.insert(1 + len(self.score.keys), "figure", whole.pop("figure"))
        return whole.reset_index(drop=True)

    def _of(self, j: int, inner: pd.DataFrame) -> pd.DataFrame:
        figure, se = self.membership[:, j], self.membership_se[:, j]
        statistic, df = ratio_to_error(figure, se), inner["df"].to_numpy()
        half = t_quantile((1 + self.score.level) / 2, df) * se
        return inner.assign(
            figure=self.grades[j], estimate=figure, se=se, statistic=statistic, p=two_sided_p(statistic, df),
            low=figure - half, high=figure + half,
        )  # fmt: skip

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.score.glance()


def differences(
    state: State, compose: Operator, score: Estimates, grades: Sequence[str], scores: np.ndarray
) -> GroupDifferences:
    """Groups minus overall under an operator.

    Parameters
    ----------
    state : memberships of the leaves, the overall ones last, and draws of both. compose : operator.
    score : scores of the groups, for names and bases. grades : (g,) codes. scores : (g,) of the grades.

    Raises
    ------
    OptionError
        Without groups.
    """
    size = state.size
    if len(state.leaves) == size:
        raise OptionError("differences() hold groups against all of them together; evaluate with by= and two groups.")
    whole = normalised(state.raw(compose))
    apart = (whole[:size] - whole[size:]).reshape(-1, len(grades))
    k = len(apart)
    error, vcov = np.full(apart.shape, np.nan), covariance_of(np.full((2, k), np.nan), size)
    if state.replicates:
        overall = state.redrawn(compose, slice(size, None))
        parts = [(state.redrawn(compose, at) - overall) for at in state.blocks()]
        flat = [part.reshape(len(part), -1, len(grades)) for part in parts]
        error = np.concatenate([spread(part.reshape(len(part), -1)) for part in flat]).reshape(-1, len(grades))
        vcov = covariance_of(np.concatenate([part @ scores for part in flat], axis=1), size)
        if state.unsure is not None:
            error[state.unsure], vcov = np.nan, blanked(vcov, state.unsure)
    estimate = apart @ scores
    missing = np.flatnonzero(~np.isfinite(variances(vcov))).tolist()
    reasons = dict.fromkeys(missing, Unavailable("no_draws")) | dict(score.unavailable)
    figures = Estimates(
        score.term, estimate, vcov, score.df, score.n, np.full(k, np.nan), score.unit,
        Provenance(score.provenance.sample, state.made), score.level, 0.0, score.keys, reasons,
    )  # fmt: skip
    return GroupDifferences(figures, tuple(grades), apart, error)

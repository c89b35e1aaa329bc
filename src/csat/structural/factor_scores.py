"""Scores of respondents on the constructs of a structural model. Reads the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError, UnknownColumnError, check_choice
from csat.moments import Source, TableSource, shown, source_of
from csat.results import Shown
from csat.structural.result import Sem
from csat.structural.samples import unknown_column
from csat.structural.scoring import METHODS, Part, parts_of
from csat.version import __version__


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FactorScores(Shown):
    """Scores of respondents on constructs.

    scores : (n, q) one row per respondent, one column per construct; the index is the row in the source. In the units
        of the constructs. NaN where a respondent's answers tell
        nothing about a construct.
    errors : (n, q) standard errors of the scores, which are the same for all who answered the same questions.
    groups : (n,) group of each respondent, "" without groups.
    determinacy : (G, q) correlation between score and construct, for complete answers.
    labels : (G,) of the groups. method : "regression" or "bartlett". left_out : respondents without a score.
    """

    scores: pd.DataFrame
    errors: pd.DataFrame
    groups: pd.Series
    determinacy: np.ndarray
    labels: tuple[str, ...]
    method: str
    left_out: int

    def tidy(self) -> pd.DataFrame:
        """One row per construct (and group).

        Returns
        -------
        DataFrame
            ``term``, ``group`` if there are several, ``n`` scores, their ``mean`` and ``sd``, mean standard ``error``,
            ``determinacy`` and ``reliability``, its square: the share of the score's variance that is the construct's.
        """
        parts = [self._of_group(label, known) for label, known in zip(self.labels, self.determinacy, strict=True)]
        frame = pd.concat(parts, ignore_index=True)
        return frame if len(self.labels) > 1 else frame.drop(columns="group")

    def _of_group(self, label: str, determinacy: np.ndarray) -> pd.DataFrame:
        mine = self.groups.to_numpy() == label
        scores, errors = self.scores[mine], self.errors[mine]
        return pd.DataFrame(
            {
                "term": list(self.scores.columns),
                "group": label,
                "n": scores.notna().sum().to_numpy(),
                "mean": scores.mean().to_numpy(),
                "sd": scores.std().to_numpy(),
                "error": errors.mean().to_numpy(),
                "determinacy": determinacy,
                "reliability": determinacy**2,
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: respondents scored and left out, and how."""
        facts = {"n": len(self.scores), "left_out": self.left_out, "method": self.method, "version": __version__}
        return pd.DataFrame([facts])


def factor_scores(result: Sem, source: Source, *, method: str = "regression") -> FactorScores:
    """Score respondents on the constructs of an estimated model. Reads the rows; it needs a survey.

    Parameters
    ----------
    result : of `csat.sem`.
    source : a survey: the one that the model was estimated from, or another one with the same questions. Its groups
        must be those of the model. If the model was estimated from answers with gaps (missing="fiml" or "pairwise"),
        who answered part of the questions is scored by them; else who answered all.
    method : "regression", the expected construct given the answers: least error, but shrunk towards the mean, so that
        variances and correlations of scores are not those of the constructs; "bartlett", unbiased given the construct,
        with more error.

    Returns
    -------
    FactorScores

    Raises
    ------
    OptionError
        For a result that has no constructs, or of ordered items: their scores depend on latent responses.
    SampleError
        For a summary without rows, or when nobody answered.
    UnknownColumnError
        If the survey lacks a variable.

    Notes
    -----
    Without intercepts deviations are taken from the weighted means of the respondents scored, group by group. Scores
    then have mean 0, or what the means of observed predictors make of it, as in lavaan.

    References
    ----------
    Thurstone (1935), The Vectors of Mind; Bartlett (1937), British Journal of Psychology 28, 97–104; Grice (2001),
    Psychological Methods 6(4), 430–450, on determinacy.
    """
    check_choice("method", method, METHODS)
    _check(result)
    table = source_of(source)
    if not isinstance(table, TableSource):
        raise SampleError.needs_rows("Scoring respondents")
    columns = [*result.observed, *([result.group] if result.group else [])]
    try:
        frame = table.frame(columns)
    except UnknownColumnError as error:
        raise unknown_column(error, result.model) from None
    values = _numbers(frame, result.observed)
    groups = _groups(frame, result)
    kept = _scored(result, values, groups)
    if not kept.any():
        raise SampleError(f"None of the {len(frame)} respondents can be scored: {_why(result)}.")
    scores, errors = np.full((2, len(frame), len(result.latents)), np.nan)
    parts = parts_of(result.optimum.state)
    for label, part in zip(result.groups, parts, strict=True):
        mine = np.flatnonzero(kept & (groups == label))
        scores[mine], errors[mine] = _of_group(part, values[mine], table.weight[mine], method)
    index, names = frame.index[kept], list(result.latents)
    whole = np.ones(len(result.observed), bool)
    return FactorScores(
        scores=pd.DataFrame(scores[kept], index, names),
        errors=pd.DataFrame(errors[kept], index, names),
        groups=pd.Series(groups[kept], index, name="group"),
        determinacy=np.array([METHODS[method](part, whole).determinacy for part in parts]),
        labels=result.groups,
        method=method,
        left_out=int((~kept).sum()),
    )


def _check(result: Sem) -> None:
    if not isinstance(result, Sem):
        raise OptionError(f"factor_scores is about a result of csat.sem; found {shown(result)}.")
    if not result.latents:
        raise OptionError("The model has no constructs (=~), so there is nothing to score.")
    if result.thresholds is not None:
        raise OptionError(
            f"Scores of ordered items (estimator={result.estimator!r}) would need the latent responses behind the "
            "answers. Estimate the model with estimator='MLR', which takes the answers as numbers, and score that."
        )


def _numbers(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """(n, p) answers; refuses columns of categories."""
    for name in names:
        if frame[name].dtype.kind not in "biuf":
            raise SampleError.categories(name, frame[name].dropna().unique().tolist())
    return frame[list(names)].to_numpy(float)


def _groups(frame: pd.DataFrame, result: Sem) -> np.ndarray:
    """(n,) label of each row's group, as sums by group have them; None where it is missing."""
    if result.group is None:
        return np.full(len(frame), "", object)
    import pyarrow as pa

    labels = pa.array(frame[result.group], from_pandas=True).cast(pa.string()).to_numpy(zero_copy_only=False)
    odd = sorted(set(labels[pd.notna(labels)]) - set(result.groups))
    if odd:
        raise SampleError(
            f"Column {result.group!r} has the group {odd[0]!r}, which the model was not estimated for; it has "
            f"{', '.join(map(repr, result.groups))}."
        )
    return labels


def _scored(result: Sem, values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(n,) who is scored: as many answers as the model was estimated from, and a group."""
    answered = ~np.isnan(values)
    structure = result.layout.groups[0]
    given = list(structure.predictors) if structure.sampled else []
    enough = answered.all(axis=1)
    if result.answered is not None:
        enough = answered.any(axis=1) & answered[:, given].all(axis=1)
    return enough & pd.notna(groups)


def _why(result: Sem) -> str:
    return "nobody answered any of the questions" if result.answered is not None else "nobody answered all questions"


def _of_group(part: Part, values: np.ndarray, weight: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, q) scores and standard errors of one group, pattern by pattern of answered questions."""
    p, point = part.point.structure.p, part.point
    answered = ~np.isnan(values)
    if point.structure.means:
        mean, centre = point.mu, point.centre[p:]
    else:
        mean = np.nansum(weight[:, None] * values, axis=0) / np.maximum(weight @ answered, 1e-300)
        among = part.directed[p:, p:]
        centre = np.linalg.solve(np.eye(len(among)) - among, part.directed[p:, :p] @ mean)
    scores, errors = np.full((2, len(values), len(centre)), np.nan)
    patterns, which, sizes = np.unique(answered, axis=0, return_inverse=True, return_counts=True)
    alike = np.split(np.argsort(which.ravel(), kind="stable"), np.cumsum(sizes)[:-1])
    for pattern, rows in zip(patterns, alike, strict=True):
        weights = METHODS[method](part, pattern)
        scores[rows] = (values[np.ix_(rows, pattern)] - mean[pattern]) @ weights.matrix.T + centre
        errors[rows] = weights.error
    return scores, errors

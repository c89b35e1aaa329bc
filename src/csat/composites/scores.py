"""Scores of respondents on the constructs of a path model. Reads the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.composites.checks import unknown_item
from csat.composites.fitted import Fitted
from csat.composites.items import Lines
from csat.errors import OptionError, SampleError, UnknownColumnError, check_choice
from csat.moments import Source, TableSource, source_of
from csat.results import Shown
from csat.version import __version__

#: Standard deviations of the sample, or 0–100.
UNITS = ("standardized", "points")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PlsScores(Shown):
    """Scores of respondents on constructs: weighted sums of their answers.

    scores : (n, q) one row per respondent, one column per construct; the index is the row in the source.
    groups : (n,) group of each respondent, "" without groups. weight : (n,) of the respondents.
    unit : "standardized" or "points". left_out : respondents who did not answer all items, or belong to no group.
    """

    scores: pd.DataFrame
    groups: pd.Series
    weight: pd.Series
    unit: str
    left_out: int

    def tidy(self) -> pd.DataFrame:
        """One row per construct (and group): ``term``, ``group`` if there are several, ``n``, weighted mean and SD."""
        rows = []
        for label in dict.fromkeys(self.groups):
            mine = (self.groups == label).to_numpy()
            values, weight = self.scores.to_numpy()[mine], self.weight.to_numpy()[mine]
            mean = weight @ values / weight.sum()
            sd = np.sqrt(weight @ np.square(values - mean) / weight.sum())
            facts = {"term": list(self.scores.columns), "group": label, "n": mine.sum(), "mean": mean, "sd": sd}
            rows.append(pd.DataFrame(facts))
        frame = pd.concat(rows, ignore_index=True)
        return frame if self.groups.nunique() > 1 else frame.drop(columns="group")

    def glance(self) -> pd.DataFrame:
        """One row: respondents scored and left out, and the unit."""
        facts = {"n": len(self.scores), "left_out": self.left_out, "unit": self.unit, "version": __version__}
        return pd.DataFrame([facts])


def pls_scores(result: Fitted, source: Source, *, unit: str = "standardized") -> PlsScores:
    """Score respondents on the constructs of a path model. Reads the rows; it needs a survey.

    Parameters
    ----------
    result : of `csat.pls`.
    source : a survey: the one that the model was estimated from, or another one with the same questions and groups.
    unit : "standardized", with weighted mean 0 and variance 1 (divisor: the sum of weights) in each group of the sample
        that the model was estimated from; "points", weighted means of the items' scores on 0–100, whose mean is
        `Pls.performance`. Products of constructs are not scored; parts of constructs are.

    Returns
    -------
    PlsScores

    Raises
    ------
    SampleError
        For a summary without rows, or when nobody can be scored.
    UnknownColumnError
        If the survey lacks an item.
    """
    check_choice("unit", unit, UNITS)
    table = source_of(source)
    if not isinstance(table, TableSource):
        raise SampleError.needs_rows("Scoring respondents")
    blocks = result.blocks
    lines = lines_of(result, unit)
    try:
        frame = table.frame([*dict.fromkeys(lines.items), *result.by])
    except UnknownColumnError as error:
        raise unknown_item(error, blocks) from None
    for name in dict.fromkeys(lines.items):
        if frame[name].dtype.kind not in "biuf":
            raise SampleError.categories(name, frame[name].dropna().unique().tolist())
    values = frame[list(lines.items)].to_numpy(float)
    group = group_positions(frame, result)
    kept = ~np.isnan(values).any(axis=1) & (group >= 0)
    if not kept.any():
        raise SampleError(f"None of the {len(frame)} respondents can be scored: nobody answered all items.")
    at = group[kept]
    scores = lines.offset[at]
    for d in np.unique(at):
        scores[at == d] += values[kept][at == d] @ lines.slope[d]
    index = frame.index[kept]
    return PlsScores(
        scores=pd.DataFrame(scores, index, list(lines.constructs)),
        groups=pd.Series([result.labels[d] for d in at], index, name="group"),
        weight=pd.Series(np.asarray(table.weight)[kept], index, name="weight"),
        unit=unit,
        left_out=int((~kept).sum()),
    )


def group_positions(frame: pd.DataFrame, result: Fitted) -> np.ndarray:
    """(n,) position of each row's group; −1 where it has none, or one without estimates."""
    if not result.by:
        return np.zeros(len(frame), int)
    import pyarrow as pa

    texts = [
        pa.array(frame[name], from_pandas=True).cast(pa.string()).to_numpy(zero_copy_only=False) for name in result.by
    ]
    place = {domain: d if result.solution.converged[d] else -1 for d, domain in enumerate(result.domains)}
    labels = list(zip(*texts, strict=True))
    odd = sorted({label for label in labels if None not in label} - set(place))
    if odd:
        raise SampleError(
            f"The group {' × '.join(odd[0])!r} is none that the model was estimated for; these are "
            f"{', '.join(map(repr, result.labels[:8]))}."
        )
    return np.array([place.get(label, -1) for label in labels], int)


def lines_of(result: Fitted, unit: str) -> Lines:
    """How scores follow from answers, in each group."""
    found = result.layout.lines(result.items, result.solution, points=unit == "points")
    if np.isfinite(found.offset).any():
        return found
    if unit == "points":
        raise OptionError(
            "unit='points' needs the ends of the scales: read the survey with a questionnaire, or estimate with "
            "pls(…, limits=(1, 10))."
        )
    raise SampleError("The model was estimated from a matrix without means: give from_covariance(…, mean=…).")

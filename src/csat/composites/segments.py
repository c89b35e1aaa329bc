"""Unobserved segments of respondents whose paths differ (FIMIX-PLS). Reads the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.composites.fitted import Fitted
from csat.composites.mixture import Mixture, Rows, expected, fitted
from csat.composites.products import Moderated
from csat.composites.resampling import check_whole
from csat.composites.scores import PlsScores, pls_scores
from csat.errors import ConvergenceError, OptionError, SampleError
from csat.moments import Source, shown
from csat.results import Shown
from csat.version import __version__

#: Segments at most, and starts at most.
MOST_SEGMENTS, MOST_STARTS = 12, 1000
#: Runs whose log-likelihood is this near to the best found the same solution.
SAME = 1e-3


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Segments(Shown):
    """K segments of n respondents, the largest first, numbered from 1.

    mixture : shares (K,), paths (K, q, q), residual variances and R² (K, q), log-likelihood.
    constructs : (q,). names : (m, 2) explained and explaining construct of each path. whole : (m,) paths of everybody,
        as in one segment.
    probabilities : (n, K) of belonging to each segment; the index is the row in the source.
    criteria : one row per number of segments up to K; see `pls_segments`.
    starts : runs of each number of segments. left_out : respondents without an answer to all items.
    """

    mixture: Mixture
    constructs: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    whole: np.ndarray
    probabilities: pd.DataFrame
    criteria: pd.DataFrame
    starts: int
    left_out: int

    @property
    def assigned(self) -> pd.Series:
        """(n,) the most probable segment of each respondent: a column for ``pls(…, by="segment")``."""
        best = self.probabilities.to_numpy().argmax(axis=1) + 1
        return pd.Series(best, self.probabilities.index, name="segment")

    def tidy(self) -> pd.DataFrame:
        """One row per segment and path.

        Returns
        -------
        DataFrame
            segment, share (of the weights), n (respondents most probably in it), lhs, rhs, estimate, whole (the path of
            everybody), r2 (of the explained construct in the segment).
        """
        places = [(self.constructs.index(to), self.constructs.index(by)) for to, by in self.names]
        counts = np.bincount(self.assigned.to_numpy() - 1, minlength=len(self.mixture.shares))
        rows = []
        for k, share in enumerate(self.mixture.shares.tolist()):
            facts: dict[str, Any] = {"segment": k + 1, "share": share, "n": int(counts[k])}
            facts |= {"lhs": [to for to, _ in self.names], "rhs": [by for _, by in self.names]}
            facts |= {"estimate": [self.mixture.paths[k, to, by] for to, by in places], "whole": self.whole}
            rows.append(pd.DataFrame(facts | {"r2": [self.mixture.r2[k, to] for to, _ in places]}))
        return pd.concat(rows, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """One row: respondents and segments, criteria of this number of segments, and how often it was found."""
        facts = {"n": len(self.probabilities), "left_out": self.left_out, **self.criteria.iloc[-1].to_dict()}
        return pd.DataFrame([facts | {"starts": self.starts, "version": __version__}])

    def __repr__(self) -> str:
        return f"{Shown.__repr__(self)}\n{self.criteria.to_string(index=False, float_format='{:.5g}'.format)}"


def pls_segments(result: Fitted, source: Source, k: int = 2, *, starts: int = 20, seed: int = 1) -> Segments:
    """Look for segments of respondents in which constructs explain one another differently. Reads the rows.

    Parameters
    ----------
    result : of `csat.pls`, without groups.
    source : the survey that it was estimated from.
    k : number of segments; all smaller numbers are tried too, for the criteria.
    starts : random partitions that EM starts from, for each number of segments; the best solution counts.
    seed : of the starts; the same seed gives the same segments.

    Returns
    -------
    Segments
        `criteria` has the columns segments, loglik, parameters, aic, aic3, aic4, bic, caic (the smaller the better),
        entropy (0: nobody is told apart, 1: everybody is) and agreeing (starts that came to this solution; few mean
        that there may be a better one).

    Raises
    ------
    OptionError
        For a result with groups, with products of constructs or repeated items, or numbers that make no sense.
    SampleError
        Without rows, or with too few respondents for so many segments.
    ConvergenceError
        If no start came to a solution: segments that are too small, or answer alike.

    Notes
    -----
    A mixture of the normal regressions of the explained constructs, of standardized scores and without intercepts, by
    EM; items are weighted as for everybody, and nothing is corrected for attenuation. Sampling weights multiply the
    likelihood; criteria count respondents. Standard errors are not given: the segments were found in the same answers.
    Compare them with ``pls(…, by="segment")`` and `csat.micom`, knowing that they were made to differ.
    Source: Hahn, Johnson, Herrmann & Huber (2002), Schmalenbach Business Review 54, 243–269; Sarstedt, Becker, Ringle &
    Schwaiger (2011), same journal 63, 34–62, for the criteria.
    """
    if not isinstance(result, Fitted):
        raise OptionError(f"A result of csat.pls is needed; found {shown(result)}.")
    if len(result.domains) > 1:
        raise OptionError("Segments are looked for among everybody: estimate the model without by=….")
    _check_layout(result)
    check_whole("k", k, 1, MOST_SEGMENTS)
    check_whole("starts", starts, 1, MOST_STARTS)
    check_whole("seed", seed, 0, 2**63)
    found = pls_scores(result, source)
    blocks = result.blocks
    _check_same(found, blocks.constructs)
    free = int(blocks.paths.sum()) + int(blocks.endogenous.sum())
    if len(found.scores) <= k * free + k - 1:
        raise SampleError.too_few(f"{k} segments with {free} parameters each", len(found.scores), k * (free + 1))
    # Parts of constructs have scores, too.
    rows = Rows.of(found.scores[list(blocks.constructs)].to_numpy(), found.weight.to_numpy(), blocks)
    runs = [_best(rows, size, starts if size > 1 else 1, seed) for size in range(1, k + 1)]
    expectations = [expected(rows, run)[0] for run, _ in runs]
    table = [
        _criteria(run, memberships, rows, size, free) | {"agreeing": agreeing}
        for size, ((run, agreeing), memberships) in enumerate(zip(runs, expectations, strict=True), 1)
    ]
    best, memberships = runs[-1][0], expectations[-1]
    order = np.argsort(-best.shares, kind="stable")
    names = tuple((blocks.constructs[to], blocks.constructs[by]) for to, by in np.argwhere(blocks.paths).tolist())
    return Segments(
        mixture=replace(
            best, shares=best.shares[order], paths=best.paths[order], variances=best.variances[order], r2=best.r2[order]
        ),
        constructs=blocks.constructs,
        names=names,
        whole=runs[0][0].paths[0][blocks.paths],
        probabilities=pd.DataFrame(memberships[order].T, found.scores.index, range(1, k + 1)),
        criteria=pd.DataFrame(table),
        starts=starts,
        left_out=found.left_out,
    )


def _check_layout(result: Fitted) -> None:
    """Refuse models whose scores do not have a normal regression for each explained construct."""
    if isinstance(result.layout, Moderated):
        raise OptionError(
            "Segments are not looked for in models with products of constructs: a product is not scored. Estimate the "
            "model without products; an effect that differs by segment is then found as such."
        )
    if len(result.blocks.items) > len(result.blocks.observed):
        raise OptionError(
            "Segments are not looked for with second_order='repeated': a construct follows there from its parts "
            "almost without error, which leaves nothing to tell segments by. Estimate with second_order='two-stage'."
        )


def _check_same(found: PlsScores, constructs: Sequence[str]) -> None:
    """Refuse other respondents than those of the estimates, whose scores have mean 0 and variance 1."""
    scores, weight = found.scores[list(constructs)].to_numpy(), found.weight.to_numpy()
    mean = np.average(scores, axis=0, weights=weight)
    variance = np.average((scores - mean) ** 2, axis=0, weights=weight)
    if np.max(np.abs([mean, variance - 1.0])) > 1e-6:
        raise OptionError(
            "Segments are looked for among the respondents that the model was estimated from; this survey holds "
            f"{len(scores)} others, or other answers or weights. Give the survey that csat.pls got."
        )


def _best(rows: Rows, size: int, starts: int, seed: int) -> tuple[Mixture, int]:
    """The run with the highest likelihood, and how many came to the same."""
    runs = fitted(rows, size, starts, seed)
    if not runs.sound.any():
        raise ConvergenceError(
            f"None of {starts} starts came to {size} segments: some became too small, did not settle, or hold "
            "respondents whose scores follow exactly from one another. Ask for fewer segments."
        )
    likelihood = np.where(runs.sound, runs.loglik, -np.inf)
    at = int(np.argmax(likelihood))
    return runs[at], int((likelihood > likelihood[at] - SAME).sum())


def _criteria(best: Mixture, memberships: np.ndarray, rows: Rows, size: int, free: int) -> dict[str, Any]:
    """Criteria for the number of segments."""
    n, parameters = len(rows.weight), size - 1 + size * free
    fit = -2 * float(best.loglik)
    doubt = -np.sum(memberships * np.log(np.maximum(memberships, 1e-300)), axis=0) @ rows.weight
    return {
        "segments": size, "loglik": float(best.loglik), "parameters": parameters,
        "aic": fit + 2 * parameters, "aic3": fit + 3 * parameters, "aic4": fit + 4 * parameters,
        "bic": fit + np.log(n) * parameters, "caic": fit + (np.log(n) + 1) * parameters,
        "entropy": 1 - float(doubt) / (n * np.log(size)) if size > 1 else np.nan,
    }  # fmt: skip

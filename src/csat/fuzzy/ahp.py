"""`ahp`: factor weights from pairwise judgements of one judge or several (Saaty's analytic hierarchy process)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import CsatWarning, OptionError, check_choice
from csat.fuzzy.agreeing import kendall_w
from csat.fuzzy.judgements import Judged, JudgementError, read_judges
from csat.fuzzy.priorities import (
    METHODS,
    RANDOM_INDEX,
    consistency_index,
    consistency_ratio,
    from_logs,
    geometric_index,
    geometric_limit,
    pairs_of,
    principal,
    priorities,
    slopes,
    softmax,
)
from csat.fuzzy.repair import smallest_repair
from csat.fuzzy.weights import FactorWeights, Note, without_uncertainty
from csat.moments import shown
from csat.results import Estimates, Provenance, Shown, check_level, insert_before, printed

#: What is averaged over judges.
JUDGEMENTS, PRIORITIES = AGGREGATIONS = ("judgements", "priorities")
#: A judge whose weights correlate less than this with those of the others is named.
UNLIKE = 0.5


class InconsistentWarning(CsatWarning):
    """Pairwise judgements that contradict each other, taken all the same."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ahp(Shown):
    """Weights from pairwise judgements of J judges.

    weights : of the factors, over all judges; standard errors come from the spread between judges.
    matrix : (m, m) judgements; of several judges their (weighted) geometric means.
    lambda_max, ci, cr : of `matrix`: largest eigenvalue, (λmax − m)/(m − 1), and CI over Saaty's RI (`ri`).
    gci, gci_limit : geometric consistency index, and the value that corresponds to CR = 0.10.
    judges : (J,) names. judge_weights : (J,) shares. judge_values : (J, m) each judge's own weights. judge_cr,
        judge_gci : (J,) each judge's own consistency.
    agreement : Kendall's W of the judges' rankings of the factors, 1 = all the same; NaN for one judge.
    method : "eigenvector" or "geometric-mean". aggregation : what was averaged, "judgements" or "priorities".
    accept : largest CR accepted; None: any.
    """

    weights: FactorWeights
    matrix: np.ndarray
    lambda_max: float
    ci: float
    cr: float
    ri: float
    gci: float
    gci_limit: float
    judges: tuple[str, ...]
    judge_weights: np.ndarray
    judge_values: np.ndarray
    judge_cr: np.ndarray
    judge_gci: np.ndarray
    agreement: float
    method: str
    aggregation: str
    accept: float | None

    @property
    def factors(self) -> tuple[str, ...]:
        """(m,) names."""
        return self.weights.factors

    @property
    def notes(self) -> tuple[Note, ...]:
        """What to beware of."""
        return self.weights.notes

    def __repr__(self) -> str:
        head = printed("Ahp", self.tidy(), "tidy()")
        found = f"CR = {self.cr:.3f} (λmax = {self.lambda_max:.4g}, RI = {self.ri:.2f})"
        accepted = "any accepted" if self.accept is None else f"at most {self.accept:g} accepted"
        agreement = f"; {len(self.judges)} judges, W = {self.agreement:.3g}" if len(self.judges) > 1 else ""
        return f"{head}\n{found}, {accepted}{agreement}"

    def tidy(self) -> pd.DataFrame:
        """One row per factor; of several judges also the lowest, highest and SD of their own weights."""
        frame = self.weights.tidy()
        if len(self.judges) == 1:
            return frame
        values = self.judge_values
        columns = {"judge_low": values.min(axis=0), "judge_high": values.max(axis=0), "judge_sd": values.std(0, ddof=1)}
        return insert_before(frame, "note", columns)

    def by_judge(self) -> pd.DataFrame:
        """One row per judge: share, CR, GCI, whether CR is accepted (0.10 if any was), then each factor's weight."""
        limit = 0.10 if self.accept is None else self.accept
        frame = pd.DataFrame(
            {"judge": list(self.judges), "share": self.judge_weights, "cr": self.judge_cr, "gci": self.judge_gci,
             "consistent": self.judge_cr <= limit}
        )  # fmt: skip
        return pd.concat([frame, pd.DataFrame(self.judge_values, columns=list(self.factors))], axis=1)

    def glance(self) -> pd.DataFrame:
        """One row: factors, judges, λmax, CI, RI, CR, GCI and its limit, agreement, how the weights were made."""
        return pd.DataFrame(
            {"factors": [len(self.factors)], "judges": [len(self.judges)], "lambda_max": [self.lambda_max],
             "ci": [self.ci], "ri": [self.ri], "cr": [self.cr], "gci": [self.gci], "gci_limit": [self.gci_limit],
             "worst_judge_cr": [float(self.judge_cr.max())], "agreement": [self.agreement], "method": [self.method],
             "aggregation": [self.aggregation], "notes": [" ".join(map(str, self.notes))]}
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Judges and how they are put together: everything that drawing them again needs.

    matrices : (J, m, m). shares : (J,) weights of the judges. own : (J, m) each judge's weights.
    """

    matrices: np.ndarray
    shares: np.ndarray
    own: np.ndarray
    method: str
    aggregation: str

    def together(self, shares: np.ndarray) -> np.ndarray:
        """(…, m) weights of the panel under weights (…, J) of the judges."""
        m = self.own.shape[1]
        if self.aggregation == PRIORITIES:
            return softmax(shares @ np.log(self.own))
        rows, columns = pairs_of(m)
        return priorities(from_logs(shares @ np.log(self.matrices[:, rows, columns]), m), self.method)

    def __call__(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """(size, m) weights of J − 1 of the J judges drawn with replacement, which spread as those of the panel do.

        Source: Rao & Wu (1988), JASA 83, 231–241.
        """
        count = len(self.shares)
        drawn = rng.multinomial(count - 1, np.full(count, 1 / count), size=size) * self.shares
        empty = drawn.sum(axis=1) == 0
        drawn[empty] = self.shares
        return self.together(drawn / drawn.sum(axis=1, keepdims=True))

    def vcov(self, matrix: np.ndarray) -> np.ndarray:
        """(m, m) covariance of the weights: logarithms averaged over judges, carried on by their derivatives."""
        count, m = self.own.shape
        rows, columns = pairs_of(m)
        if self.aggregation == PRIORITIES:
            logs, w = np.log(self.own), self.together(self.shares)
            carry = np.diag(w) - np.outer(w, w)
        else:
            logs, carry = np.log(self.matrices[:, rows, columns]), slopes(matrix, self.method)
        moved = (self.shares[:, None] * (logs - self.shares @ logs)) @ carry.T
        return np.asarray(moved.T @ moved * count / (count - 1))


def ahp(
    judgements: Judged | Sequence[Judged] | Mapping[str, Judged],
    *,
    names: Sequence[str] | None = None,
    method: str = "eigenvector",
    judges: str = "judgements",
    judge_weights: Mapping[str, float] | Sequence[float] | None = None,
    accept: float | None = 0.10,
    level: float = 0.95,
) -> Ahp:
    """Factor weights from pairwise judgements on Saaty's scale.

    Parameters
    ----------
    judgements : how many times as important the factor of the row is as that of the column, from 1/9 to 9: a square
        matrix, a DataFrame, or {(a, b): value} with every pair once. Of several judges: a list of these, or a mapping
        judge → these. The diagonal is 1; the smaller of two reciprocals may be rounded (0.33), the larger counts.
    names : (m,) of the factors, where the judgements have none; in this order.
    method : "eigenvector" (Saaty 1977) or "geometric-mean" of each row (Crawford & Williams 1985).
    judges : what is averaged over judges by geometric means: their "judgements", which speaks for the group as one, or
        their "priorities", which speaks for each of them (Forman & Peniwati 1998).
    judge_weights : (J,) > 0, by name or in order; only their proportions count. None: all alike.
    accept : largest CR of a judge. Beyond it the error names the judgement that breaks it and the smallest repair;
        None: any CR is taken, with a warning.
    level : of the intervals, which come from the spread between judges (t with J − 1 degrees of freedom).

    Returns
    -------
    Ahp
        `.weights` are `FactorWeights`. One judge has no standard errors.

    Raises
    ------
    JudgementError
        Judgements that are not reciprocal, incomplete, off the scale or, beyond `accept`, inconsistent.
    OptionError
        For arguments that make no sense.

    Notes
    -----
    CR = CI/RI with CI = (λmax − m)/(m − 1) and Saaty's RI = 0, 0, .58, .90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51,
    1.48, 1.56, 1.57, 1.59 for m = 1 … 15 (Saaty 1980, p. 21). Two factors cannot contradict each other: CR = 0.
    GCI is that of Crawford & Williams (1985, J. Math. Psychology 29, 387–405) with the thresholds of Aguarón &
    Moreno-Jiménez (2003, European J. Operational Research 147, 137–145). Sources of the method: Saaty (1977), J. Math.
    Psychology 15, 234–281; Aczél & Saaty (1983), J. Math. Psychology 27, 93–102; Forman & Peniwati (1998), European J.
    Operational Research 108, 165–169.

    Examples
    --------
    >>> found = ahp({("quality", "price"): 3, ("quality", "service"): 5, ("price", "service"): 2})
    >>> found.weights.values.round(3).tolist(), round(found.cr, 3)
    ([0.648, 0.23, 0.122], 0.003)
    """
    check_choice("method", method, METHODS)
    check_choice("judges", judges, AGGREGATIONS)
    check_level(level)
    accept = _accepted(accept)
    listed, factors, matrices = read_judges(judgements, names)
    shares = _shares(judge_weights, listed)
    ratios = consistency_ratio(matrices)
    notes = tuple(_consistent(listed, factors, matrices, ratios, accept))
    panel = Panel(matrices, shares, priorities(matrices, method), method, judges)
    return _result(panel, listed, factors, ratios, notes, accept, level)


def _result(
    panel: Panel, judges: tuple[str, ...], factors: tuple[str, ...], ratios: np.ndarray, notes: tuple[Note, ...],
    accept: float | None, level: float,
) -> Ahp:  # fmt: skip
    m, own = len(factors), panel.own
    rows, columns = pairs_of(m)
    matrix = from_logs(panel.shares @ np.log(panel.matrices[:, rows, columns]), m)
    largest = principal(matrix)[0]
    agreement = kendall_w(own) if len(judges) > 1 else np.nan
    return Ahp(
        _weights(panel, matrix, judges, factors, notes, level), matrix, float(largest),
        float(consistency_index(largest, m)), float(consistency_ratio(matrix)),
        RANDOM_INDEX[m - 1] if m <= len(RANDOM_INDEX) else np.nan, float(geometric_index(matrix)), geometric_limit(m),
        judges, panel.shares, own, ratios, geometric_index(panel.matrices), agreement, panel.method, panel.aggregation,
        accept,
    )  # fmt: skip


def _weights(
    panel: Panel, matrix: np.ndarray, judges: tuple[str, ...], factors: tuple[str, ...], notes: tuple[Note, ...],
    level: float,
) -> FactorWeights:  # fmt: skip
    count, m = panel.own.shape
    values = panel.together(panel.shares)
    if count == 1:
        return without_uncertainty(factors, values, "ahp", "one_judge", notes, "one judge", level, 1)
    notes = (*notes, *_disagreements(panel, judges, factors))
    estimates = Estimates(
        factors, values, panel.vcov(matrix), count - 1.0, np.full(m, count), np.full(m, np.nan), "share",
        Provenance(f"{count} judges", "spread between judges"), level,
    )  # fmt: skip
    return FactorWeights(estimates, "ahp", notes, panel)


def _accepted(accept: Any) -> float | None:
    if accept is None:
        return None
    number = isinstance(accept, int | float | np.integer | np.floating) and not isinstance(accept, bool)
    if not number or not 0 <= accept <= 1:
        raise OptionError(f"accept={shown(accept)}: the largest CR lies between 0 and 1, e.g. 0.10; None takes any.")
    return float(accept)


def _shares(weights: Any, judges: tuple[str, ...]) -> np.ndarray:
    """(J,) weights of the judges with sum 1."""
    if weights is None:
        return np.full(len(judges), 1 / len(judges))
    if isinstance(weights, Mapping):
        if set(weights) != set(judges):
            raise OptionError(f"judge_weights names {sorted(map(str, weights))}; the judges are {list(judges)}.")
        weights = [weights[judge] for judge in judges]
    try:
        found = np.asarray(weights, float)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0)
    if found.shape != (len(judges),) or not (np.isfinite(found) & (found > 0)).all():
        raise OptionError(f"judge_weights are {len(judges)} numbers above 0, one per judge; found {shown(weights)}.")
    return np.asarray(found / found.sum())


def _consistent(
    judges: tuple[str, ...], factors: tuple[str, ...], matrices: np.ndarray, ratios: np.ndarray, accept: float | None
) -> Iterator[Note]:
    """Notes on judges who contradict themselves, with a warning each; an error unless any CR is accepted."""
    if len(factors) > len(RANDOM_INDEX) and accept is not None:
        raise JudgementError(
            f"{len(factors)} factors: RI is known for up to {len(RANDOM_INDEX)}, so CR is not. Put the factors into "
            "groups and judge these first, or pass accept=None."
        )
    limit = 0.10 if accept is None else accept
    for judge, matrix, ratio in zip(judges, matrices, ratios.tolist(), strict=True):
        if not ratio > limit:
            continue
        if accept is not None:
            raise _inconsistent(judge, matrix, factors, ratio, accept)
        note = Note("inconsistent", judge or "AHP", {"cr": ratio, "accept": limit})
        warnings.warn(str(note), InconsistentWarning, stacklevel=4)
        yield note


def _inconsistent(
    judge: str, matrix: np.ndarray, factors: tuple[str, ...], ratio: float, accept: float
) -> JudgementError:
    of = f"Judge {judge!r}: the" if judge else "The"
    found = f"{of} judgements contradict each other: CR = {ratio:.3f}, above {accept:.2f}."
    repair = smallest_repair(matrix, factors, accept)
    if repair is None:
        return JudgementError(f"{found} No judgements on the scale bring it down to {accept:g}: accept more.")
    first, count = repair.changes[0], len(repair.changes)
    what = f"The judgement that breaks it is {first.first!r} over {first.second!r}; the smallest repair: move"
    if count > 1:
        which = "the smallest repair moves" if repair.smallest else "this sequence repairs them by moving"
        what = f"No single judgement breaks it; {which} {count}:"
    return JudgementError(
        f"{found} {what} {repair}. Ask the judge again; accept=None takes the judgements as they are."
    )


def _disagreements(panel: Panel, judges: tuple[str, ...], factors: tuple[str, ...]) -> Iterator[Note]:
    """The factor that judges weigh most differently, and judges who are unlike the others."""
    own = panel.own
    wide = int(np.argmax(np.log(own).std(axis=0)))
    low, high = float(own[:, wide].min()), float(own[:, wide].max())
    if high > 2 * low:
        yield Note("disagree", factors[wide], {"low": low, "high": high})
    if len(judges) < 3 or len(factors) < 3:
        return
    for j, judge in enumerate(judges):
        rest = panel.shares * (np.arange(len(judges)) != j)
        others = panel.together(rest / rest.sum())
        if own[j].std() < 1e-9 or others.std() < 1e-9:
            continue
        r = float(np.corrcoef(own[j], others)[0, 1])
        if r < UNLIKE:
            yield Note("unlike", judge, {"r": r})

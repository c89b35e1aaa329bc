"""What full-information maximum likelihood is fitted to: moments by pattern of answered variables, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.errors import CollinearityError, SampleError, UnknownColumnError
from csat.model import Model
from csat.moments import Patterns, PatternSource, Source, one_name
from csat.normal import Normal, fit_normal
from csat.structural.engine.checks import check_sample
from csat.structural.engine.discrepancy import Sample
from csat.structural.gaps.answered import Answered
from csat.structural.gaps.incomplete import PatternSample
from csat.structural.samples import unknown_column


@dataclass(frozen=True, slots=True, eq=False)
class Patterned:
    """Answers with gaps, as a model is fitted to them.

    samples : (G,) moments by pattern. unrestricted : (G,) mean and covariance of all variables that make the answers
        most likely, found by EM.
    available : (G,) means over those who answered a variable, covariances over those who answered both.
    masses : (G,) weights of the respondents that count, scaled to sum to their number over all groups.
    weight : the sum of their weights. answered : bases.
    """

    samples: tuple[PatternSample, ...]
    unrestricted: tuple[Sample, ...]
    available: tuple[Sample, ...]
    masses: tuple[float, ...]
    weight: float
    answered: Answered

    @property
    def n(self) -> float:
        """Respondents that count."""
        return float(sum(self.masses))

    @property
    def sizes(self) -> tuple[int, ...]:
        """(G,) respondents that count."""
        return tuple(self.answered.sizes.tolist())


def read_patterns(source: Source, model: Model, group: str | None) -> tuple[Patterns, tuple[str, ...]]:
    """Patterns of answered variables, and the labels of the groups ("" for one).

    Raises
    ------
    SampleError
        If the source is a summary: which answers are missing is not in it.
    UnknownColumnError
        If the data lack a variable.
    """
    if not isinstance(source, PatternSource):
        raise SampleError.needs_rows('missing="fiml"')
    by = () if group is None else (one_name(group, "group"),)
    try:
        found = source.patterns(list(model.observed), by)
    except UnknownColumnError as error:
        raise unknown_column(error, model) from None
    return found, tuple(domain[0] for domain in found.domains) if by else ("",)


def patterned(found: Patterns, labels: Sequence[str], given: Sequence[int]) -> Patterned:
    """Moments by pattern, and the unrestricted ones.

    Parameters
    ----------
    given : positions of predictors whose moments are the sample's: respondents without one of them do not count.

    Raises
    ------
    SampleError, CollinearityError
        If nobody answered a variable, or two variables together, or there is too little variation.
    """
    kept = np.asarray(found.answered[:, list(given)].all(axis=1))
    parts = [_of(found, kept, d) for d in range(len(labels))]
    dropped = np.bincount(found.domain[~kept], found.n[~kept], len(labels)).astype(int)
    fitted = [_fitted(part, label, gone) for part, label, gone in zip(parts, labels, dropped.tolist(), strict=True)]
    weights = np.array([part.gram[:, 0, 0].sum() for part in parts])
    sizes = np.array([int(part.n.sum()) for part in parts])
    whole = float(weights.sum())
    answered = Answered(
        pairs=np.stack([part.pairs[0] for part in parts]),
        patterns=np.array([len(part.n) for part in parts]),
        silent=found.silent,
        unpredicted=dropped,
        sizes=sizes,
    )
    return Patterned(
        samples=tuple(_sample(part, whole) for part in parts),
        unrestricted=tuple(
            _unrestricted(normal, part, weight / whole)
            for normal, part, weight in zip(fitted, parts, weights.tolist(), strict=True)
        ),
        available=tuple(_available(part) for part in parts),
        masses=tuple((weights * (sizes.sum() / whole)).tolist()),
        weight=whole,
        answered=answered,
    )


def _of(found: Patterns, kept: np.ndarray, d: int) -> Patterns:
    """The patterns of one group that count."""
    mine = kept & (found.domain == d)
    return replace(
        found, domains=(found.domains[d],), domain=np.zeros(int(mine.sum()), int), answered=found.answered[mine],
        gram=found.gram[mine], n=found.n[mine], silent=found.silent[d : d + 1],
    )  # fmt: skip


def _fitted(part: Patterns, label: str, dropped: int) -> Normal:
    """Unrestricted moments of one group; errors say which group."""
    place = f"Group {label!r}: " if label else ""
    if not part.n.sum():
        why = f": in all {dropped} rows a predictor is missing; sem(…, fixed_x=False) keeps them" if dropped else ""
        raise SampleError(f"{place}nobody answered the variables of the model{why}.")
    try:
        _check_enough(part)
        _check_complete(part)
        normal = fit_normal(part)
        moments = _unrestricted(normal, part, 1.0)
        check_sample(part.names, moments.cov, np.asarray(moments.mean) - part.midpoint, int(part.n.sum()))
    except (SampleError, CollinearityError) as error:
        raise type(error)(f"{place}{error}") from None
    except np.linalg.LinAlgError:
        raise SampleError(
            f"{place}the covariances of the {len(part.names)} variables cannot be estimated from {int(part.n.sum())} "
            "respondents with gaps: too few answered the same variables. Use fewer variables, or leave out those that "
            "few answered."
        ) from None
    return normal


def _check_enough(part: Patterns) -> None:
    """Refuse groups so small that the unrestricted covariances are singular whatever the answers."""
    n, p = int(part.n.sum()), len(part.names)
    if n <= p:
        raise SampleError(
            f"{n} respondents for {p} variables: their covariances need at least {p + 1}. Use fewer variables or more "
            "data; a small group can be left out, or joined with another."
        )


def _check_complete(part: Patterns) -> None:
    """Refuse variables that repeat each other among complete respondents: EM would creep towards a singular matrix."""
    rows = part.answered.all(axis=1)
    n, gram = int(part.n[rows].sum()), part.gram[rows].sum(axis=0)
    if n <= len(part.names):
        return
    mean = gram[0, 1:] / gram[0, 0]
    cov = gram[1:, 1:] / gram[0, 0] - np.outer(mean, mean)
    if (np.diag(cov) > 0).all():
        sd = np.sqrt(np.diag(cov))
        if np.linalg.eigvalsh(cov / np.outer(sd, sd))[0] < 1e-10:
            check_sample(part.names, cov, mean, n)


def _unrestricted(normal: Normal, part: Patterns, share: float) -> Sample:
    mean = part.midpoint + normal.centre + normal.spread * normal.mean
    return Sample(normal.cov * np.outer(normal.spread, normal.spread), mean, share)


def _available(part: Patterns) -> Sample:
    """Moments pair by pair, divided by n − 1 of the pair and multiplied by (n − 1)/n of all, as lavaan has them."""
    answered = part.answered.astype(float)
    weight = (answered * part.gram[:, :1, 0]).T @ answered
    centre = part.gram[:, 0, 1:].T @ answered / weight
    cov = part.gram[:, 1:, 1:].sum(axis=0) / weight - centre * centre.T
    pairs, n = part.pairs[0], int(part.n.sum())
    return Sample(cov * pairs / np.maximum(pairs - 1, 1) * (n - 1) / n, part.midpoint + np.diag(centre))


def _sample(part: Patterns, whole: float) -> PatternSample:
    """Moments by pattern; `whole` is the sum of weights of all groups."""
    weight = part.gram[:, 0, 0]
    base = np.where(weight > 0, weight, 1.0)
    mean = part.gram[:, 0, 1:] / base[:, None]
    cov = part.gram[:, 1:, 1:] / base[:, None, None] - mean[:, :, None] * mean[:, None, :]
    return PatternSample(part.answered, weight / whole, np.where(part.answered, mean + part.midpoint, 0.0), cov)

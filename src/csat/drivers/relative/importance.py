"""Relative importance: how much of R² belongs to each driver, and how sure that is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from csat.drivers.linear.least_squares import Fit, fit_least_squares
from csat.drivers.linear.passes import effective_sizes
from csat.drivers.relative.notes import CorrelationsWarning, Facts, Note, contradiction, notes_of
from csat.drivers.relative.players import Players, players_of
from csat.drivers.relative.quotients import percentages, share_intervals
from csat.drivers.relative.ranking import OWN_COLUMNS, Importance
from csat.drivers.relative.samples import RULES, Sample
from csat.drivers.relative.shares import MEASURES, first_parts, last_parts
from csat.drivers.relative.split import Split, split_of
from csat.errors import CollinearityError, OptionError, SampleError, check_choice
from csat.moments import Source, check_size, group_names, shown, source_of, term_of
from csat.ranks import rank_interval, rank_of
from csat.results import Estimates, Provenance, Unavailable, check_level
from csat.variance import degrees_of_freedom, method_of

#: More sampled orders than this are a slip.
MOST_DRAWS = 10**6


def importance(
    source: Source,
    outcome: Any,
    drivers: Any,
    *,
    method: str = "lmg",
    groups: Mapping[str, Any] | None = None,
    always: Any = None,
    missing: str = "listwise",
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    draws: int | None = None,
    seed: int = 1,
) -> Importance:
    """Relative importance of the drivers of an outcome.

    Parameters
    ----------
    source : survey, or a summary.
    outcome : dependent variable: a code, an item of a questionnaire, or a `Recode`.
    drivers : (m,) terms: codes, items and processes of a questionnaire, `Recode`, `Factor` or columns of text. A
        category counts as one driver: its columns enter together.
    method : "lmg" (average gain in R² over all orders, the Shapley value: Lindeman, Merenda & Gold 1980), "johnson"
        (relative weights, 2000) or "genizi" (1993; the same figures), "car" (squared CAR scores: Zuber & Strimmer
        2011), "pmvd" (proportional marginal variance decomposition: Feldman 2005), "pratt" (β·r), all of which add up
        to R²; "first" (R² alone), "last" (gain in R² when entered last), "betasq" (β²), which do not.
    groups : name → drivers that enter together. "pratt" adds up over the columns of a group however they are coded;
        "johnson", "genizi" and "car" are sums over its numeric drivers (as Zuber & Strimmer 2011 do) and refuse
        categories, whose reference level would matter; "betasq" refuses groups.
    always : drivers that are in every model. They and what they explain are taken out first; the parts then add up to
        what the others add (`r2` − `r2_always`).
    missing : "listwise" (complete answers), "pairwise" (each covariance over those who answered both) or "em" (maximum
        likelihood for normal variables, gaps at random).
    by : grouping columns: an analysis for each group, with the joint covariance of all figures. A group without enough
        different answers has NaN and a reason.
    level : of the intervals.
    draws : for "lmg", orders to sample; None: all sets of drivers are visited up to 24 drivers (22 take some seconds),
        beyond 10,000 orders are sampled. `draw_se` is then the error of the sampling; intervals contain it.
    seed : of the sampling; the same seed gives the same figures.

    Returns
    -------
    Importance
        Standard errors come from the exact gradient of each part, design-based, and under replicate weights from
        computing the parts anew with each (from the gradient for sampled orders and, where answers are missing, for
        "em", and for "pairwise" with weights of single rows: a note of kind "first_order" says so). They are not
        computable for a summary without rows. Intervals are cut at the ends of what a part can be; shares have their
        own, by Fieller's method (1954), which knows that R² is estimated too. Where R² may be zero they run from 0 to
        100. Rank intervals hold for all drivers of a group at once at `level`. `n_eff` is (Σw)²/Σw² (Kish 1965).

    Raises
    ------
    OptionError
        Arguments that make no sense.
    SampleError, CollinearityError
        Too few respondents, a constant variable, exact collinearity.
    """
    check_choice("method", method, MEASURES)
    check_choice("missing", missing, RULES)
    check_level(level)
    _check_sampling(draws, seed)
    groupers = _groupers(by)
    answers = source_of(source)
    players = players_of(answers, outcome, drivers, groups, always)
    split = split_of(players, method, draws, seed)
    sample = RULES[missing](answers, players.terms.variables, groupers)
    check_size(groupers, sample.groups.domains, len(players.labels))
    fits, faults = _fits(sample, players)
    contradictions = list(_contradictions(sample, fits))
    parts, vcov, draw_se = _figures(sample, split, fits)
    estimates = _estimates(sample, players, split, parts, vcov, faults, level, missing)
    return _result(method, sample, split, fits, estimates, draw_se, contradictions)


def _check_sampling(draws: Any, seed: Any) -> None:
    whole = isinstance(draws, int | np.integer) and not isinstance(draws, bool)
    if draws is not None and not (whole and 1 <= draws <= MOST_DRAWS):
        raise OptionError(f"draws={shown(draws)}: the number of orders to sample is a whole number, 1 to {MOST_DRAWS}.")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise OptionError(f"seed={shown(seed)}: a seed is a whole number, 0 or more.")


def _groupers(by: Any) -> tuple[str, ...]:
    names = group_names(by)
    for name in names:
        if name in OWN_COLUMNS:
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")
    return names


def _fits(sample: Sample, players: Players) -> tuple[list[Fit | None], dict[int, Unavailable]]:
    """The regression of each group, or why there is none; without groups that is an error."""
    labels = [players.terms.labels[owner] for owner in players.terms.owner]
    fits: list[Fit | None] = []
    faults: dict[int, Unavailable] = {}
    for d, moments in enumerate(sample.moments):
        try:
            if moments is None:
                raise sample.faults[d]
            fits.append(fit_least_squares(moments, labels=labels))
        except (SampleError, CollinearityError) as error:
            if not sample.groups.by:
                raise
            fits.append(None)
            faults[d] = _fault(error, int(sample.answered[d].min()), 1 + len(labels))
    return fits, faults


def _fault(error: Exception, n: int, q: int) -> Unavailable:
    if isinstance(error, CollinearityError):
        return Unavailable("collinear")
    if n <= q:
        return Unavailable("few_answers" if n else "no_answers")
    return Unavailable("constant")


def _contradictions(sample: Sample, fits: Sequence[Fit | None]) -> Iterator[Note]:
    """Groups whose correlations no data can have, with a warning for each."""
    for domain, moments, fit in zip(sample.groups.domains, sample.moments, fits, strict=True):
        note = None if fit is None or moments is None else contradiction(moments.corr, domain)
        if note is not None:
            warnings.warn(str(note), CorrelationsWarning, stacklevel=4)
            yield note


def _figures(sample: Sample, split: Split, fits: Sequence[Fit | None]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parts (D, m), their covariance (D, m, D, m) and the error of sampled orders (D, m); NaN without a fit."""
    usable = [d for d, fit in enumerate(fits) if fit is not None]
    size, m, p = len(fits), len(split.players.labels), len(split.players.terms.variables)
    parts, draw_se = np.full((size, m), np.nan), np.full((size, m), np.nan)
    vcov = np.full((size, m, size, m), np.nan)
    if not usable:
        return parts, vcov, draw_se
    corr = np.stack([moments.corr for d, moments in enumerate(sample.moments) if moments is not None and d in usable])
    blocks = split.blocks(corr)
    parts[usable] = blocks.mean(axis=0)
    sampling = _sampling(blocks)
    draw_se[usable] = np.sqrt(np.diag(sampling)).reshape(len(usable), m)
    if sample.no_errors is None:
        slopes = np.zeros((size, m, p, p))
        slopes[usable] = [split.slopes(matrix) for matrix in corr]
        found = sample.vcov(slopes, usable, split.parts if split.orders is None else None)
        at = np.ix_(usable, range(m), usable, range(m))
        vcov[at] = found[at] + sampling.reshape(len(usable), m, len(usable), m)
    return parts, vcov, draw_se


def _sampling(blocks: np.ndarray) -> np.ndarray:
    """(U·m, U·m) covariance of the mean of independent blocks (blocks, U, m); zero if there was nothing to sample."""
    flat = blocks.reshape(len(blocks), -1)
    if len(flat) == 1:
        return np.zeros((flat.shape[1], flat.shape[1]))
    deviation = flat - flat.mean(axis=0)
    return deviation.T @ deviation / (len(flat) * (len(flat) - 1))


def _estimates(
    sample: Sample, players: Players, split: Split, parts: np.ndarray, vcov: np.ndarray,
    faults: Mapping[int, Unavailable], level: float, missing: str,
) -> Estimates:  # fmt: skip
    """The parts of all groups, group by group."""
    groups = sample.groups
    size, m = parts.shape
    flat = vcov.reshape(size * m, size * m).copy()
    df = degrees_of_freedom(groups).min(axis=1)
    without = np.repeat(df < 1, m)
    flat[without] = flat[:, without] = np.nan
    unavailable = {i: Unavailable("df_zero") for i in range(size * m) if df[i // m] < 1}
    if sample.no_errors is not None:
        unavailable |= dict.fromkeys(range(size * m), sample.no_errors)
    unavailable |= {d * m + j: fault for d, fault in faults.items() for j in range(m)}
    vague = np.flatnonzero(~np.isfinite(np.diag(flat))).tolist()
    unavailable = dict.fromkeys(vague, Unavailable("not_identified")) | unavailable
    answered = sample.answered[:, None, :].min(axis=2) if missing == "listwise" else sample.answered
    found = Estimates(
        term=players.labels * size,
        estimate=parts.ravel(),
        vcov=flat,
        df=np.repeat(df, m) if groups.by else float(df[0]),
        n=_bases(answered, players).ravel(),
        n_eff=_bases(effective_sizes(sample.source, groups), players).ravel(),
        unit="share of R²",
        provenance=Provenance(missing, "none" if sample.no_errors is not None else method_of(groups)),
        level=level,
        keys={by: tuple(domain[i] for domain in groups.domains for _ in range(m)) for i, by in enumerate(groups.by)},
        unavailable=unavailable,
    )
    return _cut(found, *split.measure.ends)


def _bases(answered: np.ndarray, players: Players) -> np.ndarray:
    """(D, m) respondents behind each player: the fewest that answered one of its columns; or their effective sizes."""
    wide = np.broadcast_to(answered, (len(answered), len(players.terms.variables)))
    return np.stack([wide[:, list(own)].min(axis=1) for own in players.columns], axis=1)


def _cut(found: Estimates, low: float, high: float) -> Estimates:
    """The same figures, their intervals cut where a figure cannot be."""
    ends = found.interval
    return replace(found, bounds=(np.maximum(ends[0], low), np.minimum(ends[1], high)))


def _shares(estimates: Estimates, size: int, ends: tuple[float, float]) -> Estimates:
    """Per cent of the sum of each group's parts: covariance by the delta method, intervals by Fieller's."""
    parts = estimates.estimate.reshape(size, -1)
    m = parts.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = parts / parts.sum(axis=1, keepdims=True)
        turn = 100 * (np.eye(m) - share[:, :, None]) / parts.sum(axis=1)[:, None, None]
        joint = np.einsum("dij,djek,elk->diel", turn, estimates.joint.reshape(size, m, size, m), turn)
    df = np.broadcast_to(estimates.df, size * m)
    own = [slice(d * m, (d + 1) * m) for d in range(size)]
    intervals = [
        share_intervals(
            parts[d], estimates.vcov[at, at], np.eye(m), df[at], estimates.level, percentages(ends)
        ) for d, at in enumerate(own)
    ]  # fmt: skip
    low, high = (np.concatenate(side) for side in zip(*intervals, strict=True))
    return replace(
        estimates,
        estimate=100 * share.ravel(),
        vcov=joint.reshape(size * m, size * m),
        unit="per cent",
        bounds=(low, high),
    )


def _ranks(estimates: Estimates, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rank within the group, and the ends of its interval, simultaneously for the drivers of a group: (D·m,) each."""
    m = len(estimates.term) // size
    rank, low, high = np.full((3, size, m), np.nan)
    for d in range(size):
        at = slice(d * m, (d + 1) * m)
        if np.isfinite(estimates.estimate[at]).all():
            df = np.broadcast_to(estimates.df, len(estimates.term))[at]
            own = replace(
                estimates, term=estimates.term[at], estimate=estimates.estimate[at], vcov=estimates.vcov[at, at],
                df=df, n=estimates.n[at], n_eff=estimates.n_eff[at], keys={}, unavailable={}, bounds=None,
            )  # fmt: skip
            rank[d] = rank_of(own.estimate)
            low[d], high[d] = rank_interval(own)
    return rank.ravel(), low.ravel(), high.ravel()


def _result(
    method: str, sample: Sample, split: Split, fits: Sequence[Fit | None], estimates: Estimates, draw_se: np.ndarray,
    contradictions: Sequence[Note],
) -> Importance:  # fmt: skip
    """Everything about the figures, put into its places."""
    groups, size = sample.groups, len(fits)
    shares = _shares(estimates, size, split.measure.ends)
    rank, low, high = _ranks(estimates, size)

    def each(figures: Sequence[float]) -> Any:
        return np.array(figures) if groups.by else figures[0]

    forced = [
        float("nan") if fit is None or moments is None else float(split.forced(moments.corr[None])[0])
        for fit, moments in zip(fits, sample.moments, strict=True)
    ]
    return Importance(
        outcome=term_of(split.players.terms.outcome),
        method=method,
        adds_up=split.measure.adds_up,
        estimates=estimates,
        shares=shares,
        rank=rank,
        rank_low=low,
        rank_high=high,
        r2=each([float("nan") if fit is None else fit.r2 for fit in fits]),
        r2_always=each(forced),
        left_out=each(sample.left_out.tolist()),
        ungrouped=groups.ungrouped,
        draws=0 if split.orders is None else split.orders.shape[0] * split.orders.shape[1],
        draw_se=draw_se.ravel(),
        notes=(
            *contradictions,
            *_of_first_order(sample, split),
            *_notes(sample, split.players, fits, estimates, shares),
        ),
        pairs=sample.pairs,
    )


def _of_first_order(sample: Sample, split: Split) -> Iterator[Note]:
    """A note where replicate weights have not computed the figures anew."""
    replicated = sample.no_errors is None and sample.groups.replication is not None
    if replicated and (sample.first_order or split.orders is not None):
        yield Note("first_order")


def _notes(
    sample: Sample, players: Players, fits: Sequence[Fit | None], estimates: Estimates, shares: Estimates
) -> Iterator[Note]:
    """What to beware of, group by group."""
    m = len(players.labels)
    order = players.order
    for d, (domain, moments, fit) in enumerate(zip(sample.groups.domains, sample.moments, fits, strict=True)):
        if moments is None or fit is None:
            continue
        at = slice(d * m, (d + 1) * m)
        own = moments.corr[np.ix_(order, order)][None, len(players.always) :, len(players.always) :]
        low, high = estimates.interval
        yield from notes_of(
            players,
            Facts(
                domain, moments.corr, fit, first_parts(own, players.sizes)[0], last_parts(own, players.sizes)[0],
                low[at], high[at], shares.estimate[at], sample.answered[d],
                None if sample.pairs is None else sample.pairs[d],
            ),
        )  # fmt: skip

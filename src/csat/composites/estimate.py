"""`pls`: path models by partial least squares, with design-based uncertainty from replicates in one batch."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from csat.composites.blocks import not_defined
from csat.composites.checks import no_solution, reason_of, unknown_item
from csat.composites.draws import Draws, improper, usable
from csat.composites.figures import Layout
from csat.composites.implied import distances, implied_items
from csat.composites.inference import check_interval, estimates_of_groups
from csat.composites.items import ItemMoments
from csat.composites.limits import check_scales
from csat.composites.notes import (
    ImproperSolutionWarning,
    NoEstimatesWarning,
    ReplicatesWarning,
    absent,
    against,
    doubts,
    lost,
)
from csat.composites.outer import SCHEMES
from csat.composites.plan import layout_of
from csat.composites.resampling import DEFAULT_DRAWS, Resampling, draws_of
from csat.composites.result import OWN_COLUMNS, Pls
from csat.composites.solution import Settings, Solution, solve
from csat.errors import (
    CsatError,
    CsatWarning,
    OptionError,
    ReversedItemWarning,
    SampleError,
    UnknownColumnError,
    check_choice,
    check_switch,
)
from csat.model import Model
from csat.moments import Groups, Source, check_grouped, check_size, group_names, shown, source_of
from csat.results import check_level
from csat.variance import degrees_of_freedom


def pls(
    source: Source,
    model: str | Model,
    *,
    scheme: str = "path",
    scaled: bool = True,
    consistent: bool | str | Sequence[str] = False,
    modes: Mapping[str, str] | None = None,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    se: str | None = None,
    replicates: int = DEFAULT_DRAWS,
    seed: int = 1,
    sign: str = "construct",
    interval: str | None = None,
    limits: Any = None,
    second_order: str = "two-stage",
    interaction: str = "two-stage",
) -> Pls:
    """Estimate a path model of composites by partial least squares.

    Parameters
    ----------
    source : survey, or a summary such as a published covariance matrix. Respondents with answers to all items count.
    model : in lavaan's notation, shared with `sem`: ``=~`` blocks in mode A, ``<~`` in mode B, ``~`` paths. An observed
        variable in a path is a construct of its own.
    scheme : how neighbours speak for a construct: "path" (regression on what explains it, correlation with what it
        explains), "centroid" (signs of correlations), "factorial" (correlations).
    scaled : standardize the items; False: weights are those of answers in their own unit, which gives items with more
        variance more weight.
    consistent : True corrects constructs measured by several items (``=~``) for attenuation (PLSc: loadings,
        correlations and paths of common factors); or the names of those to correct.
    modes : construct → "A", "B", "unit" (equal weights) or "factor" (those of regression scores of the block's common
        factor), instead of the model's own.
    by : grouping columns: a model for each group, with the joint covariance of all figures.
    level : of the intervals.
    se : "bootstrap" (units of the design drawn within strata, with their weights), "replicates" (replicate weights that
        the design declares), "jackknife" (each unit left out in turn). None: declared replicates, else a bootstrap;
        a summary without rows has no standard errors.
    replicates, seed : number of draws of a bootstrap; the same seed gives the same figures.
    sign : "construct" turns a construct of a draw round if its loadings are then nearer to the sample's; "none" leaves
        it: most items load positively, in draws as in the sample.
    interval : "percentile" (the default with draws), "basic", "bias-corrected", "bca" (adds a jackknife), "normal",
        "t" (estimate ± t·se with the degrees of freedom of the design; the default without draws).
    limits : lowest and highest possible answer, of all items or item by item, for figures on 0–100; None: as the scales
        of the questionnaire say. Answers outside of them are an error. The first end counts as 0: (6, 1) where 1 is
        the best answer.
    second_order : how constructs made of constructs (``service <~ image + quality``) are estimated: "two-stage" (first
        with the parts in place of the whole, then with composites of the parts as its items), "repeated" (with all
        items of the parts, which explain it, or are explained by it if it is measured by them, ``=~``), or "embedded"
        (first so, then with the composites in place of all items).
    interaction : what a product such as ``image:quality`` in a path is measured by: "two-stage" (the product of the
        composites of a first stage without it), "product-indicator" (all products of their standardized items),
        "orthogonal" (what the items leave of these products). See `csat.pls_slopes`.

    Returns
    -------
    Pls

    Raises
    ------
    OptionError
        Arguments that make no sense.
    ModelError
        For a model with covariances, labels, fixed values, intercepts, circles, or constructs without a path.
    SampleError, CollinearityError, UnknownColumnError
        Too few respondents, a constant item, items that repeat each other in mode B, an item that is not there.
    ConvergenceError
        If the weights do not settle, or hardly any replicate has estimates.

    Warns
    -----
    ImproperSolutionWarning
        If a corrected reliability, loading or correlation is impossible.
    ReversedItemWarning
        If items load negatively on their own construct, by more than chance.
    NoEstimatesWarning
        If some of the groups have no estimates.
    ReplicatesWarning
        If some replicates have no estimates.

    Notes
    -----
    Weights iterate until none changes by more than 1e-10. Constructs have a variance of 1 and are turned so that most
    of their items load positively. Respondents' weights enter every covariance (Becker & Ismail 2016, European
    Management Journal 34(6), 606–617). Replicates without estimates are left out and counted; those with impossible
    estimates are counted and kept, as leaving them out would make intervals too short.

    References
    ----------
    Wold (1982); Lohmöller (1989), Latent Variable Path Modeling with Partial Least Squares; Tenenhaus, Esposito Vinzi,
    Chatelin & Lauro (2005), Computational Statistics & Data Analysis 48(1), 159–205; Dijkstra & Henseler (2015),
    MIS Quarterly 39(2), 297–316.

    Examples
    --------
    >>> import csat
    >>> cov = [[1, 0.6, 0.4, 0.4], [0.6, 1, 0.4, 0.4], [0.4, 0.4, 1, 0.5], [0.4, 0.4, 0.5, 1]]
    >>> published = csat.from_covariance(cov, n=200, names=["Q1", "Q2", "L1", "L2"])
    >>> found = pls(published, "quality =~ Q1 + Q2; loyalty =~ L1 + L2; loyalty ~ quality")
    >>> found.select("path").estimate.round(3).tolist()
    [0.516]
    """
    answers, groupers = source_of(source), _groupers(by)
    check_choice("scheme", scheme, SCHEMES)
    check_switch("scaled", scaled)
    check_level(level)
    resampling = Resampling(se, replicates, seed, sign, interval)
    model = Model(model) if isinstance(model, str) else model
    if not isinstance(model, Model):
        raise OptionError(f"model is a text such as 'loyalty ~ quality', or a csat.Model; found {shown(model)}.")
    layout = layout_of(
        model, Settings(scheme, scaled), answers.questionnaire,
        modes=modes, consistent=consistent, limits=limits, second_order=second_order, interaction=interaction,
    )  # fmt: skip
    blocks = layout.blocks
    if isinstance(answers, Groups) and any(not isinstance(variable, str) for variable in layout.variables):
        raise SampleError.needs_rows("A model with products of constructs")
    try:
        summary = answers.groups(list(layout.variables), groupers, "listwise")
    except UnknownColumnError as error:
        raise unknown_item(error, blocks) from None
    check_grouped(groupers, summary.domains, summary.ungrouped)
    n = np.array([summary.moments(domain).n for domain in summary.domains])
    layout = replace(layout, n=n)
    check_size(groupers, summary.domains, len(layout.keys))
    items, solution, errors = _solved(summary, layout)
    base, answered = layout.answered(items)
    check_scales(answers, base.blocks, base.points, answered)
    figures = np.where(usable(solution)[:, None], layout.values(items, solution), np.nan)
    draws = draws_of(answers, summary, layout, (solution, figures), resampling)
    if interval is None:
        interval = "percentile" if draws is not None and draws.drawn else "t"
    check_interval(interval, draws)
    faults = {d: reason_of(error, int(n[d])) for d, error in errors.items()}
    estimates = estimates_of_groups(
        layout, figures, draws, summary.domains, groupers, degrees_of_freedom(summary).min(axis=1), faults,
        "published" if summary.published else "listwise", level, interval,
    )  # fmt: skip
    labels = [" × ".join(domain) for domain in summary.domains]
    n_eff = _effective(summary)
    notes = (
        *_warned(absent(errors, n, len(base.blocks.observed), labels), NoEstimatesWarning),
        *_warned(against(layout, figures, np.fmin(n, n_eff), labels), ReversedItemWarning),
        *_warned(doubts(solution, blocks, labels), ImproperSolutionWarning),
        *_of_replicates(draws, usable(solution), labels),
    )
    corr = items.corr
    return Pls(
        model=model,
        layout=layout,
        items=items,
        solution=solution,
        estimates=estimates,
        distances=distances(corr, implied_items(corr, solution, blocks)),
        draws=draws,
        n_eff=n_eff,
        left_out=summary.incomplete,
        ungrouped=summary.ungrouped,
        improper=improper(solution, blocks) & usable(solution),
        by=groupers,
        domains=summary.domains,
        interval=interval,
        designed=_designed(summary),
        notes=(*not_defined(model), *notes),
    )


def _groupers(by: Any) -> tuple[str, ...]:
    names = group_names(by)
    for name in names:
        if name in OWN_COLUMNS:
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")
    return names


def _solved(summary: Groups, layout: Layout) -> tuple[ItemMoments, Solution, dict[int, CsatError]]:
    """The model in each group, and why groups have none; without groups that is raised."""
    blocks, settings = layout.blocks, layout.settings
    items = layout.moments(summary.over_domains(summary.gram), summary.midpoint)
    found = {d: layout.fault(items, d) for d in range(len(layout.n))}
    errors: dict[int, CsatError] = {d: error for d, error in found.items() if error is not None}
    usable_cov = np.array(items.cov)
    usable_cov[list(errors)] = np.nan
    solution = solve(usable_cov, blocks, settings)
    for d in np.flatnonzero(~usable(solution)).tolist():
        if d not in errors:
            errors[d] = no_solution(items.of(d), blocks, settings, solution[d])
    if errors and not summary.by:
        raise errors[0]
    if len(errors) == len(layout.n):
        raise type(errors[0])(f"In group {' × '.join(summary.domains[0])!r}: {errors[0]} No other group can be used.")
    return items, solution, dict(sorted(errors.items()))


def _warned(notes: list[str], kind: type[CsatWarning]) -> list[str]:
    """The same notes, warned of."""
    for text in notes:
        warnings.warn(text, kind, stacklevel=3)
    return notes


def _of_replicates(draws: Draws | None, there: np.ndarray, labels: Sequence[str]) -> list[str]:
    """What became of replicates; those without estimates are warned of. there : (D,) groups with estimates."""
    if draws is None:
        return []
    gone = lost(draws, there, labels)
    if (~draws.used & there).any():
        warnings.warn(gone[0], ReplicatesWarning, stacklevel=3)
    return gone


def _designed(summary: Groups) -> tuple[str, ...]:
    """What the sample has of a design, in words."""
    weight = summary.gram[:, 0, 0]
    squares = weight if summary.square is None else summary.square[:, 0, 0]
    weighted = not (np.allclose(weight, summary.n) and np.allclose(squares, summary.n))
    found = {"weights": weighted, "strata": len(summary.strata) > 1, "sampling units": bool(summary.psus)}
    return tuple(word for word, present in found.items() if present)


def _effective(summary: Groups) -> np.ndarray:
    """(D,) respondents by weight, (Σw)²/Σw²; NaN where single weights are not known."""
    if summary.square is None:
        return np.full(len(summary.domains), np.nan)
    weight, squares = summary.over_domains(summary.gram)[:, 0, 0], summary.over_domains(summary.square)[:, 0, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weight**2 / squares)

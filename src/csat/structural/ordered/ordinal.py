"""Structural models with ordered items: from their answers to estimates by diagonally weighted least squares.

Every ordered item stands for a normal latent response with mean 0 and variance 1 that thresholds cut into answers
(delta parametrisation). Thresholds are saturated, so the model is fitted to the correlations of latent responses, and
to means, variances and covariances of continuous variables, each weighted by the inverse of its own sampling variance.
Source: Muthén (1984), Psychometrika 49(1), 115–132; Muthén, du Toit & Spisic (1997), unpublished technical report.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from csat.errors import CollinearityError, CsatWarning, ModelError, OptionError, UnknownColumnError
from csat.model import Model, Row
from csat.moments import Source, one_name
from csat.results import Provenance
from csat.structural.engine.checks import condition_number
from csat.structural.engine.solving import estimated
from csat.structural.engine.start import starting_values
from csat.structural.engine.structure import Layout, build
from csat.structural.guards import doubts
from csat.structural.ordered.categories import doubts_of_items, items_of, names_among, notes_of_items
from csat.structural.ordered.influence import certainty
from csat.structural.ordered.latent_moments import Moments, moments_of
from csat.structural.ordered.responses import Behind, responses
from csat.structural.ordered.weighted import Fit, fit_measures, robust_inference, thresholds_of
from csat.structural.result import Sem
from csat.structural.samples import check_groups, order_of_groups, reference_of, unknown_column
from csat.structural.uncertainty.gamma import drawn_singly
from csat.structural.uncertainty.robust import degrees_of_freedom, design_ignored
from csat.structural.undefined import undefined
from csat.variance import method_of

#: Estimators for ordered items: plain least squares, and with robust standard errors and a corrected χ².
ORDINAL = ("DWLS", "WLSMV")
#: Kinds of parameters that groups may share though each has its own thresholds.
_SHARED = ("loadings", "regressions", "lv.variances", "lv.covariances", "residual.covariances")


#: Kurtosis of a continuous variable at which standard errors of its variance are off by a factor of 2.
_KURTOSIS = (2.0, 5.0)


class IndefiniteCorrelationWarning(CsatWarning):
    """Correlations of latent responses, found pair by pair, that no data could have together."""


class KurtosisWarning(CsatWarning):
    """A continuous variable beside ordered items that is far from normal."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What `sem` was asked; see there."""

    estimator: str
    ordered: Any
    group: str | None
    equal: tuple[str, ...]
    partial: tuple[str, ...]
    reference: str | None
    means: bool | None
    level: float
    expansion: Mapping[str, bool]


def ordinal_sem(source: Source, model: Model, asked: Asked) -> Sem:
    """Estimate a model of ordered items; see `csat.sem`."""
    ordered = _ordered(model, asked)
    by = () if asked.group is None else (one_name(asked.group, "group"),)
    try:
        items = items_of(source, model.observed, ordered, by)
        behind = responses(source, items, by)
    except UnknownColumnError as error:
        raise unknown_column(error, model) from None
    labels = tuple(domain[0] for domain in behind.summed.domains) if by else ("",)
    check_groups(model, labels)
    _check_associations(behind)
    sure = certainty(source, behind)
    moments = moments_of(behind, sure.joint)
    layout = _layout(model, asked, moments, ordered, labels)
    discrepancy = moments.discrepancy()
    optimum = estimated(layout, discrepancy, starting_values(layout, moments.samples))
    fit = Fit(optimum.state, moments)
    statistic = fit.statistic()
    robust = robust_inference(fit, statistic) if asked.estimator == "WLSMV" else None
    vcov = fit.bread if robust is None else robust.sandwich.covariance(moments.scale)
    information = fit.slopes.T @ fit.weighted
    found = doubts(optimum.state, moments.samples, moments.sizes, information)
    valueless, unscaled = undefined(layout, model.definitions, optimum.theta)
    raised = [
        *valueless,
        *([] if robust else design_ignored(behind.summed, asked.estimator)),
        *doubts_of_items(items),
        *doubts_of(behind, sure.kurtosis),
        *((doubt.kind, doubt.text) for doubt in found if doubt.raised),
    ]
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=3)
    return Sem(
        model=model,
        estimator=asked.estimator,
        optimum=optimum,
        discrepancy=discrepancy,
        samples=moments.samples,
        sizes=moments.sizes,
        vcov=vcov,
        measures=fit_measures(fit, statistic),
        condition=condition_number(information, layout.restriction_slope(optimum.theta)),
        level=asked.level,
        engine="csat",
        notes=(
            *(text for _, text in raised),
            *notes_of(behind),
            *(doubt.text for doubt in found if not doubt.raised),
            *unscaled,
            *order_of_groups(model, labels),
        ),
        provenance=Provenance("listwise", _variance_words(behind, asked.estimator)),
        left_out=behind.summed.incomplete + behind.summed.ungrouped,
        robust=robust,
        thresholds=thresholds_of(fit, vcov, items.names, items.answers, robust=robust is not None),
        df=degrees_of_freedom(behind.summed) if robust else np.inf,
        group=asked.group,
    )


def _ordered(model: Model, asked: Asked) -> tuple[str, ...]:
    """The ordered items of the model; refuses what such models do not have."""
    ordered = names_among(asked.ordered, model.observed, "ordered")
    if not ordered:
        raise OptionError(
            f"estimator={asked.estimator!r} is for ordered items: name them in ordered=…, or ordered=True for all."
        )
    for kind in asked.equal:
        if kind not in _SHARED:
            raise OptionError(
                f"equal={kind!r}: every group has its own thresholds of ordered items, so that {kind} cannot be "
                f"compared; groups can share {', '.join(map(repr, _SHARED))}."
            )
    if asked.means is False and len(ordered) < len(model.observed):
        raise OptionError("means=False: with ordered items, means of continuous variables are always estimated.")
    for term in model.terms:
        if term.op == "~1" and (term.lhs in ordered or term.lhs in model.latents):
            raise ModelError.at(
                model.syntax, term.position,
                f"{term.lhs!r} cannot have an intercept here: thresholds of ordered items take its place.",
            )  # fmt: skip
    return ordered


def place_of(domain: tuple[str, ...]) -> str:
    """Which group, in words; nothing if there is one."""
    return f" in group {' × '.join(domain)!r}" if domain else ""


def _check_associations(behind: Behind) -> None:
    """Refuse variables that repeat each other."""
    names = behind.items.names
    for part, domain in zip(behind.parts, behind.summed.domains, strict=True):
        i, j = np.argwhere(np.triu(np.abs(part.corr) > 1.0 - 1e-10, 1)).T
        if len(i):
            raise CollinearityError(
                f"{names[i[0]]!r} and {names[j[0]]!r} correlate perfectly{place_of(domain)} "
                f"({part.corr[i[0], j[0]]:+.0f}): no answer to one contradicts the other. Leave one of them out, or "
                "join rare categories."
            )


def _layout(model: Model, asked: Asked, moments: Moments, ordered: Sequence[str], labels: Sequence[str]) -> Layout:
    means = bool(len(moments.continuous))
    expanded = model.expand(
        groups=len(labels),
        equal=asked.equal,
        partial=asked.partial,
        reference=reference_of(asked.reference, labels),
        means=means,
        **asked.expansion,
    )
    _check_predictors(expanded)
    rows = with_units(expanded, ordered)
    _check_labels(model, rows)
    covs, centres = [sample.cov for sample in moments.samples], [sample.mean for sample in moments.samples]
    return build(rows, model.observed, covs, centres, labels, model.constraints)


def _check_predictors(rows: Sequence[Row]) -> None:
    given = [row.lhs for row in rows if row.sampled and row.op == "~~" and row.lhs == row.rhs and not row.group]
    if given:
        raise OptionError(
            f"{', '.join(map(repr, given))}: observed predictors cannot be taken as given (fixed_x=True) beside "
            "ordered items, which would need thresholds for every value of them. Use sem(…, fixed_x=False), which "
            "takes a continuous predictor as normal, and an ordered one (named in ordered=…) as any other item; or put "
            "a category into group=…."
        )


def with_units(rows: Sequence[Row], ordered: Collection[str]) -> tuple[Row, ...]:
    """Rows in which latent responses have variance 1 and intercept 0.

    The residual variance of an item makes its variance 1; where that is fixed and the item alone measures a
    construct, the variance of the construct does.

    Raises
    ------
    ModelError
        If neither is free.
    """
    found = list(rows)
    for at, row in enumerate(rows):
        if row.op == "~1" and row.lhs in ordered:
            found[at] = replace(row, fixed=0.0)
        if row.op == "~~" and row.lhs == row.rhs and row.lhs in ordered:
            by = at if row.fixed is None else _only_measure(rows, row)
            found[by] = replace(rows[by], unit=row.lhs, sampled=False)
    return tuple(found)


def _only_measure(rows: Sequence[Row], own: Row) -> int:
    """Place of the free variance of the construct that only this item measures."""
    mine = [row for row in rows if row.group == own.group]
    constructs = [row.lhs for row in mine if row.op == "=~" and row.rhs == own.lhs]
    alone = [f for f in constructs if sum(row.op == "=~" and row.lhs == f for row in mine) == 1]
    for at, row in enumerate(rows):
        if row.group == own.group and row.op == "~~" and row.lhs == row.rhs and row.lhs in alone and row.free:
            return at
    raise ModelError(
        f"{own.lhs} ~~ {own.fixed:g}*{own.lhs}: the residual variance of an ordered item is what its construct "
        "leaves of a variance of 1; it cannot be fixed. Take the term out."
    )


def _check_labels(model: Model, rows: Sequence[Row]) -> None:
    """Refuse labels that would tie a variance that follows from the others."""
    held = [name for constraint in model.constraints for name, _ in constraint.names]
    for row in rows:
        same = sum(other.label == row.label for other in rows)
        if row.unit and row.label and (row.label in held or same > 1):
            raise ModelError(
                f"{row.label!r} labels the variance of {row.lhs!r}, which follows from the variance 1 of the latent "
                f"response of {row.unit!r}: it cannot be set equal to others. Take the label out."
            )


def doubts_of(behind: Behind, kurtosis: np.ndarray) -> list[tuple[type[CsatWarning], str]]:
    """What is doubtful about latent responses: a kind of warning and its wording; kurtosis (D, c)."""
    return [*_indefinite(behind), *_far_from_normal(behind, kurtosis)]


def _far_from_normal(behind: Behind, kurtosis: np.ndarray) -> list[tuple[type[CsatWarning], str]]:
    names = [behind.items.names[at] for at in behind.items.continuous.tolist()]
    low, high = _KURTOSIS
    far = [
        f"{name} ({value:.2g}{place_of(domain)})"
        for domain, row in zip(behind.summed.domains, kurtosis.tolist(), strict=True)
        for name, value in zip(names, row, strict=True)
        if not low < value < high
    ]
    if not far:
        return []
    text = (
        f"Kurtosis of {', '.join(far)} is far from that of a normal variable, 3: standard errors of its variance, and "
        "of its covariances with other continuous variables, are off beside ordered items. Transform it, or cut it "
        "into ordered categories."
    )
    return [(KurtosisWarning, text)]


def _indefinite(behind: Behind) -> list[tuple[type[CsatWarning], str]]:
    return [
        (
            IndefiniteCorrelationWarning,
            f"The correlations of the latent responses{place_of(domain)} are not positive "
            f"definite (smallest eigenvalue {least:.3g}): each pair was estimated by itself, from few answers in some "
            "categories. Estimates stand on contradictory figures; use fewer items, or join rare categories.",
        )
        for part, domain in zip(behind.parts, behind.summed.domains, strict=True)
        if (least := float(np.linalg.eigvalsh(part.corr)[0])) < -1e-8
    ]


def notes_of(behind: Behind) -> list[str]:
    """What was done to tables, and what is not in them, in words."""
    filled = sum(part.filled for part in behind.parts)
    unused = notes_of_items(behind.items)
    if not filled:
        return unused
    return [
        *unused,
        f"{filled} table(s) of two-category items have an empty cell; ½ was added there, with the margins kept, for "
        "the correlation not to be ±1.",
    ]


def _variance_words(behind: Behind, estimator: str) -> str:
    how = "respondents" if drawn_singly(behind.summed) else method_of(behind.summed)
    return f"robust sandwich, diagonal weights; {how}" if estimator == "WLSMV" else f"diagonal weights; {how}"

"""Robust inference of a maximum likelihood fit: which sandwich, which χ², for the model and for its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import CsatWarning, DesignIgnoredWarning
from csat.moments import Groups
from csat.structural.baseline import baseline
from csat.structural.engine.discrepancy import Sample
from csat.structural.engine.structure import State
from csat.structural.measures import Statistic
from csat.structural.uncertainty.gamma import MomentCovariance
from csat.structural.uncertainty.sandwich import Sandwich, expected_sandwich, observed_sandwich
from csat.structural.uncertainty.scaled import Scaled, Traces, scaled_measures


class ScalingWarning(CsatWarning):
    """A corrected χ² that does not exist, because its correction is not positive."""


class FewUnitsWarning(CsatWarning):
    """A robust test of more restrictions than the sampling design has degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Form:
    """observed : information of the sandwich, else expected. adjusted : χ² corrected for its variance too.

    words : how `Provenance.variance` calls the standard errors.
    """

    observed: bool
    adjusted: bool
    words: str


#: Estimators with maximum likelihood estimates and robust inference.
FORMS = {
    "MLR": Form(observed=True, adjusted=False, words="robust sandwich, observed information"),
    "MLM": Form(observed=False, adjusted=False, words="robust sandwich, expected information"),
    "MLMV": Form(observed=False, adjusted=True, words="robust sandwich, expected information"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Robust:
    """Robust inference of one fit.

    form : of the sandwich. spread : covariance of the sample moments, None under WLSMV and with gaps.
    sandwich : of the estimates. scaled : corrected χ² and indices.
    gamma : (G·r, G·r) covariance of the r unrestricted moments that the model speaks of in each group, times n, if
        answers have gaps; None otherwise.
    """

    form: Form
    spread: MomentCovariance | None
    sandwich: Sandwich
    scaled: Scaled
    gamma: np.ndarray | None = None

    @property
    def words(self) -> str:
        """How `Provenance.variance` calls the standard errors."""
        return self.form.words if self.spread is None else f"{self.form.words}; {self.spread.method}"


def robust_inference(
    estimator: str, state: State, samples: Sequence[Sample], spread: MomentCovariance, statistic: Statistic, n: float
) -> Robust:
    """Sandwich and corrected fit at the estimates.

    Parameters
    ----------
    estimator : of `FORMS`. state : at the estimates. samples : (G,) moments that were fitted, with divisor n.
    spread : their covariance. statistic : plain χ² of the model and its baseline. n : respondents.
    """
    form = FORMS[estimator]
    own = sandwich_of(form, state, samples, spread)
    null = sandwich_of(form, baseline(state.layout, samples), samples, spread)
    traces = Traces(own.trace, null.trace, own.square, null.square)
    return Robust(form, spread, own, scaled_measures(statistic, traces, n, len(samples)))


def sandwich_of(form: Form, state: State, samples: Sequence[Sample], spread: MomentCovariance) -> Sandwich:
    """The sandwich of a form at any parameters."""
    if form.observed:
        return observed_sandwich(state, samples, spread)
    return expected_sandwich(state, samples, spread, second=form.adjusted)


def degrees_of_freedom(groups: Groups) -> float:
    """Of single parameters: those of the design if it has sampling units or replicate weights, else inf."""
    return groups.df if groups.psus or groups.replication is not None else np.inf


def doubts_of_design(robust: Robust, groups: Groups, df: int) -> list[tuple[type[CsatWarning], str]]:
    """Why not to trust a corrected χ², or why it is missing, in words."""
    found: list[tuple[type[CsatWarning], str]] = []
    if degrees_of_freedom(groups) < df:
        found.append((
            FewUnitsWarning,
            f"The design has {groups.df:g} degrees of freedom (sampling units less strata) for a χ² of {df}: the "
            "corrected χ², and the fit measures made of it, are rough. Single parameters are tested by t with "
            f"{groups.df:g} degrees of freedom. Compare the standardized residuals and SRMR instead, or test fewer "
            "restrictions.",
        ))  # fmt: skip
    if not np.isfinite(robust.scaled.chisq_scaled):
        found.append((
            ScalingWarning,
            f"The correction of χ² is not positive (tr UΓ = {robust.sandwich.trace:.3g}): too few respondents or "
            "sampling units, or a model far off. Scaled and robust fit measures are left out; estimator='MLM' may "
            "still have them.",
        ))  # fmt: skip
    elif np.isnan(robust.scaled.baseline_scaling):
        found.append((
            ScalingWarning,
            "The correction of the baseline's χ² is not positive, as happens where answers differ much between "
            "sampling units: scaled and robust CFI and TLI are left out. estimator='MLM' has them.",
        ))  # fmt: skip
    return found


def design_ignored(groups: Groups, estimator: str, *, tests_only: bool = False) -> list[tuple[type[CsatWarning], str]]:
    """The design that model-based standard errors leave out, in words; `tests_only`: these come from replicates."""
    weight = groups.gram[:, 0, 0]
    squares = weight if groups.square is None else groups.square[:, 0, 0]
    parts = [
        word
        for word, present in (
            ("weights", not (_same(weight, groups.n) and _same(squares, groups.n))),
            ("strata", len(groups.strata) > 1),
            ("sampling units", len(groups.psus) > 0),
        )
        if present
    ]
    if not parts:
        return []
    first = "" if tests_only else "standard errors, "
    if estimator == "DWLS":
        text = (
            f"The sample has {', '.join(parts)}; {first}tests and fit measures of estimator='DWLS' take each "
            "correlation by itself, and leave out how units and weights make correlations vary together. "
            "estimator='WLSMV' has the same estimates and takes the design into account."
        )
        return [(DesignIgnoredWarning, text)]
    text = (
        f"The sample has {', '.join(parts)}; {first}tests and fit measures of estimator={estimator!r} are those of a "
        "simple random sample of the same n. Weights enter the estimates, scaled to sum to n. "
        "estimator='MLR' takes the design into account."
    )
    return [(DesignIgnoredWarning, text)]


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether arrays agree but for rounding."""
    return bool(np.array_equal(one, other) or np.allclose(one, other))

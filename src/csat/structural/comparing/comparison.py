"""`compare_models`: structural models from the least to the most restricted, each tested against the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import CsatError, OptionError, check_choice
from csat.moments import as_names, shown
from csat.results import Shown
from csat.structural.comparing.nested import METHODS, Difference, difference
from csat.structural.measures import Measures
from csat.structural.result import Sem
from csat.structural.uncertainty.scaled import Scaled

_CHOICES = ("default", *METHODS)
_A_MATRICES = ("delta", "exact")


class ComparisonError(CsatError, ValueError):
    """Models that cannot be compared: of other variables, respondents, groups or estimators."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comparison(Shown):
    """Models of the same moments, sorted from the least to the most restricted.

    names : (M,) of the models. measures, scaled : (M,) their fit; `scaled` is None without robust inference.
    differences : (M − 1,) test of each model against the one before.
    method : "plain", or how differences were corrected.
    """

    names: tuple[str, ...]
    measures: tuple[Measures, ...]
    scaled: tuple[Scaled | None, ...]
    differences: tuple[Difference, ...]
    method: str

    def tidy(self) -> pd.DataFrame:
        """One row per model.

        Returns
        -------
        DataFrame
            model, df, chisq, chisq_scaled, aic, bic, cfi, rmsea, srmr; the test against the model above: chisq_diff,
            df_diff, p, scaling, rmsea_diff (of the difference itself); changes of the indices: delta_cfi, delta_rmsea,
            delta_srmr, delta_cfi_robust, delta_rmsea_robust; note, why a test is missing.
        """
        plain = ("df", "chisq", "aic", "bic", "cfi", "rmsea", "srmr")
        frame = pd.DataFrame({"model": self.names} | {key: self._column(self.measures, key) for key in plain})
        frame.insert(3, "chisq_scaled", self._column(self.scaled, "chisq_scaled"))
        tests = {"chisq_diff": "chisq", "df_diff": "df", "p": "p", "scaling": "scaling", "rmsea_diff": "rmsea"}
        for column, key in tests.items():
            frame[column] = [np.nan, *(getattr(test, key) for test in self.differences)]
        for key in ("cfi", "rmsea", "srmr"):
            frame[f"delta_{key}"] = frame[key].diff()
        for key in ("cfi_robust", "rmsea_robust"):
            frame[f"delta_{key}"] = pd.Series(self._column(self.scaled, key)).diff()
        return frame.assign(note=["", *("" if test.reason is None else str(test.reason) for test in self.differences)])

    @staticmethod
    def _column(fits: Sequence[Any], key: str) -> list[float]:
        return [np.nan if fit is None else getattr(fit, key) for fit in fits]

    def glance(self) -> pd.DataFrame:
        """One row: models, respondents, method, and the models with the smallest AIC and BIC."""
        best = {key: self._best(key) for key in ("aic", "bic")}
        return pd.DataFrame([{"models": len(self.names), "n": self.measures[0].n, "method": self.method} | best])

    def _best(self, key: str) -> str:
        values = np.array([getattr(fit, key) for fit in self.measures])
        return self.names[int(np.argmin(values))] if np.isfinite(values).all() else ""


def compare_models(
    *models: Sem, method: str = "default", a_matrix: str = "delta", names: Sequence[str] | None = None
) -> Comparison:
    """Test nested structural models against each other.

    This asks which of several models holds. One model by several estimators, PLS among them, is for `csat.compare`,
    which tests nothing.

    Parameters
    ----------
    models : two or more results of `sem` on the same data, in any order; they are sorted by degrees of freedom.
    method : how the difference of two χ² is corrected under robust estimators. "satorra-bentler-2001" from the
        corrections of both models (may turn out negative); "satorra-bentler-2010", strictly positive with
        estimator="MLM" (with "MLR" it depends on how the larger model is written); "satorra-2000", from the
        restrictions themselves, for mean and variance. "default": the first; the last under "MLMV" and "WLSMV".
        Other estimators take the plain difference.
    a_matrix : "delta", restrictions from the derivatives of the moments at each model's own estimates, as lavaan does
        by default; "exact", both at the smaller model's. For method="satorra-2000".
    names : of the models in the order given; None: "model 1", "model 2" ….

    Returns
    -------
    Comparison

    Raises
    ------
    OptionError
        For anything but results of `sem`, or a correction that the estimator does not have.
    ComparisonError
        If models are of different variables, respondents, groups, intercepts, predictors or estimators.

    Notes
    -----
    A pair whose larger model cannot reproduce the moments that the smaller one implies is not nested: there is no
    test, and the note says so. Changes of fit indices are those of the plain ones; the robust ones stand beside them.
    Compare ΔCFI with −.01 and ΔRMSEA with .015 (Chen 2007, Structural Equation Modeling 14(3)).
    """
    check_choice("method", method, _CHOICES)
    check_choice("a_matrix", a_matrix, _A_MATRICES)
    called = _names(models, names)
    _check_comparable(models)
    chosen = _method(models[0], method)
    order = sorted(range(len(models)), key=lambda at: models[at].measures.df)
    ordered = [models[at] for at in order]
    return Comparison(
        names=tuple(called[at] for at in order),
        measures=tuple(model.measures for model in ordered),
        scaled=tuple(None if model.robust is None else model.robust.scaled for model in ordered),
        differences=tuple(difference(large, small, chosen, a_matrix) for large, small in pairwise(ordered)),
        method=chosen,
    )


def _names(models: Sequence[Any], names: Sequence[str] | None) -> list[str]:
    for model in models:
        if not isinstance(model, Sem):
            raise OptionError(f"compare_models takes results of csat.sem; found {shown(model)}.")
    if len(models) < 2:
        raise OptionError("compare_models takes two or more results of csat.sem, for example compare_models(a, b).")
    if names is None:
        return [f"model {at + 1}" for at in range(len(models))]
    called = list(as_names(names, "names"))
    if len(set(called)) != len(models) or len(called) != len(models):
        raise OptionError(f"names: {len(models)} different names are needed, one per model; found {called}.")
    return called


def _method(model: Sem, method: str) -> str:
    if model.robust is None:
        if method != "default":
            raise OptionError(
                f"method={method!r} corrects a robust χ²; these models have estimator={model.estimator!r}. Estimate "
                "them with estimator='MLR', or leave method out for the plain difference."
            )
        return "plain"
    if method != "default":
        return method
    return "satorra-2000" if model.robust.form.adjusted else "satorra-bentler-2001"


def _check_comparable(models: Sequence[Sem]) -> None:
    """Refuse models whose χ² are not distances from the same moments."""
    first = models[0]
    for other in models[1:]:
        fault = next((text for differs, text in _differences(first, other) if differs), None)
        if fault is not None:
            raise ComparisonError(f"These models cannot be compared: {fault}")


def _differences(one: Sem, other: Sem) -> list[tuple[bool, str]]:
    """What may differ between two models, the gravest first, each in words."""
    alone = sorted(set(one.observed) ^ set(other.observed))
    return [
        (one.estimator != other.estimator, f"estimators {one.estimator!r} and {other.estimator!r}. Use the same."),
        (
            bool(alone),
            f"only one of them has {', '.join(map(repr, alone[:6]))}. χ² of different variables are distances from "
            "different data; keep a variable in both models and fix its path at 0*.",
        ),
        (one.groups != other.groups, f"groups {list(one.groups)} and {list(other.groups)}."),
        (one.sizes != other.sizes, f"{sum(one.sizes)} and {sum(other.sizes)} respondents. Use the same survey."),
        (
            _intercepts(one) != _intercepts(other),
            "only one of them has intercepts. Estimate both with means=True, or both without.",
        ),
        (
            _predictors(one) != _predictors(other),
            "they take different predictors' moments from the sample. Estimate both with fixed_x=False.",
        ),
        (not alone and not _same_moments(one, other), "their sample moments differ. Use the same survey and weights."),
    ]


def _intercepts(model: Sem) -> bool:
    return model.samples[0].mean is not None


def _predictors(model: Sem) -> set[str]:
    structure = model.layout.groups[0]
    return {structure.variables[i] for i in structure.predictors} if structure.sampled else set()


def _same_moments(one: Sem, other: Sem) -> bool:
    if len(one.samples) != len(other.samples):
        return False
    order = [other.observed.index(name) for name in one.observed]
    return all(
        np.allclose(a.cov, b.cov[np.ix_(order, order)], rtol=1e-9, atol=1e-12)
        and (a.mean is None or b.mean is None or np.allclose(a.mean, b.mean[order], rtol=1e-9, atol=1e-12))
        for a, b in zip(one.samples, other.samples, strict=True)
    )

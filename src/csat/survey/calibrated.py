"""Calibrated surveys: weights that match known figures of the population, and what standard errors need of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from csat.design import Calibration, Design, Replication
from csat.errors import DesignError, OptionError, SampleError
from csat.moments import shown
from csat.replicates import made_scaling, sampled_units, unit_factors
from csat.survey.rows import HELPER, Survey
from csat.weighting import METHODS, Targets, Trim, auxiliaries, calibrate_weights, read_targets


def calibrate(
    survey: Survey,
    targets: Mapping[Any, Any] | pd.DataFrame | Targets | None = None,
    *,
    method: str | None = None,
    bounds: tuple[float, float] | None = None,
    trim: Trim | tuple[float, float] | None = None,
    total: float | None = None,
    name: str = "weight_calibrated",
) -> Survey:
    """Weigh a survey so that it matches known figures of its population.

    Parameters
    ----------
    survey : the whole sample (not a filtered one).
    targets : ``{column: {category: share or total}}``, crossed margins, numeric totals, or a table: see
        `csat.weighting.calibrate_weights`. None: those of [weighting] in the study file, with its method and options.
    method : "rake" (default), "poststratify", "linear", "exponential", "logit" or "bounded".
    bounds, trim, total : as in `calibrate_weights`.
    name : of the new weight column.

    Returns
    -------
    Survey
        With the new weights in its design; ``survey.weighting`` is the report on them. Standard errors of means,
        totals, indices, gaps and trends use the residual form: what the targets explain does not vary (Deville &
        Särndal 1992). Regression and other listwise methods take the weights as given. Replicate weights, supplied
        or made, are calibrated one by one.

    Raises
    ------
    OptionError, SampleError
        For a filtered survey, a column name in use, or no targets at all.
    WeightingError
        If the targets cannot be met, naming margin and category.
    """
    if not isinstance(survey, Survey):
        raise OptionError(f"calibrate needs a survey (csat.read_survey); found {shown(survey)}.")
    asked = _settings(survey, targets, method, bounds, trim, total)
    if len(survey) != survey.table.num_rows:
        raise SampleError(
            "Calibrate the whole sample first, then filter it: targets describe the population as a whole."
        )
    if survey.design.fpc2 is not None:
        raise DesignError("Calibration knows one stage of sampling: read the survey with a Design without fpc2.")
    if name in survey.table.column_names:
        raise OptionError(f"name={name!r}: the survey has that column already; choose another name.")
    goal = read_targets(asked.pop("targets"))
    frame = survey.frame(list(goal.columns))
    weights = calibrate_weights(frame, survey.weight, goal, **asked)
    balanced = auxiliaries(frame, goal)
    columns = {name: weights.weights}
    columns |= {f"{HELPER}{column}": balanced[column].to_numpy(float) for column in balanced}
    design = survey.design
    if design.replication is not None:
        replicates, replication = _replicates(survey)
        names = [f"{HELPER}replicate {i + 1}" for i in range(replicates.shape[1])]
        each = (calibrate_weights(frame, _positive(w), goal, **asked).weights for w in replicates.T)
        columns |= {
            column: np.where(given > 0, w, 0.0) for column, w, given in zip(names, each, replicates.T, strict=True)
        }
        design = replace(design, replicates=tuple(names), replication=replication)
    calibration = Calibration(
        design.weight, tuple(f"{HELPER}{column}" for column in balanced), METHODS[asked["method"]].residual
    )
    table = survey.table
    for column, values in columns.items():
        table = table.append_column(column, pa.array(values))
    return replace(survey, table=table, design=replace(design, weight=name, calibration=calibration), weighting=weights)


def _settings(
    survey: Survey, targets: Any, method: str | None, bounds: Any, trim: Any, total: float | None
) -> dict[str, Any]:
    """Arguments for `calibrate_weights`, from the call or from the study file."""
    given = {"targets": targets, "method": method, "bounds": bounds, "trim": trim, "total": total}
    study: Mapping[str, Any] = getattr(survey.questionnaire, "weighting", None) or {}
    if targets is None:
        if not study.get("targets"):
            raise OptionError(
                "calibrate needs targets: {column: {category: share}}, or a table [weighting.targets.COLUMN] "
                "in the study file."
            )
        given = {key: study.get(key) if value is None else value for key, value in given.items()}
        given["targets"] = _crossed(study["targets"], survey.columns)
    given["method"] = given["method"] or "rake"
    pair = {key: tuple(given[key]) for key in ("bounds", "trim") if isinstance(given[key], list)}
    return given | pair


def _crossed(targets: Mapping[str, Any], columns: Sequence[str]) -> dict[Any, Any]:
    """Targets of a study file: "sex:age" with categories "f:18-34" is a crossed margin."""
    out: dict[Any, Any] = {}
    for margin, wanted in targets.items():
        if ":" in margin and margin not in columns and isinstance(wanted, Mapping):
            out[tuple(margin.split(":"))] = {tuple(category.split(":")): target for category, target in wanted.items()}
        else:
            out[margin] = wanted
    return out


def _positive(weight: np.ndarray) -> np.ndarray:
    """Weights of a replicate; a unit that it leaves out keeps a trace, so that no cell is empty."""
    return np.where(weight > 0, weight, weight.max() * 1e-12)


def _replicates(survey: Survey) -> tuple[np.ndarray, Replication]:
    """(n, R) replicate weights before calibration, and how variances follow from them."""
    design, rule = survey.design, survey.design.replication
    if rule is None:
        raise DesignError("No replication is declared.")
    weight = survey.weight
    if design.replicates:
        given = survey.table.select(list(design.replicates)).to_pandas().to_numpy(float)
        return given if rule.combined else given * weight[:, None], replace(rule, combined=True)
    stratum, strata = _codes(survey, design.stratum)
    unit, units = _unit_of_row(survey, design, stratum)
    population = np.full(len(strata), np.inf)
    if design.fpc is not None:
        population[stratum] = survey.table.column(design.fpc).to_numpy()
    sampled = sampled_units(units, population, strata, design.lone_psu, rule.kind)
    factors = unit_factors(sampled, rule)
    scale, rscales = made_scaling(sampled, rule, factors.shape[1])
    df = rule.df if rule.df is not None else float(units.sum() - len(strata))
    made = replace(rule, scale=scale, rscales=tuple(rscales.tolist()), combined=True, df=df)
    return factors[unit] * weight[:, None], made


def _codes(survey: Survey, column: str | None) -> tuple[np.ndarray, list[str]]:
    if column is None:
        return np.zeros(survey.table.num_rows, int), [""]
    codes, labels = pd.factorize(survey.table.column(column).to_pandas(), sort=True)
    return codes, [str(label) for label in labels]


def _unit_of_row(survey: Survey, design: Design, stratum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position of each row's unit, units in the order of strata, and how many units each stratum has."""
    inner = np.arange(len(stratum)) if design.psu is None else _codes(survey, design.psu)[0]
    pairs, unit = np.unique(np.stack([stratum, inner], axis=1), axis=0, return_inverse=True)
    return unit.ravel(), np.bincount(pairs[:, 0])

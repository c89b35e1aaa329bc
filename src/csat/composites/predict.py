"""`pls_predict`: cross-validated predictions by a path model, against a linear model and the items' means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from csat.composites.fitted import Fitted
from csat.composites.folds import Predicted, Task, predicted
from csat.composites.prediction import PREDICTIONS, Prediction
from csat.composites.resampling import check_whole
from csat.composites.rows import Rows, rows_of
from csat.errors import ConvergenceError, OptionError, SampleError, check_choice
from csat.moments import Source, shown
from csat.results import Estimates, Provenance, Unavailable

#: What predicts: the constructs that explain another directly, or those that nothing explains.
ANTECEDENTS = ("direct", "earliest")
#: Which items the linear model has: all of other constructs, or those of the constructs that nothing explains and from
#: which a way leads to the predicted one.
BENCHMARKS = ("all", "antecedents")
#: Most repetitions of a cross-validation.
MOST_REPEATS = 1000


def pls_predict(
    result: Fitted,
    source: Source,
    *,
    folds: int | str = 10,
    repeats: int = 1,
    seed: int = 1,
    antecedents: str = "direct",
    benchmark: str = "all",
    group: str | Sequence[str] | None = None,
) -> Prediction:
    """Predict answers by a path model that has not seen them. Reads the rows; it needs a survey.

    Parameters
    ----------
    result : of `csat.pls`: its model and options are used.
    source : a survey, the same or another one with the same questions.
    folds : number of parts, each predicted by a model of the others; "loo": each respondent by all others. Parts hold
        whole sampling units, if the design has some, of about the same number.
    repeats, seed : how often respondents are shared out anew; predictions are means over repetitions.
    antecedents : "direct": a construct is predicted by the scores of those that explain it; "earliest": by those that
        nothing explains, through all that is in between.
    benchmark : items that the linear model predicts an item by: "all" of other constructs; "antecedents": those of the
        constructs that nothing explains and that lead to its construct.
    group : which group, of a result with groups; None: the first.

    Returns
    -------
    Prediction

    Raises
    ------
    OptionError
        For options that make no sense, and models with products, or constructs made of constructs.
    SampleError
        For a summary without rows, or with fewer respondents or sampling units than folds.
    ConvergenceError
        If the model has no estimates in any fold.

    Notes
    -----
    A model's predictions of rows that it has seen ("in sample") are means over the models of the other folds.
    Constructs that are corrected for attenuation are predicted as composites. Standard errors of differences of losses
    follow from the design (units within strata); the models themselves are taken as given.

    References
    ----------
    Shmueli, Ray, Velasquez Estrada & Chatla (2016), Journal of Business Research 69(10), 4552–4564; Shmueli et al.
    (2019), European Journal of Marketing 53(11), 2322–2347; Liengaard et al. (2021), Decision Sciences 52(2), 362–392.
    """
    if not isinstance(result, Fitted):
        raise OptionError(f"result is what csat.pls gives; found {shown(result)}.")
    check_choice("antecedents", antecedents, ANTECEDENTS)
    check_choice("benchmark", benchmark, BENCHMARKS)
    check_whole("repeats", repeats, 1, MOST_REPEATS)
    check_whole("seed", seed, 0, 2**63)
    _check_folds(folds, repeats)
    _check_plain(result)
    at = result.position(group)
    rows = rows_of(source, result, at, "Prediction of answers")
    task = _task(result, rows, antecedents, benchmark)
    rng = np.random.default_rng(seed)
    found = _mean([predicted(task, _folds(rows, folds, rng)) for _ in range(repeats)])
    if not np.isfinite(found.pls).any():
        raise ConvergenceError(
            f"The model has no estimates without any of the folds={folds!r}: each leaves too few respondents, or items "
            "that do not vary. Use more folds, or folds='loo'."
        )
    return _judged(result, task, rows, found, {
        "folds": folds, "repeats": repeats, "seed": seed, "antecedents": antecedents, "benchmark": benchmark,
    })  # fmt: skip


def _check_folds(folds: Any, repeats: int) -> None:
    whole = isinstance(folds, int | np.integer) and not isinstance(folds, bool) and folds >= 2
    if not whole and not (isinstance(folds, str) and folds == "loo"):
        raise OptionError(f"folds={shown(folds)} is a whole number from 2 on, or 'loo' (each respondent alone).")
    if folds == "loo" and repeats > 1:
        raise OptionError(f"repeats={repeats}: folds='loo' leaves each respondent out once; nothing is drawn.")


def _check_plain(result: Fitted) -> None:
    blocks = result.blocks
    if result.layout.variables != blocks.items:
        raise OptionError(
            "Predictions are those of models of plain constructs: this one has products of constructs, or constructs "
            "made of constructs. Leave these out."
        )


def _folds(rows: Rows, folds: int | str, rng: np.random.Generator) -> np.ndarray:
    """(n,) fold of each row."""
    n = len(rows.values)
    if folds == "loo":
        if n < 2:
            raise SampleError.too_few("Prediction", n, 2)
        return np.arange(n)
    known, unit = np.unique(rows.unit, return_inverse=True)
    if len(known) < int(folds):
        what = "respondents" if len(known) == n else "sampling units"
        raise SampleError(f"folds={folds}: only {len(known)} {what} have all answers; use fewer folds.")
    return np.asarray((rng.permutation(len(known)) % int(folds))[unit])


def _task(result: Fitted, rows: Rows, antecedents: str, benchmark: str) -> Task:
    """What is predicted of what; corrected constructs as composites."""
    blocks = replace(result.blocks, consistent=np.zeros(len(result.blocks.constructs), bool))
    columns = np.flatnonzero(blocks.endogenous[blocks.block])
    owner = blocks.block[columns]
    by = blocks.block[:, None] != owner
    if benchmark == "antecedents":
        leads = (blocks.reach[owner] > 0) & ~blocks.endogenous
        by = leads[:, blocks.block].T
    return Task(rows.values, rows.weight, columns, blocks, result.layout.settings, antecedents == "earliest", by)


def _mean(found: Sequence[Predicted]) -> Predicted:
    """Means over repetitions."""
    size = len(found)
    parts = [sum((getattr(each, name) for each in found[1:]), getattr(found[0], name)) / size for name in PREDICTIONS]
    return Predicted(*parts)


def _judged(result: Fitted, task: Task, rows: Rows, found: Predicted, asked: dict[str, Any]) -> Prediction:
    """From predictions to errors and tests."""
    answers, blocks = task.values[:, task.columns], task.blocks
    apart = {name: answers - getattr(found, name) for name in PREDICTIONS}
    squares = {name: _averages(np.square(each), rows.weight) for name, each in apart.items()}
    both = np.isfinite(apart["pls"])
    base = _averages(np.where(both, np.square(apart["mean"]), np.nan), rows.weight)
    owner = blocks.block[task.columns]
    groups = (*(blocks.constructs[j] for j in np.unique(owner)), "overall")
    losses = {name: _losses(apart[name], owner) for name in PREDICTIONS[:3]}
    with np.errstate(invalid="ignore", divide="ignore"):
        q2 = 1.0 - squares["pls"] / np.where(base > 0, base, np.nan)
    return Prediction(
        items=tuple(blocks.items[i] for i in task.columns),
        constructs=tuple(blocks.constructs[j] for j in owner),
        rmse={name: np.sqrt(each) for name, each in squares.items()},
        mae={name: _averages(np.abs(each), rows.weight) for name, each in apart.items()},
        q2=q2,
        losses={name: _averages(each, rows.weight) for name, each in losses.items()},
        groups=groups,
        differences=_differences(losses, rows, groups, result.estimates.level),
        n=len(answers),
        unpredicted=int((~both.all(axis=1)).sum()),
        left_out=rows.left_out,
        **asked,
    )


def _averages(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(c,) weighted means of the rows that have a value; NaN if none has."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weight @ np.where(known, values, 0.0)) / (weight @ known))


def _losses(apart: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(n, g) mean squared errors of each row over the items of each construct, and over all."""
    squares = np.square(apart)
    each = [squares[:, owner == j].mean(axis=1) for j in np.unique(owner)]
    return np.column_stack([*each, squares.mean(axis=1)])


def _differences(losses: dict[str, np.ndarray], rows: Rows, groups: tuple[str, ...], level: float) -> Estimates:
    """Losses of the path model less those of the benchmarks, means first, with the covariance of the design."""
    apart = np.column_stack([losses["pls"] - losses[name] for name in ("mean", "linear")])
    mean = _averages(apart, rows.weight)
    known = np.isfinite(apart)
    pull = rows.weight[:, None] * np.where(known, apart - mean, 0.0) / np.maximum(rows.weight @ known, 1e-300)
    vcov, df = _designed(pull, rows)
    vcov = (
        np.where(np.isfinite(mean)[:, None] & np.isfinite(mean), vcov, np.nan) if df > 0 else np.full_like(vcov, np.nan)
    )
    names = [*[(group, "mean") for group in groups], *[(group, "linear") for group in groups]]
    faults = {i: Unavailable("collinear") for i in np.flatnonzero(~np.isfinite(mean)).tolist()}
    return Estimates(
        term=tuple(f"{group}, {name}" for group, name in names),
        estimate=mean,
        vcov=vcov,
        df=float(df),
        n=known.sum(axis=0),
        n_eff=np.full(len(mean), np.nan),
        unit="scale",
        provenance=Provenance("listwise", "linearisation"),
        level=level,
        null=0.0,
        keys={"construct": tuple(group for group, _ in names), "benchmark": tuple(name for _, name in names)},
        unavailable=faults if df > 0 else {i: Unavailable("df_zero") for i in range(len(mean))} | faults,
    )


def _designed(pull: np.ndarray, rows: Rows) -> tuple[np.ndarray, int]:
    """(g, g) covariance of sums of scores (n, g) over units drawn with replacement in strata; degrees of freedom.

    A stratum with one unit adds the square of its sum.
    """
    _, first, unit = np.unique(rows.unit, return_index=True, return_inverse=True)
    sums = np.zeros((len(first), pull.shape[1]))
    np.add.at(sums, unit, pull)
    stratum = rows.stratum[first]
    size = np.bincount(stratum)
    middle = np.zeros((len(size), pull.shape[1]))
    np.add.at(middle, stratum, sums)
    lone = size == 1
    middle = np.where(lone[:, None], 0.0, middle / np.maximum(size, 1)[:, None])
    scale = np.where(lone, 1.0, size / np.maximum(size - 1, 1))
    apart = (sums - middle[stratum]) * np.sqrt(scale[stratum])[:, None]
    return apart.T @ apart, int(len(first) - (size > 0).sum())

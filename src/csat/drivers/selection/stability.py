"""How stable a selection is: all of it redone on bootstrap replicates of the sample, all replicates at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd

from csat.design import Design, Replication
from csat.drivers.selection.search import ENDS, Task, search
from csat.drivers.selection.smoothing import smoothed_covariance
from csat.drivers.selection.sweeps import correlations
from csat.errors import SampleError
from csat.moments import Groups, Source, UnitSource
from csat.replicates import replicate_sums, scaling_of
from csat.results import Estimates, Provenance, Shown
from csat.variance import degrees_of_freedom

#: More would only cost memory: the error of a frequency is then below half a point of a hundred.
MOST_REPLICATES = 10_000
#: Kinds of replicate weights that differ from the sample as much as another sample would.
DRAWN = ("bootstrap", "subbootstrap")
#: Replicates searched together: few enough for a processor's memory.
BLOCK = 256


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stability(Shown):
    """A selection redone on replicates of the sample.

    terms : (m,) candidates, forced ones first. chosen : (m,) whether the whole sample selects them.
    frequency : (m,) share of replicates that select each term. positive : (k,) share of a positive coefficient among
        the replicates that select its column. mean_selected : (k,) mean coefficient among them; both NaN if none does.
    estimates : (k,) smoothed coefficients: means over the replicates, 0 where a column is not selected (bagging), in
        units of the outcome, with the standard errors of Efron (2014) and intervals from them.
    percentiles : (k,) lower and (k,) upper quantiles of the same coefficients over the replicates, at the same level.
    owner : (k,) term of each column.
    models : a row per model: terms, size, replicates, share, whole (whether the whole sample selects it).
    replicates : on which the selection was computed; failed : where it could not be (a constant column, no weight,
        collinear terms at the start); cycling : where it ended because a model came back.
    drawn : where the replicates come from.
    asked : replicates that were asked for. The bootstrap weights that a design declares are used whatever their number.

    Notes
    -----
    Replicates hold some answers twice, which makes a rule select a little more than it would in new samples.
    """

    terms: tuple[str, ...]
    chosen: np.ndarray
    frequency: np.ndarray
    positive: np.ndarray
    mean_selected: np.ndarray
    estimates: Estimates
    percentiles: tuple[np.ndarray, np.ndarray]
    owner: np.ndarray
    models: pd.DataFrame
    replicates: int
    failed: int
    cycling: int
    drawn: str
    asked: int = 0

    @property
    def columns(self) -> pd.DataFrame:
        """A row per coefficient: what the replicates say of it."""
        smoothed = self.estimates.tidy()
        return pd.DataFrame(
            {"term": smoothed["term"], "of": [self.terms[term] for term in self.owner.tolist()],
             "frequency": self.frequency[self.owner], "positive": self.positive, "estimate": smoothed["estimate"],
             "se": smoothed["se"], "low": smoothed["low"], "high": smoothed["high"],
             "percentile_low": self.percentiles[0], "percentile_high": self.percentiles[1],
             "mean_selected": self.mean_selected}
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """A row per term; `columns` has the coefficients of terms of several columns, which are NaN here (`note`)."""
        single = self.columns.drop(columns="frequency")
        single = single[~single["of"].duplicated(keep=False)].drop(columns="term").rename(columns={"of": "term"})
        error = np.sqrt(self.frequency * (1 - self.frequency) / self.replicates)
        terms = pd.DataFrame({"term": self.terms, "chosen": self.chosen, "frequency": self.frequency})
        several = np.bincount(self.owner, minlength=len(self.terms)) > 1
        merged = terms.assign(frequency_se=error).merge(single, on="term", how="left", validate="1:1")
        return merged.assign(note=np.where(several, "several columns: see .columns", ""))

    def glance(self) -> pd.DataFrame:
        """One row about the replicates."""
        whole = self.models.loc[self.models["whole"], "share"]
        facts = {
            "replicates": self.replicates,
            "asked": self.asked,
            "failed": self.failed,
            "cycling": self.cycling,
            "models": len(self.models),
            "share_of_chosen": float(whole.iloc[0]) if len(whole) else 0.0,
            "variance": self.estimates.provenance.variance,
            "drawn": self.drawn,
        }
        return pd.DataFrame([facts])


def stability_of(
    source: Source, groups: Groups, task: Task, chosen: np.ndarray, level: float, size: int, seed: int
) -> Stability:
    """Redo a selection on replicates of the sample.

    Parameters
    ----------
    groups : listwise sums of the columns and the outcome, from `source`. chosen : (m,) what the whole sample selects.
    size, seed : of the replicates, if the design declares no bootstrap weights.

    Raises
    ------
    SampleError
        For a summary without rows or units, or if no replicate leaves enough to select from.
    """
    replicated, drawn = _replicated(source, groups, task, size, seed)
    grams = replicate_sums(replicated, grams=True)[:, 0]
    inside, coefficients, ended = selections(grams, task)
    usable = ended != ENDS.index("failed")
    if usable.sum() < 2:
        raise SampleError(
            f"In {len(grams) - int(usable.sum())} of {len(grams)} replicates a candidate does not vary or repeats "
            "others: the selection cannot be redone. Leave rare categories out, or use more data."
        )
    inside, coefficients = inside[usable], coefficients[usable]
    owner = task.layout.owner
    selected = inside[:, owner]
    often = selected.sum(axis=0)
    with np.errstate(invalid="ignore"):
        positive = (coefficients > 0).sum(axis=0) / often
        mean_selected = coefficients.sum(axis=0) / often
    tails = (1 - level) / 2
    return Stability(
        terms=task.terms.labels,
        chosen=chosen,
        frequency=inside.mean(axis=0),
        positive=positive,
        mean_selected=mean_selected,
        estimates=_smoothed(replicated, task, coefficients, usable, level),
        percentiles=(np.quantile(coefficients, tails, axis=0), np.quantile(coefficients, 1 - tails, axis=0)),
        owner=owner,
        models=_models(inside, chosen, task.terms.labels),
        replicates=int(usable.sum()),
        failed=int((~usable).sum()),
        cycling=int((ended == ENDS.index("cycling")).sum()),
        drawn=drawn,
        asked=size,
    )


def selections(grams: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The selection from each of R Gram matrices (R, 1+p, 1+p) of [1, columns, outcome].

    Returns
    -------
    (R, m) terms selected, (R, k) slopes in units of the data, 0 where not selected, (R,) positions in `ENDS`
    """
    parts = [_selections(grams[at : at + BLOCK], task) for at in range(0, len(grams), BLOCK)]
    inside, slopes, ended = zip(*parts, strict=True)
    return np.concatenate(inside), np.concatenate(slopes), np.concatenate(ended)


def _selections(grams: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    corr, spread, flat = correlations(grams)
    usable = np.flatnonzero(~flat.any(axis=1))
    inside = np.zeros((len(grams), len(task.begin)), bool)
    slopes = np.zeros((len(grams), corr.shape[1] - 1))
    ended = np.full(len(grams), ENDS.index("failed"))
    found = search(corr[usable], task)
    inside[usable], ended[usable] = found.inside, found.ended
    beta = np.where(found.inside[:, task.layout.owner], found.table[:, :-1, -1], 0.0)
    slopes[usable] = beta * spread[usable, -1:] / spread[usable, :-1]
    return inside, slopes, ended


def _replicated(source: Source, groups: Groups, task: Task, size: int, seed: int) -> tuple[Groups, str]:
    """The sums under bootstrap weights, and where those come from."""
    if groups.published:
        raise SampleError.needs_rows("Redoing a selection on replicates")
    declared = groups.replication
    if declared is not None and declared.kind in DRAWN and _as_varied_as_samples(groups):
        return groups, f"{'declared' if groups.replicates_given else 'made'}: {declared.kind}"
    if not isinstance(source, UnitSource):
        raise SampleError.needs_rows("Drawing replicates")
    source, lone = _without_average_lone(source)
    drawn = source.replicated(Replication("subbootstrap", size=size, seed=seed))
    again = drawn.groups(task.terms.variables, (), "listwise")
    of = "sampling units" if groups.psus else "random groups of respondents" if again.psus else "respondents"
    instead = "" if declared is None else f", instead of the declared {declared.kind}"
    return again, f"made: subbootstrap of {of}{lone}{instead}"


def _without_average_lone(source: UnitSource) -> tuple[UnitSource, str]:
    """The source with lone units that stay in every replicate, and words for that: they cannot be drawn.

    Rules that give them a variance all the same ("adjust", "average") belong to linearisation.
    """
    design: Design | None = getattr(source, "design", None)
    rule = source.lone_psu if isinstance(source, Groups) else "fail" if design is None else design.lone_psu
    if rule not in ("adjust", "average"):
        return source, ""
    words = f", lone units taken as certain instead of {rule!r}"
    if isinstance(source, Groups):
        return replace(source, lone_psu="certainty"), words
    return replace(cast("Any", source), design=replace(cast("Design", design), lone_psu="certainty")), words


def _as_varied_as_samples(groups: Groups) -> bool:
    """Whether the plain variance of the replicates is that of the design, so that their quantiles are intervals."""
    size = len(replicate_sums(groups, grams=False))
    scaling = scaling_of(groups, size)
    return bool(np.all(np.abs(scaling.scale * scaling.rscales * (size - 1) - 1) < 0.1))


def _smoothed(groups: Groups, task: Task, coefficients: np.ndarray, usable: np.ndarray, level: float) -> Estimates:
    vcov, method = smoothed_covariance(groups, coefficients, usable)
    k = coefficients.shape[1]
    return Estimates(
        term=task.terms.names,
        estimate=coefficients.mean(axis=0),
        vcov=vcov,
        df=float(degrees_of_freedom(groups).min()),
        n=np.full(k, task.n),
        n_eff=np.full(k, np.nan),
        unit="outcome units",
        provenance=Provenance("listwise", method),
        level=level,
        null=0.0,
    )


def _models(inside: np.ndarray, chosen: np.ndarray, labels: tuple[str, ...]) -> pd.DataFrame:
    """The models of the replicates, most frequent first."""
    models, count = np.unique(inside, axis=0, return_counts=True)
    order = np.lexsort((models.sum(axis=1), -count))
    models, count = models[order], count[order]
    terms = [tuple(labels[term] for term in np.flatnonzero(model).tolist()) for model in models]
    return pd.DataFrame(
        {"terms": pd.Series(terms, dtype=object), "size": models.sum(axis=1), "replicates": count,
         "share": count / len(inside), "whole": (models == chosen).all(axis=1)}
    )  # fmt: skip

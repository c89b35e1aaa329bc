"""The baseline that fit indices compare with: nothing covaries but observed predictors; means are free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.model import Row
from csat.structural.engine.cells import MEAN
from csat.structural.engine.discrepancy import Discrepancy, Sample
from csat.structural.engine.fit import minimise
from csat.structural.engine.structure import Layout, State, Structure, build, evaluate


def baseline(layout: Layout, samples: Sequence[Sample]) -> State:
    """The baseline of a model at the sample variances and means: its estimates under maximum likelihood."""
    rows = [row for g, structure in enumerate(layout.groups) for row in _unrelated(structure, g)]
    means = [sample.mean for sample in samples]
    null = build(rows, layout.groups[0].observed, [sample.cov for sample in samples], means, layout.labels)
    theta = np.empty(len(null.names))
    for structure, sample in zip(null.groups, samples, strict=True):
        at = structure.places
        mean = np.zeros(structure.p) if sample.mean is None else sample.mean
        theta[structure.parameter] = np.where(at.kind == MEAN, mean[at.i], sample.cov[at.i, at.j])
    return evaluate(null, theta)


def fitted_baseline(layout: Layout, samples: Sequence[Sample], discrepancy: Discrepancy) -> State:
    """The baseline where a discrepancy other than the likelihood is smallest."""
    start = baseline(layout, samples)
    return minimise(start.layout, discrepancy, start.theta).state


def _unrelated(structure: Structure, group: int) -> list[Row]:
    """Rows of the baseline: variances, covariances of predictors, means."""
    names, x = structure.observed, set(structure.predictors)
    pairs = [(i, j) for i in range(structure.p) for j in range(i + 1) if i == j or {i, j} <= x]
    rows = [(names[i], "~~", names[j], {i, j} <= x) for i, j in pairs]
    rows += [(names[i], "~1", "", i in x) for i in range(structure.p) if structure.means]
    return [
        Row(lhs, op, rhs, predictor=given, sampled=given and structure.sampled, group=group)
        for lhs, op, rhs, given in rows
    ]

"""Which drivers predict a categorical outcome without error, so that no finite coefficient is most likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from csat.drivers.likelihood import Cumulative, Domain, maximise
from csat.errors import ConvergenceError, SampleError
from csat.moments import Groups, Source

#: Part of a direction's largest component that counts as none.
ABSENT = 1e-3


def separation(
    source: Source,
    groups: Groups,
    start: tuple[Domain, Cumulative],
    direction: np.ndarray,
    names: Sequence[str],
    outcome: str,
) -> SampleError:
    """Word a separation: the columns that separate by themselves, or else those that do so together.

    Parameters
    ----------
    source, groups : the rows. start : group, and its model at the starting values.
    direction : (P,) along which the likelihood grows without end. names : (k,) columns. outcome : its name.
    """
    domain, model = start
    size = np.abs(direction[: len(names)])
    among = np.flatnonzero(size > ABSENT * size.max()).tolist()
    alone = [j for j in among if _separates(source, groups, domain, model, j)] if len(among) > 1 else among
    found = [names[j] for j in alone or among]
    what = " and ".join(map(repr, found)) if len(found) < 3 else ", ".join(map(repr, found))
    together = "" if alone else " together"
    verb = "predicts" if len(found) == 1 else "predict"
    where = f" in the group {' × '.join(domain)!r}" if domain else ""
    return SampleError(
        f"{what}{together} {verb} {outcome!r} without error, for all respondents or some of them{where} (separation): "
        "their odds have no finite estimate. Leave it out, merge the levels or values that got one answer only, or use "
        "family='linear'."
    )


def _separates(source: Source, groups: Groups, domain: Domain, model: Cumulative, column: int) -> bool:
    """Whether one column alone does."""
    single = replace(model, basis=model.basis[:, [column]], beta=np.zeros(1))
    try:
        return bool(maximise(source, groups, {domain: single}, "The model").endless)
    except ConvergenceError:
        return False

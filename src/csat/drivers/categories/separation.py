"""Which drivers predict a categorical outcome without error, so that no finite coefficient is most likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from csat.drivers.categories.likelihood import Cumulative, Domain, maximise
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
    """Word a separation: the columns that separate by themselves, or else the first few that do so together.

    Parameters
    ----------
    source, groups : the rows. start : group, and its model at the starting values.
    direction : (P,) along which the likelihood grows without end. names : (k,) columns. outcome : its name.
    """
    domain, model = start
    size = np.abs(direction[: len(names)])
    among = [j for j in np.argsort(-size, kind="stable").tolist() if size[j] > ABSENT * size.max()]
    alone = [j for j in among if _separates(source, groups, domain, model, [j])]
    fewest = range(2, 2 if alone else len(among))
    few = next((end for end in fewest if _separates(source, groups, domain, model, among[:end])), None)
    found = [repr(names[j]) for j in sorted(alone or among[:few])]
    verb = "together predict" if len(found) > 1 and not alone else "predicts" if len(found) == 1 else "predict"
    where = f" in the group {' × '.join(domain)!r}" if domain else ""
    return SampleError(
        f"{' and '.join(found)} {verb} {outcome!r} without error, for all respondents or some of them{where} "
        f"(separation): no finite coefficient fits best. Leave {'it' if len(found) == 1 else 'one'} out, merge values "
        "or levels that got one answer only, or use family='linear'."
    )


def _separates(source: Source, groups: Groups, domain: Domain, model: Cumulative, columns: list[int]) -> bool:
    """Whether some columns alone do."""
    fewer = replace(model, basis=model.basis[:, columns], beta=np.zeros(len(columns)))
    try:
        return bool(maximise(source, groups, {domain: fewer}, "The model").endless)
    except ConvergenceError:
        return False

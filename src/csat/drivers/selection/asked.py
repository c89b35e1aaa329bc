"""What a selection is asked to choose from, and whether the sample allows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from csat.drivers.linear.least_squares import among, check_collinear
from csat.drivers.selection.sweeps import Layout, correlations
from csat.drivers.terms import Factor, Terms
from csat.errors import OptionError, SampleError
from csat.moments import Moments, Recode, shown


def terms_asked(candidates: Any, forced: Any) -> tuple[list[Any], int]:
    """The forced terms and, after them, the other candidates; and how many are forced.

    A term may be named in both: it is forced.

    Raises
    ------
    OptionError
        Without a candidate, or if all of them are forced.
    """
    asked, fixed = _listed(candidates, "candidates"), _listed(forced, "forced")
    if not asked:
        raise OptionError("No driver is named: name at least one candidate.")
    always = {_label(driver) for driver in fixed}
    free = [driver for driver in asked if _label(driver) not in always]
    if not free:
        raise OptionError("forced: every candidate is forced in; nothing is left to select from.")
    return [*fixed, *free], len(fixed)


def _listed(drivers: Any, what: str) -> list[Any]:
    if isinstance(drivers, str | Factor | Recode) or hasattr(drivers, "code"):
        return [drivers]
    if isinstance(drivers, bytes) or not isinstance(drivers, Iterable):
        raise OptionError(f"{what} are names of variables; found {shown(drivers)}.")
    return list(drivers)


def _label(driver: Any) -> str:
    """Name of a term; what is none is told when the terms are read."""
    if isinstance(driver, Factor):
        return driver.column
    return driver.term if isinstance(driver, Recode) else str(getattr(driver, "code", driver))


def check_parts(terms: Terms, layout: Layout) -> None:
    """Refuse a forced interaction whose parts may leave."""
    loose = layout.needs & layout.forced[:, None] & ~layout.forced
    if loose.any():
        term, part = np.argwhere(loose)[0].tolist()
        raise OptionError(
            f"{terms.labels[term]!r} is forced but its part {terms.labels[part]!r} is a candidate: force both, "
            "or neither."
        )


def check_whole(what: str, found: Any, least: int, most: int) -> None:
    """Refuse what is no whole number between two limits."""
    if not isinstance(found, int | np.integer) or isinstance(found, bool) or not least <= found <= most:
        raise OptionError(f"{what}={str(found)[:20]}: a whole number from {least} to {most} is needed.")


def correlations_of(moments: Moments, terms: Terms, begin: np.ndarray) -> tuple[np.ndarray, float]:
    """(1, p, p) correlations of the columns, the outcome last; and the outcome's variance, with divisor n.

    Parameters
    ----------
    begin : (k,) columns that are in the model at the start.

    Raises
    ------
    SampleError
        For too few respondents or a constant column.
    CollinearityError
        If columns of the start repeat others.
    """
    names = terms.names
    if moments.n < len(names) + 2:
        what = among(f"A selection among {len(names)} candidates", [terms.labels[owner] for owner in terms.owner])
        raise SampleError.too_few(what, moments.n, len(names) + 2)
    corr, _, flat = correlations(moments.gram[None])
    if flat.any():
        raise SampleError.constant([moments.names[at] for at in np.flatnonzero(flat[0]).tolist()])
    at = np.flatnonzero(begin).tolist()
    check_collinear(corr[0][np.ix_(at, at)], [names[column] for column in at])
    return corr, float(moments.cov[-1, -1])

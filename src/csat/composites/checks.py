"""What can be wrong with the sample of a path model, and how to say it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.items import ItemMoments
from csat.composites.solution import Settings, Solution, solve
from csat.errors import CollinearityError, ConvergenceError, CsatError, SampleError, UnknownColumnError
from csat.results import Unavailable

#: An eigenvalue of correlations below this leaves no separate effects.
COLLINEAR = 1e-10
_REASONS: Mapping[type[CsatError], str] = {CollinearityError: "collinear", ConvergenceError: "not_converged"}


def unknown_item(error: UnknownColumnError, blocks: Blocks) -> UnknownColumnError:
    """A column that the data lack, with what the model takes for columns."""
    return UnknownColumnError(
        f"{error} The model takes every name for an item that no =~ or <~ has on its left; "
        f"its constructs are {', '.join(map(repr, blocks.constructs))}."
    )


def fault_of(items: ItemMoments, n: int, blocks: Blocks) -> CsatError | None:
    """Why one sample, mean (p,) and cov (p, p) of n respondents, cannot have estimates; None if it can."""
    p = len(blocks.observed)
    if n <= p:
        return SampleError.too_few(f"A path model of {p} items", n, p + 1)
    variance = np.diag(items.cov)
    flat = ~(variance > 1e-13 * np.nan_to_num(items.shift) ** 2)
    if flat.any():
        return SampleError.constant(list(dict.fromkeys(np.array(blocks.items)[flat].tolist())))
    corr = items.corr
    for j, mode in enumerate(blocks.modes):
        at = blocks.columns(j)
        repeated = repeats(corr[np.ix_(at, at)]) if mode == "B" else []
        if repeated:
            names = [blocks.items[at[i]] for i in repeated]
            found = CollinearityError.among(names[0], names[1:5])
            return CollinearityError(f"In the block of {blocks.constructs[j]!r} (mode B): {found}")
    return None


def repeats(corr: np.ndarray) -> list[int]:
    """Which variables, the most involved first, are linear combinations of one another; empty if none are."""
    values, vectors = np.linalg.eigh(corr)
    if values[0] > COLLINEAR:
        return []
    share = np.abs(vectors[:, 0])
    return [int(i) for i in np.argsort(-share) if share[i] > 1e-4]


def no_solution(items: ItemMoments, blocks: Blocks, settings: Settings, found: Solution) -> CsatError:
    """Why one sample has no estimates although its items are in order; `found` : what the iteration came to."""
    if found.converged and (found.rho_a[blocks.consistent] < 0).any():
        name = blocks.constructs[int(np.flatnonzero(blocks.consistent & (found.rho_a < 0))[0])]
        return ConvergenceError(
            f"The reliability ρA of {name!r} is negative, as its items hardly correlate: its correlations cannot be "
            "corrected for attenuation. Look at the items, or estimate a composite: leave it out of consistent=…."
        )
    corr = solve(items.cov, blocks, Settings("factorial", settings.scaled)).proxies
    for j, by in blocks.explained:
        among = corr[np.ix_(by, by)]
        repeated = repeats(among) if np.isfinite(among).all() else []
        if repeated:
            names = [blocks.constructs[by[i]] for i in repeated]
            error = CollinearityError.among(names[0], names[1:5])
            return CollinearityError(f"Among what explains {blocks.constructs[j]!r}: {error}")
    return ConvergenceError(
        f"The weights did not settle in {int(found.steps)} steps (scheme={settings.scheme!r}). Try another scheme, "
        "mode A for blocks whose items say nearly the same, or a model with fewer constructs."
    )


def reason_of(error: CsatError, n: int) -> Unavailable:
    """The same in one word, for a group among others."""
    known = _REASONS.get(type(error))
    if known is None:
        known = "no_answers" if n == 0 else "fewer_than_items" if "complete answers" in str(error) else "constant"
    return Unavailable(known)

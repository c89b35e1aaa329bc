"""`combine_weights`: several sets of weights of the same factors made into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, check_choice
from csat.fuzzy.ahp import Ahp
from csat.fuzzy.objective import jacobian
from csat.fuzzy.weighing import given
from csat.fuzzy.weights import FactorWeights, Note
from csat.moments import shown
from csat.results import Estimates, Provenance, Unavailable

#: How weights are combined.
MULTIPLICATIVE, ADDITIVE, GAME = HOWS = ("multiplicative", "additive", "game")
#: Singular values of the game below this share of the largest count as 0.
_SINGULAR = 1e-10

#: Combines weights (…, L, m) of L sets into (…, m).
Combination = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Draws of combined weights: each part is drawn, those without uncertainty stay, and the draws are combined."""

    parts: tuple[FactorWeights, ...]
    combined: Combination

    def __call__(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """(size, m) weights."""
        seeds = rng.integers(2**31, size=len(self.parts)).tolist()
        drawn = [part.draws(size, seed) for part, seed in zip(self.parts, seeds, strict=True)]
        stack = [
            np.broadcast_to(part.values, (size, len(part.values))) if draw is None else draw
            for part, draw in zip(self.parts, drawn, strict=True)
        ]
        return self.combined(np.stack(stack, axis=1))


def combine_weights(
    weights: Sequence[FactorWeights | Ahp | Mapping[str, float] | pd.Series]
    | Mapping[str, FactorWeights | Ahp | Mapping[str, float] | pd.Series],
    how: str = "multiplicative",
    *,
    shares: Sequence[float] | Mapping[str, float] | None = None,
) -> FactorWeights:
    """Combine L sets of weights of the same factors.

    Parameters
    ----------
    weights : L ≥ 2 sets of the same factors, in any order of the factors; a mapping names them.
    how : "multiplicative", products divided by their sum: a factor must matter by every set. "additive", weighted means
        with `shares`. "game", the linear combination Σ αₖ·wₖ that is nearest to all sets at once: the α solve
        Σⱼ αⱼ·wᵢ·wⱼ = wᵢ·wᵢ for each i (first-order conditions of least deviations) and are then divided by their sum.
    shares : (L,) of the sets, for "additive" (and as exponents for "multiplicative"), ≥ 0; only their proportions
        count. None: all alike.

    Returns
    -------
    FactorWeights
        `method` is "combined". Standard errors take the sets as independent of each other; sets without uncertainty
        add none, and a note says so.

    Raises
    ------
    OptionError
        For fewer than two sets, other factors, or shares that make no sense.

    Notes
    -----
    The game reacts to how concentrated sets are: a set that others exceed in its own direction (wᵢ·wⱼ > wᵢ·wᵢ, as
    equal weights always meet) gets a coefficient of 0 or below. Negative ones count as 0, and a note says so.
    Source: Lai, Chen, Chen, Wang, Wu & Zhao (2015), Natural Hazards 77, 1243–1259.

    Examples
    --------
    >>> combine_weights([{"a": 0.5, "b": 0.5}, {"a": 0.8, "b": 0.2}]).values.round(3).tolist()
    [0.8, 0.2]
    """
    check_choice("how", how, HOWS)
    names, parts = _sets(weights)
    factors = parts[0].factors
    stack = np.stack([part.values for part in parts])
    counts = _counts(shares, names, how)
    notes = [Note("unknown_part", name) for name, part in zip(names, parts, strict=True) if not part.uncertain]
    notes = notes if len(notes) < len(parts) else []
    if how == GAME:
        counts, found = _coefficients(stack, names)
        notes += found
    elif how == MULTIPLICATIVE and not (stack > 0).all(axis=0).any():
        raise OptionError("how='multiplicative': every factor has weight 0 in some set; use how='additive'.")
    combined = _combination(how, counts)
    values = combined(stack)
    uncertain = any(part.uncertain for part in parts)
    vcov = _vcov(parts, stack, combined) if uncertain else np.full((len(factors),) * 2, np.nan)
    return FactorWeights(
        _estimates(parts, values, vcov), "combined", tuple(notes), Parts(parts, combined) if uncertain else None
    )


def _sets(weights: Any) -> tuple[tuple[str, ...], tuple[FactorWeights, ...]]:
    """Names and sets, each in the order of the first one's factors."""
    if isinstance(weights, Mapping):
        names, listed = [str(name) for name in weights], list(weights.values())
    elif isinstance(weights, list | tuple):
        listed = list(weights)
        names = [f"set {i + 1}" for i in range(len(listed))]
    else:
        raise OptionError(f"weights: a list of sets of weights is needed; found {shown(weights)}.")
    if len(listed) < 2:
        raise OptionError(f"weights: two or more sets are needed to combine; found {len(listed)}.")
    found = []
    for name, one in zip(names, listed, strict=True):
        if not isinstance(one, FactorWeights | Ahp | Mapping | pd.Series):
            raise OptionError(f"weights: {name!r} is no set of weights (csat.factor_weights, csat.ahp): {shown(one)}.")
        known = one.weights if isinstance(one, Ahp) else one
        found.append(known if isinstance(known, FactorWeights) else given(known))
    return tuple(names), tuple(in_order(one, found[0].factors, name) for name, one in zip(names, found, strict=True))


def in_order(weights: FactorWeights, factors: tuple[str, ...], name: str) -> FactorWeights:
    """The same weights in another order of the factors."""
    if weights.factors == factors:
        return weights
    if set(weights.factors) != set(factors):
        raise OptionError(f"weights: {name!r} weighs {list(weights.factors)}, the first set {list(factors)}.")
    at = np.array([weights.factors.index(factor) for factor in factors])
    source = weights.estimates
    df = source.df if np.ndim(source.df) == 0 else np.asarray(source.df)[at]
    unavailable = {new: source.unavailable[old] for new, old in enumerate(at.tolist()) if old in source.unavailable}
    estimates = Estimates(
        factors, source.estimate[at], source.vcov[np.ix_(at, at)], df, source.n[at], source.n_eff[at], source.unit,
        source.provenance, source.level, source.null, {}, unavailable,
    )  # fmt: skip
    redraw = None if weights.redraw is None else _Reordered(weights, at)
    return FactorWeights(estimates, weights.method, weights.notes, redraw)


@dataclass(frozen=True, slots=True, eq=False)
class _Reordered:
    """The draws of other weights, with the factors in another order."""

    weights: FactorWeights
    at: np.ndarray

    def __call__(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """(size, m) weights."""
        found = self.weights.redraw
        return self.weights.values[self.at][None].repeat(size, 0) if found is None else found(size, rng)[:, self.at]


def _counts(shares: Any, names: tuple[str, ...], how: str) -> np.ndarray:
    """(L,) shares of the sets with sum 1; of exponents with sum L."""
    if shares is not None and how == GAME:
        raise OptionError("shares: the game finds them; leave them out, or use how='additive'.")
    given = shares
    if isinstance(shares, Mapping):
        if set(shares) != set(names):
            raise OptionError(f"shares names {sorted(map(str, shares))}; the sets are {list(names)}.")
        given = [shares[name] for name in names]
    try:
        found = np.ones(len(names)) if given is None else np.asarray(given, float)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0)
    if found.shape != (len(names),) or not (np.isfinite(found) & (found >= 0)).all() or not found.sum() > 0:
        raise OptionError(f"shares are {len(names)} numbers, 0 or more, one per set; found {shown(shares)}.")
    return np.asarray(found / found.sum())


def game(stack: np.ndarray) -> np.ndarray:
    """(L,) coefficients α of L sets of weights (L, m), not yet divided by their sum; equal sets share theirs."""
    products = stack @ stack.T
    return np.asarray(np.linalg.pinv(products, rcond=_SINGULAR, hermitian=True) @ np.diag(products))


def _coefficients(stack: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, list[Note]]:
    """(L,) shares that the game gives the sets, and notes on those that it gives none."""
    alpha = game(stack)
    notes = [Note("clipped", name, {"value": float(a)}) for name, a in zip(names, alpha, strict=True) if a < -1e-12]
    kept = np.maximum(alpha, 0.0)
    return kept / kept.sum(), notes


def _combination(how: str, counts: np.ndarray) -> Combination:
    """The function that combines weights (…, L, m); complex numbers pass through."""

    def additive(stack: np.ndarray) -> np.ndarray:
        return np.asarray((counts[:, None] * stack).sum(axis=-2))

    def multiplicative(stack: np.ndarray) -> np.ndarray:
        product = np.prod(stack ** (counts[:, None] * len(counts)), axis=-2)
        return np.asarray(product / product.sum(axis=-1, keepdims=True))

    def played(stack: np.ndarray) -> np.ndarray:
        products = stack @ np.swapaxes(stack, -1, -2)
        goal = np.diagonal(products, axis1=-2, axis2=-1)
        alpha = (np.linalg.pinv(products, rcond=_SINGULAR) @ goal[..., None])[..., 0]
        alpha = np.where(alpha.real > 0, alpha, 0.0)
        return np.asarray(((alpha / alpha.sum(axis=-1, keepdims=True))[..., None] * stack).sum(axis=-2))

    return {ADDITIVE: additive, MULTIPLICATIVE: multiplicative, GAME: played}[how]


def _vcov(parts: tuple[FactorWeights, ...], stack: np.ndarray, combined: Combination) -> np.ndarray:
    """(m, m) covariance of the combination of independent sets, by the delta method; unknown ones count as fixed."""
    size, m = stack.shape
    slope = jacobian(lambda flat: combined(flat.reshape(*flat.shape[:-1], size, m)), stack.ravel())
    out = np.zeros((m, m))
    for i, part in enumerate(parts):
        of_part = slope[:, i * m : (i + 1) * m]
        known = np.nan_to_num(part.estimates.vcov) if part.uncertain else np.zeros((m, m))
        out += of_part @ known @ of_part.T
    return out


def _estimates(parts: tuple[FactorWeights, ...], values: np.ndarray, vcov: np.ndarray) -> Estimates:
    m = len(values)
    unknown = not np.isfinite(vcov).all()
    dfs = [float(np.min(part.estimates.df)) for part in parts if part.uncertain]
    n = np.min([np.where(np.isnan(part.estimates.n), np.inf, part.estimates.n) for part in parts], axis=0)
    methods = " × ".join(part.method for part in parts)
    return Estimates(
        parts[0].factors, values, vcov, min(dfs, default=np.nan), np.where(np.isfinite(n), n, np.nan),
        np.full(m, np.nan), "share", Provenance(methods, "none" if unknown else "independent sets"),
        parts[0].estimates.level, None, {},
        dict.fromkeys(range(m), Unavailable("given_weights")) if unknown else {},
    )  # fmt: skip

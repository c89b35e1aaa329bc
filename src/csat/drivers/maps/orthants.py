"""Probability that two estimates are both below their limits: the bivariate t, and with infinite df the normal."""

from __future__ import annotations

import math


def below_both(h: float, k: float, rho: float, df: float = math.inf) -> float:
    """P(X ≤ h, Y ≤ k) of a standard bivariate t.

    Its derivative with respect to ρ is elementary, so that one integral over the angle θ with sin θ = ρ leads from
    ρ = ±1, where the probability is known, to any ρ.

    Parameters
    ----------
    h, k : limits, finite or infinite.
    rho : correlation, −1 … 1.
    df : degrees of freedom, above 0; inf means normal.

    Returns
    -------
    float
        To about 1e-10; NaN if a limit or ρ is NaN.

    Source: Plackett (1954), Biometrika 41, 351–360; Genz (2004), Statistics and Computing 14, 251–260, section 2.

    >>> round(below_both(0.0, 0.0, 0.5), 12) == round(1 / 3, 12)
    True
    """
    from scipy.integrate import quad

    if math.isnan(h) or math.isnan(k) or math.isnan(rho):
        return math.nan
    side = 1.0 if rho >= 0 else -1.0
    one, other = below(h, df), below(k, df)
    at_side = min(one, other) if side > 0 else max(one + other - 1.0, 0.0)
    if abs(rho) >= 1 or math.isinf(h) or math.isinf(k):
        return at_side
    gap, product = h - side * k, 2 * side * h * k

    def slope(angle: float) -> float:
        # (h² + k² − 2hk·sin θ)/cos² θ, written so that nothing cancels near a right angle.
        apart = gap / math.cos(angle)
        squared = apart * apart + product / (1 + math.sin(angle))
        return math.exp(-squared / 2 if math.isinf(df) else -df / 2 * math.log1p(squared / df))

    between = quad(slope, math.asin(abs(rho)), math.pi / 2, epsabs=1e-12, epsrel=1e-10, limit=200)[0]
    return min(max(at_side - side * between / (2 * math.pi), 0.0), 1.0)


def below(limit: float, df: float) -> float:
    """P(X ≤ limit) of Student's t; df = inf means normal."""
    from scipy.special import ndtr, stdtr

    return float(ndtr(limit) if math.isinf(df) else stdtr(df, limit))

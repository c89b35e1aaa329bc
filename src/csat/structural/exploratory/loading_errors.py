"""How sure rotated loadings are: standard errors by the conditions that the extraction and the rotation fulfil.

Loadings are free but for their rotation, which stands where its criterion is at rest. Borders of the information matrix
hold these conditions. Sources: Jennrich (1973), Psychometrika 38(4), 593–604 (oblique); Jennrich (1974), Psychometrika
39(2), 123–131 (bordered information); Archer & Jennrich (1973), Psychometrika 38(4), 581–592 (orthogonal).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.moments import Groups, RowSource, Source
from csat.structural.exploratory.rotation import quartimin_criterion, varimax_criterion
from csat.structural.uncertainty.gamma import moment_covariance
from csat.structural.uncertainty.sandwich import bordered_inverse

#: Length of a complex step: derivatives come out exact to rounding.
_STEP = 1e-20
#: Rotations whose loadings stand where a criterion is at rest; without one, the extraction's own position counts.
RESTING = (None, "varimax", "oblimin")


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Joint covariance of the sample's covariances under its design, times n, in units in which variances are 1.

    gamma : (p*, p*), lower triangle row by row. method : how it was made.
    """

    gamma: np.ndarray
    method: str

    @property
    def of_none(self) -> float:
        """What χ² of uncorrelated items is too large by: mean over its df, the pairs of items."""
        p = round((np.sqrt(8 * len(self.gamma) + 1) - 1) / 2)
        i, j = np.tril_indices(p)
        return float(np.diag(self.gamma)[i != j].mean())

    def effective(self, corr: np.ndarray, n: int) -> float:
        """Respondents drawn at random one by one whose correlations would be as sure: n over a mean design effect.

        The variance of each product of two items is compared with that of normal items, 1 + ρ².
        """
        i, j = np.tril_indices(len(corr))
        apart = i != j
        return n / float(np.mean(np.diag(self.gamma)[apart] / (1.0 + corr[i, j][apart] ** 2)))


@dataclass(frozen=True, slots=True, eq=False)
class LoadingErrors:
    """vcov : (p·m + m(m−1)/2 square) of the loadings, item by item, and of the factor correlations, pair by pair.

    scaling : mean of χ² over its df; 1 without a `Spread`, NaN if no likelihood was maximized or df is 0.
    """

    vcov: np.ndarray
    scaling: float


def spread_of(source: Source, groups: Groups) -> Spread | None:
    """How sure covariances are under the design; None if the source has no rows to tell."""
    if groups.published or not (isinstance(source, RowSource) or groups.psus or groups.replication is not None):
        return None
    found = moment_covariance(source, groups)
    sd = np.sqrt(np.diag(groups.moments().cov))
    i, j = np.tril_indices(len(sd))
    unit = sd[i] * sd[j]
    return Spread(found.moments([1.0], means=False)[0, :, 0, :] / np.outer(unit, unit), found.method)


def loading_errors(
    pattern: np.ndarray, phi: np.ndarray, n: int, method: str, rotation: str | None, spread: Spread | None
) -> LoadingErrors:
    """Errors of loadings (p, m) and correlations (m, m) of the factors.

    Parameters
    ----------
    method : "ml" or "minres". rotation : of `RESTING`. spread : of the design; None: that of normal answers, drawn at
        random one by one.
    """
    p, m = pattern.shape
    implied = pattern @ phi @ pattern.T
    np.fill_diagonal(implied, 1.0)
    oblique = rotation == "oblimin" and m > 1
    slopes = _slopes(pattern, phi, oblique=oblique)
    if method == "ml":
        slopes = np.concatenate([slopes, _scales(implied)])
        inverse = np.linalg.inv(implied)
        scores = inverse @ slopes @ inverse / 2
    else:
        scores = _of_residuals(slopes, implied)
    information = np.einsum("kij,lji->kl", scores, slopes, optimize=True)
    conditions = _borders(pattern, phi, method, rotation if m > 1 else None, oblique=oblique)
    borders = np.zeros((len(conditions), len(slopes)))
    borders[:, : conditions.shape[1]] = conditions
    bread = bordered_inverse(information, borders)
    middle = _normal_middle(scores, implied) if spread is None else _designed_middle(scores, spread.gamma)
    kept = p * m + (m * (m - 1) // 2 if oblique else 0)
    vcov = np.zeros((p * m + m * (m - 1) // 2,) * 2)
    vcov[:kept, :kept] = (bread @ middle @ bread)[:kept, :kept] / n
    return LoadingErrors(vcov, _scaling(implied, bread, middle, spread, m) if method == "ml" else np.nan)


def _slopes(pattern: np.ndarray, phi: np.ndarray, *, oblique: bool) -> np.ndarray:
    """(k, p, p) derivatives of the implied correlations by the loadings, item by item, and those of the factors."""
    p, m = pattern.shape
    by_loading = np.zeros((p, m, p, p))
    item = np.arange(p)
    by_loading[item, :, item, :] = (pattern @ phi).T
    parts = [by_loading.reshape(p * m, p, p)]
    if oblique:
        a, b = np.triu_indices(m, 1)
        parts.append(np.einsum("ik,jk->kij", pattern[:, a], pattern[:, b]))
    out = np.concatenate(parts)
    out = out + out.swapaxes(1, 2)
    out[:, item, item] = 0.0
    return out


def _scales(implied: np.ndarray) -> np.ndarray:
    """(p, p, p) derivatives of the implied covariances by the standard deviation of each item."""
    p = len(implied)
    out = np.zeros((p, p, p))
    out[np.arange(p), np.arange(p), :] = implied
    return out + out.swapaxes(1, 2)


def _of_residuals(slopes: np.ndarray, implied: np.ndarray) -> np.ndarray:
    """(k, p, p) what covariances add to the slopes of the residual squares, those of their variances included."""
    scores = slopes / 2
    item = np.arange(len(implied))
    scores[:, item, item] = -np.einsum("kij,ij->ki", slopes, implied) / 2
    return scores


def _borders(pattern: np.ndarray, phi: np.ndarray, method: str, rotation: str | None, *, oblique: bool) -> np.ndarray:
    """(c, k) derivatives of the conditions of the rotation, by complex steps."""
    p, m = pattern.shape
    free = p * m + (m * (m - 1) // 2 if oblique else 0)
    steps = 1j * _STEP * np.eye(free)
    patterns = pattern + steps[:, : p * m].reshape(free, p, m)
    correlations = np.broadcast_to(phi.astype(complex), (free, m, m)).copy()
    if oblique:
        a, b = np.triu_indices(m, 1)
        correlations[:, a, b] += steps[:, p * m :]
        correlations[:, b, a] += steps[:, p * m :]
    return np.asarray(_rest(patterns, correlations, method, rotation).imag.T / _STEP)


def _rest(patterns: np.ndarray, phi: np.ndarray, method: str, rotation: str | None) -> np.ndarray:
    """(…, c) what is 0 at the solution: the criterion of the rotation is at rest, or factors are in canonical place."""
    turned = patterns.swapaxes(-1, -2)
    m = patterns.shape[-1]
    above = np.triu_indices(m, 1)
    if rotation is None:
        unique = 1.0 - np.sum(patterns**2, axis=-1, keepdims=True) if method == "ml" else 1.0
        return np.asarray((turned @ (patterns / unique))[..., *above])
    if rotation == "varimax":
        unit = patterns / np.sqrt(np.sum(patterns**2, axis=-1, keepdims=True))
        moved = unit.swapaxes(-1, -2) @ varimax_criterion(unit)[1]
        return np.asarray((moved - moved.swapaxes(-1, -2))[..., *above])
    moved = turned @ quartimin_criterion(patterns)[1] @ np.linalg.inv(phi)
    return np.asarray(moved[..., ~np.eye(m, dtype=bool)])


def _normal_middle(scores: np.ndarray, implied: np.ndarray) -> np.ndarray:
    """(k, k) covariance of the scores, times n, for normal answers."""
    half = scores @ implied
    return np.asarray(2.0 * np.einsum("kij,lji->kl", half, half, optimize=True))


def _designed_middle(scores: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    i, j = np.tril_indices(scores.shape[1])
    triangle = scores[:, i, j] * np.where(i == j, 1.0, 2.0)
    return np.asarray(triangle @ gamma @ triangle.T)


def _scaling(implied: np.ndarray, bread: np.ndarray, middle: np.ndarray, spread: Spread | None, m: int) -> float:
    """Mean of χ² over its df: tr UΓ / df (Satorra & Bentler 1994)."""
    p = len(implied)
    df = ((p - m) ** 2 - (p + m)) // 2
    if spread is None or df == 0:
        return 1.0 if df else np.nan
    i, j = np.tril_indices(p)
    inverse = np.linalg.inv(implied)
    times = np.where(i == j, 1.0, 2.0)
    products = inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)]
    whole = np.sum(np.outer(times, times) * products * spread.gamma) / 4
    return float((whole - np.vdot(bread, middle)) / df)

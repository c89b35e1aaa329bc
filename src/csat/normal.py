"""Means and covariances of answers with gaps: maximum likelihood for normal variables, by EM on patterns.

Gaps may depend on what was answered, not on what was not ("missing at random"). Weights multiply the likelihood of
a respondent. EM (Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B 39, 1–38) brings the estimate near, Newton's method
on its fixed-point equation finishes; the same derivative turns what one respondent moves in a step into the influence
on the estimate, so that standard errors respect the design (the sandwich of Yuan & Bentler 2000, Sociological
Methodology 30, 165–200, with observed information). References: Little & Rubin (2002), Statistical Analysis with
Missing Data, 8.2 and 11.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from csat.errors import SampleError
from csat.moments import Patterns

#: Steps of EM and Newton at most, and the change in standard deviations at which they end.
STEPS, SETTLED = 2000, 1e-12
#: Change from which on Newton's method is tried, and steps without it after one that failed.
NEAR, PAUSE = 1e-2, 10
#: Smallest eigenvalue of correlations above which a part of their inverse is as good as the inverse of a part.
SOUND = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """Maximum likelihood estimate of one group, in standard units: y = (x − midpoint − centre) / spread.

    centre, spread : (k,). mean : (k,), cov : (k, k) in standard units. weight : Σw of those who answered something.
    n : respondents among them. information : (t, t) I − J of the free figures [mean, upper triangle of cov], with J the
        derivative of an EM step. steps : taken.
    """

    centre: np.ndarray
    spread: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    weight: float
    n: int
    information: np.ndarray
    steps: int


@dataclass(frozen=True, slots=True, eq=False)
class _Filled:
    """What each pattern's answers say about all variables, given means and covariances.

    weight : (C,). sums : (C, k) Σ w·d and squares : (C, k, k) Σ w·ddᵀ of the answers' deviations from the mean, zero
    where not answered. inverse : (C, k, k) of the answered block, zero elsewhere. fill : (C, k, k) regression of all
    variables on the answered ones. rest : (C, k, k) covariance that the answers leave.
    """

    weight: np.ndarray
    sums: np.ndarray
    squares: np.ndarray
    inverse: np.ndarray
    fill: np.ndarray
    rest: np.ndarray


def fit_normal(patterns: Patterns) -> Normal:
    """Estimate mean and covariance of one group.

    Parameters
    ----------
    patterns : of one domain.

    Raises
    ------
    SampleError
        If there are no more respondents than variables, a variable has no variation, two variables were never answered
        together, one repeats others, or the estimate does not settle.
    """
    k, n = len(patterns.names), int(patterns.n.sum())
    if n <= k:
        raise SampleError(
            f"Maximum likelihood with gaps needs more respondents than variables; found {n} for {k}. "
            "Use fewer variables or more data."
        )
    _check_pairs(patterns)
    centre, spread = _available(patterns)
    try:
        return _settled(patterns, centre, spread)
    except np.linalg.LinAlgError:
        raise SampleError(_UNSETTLED.format("met a singular matrix")) from None


#: What to do where there is no estimate.
_UNSETTLED = (
    "Maximum likelihood with gaps {}: too few respondents answered the same variables, or one of them repeats others. "
    'Use fewer variables, or missing="listwise".'
)


def _settled(patterns: Patterns, centre: np.ndarray, spread: np.ndarray) -> Normal:
    """EM from uncorrelated variables, ended by Newton's method."""
    answered, gram = patterns.answered, _standardized(patterns, centre, spread)
    weight = gram[:, 0, 0].sum()
    mean, cov, again = np.zeros(len(centre)), np.eye(len(centre)), 0
    for step in range(STEPS):
        filled = _fill(gram, answered, mean, cov)
        new_mean, new_cov = _step(filled, mean)
        change = max(np.abs(new_mean - mean).max(), np.abs(new_cov - cov).max())
        if change < SETTLED:
            information = np.eye(_free(len(mean))) - _derivative(filled)
            return Normal(centre, spread, mean, cov, float(weight), int(patterns.n.sum()), information, step)
        tried = change < NEAR and step >= again
        newton = _newton(gram, answered, filled, mean, cov, change) if tried else None
        again = step + PAUSE if tried and newton is None else again
        mean, cov = (new_mean, new_cov) if newton is None else newton
    raise SampleError(
        _UNSETTLED.format(f"did not settle in {STEPS} steps (last change {change:.2g} standard deviations)")
    )


def _check_pairs(patterns: Patterns) -> None:
    apart = np.argwhere(patterns.pairs[0] == 0)
    if apart.size:
        empty = np.flatnonzero(~patterns.answered.any(axis=0))
        if len(empty):
            listed = ", ".join(repr(patterns.names[i]) for i in empty.tolist())
            raise SampleError(f"Nobody answered {listed}: leave {'it' if len(empty) == 1 else 'them'} out.")
        first, second = (patterns.names[i] for i in apart[0].tolist())
        raise SampleError(
            f"Nobody answered both {first!r} and {second!r}: how they go together cannot be estimated. "
            "Leave one of them out."
        )


def _available(patterns: Patterns) -> tuple[np.ndarray, np.ndarray]:
    """Means around the midpoints and standard deviations over those who answered each variable."""
    whole = patterns.gram.sum(axis=0)
    weight = patterns.answered.T @ patterns.gram[:, 0, 0]
    mean = whole[0, 1:] / weight
    square = np.diag(whole)[1:] / weight
    variance = square - mean**2
    flat = variance <= 1e-24 * square
    if flat.any():
        raise SampleError.constant([name for name, is_flat in zip(patterns.names, flat, strict=True) if is_flat])
    return mean, np.sqrt(variance)


def _standardized(patterns: Patterns, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(C, 1+k, 1+k) Gram matrices in standard units, zero where not answered."""
    cells, k = patterns.answered.shape
    turn = np.zeros((cells, 1 + k, 1 + k))
    turn[:, 0, 0] = 1.0
    turn[:, 1:, 0] = -centre / spread * patterns.answered
    turn[:, np.arange(1, 1 + k), np.arange(1, 1 + k)] = 1 / spread
    return turn @ patterns.gram @ turn.swapaxes(1, 2)


def inverses(answered: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Inverse of the answered block of covariances (…, k, k), zero elsewhere, for patterns (C, k): (…, C, k, k).

    Few gaps are taken out of the inverse of the whole, patterns with as many of them together: with P = Σ⁻¹ the inverse
    of the answered block is P − P·ₘ(Pₘₘ)⁻¹Pₘ·, m the missing variables. Where most is missing, or the whole is nearly
    singular, the block is inverted.
    """
    k, sound = cov.shape[-1], _is_sound(cov)
    whole = np.linalg.inv(cov) if sound else cov
    out = np.empty((*cov.shape[:-2], *answered.shape, k), cov.dtype)
    for at, places, few in _alike(answered, sound):
        rows, columns = places[:, :, None], places[:, None, :]
        if few:
            across = whole[..., places, :]
            out[..., at, :, :] = whole[..., None, :, :] - across.swapaxes(-1, -2) @ np.linalg.solve(
                whole[..., rows, columns], across
            )
        else:
            block = np.zeros((*cov.shape[:-2], len(at), k, k), cov.dtype)
            block[..., np.arange(len(at))[:, None, None], rows, columns] = np.linalg.inv(cov[..., rows, columns])
            out[..., at, :, :] = block
    return np.where(answered[:, :, None] & answered[:, None, :], out, 0.0)


def log_determinants(answered: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """(…, C) log-determinants of the answered blocks of positive definite matrices (…, k, k)."""
    sound = _is_sound(cov)
    whole = np.linalg.inv(cov) if sound else cov
    out = np.empty((*cov.shape[:-2], len(answered)))
    for at, places, few in _alike(answered, sound):
        rows, columns = places[:, :, None], places[:, None, :]
        block = (whole if few else cov)[..., rows, columns]
        beside = np.linalg.slogdet(cov)[1][..., None] if few else 0.0
        out[..., at] = np.linalg.slogdet(block)[1] + beside
    return out


def _is_sound(cov: np.ndarray) -> bool:
    """Whether matrices (…, k, k) are far enough from singular for parts of their inverses to be exact."""
    real = np.real(cov)
    variance = np.diagonal(real, axis1=-2, axis2=-1)
    if not (variance > 0).all():
        return False
    sd = np.sqrt(variance)
    return bool((np.linalg.eigvalsh(real / (sd[..., :, None] * sd[..., None, :])) > SOUND).all())


def _alike(answered: np.ndarray, sound: bool) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Patterns with as many gaps: where they are, and the places of the gaps, if these are few, or of the answers.

    Few are none if the matrices are not `sound`.
    """
    gaps = (~answered).sum(axis=1)
    for count in np.unique(gaps).tolist():
        at = np.flatnonzero(gaps == count)
        few = sound and 2 * count <= answered.shape[1]
        chosen = ~answered[at] if few else answered[at]
        yield at, np.nonzero(chosen)[1].reshape(len(at), -1), few


def fill_of(answered: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of the answered block of `cov` (k, k), zero elsewhere, and the regression on it, for patterns (C, k).

    Returns
    -------
    inverse, fill
        (C, k, k) each; fill·d is the expected deviation of all variables, given the answers' deviations d.
    """
    inverse = inverses(answered, cov)
    return inverse, cov @ inverse


def _fill(gram: np.ndarray, answered: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> _Filled:
    weight, total = gram[:, 0, 0], gram[:, 0, 1:]
    own = answered * mean
    sums = total - weight[:, None] * own
    cross = total[:, :, None] * own[:, None, :]
    squares = gram[:, 1:, 1:] - cross - cross.swapaxes(1, 2) + weight[:, None, None] * own[:, :, None] * own[:, None, :]
    inverse, fill = fill_of(answered, cov)
    return _Filled(weight, sums, squares, inverse, fill, cov - fill @ cov)


def _step(filled: _Filled, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step of EM: the moments of the answers with every gap filled by its expectation."""
    weight = filled.weight.sum()
    shift = (filled.fill @ filled.sums[:, :, None])[..., 0].sum(axis=0) / weight
    second = filled.fill @ filled.squares @ filled.fill.swapaxes(1, 2) + filled.weight[:, None, None] * filled.rest
    return mean + shift, second.sum(axis=0) / weight - np.outer(shift, shift)


def _newton(
    gram: np.ndarray, answered: np.ndarray, filled: _Filled, mean: np.ndarray, cov: np.ndarray, change: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """A Newton step on the fixed-point equation of EM; None unless it comes nearer."""
    new_mean, new_cov = _step(filled, mean)
    k = len(mean)
    upper = np.triu_indices(k)
    gap = np.r_[new_mean - mean, (new_cov - cov)[upper]]
    try:
        move = np.linalg.solve(np.eye(len(gap)) - _derivative(filled), gap)
        tried_mean, tried_cov = mean + move[:k], cov + unpack(move[k:], k)
        np.linalg.cholesky(tried_cov)
    except np.linalg.LinAlgError:
        return None
    next_mean, next_cov = _step(_fill(gram, answered, tried_mean, tried_cov), tried_mean)
    left = max(np.abs(next_mean - tried_mean).max(), np.abs(next_cov - tried_cov).max())
    return (tried_mean, tried_cov) if left < change else None


def _free(k: int) -> int:
    return k + k * (k + 1) // 2


def unpack(upper: np.ndarray, k: int) -> np.ndarray:
    """(…, k, k) symmetric matrices from their upper triangles (…, k(k+1)/2)."""
    out = np.zeros((*upper.shape[:-1], k, k))
    rows, columns = np.triu_indices(k)
    out[..., rows, columns] = out[..., columns, rows] = upper
    return out


def _derivative(filled: _Filled) -> np.ndarray:
    """(t, t) derivative of an EM step at its fixed point by [mean, upper triangle of cov].

    With K = fill, S = inverse, Q = I − K: dK = Q·dΣ·S and d rest = Q·dΣ·Qᵀ.
    """
    k = filled.sums.shape[1]
    weight = filled.weight / filled.weight.sum()
    sums, squares = filled.sums / filled.weight.sum(), filled.squares / filled.weight.sum()
    left = np.eye(k) - filled.fill
    seen = (filled.inverse @ sums[:, :, None])[..., 0]
    shift = (filled.fill @ sums[:, :, None])[..., 0]
    turned = filled.inverse @ squares @ filled.fill.swapaxes(1, 2)
    mean_by_mean = np.einsum("c,cij->ij", weight, left)
    mean_by_cov = _pairs(np.tensordot(left, seen, axes=(0, 0)))
    moved = -np.tensordot(shift, filled.fill, axes=(0, 0))
    cov_by_mean = moved + moved.swapaxes(0, 1)
    whole = _kron(left, turned.swapaxes(1, 2)) + _kron(turned.swapaxes(1, 2), left)
    whole += _kron(left * weight[:, None, None], left)
    upper = np.triu_indices(k)
    return np.block([[mean_by_mean, mean_by_cov], [cov_by_mean[upper], _pairs(whole[upper])]])


def _kron(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(k, k, k, k) Σ_c first[i, a]·second[j, b]: the map X → Σ first·X·secondᵀ, as [i, j, a, b]."""
    k = first.shape[1]
    product = first.reshape(len(first), -1).T @ second.reshape(len(second), -1)
    return product.reshape(k, k, k, k).transpose(0, 2, 1, 3)


def _pairs(by_entry: np.ndarray) -> np.ndarray:
    """Derivatives (n, k, k) by single entries as derivatives (n, t) by the free entries of a symmetric matrix."""
    rows, columns = np.triu_indices(by_entry.shape[-1])
    both = by_entry[..., rows, columns] + by_entry[..., columns, rows]
    return np.where(rows == columns, both / 2, both)


@dataclass(frozen=True, slots=True, eq=False)
class NormalScores:
    """Influence of a row z = [1, m, m·y] on functions of the covariances of a `Normal`.

    normal : the estimate. by_mean : (q, k), by_cov : (q, k, k) what a step's change of mean and covariance does to the
    figures in the end.
    """

    normal: Normal
    by_mean: np.ndarray
    by_cov: np.ndarray

    @property
    def size(self) -> int:
        """Figures per row."""
        return len(self.by_mean)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, q) scores of rows z (n, 1+2k); rows are taken pattern by pattern."""
        found = self.normal
        k = len(found.mean)
        answered = z[:, 1 : 1 + k] > 0
        deviation = np.where(answered, (z[:, 1 + k :] - found.centre) / found.spread - found.mean, 0.0)
        distinct, where = np.unique(answered, axis=0, return_inverse=True)
        _, fill = fill_of(distinct, found.cov)
        base = np.einsum("qij,cij->cq", self.by_cov, -(fill @ found.cov))
        out = base[where.ravel()]
        for c in range(len(distinct)):
            rows = np.flatnonzero(where.ravel() == c)
            filled = deviation[rows] @ fill[c].T
            out[rows] += filled @ self.by_mean.T + np.einsum("ni,qni->nq", filled, filled @ self.by_cov)
        return out / found.weight


def normal_scores(normal: Normal, slopes: np.ndarray) -> NormalScores:
    """Scores of rows for figures with gradients `slopes` (q, k, k) by the covariances in the units of the data."""
    k = len(normal.mean)
    standard = slopes * np.outer(normal.spread, normal.spread)
    target = np.hstack([np.zeros((len(slopes), k)), _pairs(standard)])
    adjoint = np.linalg.solve(normal.information.T, target.T).T
    rows, columns = np.triu_indices(k)
    by_cov = unpack(adjoint[:, k:] / np.where(rows == columns, 1.0, 2.0), k)
    return NormalScores(normal, adjoint[:, :k], by_cov)

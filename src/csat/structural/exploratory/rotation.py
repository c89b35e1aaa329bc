"""Rotation of loadings to simple structure: gradient projection from several starts at once, and promax.

A rotation is a matrix T with columns of length 1: loadings A·(Tᵀ)⁻¹, factor correlations TᵀT. Orthogonal ones have
TᵀT = I. Sources: Jennrich (2001), Psychometrika 66(2), 289–306; Jennrich (2002), Psychometrika 67(1), 7–19;
Bernaards & Jennrich (2005), Educational and Psychological Measurement 65(5), 676–696.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from csat.errors import ConvergenceError

#: Random starts beside the unrotated one; a fixed seed, so that the same loadings are always rotated the same.
_STARTS, _SEED = 10, 20050501
_ROUNDS, _HALVINGS = 500, 40
#: Share of a criterion's value that is rounding: steps that change no more are taken.
_ROUNDING = 1e-15
#: Length of the projected slope at which starts are compared, at which the best one ends, and beyond which it failed.
_ROUGH, _TOLERANCE, _FAILED = 1e-4, 1e-12, 1e-6
#: Rounds of Newton's method at most, and the step of its differences: error of the curvature about 1e-10.
_NEWTON, _APART = 50, 1e-5
#: Power to which promax raises varimax loadings (Hendrickson & White 1964, British Journal of Statistical Psychology
#: 17, 65–70).
_POWER = 4

#: Value (…) and slope (…, p, m) of a criterion at loadings (…, p, m); small is simple.
Criterion = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True, eq=False)
class Rotated:
    """loadings : (p, m). correlations : (m, m) of the factors. matrix : (m, m) loadings = unrotated · matrix."""

    loadings: np.ndarray
    correlations: np.ndarray
    matrix: np.ndarray


def varimax_criterion(loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Less the variance of squared loadings within each factor (Kaiser 1958, Psychometrika 23(3))."""
    square = loadings**2
    centred = square - square.mean(axis=-2, keepdims=True)
    return -np.sum(centred**2, axis=(-1, -2)) / 4, -loadings * centred


def quartimin_criterion(loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Products of squared loadings over pairs of factors: oblimin with γ = 0 (Jennrich & Sampson 1966)."""
    square = loadings**2
    others = square.sum(axis=-1, keepdims=True) - square
    return np.sum(square * others, axis=(-1, -2)) / 4, loadings * others


def varimax(loadings: np.ndarray) -> Rotated:
    """Orthogonal factors, after Kaiser's normalisation: each item's loadings are scaled to length 1 and back."""
    length = np.sqrt(np.sum(loadings**2, axis=1, keepdims=True))
    turn = _rotate(loadings / np.where(length > 0, length, 1.0), varimax_criterion, oblique=False)
    return Rotated(loadings @ turn, np.eye(len(turn)), turn)


def oblimin(loadings: np.ndarray) -> Rotated:
    """Correlated factors, γ = 0, without normalisation."""
    turn = _rotate(loadings, quartimin_criterion, oblique=True)
    matrix = np.linalg.inv(turn).T
    return Rotated(loadings @ matrix, turn.T @ turn, matrix)


def promax(loadings: np.ndarray) -> Rotated:
    """Correlated factors, towards powers of the varimax loadings."""
    start = varimax(loadings)
    target = start.loadings * np.abs(start.loadings) ** (_POWER - 1)
    turn = np.linalg.lstsq(start.loadings, target, rcond=None)[0]
    turn = turn * np.sqrt(np.diag(np.linalg.inv(turn.T @ turn)))
    matrix = start.matrix @ turn
    return Rotated(loadings @ matrix, np.linalg.inv(matrix.T @ matrix), matrix)


#: Name of a rotation → what does it; None leaves the loadings as they were extracted.
ROTATIONS: dict[str, Callable[[np.ndarray], Rotated]] = {"oblimin": oblimin, "varimax": varimax, "promax": promax}


def _rotate(loadings: np.ndarray, criterion: Criterion, *, oblique: bool) -> np.ndarray:
    """(m, m) best T: of several starts, roughly descended all at once, the lowest one is followed to its end."""
    search = _Search(loadings, criterion, oblique)
    rough = search.descend(_starts(loadings.shape[1]))
    best = search.polish(rough[int(np.argmin(search.at(rough)[0]))])
    if search.steepness(best) > _FAILED:
        raise ConvergenceError(
            f"The rotation did not converge in {_ROUNDS} rounds: its criterion is nearly the same in every direction. "
            "Extract fewer factors."
        )
    return best


def _starts(m: int) -> np.ndarray:
    """(starts, m, m) the identity and random orthogonal matrices."""
    drawn = np.random.default_rng(_SEED).standard_normal((_STARTS, m, m))
    return np.concatenate([np.eye(m)[None], np.linalg.qr(drawn)[0]])


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Gradient projection on loadings A (p, m); T may have a leading axis of starts."""

    loadings: np.ndarray
    criterion: Criterion
    oblique: bool

    def at(self, turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value and slope of the criterion by T."""
        if not self.oblique:
            value, slope = self.criterion(self.loadings @ turns)
            return value, self.loadings.T @ slope
        inverse = np.linalg.inv(turns)
        rotated = self.loadings @ inverse.swapaxes(-1, -2)
        value, slope = self.criterion(rotated)
        return value, -(rotated.swapaxes(-1, -2) @ slope @ inverse).swapaxes(-1, -2)

    def along(self, turns: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """The part of the slope that keeps T a rotation."""
        if self.oblique:
            return slope - turns * np.sum(turns * slope, axis=-2, keepdims=True)
        inner = turns.swapaxes(-1, -2) @ slope
        return slope - turns @ (inner + inner.swapaxes(-1, -2)) / 2

    def back(self, turns: np.ndarray) -> np.ndarray:
        """The rotation nearest to a matrix."""
        if self.oblique:
            return turns / np.sqrt(np.sum(turns**2, axis=-2, keepdims=True))
        left, _, right = np.linalg.svd(turns)
        return left @ right

    def steepness(self, turns: np.ndarray) -> np.ndarray:
        """Length of the projected slope at each start."""
        return np.sqrt(np.sum(self.along(turns, self.at(turns)[1]) ** 2, axis=(-1, -2)))

    def descend(self, turns: np.ndarray) -> np.ndarray:
        """Follow each start down until its slope is flat; steps grow from round to round."""
        step = np.ones(len(turns))
        for _ in range(_ROUNDS):
            value, slope = self.at(turns)
            along = self.along(turns, slope)
            steep = np.sum(along**2, axis=(-1, -2))
            going = steep > _ROUGH**2
            if not going.any():
                break
            step, turns = self._step(turns, value, along, steep * going, np.where(going, 2.0, 1.0) * step)
        return turns

    def polish(self, turn: np.ndarray) -> np.ndarray:
        """Newton's method from a rough optimum (m, m), while it makes the slope flatter or the value lower."""
        value, steep = self.at(turn)[0], self.steepness(turn)
        for _ in range(_NEWTON):
            if steep < _TOLERANCE:
                break
            trial = self._newton(turn)
            lower, flatter = self.at(trial)[0], self.steepness(trial)
            if not (flatter < steep or lower < value * (1 - np.sign(value) * _ROUNDING)):
                break
            turn, value, steep = trial, lower, flatter
        return turn

    def _newton(self, turn: np.ndarray) -> np.ndarray:
        """One step, with negative curvature turned round; the curvature is found by differences of slopes."""
        basis = self._tangents(turn)
        near = self.back(turn + _APART * np.concatenate([basis, -basis]))
        slopes = self.along(near, self.at(near)[1])
        change = (slopes[: len(basis)] - slopes[len(basis) :]) / (2 * _APART)
        curvature = np.einsum("kij,lij->kl", basis, change)
        values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
        slope = np.einsum("kij,ij->k", basis, self.at(turn)[1])
        size = np.maximum(np.abs(values), 1e-8 * max(float(np.abs(values).max()), 1e-12))
        return self.back(turn - np.einsum("k,kij->ij", vectors @ ((vectors.T @ slope) / size), basis))

    def _tangents(self, turn: np.ndarray) -> np.ndarray:
        """(k, m, m) orthonormal directions in which a rotation may move: one per pair of factors, or per ordered pair.

        An orthogonal one turns two columns towards each other; an oblique one moves a column at right angles to itself.
        """
        m = len(turn)
        pairs = [(i, j) for i in range(m) for j in range(m) if (i != j if self.oblique else i < j)]
        out = np.zeros((len(pairs), m, m))
        if not self.oblique:
            for k, (i, j) in enumerate(pairs):
                out[k, i, j], out[k, j, i] = np.sqrt(0.5), -np.sqrt(0.5)
            return turn @ out
        sides = [np.linalg.svd(turn[:, j][None])[2][1:] for j in range(m)]
        for k, (i, j) in enumerate(pairs):
            out[k, :, j] = sides[j][i - (i > j)]
        return out

    def _step(
        self, turns: np.ndarray, value: np.ndarray, along: np.ndarray, steep: np.ndarray, step: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """One step of each start, halved until it pays; starts with `steep` 0 stay."""
        waiting = steep > 0
        out = turns
        for _ in range(_HALVINGS):
            trial = self.back(turns - step[:, None, None] * along)
            paid = waiting & (self.at(trial)[0] <= value - 0.5 * steep * step + _ROUNDING * np.abs(value))
            out = np.where(paid[:, None, None], trial, out)
            waiting = waiting & ~paid
            if not waiting.any():
                break
            step = np.where(waiting, step / 2, step)
        return step, out

"""R² split among players by a measure: parts of correlation matrices, their gradients, and forced drivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.drivers.relative.orders import draw_orders, sampled_parts, sampled_slopes
from csat.drivers.relative.players import Players
from csat.drivers.relative.shares import MEASURES, Measure
from csat.errors import OptionError

#: Sets of players whose values are held at once over a batch of matrices, and players whose sets are not cut further.
SETS, UNCUT = 2**16, 12
#: Orders that are sampled by default.
DRAWS = 10_000
#: Why a measure is not made for players of several columns.
TOGETHER = {
    "numbers": "its parts would depend on the reference level of a category",
    "none": "squared coefficients of several columns have no sum that means anything",
}


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """How R² is split.

    Forced drivers are taken out of outcome and players first (partial covariances); the parts are shares of the whole
    variance of the outcome, so that those of a measure that adds up sum to R² less that of the forced drivers.

    players : who shares. measure : how. orders : sampled orders (blocks, 2m, m) in place of all; None: exact.
    """

    players: Players
    measure: Measure
    orders: np.ndarray | None = None

    def parts(self, corr: np.ndarray) -> np.ndarray:
        """(B, m) parts of R² from correlations (B, p, p) of the model's columns and the outcome, last."""
        if self.orders is not None:
            return self.blocks(corr).mean(axis=0)
        left = self._left(corr)
        step = max(SETS >> min(len(self.players.sizes), UNCUT), 1)
        pieces = [self.measure.parts(left[at : at + step], self.players.sizes) for at in range(0, len(left), step)]
        return np.concatenate(pieces)

    def blocks(self, corr: np.ndarray) -> np.ndarray:
        """(blocks, B, m) parts by each block of sampled orders."""
        if self.orders is None:
            return self.parts(corr)[None]
        return sampled_parts(self._left(corr), self.players.sizes, self.orders)

    def slopes(self, corr: np.ndarray) -> np.ndarray:
        """(m, p, p) symmetric gradients of the parts by one correlation matrix (p, p)."""
        order = self.players.order
        turn = _given(corr[np.ix_(order, order)][None], len(self.players.always))[0]
        left = turn.T @ corr[np.ix_(order, order)] @ turn
        if self.orders is None:
            inner = self.measure.slopes(left, self.players.sizes)
        else:
            inner = sampled_slopes(left, self.players.sizes, self.orders)
        out = np.empty((len(inner), *corr.shape))
        out[:, np.array(order)[:, None], order] = turn @ inner @ turn.T
        return out

    def forced(self, corr: np.ndarray) -> np.ndarray:
        """(B,) R² of the forced drivers alone."""
        return 1 - self._left(corr)[:, -1, -1] if self.players.always else np.zeros(len(corr))

    def _left(self, corr: np.ndarray) -> np.ndarray:
        """(B, q, q) covariances of players and outcome, given the forced drivers."""
        order = self.players.order
        arranged = corr[:, order][:, :, order]
        turn = _given(arranged, len(self.players.always))
        return turn.swapaxes(1, 2) @ arranged @ turn


def _given(corr: np.ndarray, forced: int) -> np.ndarray:
    """(B, p, q) weights of all variables in what is left of each after the first ones, the forced drivers.

    Residuals do not change to first order with the coefficients that make them, so that the same weights carry
    gradients back.
    """
    size, p = len(corr), corr.shape[1]
    out = np.zeros((size, p, p - forced), corr.dtype)
    out[:, forced:] = np.eye(p - forced)
    if forced:
        out[:, :forced] = -np.linalg.solve(corr[:, :forced, :forced], corr[:, :forced, forced:])
    return out


def split_of(players: Players, method: str, draws: int | None, seed: int) -> Split:
    """Choose how to compute a measure for these players.

    Parameters
    ----------
    draws : orders to sample, for LMG only; None: all orders if the players are few enough, else a default number.

    Raises
    ------
    OptionError
        For players that the measure is not made for, or too many of them.
    """
    measure = MEASURES[method]
    m = len(players.labels)
    for label, own, coded in zip(players.labels, players.columns, players.coded, strict=True):
        if (len(own) > 1 and measure.together == "none") or (coded and measure.together != "any"):
            raise OptionError(
                f"method={method!r} is made for single numeric drivers, not for {label!r}: "
                f"{TOGETHER[measure.together]}. Use 'lmg', 'first', 'last', 'pmvd' or 'pratt'."
            )
    if draws is not None and method != "lmg":
        raise OptionError(f"draws: orders are sampled for method='lmg' only; with method={method!r} leave it out.")
    if measure.most is None or (m <= measure.most and draws is None):
        return Split(players, measure)
    if method != "lmg":
        raise OptionError(
            f"method={method!r} visits all sets of drivers: up to {measure.most}; {m} were given. Put drivers into "
            "groups=, or use method='lmg'."
        )
    return Split(players, measure, draw_orders(m, DRAWS if draws is None else draws, seed))

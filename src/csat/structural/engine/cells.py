"""Where the free cells of a structure stand: index arrays, made once, by which derivatives are picked from products.

Each derivative of Σ is a bᵀ + b aᵀ with a and b columns of [E | T], E the effects of residuals on variables and T the
covariances of all variables (see `structure`). With m variables a column of that basis has a number below 2m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: What a cell holds: a covariance (in P), a path (in A), an intercept (in α).
PAIR, PATH, MEAN = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Index arrays of c free cells among m variables; flat ones are into matrices taken row by row.

    kind, i, j : (c,) what each holds, its row and column. b : (c,) column of the basis beside column i.
    half : (c,) 1; ½ for variances, which a bᵀ + b aᵀ counts twice; 0 for intercepts.
    is_path, is_mean : (c,) 1 or 0.
    fill : (f,) flat, into A, P and α one after the other: where values stand. by : (f,) the cell that each holds.
    single : (c,) flat, into (m, 2m). aa, ab, bb : (c, c) flat, into (2m, 2m), for pairs of cells.
    paths : (r,) cells that are paths. reached : (r, c) flat, into (m, 2m): column of the path, row of the other cell;
        crossed : the same with the other's column b. beside : (r, c) flat, into (2m, 2m): row of the path, b of the
        other cell; along : the same with the other's row.
    second_half : (c,) `half`, halved again for paths.
    """

    kind: np.ndarray
    i: np.ndarray
    j: np.ndarray
    b: np.ndarray
    half: np.ndarray
    is_path: np.ndarray
    is_mean: np.ndarray
    single: np.ndarray
    aa: np.ndarray
    ab: np.ndarray
    bb: np.ndarray
    paths: np.ndarray
    reached: np.ndarray
    crossed: np.ndarray
    beside: np.ndarray
    along: np.ndarray
    second_half: np.ndarray
    fill: np.ndarray
    by: np.ndarray

    @classmethod
    def at(cls, kind: np.ndarray, i: np.ndarray, j: np.ndarray, m: int) -> Cells:
        """Index arrays of cells of these kinds, rows and columns (c,)."""
        path, pair, mean = kind == PATH, kind == PAIR, kind == MEAN
        b = np.where(path, j + m, j)
        half = np.where(mean, 0.0, np.where(pair & (i == j), 0.5, 1.0))
        r, c = i[path][:, None], j[path][:, None]
        return cls(
            kind, i, j, b, half, path.astype(float), mean.astype(float),
            single=i * 2 * m + b,
            aa=i[:, None] * 2 * m + i, ab=i[:, None] * 2 * m + b, bb=b[:, None] * 2 * m + b,
            paths=np.flatnonzero(path), reached=c * 2 * m + i, crossed=c * 2 * m + b,
            beside=r * 2 * m + b, along=r * 2 * m + i,
            second_half=np.where(path, half / 2, half),
            fill=np.concatenate([i[path] * m + j[path], m * m + i[pair] * m + j[pair], m * m + j[pair] * m + i[pair],
                                 2 * m * m + i[mean]]),
            by=np.concatenate([np.flatnonzero(which) for which in (path, pair, pair, mean)]),
        )  # fmt: skip

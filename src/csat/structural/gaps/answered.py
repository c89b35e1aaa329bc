"""Who answered what of a model's variables: bases and coverage, beside a result that does not need complete answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Bases of a model under missing answers, unweighted, by group.

    pairs : (G, p, p) respondents who answered both variables; on the diagonal who answered one.
    patterns : (G,) different patterns of answered variables.
    silent : (G,) respondents left out because they answered none of the variables.
    unpredicted : (G,) respondents left out because a predictor is missing whose moments are the sample's.
    sizes : (G,) respondents that count.
    """

    pairs: np.ndarray
    patterns: np.ndarray
    silent: np.ndarray
    unpredicted: np.ndarray
    sizes: np.ndarray

    @property
    def coverage(self) -> np.ndarray:
        """(G, p, p) share of the respondents that count who answered both variables."""
        return np.asarray(self.pairs / self.sizes[:, None, None])

    @property
    def left_out(self) -> int:
        """Respondents that do not count, of all groups."""
        return int(self.silent.sum() + self.unpredicted.sum())

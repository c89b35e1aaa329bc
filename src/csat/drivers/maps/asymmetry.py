"""Reward–penalty analysis: which drivers only disappoint, which only delight, and which do both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.bases import USUAL
from csat.drivers.linear.regression import regress
from csat.drivers.maps.bands import Asked, Bands, bands_of
from csat.drivers.maps.contrasts import Asymmetry, contrasted
from csat.drivers.maps.scored import drivers_of, number_in, outcome_of, scores_of
from csat.errors import OptionError, SampleError
from csat.moments import Recode, Source, shown, source_of
from csat.results import Unavailable, check_level
from csat.variance import score_sums

__all__ = ["Asymmetry", "reward_penalty"]

#: A difference in the outcome that is small: Cohen's d of 0.2 (1988, Statistical Power Analysis, 2.2.3).
SMALL = 0.2


def reward_penalty(
    source: Source,
    outcome: Any = None,
    drivers: Any = None,
    *,
    low: Asked = None,
    high: Asked = None,
    negligible: float | None = None,
    se: str = "design",
    level: float = 0.95,
) -> Asymmetry:
    """Tell drivers that only disappoint from those that only delight (penalty–reward contrast analysis).

    One weighted regression of the outcome on two 0/1 variables per driver: low and high answers, both against those
    in between, all drivers at once. The penalty is the coefficient of low, the reward that of high.

    Parameters
    ----------
    source : survey; respondents who answered outcome and all drivers ("listwise").
    outcome : dependent variable; None: the outcome of the study. In points of 0–100 if the questionnaire knows it.
    drivers : (k,) at least two questions with three or more answers; None: the processes of the study.
    low, high : which answers are low and high: an answer to cut at (low=6: 6 and worse; high=9: 9 and better), a list
        of answers, or a table driver → one of these. None: scores up to 60, and above 80, of 0–100: 1–6 and 9–10 on a
        scale of 1–10, 0–6 and 9–10 on 0–10, 1–3 and 5 on 1–5, 1–4 and 6–7 on 1–7; the middle is never empty.
    negligible : penalty and reward within ± this are of no practical weight; None: 0.2 standard deviations of
        the outcome (a small effect by Cohen 1988).
    se : of the regression, see `regress`.
    level : of intervals, and 1 − α of the tests.

    Returns
    -------
    Asymmetry
        ``class``: "basic" only disappoints (a penalty, no sure reward, and the two differ), "excitement" only delights,
        "performance" does both, "indifferent" neither (both are surely negligible: two one-sided tests), "unclear"
        where the answers cannot tell, where an effect points the wrong way, or where a band rests on fewer respondents
        than the study's limit. The other tests are two-sided and corrected over the drivers (Holm 1979).
        `difference` is reward + penalty, the reward minus the size of the penalty. A band without respondents is left
        out of the regression, with a reason. All this is association: the delighted may rate everything higher.

    Raises
    ------
    OptionError
        For arguments that make no sense.
    SampleError, CollinearityError
        From the regression; too few units for 2k coefficients.

    Sources: Brandt (1987), in Surprenant (ed.), Add Value to Your Service, American Marketing Association, 61–65;
    Mikulić & Prebežac (2008), Managing Service Quality 18, 559–576, and (2011), 21, 46–66.
    """
    check_level(level)
    asked = source_of(source).questionnaire
    goal = outcome_of(asked, outcome)
    codes = drivers_of(asked, drivers, goal)
    items = scores_of(asked, [goal])
    bands = bands_of(source, asked, codes, low, high)
    sample = _sample(source, bands, items.variables[0])
    limit = _negligible(negligible, sample.sd * abs(float(items.slope[0])))
    kept, reasons = _kept(bands, sample.n)
    fitted = regress(source, items.variables[0], kept, se=se, complete=codes, level=level)
    return contrasted(
        fitted,
        bands,
        scale=float(items.slope[0]),
        unit="points" if asked is not None and goal in asked.codes else "units",
        n=sample.n,
        reasons=reasons,
        negligible=limit,
        limits=USUAL if asked is None else asked.bases,
        outcome=goal,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """n : (k, 3) respondents with low, middle and high answers, unweighted. sd : of the outcome, in its own units."""

    n: np.ndarray
    sd: float


@dataclass(frozen=True, slots=True, eq=False)
class _Heads:
    """Scores that undo the weights, so that their weighted sums count respondents; `midpoint` (p−1,) of the columns."""

    midpoint: np.ndarray

    @property
    def size(self) -> int:
        """Figures per row: 1, and one per column."""
        return 1 + len(self.midpoint)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, size) of rows z (n, p)."""
        values = np.hstack([z[:, :1], z[:, 1:] + self.midpoint])
        return np.divide(values, weight[:, None], out=np.zeros_like(values), where=weight[:, None] > 0)


def _sample(source: Source, bands: Sequence[Bands], outcome: Any) -> _Sample:
    """Count the respondents of each band among those who answered everything."""
    dummies = [dummy for each in bands for dummy in each.dummies]
    groups = source.groups([*dummies, outcome], (), "listwise")
    heads = score_sums(source, groups, {(): _Heads(groups.midpoint)})[0]
    low, high = np.rint(heads[1:-1]).astype(int).reshape(-1, 2).T
    n = np.stack([low, int(np.rint(heads[0])) - low - high, high], axis=1)
    return _Sample(n, float(groups.moments().sd[-1]))


def _kept(bands: Sequence[Bands], n: np.ndarray) -> tuple[list[Recode], dict[int, Unavailable]]:
    """The 0/1 variables that can stand in one regression, and why others cannot: position (band, then driver) → reason.

    Without anyone in the middle there is nothing to compare with: high against low then only keeps the driver equal.
    """
    kept: list[Recode] = []
    reasons: dict[int, Unavailable] = {}
    for j, (each, (low, middle, high)) in enumerate(zip(bands, n.tolist(), strict=True)):
        used = [low > 0 and middle > 0, high > 0 and (middle > 0 or low > 0)]
        kept += [dummy for dummy, wanted in zip(each.dummies, used, strict=True) if wanted]
        for axis, count in enumerate((low, high)):
            if count == 0 or middle == 0:
                reasons[axis * len(bands) + j] = Unavailable("empty_band")
    if len(reasons) == 2 * len(bands):
        raise SampleError(
            "No driver has low, middle and high answers to compare: "
            f"{n.sum(axis=1).max()} respondents answered outcome and drivers. "
            "Use other cuts (low=, high=), fewer drivers or more data."
        )
    return kept, reasons


def _negligible(given: Any, sd: float) -> float:
    if given is None:
        return SMALL * sd
    if not 0 <= number_in(given) < np.inf:
        raise OptionError(f"negligible={shown(given)}: a number of points of the outcome is needed, 0 or more.")
    return number_in(given)

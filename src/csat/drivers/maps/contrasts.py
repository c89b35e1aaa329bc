"""`Asymmetry`: rewards against penalties, with the class of each driver and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.bases import Bases
from csat.distributions import holm, t_quantile, two_sided_p
from csat.drivers.maps.bands import Bands
from csat.drivers.maps.orthants import below
from csat.results import Estimates, Shown, Unavailable, ratio_to_error

if TYPE_CHECKING:
    from csat.drivers.linear.result import Regression

#: The two sides, in the order in which `Asymmetry.estimates` holds them.
SIDES = ("penalty", "reward")
BASIC, EXCITEMENT, PERFORMANCE, INDIFFERENT, UNCLEAR = "basic", "excitement", "performance", "indifferent", "unclear"
CLASSES = (BASIC, EXCITEMENT, PERFORMANCE, INDIFFERENT, UNCLEAR)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Asymmetry(Shown):
    """Penalties and rewards of k drivers.

    outcome : dependent variable. estimates : 2k rows, the penalties, then the rewards (key column ``axis``), with their
        joint covariance, in points (or units) of the outcome.
    difference : (k,) reward + penalty: above 0 the driver delights more than it disappoints.
    range : (k,) reward − penalty, from low to high: the whole effect of the driver.
    index : (k,) impact asymmetry (reward − |penalty|)/(reward + |penalty|), −1 … 1 (Mikulić & Prebežac 2008), with
        intervals from log(reward/|penalty|); not defined where a penalty is above or a reward below 0.
    bands : (k,) which answers count as low and high. n : (k, 3) respondents with low, middle and high answers.
    negligible : effects within ± this are of no practical weight. limits : of small bases.
    r2 : of the regression. left_out : respondents without an answer to one of the variables.
    """

    outcome: str
    estimates: Estimates
    difference: Estimates
    range: Estimates
    index: Estimates
    bands: tuple[Bands, ...]
    n: np.ndarray
    negligible: float
    limits: Bases
    r2: float
    left_out: int

    @property
    def terms(self) -> tuple[str, ...]:
        """(k,) drivers."""
        return self.difference.term

    @property
    def small(self) -> np.ndarray:
        """(k,) whether a band rests on too few respondents to judge the driver."""
        return np.array([self.limits.judge(float(least)).hidden for least in self.n.min(axis=1)], bool)

    @property
    def adjusted_p(self) -> np.ndarray:
        """(3, k) p of penalty, reward and difference, each corrected over the drivers (Holm)."""
        p = np.concatenate([_p(self.estimates), _p(self.difference)])
        return np.stack([holm(each) for each in p.reshape(3, -1)])

    @property
    def p_reward(self) -> np.ndarray:
        """(k,) probability that the reward is larger than the penalty."""
        ratio = ratio_to_error(self.difference.estimate, self.difference.se)
        df = np.broadcast_to(np.asarray(self.difference.df, float), len(ratio))
        return np.array([below(float(t), float(d)) for t, d in zip(ratio, df, strict=True)])

    @property
    def classes(self) -> tuple[str, ...]:
        """(k,) of `CLASSES`; what is surely negligible goes before what is surely not 0."""
        alpha, k = 1 - self.estimates.level, len(self.terms)
        with np.errstate(invalid="ignore"):
            sure = self.adjusted_p < alpha
            expected = (self.estimates.estimate * np.repeat([-1.0, 1.0], k) > 0).reshape(2, k)
            reach = np.abs(self.estimates.estimate) + t_quantile(1 - alpha, self.estimates.df) * self.estimates.se
            tiny = (reach < self.negligible).reshape(2, k).all(axis=0)
        punishes, rewards = sure[:2] & expected
        strange = (sure[:2] & ~expected).any(axis=0)
        leaning = np.where(sure[2], np.sign(self.difference.estimate), 0.0)
        words = np.select(
            [
                self.small | ~np.isfinite(self.difference.se),
                tiny,
                strange,
                punishes & rewards,
                punishes & (leaning < 0),
                rewards & (leaning > 0),
            ],
            [UNCLEAR, INDIFFERENT, UNCLEAR, PERFORMANCE, BASIC, EXCITEMENT],
            UNCLEAR,
        )
        return tuple(words.tolist())

    def tidy(self) -> pd.DataFrame:
        """A row per driver.

        ``term``; ``penalty``, ``reward``, ``difference``, ``range`` and ``asymmetry``, each with ``_se _low _high``;
        p and adjusted p of penalty, reward and (``p``, ``adjusted_p``) difference; ``p_reward class``; the answers and
        respondents of each band; ``note``.
        """
        k = len(self.terms)
        columns: dict[str, Any] = {"term": self.terms}
        adjusted = self.adjusted_p
        for side, name in enumerate(SIDES):
            part = slice(side * k, (side + 1) * k)
            columns |= _four(name, self.estimates, part)
            columns |= {f"{name}_p": _p(self.estimates)[part], f"{name}_adjusted_p": adjusted[side]}
        columns |= _four("difference", self.difference, slice(None))
        columns |= {"p": _p(self.difference), "adjusted_p": adjusted[2], "p_reward": self.p_reward}
        columns |= _four("range", self.range, slice(None)) | _four("asymmetry", self.index, slice(None))
        columns |= {"class": self.classes}
        columns |= {"low_answers": [_span(each.low) for each in self.bands]}
        columns |= {"high_answers": [_span(each.high) for each in self.bands]}
        columns |= {f"n_{band}": self.n[:, j] for j, band in enumerate(("low", "middle", "high"))}
        return pd.DataFrame(columns | {"note": self._notes()})

    def glance(self) -> pd.DataFrame:
        """One row: the regression behind it, its base, and the limits."""
        made, classes = self.estimates.provenance, self.classes
        facts = {
            "outcome": self.outcome,
            "drivers": len(self.terms),
            "unit": self.estimates.unit,
            "n": int(self.estimates.n[0]),
            "left_out": self.left_out,
            "r2": self.r2,
            "negligible": self.negligible,
            "suppress": self.limits.suppress,
            "level": self.estimates.level,
            "sample": made.sample,
            "variance": made.variance,
            "version": made.version,
        }
        return pd.DataFrame([facts | {word: classes.count(word) for word in CLASSES}])

    def _notes(self) -> list[str]:
        """Why a driver cannot be judged: an empty band before a small one."""
        k = len(self.terms)
        empty = {i % k: reason for i, reason in self.estimates.unavailable.items()}
        few = dict.fromkeys(np.flatnonzero(self.small).tolist(), Unavailable("small_band"))
        reasons = few | empty
        return [str(reasons.get(j, "")) for j in range(k)]


def contrasted(
    fitted: Regression, bands: Sequence[Bands], *, scale: float, unit: str, n: np.ndarray,
    reasons: Mapping[int, Unavailable], negligible: float, limits: Bases, outcome: str,
) -> Asymmetry:  # fmt: skip
    """Contrast the coefficients of low and high answers.

    Parameters
    ----------
    fitted : regression of the outcome on the 0/1 variables of `bands`.
    scale, unit : what the coefficients are multiplied with, and the unit they then have.
    n, negligible, limits, outcome : see `Asymmetry`.
    reasons : position (penalties, then rewards) → why there is no such coefficient.
    """
    estimates = _sides(fitted.coefficients, bands, scale, unit, reasons)
    drivers = tuple(each.driver for each in bands)
    one = np.eye(len(bands))
    return Asymmetry(
        outcome=outcome,
        estimates=estimates,
        difference=estimates.contrast(np.hstack([one, one]), drivers),
        range=estimates.contrast(np.hstack([-one, one]), drivers),
        index=asymmetry_of(estimates, drivers),
        bands=tuple(bands),
        n=n,
        negligible=negligible,
        limits=limits,
        r2=float(fitted.r2),
        left_out=int(fitted.left_out),
    )


def _sides(
    fitted: Estimates, bands: Sequence[Bands], scale: float, unit: str, reasons: Mapping[int, Unavailable]
) -> Estimates:
    """Penalties, then rewards, out of the coefficients; NaN with a reason where there is none."""
    names = [each.dummies[side].term for side in range(2) for each in bands]
    place = {term: row for row, term in enumerate(fitted.term)}
    known = [i for i, name in enumerate(names) if i not in reasons]
    rows = [place[names[i]] for i in known]
    estimate, vcov = np.full(len(names), np.nan), np.full((len(names), len(names)), np.nan)
    estimate[known] = scale * fitted.estimate[rows]
    vcov[np.array(known)[:, None], known] = scale**2 * fitted.vcov[np.array(rows)[:, None], rows]
    return replace(
        fitted,
        term=tuple(each.driver for each in bands) * 2,
        estimate=estimate,
        vcov=vcov,
        df=float(np.min(fitted.df)),
        n=np.full(len(names), fitted.n[0]),
        n_eff=np.full(len(names), np.nan),
        unit=unit,
        keys={"axis": tuple(side for side in SIDES for _ in bands)},
        unavailable=dict(reasons),
    )


def asymmetry_of(estimates: Estimates, drivers: Sequence[str]) -> Estimates:
    """Impact asymmetry of penalties and rewards.

    It is tanh(φ) with φ = ½·log(reward/|penalty|): the delta method on φ keeps its interval between −1 and 1.
    """
    k = len(drivers)
    penalty, reward = np.split(estimates.estimate, 2)
    sound = (penalty < 0) & (reward > 0)
    down, up = np.where(sound, penalty, -1.0), np.where(sound, reward, 1.0)
    jacobian = np.hstack([np.diag(-0.5 / down), np.diag(0.5 / up)])
    known = np.isfinite(np.diag(estimates.vcov))
    vcov = jacobian @ np.where(known[:, None] & known, estimates.vcov, 0.0) @ jacobian.T
    middle = 0.5 * np.log(up / -down)
    half = t_quantile((1 + estimates.level) / 2, estimates.df) * np.sqrt(np.diag(vcov))
    slope = np.where(sound, 1 - np.tanh(middle) ** 2, np.nan)
    missing = {i % k: reason for i, reason in estimates.unavailable.items()}
    vague = dict.fromkeys(np.flatnonzero(~sound).tolist(), Unavailable("not_identified"))
    return replace(
        estimates,
        term=tuple(drivers),
        estimate=np.where(sound, np.tanh(middle), np.nan),
        vcov=vcov * np.outer(slope, slope),
        n=estimates.n[:k],
        n_eff=estimates.n_eff[:k],
        unit="ratio",
        keys={},
        unavailable=vague | missing,
        bounds=(np.where(sound, np.tanh(middle - half), np.nan), np.where(sound, np.tanh(middle + half), np.nan)),
    )


def _p(estimates: Estimates) -> np.ndarray:
    """Two-sided p of each figure on its own."""
    return two_sided_p(ratio_to_error(estimates.estimate, estimates.se), estimates.df)


def _four(name: str, estimates: Estimates, part: slice) -> dict[str, np.ndarray]:
    """A figure, its standard error and its interval."""
    low, high = estimates.interval
    return {
        name: estimates.estimate[part],
        f"{name}_se": estimates.se[part],
        f"{name}_low": low[part],
        f"{name}_high": high[part],
    }


def _span(answers: Sequence[float]) -> str:
    """The answers of a band, from the smallest to the largest."""
    low, high = min(answers), max(answers)
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"

"""Who was drawn: the names of the columns that describe the sampling design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from csat.errors import DesignError, OptionError, check_choice

#: What to do with a stratum of one sampled unit, whose variance cannot be estimated from itself.
LONE_RULES = ("fail", "certainty", "adjust", "average")
#: Kinds of replicate weights that csat can make, and those it can only be given.
MADE = ("JK1", "JKn", "BRR", "Fay", "bootstrap", "subbootstrap")
GIVEN = (*MADE, "JK2", "ACS", "other")


@dataclass(frozen=True, slots=True)
class Replication:
    """How replicate weights were made, or are to be made: variance = scale · Σ rscales·(θ_r − θ̄)².

    Without columns in `Design.replicates` csat makes the weights itself, from strata, units and population sizes.

    Parameters
    ----------
    kind : "JK1" (jackknife of one stratum), "JKn" (stratified jackknife), "BRR" (balanced half samples, two units
        per stratum), "Fay" (half samples with weights 2 − ρ and ρ), "subbootstrap" (Rao & Wu 1988: n − 1 of n units),
        "bootstrap" (Canty & Davison 1999: n of n units). Only for given weights: "JK2", "ACS"
        (successive differences, 80 weights and the like), "other".
    size : replicates to draw, for the bootstraps that csat makes.
    seed : of the bootstraps that csat makes; the same seed gives the same figures.
    rho : Fay's ρ, 0 ≤ ρ < 1; only for "Fay", and needed there.
    scale, rscales : multipliers of the whole sum and of each replicate; None: those that belong to the kind.
        Given "JKn" weights need `rscales`, "other" needs `scale`.
    combined : given weights contain the sampling weight; False: they are factors of it.
    mse : deviations from the whole-sample figure; False: from the mean of the replicates.
    df : degrees of freedom; None: the rank of the given weights minus 1, or units minus strata of those made.

    Raises
    ------
    OptionError
        If an argument is outside what it accepts.
    """

    kind: str
    size: int = 500
    seed: int = 1
    rho: float | None = None
    scale: float | None = None
    rscales: Sequence[float] | None = None
    combined: bool = True
    mse: bool = False
    df: float | None = None

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, GIVEN)
        if self.size < 2:
            raise OptionError(f"size={self.size!r}: a bootstrap needs at least 2 replicates; 500 or more are usual.")
        if (self.kind == "Fay") != (self.rho is not None) or not 0 <= (self.rho or 0.0) < 1:
            raise OptionError(f"rho={self.rho!r} with kind={self.kind!r}: Fay's method needs 0 ≤ rho < 1, others none.")
        if self.scale is not None and not 0 < self.scale < float("inf"):
            raise OptionError(f"scale={self.scale!r}: the multiplier of the variance is above 0.")
        if self.rscales is not None:
            object.__setattr__(self, "rscales", tuple(float(factor) for factor in self.rscales))
            if not all(0 <= factor < float("inf") for factor in self.rscales):
                raise OptionError("rscales: the multiplier of each replicate is 0 or more.")
        if self.df is not None and not self.df > 0:
            raise OptionError(f"df={self.df!r}: degrees of freedom are above 0.")

    @property
    def shrinkage(self) -> float:
        """How far a half sample moves the weights: 1 − ρ."""
        return 1 - (self.rho or 0.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the weight column came to match known figures of the population; `csat.calibrate` fills it in.

    Parameters
    ----------
    weight : column of the weights before calibration; None: everybody counted once.
    auxiliaries : numeric columns that the calibration balanced (categories as 0/1, without redundancy).
    regression : weights of the regression behind the residuals: "design" (those before calibration) or "unweighted".
    """

    weight: str | None
    auxiliaries: tuple[str, ...]
    regression: str = "design"


@dataclass(frozen=True, slots=True)
class Design:
    """How the sample was drawn, as column names (never arrays).

    Parameters
    ----------
    weight : column of sampling weights (finite, > 0). None: every respondent counts once.
    stratum : column of the stratum within which units were drawn. None: one stratum.
    psu : column of the primary sampling unit (service hall, village). PSU labels may repeat between strata:
        units are nested in strata. None: each respondent is a unit.
    fpc : column with the number of units (PSUs, or respondents if `psu` is None) in the stratum's
        population; constant within a stratum. None: drawn with replacement, or from a large population.
    ssu : column of the second-stage unit (household, account) drawn within a PSU. None: each respondent is one.
    fpc2 : column with the number of second-stage units in the PSU's population; constant within a PSU. Given with
        `fpc`, standard errors add what the second stage contributes; without it, a PSU counts as taken whole once
        drawn, and without `fpc` the first stage contains it all.
    replicates : columns of supplied replicate weights; `replication` says of which kind they are.
    lone_psu : what a stratum with one sampled unit adds to a variance: "fail" (an error), "certainty" (nothing),
        "adjust" (its squared score around zero), "average" (the average of the other strata).
    replication : how replicate weights were made or are to be made. None: Taylor linearisation.
    calibration : how `weight` was calibrated; standard errors then use residuals.

    Raises
    ------
    DesignError
        If one column is named for two roles, or `replication` does not fit the columns.
    OptionError
        If there is no such rule for lone units.
    """

    weight: str | None = None
    stratum: str | None = None
    psu: str | None = None
    fpc: str | None = None
    replicates: tuple[str, ...] = ()
    lone_psu: str = "fail"
    replication: Replication | None = None
    calibration: Calibration | None = None
    ssu: str | None = None
    fpc2: str | None = None

    def __post_init__(self) -> None:
        self._check_types()
        named = self.columns
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise DesignError(f"Design uses column {twice[0]!r} for two roles; each role needs its own column.")
        if self.fpc2 is not None and (self.psu is None or self.fpc is None):
            raise DesignError("fpc2 describes the second stage: it needs psu and fpc of the first.")
        if self.ssu is not None and self.fpc2 is None:
            raise DesignError(
                "ssu needs fpc2, the number of second-stage units in each PSU; without it ssu has no use."
            )
        if self.fpc2 is not None and self.replication is not None:
            raise DesignError("Replicate weights describe the first stage only: leave out fpc2, or replication.")
        check_choice("lone_psu", self.lone_psu, LONE_RULES)
        if self.replication is not None:
            _check_replication(self.replication, len(self.replicates), self.lone_psu)

    def _check_types(self) -> None:
        """Columns are named by texts; the names of replicate weights become a tuple."""
        for role in ("weight", "stratum", "psu", "fpc", "ssu", "fpc2"):
            _check_column(role, getattr(self, role), optional=True)
        if isinstance(self.replicates, str) or not isinstance(self.replicates, Sequence):
            raise DesignError(f"replicates is a list of columns, not {type(self.replicates).__name__}.")
        for name in self.replicates:
            _check_column("replicates", name)
        object.__setattr__(self, "replicates", tuple(self.replicates))
        for role, kind in (("replication", Replication), ("calibration", Calibration)):
            value = getattr(self, role)
            if value is not None and not isinstance(value, kind):
                raise DesignError(f"{role} must be a {kind.__name__}, not {type(value).__name__}.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the design names."""
        base = (self.calibration.weight, *self.calibration.auxiliaries) if self.calibration is not None else ()
        roles = (self.weight, self.stratum, self.psu, self.fpc, self.ssu, self.fpc2, *base)
        return tuple(name for name in roles if name is not None) + self.replicates


def _check_column(role: str, name: object, *, optional: bool = False) -> None:
    if not (isinstance(name, str) and name) and not (optional and name is None):
        raise DesignError(f"Design({role}=…) is the name of a column; found {type(name).__name__} {name!r}"[:90] + ".")


def _check_replication(replication: Replication, size: int, lone_psu: str) -> None:
    """Refuse a kind without what it needs; `size` counts the columns of given weights."""
    kind, rscales = replication.kind, replication.rscales
    if size == 0:
        if kind not in MADE:
            raise DesignError(
                f"Replicate weights of kind {kind!r} can be given, not made: name their columns in replicates=…, "
                f"or choose one of {', '.join(MADE)}."
            )
        if lone_psu in ("adjust", "average"):
            raise DesignError(
                f"lone_psu={lone_psu!r} is a rule of linearisation; replicate weights are made under 'fail' or "
                "'certainty'."
            )
        return
    if size == 1:
        raise DesignError("One column of replicate weights has no variance; name all of them in replicates=….")
    if rscales is not None and len(rscales) != size:
        raise DesignError(f"rscales has {len(rscales)} multipliers for {size} columns of replicate weights.")
    if kind == "JKn" and rscales is None:
        raise DesignError(
            "JKn weights need rscales=…, one multiplier per column: (n−1)/n of the stratum whose unit was left out."
        )
    if kind == "other" and replication.scale is None:
        raise DesignError("Replicate weights of kind 'other' need scale=…, the multiplier of the sum of squares.")

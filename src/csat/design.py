"""Who was drawn: the names of the columns that describe the sampling design."""

from __future__ import annotations

from dataclasses import dataclass

from csat.errors import DesignError


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
    replicates : columns of supplied replicate weights.

    Raises
    ------
    DesignError
        If one column is named for two roles.
    """

    weight: str | None = None
    stratum: str | None = None
    psu: str | None = None
    fpc: str | None = None
    replicates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = self.columns
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise DesignError(f"Design uses column {twice[0]!r} for two roles; each role needs its own column.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the design names."""
        roles = (self.weight, self.stratum, self.psu, self.fpc)
        return tuple(name for name in roles if name is not None) + self.replicates

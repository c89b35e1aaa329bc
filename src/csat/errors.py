"""Every exception and warning of csat, each with a constructor that words it.

An error says what was asked, what was found, where, and what to do. All exceptions derive from
`CsatError` and from the builtin that fits, so that ``except ValueError`` keeps working.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def closest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Name the known words nearest to `name`, ready to put into a sentence."""
    words = [str(word) for word in known]
    near = difflib.get_close_matches(str(name), words, n=count) or words[:5]
    return ", ".join(repr(word) for word in near) if near else "nothing"


class CsatError(Exception):
    """Base of every exception that csat raises on purpose."""


class CsatWarning(UserWarning):
    """Base of every warning of csat."""


class OptionError(CsatError, ValueError):
    """An argument of a public function is outside what it accepts."""

    @classmethod
    def choose(cls, option: str, found: object, allowed: Iterable[object]) -> OptionError:
        """Word an argument that is none of the allowed values."""
        listed = ", ".join(repr(value) for value in allowed)
        return cls(f"{option}={found!r} is not known; choose one of {listed}.")


class UnknownColumnError(CsatError, KeyError):
    """A column or item that was asked for is not in the data."""

    def __str__(self) -> str:
        return str(self.args[0])

    @classmethod
    def among(cls, name: str, known: Sequence[str], where: str = "this survey") -> UnknownColumnError:
        """Word a name that is missing from the `known` ones."""
        return cls(
            f"No column {name!r} in {where}. Did you mean {closest(name, known)}? "
            f"It has {len(known)} columns that can be used here."
        )


class DesignError(CsatError, ValueError):
    """The sampling design cannot support the figure that was asked for."""

    @classmethod
    def lone_psu(cls, strata: Sequence[object]) -> DesignError:
        """Word strata with one primary sampling unit, where variance cannot be estimated."""
        shown = ", ".join(repr(stratum) for stratum in strata[:5])
        more = f" and {len(strata) - 5} more" if len(strata) > 5 else ""
        return cls(
            f"Only one primary sampling unit in stratum {shown}{more}: its variance cannot be estimated. "
            "Merge it with a similar stratum (recode the stratum column) before reading the data."
        )

    @classmethod
    def population_too_small(cls, stratum: object, sampled: int, population: float) -> DesignError:
        """Word a population size below the number sampled."""
        return cls(
            f"Stratum {stratum!r}: {sampled} units were sampled but the population-size column says {population:g}. "
            "The column must hold the number of units in the stratum's population."
        )


class SampleError(CsatError, ValueError):
    """The rows or summaries at hand are too few, or of the wrong kind, for what was asked."""

    @classmethod
    def too_few(cls, what: str, n: int, needed: int) -> SampleError:
        """Word a base too small for a method."""
        return cls(f"{what} needs at least {needed} complete answers; {n} found. Use fewer variables or more data.")

    @classmethod
    def constant(cls, names: Sequence[str]) -> SampleError:
        """Word variables without variation."""
        return cls(f"No variation in {', '.join(map(repr, names))}: everyone gave the same answer. Leave them out.")

    @classmethod
    def needs_rows(cls, what: str) -> SampleError:
        """Word a request that a summary without rows cannot serve."""
        return cls(f"{what} needs the respondents' rows; this source is a summary without rows. Pass a Survey.")


class CollinearityError(CsatError, ValueError):
    """Variables that repeat each other exactly."""

    @classmethod
    def among(cls, name: str, others: Sequence[str]) -> CollinearityError:
        """Word a variable that is a linear combination of others."""
        return cls(
            f"{name!r} is an exact linear combination of {', '.join(map(repr, others))}. "
            "Leave one of them out: their separate effects cannot be told apart."
        )


class MissingDependencyError(CsatError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def extra(cls, package: str, extra: str, what: str) -> MissingDependencyError:
        """Word the extra that brings the package."""
        return cls(f"{what} needs the package {package!r}: pip install 'csat[{extra}]'.")

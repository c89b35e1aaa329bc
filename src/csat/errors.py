"""Every exception and warning of csat, each with a constructor that words it.

An error says what was asked, what was found, where, and what to do. All exceptions derive from
`CsatError` and from the builtin that fits, so that ``except ValueError`` keeps working.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence


def closest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Name the known words nearest to `name`, ready to put into a sentence."""
    words = [str(word) for word in known]
    same = [word for word in words if word.casefold() == str(name).casefold()]
    near = same or difflib.get_close_matches(str(name), words, n=count) or words[:5]
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


def check_choice(option: str, found: object, allowed: Iterable[object]) -> None:
    """Refuse an argument that is none of the allowed texts, whatever its type."""
    if not isinstance(found, str) or found not in allowed:
        raise OptionError.choose(option, found, allowed)


def check_switch(option: str, found: object) -> None:
    """Refuse an argument that is neither True nor False."""
    if not isinstance(found, bool):
        raise OptionError(f"{option} is True or False; found {type(found).__name__}.")


class UnknownColumnError(CsatError, KeyError):
    """A column or item that was asked for is not in the data."""

    def __str__(self) -> str:
        return str(self.args[0])

    @classmethod
    def among(cls, name: str, known: Sequence[str], where: str = "this survey") -> UnknownColumnError:
        """Word a name that is missing from the `known` ones, or that joins several of them."""
        parts = [part.strip() for part in name.replace("+", ",").split(",")]
        if len(parts) > 1 and set(parts) <= set(known):
            return cls(f"No column {name!r} in {where}. Several names are given as a list: {parts}.")
        if not known:
            return cls(f"No column {name!r} in {where}: it has no columns to choose from.")
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
            "Merge it with a similar stratum (recode the stratum column) before reading the data, or choose a rule: "
            "Design(lone_psu='certainty'), 'adjust' or 'average'."
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
        return cls(
            f"{what} needs the respondents' rows, and this source keeps none: it is a summary, or is streamed. Pass a "
            "survey in memory; of a large source the part that matters: read_survey(..., only={…}, stream=False)."
        )

    @classmethod
    def categories(cls, name: str, found: Sequence[object]) -> SampleError:
        """Word a column of categories where numbers are needed."""
        words = list(found)
        shown = ", ".join(map(repr, words[:3]))
        return cls(f"{name!r} holds categories such as {shown}, not numbers. {_to_numbers(words)}")


def _to_numbers(words: Sequence[object]) -> str:
    """What to do with a column of categories where numbers are needed."""
    if {str(word).casefold() for word in words} <= {"true", "false", "yes", "no"}:
        return "Recode it to 0 and 1 before reading, or use it in `by`."
    if words and all(str(word).replace(".", "", 1).lstrip("-").isdecimal() for word in words):
        return "They are numbers kept as text: convert the column, or give it a scale in the questionnaire."
    return (
        "Use it in `by`, or ask for the share of one category; if the categories have an order, give them numbers by a "
        "scale with labels in the questionnaire; in a model, recode two categories to 0 and 1."
    )


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


class MissingFileError(CsatError, FileNotFoundError):
    """A file that was asked for is not there."""

    def __str__(self) -> str:
        return str(self.args[0])

    @classmethod
    def among(cls, path: object, neighbours: Sequence[str]) -> MissingFileError:
        """Word a path that leads nowhere; `neighbours` are the files of its folder."""
        hint = (
            f"Did you mean {closest(str(path), neighbours)}?" if neighbours else "Its folder is empty or missing too."
        )
        return cls(f"No file {str(path)!r}. {hint}")


class QuestionnaireError(CsatError, ValueError):
    """What a study file, a codebook or a questionnaire built in Python gets wrong, and where."""

    file: str | None = None
    table: str | None = None
    key: str | None = None
    problem: str = ""

    @classmethod
    def at(cls, table: str, key: str | None, problem: str, file: str | None = None) -> QuestionnaireError:
        """Word a problem with its place: ``file, [table], key: problem``."""
        place = [file, f"[{table}]" if table else None, f"key {key!r}" if key is not None else None]
        error = cls(f"{', '.join(part for part in place if part) or 'Questionnaire'}: {problem}")
        error.file, error.table, error.key, error.problem = file, table, key, problem
        return error

    @classmethod
    def unknown_key(cls, table: str, key: str, known: Sequence[str]) -> QuestionnaireError:
        """Word a key that the format does not have."""
        return cls.at(table, key, f"not known here. Did you mean {closest(key, known)}? Allowed: {', '.join(known)}.")


class UnknownItemError(CsatError, KeyError):
    """A code that the questionnaire does not have."""

    def __str__(self) -> str:
        return str(self.args[0])

    @classmethod
    def among(cls, name: str, known: Sequence[str], what: str = "item") -> UnknownItemError:
        """Word a code that is none of the `known` ones."""
        return cls(
            f"No {what} {name!r} in this questionnaire. Did you mean {closest(name, known)}? "
            f"It has {len(known)} of them."
        )


class ModelError(CsatError, ValueError):
    """A structural model that cannot be read, or that does not fit the data it is asked of."""

    @classmethod
    def at(cls, syntax: str, position: int, message: str) -> ModelError:
        """Word a fault in the model text, with its line, its character and a caret under it."""
        start = syntax.rfind("\n", 0, position) + 1
        line = syntax[start:].split("\n", 1)[0].rstrip()
        before = syntax[start:position].expandtabs(1)
        # A wide (CJK) character takes two columns on screen; so must the blank that stands under it.
        blank = "".join("  " if unicodedata.east_asian_width(mark) in "WF" else " " for mark in before)
        place = f"line {syntax.count(chr(10), 0, position) + 1}, character {position - start + 1}"
        return cls(f"Model, {place}: {message}\n    {line.expandtabs(1)}\n    {blank}^")


class ModelIdentificationError(ModelError):
    """A model whose parameters the covariances cannot tell apart."""

    @classmethod
    def naming(cls, parameters: Sequence[str], known: int, free: int) -> ModelIdentificationError:
        """Word the parameters that can change together without changing the fit."""
        counts = f"{free} free parameters, {known} variances and covariances to estimate them from"
        return cls(
            f"The model is not identified ({counts}): different values of {', '.join(parameters)} fit equally well. "
            "Fix one of them (`1*x`, `0*x`), set two of them equal by the same label, or add indicators."
        )


class ConvergenceError(CsatError, RuntimeError):
    """An iterative estimator that did not reach its optimum."""

    @classmethod
    def stopped(cls, what: str, iterations: int, gradient: float, wanted: float, worst: str) -> ConvergenceError:
        """Word where an optimiser stopped: its largest scaled gradient and whose it is."""
        return cls(
            f"{what} did not converge: after {iterations} iterations the scaled gradient is {gradient:.2g} "
            f"(wanted: below {wanted:g}), largest for {worst}. "
            "Simplify the model, or give starting values with `start(0.5)*x`."
        )


class NegativeVarianceWarning(CsatWarning):
    """A variance was estimated below zero (a Heywood case)."""


class LatentCovarianceWarning(CsatWarning):
    """The covariance matrix of the latent variables is not positive definite."""


class StandardizedPathWarning(CsatWarning):
    """A standardized path lies outside −1 … 1."""


class IllConditionedWarning(CsatWarning):
    """The information matrix is nearly singular."""


class DesignIgnoredWarning(CsatWarning):
    """Standard errors that do not take the sampling design into account."""


class ReversedItemWarning(CsatWarning):
    """Items of one scale that run against each other: some may be worded the other way round."""


class DataError(CsatError, ValueError):
    """Survey data that cannot be read as they are; the message names the source, the place and the remedy."""

    @classmethod
    def absent(cls, source: str, absent: Sequence[str], found: Sequence[str]) -> DataError:
        """Word columns that the questionnaire or the design asks for and the data lack."""
        near = {name: difflib.get_close_matches(name, found, n=1) for name in absent[:8]}
        each = "; ".join(f"{name!r}" + (f" (did you mean {hit[0]!r}?)" if hit else "") for name, hit in near.items())
        more = f"; and {len(absent) - 8} more" if len(absent) > 8 else ""
        counted = "1 column is" if len(absent) == 1 else f"{len(absent)} columns are"
        return cls(
            f"{source}: {counted} asked for but not in the data: {each}{more}. "
            f"The data have {len(found)} columns, beginning {', '.join(map(repr, found[:4]))}. "
            "Is the header in the first row? (If not: header_row=, in the shell --header-row.) "
            'If questions were left out on purpose, read_survey(..., on_absent="missing") takes them as not asked.'
        )

    @classmethod
    def no_rows(cls, source: str) -> DataError:
        """Word a table with names and nothing under them."""
        return cls(f"{source}: there are names of columns but no rows under them.")

    @classmethod
    def twice(cls, source: str, name: str, places: Sequence[int]) -> DataError:
        """Word a column name that stands over several columns."""
        at = ", ".join(str(place) for place in places)
        return cls(f"{source}: the column name {name!r} is used by columns {at}. Give each column its own name.")

    @classmethod
    def unknown_codes(cls, source: str, lines: Sequence[str], snippet: str = "") -> DataError:
        """Word answers that the questionnaire does not know, one line per column; `snippet` would declare them."""
        listed = "\n".join(f"  {line}" for line in lines)
        pasted = (
            f"\nFor the study file, to be checked (merge with the table if it is there):\n{snippet}" if snippet else ""
        )
        return cls(
            f"{source}: {len(lines)} columns hold answers that the questionnaire does not know:\n{listed}\n"
            'Correct them, declare them (missing = { 98 = "dont_know" }, labels = { … }), or read them as missing '
            'with on_unknown="missing"; the ledger then counts them.'
            f"{pasted}"
        )


class LedgerError(CsatError, ArithmeticError):
    """A ledger whose counts do not add up: every row and cell must be accounted for."""


class MembershipError(CsatError, ValueError):
    """A membership matrix or its factor weights do not make sense."""

    @classmethod
    def row_sum(cls, factor: str, total: float) -> MembershipError:
        """Word a factor whose memberships do not add up to 1."""
        return cls(
            f"The memberships of factor {factor!r} sum to {total:.6g}, not 1: everyone belongs to some grade. "
            "Divide the row by its sum if it was rounded."
        )

    @classmethod
    def outside(cls, factor: str, grade: str, value: float) -> MembershipError:
        """Word a membership outside 0–1."""
        return cls(f"The membership of factor {factor!r} in grade {grade!r} is {value:g}; it must lie between 0 and 1.")

    @classmethod
    def shape(cls, what: str, found: object, needed: object) -> MembershipError:
        """Word sizes that do not fit together."""
        return cls(
            f"{what}: {needed} needed, {found} found. One row per factor, one column per grade, one weight per row."
        )

    @classmethod
    def weight_sum(cls, total: float) -> MembershipError:
        """Word weights that do not add up to 1."""
        return cls(f"The factor weights sum to {total:.6g}, not 1. Divide them by their sum.")

    @classmethod
    def negative_weight(cls, factor: str, value: float) -> MembershipError:
        """Word a weight below 0 or not finite."""
        return cls(f"The weight of factor {factor!r} is {value:g}; weights are finite and 0 or more.")

    @classmethod
    def continuous(cls, item: str, scale: str) -> MembershipError:
        """Word an item whose answers cannot be counted."""
        return cls(
            f"Item {item!r} has the continuous scale {scale!r}: its answers cannot be counted by level. "
            f"Give the scale a step in the study file, e.g. [scales.{scale}] step = 1."
        )


class ReportError(CsatError, RuntimeError):
    """A report could not be made from its notebook."""

    @classmethod
    def no_notebook(cls, path: object) -> ReportError:
        """Word a file that is no Jupyter notebook."""
        return cls(f"{path} is not a Jupyter notebook (.ipynb). `csat new FOLDER` writes one to start from.")

    @classmethod
    def no_parameters(cls) -> ReportError:
        """Word a notebook that cannot be given its study and data."""
        return cls(
            "The notebook has no cell tagged 'parameters', so it cannot be given study and data. Tag the cell that "
            "sets study, data and lang (in Jupyter: Property inspector, Cell tags)."
        )

    @classmethod
    def cell_failed(cls, name: str, message: str) -> ReportError:
        """Word an error that a cell of the notebook raised."""
        return cls(f"A cell of the report's notebook failed: {name}: {message}")

    @classmethod
    def kernel_died(cls) -> ReportError:
        """Word a kernel that ended while it was working."""
        return cls(
            "The process that computes the report ended unexpectedly, perhaps for lack of memory. "
            "Try again with less data."
        )


class WeightingError(CsatError, ValueError):
    """Weights that cannot be computed from the targets, the data or the bounds given."""

    @classmethod
    def at(cls, margin: str, category: str | None, problem: str, remedy: str) -> WeightingError:
        """Word a problem with its margin and category, and what to do."""
        place = f"Margin {margin!r}" + (f", category {category!r}" if category else "")
        return cls(f"{place}: {problem}. {remedy}")

    @classmethod
    def disagree(cls, sums: Sequence[tuple[str, float]]) -> WeightingError:
        """Word margins that add up to different populations."""
        listed = ", ".join(f"{name!r} {total:.10g}" for name, total in sums)
        return cls(
            f"The margins disagree about the size of the population: their targets add up to {listed}. Correct the "
            "targets, or pass total= to take every margin as a distribution and scale it to one total."
        )

    @classmethod
    def not_met(cls, method: str, rounds: int, place: tuple[str, str], target: float, found: float) -> WeightingError:
        """Word a calibration that stopped short of its targets: the target that is farthest off."""
        margin, category = place
        where = f"margin {margin!r}" + (f", category {category!r}" if category else "")
        return cls(
            f"method={method!r} did not converge in {rounds} iterations: {where} reached {found:.10g} instead of "
            f"{target:.10g}, the farthest off. Either the targets contradict each other for the combinations that "
            "occur in the data, or bounds leave no room: merge small categories, drop a margin, or widen the bounds."
        )

"""What the numbers remember: small additive summaries of the answers.

`Moments` are weighted sums of products, `Levels` weighted counts of answers, `Groups` the moments of
each (domain, stratum, primary sampling unit). All of them add: the summary of two files is the sum of
their summaries. Every method of csat is a pure function of these; a `Source` is whatever can give them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError, UnknownColumnError

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire

RULES = ("available", "listwise")


@dataclass(frozen=True, slots=True)
class Recode:
    """A variable made from a column by a map from answer to value: a share, top-box, NPS or grade score.

    term : name of the new variable.
    column : where the answers are.
    values : answer (a level, or a category's code) → value. Answers that are not listed count as missing.
    """

    term: str
    column: str
    values: Mapping[Any, float]

    @property
    def midpoint(self) -> float:
        """Half way between the smallest and the largest value."""
        return (min(self.values.values()) + max(self.values.values())) / 2


Variable = str | Recode


def term_of(variable: Variable) -> str:
    """Name a variable, recoded or not."""
    return variable.term if isinstance(variable, Recode) else variable


def as_names(by: str | Sequence[str] | None) -> tuple[str, ...]:
    """None, one name or several, as a tuple."""
    return () if by is None else (by,) if isinstance(by, str) else tuple(by)


def as_variables(names: str | Sequence[Variable]) -> list[Variable]:
    """One variable or several, as a list."""
    return [names] if isinstance(names, str | Recode) else list(names)


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted first and second moments of k variables.

    names : (k,) variables.
    gram : Σ w·zzᵀ. Under "listwise" z = [1, y] with y = x − midpoint over complete rows, shape (1+k, 1+k).
        Under "available" z = [1, m, m·y] with m = 1 where answered and 0 where not, shape (1+2k, 1+2k),
        so that means over different respondents keep their exact joint covariance.
    midpoint : (k,) known before the data (from the scale), which keeps sums additive and well conditioned.
    n : respondents, unweighted: never confuse with the sum of weights, `gram[0, 0]`.
    counts : (k,) respondents who answered each variable, unweighted.
    rule : "available" or "listwise".
    """

    names: tuple[str, ...]
    gram: np.ndarray
    midpoint: np.ndarray
    n: int
    counts: np.ndarray
    rule: str

    @property
    def weight(self) -> float:
        """Sum of weights."""
        return float(self.gram[0, 0])

    @cached_property
    def mean(self) -> np.ndarray:
        """(k,) weighted means; NaN where nobody answered."""
        answered, total = first_moments(self.gram, len(self.names), self.rule)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.midpoint + total / answered

    @cached_property
    def cov(self) -> np.ndarray:
        """(k, k) weighted covariances, divided by the sum of weights.

        Under "available" each pair uses those who answered both (pairwise deletion); NaN where nobody did.
        """
        k = len(self.names)
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.rule == "listwise":
                mean = self.gram[0, 1:] / self.weight
                return self.gram[1:, 1:] / self.weight - np.outer(mean, mean)
            both = self.gram[1 : 1 + k, 1 : 1 + k]
            mean = self.gram[1 + k :, 1 : 1 + k] / both
            return self.gram[1 + k :, 1 + k :] / both - mean * mean.T

    @property
    def sd(self) -> np.ndarray:
        """(k,) standard deviations with divisor n − 1 (in the unweighted case the sample SD)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.diag(self.cov) * self.counts / (self.counts - 1)
        return np.sqrt(np.where(self.counts > 1, variance, np.nan))

    @property
    def corr(self) -> np.ndarray:
        """(k, k) correlations; NaN for a variable without variation."""
        spread = np.sqrt(np.diag(self.cov))
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.cov / np.outer(spread, spread)

    def __getitem__(self, names: Sequence[str]) -> Moments:
        return self.select(names)

    def select(self, names: Sequence[str]) -> Moments:
        """The same moments of fewer variables, in the order asked for."""
        at = positions(names, self.names)
        keep = basis(at, len(self.names), self.rule)
        return replace(
            self,
            names=tuple(names),
            gram=self.gram[np.ix_(keep, keep)],
            midpoint=self.midpoint[at],
            counts=self.counts[at],
        )

    def recentre(self, midpoint: np.ndarray) -> Moments:
        """The same moments around another midpoint (exact algebra, no data)."""
        shift = shift_matrix(self.midpoint - midpoint, self.rule)
        return replace(self, gram=shift @ self.gram @ shift.T, midpoint=np.asarray(midpoint, float))

    def __add__(self, other: Moments) -> Moments:
        return self._combine(other, 1)

    def __sub__(self, other: Moments) -> Moments:
        return self._combine(other, -1)

    def _combine(self, other: Moments, sign: int) -> Moments:
        if self.names != other.names or self.rule != other.rule:
            raise SampleError(
                f"Only moments of the same variables under the same sample rule add up; found {self.names} "
                f"({self.rule}) and {other.names} ({other.rule})."
            )
        same = np.array_equal(self.midpoint, other.midpoint)
        gram = other.gram if same else other.recentre(self.midpoint).gram
        return replace(
            self, gram=self.gram + sign * gram, n=self.n + sign * other.n, counts=self.counts + sign * other.counts
        )

    def __repr__(self) -> str:
        return f"Moments of {len(self.names)} variables, n = {self.n}, rule = {self.rule!r}"


@dataclass(frozen=True, eq=False)
class Levels:
    """Counts of answers per domain and level, from which shares, medians and memberships follow exactly.

    names : (k,) items. levels : (k,) of the answer levels of each, in order.
    by, domains : the grouping columns and the D groups.
    weighted, unweighted : per item one array (D, number of levels).
    missing : (D, k) respondents without a valid answer, unweighted.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[Any, ...], ...]
    by: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    weighted: tuple[np.ndarray, ...]
    unweighted: tuple[np.ndarray, ...]
    missing: np.ndarray

    def shares(self, name: str) -> np.ndarray:
        """(D, levels) weighted shares among those who answered `name`; NaN where nobody did."""
        counts = self.weighted[positions([name], self.names)[0]]
        with np.errstate(invalid="ignore", divide="ignore"):
            return counts / counts.sum(axis=1, keepdims=True)

    def bases(self, name: str) -> np.ndarray:
        """(D,) respondents who answered `name`, unweighted."""
        return self.unweighted[positions([name], self.names)[0]].sum(axis=1)

    def __add__(self, other: Levels) -> Levels:
        if (self.names, self.levels, self.by) != (other.names, other.levels, other.by):
            raise SampleError("Only counts of the same items, levels and groups add up.")
        domains = tuple(dict.fromkeys(self.domains + other.domains))

        def spread(parts: Levels, values: np.ndarray) -> np.ndarray:
            out = np.zeros((len(domains), *values.shape[1:]), values.dtype)
            out[[domains.index(domain) for domain in parts.domains]] = values
            return out

        def added(mine: tuple[np.ndarray, ...], others: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            return tuple(spread(self, a) + spread(other, b) for a, b in zip(mine, others, strict=True))

        return replace(
            self,
            domains=domains,
            weighted=added(self.weighted, other.weighted),
            unweighted=added(self.unweighted, other.unweighted),
            missing=spread(self, self.missing) + spread(other, other.missing),
        )

    def __repr__(self) -> str:
        return f"Levels of {len(self.names)} items in {len(self.domains)} groups"


@dataclass(frozen=True, eq=False)
class Groups:
    """Moments of each cell = (domain, stratum, primary sampling unit), and the design around them.

    A domain keeps the whole design: units without a respondent in it count as zeros. Without declared
    units each respondent is one; then `square` = Σ w²·zzᵀ stands in for the products of single rows.

    names, rule, midpoint : as in `Moments`.
    by : grouping columns; domains : (D,) their groups as tuples of labels.
    strata : (H,) labels; psus : (P,) (stratum, unit) labels, empty if respondents are the units.
    units : (H,) sampled units of each stratum in the whole sample; population : (H,) units in the population,
        inf without a finite population correction.
    domain, stratum, psu : (C,) positions of each cell's labels (`psu` is -1 without units).
    gram : (C, p, p); square : (C, p, p) or None; n : (C,); counts : (C, k).
    ungrouped : respondents that belong to no group (a grouping column is empty).
    scores, score_squares : (C, q) and (C, q, q) sums and weighted products of row scores, when asked for.
    """

    names: tuple[str, ...]
    rule: str
    midpoint: np.ndarray
    by: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    strata: tuple[str, ...]
    psus: tuple[tuple[str, str], ...]
    units: np.ndarray
    population: np.ndarray
    domain: np.ndarray
    stratum: np.ndarray
    psu: np.ndarray
    gram: np.ndarray
    square: np.ndarray | None
    n: np.ndarray
    counts: np.ndarray
    ungrouped: int = 0
    score_squares: np.ndarray | None = None
    published: bool = False
    questionnaire: Questionnaire | None = None

    @property
    def df(self) -> float:
        """Degrees of freedom of the design: units minus strata."""
        return float(self.units.sum() - len(self.strata))

    def moments(self, domain: tuple[str, ...] | None = None) -> Moments:
        """Moments of one domain, or of all domains together."""
        if domain is None:
            inside = np.ones(len(self.domain), bool)
        elif tuple(domain) in self.domains:
            inside = self.domain == self.domains.index(tuple(domain))
        else:
            raise UnknownColumnError.among(
                " × ".join(domain), [" × ".join(known) for known in self.domains], "the groups"
            )
        return Moments(
            self.names, self.gram[inside].sum(axis=0), self.midpoint, int(self.n[inside].sum()),
            self.counts[inside].sum(axis=0), self.rule,
        )  # fmt: skip

    def over_domains(self, cells: np.ndarray) -> np.ndarray:
        """Sum an array over the cells (C, …) of each domain: (D, …)."""
        out = np.zeros((len(self.domains), *cells.shape[1:]), cells.dtype)
        np.add.at(out, self.domain, cells)
        return out

    def groups(self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available") -> Groups:
        """Fewer variables and fewer grouping columns of this summary (it is a `Source` itself)."""
        if any(isinstance(name, Recode) for name in names):
            raise SampleError.needs_rows("Recoding answers")
        wanted = [str(name) for name in names]
        return self._over(tuple(by))._under(rule)._select(wanted)

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Refuse: moments do not remember single answers."""
        raise SampleError.needs_rows(
            f"Counting the answers of {', '.join(names) or 'items'}{' by group' if by else ''}"
        )

    def _select(self, names: Sequence[str]) -> Groups:
        at = positions(names, self.names)
        keep = basis(at, len(self.names), self.rule)
        block = np.ix_(np.arange(len(self.gram)), keep, keep)
        square = None if self.square is None else self.square[block]
        return replace(
            self,
            names=tuple(names),
            midpoint=self.midpoint[at],
            gram=self.gram[block],
            square=square,
            counts=self.counts[:, at],
        )

    def _over(self, by: tuple[str, ...]) -> Groups:
        if by == self.by:
            return self
        at = positions(by, self.by)
        fewer = [tuple(domain[i] for i in at) for domain in self.domains]
        domains = tuple(dict.fromkeys(fewer)) or ((),)
        code = np.array([domains.index(domain) for domain in fewer], int)
        return replace(self, by=by, domains=domains, domain=code[self.domain])

    def _under(self, rule: str) -> Groups:
        if rule not in RULES:
            raise OptionError.choose("rule", rule, RULES)
        complete = bool((self.counts == self.n[:, None]).all())
        if rule == self.rule:
            return self
        if not complete or (rule == "available" and not self.published and self.rule == "listwise"):
            raise SampleError(
                f"This summary was made under the sample rule {self.rule!r}; {rule!r} needs the respondents' rows. "
                "Reduce the survey again under that rule."
            )
        k = len(self.names)
        turn = np.eye(1 + 2 * k)[np.r_[0, 1 + k : 1 + 2 * k]] if rule == "listwise" else _duplicate_ones(k)
        square = None if self.square is None else turn @ self.square @ turn.T
        return replace(self, rule=rule, gram=turn @ self.gram @ turn.T, square=square)

    def __add__(self, other: Groups) -> Groups:
        return merge([self, other])

    def __repr__(self) -> str:
        return (
            f"Groups of {len(self.names)} variables: {len(self.domains)} domains, {len(self.strata)} strata, "
            f"{int(self.units.sum())} units, n = {int(self.n.sum())}, rule = {self.rule!r}"
        )


@runtime_checkable
class Source(Protocol):
    """Whatever can give summaries: a `Survey`, a saved `Groups`, a published covariance matrix."""

    @property
    def questionnaire(self) -> Questionnaire | None:
        """What was asked, if known."""

    def groups(self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available") -> Groups:
        """Moments per (domain, stratum, unit)."""

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Answer counts per domain."""


@runtime_checkable
class RowSource(Source, Protocol):
    """A source that still has its rows, so that any quadratic score of a row can be summed."""

    def score_groups(
        self, names: Sequence[Variable], by: Sequence[str], scores: Mapping[tuple[str, ...], np.ndarray]
    ) -> Groups:
        """Listwise groups with `score_squares` = Σ w²·ssᵀ, s_q = zᵀ·D_q·z, D = `scores[domain]` (q, p, p)."""


def positions(names: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Where each of `names` is in `known`."""
    place = {name: i for i, name in enumerate(known)}
    for name in names:
        if name not in place:
            raise UnknownColumnError.among(name, list(known), "this summary")
    return np.array([place[name] for name in names], int)


def basis(at: np.ndarray, k: int, rule: str) -> np.ndarray:
    """Rows of the Gram matrix that belong to the variables at positions `at`."""
    return np.r_[0, 1 + at] if rule == "listwise" else np.r_[0, 1 + at, 1 + k + at]


def first_moments(gram: np.ndarray, k: int, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Sums of weights of those who answered, and of w·y: each (…, k)."""
    if rule == "listwise":
        return np.repeat(gram[..., 0, :1], k, axis=-1), gram[..., 0, 1:]
    return gram[..., 0, 1 : 1 + k], gram[..., 0, 1 + k :]


def shift_matrix(shift: np.ndarray, rule: str) -> np.ndarray:
    """The matrix that adds `shift` to y in z = [1, y] or [1, m, m·y]."""
    k = len(shift)
    if rule == "listwise":
        out = np.eye(1 + k)
        out[1:, 0] = shift
        return out
    out = np.eye(1 + 2 * k)
    out[1 + k :, 1 : 1 + k] = np.diag(shift)
    return out


def _duplicate_ones(k: int) -> np.ndarray:
    turn = np.zeros((1 + 2 * k, 1 + k))
    turn[: 1 + k, 0] = 1
    turn[1 + k :, 1:] = np.eye(k)
    return turn


def merge(parts: Sequence[Groups]) -> Groups:
    """Add summaries of disjoint respondents (batches, files, provinces); cells with the same labels add.

    Raises
    ------
    SampleError
        If the parts differ in variables, sample rule or grouping.
    DesignError
        Through `population`, if a stratum's population size differs between parts.
    """
    first = parts[0]
    for part in parts[1:]:
        if (part.names, part.rule, part.by, bool(part.psus)) != (first.names, first.rule, first.by, bool(first.psus)):
            raise SampleError("Only summaries of the same variables, sample rule, groups and kind of unit add up.")
        if not np.array_equal(part.midpoint, first.midpoint):
            raise SampleError("Only summaries around the same midpoints add up; reduce both with one questionnaire.")
    domains = tuple(sorted({domain for part in parts for domain in part.domains}))
    strata = tuple(sorted({stratum for part in parts for stratum in part.strata}))
    psus = tuple(sorted({psu for part in parts for psu in part.psus}))
    codes = [_cell_codes(part, domains, strata, psus) for part in parts]
    cells, where = np.unique(np.concatenate(codes), axis=0, return_inverse=True)

    def added(name: str) -> np.ndarray:
        stacked = np.concatenate([getattr(part, name) for part in parts])
        out = np.zeros((len(cells), *stacked.shape[1:]), stacked.dtype)
        np.add.at(out, where.ravel(), stacked)
        return out

    units, population = _units(parts, strata, psus)
    return replace(
        first, domains=domains, strata=strata, psus=psus, units=units, population=population,
        domain=cells[:, 0], stratum=cells[:, 1], psu=cells[:, 2], gram=added("gram"),
        square=None if first.square is None else added("square"), n=added("n"), counts=added("counts"),
        score_squares=None if first.score_squares is None else added("score_squares"),
        ungrouped=sum(part.ungrouped for part in parts), published=all(part.published for part in parts),
    )  # fmt: skip


def _cell_codes(part: Groups, domains: Sequence, strata: Sequence, psus: Sequence) -> np.ndarray:
    def recode(old: Sequence, new: Sequence, code: np.ndarray) -> np.ndarray:
        place = {label: i for i, label in enumerate(new)}
        table = np.array([place[label] for label in old] + [-1], int)
        return table[code]

    return np.stack(
        [recode(part.domains, domains, part.domain), recode(part.strata, strata, part.stratum), recode(part.psus, psus, part.psu)],
        axis=1,
    )  # fmt: skip


def _units(
    parts: Sequence[Groups], strata: Sequence[str], psus: Sequence[tuple[str, str]]
) -> tuple[np.ndarray, np.ndarray]:
    place = {label: i for i, label in enumerate(strata)}
    units = np.zeros(len(strata), int)
    population = np.full(len(strata), np.nan)
    for part in parts:
        at = np.array([place[label] for label in part.strata], int)
        if not psus:
            units[at] += part.units
        differs = np.isfinite(population[at]) & (population[at] != part.population)
        if differs.any():
            label = part.strata[int(np.flatnonzero(differs)[0])]
            raise SampleError(f"Stratum {label!r} has two different population sizes; it must have one.")
        population[at] = part.population
    if psus:
        units = np.bincount([place[stratum] for stratum, _ in psus], minlength=len(strata))
    return units, population


def from_covariance(
    cov: pd.DataFrame | np.ndarray | Sequence[Sequence[float]],
    n: int,
    mean: Mapping[str, float] | Sequence[float] | None = None,
    *,
    names: Sequence[str] | None = None,
    divisor: str = "n-1",
) -> Groups:
    """Make a source of a published covariance (or correlation) matrix.

    Parameters
    ----------
    cov : (k, k) symmetric, positive semi-definite; a DataFrame brings the names.
    n : respondents behind it, at least 2.
    mean : (k,) means, by name or in order. None: unknown (NaN); methods that need means will say so.
    names : (k,) variables, if `cov` has none.
    divisor : "n-1" if the matrix was divided by n − 1 (the common habit), "n" if by n.

    Returns
    -------
    Groups
        One cell under the rule "listwise", complete by definition.

    Raises
    ------
    SampleError
        If the matrix is not square, not symmetric, not positive semi-definite, or names do not fit.

    Examples
    --------
    >>> g = from_covariance([[2.0, 1.0], [1.0, 2.0]], n=250, names=["quality", "loyalty"])
    >>> g.moments().corr.round(3).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    if divisor not in ("n-1", "n"):
        raise OptionError.choose("divisor", divisor, ("n-1", "n"))
    if isinstance(cov, pd.DataFrame):
        names = [str(name) for name in cov.columns] if names is None else names
        cov = cov.to_numpy(float)
    matrix = np.asarray(cov, float)
    names = tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(len(matrix)))
    _check_covariance(matrix, names, n)
    k = len(names)
    gram = np.zeros((1 + k, 1 + k))
    gram[0, 0] = n
    gram[1:, 1:] = matrix * (n - 1 if divisor == "n-1" else n)
    if mean is None:
        centre = np.full(k, np.nan)
    else:
        centre = np.array(
            [mean[name] for name in names] if isinstance(mean, Mapping | pd.Series) else list(mean), float
        )
    if centre.shape != (k,):
        raise SampleError(f"{k} means are needed, one per variable; found {centre.size}.")
    zero = np.zeros(1, int)
    return Groups(
        names, "listwise", centre, (), ((),), ("",), (), np.array([n]), np.array([np.inf]), zero, zero, zero - 1,
        gram[None], gram[None].copy(), np.array([n]), np.full((1, k), n), published=True,
    )  # fmt: skip


def _check_covariance(matrix: np.ndarray, names: Sequence[str], n: int) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise SampleError(f"A covariance matrix is square; found shape {matrix.shape}.")
    if len(names) != len(matrix) or len(set(names)) != len(names):
        raise SampleError(f"{len(matrix)} different names are needed, one per row; found {list(names)}.")
    if n < 2:
        raise SampleError(f"n={n}: a covariance matrix needs at least 2 respondents.")
    if not np.isfinite(matrix).all():
        raise SampleError("The covariance matrix has empty or infinite cells.")
    scale = np.sqrt(np.abs(np.diag(matrix)))
    far = np.abs(matrix - matrix.T) > 1e-8 * np.maximum(np.outer(scale, scale), 1e-300)
    if far.any():
        row, column = np.argwhere(far)[0]
        raise SampleError(
            f"The covariance matrix is not symmetric: {names[row]!r} × {names[column]!r} is {matrix[row, column]:g} "
            f"one way and {matrix[column, row]:g} the other."
        )
    if np.linalg.eigvalsh(matrix)[0] < -1e-8 * np.diag(matrix).max():
        raise SampleError(
            "The covariance matrix is not positive semi-definite: no data can have it. Check the figures."
        )

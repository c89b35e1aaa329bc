"""`Cells`: the moments of every (domain, stratum, primary sampling unit), and what follows from them alone.

`csat.moments.groups.Groups` are cells that also add, are saved and roll up; the files that do so know only cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import numpy as np

from csat.design import Replication
from csat.errors import OptionError, SampleError, UnknownColumnError
from csat.moments.summaries import Moments
from csat.moments.variables import RULES, Variable, basis, domain_order, positions, shift_matrix

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire


#: Replicate weights that are linear combinations of others up to this relative distance add no information.
SAME_WEIGHTS = 1e-5


C = TypeVar("C", bound="Cells")


@dataclass(frozen=True, eq=False)
class ResidualSums(Generic[C]):
    """What the residuals of calibrated weights need: sums over all rows, those outside every domain too.

    weighted : cells under "available" of the variables and, after them, the auxiliaries, with the calibrated
        weights and a further domain for the rows outside. base : the same with the weights of the regression.
    auxiliaries : how many.
    """

    weighted: C
    base: C
    auxiliaries: int


@dataclass(frozen=True, eq=False)
class Cells:
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
    incomplete : respondents left out under "listwise" because an answer is missing.
    score_sums, score_squares : (C, q) Σ w·s and (C, q, q) Σ w²·ssᵀ of row scores, when asked for.
    published : made of printed figures: complete by definition, but without rows.
    calibrated : the weights were calibrated; residuals : sums for the residual form of variances, if they were kept.
    second : the same sums with the PSUs as strata and the units within them as units, if the design has a second stage.
    share : (H,) part of each stratum's contribution that counts; None: all of it.
    lone_psu : the design's rule for strata with one unit.
    replication : kind of replicate weights that variances come from; None: linearisation.
    replicate_sums : with replicate weights of single rows, Σ w_r·z of each domain and replicate (D, R, p) under
        "available", Σ w_r·zzᵀ (D, R, p, p) under "listwise", Σ w_r·s (D, R, q) of row scores when those were asked
        for; None if they follow from the units.
    made_of : (k,) what the variables were recoded from, as the source was asked; None: `names` are columns.
    overlap : (R, R) Σ w_r·w_s over all rows if the weights were given; its rank tells the degrees of freedom.
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
    incomplete: int = 0
    score_sums: np.ndarray | None = None
    score_squares: np.ndarray | None = None
    published: bool = False
    second: Self | None = None
    share: np.ndarray | None = None
    calibrated: bool = False
    residuals: ResidualSums[Self] | None = None
    questionnaire: Questionnaire | None = None
    lone_psu: str = "fail"
    replication: Replication | None = None
    replicate_sums: np.ndarray | None = None
    overlap: np.ndarray | None = None
    made_of: tuple[Variable, ...] | None = None

    @property
    def variables(self) -> tuple[Variable, ...]:
        """(k,) what to ask the source for to get these variables again."""
        return self.names if self.made_of is None else self.made_of

    @cached_property
    def df(self) -> float:
        """Degrees of freedom of the design: units minus strata, or one less than the replicates that differ."""
        between = float(self.units.sum() - len(self.strata))
        if self.replication is None:
            return between
        if self.replication.df is not None:
            return self.replication.df
        if self.overlap is not None:
            return float(np.linalg.matrix_rank(self.overlap, hermitian=True, rtol=SAME_WEIGHTS**2) - 1)
        drawn = self.replication.kind in ("bootstrap", "subbootstrap")
        return min(between, self.replication.size - 1.0) if drawn else between

    @property
    def replicates_given(self) -> bool:
        """Whether the replicate weights came with the data (else csat makes them)."""
        return self.overlap is not None

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
            names=self.names,
            gram=self.gram[inside].sum(axis=0),
            midpoint=self.midpoint,
            n=int(self.n[inside].sum()),
            counts=self.counts[inside].sum(axis=0),
            rule=self.rule,
        )

    def over_domains(self, cells: np.ndarray) -> np.ndarray:
        """Sum an array over the cells (C, …) of each domain: (D, …)."""
        return sum_at(cells, self.domain, len(self.domains))

    def replicated(self, replication: Replication) -> Self:
        """The same sums under replicate weights that are made for the declared units.

        Raises
        ------
        SampleError
            Without declared units: single rows are not remembered.
        """
        if not self.psus:
            raise SampleError.needs_rows("Drawing replicates")
        return replace(self, replication=replication, replicate_sums=None, overlap=None, second=None)

    def without(self, domain: tuple[str, ...]) -> Self:
        """The same groups but one; its units stay in the design."""
        if domain not in self.domains:
            return self
        at = self.domains.index(domain)
        kept = self.domain != at
        return replace(
            self,
            domains=tuple(other for other in self.domains if other != domain),
            domain=self.domain[kept] - (self.domain[kept] > at),
            stratum=self.stratum[kept],
            psu=self.psu[kept],
            gram=self.gram[kept],
            square=None if self.square is None else self.square[kept],
            n=self.n[kept],
            counts=self.counts[kept],
        )

    def arranged(self, order: Sequence[Sequence[str]]) -> Self:
        """The same groups, sorted by the order of labels of each grouping column."""
        at = domain_order(self.domains, order)
        new = np.empty(len(at), int)
        new[at] = np.arange(len(at))
        sums = None if self.replicate_sums is None else self.replicate_sums[at]
        second = None if self.second is None else self.second.arranged(order)
        domains = tuple(self.domains[d] for d in at)
        return replace(self, domains=domains, domain=new[self.domain], replicate_sums=sums, second=second)

    def recentre(self, midpoint: np.ndarray) -> Self:
        """The same sums around another midpoint (k,): exact algebra, no data. Sums of row scores are left out."""
        turn = shift_matrix(self.midpoint - midpoint, self.rule)
        return replace(
            self._turned(turn),
            score_sums=None,
            score_squares=None,
            midpoint=np.asarray(midpoint, float),
            second=None if self.second is None else self.second.recentre(midpoint),
        )

    def groups(self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available") -> Self:
        """Fewer variables and fewer grouping columns of this summary (it is a `Source` itself)."""
        if any(not isinstance(name, str) for name in names):
            raise SampleError.needs_rows("Recoding answers")
        wanted = [str(name) for name in names]
        if not wanted:
            raise OptionError("No variable is named; name at least one.")
        return self._over(tuple(by))._under(rule)._select(wanted)

    def _select(self, names: Sequence[str]) -> Self:
        at = positions(names, self.names)
        keep = basis(at, len(self.names), self.rule)
        block = np.ix_(np.arange(len(self.gram)), keep, keep)
        square = None if self.square is None else self.square[block]
        return replace(
            self,
            residuals=None,
            second=None if self.second is None else self.second._select(names),
            names=tuple(names),
            made_of=None if self.made_of is None else tuple(self.made_of[i] for i in at),
            midpoint=self.midpoint[at],
            gram=self.gram[block],
            square=square,
            counts=self.counts[:, at],
            replicate_sums=_block(self.replicate_sums, keep),
        )

    def _over(self, by: tuple[str, ...]) -> Self:
        if by == self.by:
            return self
        at = positions(by, self.by)
        fewer = [tuple(domain[i] for i in at) for domain in self.domains]
        domains = tuple(dict.fromkeys(fewer)) or ((),)
        code = np.array([domains.index(domain) for domain in fewer], int)
        sums = None if self.replicate_sums is None else sum_at(self.replicate_sums, code, len(domains))
        return replace(
            self,
            by=by,
            domains=domains,
            domain=code[self.domain],
            replicate_sums=sums,
            residuals=None,
            second=None if self.second is None else self.second._over(by),
        )

    def _under(self, rule: str) -> Self:
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
        second = None if self.second is None else self.second._under(rule)
        return replace(self._turned(turn), second=second, rule=rule)

    def _turned(self, turn: np.ndarray) -> Self:
        """Sums of turn·z instead of z; `turn` (q, p)."""
        return replace(
            self,
            residuals=None,
            gram=turn @ self.gram @ turn.T,
            square=None if self.square is None else turn @ self.square @ turn.T,
            replicate_sums=_turned(self.replicate_sums, turn),
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__} of {len(self.names)} variables: {len(self.domains)} domains, "
            f"{len(self.strata)} strata, {int(self.units.sum())} units, n = {int(self.n.sum())}, rule = {self.rule!r}"
        )


def _block(sums: np.ndarray | None, keep: np.ndarray) -> np.ndarray | None:
    """Replicate sums of fewer variables."""
    if sums is None:
        return None
    return sums[..., keep] if sums.ndim == 3 else sums[..., keep[:, None], keep]


def _turned(sums: np.ndarray | None, turn: np.ndarray) -> np.ndarray | None:
    """Replicate sums under another sample rule; totals stay totals."""
    if sums is None:
        return None
    return sums @ turn.T if sums.ndim == 3 else turn @ sums @ turn.T


def sum_at(arrays: np.ndarray, at: np.ndarray, size: int) -> np.ndarray:
    """Sum arrays (m, …) into `size` places; `at` (m,) says where each goes."""
    out = np.zeros((size, *arrays.shape[1:]), arrays.dtype)
    if (at[1:] > at[:-1]).all():
        out[at] = arrays
        return out
    if (at[1:] < at[:-1]).any():
        order = np.argsort(at, kind="stable")
        at, arrays = at[order], arrays[order]
    starts = np.flatnonzero(np.diff(at, prepend=-1))
    out[at[starts]] = np.add.reduceat(arrays, starts, axis=0)
    return out


def _duplicate_ones(k: int) -> np.ndarray:
    turn = np.zeros((1 + 2 * k, 1 + k))
    turn[: 1 + k, 0] = 1
    turn[1 + k :, 1:] = np.eye(k)
    return turn

"""From the relations as written to every parameter of the model, with the defaults of lavaan's ``sem()``.

Added: loadings of 1 that set the units of constructs, variances, covariances among exogenous constructs
and among terminal endogenous variables, and the moments of observed predictors, which are not estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from csat.model.syntax import Term

_ORDER = {op: place for place, op in enumerate(("=~", "<~", "~", "~~", "~1"))}


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter.

    label : "" if none; free rows with the same label are one parameter.
    fixed : value it is fixed at; None if it is estimated or `sampled`.
    start : starting value asked for, None if none.
    predictor : variance or covariance of observed predictors, which the model does not explain.
    sampled : fixed at the sample value, as moments of predictors are by default.
    """

    lhs: str
    op: str
    rhs: str
    label: str = ""
    fixed: float | None = None
    start: float | None = None
    predictor: bool = False
    sampled: bool = False

    @property
    def free(self) -> bool:
        """Whether the parameter is estimated."""
        return self.fixed is None and not self.sampled

    @property
    def name(self) -> str:
        """The label if there is one, else the relation: what an error calls the parameter."""
        return self.label or f"{self.lhs} {self.op} {self.rhs}".strip()


@dataclass(frozen=True, slots=True)
class _Roles:
    """Which variable plays which part in the written terms; see `roles_of`."""

    variables: tuple[str, ...]
    latents: tuple[str, ...]
    exogenous_latents: tuple[str, ...]
    terminal: tuple[str, ...]
    predictors: tuple[str, ...]
    composites: frozenset[str]
    single: frozenset[str]


def expanded(
    terms: Sequence[Term], *, std_lv: bool, fixed_x: bool, auto_cov_y: bool, orthogonal: bool
) -> tuple[Row, ...]:
    """Every parameter of a covariance structure, each covariance once.

    Parameters
    ----------
    terms : relations as written.
    std_lv : set the unit of a construct by a (residual) variance of 1, not by its first loading.
    fixed_x : take variances and covariances of observed predictors from the sample.
    auto_cov_y : let residuals of variables that are explained and explain nothing covary.
    orthogonal : keep exogenous constructs uncorrelated.

    Returns
    -------
    tuple of Row
        Written rows by operator, then variances, then covariances.
    """
    roles = _roles_of(terms)
    written = list(_written(terms, std_lv))
    known = {frozenset((row.lhs, row.rhs)) for row in written if row.op == "~~"}
    pairs: list[Row] = [_variance(name, roles, std_lv) for name in roles.variables]
    if not orthogonal:
        pairs += _covariances(roles.exogenous_latents)
    if auto_cov_y:
        pairs += _covariances(roles.terminal)
    among = [Row(x, "~~", x) for x in roles.predictors] + _covariances(roles.predictors)
    pairs += [replace(row, predictor=True, sampled=fixed_x) for row in among]
    return _same_label_same_value(written + [row for row in pairs if frozenset((row.lhs, row.rhs)) not in known])


def _covariances(names: Iterable[str]) -> list[Row]:
    return [Row(a, "~~", b) for a, b in combinations(names, 2)]


def _variance(name: str, roles: _Roles, std_lv: bool) -> Row:
    if name in roles.composites or name in roles.single:
        return Row(name, "~~", name, fixed=0.0)
    return Row(name, "~~", name, fixed=1.0 if std_lv and name in roles.latents else None)


def _written(terms: Sequence[Term], std_lv: bool) -> Iterator[Row]:
    """Rows as written, with the first loading of each construct at 1 unless it is freed or `std_lv`."""
    scaled: set[str] = set()
    for term in sorted(terms, key=lambda term: _ORDER[term.op]):
        fixed = term.fixed
        if term.op == "=~" and term.lhs not in scaled:
            scaled.add(term.lhs)
            if fixed is None and not term.free and not std_lv:
                fixed = 1.0
        yield Row(term.lhs, term.op, term.rhs, term.label, fixed, term.start)


def _same_label_same_value(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Fix every row whose label also stands at a fixed value."""
    values = {row.label: row.fixed for row in rows if row.label and row.fixed is not None}
    return tuple(replace(row, fixed=values[row.label]) if row.label in values else row for row in rows)


def _roles_of(terms: Sequence[Term]) -> _Roles:
    measured = [term for term in terms if term.op == "=~"]
    latents = _unique(term.lhs for term in terms if term.op in ("=~", "<~"))
    indicators = [term.rhs for term in measured]
    explained = {term.lhs for term in terms if term.op == "~"}
    explaining = _unique(term.rhs for term in terms if term.op in ("~", "<~"))
    # A predictor whose variance, covariance or intercept is written out is a random variable like any other.
    random = {name for term in terms if term.op in ("~~", "~1") for name in (term.lhs, term.rhs)}
    predictors = tuple(x for x in explaining if x not in {*latents, *explained, *indicators, *random})
    composites = frozenset(term.lhs for term in terms if term.op == "<~")
    named = _unique([*indicators, *(name for term in terms for name in (term.lhs, term.rhs) if name)])
    observed_first = [x for x in named if x not in latents] + list(latents)
    counts = {name: sum(term.lhs == name for term in measured) for name in latents}
    return _Roles(
        variables=tuple(x for x in observed_first if x not in predictors),
        latents=latents,
        exogenous_latents=tuple(x for x in latents if x not in explained | composites and x not in indicators),
        terminal=tuple(x for x in named if x in explained and x not in explaining and x not in indicators),
        predictors=predictors,
        composites=composites,
        single=frozenset(t.rhs for t in measured if counts[t.lhs] == 1 and indicators.count(t.rhs) == 1),
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))

"""From the relations as written to every parameter of the model, with the defaults of lavaan's ``sem()``.

Added: loadings of 1 that set the units of constructs, variances, covariances among exogenous constructs
and among terminal endogenous variables, intercepts, and the moments of observed predictors, which are not estimated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from csat.errors import OptionError, closest
from csat.model.terms import Term

_ORDER = {op: place for place, op in enumerate(("=~", "<~", "~", "~~", "~1"))}
#: Kinds of parameters that can be held equal over groups.
EQUAL = (
    *("loadings", "intercepts", "residuals", "residual.covariances", "lv.variances", "lv.covariances", "regressions"),
    "means",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter.

    label : "" if none; free rows with the same label are one parameter.
    fixed : value it is fixed at; None if it is estimated or `sampled`.
    start : starting value asked for, None if none.
    predictor : moment of observed predictors, which the model does not explain.
    sampled : fixed at the sample value, as moments of predictors are by default.
    group : which group it belongs to, counted from 0.
    tie : "" if none; free rows with the same tie are one parameter, as if they had one label.
    unit : "" if none; else the observed variable whose variance this (residual) variance brings to 1.
    """

    lhs: str
    op: str
    rhs: str
    label: str = ""
    fixed: float | None = None
    start: float | None = None
    predictor: bool = False
    sampled: bool = False
    group: int = 0
    tie: str = ""
    unit: str = ""

    @property
    def free(self) -> bool:
        """Whether the parameter is estimated by itself."""
        return self.fixed is None and not self.sampled and not self.unit

    @property
    def relation(self) -> str:
        """The relation as written: "y ~ x", "x ~1"."""
        return f"{self.lhs} {self.op} {self.rhs}".strip()

    @property
    def name(self) -> str:
        """The label if there is one, else the relation: what an error calls the parameter."""
        return self.label or self.relation


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
    terms: Sequence[Term],
    *,
    std_lv: bool,
    fixed_x: bool,
    auto_cov_y: bool,
    orthogonal: bool,
    means: bool = False,
    groups: int = 1,
    equal: Collection[str] = (),
    partial: Collection[str] = (),
    reference: int = 0,
) -> tuple[Row, ...]:
    """Every parameter of a covariance and mean structure, each covariance once.

    Parameters
    ----------
    terms : relations as written.
    std_lv : set the unit of a construct by a (residual) variance of 1, not by its first loading.
    fixed_x : take means, variances and covariances of observed predictors from the sample.
    auto_cov_y : let residuals of variables that are explained and explain nothing covary.
    orthogonal : keep exogenous constructs uncorrelated.
    means : estimate intercepts; constructs have mean 0.
    groups : number of groups; each has all parameters.
    equal : kinds of parameters (`EQUAL`) that groups share. With equal loadings standardized constructs have variance
        1 in the reference group only; with equal intercepts they have mean 0 in the reference group only.
    partial : relations such as "x3 ~1" or "f =~ x2" that stay free all the same; blanks do not matter.
    reference : position of the reference group.

    Returns
    -------
    tuple of Row
        Group by group: written rows by operator, then variances, covariances, intercepts.

    Raises
    ------
    OptionError
        If `partial` speaks of a relation that the model does not have.
    """
    roles = _roles_of(terms)
    options = {"std_lv": std_lv, "auto_cov_y": auto_cov_y, "orthogonal": orthogonal}
    rows = [
        row
        for g in range(groups)
        for row in _of_group(terms, roles, g, fixed_x, means, equal, others=g != reference, **options)
    ]
    _check_partial(partial, rows)
    spared = {_squeezed(relation) for relation in partial}
    tied = (
        replace(row, tie=f"{row.relation}")
        if equal and _kind(row, roles) in equal and row.free and not row.label and not row.predictor
        and not {_squeezed(row.relation), _squeezed(_turned(row))} & spared
        else row
        for row in rows
    )  # fmt: skip
    return _same_label_same_value(list(tied))


def _check_partial(partial: Collection[str], rows: Sequence[Row]) -> None:
    if not partial:
        return
    known = dict.fromkeys(row.relation for row in rows)
    squeezed = {_squeezed(relation) for row in rows for relation in (row.relation, _turned(row))}
    for asked in partial:
        if _squeezed(asked) not in squeezed:
            raise OptionError(
                f"partial: the model has no relation {asked!r}. Did you mean {closest(asked, list(known))}? Write a "
                "loading as 'f =~ x2', an intercept as 'x3 ~1', a residual variance as 'x3 ~~ x3'."
            )


def _squeezed(relation: str) -> str:
    """A relation without blanks, and without the backticks that names may stand in."""
    return "".join(relation.replace("`", "").split())


def _turned(row: Row) -> str:
    return f"{row.rhs} {row.op} {row.lhs}" if row.op == "~~" else row.relation


def _of_group(
    terms: Sequence[Term], roles: _Roles, group: int, fixed_x: bool, means: bool, equal: Collection[str], *,
    others: bool, std_lv: bool, auto_cov_y: bool, orthogonal: bool,
) -> Iterator[Row]:  # fmt: skip
    """Rows of one group; `others`: it is not the reference group."""
    written = list(_written(terms, group, std_lv))
    known = {frozenset((row.lhs, row.rhs)) for row in written if row.op == "~~"}
    unit = std_lv and not (others and "loadings" in equal and "lv.variances" not in equal)
    added: list[Row] = [_variance(name, roles, unit) for name in roles.variables]
    if not orthogonal:
        added += _covariances(roles.exogenous_latents)
    if auto_cov_y:
        added += _covariances(roles.terminal)
    among = [Row(x, "~~", x) for x in roles.predictors] + _covariances(roles.predictors)
    added += [replace(row, predictor=True, sampled=fixed_x) for row in among]
    added = [row for row in added if frozenset((row.lhs, row.rhs)) not in known]
    if means:
        shifted = others and "intercepts" in equal and "means" not in equal
        centred = {row.lhs for row in written if row.op == "~1"}
        added += [row for row in _intercepts(roles, fixed_x, shifted) if row.lhs not in centred]
    yield from (row if row.group == group else replace(row, group=group) for row in [*written, *added])


def _intercepts(roles: _Roles, fixed_x: bool, shifted: bool) -> Iterator[Row]:
    """An intercept of every variable; those of constructs are zero, or free where others set their origin."""
    for name in roles.variables:
        at_zero = name in roles.latents and (not shifted or name in roles.composites)
        yield Row(name, "~1", "", fixed=0.0 if at_zero else None)
    for name in roles.predictors:
        yield Row(name, "~1", "", predictor=True, sampled=fixed_x)


def _kind(row: Row, roles: _Roles) -> str:
    """Which of `EQUAL` a row belongs to, "" if none."""
    if row.op in ("=~", "<~"):
        return "loadings"
    if row.op == "~":
        return "regressions"
    latent = row.lhs in roles.latents
    if row.op == "~1":
        return "means" if latent else "intercepts"
    if row.lhs == row.rhs:
        return "lv.variances" if latent else "residuals"
    return "lv.covariances" if latent else "residual.covariances"


def _covariances(names: Iterable[str]) -> list[Row]:
    return [Row(a, "~~", b) for a, b in combinations(names, 2)]


def _variance(name: str, roles: _Roles, std_lv: bool) -> Row:
    if name in roles.composites or name in roles.single:
        return Row(name, "~~", name, fixed=0.0)
    return Row(name, "~~", name, fixed=1.0 if std_lv and name in roles.latents else None)


def _written(terms: Sequence[Term], group: int, std_lv: bool) -> Iterator[Row]:
    """Rows as written, with the first loading of each construct at 1 unless it is freed or `std_lv`."""
    scaled: set[str] = set()
    for term in sorted(terms, key=lambda term: _ORDER[term.op]):
        said = term.modifier(group)
        fixed = said.fixed
        if term.op == "=~" and term.lhs not in scaled:
            scaled.add(term.lhs)
            if fixed is None and not said.free and not std_lv:
                fixed = 1.0
        yield Row(term.lhs, term.op, term.rhs, said.label, fixed, said.start)


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

"""What may be asked: names of variables and groups that results can show, of a size that can be estimated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csat.errors import OptionError, SampleError
from csat.moments.variables import Product, Recode, Variable

#: Columns of results. A grouping column of the same name would stand twice in one table.
RESERVED = frozenset({
    "term", "estimate", "se", "statistic", "df", "p", "low", "high", "n", "n_eff", "note", "kind", "depth", "sd",
    "code", "level", "value", "box", "part", "own", "peer", "adjusted_p", "n_peer", "verdict", "expected", "against",
    "letter", "higher_than", "period", "since", "change", "change_se", "change_p", "noise", "direct", "direct_se",
    "weight", "rank", "rank_low", "rank_high", "score", "upper", "lower", "position", "nearer", "left_out",
})  # fmt: skip
#: Figures (groups × variables) that are estimated together at most: their joint covariance then takes 200 MB.
MOST_FIGURES = 5000
#: Bytes that the sums of one summary may take, unless the caller says otherwise.
MOST_BYTES = 2**30
#: Characters of a wrong value that a message repeats at most.
MOST_SHOWN = 60


def as_names(names: Any, what: str = "by") -> tuple[str, ...]:
    """None, one name or several, as a tuple of texts; `what` is the argument they were given for."""
    if names is None or isinstance(names, str):
        return () if names is None else (names,)
    listed = _listed(names, what)
    for name in listed:
        if not isinstance(name, str):
            raise OptionError(f"{what}: a name is a text; found {shown(name)}.")
    return tuple(listed)


def as_variables(names: Any) -> list[Variable]:
    """One variable or several, recoded or not, as a list."""
    listed = [names] if isinstance(names, str | Recode | Product) else _listed(names, "names")
    for name in listed:
        if not isinstance(name, str | Recode | Product):
            raise OptionError(f"names: a variable is a text, a Recode or a Product; found {shown(name)}.")
    return list(listed)


def one_name(name: Any, what: str) -> str:
    """The name of one column; `OptionError` for anything that is no text."""
    if not isinstance(name, str):
        raise OptionError(f"{what}: the name of a column is needed; found {shown(name)}.")
    return name


def group_names(by: Any, what: str = "by") -> tuple[str, ...]:
    """Names of grouping columns, none for None: each once, and none that is a result's column.

    Raises
    ------
    OptionError
        If they are no texts, name a column twice, or would overwrite a column of the result.
    """
    names = as_names(by, what)
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"{what} names column {name!r} twice.")
        if name in RESERVED:
            raise OptionError(f"{what}: column {name!r} has the name of a result's column; rename it in the data.")
    return names


def joint_fits(domains: int, figures: int) -> bool:
    """Whether so many domains with so many figures each are few enough for one joint covariance."""
    return domains * figures <= MOST_FIGURES


def check_size(by: Sequence[str], domains: Sequence[tuple[str, ...]], figures: int) -> None:
    """Refuse more figures than a joint covariance can hold; each of the `domains` has so many `figures`."""
    if joint_fits(len(domains), figures):
        return
    if not by:
        raise SampleError(f"{figures} figures were asked for; at most {MOST_FIGURES} can be estimated together.")
    most, column = max((len({domain[i] for domain in domains}), name) for i, name in enumerate(by))
    raise SampleError(
        f"Column {column!r} has {most} different values: {len(domains)} groups × {figures} figures are more than the "
        f"{MOST_FIGURES} that can be estimated together. Group by a category with fewer values, or ask for "
        "fewer variables or a part of the respondents (survey.where) at a time."
    )


@dataclass(frozen=True, slots=True)
class Budget:
    """What a summary takes: `cells` (domain, stratum, unit) and `bytes` of their sums."""

    cells: int
    bytes: int


def budget(
    variables: int,
    cells: int,
    *,
    rule: str = "available",
    groups: Mapping[str, int] | None = None,
    domains: int = 1,
    units: int = 0,
    rows: int | None = None,
    scores: int = 0,
    replicates: int = 0,
    totals: bool = False,
    allowed: int = MOST_BYTES,
) -> Budget:
    """What the sums over so many cells take, known before the pass over the rows; refused if it is too much.

    Parameters
    ----------
    variables : k.
    cells : combinations of group, stratum and unit, at most.
    rule : "available" (rows z = [1, m, m·y]) or "listwise" (z = [1, y]).
    groups : different values of each grouping column.
    domains : groups, at most.
    units : declared units; 0 if respondents are the units, which takes a second matrix per cell.
    rows : respondents, if they were counted.
    scores : sums of row scores per cell.
    replicates : replicate weights of single rows, which take sums of their own per domain.
    totals : of the cells only totals are kept, products of the domains.
    allowed : bytes.

    Returns
    -------
    Budget

    Raises
    ------
    SampleError
        If it is more than `allowed`, or most of many groups would have a single respondent.
    """
    _check_identifier(groups or {}, domains, rows)
    p = 1 + variables * (2 if rule == "available" else 1)
    products = p * p * (1 if units else 2) + (scores * (scores + 1) if scores else 0)
    of_replicates = replicates * (scores or (p if rule == "available" else p * p))
    if totals:
        products, of_replicates = p, p * p
    found = Budget(cells, 8 * (cells * (products + variables + 4) + domains * of_replicates))
    if found.bytes > allowed:
        raise SampleError(_over_budget(found, variables, groups or {}, units, replicates, allowed))
    return found


def _check_identifier(groups: Mapping[str, int], domains: int, rows: int | None) -> None:
    if rows is None or domains <= MOST_FIGURES or 2 * domains <= rows or not groups:
        return
    most, column = max((size, name) for name, size in groups.items())
    raise SampleError(
        f"Column {column!r} has {most} different values among {rows} respondents: groups of one or two tell nothing. "
        "Group by a category with fewer values."
    )


def _over_budget(
    found: Budget, variables: int, groups: Mapping[str, int], units: int, replicates: int, allowed: int
) -> str:
    """What was asked, what it takes, and what to do."""
    parts = [f"{size} values of {name!r}" for name, size in groups.items()]
    parts += [f"{units} units"] if units else []
    remedies = ["name fewer variables at a time"]
    if groups:
        _, widest = max((size, name) for name, size in groups.items())
        remedies.append(f"group by a coarser column than {widest!r}")
    remedies += ["declare larger units (psu), or random groups of them"] if units else []
    remedies += ["draw fewer replicates"] if replicates else []
    remedies.append("sum a part of the respondents (survey.where) at a time")
    return (
        f"Sums of {variables} variables in {found.cells} cells ({' × '.join(parts) or 'one group'}) take "
        f"{found.bytes / 2**20:,.0f} MB; {allowed / 2**20:,.0f} MB are allowed. What helps: {'; '.join(remedies)}."
    )


def check_grouped(by: Sequence[str], domains: Sequence[tuple[str, ...]], ungrouped: int) -> None:
    """Refuse grouping columns that put nobody into a group."""
    if domains:
        return
    if not ungrouped:
        raise SampleError(f"There are no respondents to group by {', '.join(map(repr, by))}.")
    if len(by) == 1:
        raise SampleError(f"Column {by[0]!r} is empty for all {ungrouped} respondents: there are no groups.")
    raise SampleError(
        f"None of the {ungrouped} respondents has a value in all of the columns {', '.join(map(repr, by))}: "
        "there are no groups."
    )


def _listed(names: Any, what: str) -> list[Any]:
    if isinstance(names, bytes) or not isinstance(names, Iterable):
        raise OptionError(f"{what} must be a name or several; found {shown(names)}.")
    return list(names)


def shown(found: Any) -> str:
    """What was found where something else was needed, in few words."""
    kind = "type" if isinstance(found, type) else type(found).__name__
    text = repr(found).split("\n", 1)[0]
    said = text if text.startswith(kind) or found is None else f"{kind} {text}"
    return said if len(said) <= MOST_SHOWN else f"{said[: MOST_SHOWN - 1]}…"

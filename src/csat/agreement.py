"""`compare`: one model, estimated in several ways, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from csat.composites import Pls
from csat.errors import CsatError, OptionError
from csat.model import Model
from csat.moments import as_names, shown
from csat.results import Shown
from csat.structural import Sem

#: What estimators may have in common, in the order it is read.
KINDS = ("path", "loading", "weight", "r2")
#: Figures of every result in the table.
FIGURES = ("estimate", "se", "low", "high")
#: Operators of structural models that say what measures what, and the kind of their standardized values.
_RELATIONS: Mapping[str, str] = {"~": "path", "=~": "loading", "<~": "weight"}
#: Relations of the same sort: items of a construct are its items, measured by or composed of them.
_SORTS: Mapping[str, str] = {"~": "path", "=~": "item", "<~": "item"}

_OTHER_BASES = (
    "The results rest on different numbers of respondents, which is part of what sets them apart: give the structural "
    "model missing='listwise' to see the estimators alone."
)

#: Group, kind, lhs and rhs of a figure.
Key: TypeAlias = tuple[str, str, str, str]


class DisagreementError(CsatError, ValueError):
    """Results that have no place side by side: of other models, groups or levels."""


@dataclass(frozen=True, slots=True)
class Column:
    """One result in a comparison of estimators.

    name : of the column. method : "PLS", "PLSc" or an estimator of structural models.
    figures : (4, k) estimates, standard errors, lower and upper ends of intervals.
    sizes : respondents of each group who count. left_out : those who do not. srmr : the largest of the groups.
    sample, variance : who counts, and how standard errors were made.
    """

    name: str
    method: str
    figures: np.ndarray
    sizes: tuple[int, ...]
    left_out: int
    srmr: float
    sample: str
    variance: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Agreement(Shown):
    """Standardized figures of one model by several estimators.

    keys : (k,) group ("" without), kind, lhs and rhs of each figure. columns : one per result, as they were given.
    groups : labels of the groups. level : of the intervals.
    turned : construct, group and result of those that point the other way than in the first result.
    """

    keys: tuple[Key, ...]
    columns: tuple[Column, ...]
    groups: tuple[str, ...]
    level: float
    turned: tuple[tuple[str, str, str], ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What to beware of, in words."""
        turned = (
            f"{' of '.join(filter(None, (construct, group)))} points the other way in {name}: signs of its loadings "
            "and paths are turned."
            for construct, group, name in self.turned
        )
        return (*([_OTHER_BASES] if self.uneven else []), *turned)

    @property
    def uneven(self) -> bool:
        """Whether the results rest on different numbers of respondents."""
        return len({column.sizes for column in self.columns}) > 1

    @property
    def differences(self) -> np.ndarray:
        """(results − 1, k) estimates of every further result less those of the first.

        All rest on the same survey, so that the standard error of a difference does not follow from those beside it:
        there is none, and no test.
        """
        first, *others = (column.figures[0] for column in self.columns)
        return np.array([other - first for other in others])

    def tidy(self) -> pd.DataFrame:
        """One row per figure that all results have.

        Returns
        -------
        DataFrame
            group (of several groups), kind ("path", "loading", "weight", "r2"), lhs, rhs; then ``estimate_…``,
            ``se_…``, ``low_…``, ``high_…`` of each result by its name, and ``difference_…`` of each but the first.
        """
        frame = pd.DataFrame(list(self.keys), columns=["group", "kind", "lhs", "rhs"])
        figures = {
            f"{what}_{column.name}": values
            for column in self.columns
            for what, values in zip(FIGURES, column.figures, strict=True)
        }
        further = zip(self.columns[1:], self.differences, strict=True)
        apart = {f"difference_{column.name}": values for column, values in further}
        frame = frame.assign(**figures, **apart)
        return frame if len(self.groups) > 1 else frame.drop(columns="group")

    def glance(self) -> pd.DataFrame:
        """One row per result: method, bases, SRMR (the largest of the groups), and how far it is from the first.

        ``furthest_path``, ``furthest_loading`` and ``furthest_r2`` are the largest absolute differences; NaN for the
        first, and where there are no such figures.
        """
        apart = [np.full(len(self.keys), np.nan), *self.differences]
        rows = [
            {"result": column.name, "method": column.method, "n": sum(column.sizes), "left_out": column.left_out}
            | {"srmr": column.srmr}
            | {f"furthest_{kind}": self._furthest(kind, values) for kind in ("path", "loading", "r2")}
            | {"level": self.level, "sample": column.sample, "variance": column.variance}
            for column, values in zip(self.columns, apart, strict=True)
        ]
        return pd.DataFrame(rows)

    def _furthest(self, kind: str, values: np.ndarray) -> float:
        found = np.abs([value for key, value in zip(self.keys, values, strict=True) if key[1] == kind])
        return float(np.nanmax(found)) if np.isfinite(found).any() else float("nan")

    def __repr__(self) -> str:
        return "\n".join([Shown.__repr__(self), *(f"Note: {note}" for note in self.notes)])


def compare(*results: Pls | Sem, names: Sequence[str] | None = None) -> Agreement:
    """Put one model, estimated in several ways, side by side: `csat.pls`, with and without correction, and `csat.sem`.

    This asks whether the conclusions depend on the estimator. Whether a richer model is needed, of two by the same
    estimator, is for `csat.compare_models`, which tests nested structural models against each other.

    Parameters
    ----------
    results : two or more results of `csat.pls` and `csat.sem`, of the same constructs, items, paths, groups and level.
        The others are compared with the first. What only one estimator takes (fixed values, labels, covariances) may
        differ.
    names : of the results in the order given; None: "PLS", "PLSc" (corrected for attenuation), "SEM", numbered where
        needed.

    Returns
    -------
    Agreement
        Paths, loadings (of constructs that are measured), weights (of those that are composed; of all, if every result
        is of PLS) and R² that all results have. All are standardized: `Sem.standardized("all")` with its own errors.

    Raises
    ------
    OptionError
        For anything but two or more such results, or names that do not fit.
    DisagreementError
        If the results are of different models, groups or levels.

    Notes
    -----
    Composites of fallible items correlate less than the constructs behind them, so that paths of plain PLS are smaller
    than those of SEM, and loadings larger; corrected ones (``consistent=True``) estimate the same figures as SEM
    (Dijkstra & Henseler 2015, MIS Quarterly 39(2), 297–316).

    Examples
    --------
    >>> import csat
    >>> r = [[1, 0.6, 0.3, 0.3], [0.6, 1, 0.3, 0.3], [0.3, 0.3, 1, 0.6], [0.3, 0.3, 0.6, 1]]
    >>> source = csat.from_covariance(r, n=400, names=["a", "b", "c", "d"])
    >>> model = "image =~ a + b; loyalty =~ c + d; loyalty ~ image"
    >>> both = csat.compare(csat.pls(source, model), csat.sem(source, model))
    >>> both.tidy()[["kind", "estimate_PLS", "estimate_SEM"]].round(3).head(1).to_numpy().tolist()
    [['path', 0.375, 0.5]]
    """
    _check(results)
    called = _names(results, names)
    groups, tables = _groups(results[0]), [_table(result) for result in results]
    keys = tuple(sorted(set(tables[0]).intersection(*tables[1:]), key=_place(tables[0], groups)))
    columns = tuple(
        _column(name, result, np.array([table[key] for key in keys]).reshape(-1, len(FIGURES)).T, groups)
        for name, result, table in zip(called, results, tables, strict=True)
    )
    return Agreement(keys, columns, groups, _level(results[0]), _turned(keys, columns))


def _check(results: Sequence[Any]) -> None:
    for result in results:
        if not isinstance(result, Pls | Sem):
            raise OptionError(f"compare takes results of csat.pls and csat.sem; found {shown(result)}.")
    if len(results) < 2:
        raise OptionError("compare takes two or more results, for example compare(csat.pls(…), csat.sem(…)).")
    for one, other in pairwise(results):
        fault = _models_apart(one.model, other.model) or _frames_apart(one, other)
        if fault:
            raise DisagreementError(f"These results cannot stand side by side: {fault}")


def _models_apart(one: Model, other: Model) -> str:
    """How two models differ; "" if they do not."""
    relations, others = _relations(one), _relations(other)
    alone = sorted(relations ^ others)
    if not alone:
        return ""
    told = ", ".join(f"{lhs} ~ {rhs}" if sort == "path" else f"{rhs} of {lhs}" for sort, lhs, rhs in alone[:6])
    more = f" and {len(alone) - 6} more" if len(alone) > 6 else ""
    return (
        f"only one of the models has {told}{more}. Estimate the same model in both ways; two models by the same "
        "estimator are for csat.compare_models."
    )


def _relations(model: Model) -> set[tuple[str, str, str]]:
    return {(_SORTS[term.op], term.lhs, term.rhs) for term in model.terms if term.op in _SORTS}


def _frames_apart(one: Pls | Sem, other: Pls | Sem) -> str:
    groups, others = _groups(one), _groups(other)
    if set(groups) != set(others):
        said = " and ".join(", ".join(map(repr, labels)) if any(labels) else "no groups" for labels in (groups, others))
        return f"the groups are {said}. Name the same column, pls(…, by=…) and sem(…, group=…)."
    if _level(one) != _level(other):
        return f"the levels of their intervals are {_level(one):g} and {_level(other):g}. Use the same level=."
    return ""


def _groups(result: Pls | Sem) -> tuple[str, ...]:
    return result.groups if isinstance(result, Sem) else result.labels


def _level(result: Pls | Sem) -> float:
    return result.level if isinstance(result, Sem) else result.estimates.level


def _corrected(result: Pls) -> bool:
    return bool(result.blocks.consistent.any())


def _names(results: Sequence[Pls | Sem], names: Sequence[str] | None) -> list[str]:
    if names is not None:
        called = list(as_names(names, "names"))
        if len(called) != len(results) or len(set(called)) != len(called):
            raise OptionError(f"names: {len(results)} different names are needed, one per result; found {called}.")
        return called
    usual = ["SEM" if isinstance(r, Sem) else "PLSc" if _corrected(r) else "PLS" for r in results]
    counts = [usual[: at + 1].count(name) for at, name in enumerate(usual)]
    return [name if usual.count(name) == 1 else f"{name} {at}" for name, at in zip(usual, counts, strict=True)]


def _table(result: Pls | Sem) -> dict[Key, tuple[float, ...]]:
    """Estimate, error and interval of every figure that another estimator may have too."""
    return _of_sem(result) if isinstance(result, Sem) else _of_pls(result)


def _of_pls(result: Pls) -> dict[Key, tuple[float, ...]]:
    own = result.estimates
    groups = [label for label in result.labels for _ in result.layout.keys]
    keys = zip(groups, own.keys["kind"], own.keys["lhs"], own.keys["rhs"], strict=True)
    values = zip(own.estimate, own.se, *own.interval, strict=True)
    return {key: figures for key, figures in zip(keys, values, strict=True) if key[1] in KINDS}


def _of_sem(result: Sem) -> dict[Key, tuple[float, ...]]:
    """Standardized figures; R² is what the standardized residual variance leaves of 1, with the same error."""
    explained = set(result.model.endogenous)
    frame = result.standardized("all")
    rows = zip(frame["group"], frame["lhs"], frame["op"], frame["rhs"], strict=True)
    values = frame[list(FIGURES)].to_numpy(float).tolist()
    found: dict[Key, tuple[float, ...]] = {}
    for (group, lhs, op, rhs), (estimate, se, low, high) in zip(rows, values, strict=True):
        if op in _RELATIONS:
            found[group, _RELATIONS[op], lhs, rhs] = (estimate, se, low, high)
        elif op == "~~" and lhs == rhs and lhs in explained:
            found[group, "r2", lhs, ""] = (1 - estimate, se, 1 - high, 1 - low)
    return found


def _place(first: Mapping[Key, Any], groups: Sequence[str]) -> Callable[[Key], tuple[int, int, int]]:
    """Where a figure stands: group by group, paths first, then as in the first result."""
    order = {key: at for at, key in enumerate(first)}
    return lambda key: (groups.index(key[0]), KINDS.index(key[1]), order[key])


def _column(name: str, result: Pls | Sem, figures: np.ndarray, groups: Sequence[str]) -> Column:
    if isinstance(result, Sem):
        made, srmr, method = result.provenance, result.measures.srmr, result.estimator
    else:
        made, srmr = result.estimates.provenance, np.fmax.reduce(result.distances.srmr)
        method = "PLSc" if _corrected(result) else "PLS"
    counts = result.sizes if isinstance(result, Sem) else result.layout.n.tolist()
    sizes = dict(zip(_groups(result), map(int, counts), strict=True))
    return Column(
        name, method, figures, tuple(sizes[group] for group in groups), result.left_out, float(srmr), made.sample,
        made.variance,
    )  # fmt: skip


def _turned(keys: Sequence[Key], columns: Sequence[Column]) -> tuple[tuple[str, str, str], ...]:
    """Find constructs that point the other way than in the first result: signs of their paths turn with them."""
    found = []
    for column in columns[1:]:
        alike: dict[tuple[str, str], float] = {}
        for key, one, other in zip(keys, columns[0].figures[0], column.figures[0], strict=True):
            if key[1] in ("loading", "weight"):
                alike[key[2], key[0]] = alike.get((key[2], key[0]), 0.0) + one * other
        found += [(*place, column.name) for place, product in alike.items() if product < 0]
    return tuple(found)

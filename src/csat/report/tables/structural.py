"""Tables of a structural model: parameters, paths, loadings, thresholds and fit, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.report.description import Cell, Column, Kind
from csat.report.doubts import beyond_one, doubts_of
from csat.report.format import number
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, base_note, describe, interval, level_of, objects, only_where
from csat.report.tables.model import sample_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.structural import Sem

#: Fit figures in the order they are read, and what they are.
FIT: dict[str, Kind] = {
    "n": "count", "npar": "count", "chisq": "statistic", "df": "count", "p": "p_value", "scaling": "estimate",
    "cfi": "estimate", "tli": "estimate", "nfi": "estimate", "gfi": "estimate", "rmsea": "estimate",
    "rmsea_low": "estimate", "rmsea_high": "estimate", "rmsea_p": "p_value", "srmr": "estimate",
    "loglik": "statistic", "aic": "statistic", "bic": "statistic",
}  # fmt: skip

#: Fit figures with a usual limit.
GUIDED = frozenset({"cfi", "tli", "rmsea", "srmr"})
#: Fit figures that say how large the model is, not how it fits.
SIZES = frozenset({"n", "npar", "df"})
#: Operator → kind of parameter.
KINDS = {
    "=~": "loading", "<~": "weight", "~": "path", "~1": "intercept", "|": "threshold", ":=": "defined",
    "==": "equation",
}  # fmt: skip
N = ("n",)


def parameters(result: Sem, names: Names) -> Table:
    """Loadings, paths, covariances, variances, thresholds; standardised beside the raw ones."""
    return _table(result, result.tidy(), names, "sem")


def paths(result: Sem, names: Names) -> Table:
    """Paths between constructs, and what is derived from them."""
    frame = result.tidy()
    return _table(result, frame[frame["op"].isin(["~", ":="])], names, "sem_paths")


def loadings(result: Sem, names: Names) -> Table:
    """Loadings of the indicators."""
    frame = result.tidy()
    return _table(result, frame[frame["op"].isin(["=~", "<~"])], names, "sem_loadings")


def thresholds(result: Sem, names: Names) -> Table:
    """Where the latent responses behind ordered items pass from one answer to the next."""
    frame = result.tidy()
    return _table(result, frame[frame["op"] == "|"], names, "sem_thresholds")


def _table(result: Sem, frame: pd.DataFrame, names: Names, key: str) -> Table:
    several = len(result.groups) > 1
    sizes = dict(zip(result.groups, result.sizes, strict=True)) if several else {}
    frame = frame.assign(n=[sizes.get(group, result.measures.n) for group in frame["group"]])
    triples = list(zip(frame["lhs"], frame["op"], frame["rhs"], strict=True))
    beyond = [
        beyond_one(op, lhs == rhs, value) for (lhs, op, rhs), value in zip(triples, frame["std_all"], strict=True)
    ]
    frame["about std_all"] = objects([Word("note.beyond_one") if out else None for out in beyond])
    frame["about"] = objects([_relation(lhs, op, rhs, result, names) for lhs, op, rhs in triples])
    frame["relation"] = objects([Word(f"relation.{kind_of(op, lhs == rhs)}") for lhs, op, rhs in triples])
    frame["group"] = [group_text(result, group, names) for group in frame["group"]]
    # A fixed parameter has no standard error by design: its cells stay empty instead of carrying a dash.
    fixed = ~(frame["se"] > 0)
    for name in ("se", "statistic", "p", "low", "high"):
        frame[name] = only_where(~fixed, frame[name])
    shows = [
        *([Show("group")] if several else []),
        Show("relation"),
        Show("about", heading=Word("column.parameter")),
        Show("estimate", "estimate", N),
        Show("se", "estimate", N),
        Show("statistic", "statistic", N, statistic_heading(result.df)),
        Show("p", "p_value", N),
        *interval(level_of(result), N, "estimate"),
        Show("std_all", "estimate", N),
    ]
    notes = [*notes_of(result, names), *([Word("note.fixed")] if fixed.any() else [])]
    return describe(key, Word(f"title.{key}"), frame, shows, names, notes=notes, label="about")


def statistic_heading(df: float | np.ndarray) -> Word:
    """Student's t where the design has finite degrees of freedom, else z."""
    return Word("column.t" if np.isfinite(df).all() else "column.z")


def group_text(result: Sem, group: str, names: Names) -> str:
    """Text of a group of a model; "" where there are none."""
    return names.value(result.group, group) if group and result.group is not None else group


def notes_of(result: Sem, names: Names) -> list[Word | str]:
    """The fit in a line, doubts, then the respondents and what the standard errors assume."""
    hidden = names.bases.judge(result.measures.n).hidden
    return [
        *([] if hidden else [fit_line(result, names)]),
        *doubts_of(result, names),
        *respondents_of(result, names),
    ]


def respondents_of(result: Sem, names: Names) -> list[Word]:
    """Who counts, and what the standard errors assume."""
    said = sample_notes(result.measures.n, result.left_out, names.bases)
    if result.provenance.sample in ("fiml", "pairwise"):
        said[0] = Word(f"note.{result.provenance.sample}", {"n": result.measures.n, "left_out": result.left_out})
    return [*said, error_note(result.provenance.variance)]


def error_note(variance: str) -> Word:
    """Say what the standard errors of a structural model follow from, by `Provenance.variance`."""
    made, _, drawn = variance.partition("; ")
    if "sandwich" in made or made.startswith("diagonal"):
        known = {"respondents": "note.se_robust", "replicates": "note.se_robust_replicates"}
        return Word(next((key for start, key in known.items() if drawn.startswith(start)), "note.se_robust_design"))
    simple = made.endswith("information")
    return Word("note.simple_sample") if simple else Word("note.se_other", {"kind": variance})


def fit_line(result: Sem, names: Names) -> Word:
    """The fit as papers write it: χ² with df and p, CFI, TLI, RMSEA with its interval, SRMR; corrected where it is."""
    figures: dict[Any, Any] = result.glance().iloc[0].to_dict()
    kind = "plain" if result.robust is None else "robust" if np.isfinite(figures["cfi_robust"]) else "scaled"
    test, index = ("", "") if kind == "plain" else ("_scaled", f"_{kind}")
    said = {
        name: bounded(figures[f"{key}{index}"], names)
        for name, key in (("cfi", "cfi"), ("tli", "tli"), ("rmsea", "rmsea"), ("low", "rmsea_low"),
                          ("high", "rmsea_high"))
    }  # fmt: skip
    about = {"df": number(figures[f"df{test}"], "count"), "chisq": number(figures[f"chisq{test}"], "statistic")}
    chance = {"p": chance_of(figures[f"p{test}"], names), "srmr": bounded(figures["srmr"], names)}
    return Word(f"note.fit_{kind}", about | said | chance)


def bounded(value: float, names: Names) -> str:
    """A figure that cannot exceed 1; English papers leave its zero out.

    >>> bounded(0.9534, Names("en")), bounded(0.9534, Names("zh"))
    ('.953', '0.953')
    """
    said = number(float(value), "estimate")
    return said.removeprefix("0") if names.lang == "en" else said


def chance_of(p: float, names: Names) -> str:
    """A p value with its sign.

    >>> chance_of(0.0001, Names("en")), chance_of(0.0312, Names("zh"))
    ('< .001', '= 0.031')
    """
    if not np.isfinite(p):
        return f"= {number(p, 'p_value')}"
    return f"< {bounded(0.001, names)}" if p < 0.0005 else f"= {bounded(p, names)}"


def kind_of(op: str, same: bool) -> str:
    """Kind of a parameter; `same` if both sides are the same variable."""
    kinds = {
        "==": "equation",
        "=~": "loading",
        "<~": "weight",
        "~": "path",
        "~1": "intercept",
        ":=": "defined",
        "|": "threshold",
    }
    return kinds.get(op, "variance" if same else "covariance")


def _relation(lhs: str, op: str, rhs: str, result: Sem, names: Names) -> str:
    if op == "|":
        return f"{names.code(lhs)}{'：' if names.lang == 'zh' else ': '}{_between(lhs, rhs, result)}"
    if op == ":=" and names.construct(lhs) == lhs and (chain := chain_of(rhs, result)):
        return " → ".join(map(names.construct, chain))
    return relation_of(lhs, op, rhs, names)


def chain_of(text: str, result: Sem) -> tuple[str, ...]:
    """Constructs along a product of labelled paths, each leading on to the next; empty for anything else."""
    labels = [label.strip() for label in text.split("*")]
    ends = {row.label: (row.rhs, row.lhs) for row in result.layout.rows if row.op == "~" and row.label}
    if len(labels) < 2 or not all(label in ends for label in labels) or len(result.groups) > 1:
        return ()
    paths = [ends[label] for label in labels]
    if any(one[1] != other[0] for one, other in pairwise(paths)):
        return ()
    return (paths[0][0], *(target for _, target in paths))


def _between(item: str, cut: str, result: Sem) -> str:
    answers = result.thresholds.answers if result.thresholds is not None else {}
    return between(answers[item], int(cut.removeprefix("t")))


def between(answers: Sequence[Any], cut: int) -> str:
    """The two answers that a threshold, counted from 1, lies between.

    >>> between((1.0, 2.0, 5.0), 2)
    '2 | 5'
    """
    sides = answers[cut - 1 : cut + 1]
    return " | ".join(f"{answer:g}" if isinstance(answer, int | float) else str(answer) for answer in sides)


def relation_of(lhs: str, op: str, rhs: str, names: Names) -> str:
    """A parameter in words: what leads to what, what goes with what."""
    left, right = names.construct(lhs), names.construct(rhs)
    if op in ("=~", "<~"):
        return f"{left} → {right}" if op == "=~" else f"{right} → {left}"
    if op == "~":
        return f"{right} → {left}"
    if op == "~~":
        return left if lhs == rhs else f"{left} ↔ {right}"
    return f"{lhs} = {rhs}" if op == "==" else left


def fit(result: Sem, names: Names) -> Table:
    """Fit measures, one per row, corrected ones beside them, with the usual limits for reading them."""
    about: dict[Any, Any] = result.glance().iloc[0].to_dict()
    verdict = names.bases.judge(float(about["n"]))
    hidden = Cell(None, base_note(verdict, names.bases))
    kinds = [kind for kind in ("scaled", "robust") if any(f"{name}_{kind}" in about for name in FIT)]

    def cell(name: str, kind: str) -> Cell:
        key = f"{name}_{kind}" if kind else name
        if key == "scaling_scaled":
            key = "scaling"
        if key not in about or (key == "scaling" and not kind):
            return Cell(applies=False)
        if verdict.hidden and name not in SIZES:
            return hidden
        return Cell(float(about[key]), kind=FIT[name])

    return Table(
        "fit",
        Word("title.fit"),
        (
            Column("measure", Word("column.measure")),
            Column("value", Word("column.value"), "estimate"),
            *(Column(kind, Word(f"column.{kind}"), "estimate") for kind in kinds),
            Column("guide", Word("column.guide")),
        ),
        tuple(
            (
                Cell(Word(f"fit.{name}")),
                *(cell(name, kind) for kind in ("", *kinds)),
                Cell(Word(f"guide.{name}")) if name in GUIDED else Cell(applies=False),
            )
            for name in FIT
            if name in about and (name != "scaling" or "scaled" in kinds)
        ),
        names.lang,
        notes=tuple(notes_of(result, names)),
    )

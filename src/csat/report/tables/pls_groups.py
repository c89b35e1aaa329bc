"""Tables of path models of composites in groups: differences, invariance, and segments that no column tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.report.format import number
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.remarks import remark
from csat.report.tables.cells import Show, describe, interval, objects, only_where
from csat.report.tables.model import sample_notes
from csat.report.tables.structural import chance_of
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.composites import Micom, PlsDifferences, Segments

N = ("n",)
#: Kind of figure of a path model → its word.
KINDS: Mapping[str, str] = {
    "weight": "relation.weight",
    "loading": "relation.loading",
    "path": "relation.path",
    "total": "effect.total",
    "indirect": "effect.indirect",
}
#: Figures of the steps of an invariance test, in their order.
STEPS = ("c", "mean", "variance")
#: A remark on one of several pairs of groups.
OF_PAIR = re.compile(r"(?P<one>.+?) and (?P<other>.+?): (?P<note>(?:No labels|Only|\d+ of) .+)$", re.DOTALL)


def construct_text(code: str, names: Names) -> str:
    """Text of a construct, or of a product of constructs ("image:quality")."""
    return " × ".join(names.construct(part) for part in code.split(":"))


def kind_word(kind: str) -> Word:
    """A kind of figure in words."""
    return Word(KINDS.get(kind, f"column.{kind}"))


def relation_text(kind: str, lhs: str, rhs: str, names: Names) -> str:
    """What a figure is about: what leads to what; of a figure of a construct, the construct."""
    left = construct_text(lhs, names)
    if kind == "loading":
        return f"{left} → {names.code(rhs)}"
    if kind == "weight":
        return f"{names.code(rhs)} → {left}"
    return f"{construct_text(rhs, names)} → {left}" if kind in KINDS else left


def group_label(label: str, names: Names) -> str:
    """Text of a group, by its categories."""
    return " · ".join(names.category(part) for part in label.split(" × "))


def differences(result: PlsDifferences, names: Names) -> Table:
    """Figure of a group minus that of another, with its test; after a permutation, also what chance would give."""
    frame = result.tidy()
    rows = list(zip(frame["kind"], frame["lhs"], frame["rhs"], strict=True))
    frame = frame.assign(
        n=result.estimates.n,
        about=[relation_text(*row, names) for row in rows],
        kind=objects([kind_word(kind) for kind, _, _ in rows]),
        note=[str(result.estimates.unavailable.get(i, "")) for i in range(len(frame))],
        **{side: [group_label(label, names) for label in frame[side]] for side in ("group", "against")},
    )
    permuted = result.null_low is not None
    level = result.estimates.level
    chance = [
        Show(f"null_{end}", "estimate", N, Word(f"column.null_{end}", {"level": level})) for end in ("low", "high")
    ]
    shows = [
        Show("kind", heading=Word("column.relation")),
        Show("about", heading=Word("column.parameter")),
        Show("group"),
        Show("against"),
        Show("estimate", "estimate", N, Word("column.difference")),
        Show("se", "estimate", N),
        *interval(level, N, "estimate"),
        *(chance if permuted else []),
        Show("p", "p_value", N),
        *([Show("p_adjusted", "p_value", N, Word("column.adjusted_p"))] if result.adjust != "none" else []),
        Show("n", "count", heading=Word("column.n_smaller")),
    ]
    notes = [*_of_differences(result, names), *(exchange_word(note, names) for note in result.notes)]
    title = Word("title.pls_differences")
    return describe("pls_differences", title, frame, shows, names, notes=notes, label="about")


def _of_differences(result: PlsDifferences, names: Names) -> list[Word]:
    said = [Word("note.pls_differences"), Word(f"note.pls_by_{result.method}")]
    if result.used is not None:
        said.append(_permuted(int(result.used.min(initial=result.permutations)), result.permutations, result.words))
    if result.omnibus is not None:
        blanks: dict[str, Any] = {}
        for row in result.omnibus.to_dict("records"):
            blanks[row["distance"]] = number(float(row["statistic"]), "estimate")
            blanks[f"p_{row['distance']}"] = chance_of(float(row["p"]), names)
        said.append(Word("note.pls_omnibus", blanks))
    said += errors_notes(result.estimates.provenance.variance)
    return [*said, Word(f"note.pls_adjust_{result.adjust}"), Word("note.pls_same_constructs")]


def _permuted(used: int, asked: int, units: str) -> Word:
    return Word("note.pls_permuted", {"used": used, "asked": asked, "units": units_word(units)})


def units_word(units: str) -> Word:
    """Whose labels were exchanged, or who was drawn."""
    return Word(f"units.{units.replace(' ', '_')}")


def errors_notes(variance: str) -> list[Word]:
    """How standard errors were made, of the `variance` of a provenance; nothing if there are none."""
    if variance == "none":
        return []
    word = _worded(variance)
    return [word if isinstance(word, Word) else Word("note.se_other", {"kind": word})]


def exchange_word(said: str, names: Names) -> Word | str:
    """A remark on permutations in words, with the pair of groups that it is about."""
    word = _worded(said)
    pair = None if isinstance(word, Word) else OF_PAIR.match(said)
    if pair is None:
        return word
    ends = " ↔ ".join(group_label(pair[side], names) for side in ("one", "other"))
    return Word("note.of_group", {"group": ends, "note": _worded(pair["note"])})


def _worded(said: str) -> Word | str:
    word = remark(said)
    if not isinstance(word, Word):
        return word
    blanks = dict(word.blanks)
    if "units" in blanks:
        blanks["units"] = units_word(str(blanks["units"]))
    if "scheme" in blanks:
        blanks["scheme"] = Word(f"scheme.{blanks['scheme']}")
    return replace(word, blanks=blanks)


def micom(result: Micom, names: Names) -> Table:
    """Steps of the invariance test, three rows for each pair of groups and construct, and a verdict."""
    tidy = result.tidy().assign(n=np.repeat(result.sizes, len(result.constructs)))
    rows = [_step(row, step) for row in tidy.to_dict("records") for step in STEPS]
    frame = pd.DataFrame(rows).assign(
        construct=[construct_text(row["construct"], names) for row in rows],
        step=objects([Word(f"micom.{row['step']}") for row in rows]),
        verdict=objects([row["verdict"] for row in rows]),
        null_high=objects([row["null_high"] for row in rows]),
        **{side: [group_label(row[side], names) for row in rows] for side in ("group", "against")},
    )
    level = {"level": result.level}
    shows = [
        Show("group"),
        Show("against"),
        Show("construct"),
        Show("step", heading=Word("column.invariance_step")),
        Show("value", "estimate", N),
        Show("null_low", "estimate", N, Word("column.null_low", level)),
        Show("null_high", "estimate", N, Word("column.null_high", level)),
        Show("p", "p_value", N),
        Show("verdict", base=N),
        Show("n", "count", heading=Word("column.n_smaller")),
    ]
    notes = [
        Word("micom.configural", {"said": _worded(result.configural)}),
        Word("micom.steps", {"alpha": 1 - result.level}),
        _permuted(int(result.used.min()), result.permutations, result.words),
        *(exchange_word(note, names) for note in result.notes),
    ]
    return describe("micom", Word("title.micom"), frame, shows, names, notes=notes, label="construct")


def _step(row: dict[Any, Any], step: str) -> dict[str, Any]:
    """One step of one construct; the verdict stands in the first."""
    first = step == STEPS[0]
    verdict = "" if row["invariance"] is None else Word(f"micom.{row['invariance']}")
    return {
        **{name: row[name] for name in ("group", "against", "construct", "n")},
        "step": step,
        "value": row[step],
        "null_low": row[f"{step}_low"],
        "null_high": None if first else row[f"{step}_high"],
        "p": row[f"{step}_p"],
        "verdict": verdict if first else None,
    }


def criteria(result: Segments, names: Names) -> Table:
    """Criteria for the number of segments."""
    frame = result.criteria.assign(n=len(result.probabilities))
    several = frame["segments"] > 1
    frame = frame.assign(**{name: only_where(several, frame[name]) for name in ("entropy", "agreeing")})
    shows = [
        Show("segments", "count"),
        Show("loglik", "statistic", N, Word("fit.loglik")),
        Show("parameters", "count"),
        *(Show(name, "statistic", N) for name in ("aic", "aic3", "aic4", "bic", "caic")),
        Show("entropy", "score", N),
        Show("agreeing", "count"),
    ]
    notes = [Word("note.criteria", {"starts": result.starts}), *notes_of_segments(result, names)]
    return describe("segments", Word("title.segments"), frame, shows, names, notes=notes, label="segments")


def paths(result: Segments, names: Names) -> Table:
    """Paths of everybody and of each segment, then the shares of explained variance."""
    tidy = result.tidy()
    sizes = tidy.drop_duplicates("segment")
    wide = tidy.pivot(index=["lhs", "rhs"], columns="segment", values="estimate").reindex(list(result.names))
    explained = tidy.drop_duplicates(["segment", "lhs"]).pivot(index="lhs", columns="segment", values="r2")
    outcomes = list(dict.fromkeys(lhs for lhs, _ in result.names))
    columns: dict[str, Any] = {
        "kind": objects([Word("relation.path")] * len(wide) + [Word("column.r2")] * len(outcomes)),
        "about": [relation_text("path", lhs, rhs, names) for lhs, rhs in result.names]
        + [construct_text(code, names) for code in outcomes],
        "whole": objects([*result.whole.tolist(), *[None] * len(outcomes)]),
        "n": len(result.probabilities),
    }
    shows = [
        Show("kind", heading=Word("column.relation")),
        Show("about", heading=Word("column.parameter")),
        Show("whole", "estimate", N, Word("column.everybody")),
    ]
    for row in sizes.to_dict("records"):
        k, blanks = row["segment"], {"k": row["segment"], "share": row["share"], "n": row["n"]}
        columns |= {f"s{k}": [*wide[k], *explained.loc[outcomes, k]], f"n{k}": row["n"]}
        shows.append(Show(f"s{k}", "estimate", (f"n{k}",), Word("column.segment", blanks)))
    notes = [Word("note.segments"), *notes_of_segments(result, names)]
    title = Word("title.segment_paths")
    return describe("segment_paths", title, pd.DataFrame(columns), shows, names, notes=notes, label="about")


def notes_of_segments(result: Segments, names: Names) -> list[Word]:
    """Who counts, and that segments were found, not given."""
    return [Word("note.segments_found"), *sample_notes(len(result.probabilities), result.left_out, names.bases)]

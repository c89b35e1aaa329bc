"""Tables of how firm a verdict is: under other operators, other weights, and against all groups together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, level_of, objects, only_where
from csat.report.tables.evaluation import counted, fuzzy, grade_text, names_of_groups, nodes_named
from csat.report.tables.evaluation_notes import node, probability_notes, scale_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.fuzzy import Evaluation

N = ("n",)
#: Why no change of a weight flips a verdict, in the engine's words → key of the catalogues.
WHY = {
    "the only child": "fuzzy.flip.only",
    "no weight from 0 to 1 flips it": "fuzzy.flip.never",
    "no valid answers": "fuzzy.flip.unknown",
}


def operators(result: Evaluation, names: Names) -> Table:
    """The verdict under each operator: of the index and its dimensions; of groups, of their index."""
    tidy = strip(result)
    groups = names_of_groups(tidy)
    frame = nodes_named(tidy, groups, names)
    frame["level"] = frame["operator"]
    frame["operator"] = objects([Word(f"operator.{name}") for name in tidy["operator"]])
    frame["strongest"] = [grade_text(grade, names) for grade in tidy["verdict"]]
    frame["about strongest"] = objects([Word("fuzzy.note.tied") if several else "" for several in tidy["tied"]])
    frame["agree"] = objects([Word("fuzzy.yes" if same else "fuzzy.no") for same in tidy["agree"]])
    scored = bool(np.isfinite(result.grade_scores).all())
    drawn = bool(result.replicates)
    shows = [
        *group_shows(groups, names),
        Show("term"),
        fuzzy("operator"),
        fuzzy("strongest", base=N),
        *([fuzzy("probability", "chance", N)] if drawn else []),
        *([Show("score", "score", N, marked=True)] if scored else []),
        *([Show("se", "score", N)] if scored and drawn else []),
        fuzzy("agree", base=N),
        *counted(frame),
    ]
    agreement = [] if groups else _agreement(frame, names)
    made = [*scale_notes(result, names)[1:], *probability_notes(result, frame, names)]
    notes = [Word("fuzzy.note.operators"), *agreement, *made]
    title = Word("fuzzy.title.operators")
    return describe("operators", title, frame, shows, names, groups=groups, label="term", notes=notes)


def strip(result: Evaluation) -> pd.DataFrame:
    """`operators()` of the nodes above the items, or of each group's root, with their bases."""
    tidy = result.operators().rename(columns={"node": "term"})
    tidy["n"] = np.repeat(result.score.n, len(tidy) // len(result.score.n))
    roots = tidy["depth"] == 0 if names_of_groups(tidy) else tidy["kind"] != "item"
    return tidy[roots].reset_index(drop=True)


def _agreement(frame: pd.DataFrame, names: Names) -> list[Word]:
    """Whether all operators give the root the same verdict."""
    root = frame[frame["depth"] == 0]
    if names.bases.judge(float(root["n"].iloc[0])).hidden:
        return []
    same = root["verdict"].nunique() == 1
    return [Word(f"fuzzy.note.operators_{'agree' if same else 'differ'}", {"node": root["term"].iloc[0]})]


def sensitivity(result: Evaluation, names: Names) -> Table:
    """How little each weight must change to flip the verdict of the root, smallest change first."""
    tidy = result.sensitivity()
    groups = groups_of(tidy, "parent")
    edges = len(tidy) // _groups_count(result)
    tidy["n"] = np.repeat(result.score.n[np.asarray(result.score.keys["depth"]) == 0], edges)
    tidy["size"] = tidy["change"].abs()
    order = [name for name in groups if name in tidy]
    place = {label: i for i, label in enumerate(dict.fromkeys(zip(*(tidy[x] for x in order), strict=True)))}
    tidy["group"] = [place[label] for label in zip(*(tidy[x] for x in order), strict=True)] if order else 0
    tidy = tidy.sort_values(["group", "size"], kind="stable", na_position="last").reset_index(drop=True)
    frame = tidy.assign(**{name: names.values(name, list(tidy[name])) for name in groups})
    frame["term"] = tidy["child"]
    frame["level"] = tidy["parent"] + " " + tidy["child"]
    for name in ("parent", "child"):
        frame[name] = objects([node(code, names) for code in tidy[name]])
    for name in ("verdict", "new_verdict"):
        frame[name] = [names.grade(grade) if grade else "" for grade in tidy[name]]
    flips = tidy["change"].notna()
    frame["weight_change"] = only_where(flips, tidy["change"])
    frame["flips_at"] = only_where(flips, tidy["flips_at"])
    frame["why_not"] = objects([Word(WHY[said]) if said in WHY else said for said in tidy["note"]])
    shows = [
        *group_shows(groups, names), fuzzy("parent"), fuzzy("child"), fuzzy("weight", "percent"),
        fuzzy("weight_change", "percentage_points", N), fuzzy("flips_at", "percent", N), fuzzy("new_verdict", base=N),
        fuzzy("why_not", base=N),
    ]  # fmt: skip
    robust = [] if tidy["change"].notna().any() or groups else [Word("fuzzy.note.robust")]
    notes = [Word("fuzzy.note.sensitivity"), *robust, *scale_notes(result, names)[:1]]
    title = Word("fuzzy.title.sensitivity")
    return describe("sensitivity", title, frame, shows, names, groups=groups, notes=notes)


def _groups_count(result: Evaluation) -> int:
    return len(result.score.n) // len(result.state.tree.nodes)


def differences(result: Evaluation, names: Names) -> Table:
    """Scores and memberships of each group less those of all groups together: index and dimensions."""
    return apart(result.differences(), names)


def apart(result: object, names: Names) -> Table:
    """The same of `Evaluation.differences()`."""
    tidy = result.tidy().rename(columns={"node": "term"})  # type: ignore[attr-defined]
    groups = names_of_groups(tidy)
    grades: tuple[str, ...] = result.grades  # type: ignore[attr-defined]
    size = 1 + len(grades)
    frame = tidy[tidy["figure"] == "score"].reset_index(drop=True)
    for j, grade in enumerate(grades, 1):
        frame[grade] = tidy["estimate"].to_numpy()[j::size]
    frame = frame[frame["kind"] != "item"].reset_index(drop=True)
    frame = nodes_named(frame, groups, names)
    shown = [grade for grade in grades if frame[grade].notna().any()]
    shows = [
        *group_shows(groups, names),
        Show("term"),
        Show("estimate", "score", N, Word("fuzzy.column.difference"), marked=True),
        *interval(level_of(result), N),
        Show("p", "p_value", N),
        *(Show(grade, "percentage_points", N, names.grade(grade)) for grade in shown),
        Show("n", "count"),
    ]
    title, notes = Word("fuzzy.title.differences"), [Word("fuzzy.note.differences"), Word("note.node_base")]
    return describe("differences", title, frame, shows, names, groups=groups, label="term", notes=notes)

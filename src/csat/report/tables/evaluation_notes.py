"""What is said beside a fuzzy evaluation: how it was made, how its doubt was found, what to beware of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.report.format import number
from csat.report.names import Names
from csat.report.tables.cells import groups_of, judge_rows
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.fuzzy import Evaluation

#: Root over factors that no dimension holds together.
COMPOSITE = "composite"
#: How draws were made, in the engine's words → key of the catalogues; named parts fill the blanks.
DRAWN: Mapping[str, re.Pattern[str]] = {
    "declared": re.compile(r"replicates: (?P<kind>.+)$"),
    "normal_declared": re.compile(r"normal draws, replicates: (?P<kind>.+)$"),
    "linearised": re.compile(r"normal draws, linearisation$"),
    "units": re.compile(r"bootstrap of sampling units"),
    "random_groups": re.compile(r"bootstrap of random groups"),
    "respondents": re.compile(r"bootstrap of respondents"),
}
CALIBRATED = "calibrated weights taken as given"
#: Below this effectiveness the maximum membership should not decide alone.
DOUBTFUL = 0.5
#: Degrees of freedom from which on stated probabilities came true in simulations (docs/coverage.md).
FEW_UNITS = 4


def node(code: str, names: Names) -> Word | str:
    """Text of a node of the tree."""
    text = names.code(code)
    return Word("fuzzy.composite") if code == COMPOSITE == text and names.spoken else text


def scale_notes(result: Evaluation, names: Names) -> list[Word | str]:
    """How the evaluation was made, and whether its score may be held against the index."""
    made = Word(
        "note.evaluation",
        {"operator": Word(f"operator.{result.operator}"), "membership": Word(_membership(result.membership_kind))},
    )
    mean = [Word("note.of_mean")] if result.of == "mean" else []
    return [made, *mean, *([] if comparable(result, names) else [Word("note.fuzzy_scale")])]


def _membership(kind: str) -> str:
    return f"membership.{kind.replace(' ', '_')}"


def comparable(result: Evaluation, names: Names) -> bool:
    """Whether the score stands on the 0–100 of the index: answers keep their score, or have those of the grades."""
    if result.membership_kind in ("triangular", "typed in"):
        return True
    asked = names.questionnaire
    if asked is None or not asked.leaves:
        return False
    scores = {grade.score for grade in asked.grades}
    return all(_on_grades(asked.scale_of(leaf), scores) for leaf in asked.leaves)


def _on_grades(scale: Any, scores: set[float]) -> bool:
    return bool(scale.levels) and set(np.round(scale.score(np.array(scale.levels, float)), 9).tolist()) <= scores


def probability_notes(
    result: Evaluation, frame: pd.DataFrame, names: Names, *, decisive: bool = False
) -> list[Word | str]:
    """How probabilities came about; with `decisive`, also whether the verdict on the root can be relied on.

    frame : `Evaluation.verdicts()`, of which hidden bases are not spoken of.
    """
    return [*_drawn_notes(result, names), *(_doubts(frame, names) if decisive else ())]


def _drawn_notes(result: Evaluation, names: Names) -> Iterator[Word]:
    found = {remark.kind: remark.figures for remark in result.notes}
    if result.replicates:
        made = drawn(str(found["draws"]["words"])) if "draws" in found else Word("fuzzy.drawn.weights")
        blanks = {"count": result.replicates, "drawn": made, "level": result.score.level}
        yield Word("fuzzy.note.probability", blanks)
        yield from few_units(result)
    for kind in ("weights_drawn", "weights_fixed"):
        if kind in found:
            codes = str(found[kind]["nodes"]).split(", ")
            yield Word(f"fuzzy.note.{kind}", {"nodes": _listed([node(code, names) for code in codes], names)})
    if "undefined" in found:
        yield Word("fuzzy.note.undefined", dict(found["undefined"]))


def few_units(result: Evaluation) -> list[Word]:
    """That draws of very few sampling units are too sure of the verdict."""
    least = float(np.min(result.score.df))
    return [Word("fuzzy.note.few_units", {"df": least})] if result.replicates and least < FEW_UNITS else []


def _listed(texts: Sequence[Word | str], names: Names) -> str:
    from csat.report.words import words

    return names.listed([words(names.lang).say(text) for text in texts])


def drawn(said: str) -> Word | str:
    """How draws were made, in words; what has none stays as it is.

    >>> drawn("bootstrap of respondents").key
    'fuzzy.drawn.respondents'
    """
    for key, pattern in DRAWN.items():
        match = pattern.match(said)
        if match:
            made = Word(f"fuzzy.drawn.{key}", match.groupdict())
            return Word("fuzzy.drawn.calibrated", {"drawn": made}) if CALIBRATED in said else made
    return said


def _doubts(frame: pd.DataFrame, names: Names) -> Iterator[Word]:
    """Roots whose verdict rests on a small lead, or is too close to call; of groups, how many."""
    groups = groups_of(frame, "kind")
    roots = frame[frame["depth"] == 0]
    bases = judge_rows(roots, ("n",), groups, names.bases)
    shown = roots[[not base.hidden for base in bases]]
    weak = shown["effectiveness"] < DOUBTFUL
    close = ~shown["decided"] & shown["probability"].notna()
    if groups:
        for kind, found in (("not_effective_groups", weak), ("close_groups", close)):
            if found.any():
                yield Word(f"fuzzy.note.{kind}", {"count": int(found.sum()), "all": len(shown)})
        return
    for row in shown[weak].to_dict("records"):
        yield Word("fuzzy.note.not_effective", {"node": row["term"], "alpha": row["effectiveness"]})
    for row in shown[close].to_dict("records"):
        blanks = {"node": row["term"], "grade": names.grade(row["verdict"])}
        yield Word("fuzzy.note.close", blanks | {"probability": number(row["probability"], "chance")})

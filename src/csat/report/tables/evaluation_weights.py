"""Tables of factor weights: their figures, the judges behind them, and several sets compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, interval, level_of, objects
from csat.report.tables.evaluation import counted, fuzzy, grade_text
from csat.report.tables.evaluation_notes import node, probability_notes, scale_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.fuzzy import Ahp, FactorWeights, WeightComparison
    from csat.fuzzy.weights import Note

N = ("n",)
#: Ways of weighing whose n counts respondents.
MEASURED = frozenset({"entropy", "cv", "critic", "sd", "mean", "drivers", "sem", "pls"})


def weights(result: FactorWeights, names: Names) -> Table:
    """Each factor's weight with its interval and rank, in their order."""
    return _weights(result, result.tidy(), names, [])


def of_judges(result: Ahp, names: Names) -> Table:
    """The same of pairwise judgements, with the range of several judges, and how consistent they are."""
    return _weights(result.weights, result.tidy(), names, _judges_note(result))


def _weights(result: FactorWeights, tidy: pd.DataFrame, names: Names, notes: list[Word]) -> Table:
    base = N if result.method in MEASURED else ()
    frame = tidy.assign(weight=tidy["estimate"], factor=objects([node(code, names) for code in tidy["term"]]))
    judged = [fuzzy(name, "percent") for name in ("judge_low", "judge_high", "judge_sd") if name in frame]
    sure = [Show("se", "percent", base), *interval(level_of(result), base, "percent")] if result.uncertain else []
    shows = [
        fuzzy("factor"), fuzzy("weight", "percent", base, marked=True), *sure, Show("rank", "plain", base), *judged,
        *([Show("n", "count")] if base else []),
    ]  # fmt: skip
    title = Word("fuzzy.title.weights", {"method": method_word(result.method)})
    said = [*notes, *weighing_notes(result.notes, names)]
    return describe("factor_weights", title, frame, shows, names, label="factor", notes=said)


def method_word(method: str) -> Word:
    """How weights were made."""
    return Word(f"fuzzy.method.{method}")


def weighing_notes(notes: Iterable[Note], names: Names) -> Iterator[Word]:
    """Notes on weights, in words."""
    return (Word(f"weighing.{note.kind}", {"term": _about(note.term, names), **note.figures}) for note in notes)


def _about(term: str, names: Names) -> Word | str:
    """A factor's text, or the method's whose weights a combination takes part from."""
    from csat.report.words import words

    text = node(term, names)
    known = f"fuzzy.method.{term}" in words(names.lang)
    return method_word(term) if known and text == term and names.spoken else text


def _judges_note(result: Ahp) -> list[Word]:
    return [Word("fuzzy.note.judges", {"aggregation": Word(f"fuzzy.aggregation.{result.aggregation}")})]


def judges(result: Ahp, names: Names) -> Table:
    """A row per judge: share, consistency, and the judge's own weights."""
    frame = result.by_judge()
    frame["judge_share"] = frame["share"]
    frame["judge"] = [name or str(place) for place, name in enumerate(frame["judge"], 1)]
    frame["consistent"] = objects([Word("fuzzy.yes" if good else "fuzzy.no") for good in frame["consistent"]])
    shows = [
        fuzzy("judge"), fuzzy("judge_share", "percent"), fuzzy("cr", "estimate"), fuzzy("gci", "estimate"),
        fuzzy("consistent"), *(Show(code, "percent", heading=_heading(code, names)) for code in result.factors),
    ]  # fmt: skip
    notes = [*_judges_note(result), *weighing_notes(result.notes, names)]
    return describe("judges", Word("fuzzy.title.judges"), frame, shows, names, label="judge", notes=notes)


def judgements(result: Ahp, names: Names) -> Table:
    """The matrix of pairwise judgements: the row's factor over the column's."""
    frame = pd.DataFrame(result.matrix, columns=list(result.factors))
    frame.insert(0, "factor", objects([node(code, names) for code in result.factors]))
    shows = [fuzzy("factor"), *(Show(code, "score", heading=_heading(code, names)) for code in result.factors)]
    title = Word("fuzzy.title.judgements")
    return describe("judgements", title, frame, shows, names, label="factor", notes=_judges_note(result))


def consistency(result: Ahp, names: Names) -> Table:
    """λmax, CI, RI, CR and GCI of the judgements together, and how far the judges agree."""
    kinds = {"factors": "count", "judges": "count", "agreement": "score"}
    columns = ("factors", "judges", "lambda_max", "ci", "ri", "cr", "gci", "gci_limit", "agreement")
    shown = [name for name in columns if name != "agreement" or len(result.judges) > 1]
    shows = [fuzzy(name, kinds.get(name, "estimate")) for name in shown]  # type: ignore[arg-type]
    notes = [*_judges_note(result), *weighing_notes(result.notes, names)]
    return describe("consistency", Word("fuzzy.title.consistency"), result.glance(), shows, names, notes=notes)


def _heading(code: str, names: Names) -> Word | str:
    return node(code, names)


def comparison(result: WeightComparison, names: Names) -> Table:
    """A row per set of weights (and group): the weights, the root's score, the verdict and how sure it is."""
    tidy = result.tidy()
    groups = list(result.by)
    frame = tidy.assign(**{name: names.values(name, list(tidy[name])) for name in groups})
    frame["term"], frame["n"] = tidy["set"], root_bases(result)
    frame["set"] = objects([set_text(name, names) for name in tidy["set"]])
    frame["strongest"] = [grade_text(grade, names) for grade in tidy["verdict"]]
    frame["same_as_most"] = objects([Word("fuzzy.yes" if same else "fuzzy.no") for same in tidy["agree"]])
    scored, drawn = bool(tidy["score"].notna().any()), bool(tidy["probability"].notna().any())
    sure = bool(tidy["se"].notna().any())
    shows = [
        fuzzy("set"),
        *group_shows(groups, names),
        *([] if groups else [Show(f"weight_{f}", "percent", heading=_heading(f, names)) for f in result.factors]),
        *([Show("score", "score", N, marked=True)] if scored else []),
        *(interval(level_of(result.evaluations[0]), N) if scored and sure else []),
        fuzzy("strongest", base=N),
        *([fuzzy("probability", "chance", N)] if drawn else []),
        fuzzy("same_as_most", base=N),
        *([fuzzy("group_rank", "plain", N)] if groups else []),
        *counted(frame),
    ]
    notes = [*comparison_notes(result, names), *_notes_of_sets(result, names)]
    title = Word("fuzzy.title.comparison")
    return describe("weight_comparison", title, frame, shows, names, groups=groups, label="set", notes=notes)


def root_bases(result: WeightComparison) -> np.ndarray:
    """(L·D,) respondents behind the root's score under each set."""
    found = []
    for evaluation in result.evaluations:
        at = np.flatnonzero(np.asarray(evaluation.score.keys["depth"]) == 0)
        found.append(np.asarray(evaluation.score.n, float)[at])
    return np.concatenate(found)


def set_text(name: str, names: Names) -> Word | str:
    """A set's own name; a method's that stands for it."""
    from csat.report.words import words

    return method_word(name) if names.spoken and f"fuzzy.method.{name}" in words(names.lang) else name


def comparison_notes(result: WeightComparison, names: Names) -> list[Word | str]:
    """How stable ranks and verdicts are, and how probabilities came about."""
    first = result.evaluations[0]
    changing = int((result.verdict != result.verdict[0]).any(axis=0).sum())
    several = len(result.domains) > 1
    notes: list[Word | str] = []
    if np.isfinite(result.concordance):
        notes.append(Word("fuzzy.note.concordance", {"sets": len(result.sets), "w": result.concordance}))
    if np.isfinite(result.group_concordance):
        notes.append(Word("fuzzy.note.group_concordance", {"w": result.group_concordance}))
    if not any(names.bases.judge(float(n)).hidden for n in root_bases(result)):
        changes = Word("fuzzy.note.verdict_change") if changing else Word("fuzzy.note.verdict_same")
        counted = Word("fuzzy.note.verdict_changes", {"count": changing, "all": len(result.domains)})
        notes.append(counted if several and changing else changes)
    return [*notes, *scale_notes(first, names), *probability_notes(first, first.verdicts(), names)]


def _notes_of_sets(result: WeightComparison, names: Names) -> Iterator[Word]:
    for name, found in zip(result.sets, result.weights, strict=True):
        for note in weighing_notes(found.notes, names):
            yield Word("fuzzy.note.of_sets", {"set": set_text(name, names), "note": note})


def factors(result: WeightComparison, names: Names) -> Table:
    """A row per factor, a column per set."""
    frame = pd.DataFrame({"factor": objects([node(code, names) for code in result.factors])})
    for name, found in zip(result.sets, result.weights, strict=True):
        frame[f"weight {name}"] = found.values
    shows = [
        fuzzy("factor"),
        *(Show(f"weight {name}", "percent", heading=set_text(name, names)) for name in result.sets),
    ]
    title = Word("fuzzy.title.factors")
    notes = [Word("fuzzy.note.concordance", {"sets": len(result.sets), "w": result.concordance})]
    shown = notes if np.isfinite(result.concordance) else []
    return describe("weights_by_factor", title, frame, shows, names, label="factor", notes=shown)


def pairs(result: WeightComparison, names: Names) -> Table:
    """Two sets at a time: how far weights, ranks, scores and verdicts are apart."""
    tidy = result.pairs()
    frame = tidy.assign(n=float(np.nanmin(np.append(root_bases(result), np.inf))))
    for name in ("set", "against"):
        frame[name] = objects([set_text(one, names) for one in tidy[name]])
    several = len(result.domains) > 1
    shows = [
        fuzzy("set"), Show("against"), fuzzy("largest_gap", "percentage_points"), fuzzy("tau", "score"),
        *([fuzzy("group_tau", "score", N)] if several else []), fuzzy("score_gap", "score", N),
        *([fuzzy("same_verdicts", "percent", N)] if several else []),
    ]  # fmt: skip
    return describe(
        "weight_pairs", Word("fuzzy.title.pairs"), frame, shows, names, notes=comparison_notes(result, names)
    )

"""Tables of what to do first: importance against performance, and rewards against penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.report.description import Kind
from csat.report.format import number
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, level_of, named, objects
from csat.report.tables.driver import N, ends, error_note, ordered_by, respondents, terms_named
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.drivers.maps.contrasts import Asymmetry
    from csat.drivers.maps.maps import Ipa

LOW, HIGH = ("n_low", "n_middle"), ("n_high", "n_middle")
ALL_BANDS = ("n_low", "n_middle", "n_high")
#: Unit of importance → kind of its figures; others are estimates.
UNITS: dict[str, Kind] = {"per cent": "percent", "points": "score", "scale": "score"}
#: Quadrants in the order of Martilla and James.
ZONES = ("keep_up", "concentrate", "low_priority", "overkill")


def importance_kind(result: Ipa) -> Kind:
    """How the figures of importance are written."""
    return UNITS.get(result.importances.unit, "estimate")


def ipa(result: Ipa, names: Names) -> Table:
    """Importance and performance with intervals, the quadrant, and how sure that is."""
    groups, kind = list(result.by), importance_kind(result)
    frame = _map_rows(result, names)
    if kind == "percent":
        frame[["importance", "importance_low", "importance_high"]] /= 100
    level = level_of(result)
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        Show("importance", kind, N, importance_word(result), marked=True),
        *ends("importance", level, kind=kind),
        Show("performance", "score", N),
        *ends("performance", level, kind="score"),
        Show("quadrant", base=N),
        Show("p_quadrant", "chance", N),
    ]
    notes = [*_cut(result), Word("note.p_quadrant"), *_who(result, names)]
    return describe("ipa", title_of(result, names), frame, shows, names, groups=groups, notes=notes, label="term")


def title_of(result: Ipa, names: Names) -> Word:
    """Title with the outcome, where there is one."""
    if result.outcome is None:
        return Word("title.ipa_stated")
    return Word("title.ipa", {"outcome": names.running(result.outcome)})


def importance_word(result: Ipa) -> Word:
    """What the axis of importance measures."""
    shared = result.importances.unit == "per cent"
    return Word("axis.share") if shared else Word(f"axis.{result.importance}")


def _map_rows(result: Ipa, names: Names) -> pd.DataFrame:
    """The tidy table with texts, most important first within each group."""
    frame = ordered_by(result.tidy(), list(result.by), "importance", rising=False)
    frame = named(frame, list(result.by), names).assign(term=terms_named(frame["term"], names))
    frame["quadrant"] = objects([Word(f"quadrant.{zone}") if zone else "–" for zone in frame["quadrant"]])
    return frame


def _cut(result: Ipa) -> list[Word]:
    """Where the quadrants meet."""
    if result.rule == "iso":
        return [Word("note.cut_iso")]
    if len(result.groups) > 1 and result.rule == "means":
        return [Word("note.cut_means_groups")]
    performance, importance = result.cuts[0]
    kind = importance_kind(result)
    said = number(importance / 100 if kind == "percent" else importance, kind)
    return [Word(f"note.cut_{result.rule}", {"performance": float(performance), "importance": said})]


def _who(result: Ipa, names: Names) -> list[Word]:
    k = len(result.terms)
    method = [Word(f"measure.{result.importance}")] if result.importances.unit == "per cent" else []
    return [*method, *respondents(result.performance.n[::k], result.left_out, names)]


def quadrants(result: Ipa, names: Names) -> Table:
    """The probability of each quadrant."""
    groups = list(result.by)
    frame = _map_rows(result, names)
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        *(Show(f"p_{zone}", "chance", N, Word(f"quadrant.{zone}"), marked=zone == ZONES[0]) for zone in ZONES),
    ]
    notes = [*_cut(result), Word("note.p_quadrant"), *_who(result, names)]
    return describe("quadrants", Word("title.quadrants"), frame, shows, names, groups=groups, notes=notes, label="term")


def priorities(result: Ipa, names: Names) -> Table:
    """Drivers in the order of what a better one promises: coefficient times room above."""
    groups = list(result.by)
    tidy = ordered_by(result.tidy(), groups, "priority")
    frame = named(tidy, groups, names).assign(term=terms_named(tidy["term"], names))
    frame["quadrant"] = objects([Word(f"quadrant.{zone}") if zone else "–" for zone in tidy["quadrant"]])
    level, figure = level_of(result), result.ranked_by
    shows = [
        *group_shows(groups, names),
        Show("priority", "count", N),
        Show("term", heading=Word("column.driver")),
        Show("performance", "score", N),
        *([] if result.slopes is None else [Show("slope", "estimate", N, _slope(result)), *ends("slope", level)]),
        Show(figure, "score", N, marked=True),
        *ends(figure, level, kind="score"),
        Show("quadrant", base=N),
    ]
    notes = [Word(f"note.priority_{figure}"), *_who(result, names)]
    title = Word("title.priorities")
    return describe("priorities", title, frame, shows, names, groups=groups, notes=notes, label="term")


def _slope(result: Ipa) -> Word:
    known = result.slopes is not None and result.slopes.unit == "points per point"
    return Word("column.slope" if known else "column.coefficient")


def asymmetry(result: Asymmetry, names: Names) -> Table:
    """Penalty of low and reward of high answers with intervals, and the class of each driver."""
    frame = effect_rows(result, names)
    level = result.estimates.level
    shows = [
        Show("term", heading=Word("column.driver")),
        Show("penalty", "score", LOW, marked=True),
        *ends("penalty", level, LOW, "score"),
        Show("reward", "score", HIGH, marked=True),
        *ends("reward", level, HIGH, "score"),
        Show("class"),
        Show("n_low", "count"),
        Show("n_middle", "count"),
        Show("n_high", "count"),
    ]
    classes = [Word(f"class_meaning.{found}") for found in dict.fromkeys(result.classes)]
    notes = [*classes, *effect_notes(result, names)]
    title = Word("title.asymmetry", {"outcome": names.running(result.outcome)})
    return describe("asymmetry", title, frame, shows, names, notes=notes)


def effect_rows(result: Asymmetry, names: Names) -> pd.DataFrame:
    """The tidy table with texts, the widest effect first; a class carries what stands in its way."""
    tidy = result.tidy()
    odd = dict(zip(tidy["term"], _strange(result), strict=True))
    frame = ordered_by(tidy, [], "range", rising=False)
    frame["about class"] = objects([Word("beware.strange") if odd[term] else "" for term in frame["term"]])
    frame["about class"] = objects(
        [_hindered(note) or about for note, about in zip(frame["note"], frame["about class"], strict=True)]
    )
    frame["class"] = objects([Word(f"class.{found}") for found in frame["class"]])
    frame["term"] = terms_named(frame["term"], names)
    return frame


def _hindered(note: str) -> Word | None:
    from csat.results import REASONS

    return next((Word(f"reason.{key}") for key, text in REASONS.items() if note and text == note), None)


def _strange(result: Asymmetry) -> np.ndarray:
    """(k,) whether a penalty is surely above, or a reward surely below 0."""
    sides = result.estimates.estimate.reshape(2, -1) * np.array([[-1.0], [1.0]])
    with np.errstate(invalid="ignore"):
        return np.asarray(((result.adjusted_p[:2] < 1 - result.estimates.level) & (sides < 0)).any(axis=0))


def effect_notes(result: Asymmetry, names: Names) -> list[Word | str]:
    """Which answers count as low and high, the limit of what is negligible, the tests, and who counts."""
    spans = result.tidy()[["low_answers", "high_answers"]].drop_duplicates()
    low, high = spans.iloc[0]
    bands = Word("note.bands", {"low": low, "high": high}) if len(spans) == 1 else Word("note.bands_differ")
    n = float(result.estimates.n[0])
    return [
        bands,
        Word("note.negligible", {"size": number(float(result.negligible), "score"), "unit": unit_word(result)}),
        Word("note.classes", {"alpha": 1 - result.estimates.level}),
        *respondents(n, result.left_out, names),
        *error_note(result.estimates.provenance.variance),
    ]


def unit_word(result: Asymmetry) -> Word:
    """What penalties and rewards are measured in."""
    return Word("unit.points" if result.estimates.unit == "points" else "unit.other")


def asymmetry_differences(result: Asymmetry, names: Names) -> Table:
    """Reward against penalty: their sum, the whole range, the index of asymmetry."""
    frame = effect_rows(result, names)
    level = result.estimates.level
    shows = [
        Show("term", heading=Word("column.driver")),
        Show("difference", "score", ALL_BANDS, Word("column.reward_minus_penalty"), marked=True),
        *ends("difference", level, ALL_BANDS, "score"),
        Show("adjusted_p", "p_value", ALL_BANDS),
        Show("p_reward", "chance", ALL_BANDS),
        Show("range", "score", ALL_BANDS),
        *ends("range", level, ALL_BANDS, "score"),
        Show("asymmetry", "score", ALL_BANDS),
        *ends("asymmetry", level, ALL_BANDS, "score"),
    ]
    notes = [Word("note.asymmetry"), *effect_notes(result, names)]
    title = Word("title.asymmetry_differences")
    return describe("asymmetry_differences", title, frame, shows, names, notes=notes)

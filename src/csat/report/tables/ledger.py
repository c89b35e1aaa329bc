"""Tables of who answered: what became of every row and cell, and which respondents look careless."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from csat.report.description import Cell, Column, Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, objects
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.read import Ledger, Tally
    from csat.read.weights import WeightReport
    from csat.survey import Quality

#: Reasons whose first rows are shown.
ODD = frozenset({"unknown_code", "out_of_range"})
#: So many questions with such answers are named beside their number; the table of the questions has all.
MOST_ODD = 3
#: Flags of `Quality.glance`, in the order they are shown.
FLAGS = ("straight_line", "too_fast", "duplicate_answers", "any_flag")


#: Figures about the weights and what they are.
WEIGHTS: dict[str, Kind] = {
    "n": "count", "total": "score", "smallest": "score", "largest": "score", "ratio": "score",
    "largest_share": "percent", "n_eff": "score",
}  # fmt: skip


#: How the reader names a sheet of a workbook; its notes that concern everybody, by key of the catalogues.
SHEET = re.compile(r"(?P<file>[^;]+), sheet '(?P<title>[^;]+)'")
READING = {
    "found_by_text": re.compile(r"columns found by name or text: (?P<columns>.+)", re.DOTALL),
    "blank_below": re.compile(r"blank rows below the data: (?P<count>\d+)"),
}


def _is_question(column: str, names: Names) -> bool:
    """Whether a column is a scaled question; without a questionnaire every column counts."""
    return names.questionnaire is None or column in names.questionnaire.codes


def ledger(result: Ledger, names: Names) -> Table:
    """Rows read, left out by reason, kept; then the answers of the kept rows by reason, over the scaled questions."""
    read, kept = max(result.rows_read, 1), result.rows_kept
    left_out = [tally for tally in result.tallies if tally.what == "row"]
    cells: dict[str, int] = {}
    odd: dict[str, list[str]] = {}
    for tally in result.tallies:
        if tally.what == "cell" and _is_question(tally.column, names):
            cells[tally.reason] = cells.get(tally.reason, 0) + tally.count
            if tally.reason in ODD:
                odd.setdefault(tally.reason, []).append(_of_column(tally, names))
    every = max(sum(cells.values()), 1)
    rows = [
        (Word("ledger.rows_read"), result.rows_read, result.rows_read / read, "", 0),
        *((_reason(tally, names), tally.count, tally.count / read, _examples(tally, names), 1) for tally in left_out),
        (Word("ledger.rows_kept"), kept, kept / read, "", 0),
        *(
            (Word(f"ledger.cells_{reason}"), count, count / every, " · ".join(odd.get(reason, [])[:MOST_ODD]), 1)
            for reason, count in cells.items()
        ),
    ]
    questions = len({t.column for t in result.tallies if t.what == "cell" and _is_question(t.column, names)})
    notes: list[Word | str] = [Word("note.source", {"source": _source(result.source)}), *_reading(result.notes)]
    notes += [Word("note.cells", {"questions": questions, "rows": kept})] if cells else []
    return _table("ledger", Word("title.ledger"), rows, names, notes)


def columns(result: Ledger, names: Names) -> Table:
    """What is missing in each scaled question and why, with the first rows of answers that the study does not know."""
    return _missing(result, names, "columns", questions=True)


def other_columns(result: Ledger, names: Names) -> Table:
    """The same of the columns that are no scaled questions: design, groups, identity."""
    return _missing(result, names, "other", questions=False)


def _missing(result: Ledger, names: Names, key: str, *, questions: bool) -> Table:
    missing = [
        tally
        for tally in result.tallies
        if tally.what == "cell" and tally.reason != "valid" and _is_question(tally.column, names) is questions
    ]
    frame = pd.DataFrame(
        [(tally.column, tally.reason, tally.count) for tally in missing], columns=["column", "reason", "count"]
    )
    wide = frame.pivot_table(index="column", columns="reason", values="count", fill_value=0, sort=False)
    reasons = [reason for reason in dict.fromkeys(tally.reason for tally in result.tallies) if reason in wide]
    said = wide.assign(part=wide.sum(axis=1) / max(result.rows_kept, 1)).astype(object).reset_index()
    odd = {tally.column: _examples(tally, names) for tally in missing if tally.reason in ODD}
    said["examples"] = [odd.get(column, "") for column in said["column"]]
    said["column"] = names.codes(list(said["column"]))
    shows = [
        Show("column", heading=Word("column.question" if questions else "column.column")),
        *(Show(reason, "count", heading=Word(f"ledger.cells_{reason}")) for reason in reasons),
        Show("part", "percent", heading=Word("column.missing")),
        *([Show("examples")] if odd else []),
    ]
    notes = [Word("note.missing_base", {"rows": result.rows_kept})]
    return describe(key, Word(f"title.{key}"), said, shows, names, notes=notes)


def _table(
    name: str, title: Word, rows: Sequence[tuple[object, ...]], names: Names, notes: Sequence[Word | str]
) -> Table:
    frame = pd.DataFrame(list(rows), columns=["what", "count", "share", "examples", "depth"])
    frame["what"] = objects(list(frame["what"]))
    shows = [
        Show("what"),
        Show("count", "count"),
        Show("share", "percent", heading=Word("column.part")),
        *([Show("examples")] if frame["examples"].any() else []),
    ]
    return describe(name, title, frame, shows, names, notes=notes)


def _source(source: str) -> Word | str:
    """Name of what was read; a sheet of a workbook in words."""
    found = SHEET.fullmatch(source)
    return Word("ledger.sheet", found.groupdict()) if found else source


def _reading(notes: Sequence[str]) -> list[Word | str]:
    """What a reader must know of how the data were read: columns known by their text, rows that hold nothing."""
    found = ((key, pattern.fullmatch(note)) for note in notes for key, pattern in READING.items())
    return [Word(f"ledger.{key}", match.groupdict()) for key, match in found if match]


def _reason(tally: Tally, names: Names) -> Word:
    return Word(f"ledger.{tally.reason}", {"column": names.code(tally.column)})


def _of_column(tally: Tally, names: Names) -> str:
    blanks = {"column": names.code(tally.column), "examples": _examples(tally, names)}
    return words(names.lang).say(Word("ledger.of_column", blanks))


def _examples(tally: Tally, names: Names) -> str:
    say = words(names.lang).say
    places = zip(tally.files or [""] * len(tally.rows), tally.rows, tally.values, strict=True)
    return say(Word("ledger.between")).join(
        say(
            Word(
                f"ledger.{'example' if value else 'place'}{'_in' if file else ''}",
                {"row": row, "value": value, "file": file},
            )
        )
        for file, row, value in places
    )


def quality(result: Quality, names: Names) -> Table:
    """How many respondents bear each flag."""
    about = result.glance().iloc[0].to_dict()
    total = max(int(about["n"]), 1)
    timed = bool(pd.notna(about["seconds_limit"]))
    rows = [
        (
            Word(f"quality.{flag}", {"limit": float(about["seconds_limit"])} if timed else {}),
            int(about[flag]),
            about[flag] / total,
            "",
            0,
        )
        for flag in FLAGS
        if flag != "too_fast" or timed
    ]
    notes: list[Word | str] = [
        Word("quality.base", {"n": int(about["n"])}),
        Word("quality.kept"),
        *([Word("quality.limit", {"limit": float(about["seconds_limit"])})] if timed else []),
    ]
    if about["n"]:
        notes.append(Word("quality.missing", {"share": float(about["missing_share"])}))
    return _table("quality", Word("title.quality"), rows, names, notes)


def missing_texts(result: pd.DataFrame, names: Names) -> Table:
    """What has no text in a language of the study, and what stands in its place (`Questionnaire.missing_texts`)."""
    shows = [Show("table"), Show("key"), Show("lang"), Show("shown")]
    return describe("missing_texts", Word("title.missing_texts"), result, shows, names)


def weight_report(result: WeightReport, names: Names) -> Table:
    """Spread of the weights, and what it costs."""
    columns = (Column("what", Word("column.what")), Column("value", Word("column.value"), "score"))
    rows = [(Cell(Word("weights.column")), Cell(names.code(result.column)))]
    rows += [(Cell(Word(f"weights.{key}")), Cell(float(getattr(result, key)), kind=WEIGHTS[key])) for key in WEIGHTS]
    return Table("weight_report", Word("title.weight_report"), columns, tuple(rows), names.lang)

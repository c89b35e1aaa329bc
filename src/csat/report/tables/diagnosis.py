"""Tables of a diagnosis: what the tests say and what to do, which rows move the regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, objects
from csat.report.tables.driver import N, respondents
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.drivers.diagnostics.diagnosis import Diagnosis

#: Flagged rows that a table shows.
MOST = 20
#: What a test can say against an assumption.
AGAINST = ("unequal_variance", "not_normal", "form_misses")
FIGURES = ("fitted", "residual", "studentized", "leverage", "cooks_d")


def tests(result: Diagnosis, names: Names) -> Table:
    """Each test with what it says in words; a footnote says what follows."""
    frame = result.tests.assign(n=len(result.rows))
    spoken = _spoken_against(result)
    frame["about finding"] = objects(
        [
            Word(f"advice.{kind}") if kind and (about not in spoken or kind in AGAINST) else ""
            for kind, about in zip(frame["kind"], frame["about"], strict=True)
        ]
    )
    frame["finding"] = objects([Word(f"finds.{kind}") if kind else "" for kind in frame["kind"]])
    frame["about"] = objects([Word(f"assumption.{about}") for about in frame["about"]])
    frame["test"] = objects([Word(f"test.{test}") for test in frame["test"]])
    shows = [
        Show("about", heading=Word("column.assumption")),
        Show("test", heading=Word("column.test")),
        Show("statistic", "statistic", N),
        Show("df", "count", N, Word("column.df1")),
        Show("df2", "plain", N),
        Show("p", "p_value", N),
        Show("finding", base=N, heading=Word("column.test_finding")),
    ]
    title = Word("title.diagnosis", {"outcome": names.running(result.outcome)})
    return describe("diagnosis", title, frame, shows, names, notes=notes_of(result, names), label="test")


def _spoken_against(result: Diagnosis) -> set[str]:
    """Assumptions that at least one test speaks against: what another one leaves in peace helps little."""
    return set(result.tests.loc[result.tests["kind"].isin(AGAINST), "about"])


def notes_of(result: Diagnosis, names: Names) -> list[Word | str]:
    """Who counts, and that tests take rows as independent."""
    return [
        Word("note.tests", {"alpha": 1 - result.level}),
        *respondents(len(result.rows), result.left_out, names),
    ]


def flagged(result: Diagnosis, names: Names) -> Table:
    """Rows beyond a limit, the most influential first."""
    beyond = result.flagged
    frame = beyond.head(MOST).reset_index(names="row").assign(n=len(result.rows))
    frame["row"] = frame["row"].astype(str)
    catalogue = words(names.lang)
    frame["limits"] = objects(
        [
            names.listed([catalogue.say(Word(f"limit.{limit}")) for limit in limits.split()])
            for limits in frame["limits"]
        ]
    )
    shows = [
        Show("row"),
        *(Show(name, "estimate" if name in ("leverage", "cooks_d") else "statistic", N) for name in FIGURES),
        Show("limits", base=N, heading=Word("column.beyond")),
    ]
    counts = {"flagged": float(len(beyond)), "shown": float(len(frame)), "n": float(len(result.rows))}
    notes = [Word("note.flagged", counts), Word("note.keep_rows"), *respondents(counts["n"], result.left_out, names)]
    title = Word("title.flagged", {"outcome": names.running(result.outcome)})
    return describe("flagged", title, frame, shows, names, notes=notes)


def limits(result: Diagnosis, names: Names) -> Table:
    """The usual limits, and how many rows are beyond."""
    frame: pd.DataFrame = result.limits.assign(n=len(result.rows))
    frame["limit"] = objects([Word(f"limit.{limit}") for limit in frame["limit"]])
    shows = [
        Show("limit"),
        Show("value", "estimate", N),
        Show("rows", "count", N),
    ]
    notes = respondents(len(result.rows), result.left_out, names)
    return describe("limits", Word("title.limits"), frame, shows, names, notes=notes)

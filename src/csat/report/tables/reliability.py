"""Tables about how well scales are measured: by scale, by item, and how far scales differ from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.report.format import number
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, interval, level_of, objects
from csat.report.tables.model import sample_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.measurement import Reliability
    from csat.measurement.doubts import Remark

N = ("n",)
#: Ways to make standard errors → the sentence about them.
ERRORS = {
    "linearisation": "note.se_scales_design",
    "normal": "note.se_scales_normal",
    "bootstrap": "note.se_scales_bootstrap",
    "refits": "note.se_scales_replicates",
}


def constructs(result: Reliability, names: Names) -> Table:
    """Alpha, omega, CR and AVE of every scale."""
    frame = _said(result.constructs(), result, names)
    level = level_of(result)
    shows = [
        *group_shows(result.by, names),
        Show("scale", heading=Word("column.scale")),
        Show("items", "count", heading=Word("column.items")),
        *_with_interval("alpha", level),
        *_with_interval("omega", level),
        Show("rho_c", "score", N),
        *_with_interval("ave", level),
        Show("n", "count"),
    ]
    notes = [Word("note.reliability"), Word("note.reliability_limits", limits()), *notes_of(result, names)]
    return describe("reliability", Word("title.reliability"), frame, shows, names, notes=notes, label="scale")


def items(result: Reliability, names: Names) -> Table:
    """Items one by one: answers, correlation with the rest, alpha without it, loading."""
    frame = _said(result.items(), result, names)
    shows = [
        *group_shows(result.by, names),
        Show("scale", heading=Word("column.scale")),
        Show("term", heading=Word("column.item")),
        Show("mean", "score", N),
        Show("sd", "score", N),
        Show("missing", "percent", N, Word("column.unanswered")),
        *_with_interval("item_rest", level_of(result)),
        Show("alpha_without", "score", N),
        Show("loading", "score", N, Word("relation.loading")),
        Show("n", "count"),
    ]
    notes = [Word("note.reliability_items"), *notes_of(result, names)]
    return describe(
        "reliability_items", Word("title.reliability_items"), frame, shows, names, notes=notes, label="term"
    )


def pairs(result: Reliability, names: Names) -> Table:
    """HTMT, HTMT2 and correlation of every pair of scales."""
    frame = _said(result.discriminant(), result, names)
    joint = result.factors == "joint"
    shows = [
        *group_shows(result.by, names),
        Show("scale", heading=Word("column.scale")),
        Show("other", heading=Word("column.other_scale")),
        *_with_interval("htmt", level_of(result)),
        Show("htmt2", "score", N),
        *([Show("correlation", "score", N), Show("shared", "score", N)] if joint else []),
        Show("ave_least", "score", N),
        Show("n", "count"),
    ]
    notes = [Word("note.htmt", limits()), *notes_of(result, names)]
    return describe(
        "reliability_pairs", Word("title.reliability_pairs"), frame, shows, names, notes=notes, label="scale"
    )


def discriminant(result: Reliability, names: Names) -> Table:
    """A square for each group: HTMT with its interval below the diagonal, AVE on it, squared correlations above."""
    said = [names.construct(name) for name in result.scales.names]
    columns = [f"scale {name}" for name in result.scales.names]
    parts = [_square(result, domain) for domain in result.domains]
    frame = pd.concat([pd.DataFrame(objects_of(part), columns=columns) for part in parts], ignore_index=True)
    size = len(said)
    labels = {name: [d[i] for d in result.domains for _ in range(size)] for i, name in enumerate(result.by)}
    frame = frame.assign(
        **{name: names.values(name, column) for name, column in labels.items()},
        scale=said * len(parts),
        n=np.repeat(result.sizes, size),
    )
    shows = [
        *group_shows(result.by, names),
        Show("scale", heading=Word("column.scale")),
        *(Show(column, "score", N, heading) for column, heading in zip(columns, said, strict=True)),
        Show("n", "count"),
    ]
    notes = [
        Word(
            "note.discriminant" if result.factors == "joint" else "note.discriminant_separate",
            {"level": level_of(result)},
        ),
        Word("note.htmt", limits()),
        *notes_of(result, names),
    ]
    return describe("discriminant", Word("title.discriminant"), frame, shows, names, notes=notes, label="scale")


def objects_of(square: list[list[str | float | None]]) -> np.ndarray:
    """Texts, figures and empty cells as one array."""
    return np.stack([objects(row) for row in square])


def _square(result: Reliability, domain: tuple[str, ...]) -> list[list[str | float | None]]:
    scales = result.scales.names
    own, relations = (_of_group(frame, result, domain) for frame in (result.constructs(), result.discriminant()))
    cells: list[list[str | float | None]] = [[None] * len(scales) for _ in scales]
    for at, value in enumerate(own["ave"]):
        cells[at][at] = None if len(result.scales.members[at]) < 2 else float(value)
    place = {name: at for at, name in enumerate(scales)}
    for row in relations.to_dict("records"):
        a, b = place[row["scale"]], place[row["other"]]
        figures = [number(float(row[name]), "score") for name in ("htmt", "htmt_low", "htmt_high")]
        cells[b][a] = f"{figures[0]} [{figures[1]}; {figures[2]}]"
        cells[a][b] = float(row["shared"]) if result.factors == "joint" else None
    return cells


def _of_group(frame: pd.DataFrame, result: Reliability, domain: tuple[str, ...]) -> pd.DataFrame:
    for name, label in zip(result.by, domain, strict=True):
        frame = frame[frame[name] == label]
    return frame


def _said(frame: pd.DataFrame, result: Reliability, names: Names) -> pd.DataFrame:
    """Scales, items and groups by their texts."""
    said = {name: names.values(name, list(frame[name])) for name in result.by}
    for column in {"scale", "other"} & {*frame}:
        said[column] = [names.construct(code) for code in frame[column]]
    if "term" in frame:
        said["term"] = names.codes(list(frame["term"]))
    return frame.assign(**said)


def _with_interval(name: str, level: float) -> list[Show]:
    ends = [Show(f"{name}_{show.name}", show.kind, N, show.heading) for show in interval(level)]
    return [Show(name, "score", N), *ends]


def limits() -> dict[str, str]:
    """The usual limits, as a sentence shows them."""
    from csat.measurement import LIMITS

    enough, better = (number(value, "score") for value in LIMITS["alpha"])
    low, high = (number(value, "score") for value in LIMITS["htmt"])
    return {"alpha": enough, "better": better, "ave": number(LIMITS["ave"][0], "score"), "low": low, "high": high}


def notes_of(result: Reliability, names: Names) -> list[Word]:
    """Remarks on the scales, who counts, and how the standard errors were made."""
    about = result.estimates.provenance
    made = about.variance.split()[0].rstrip(",")
    counted = sample_notes(min(result.sizes), result.left_out, names.bases) if len(result.sizes) == 1 else []
    if about.sample == "pairwise":
        counted = [Word("note.scales_pairwise")]
    return [
        *(remark_word(remark, result, names) for remark in result.remarks),
        *counted,
        Word(ERRORS.get(made, "note.se_other"), {"kind": about.variance}),
    ]


def remark_word(remark: Remark, result: Reliability, names: Names) -> Word:
    """A remark in the words of the catalogue."""
    group = " · ".join(names.value(by, label) for by, label in zip(result.by, remark.group, strict=False))
    where = (f"（{group}）" if names.lang == "zh" else f" ({group})") if group else ""
    said = names.codes(remark.items)
    blanks = {
        "group": where,
        "scales": names.listed([names.construct(name) for name in remark.scales]),
        "pair": " ↔ ".join(said[:2] or [names.construct(name) for name in remark.scales]),
        "items": names.listed(said[2:] if remark.key == "reversed" else said),
        "value": number(remark.numbers[0], "score") if remark.numbers else "",
        "count": number(remark.numbers[0], "count") if remark.numbers else "",
        "all": number(remark.numbers[-1], "count") if remark.numbers else "",
    }
    return Word(f"scales.{remark.key}", blanks)

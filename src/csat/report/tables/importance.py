"""Tables of relative importance: shares with intervals and ranks, what to beware of, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.report.description import Kind
from csat.report.format import signed
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, interval, level_of, named, objects
from csat.report.tables.driver import N, both, ends, ordered_by, respondents, terms_named, too_few
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.drivers import Importance
    from csat.drivers.relative.notes import Note
    from csat.drivers.relative.ranking import Differences

#: Notes about a figure, and its column; the others about one driver stand beside its name.
ABOUT: dict[str, str] = {"noise": "estimate", "negative_share": "share"}
#: Notes that every table says in its own way: marks and sentences on small bases.
SAID = frozenset({"small_sample"})
SHARES = ("share", "share_low", "share_high")


def importance(result: Importance, names: Names) -> Table:
    """Each driver's share of the explained variance with its interval, largest first."""
    groups = list(result.estimates.keys)
    frame = ordered_by(named(result.tidy(), groups, names), groups, "rank")
    warned = _by_place(result)
    every = list(zip(result.estimates.term, *result.estimates.keys.values(), strict=True))
    places = [every[row] for row in frame.index]
    for column in ("term", "share", "estimate"):
        frame[f"about {column}"] = objects([warned.get((column, *place), "") for place in places])
    frame["term"] = terms_named(frame["code"], names)
    for column in SHARES:
        frame[column] = frame[column] / 100
    shows = [
        *group_shows(groups, names),
        Show("rank", "count", N),
        Show("term", heading=Word("column.driver")),
        Show("share", "percent", N, _share(result), marked=True),
        *ends("share", level_of(result), kind="percent"),
        Show("estimate", "estimate", N, Word("column.r2_points")),
        *([Show("draw_se", "estimate", N)] if result.draws else []),
        Show("rank_low", "count", N),
        Show("rank_high", "count", N),
    ]
    title = Word("title.importance", {"outcome": names.running(result.outcome)})
    notes = notes_of(result, names)
    return describe("importance", title, frame, shows, names, groups=groups, notes=notes, label="term")


def _share(result: Importance) -> Word:
    return Word("column.share" if result.adds_up else "column.share_of_sum")


def _by_place(result: Importance) -> dict[tuple[str, ...], Word]:
    """What to beware of, by column, driver and group: ("term", "P1", labels …)."""
    found: dict[tuple[str, ...], Word] = {}
    for note in result.notes:
        if note.term and note.kind not in (*SAID, "small_pair"):
            place = (ABOUT.get(note.kind, "term"), note.term, *note.group)
            joined = both(found.get(place), _worded(note))
            found |= {place: joined} if joined is not None else {}
    return found


def _worded(note: Note) -> Word:
    """A note with its figures written; correlations and coefficients with their sign."""
    figures = {name: signed(value, "score") if name in ("r", "beta") else value for name, value in note.figures.items()}
    return Word(f"beware.{note.kind}", figures)


def notes_of(result: Importance, names: Names) -> list[Word | str]:
    """How shares are made, what they add up to, who counts, and what to beware of in the whole."""
    single = len(result.groups) == 1
    return [
        Word(f"measure.{result.method}"),
        *([_sum(result)] if single and not too_few(result.estimates.n.min(), names) else []),
        *([Word("note.draws", {"draws": float(result.draws)})] if result.draws else []),
        *_who(result, names),
        Word("note.ranks", {"level": level_of(result)}),
        *whole_notes(result, names),
    ]


def _sum(result: Importance) -> Word:
    figures = {"r2": float(result.r2), "n": float(result.estimates.n.min())}
    if result.r2_always > 0:
        return Word("note.importance_always", figures | {"always": float(result.r2_always)})
    return Word("note.importance" if result.adds_up else "note.importance_alone", figures)


def _who(result: Importance, names: Names) -> list[Word]:
    n = result.glance()["n"].to_numpy(float)
    rule = result.estimates.provenance.sample
    if rule == "listwise":
        return respondents(n, result.left_out, names)
    return [Word(f"note.missing_{rule}", {"n": float(n.min())}), *respondents(n, np.nan, names)[1:]]


def whole_notes(result: Importance, names: Names) -> list[Word]:
    """What to beware of that is not about a row of the table; of a group or another variable with its name."""
    rows, out = set(result.estimates.term), []
    for note in result.notes:
        if note.kind in SAID or note.term in rows:
            continue
        said = Word(f"beware.{note.kind}", {**note.figures, **_pair(note, names)})
        about = [names.value(by, label) for by, label in zip(result.estimates.keys, note.group, strict=False)]
        about += [names.driver(note.term)] if note.term and note.kind != "small_pair" else []
        out.append(Word("note.of_group", {"group": names.listed(about), "note": said}) if about else said)
    return out


def _pair(note: Note, names: Names) -> dict[str, str]:
    return {"names": names.listed(names.drivers(note.term.split(" × ")))} if note.kind == "small_pair" else {}


def differences(result: Importance | Differences, names: Names) -> Table:
    """Differences of importance, with the probability that the first is greater.

    Of an `Importance`: pairs of drivers, the more important one first; with groups, pairs of groups, driver by driver.
    """
    from csat.drivers import Importance

    if not isinstance(result, Importance):
        return _differences(result.tidy(), result, names)
    if len(result.groups) > 1:
        found = result.differences("groups", of="share")
        return _differences(found.tidy(), found, names, result)
    found = result.differences("drivers", of="share")
    return _differences(_falling(found.tidy()), found, names, result)


def _falling(frame: pd.DataFrame) -> pd.DataFrame:
    """Pairs turned so that no difference is negative, largest first."""
    turned = (frame["estimate"] < 0).to_numpy()
    out = frame.copy()
    out["term"], out["against"] = (
        np.where(turned, frame["against"], frame["term"]),
        np.where(turned, frame["term"], frame["against"]),
    )
    out["estimate"] = frame["estimate"].abs()
    out["low"], out["high"] = (
        np.where(turned, -frame["high"], frame["low"]),
        np.where(turned, -frame["low"], frame["high"]),
    )
    out["p_greater"] = np.where(turned, 1 - frame["p_greater"], frame["p_greater"])
    return out.sort_values("estimate", ascending=False, kind="stable")


def _differences(frame: pd.DataFrame, found: Differences, names: Names, whole: Importance | None = None) -> Table:
    of_groups = "group" in frame
    by = [name for name in found.estimates.keys if name not in ("group", "against")]
    frame = named(frame, by, names)
    if of_groups and whole is not None and len(whole.estimates.keys) == 1:
        (column,) = whole.estimates.keys
        frame = frame.assign(**{side: names.values(column, list(frame[side])) for side in ("group", "against")})
    frame["term"] = terms_named(frame["code"], names)
    if not of_groups:
        frame["against"] = terms_named(frame["against"], names)
    of_shares = found.estimates.unit == "per cent"
    if of_shares:
        frame[["estimate", "low", "high"]] /= 100
    kind: Kind = "percentage_points" if of_shares else "estimate"
    shows = [
        *group_shows(by, names),
        Show("term", heading=Word("column.driver")),
        *([Show("group")] if of_groups else []),
        Show("against"),
        Show("estimate", kind, N, Word("column.difference_points" if of_shares else "column.difference"), marked=True),
        *interval(found.estimates.level, N, kind),
        Show("p", "p_value", N),
        Show("p_greater", "chance", N),
    ]
    notes = [Word("note.p_greater"), Word("note.adjust_none")]
    return describe("importance_differences", Word("title.differences"), frame, shows, names, notes=notes)

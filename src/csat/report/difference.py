"""`Revision`: what has changed since an earlier report, from the manifests of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from csat.errors import OptionError
from csat.report.manifest import KEY, Manifest
from csat.results import Shown

#: Figures that differ by no more than this part are the same.
SAME = 1e-9
#: A question whose share of valid answers moves by less is not worth a row.
SHARE_MOVED = 0.05
#: Settings that say which respondents own figures are about; reports that differ here have no figures in common.
ABOUT = ("where", "own", "peer_column")
#: Tables of a study that are compared, but for [report], whose settings the manifest holds itself.
STUDY_PARTS = (
    *("study", "items", "processes", "scales", "dimensions", "columns", "grades"),
    *("design", "weighting", "fuzzy", "bases", "model"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was.

    part : "file", a table of the study, "settings", "sample", "answers", "versions" or "seed".
    place : keys that lead to it within the part.
    what : "added", "gone" or "changed".
    before, after : the values; None on the side where there was none, and for what is a table of its own.
    """

    part: str
    place: tuple[str, ...]
    what: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Revision(Shown):
    """What has changed from one report to a later one.

    before, after : the manifests.
    changes : of files, study, settings, sample and versions.
    comparable : whether figures are about the same kind of respondents.
    compared : figures that both hold and show.
    errors : how many of them differ in the standard error only.
    revised : those that differ themselves, or in their base:
        ``period by group term before after difference se_before se_after n_before n_after``.
    """

    before: Manifest
    after: Manifest
    changes: tuple[Change, ...]
    comparable: bool
    compared: int
    errors: int
    revised: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per change: ``part place what before after``."""
        rows = [(c.part, ".".join(c.place), c.what, c.before, c.after) for c in self.changes]
        return pd.DataFrame(rows, columns=["part", "place", "what", "before", "after"])

    def glance(self) -> pd.DataFrame:
        """One row: number of changes, figures compared and revised, the largest revision."""
        moved = self.revised["difference"].abs()
        return pd.DataFrame(
            {
                "changes": [len(self.changes)],
                "compared": [self.compared],
                "revised": [len(self.revised)],
                "errors": [self.errors],
                "largest": [float(moved.max()) if len(moved) else 0.0],
                "same_data": [self.same("data")],
                "same_questionnaire": [self.before.questionnaire["sha256"] == self.after.questionnaire["sha256"]],
            }
        )

    def same(self, file: str) -> bool:
        """Whether a file ("study", "data") has the same bytes in both."""
        hashes = [one.files[file]["sha256"] for one in (self.before, self.after)]
        return hashes[0] is not None and hashes[0] == hashes[1]


def revision(after: Manifest, before: Manifest) -> Revision:
    """Compare the manifests of two reports.

    Parameters
    ----------
    after : of this report.
    before : of the earlier one.

    Raises
    ------
    OptionError
        If either is no manifest.
    """
    for one in (after, before):
        if not isinstance(one, Manifest):
            raise OptionError(
                f"revision() compares two manifests, not a {type(one).__name__}: read one by csat.read_manifest(path)."
            )
    comparable = all(before.settings.get(key) == after.settings.get(key) for key in ABOUT)
    both = _both(before, after) if comparable else []
    changed = [(was, now) for was, now in both if not _same(was, now, "estimate", "n")]
    errors = sum(_same(was, now, "estimate", "n") and not _same(was, now, "se") for was, now in both)
    return Revision(before, after, tuple(_changes(before, after)), comparable, len(both), errors, _revised(changed))


def _changes(before: Manifest, after: Manifest) -> Iterator[Change]:
    yield from _walk("file", _hashes(before), _hashes(after))
    tables, later = before.questionnaire["tables"], after.questionnaire["tables"]
    for part in STUDY_PARTS:
        yield from _walk(part, tables.get(part, {}), later.get(part, {}))
    yield from _walk("settings", before.settings, after.settings)
    yield from _walk("sample", _whole(before), _whole(after))
    yield from _answers(before.sample, after.sample)
    yield from _walk("versions", before.versions, after.versions)
    yield from _walk("seed", {"seed": before.seed}, {"seed": after.seed})


def _hashes(of: Manifest) -> dict[str, str | None]:
    return {name: entry["sha256"] for name, entry in of.files.items()}


def _whole(of: Manifest) -> dict[str, Any]:
    """What the sample is as a whole, without single questions and reasons."""
    return {key: value for key, value in of.sample.items() if key not in ("answers", "left_out")}


def _walk(part: str, before: Any, after: Any, place: tuple[str, ...] = ()) -> Iterator[Change]:
    """Yield where two nested tables differ; what only one of them has is one change, however much is in it."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        if not _alike(before, after):
            yield Change(part, place, "changed", _value(before), _value(after))
        return
    for key in dict.fromkeys((*before, *after)):
        here = (*place, key)
        if key not in before:
            yield Change(part, here, "added", None, _value(after[key]))
        elif key not in after:
            yield Change(part, here, "gone", _value(before[key]), None)
        else:
            yield from _walk(part, before[key], after[key], here)


def _value(value: Any) -> Any:
    return None if isinstance(value, Mapping) else value


def _alike(before: Any, after: Any) -> bool:
    """Whether two values are the same, numbers up to rounding error."""
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (before, after))
    return abs(before - after) <= SAME * max(1.0, abs(before), abs(after)) if numbers else before == after


def _answers(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Questions of both whose share of valid answers has moved."""
    for code, count in before["answers"].items():
        if code not in after["answers"] or not (before["respondents"] and after["respondents"]):
            continue
        shares = count / before["respondents"], after["answers"][code] / after["respondents"]
        if abs(shares[1] - shares[0]) >= SHARE_MOVED:
            yield Change("answers", (code,), "changed", *shares)


Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def _both(before: Manifest, after: Manifest) -> list[Pair]:
    """Figures that both hold and show, as they were and as they are."""
    old = {tuple(figure[key] for key in KEY): figure for figure in before.figures}
    pairs = ((old.get(tuple(figure[key] for key in KEY)), figure) for figure in after.figures)
    return [(was, now) for was, now in pairs if was and was["estimate"] is not None and now["estimate"] is not None]


def _same(was: Mapping[str, Any], now: Mapping[str, Any], *keys: str) -> bool:
    return all(_alike(was[key], now[key]) for key in keys)


def _revised(changed: Iterable[Pair]) -> pd.DataFrame:
    """A row per pair, the largest revision first."""
    rows = [
        (
            *(now[key] for key in KEY),
            *(was["estimate"], now["estimate"], now["estimate"] - was["estimate"]),
            *(was["se"], now["se"], was["n"], now["n"]),
        )
        for was, now in changed
    ]
    figures = ("before", "after", "difference", "se_before", "se_after", "n_before", "n_after")
    frame = pd.DataFrame(rows, columns=[*KEY, *figures]).astype(dict.fromkeys(figures, float))
    order = frame["difference"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)

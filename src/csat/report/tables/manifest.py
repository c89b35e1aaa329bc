"""Tables of what a report was made of, and of what has changed since an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from csat.questionnaire.settings import SERVICE_FILES
from csat.report.description import Cell, Column, Kind, Value
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.report.difference import Change, Revision
    from csat.report.manifest import Manifest

#: Digits of a hash that a page shows, characters of a text, rows of a table.
DIGITS, LONGEST, MOST = 16, 60, 40
#: Tables of a study whose first key is the code of something that has a text.
NAMED = ("items", "processes", "dimensions", "columns", "grades", "answers")


def manifest(result: Manifest, names: Names) -> Table:
    """A row per fact about the files, the settings and the software."""
    columns = (Column("what", Word("column.what")), Column("value", Word("column.value")))
    rows = tuple((Cell(Word(f"manifest.{what}")), Cell(value)) for what, value in _facts(result, names))
    return Table("manifest", Word("manifest.title"), columns, rows, names.lang, notes=(Word("manifest.full"),))


def _facts(result: Manifest, names: Names) -> Iterator[tuple[str, Value]]:
    for file in ("data", "study", *SERVICE_FILES):
        if file in result.files:
            yield file, _hash(result.files[file])
    yield "questionnaire", _hash(result.questionnaire)
    if "notebook" in result.files:
        yield "notebook", _hash(result.files["notebook"])
    sample, settings = result.sample, result.settings
    yield "rows", Word("manifest.rows_of", {"read": sample["rows_read"], "kept": sample["rows_kept"]})
    if settings["where"]:
        yield "where", _where(settings["where"], names)
    yield "respondents", f"{sample['respondents']:,}"
    yield "weights", _weights(sample["weights"], names)
    yield "on_unknown", Word(f"manifest.on_unknown_{settings['on_unknown']}")
    if settings["reading"]:
        yield "reading", ", ".join(f"{key} = {_text(value)}" for key, value in settings["reading"].items())
    yield "seed", f"{result.seed}"
    yield "software", ", ".join(f"{package} {number}" for package, number in result.versions.items())
    yield "figures", f"{len(result.figures):,}"


def _hash(entry: Mapping[str, Any]) -> Word:
    if entry["sha256"] is None:
        return Word("manifest.not_hashed")
    digits = entry["sha256"][:DIGITS]
    return Word("manifest.hash", {"name": entry["name"], "digits": digits}) if entry["name"] else _digits(digits)


def _digits(digits: str) -> Word:
    return Word("manifest.hash_only", {"digits": digits})


def _where(where: Mapping[str, Any], names: Names) -> str:
    listed = {column: value if isinstance(value, list) else [value] for column, value in where.items()}
    said = (f"{names.code(column)}: {names.listed(names.values(column, values))}" for column, values in listed.items())
    return "; ".join(said)


def _weights(weights: Mapping[str, Any] | None, names: Names) -> Word:
    if weights is None:
        return Word("manifest.unweighted")
    figures = {name: float(weights[name]) for name in ("low", "high", "sum")}
    return Word("manifest.weights_of", {"column": names.code(weights["column"]), **figures})


def changes(result: Revision, names: Names) -> Table:
    """A row per change of files, study, settings, sample and software."""
    heads = ("part", "place", "what", "before", "after")
    columns = tuple(Column(head, Word(f"since.{head}")) for head in heads)
    rows = tuple(
        (
            Cell(Word(f"since_part.{change.part}")),
            Cell(_place(change, names)),
            Cell(Word(f"since.{change.what}")),
            *(_side(value, change) for value in (change.before, change.after)),
        )
        for change in result.changes[:MOST]
    )
    more = Word("since.more_changes", {"count": MOST, "all": len(result.changes)})
    notes = (more,) if len(result.changes) > MOST else ()
    return Table("changes", Word("since.changes"), columns, rows, names.lang, notes=notes, label=1)


def _place(change: Change, names: Names) -> str:
    if change.part == "file":
        return words(names.lang).say(Word(f"manifest.{change.place[0]}"))
    first, *rest = change.place
    return " / ".join(
        [names.code(first) if change.part in NAMED else _key(first, names), *(_key(k, names) for k in rest)]
    )


def _key(key: str, names: Names) -> str:
    """Text of a key of a study or a manifest; a code of the study has its own."""
    known = f"since_key.{key}"
    return words(names.lang).say(Word(known)) if known in words(names.lang) else names.code(key)


def _side(value: Any, change: Change) -> Cell:
    if value is None:
        return Cell(applies=False)
    if change.part == "file":
        return Cell(_digits(str(value)[:DIGITS]))
    if change.part == "answers":
        return Cell(f"{value:.1%}")
    return Cell(_text(value))


def _text(value: Any) -> str:
    """A value of a study file as a line, shortened where it is long."""
    if isinstance(value, list | tuple):
        said = ", ".join(map(_text, value))
    else:
        said = f"{value:,.6g}" if isinstance(value, float) else str(value)
    said = " ".join(said.split())
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"


def figures(result: Revision, names: Names) -> Table:
    """The figures that were revised, the largest revision first."""
    kinds: dict[str, Kind] = {
        "before": "score", "after": "score", "difference": "score", "n_before": "count", "n_after": "count",
    }  # fmt: skip
    heads = {name: Word(f"since.{name}") for name in ("before", "after", "n_before", "n_after")}
    columns = (
        Column("period", Word("column.period")),
        Column("group", Word("column.group")),
        Column("term", Word("column.term")),
        *(Column(name, heads.get(name, Word(f"column.{name}")), kind) for name, kind in kinds.items()),
    )
    rows = tuple(
        (
            Cell(period_of(row, result, names)),
            Cell(names.value(row["by"], row["group"])) if row["by"] else Cell(Word("since_said.own_plain")),
            Cell(names.code(row["term"])),
            *(Cell(float(row[name])) for name in kinds),
        )
        for row in result.revised.head(MOST).to_dict("records")
    )
    all_of_them = len(result.revised)
    notes = [Word("since.more", {"count": MOST, "all": all_of_them})] if all_of_them > MOST else []
    kept = (*notes, Word("since.tolerance"))
    return Table("revised", Word("since.figures"), columns, rows, names.lang, notes=kept, label=2)


def period_of(row: Mapping[Any, Any], result: Revision, names: Names) -> str:
    """Text of the period of a figure."""
    column = result.after.settings["period_column"]
    return names.value(column, row["period"]) if column and row["period"] else str(row["period"])

"""A questionnaire as a codebook: an Excel workbook, or one CSV file, that says what a study file says.

The workbook has these sheets; each has one header row, and sheets that say nothing may be left out.

=========== =========================================== ===============================================
sheet       columns                                     one row per
=========== =========================================== ===============================================
study       key, value                                  setting: ``name``, ``outcome``, ``index``,
                                                        ``texts.zh``, ``design.weight``, ``report.by``,
                                                        ``model.syntax`` … (a bare key is one of [study];
                                                        lists are separated by ``;``)
scales      code, low, high, step, conversion           scale (step empty = 1, "any" = continuous)
levels      scale, value, zh, en, missing, score        answer level or missing code with a label, a
                                                        meaning (``dont_know`` …) or a grade score
items       code, scale, zh, en                         scaled question
processes   code, scale, zh, en                         business process
dimensions  code, weights, zh, en                       dimension (weights empty, "equal" or "estimated")
tree        parent, child, weight                       child of a dimension, in order
columns     code, kind, zh, en                          other column
values      column, value, zh, en                       category of a column
grades      code, score, from, zh, en                   grade, best first
targets     margin, category, target                    population figure that weights are to meet
                                                        (crossed margins ``sex:age``, ``f:18-34``; the
                                                        category stays empty for the total of a number)
=========== =========================================== ===============================================

The CSV file holds the same rows, with a first column ``table`` that names the sheet. It may be
separated by ``,`` ``;`` or tab, in UTF-8, UTF-16 or GB18030.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from csat.errors import QuestionnaireError, closest
from csat.questionnaire.cells import Table
from csat.questionnaire.decode import bytes_of, encoding_of, formulas_without_value, quoted
from csat.questionnaire.scales import LANGUAGES, number_in
from csat.questionnaire.settings import NUMBERS, SWITCHES

#: Sheet → its columns.
SHEETS: Mapping[str, tuple[str, ...]] = {
    "study": ("key", "value"),
    "scales": ("code", "low", "high", "step", "conversion"),
    "levels": ("scale", "value", "zh", "en", "missing", "score"),
    "items": ("code", "scale", "zh", "en"),
    "processes": ("code", "scale", "zh", "en"),
    "dimensions": ("code", "weights", "zh", "en"),
    "tree": ("parent", "child", "weight"),
    "columns": ("code", "kind", "zh", "en"),
    "values": ("column", "value", "zh", "en"),
    "grades": ("code", "score", "from", "zh", "en"),
    "targets": ("margin", "category", "target"),
}

#: Cells that hold numbers.
_NUMBERS = ("low", "high", "step", "score", "from", "weight", "target")

#: Settings that hold lists of texts, and lists of numbers.
_LISTS = ("design.replicates", "report.by", "report.against", "report.formats")
_NUMBER_LISTS = ("design.replicate_rscales", "weighting.bounds", "weighting.trim")

#: A row of a codebook: where it stands, and its filled cells.
Row = tuple[str, dict[str, str]]

#: Sheet → rows.
Sheets = Mapping[str, Sequence[Row]]


def read_codebook(path: Path) -> tuple[Table, dict[str, str]]:
    """Tables of a codebook, and table → where it stands in the file.

    Raises
    ------
    QuestionnaireError
        For anything the file gets wrong, naming sheet and row.
    """
    sheets = _workbook(path) if path.suffix.lower() == ".xlsx" else _csv(path)
    return _tables(sheets), _places(sheets)


def _tables(sheets: Sheets) -> dict[str, Any]:
    tables: dict[str, Any] = {"study": {}, **_settings(sheets.get("study", ()))}
    for name in ("scales", "items", "processes", "dimensions", "columns", "grades"):
        tables[name] = _keyed(name, sheets.get(name, ()))
    _add_levels(tables["scales"], sheets.get("levels", ()))
    _add_children(tables["dimensions"], sheets.get("tree", ()))
    _add_values(tables["columns"], sheets.get("values", ()))
    if sheets.get("targets"):
        tables.setdefault("weighting", {})["targets"] = _margins(sheets["targets"])
    return tables


def _places(sheets: Sheets) -> dict[str, str]:
    return {f"{name}.{row['code']}": place for name, rows in sheets.items() for place, row in rows if "code" in row}


def _settings(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    for place, row in rows:
        path = _cell(place, row, "key")
        first, _, rest = path.partition(".")
        table, key = (first, rest) if rest and first != "texts" else ("study", path)
        value: Any = _cell(place, row, "value")
        if path in _LISTS or path in _NUMBER_LISTS:
            value = [part.strip() for part in value.replace("；", ";").split(";") if part.strip()]
        if path in _NUMBER_LISTS:
            value = [_number(place, key, part) for part in value]
        if path in NUMBERS:
            value = _number(place, key, value)
        if path in SWITCHES:
            value = {"true": True, "false": False}.get(value.lower(), value)
        into = tables.setdefault(table, {})
        if key.startswith("texts."):
            into, key = into.setdefault("texts", {}), key.removeprefix("texts.")
        if key in into:
            raise QuestionnaireError.at(table, key, "is there twice.", place)
        into[key] = value
    return tables


def _keyed(name: str, rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """Code → its other cells."""
    tables: dict[str, dict[str, Any]] = {}
    for place, row in rows:
        code = _cell(place, row, "code")
        if code in tables:
            raise QuestionnaireError.at(f"{name}.{code}", None, "the code is used twice.", place)
        tables[code] = {key: _value(place, key, text) for key, text in row.items() if key != "code"}
    return tables


def _add_levels(scales: dict[str, dict[str, Any]], rows: Iterable[Row]) -> None:
    for place, row in rows:
        scale = _owner(place, row, "scale", scales)
        value = _cell(place, row, "value")
        texts = {lang: row[lang] for lang in LANGUAGES if lang in row}
        parts = {"missing": row.get("missing"), "labels": texts, "scores": _value(place, "score", row.get("score"))}
        for key, part in parts.items():
            if part is not None and part != {}:
                into = scale.setdefault(key, {})
                if value in into:
                    raise QuestionnaireError.at("levels", value, "is there twice for the same scale.", place)
                into[value] = part


def _add_children(dimensions: dict[str, dict[str, Any]], rows: Iterable[Row]) -> None:
    for place, row in rows:
        node = _owner(place, row, "parent", dimensions)
        node.setdefault("children", []).append(_cell(place, row, "child"))
        node.setdefault("given", []).append(_value(place, "weight", row.get("weight")))
    for code, node in dimensions.items():
        given = node.pop("given", [])
        if all(weight is None for weight in given):
            continue
        if None in given:
            child = node["children"][given.index(None)]
            raise QuestionnaireError.at(f"dimensions.{code}", "weight", f"{child!r} has none; give all or none.")
        if "weights" in node:
            raise QuestionnaireError.at(f"dimensions.{code}", "weights", "given twice: sheet tree holds weights too.")
        node["weights"] = given


def _add_values(columns: dict[str, dict[str, Any]], rows: Iterable[Row]) -> None:
    for place, row in rows:
        labels = _owner(place, row, "column", columns).setdefault("labels", {})
        value = _cell(place, row, "value")
        if value in labels:
            raise QuestionnaireError.at(f"columns.{row['column']}", value, "is there twice.", place)
        labels[value] = {lang: row[lang] for lang in LANGUAGES if lang in row}


def _margins(rows: Iterable[Row]) -> dict[str, Any]:
    """Column → category → target; a row without a category is the total of a number."""
    margins: dict[str, Any] = {}
    for place, row in rows:
        margin, target = _cell(place, row, "margin"), _number(place, "target", _cell(place, row, "target"))
        category = row.get("category")
        into = margins.setdefault(margin, target if category is None else {})
        both = isinstance(into, dict) is (category is None)
        if both or (category is not None and category in into) or (category is None and into is not target):
            raise QuestionnaireError.at(f"weighting.targets.{margin}", category, "is there twice.", place)
        if category is not None:
            into[category] = target
    return margins


def _cell(place: str, row: Mapping[str, str], key: str) -> str:
    if key not in row:
        raise QuestionnaireError.at("", key, "the cell is empty.", place)
    return row[key]


def _value(place: str, key: str, text: str | None) -> Any:
    """Cell as the study file would hold it: numbers as numbers."""
    if text is None or key not in _NUMBERS or (key == "step" and text == "any"):
        return text
    return _number(place, key, text)


def _number(place: str, key: str, text: str) -> float:
    number = number_in(text)
    if number is None:
        raise QuestionnaireError.at("", key, f"{quoted(text)} is not a number.", place)
    return number


def _owner(place: str, row: Mapping[str, str], key: str, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    code = _cell(place, row, key)
    if code not in known:
        raise QuestionnaireError.at("", key, f"no {key} {code!r}. Did you mean {closest(code, known)}?", place)
    return known[code]


def _workbook(path: Path) -> Sheets:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # noqa: BLE001 - openpyxl raises many kinds for a file that is no workbook
        raise QuestionnaireError.at("", None, f"cannot be opened as an Excel workbook ({error}).", path.name) from None
    sheets: dict[str, Sequence[Row]] = {}
    for sheet in book.worksheets:
        name = sheet.title.strip().lower()
        if name not in SHEETS:
            raise QuestionnaireError.at(
                "", None, f"sheet {sheet.title!r} is not known. Did you mean {closest(name, SHEETS)}?", path.name
            )
        empty = formulas_without_value(path, sheet._worksheet_path)
        if empty:
            raise QuestionnaireError.at(
                "",
                None,
                f"cell {empty[0]} holds a formula without its result; open the workbook in Excel and save it.",
                f"{path.name}, sheet {name!r}",
            )
        cells = [[_plain(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        sheets[name] = list(_rows(f"{path.name}, sheet {name!r}", SHEETS[name], cells))
    book.close()
    return sheets


def _csv(path: Path) -> Sheets:
    data = bytes_of(path)
    encoding = encoding_of(data)
    if encoding is None:
        raise QuestionnaireError.at("", None, "is neither UTF-8 nor GB18030 text; save it again as UTF-8.", path.name)
    text = data.decode(encoding)
    header = text.partition("\n")[0]
    try:
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True))
    except csv.Error as error:
        raise QuestionnaireError.at(
            "", None, f"is no table: a quotation mark is out of place ({error}).", path.name
        ) from None
    sheets: dict[str, list[Row]] = {}
    columns = tuple(dict.fromkeys(("table", *(column for known in SHEETS.values() for column in known))))
    for place, row in _rows(path.name, columns, cells):
        name = _cell(place, row, "table").lower()
        if name not in SHEETS:
            raise QuestionnaireError.at(
                "", "table", f"{name!r} is not known. Did you mean {closest(name, SHEETS)}?", place
            )
        stray = [key for key in row if key not in ("table", *SHEETS[name])]
        if stray:
            raise QuestionnaireError.at(
                name, stray[0], f"a row of this table has no such cell; it has {', '.join(SHEETS[name])}.", place
            )
        sheets.setdefault(name, []).append((place, {key: value for key, value in row.items() if key != "table"}))
    return sheets


def _rows(place: str, known: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[Row]:
    """Yield the filled cells by column name, for each row that is not blank."""
    header = [cell.strip().lower() for cell in cells[0]] if cells else []
    for name in header:
        if name and name not in known:
            raise QuestionnaireError.at(
                "", None, f"column {name!r} is not known. Did you mean {closest(name, known)}?", f"{place}, row 1"
            )
        if name and header.count(name) > 1:
            raise QuestionnaireError.at("", None, f"column {name!r} is there twice.", f"{place}, row 1")
    for number, row in enumerate(cells[1:], start=2):
        filled = {name: cell.strip() for name, cell in zip(header, row, strict=False) if name and cell.strip()}
        if filled:
            yield f"{place}, row {number}", filled


def _plain(cell: object) -> str:
    """Excel cell as text; whole numbers without a decimal point."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell)

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
from csat.questionnaire.asked import Questionnaire
from csat.questionnaire.decode import encoding_of
from csat.questionnaire.scales import LANGUAGES, number_in
from csat.questionnaire.tables import Table, tables_of

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
}

#: Cells that hold numbers.
_NUMBERS = ("low", "high", "step", "score", "from", "weight")

#: Settings that hold lists.
_LISTS = ("design.replicates", "design.replicate_rscales", "report.by", "report.against")

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


def write_codebook(questionnaire: Questionnaire, path: str | Path) -> None:
    """Write a questionnaire as a codebook that `read_questionnaire` reads back as equal.

    Parameters
    ----------
    questionnaire : to write.
    path : ending in .xlsx or .csv (UTF-8 with a mark, so that Excel shows Chinese).

    Raises
    ------
    QuestionnaireError
        For another ending.
    """
    target = Path(path)
    rows = _rows_of(tables_of(questionnaire))
    if target.suffix.lower() == ".xlsx":
        _write_workbook(rows, target)
    elif target.suffix.lower() == ".csv":
        _write_csv(rows, target)
    else:
        raise QuestionnaireError.at("", None, "a codebook is a .xlsx or .csv file.", target.name)


def _tables(sheets: Sheets) -> dict[str, Any]:
    tables: dict[str, Any] = {"study": {}, **_settings(sheets.get("study", ()))}
    for name in ("scales", "items", "processes", "dimensions", "columns", "grades"):
        tables[name] = _keyed(name, sheets.get(name, ()))
    _add_levels(tables["scales"], sheets.get("levels", ()))
    _add_children(tables["dimensions"], sheets.get("tree", ()))
    _add_values(tables["columns"], sheets.get("values", ()))
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
        if path in _LISTS:
            value = [part.strip() for part in value.replace("；", ";").split(";") if part.strip()]
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


def _cell(place: str, row: Mapping[str, str], key: str) -> str:
    if key not in row:
        raise QuestionnaireError.at("", key, "the cell is empty.", place)
    return row[key]


def _value(place: str, key: str, text: str | None) -> Any:
    """Cell as the study file would hold it: numbers as numbers."""
    if text is None or key not in _NUMBERS or (key == "step" and text == "any"):
        return text
    number = number_in(text)
    if number is None:
        raise QuestionnaireError.at("", key, f"{text!r} is not a number.", place)
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
        cells = [[_plain(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        sheets[name] = list(_rows(f"{path.name}, sheet {name!r}", SHEETS[name], cells))
    book.close()
    return sheets


def _csv(path: Path) -> Sheets:
    data = path.read_bytes()
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


def _rows_of(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Sheet → rows, the reverse of `_tables`."""
    plain = ("items", "processes", "grades")
    rows: dict[str, list[dict[str, Any]]] = {
        name: [{"code": code, **table} for code, table in tables[name].items()] for name in plain
    }
    rows["study"] = _setting_rows(tables)
    rows["scales"] = [_pick("scales", {"code": name, **scale}) for name, scale in tables["scales"].items()]
    rows["levels"] = [row for name, scale in tables["scales"].items() for row in _level_rows(name, scale)]
    rows["dimensions"] = [_dimension_row(code, node) for code, node in tables["dimensions"].items()]
    rows["tree"] = [row for code, node in tables["dimensions"].items() for row in _child_rows(code, node)]
    rows["columns"] = [_pick("columns", {"code": code, **column}) for code, column in tables["columns"].items()]
    rows["values"] = [
        {"column": code, "value": value, **texts}
        for code, column in tables["columns"].items()
        for value, texts in column.get("labels", {}).items()
    ]
    return rows


def _pick(sheet: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in SHEETS[sheet] if key in row}


def _setting_rows(tables: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    study = {**tables["study"], **{f"texts.{lang}": text for lang, text in tables["study"].get("texts", {}).items()}}
    settings = {key: value for key, value in study.items() if key != "texts"}
    for name in ("design", "fuzzy", "report", "model"):
        settings |= {f"{name}.{key}": value for key, value in tables[name].items()}
    return [
        {"key": key, "value": "; ".join(value) if isinstance(value, list) else value} for key, value in settings.items()
    ]


def _level_rows(name: str, scale: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    labels, missing, scores = scale["labels"], scale["missing"], scale.get("scores", {})
    for value in dict.fromkeys((*labels, *missing, *scores)):
        extra = {"missing": missing.get(value), "score": scores.get(value)}
        yield {
            "scale": name,
            "value": value,
            **labels.get(value, {}),
            **{k: v for k, v in extra.items() if v is not None},
        }


def _dimension_row(code: str, node: Mapping[str, Any]) -> dict[str, Any]:
    row = {"code": code, **node}
    if not isinstance(row.get("weights"), str):
        row.pop("weights", None)
    return _pick("dimensions", row)


def _child_rows(code: str, node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    weights = node.get("weights", {})
    for child in node["children"]:
        given = {} if isinstance(weights, str) or not weights else {"weight": weights[child]}
        yield {"parent": code, "child": child, **given}


def _write_workbook(rows: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, columns in SHEETS.items():
        sheet = book.create_sheet(name)
        sheet.append(columns)
        for number, row in enumerate(rows[name], start=2):
            for place, column in enumerate(columns, start=1):
                cell = sheet.cell(number, place, row.get(column))
                if isinstance(row.get(column), str):
                    cell.data_type = "s"  # else a text that begins with "=" becomes a formula
    book.save(path)


def _write_csv(rows: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    columns = tuple(dict.fromkeys(("table", *(column for known in SHEETS.values() for column in known))))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({"table": name, **row} for name in SHEETS for row in rows[name])

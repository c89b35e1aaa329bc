"""Write a questionnaire as a codebook; `csat.questionnaire.codebook` describes the format and reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from csat.errors import QuestionnaireError
from csat.questionnaire.asked import Questionnaire
from csat.questionnaire.codebook import SHEETS
from csat.questionnaire.tables import tables_of


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
    rows["targets"] = [
        row for margin, given in tables["weighting"].get("targets", {}).items() for row in _target_rows(margin, given)
    ]
    rows["values"] = [
        {"column": code, "value": value, **texts}
        for code, column in tables["columns"].items()
        for value, texts in column.get("labels", {}).items()
    ]
    return rows


def _target_rows(margin: str, given: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(given, Mapping):
        yield {"margin": margin, "target": given}
        return
    yield from ({"margin": margin, "category": category, "target": figure} for category, figure in given.items())


def _pick(sheet: str, row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in SHEETS[sheet] if key in row}


def _setting_rows(tables: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    study = {**tables["study"], **{f"texts.{lang}": text for lang, text in tables["study"].get("texts", {}).items()}}
    settings = {key: value for key, value in study.items() if key != "texts"}
    for name in ("design", "fuzzy", "bases", "report", "model", "weighting"):
        settings |= {f"{name}.{key}": value for key, value in tables[name].items()}
    settings.pop("weighting.targets", None)
    service = tables.get("service", {})
    settings |= {f"service.{key}": value for key, value in service.items() if key not in ("texts", "about")}
    settings |= {f"service.about.{cause}": node for cause, node in service.get("about", {}).items()}
    for term, texts in service.get("texts", {}).items():
        settings |= {f"service.texts.{term}.{lang}": text for lang, text in texts.items()}
    return [{"key": key, "value": _setting(value)} for key, value in settings.items()]


def _setting(value: Any) -> Any:
    """Setting as one cell: lists with semicolons, truth values as words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(part if isinstance(part, str) else repr(part) for part in value)
    return value


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

"""Between the nested tables of a study file and a `Questionnaire`.

TOML and the codebook both arrive here, so they mean the same by construction. Every function that
reads takes the table's name, so that an error names table and key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from csat.bases import Bases
from csat.errors import QuestionnaireError, closest
from csat.questionnaire.asked import Questionnaire
from csat.questionnaire.cells import (
    Table,
    check_keys,
    coded_at,
    number_at,
    optional_text,
    shown,
    spoken_in,
    table_at,
    tables_at,
    text_at,
    texts_at,
    word_of,
    words_at,
)
from csat.questionnaire.parts import GRADES, Column, Dimension, Grade, Item, Process
from csat.questionnaire.scales import LANGUAGES, Scale
from csat.questionnaire.settings import (
    bases_from,
    design_from,
    design_table,
    fuzzy_from,
    model_from,
    report_from,
    service_from,
)

#: Tables of a study file.
TABLES = (
    "study",
    "design",
    "scales",
    "items",
    "processes",
    "dimensions",
    "columns",
    "grades",
    "fuzzy",
    "bases",
    "model",
    "report",
    "weighting",
    "service",
)


def questionnaire_from(tables: Table) -> Questionnaire:
    """Build and check a questionnaire.

    Parameters
    ----------
    tables : as in a study file: ``{"study": {...}, "scales": {"ten": {...}}, ...}``.

    Raises
    ------
    QuestionnaireError
        Naming table and key.
    """
    check_keys("", tables, TABLES)
    study = table_at(tables, "study")
    check_keys("study", study, ("name", "texts", "outcome", "index"))
    scales = {name: _scale(name, table) for name, table in tables_at(tables, "scales")}
    dimensions = tuple(_dimension(code, table) for code, table in tables_at(tables, "dimensions"))
    return Questionnaire(
        name=text_at("study", study, "name"),
        texts=texts_at("study.texts", table_at(study, "texts", "study.texts")),
        scales=tuple(scales.values()),
        items=tuple(_question(Item, "items", code, table, scales) for code, table in tables_at(tables, "items")),
        processes=tuple(
            _question(Process, "processes", code, table, scales) for code, table in tables_at(tables, "processes")
        ),
        dimensions=dimensions,
        columns=tuple(_column(code, table) for code, table in tables_at(tables, "columns")),
        root=optional_text("study", study, "index") or _top(dimensions),
        grades=tuple(_grade(code, table) for code, table in tables_at(tables, "grades")) or GRADES,
        outcome=optional_text("study", study, "outcome"),
        model=model_from(table_at(tables, "model")),
        design=design_from(table_at(tables, "design")),
        fuzzy=fuzzy_from(table_at(tables, "fuzzy")),
        bases=bases_from(table_at(tables, "bases")),
        settings=report_from(table_at(tables, "report")),
        weighting=table_at(tables, "weighting"),
        service=service_from(table_at(tables, "service")),
    )


def tables_of(asked: Questionnaire) -> dict[str, dict[str, Any]]:
    """Tables that `questionnaire_from` turns into the same questionnaire."""
    study = {"name": asked.name, "texts": dict(asked.texts), "outcome": asked.outcome, "index": asked.root}
    return {
        "study": {key: value for key, value in study.items() if value},
        "design": design_table(asked.design),
        "scales": {scale.name: _scale_table(scale) for scale in asked.scales},
        "items": {item.code: {"scale": item.scale.name, **item.texts} for item in asked.items},
        "processes": {process.code: {"scale": process.scale.name, **process.texts} for process in asked.processes},
        "dimensions": {node.code: _dimension_table(node) for node in asked.dimensions},
        "columns": {column.code: _column_table(column) for column in asked.columns},
        "grades": {grade.code: {"score": grade.score, "from": grade.cut, **grade.texts} for grade in asked.grades},
        "model": {} if asked.model is None else {"syntax": asked.model},
        "fuzzy": dict(asked.fuzzy),
        "bases": {} if asked.bases == Bases() else {"suppress": asked.bases.suppress, "flag": asked.bases.flag},
        "report": dict(asked.settings),
        "weighting": dict(asked.weighting),
        **({"service": dict(asked.service)} if asked.service else {}),
    }


def _scale_table(scale: Scale) -> dict[str, Any]:
    table: dict[str, Any] = {"low": scale.low, "high": scale.high, "step": "any" if scale.step is None else scale.step}
    table |= {"conversion": scale.conversion, "missing": {f"{code!r}": why for code, why in scale.missing.items()}}
    table["labels"] = {f"{code!r}": dict(texts) for code, texts in scale.labels.items()}
    if scale.scores is not None:
        table["scores"] = {f"{level!r}": score for level, score in scale.scores.items()}
    return table


def _dimension_table(node: Dimension) -> dict[str, Any]:
    table: dict[str, Any] = {**node.texts, "children": list(node.children)}
    if node.weights is not None:
        table["weights"] = dict(zip(node.children, node.weights, strict=True))
    elif node.estimated:
        table["weights"] = "estimated"
    return table


def _column_table(column: Column) -> dict[str, Any]:
    labels = {code: dict(texts) for code, texts in column.labels.items()}
    return {"kind": column.kind, **column.texts} | ({"labels": labels} if labels else {})


def _top(dimensions: Sequence[Dimension]) -> str | None:
    """Find the dimension that is nobody's child, if there is exactly one."""
    children = {child for node in dimensions for child in node.children}
    tops = [node.code for node in dimensions if node.code not in children]
    return tops[0] if len(tops) == 1 else None


def _scale(name: str, table: Table) -> Scale:
    where = f"scales.{name}"
    check_keys(where, table, tuple(part.name for part in fields(Scale) if part.name != "name"))
    step = table.get("step", 1.0)
    scores = coded_at(where, table, "scores") if "scores" in table else None
    return Scale(
        name=name,
        low=number_at(where, table, "low"),
        high=number_at(where, table, "high"),
        step=None if step == "any" else number_at(where, {"step": step}, "step"),
        missing={code: word_of(where, "missing", why) for code, why in coded_at(where, table, "missing").items()},
        labels={code: texts_at(f"{where}.labels", texts) for code, texts in coded_at(where, table, "labels").items()},
        conversion=optional_text(where, table, "conversion") or "linear",
        scores=None
        if scores is None
        else {level: number_at(where, {"scores": s}, "scores") for level, s in scores.items()},
    )


def _question(kind: type[Any], room: str, code: str, table: Table, scales: Mapping[str, Scale]) -> Any:
    where = f"{room}.{code}"
    check_keys(where, table, ("scale", *LANGUAGES))
    scale = text_at(where, table, "scale")
    if scale not in scales:
        raise QuestionnaireError.at(where, "scale", f"no scale {scale!r}. Did you mean {closest(scale, scales)}?")
    return kind(code, scales[scale], spoken_in(where, table))


def _column(code: str, table: Table) -> Column:
    where = f"columns.{code}"
    check_keys(where, table, ("kind", "labels", *LANGUAGES))
    labels = table_at(table, "labels", f"{where}.labels")
    return Column(
        code,
        optional_text(where, table, "kind") or "category",
        spoken_in(where, table),
        {value: texts_at(f"{where}.labels.{value}", texts) for value, texts in labels.items()},
    )


def _dimension(code: str, table: Table) -> Dimension:
    where = f"dimensions.{code}"
    check_keys(where, table, ("children", "weights", *LANGUAGES))
    children, weights = table.get("children"), table.get("weights", "equal")
    if isinstance(children, Mapping):
        if "weights" in table:
            raise QuestionnaireError.at(where, "weights", "given twice: children = { … } holds weights already.")
        children, weights = list(children), children
    names = words_at(where, {"children": children}, "children")
    return Dimension(code, spoken_in(where, table), names, _weights(where, names, weights), weights == "estimated")


def _weights(where: str, children: Sequence[str], weights: Any) -> tuple[float, ...] | None:
    if isinstance(weights, str):
        if weights not in ("equal", "estimated"):
            raise QuestionnaireError.at(
                where,
                "weights",
                f'{shown(weights)} is not known; write "equal", "estimated", a list or a table of numbers.',
            )
        return None
    if isinstance(weights, Mapping):
        different = sorted(set(weights) ^ set(children))
        if different:
            raise QuestionnaireError.at(
                where, "weights", f"{different[0]!r} is not among both weights and children ({', '.join(children)})."
            )
        weights = [weights[child] for child in children]
    if not isinstance(weights, Sequence):
        raise QuestionnaireError.at(where, "weights", f"{shown(weights)} is neither a list nor a table of numbers.")
    return tuple(number_at(where, {"weights": weight}, "weights") for weight in weights)


def _grade(code: str, table: Table) -> Grade:
    where = f"grades.{code}"
    check_keys(where, table, ("score", "from", *LANGUAGES))
    return Grade(code, spoken_in(where, table), number_at(where, table, "score"), number_at(where, table, "from"))

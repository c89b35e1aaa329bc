"""Between the nested tables of a study file and a `Questionnaire`.

TOML and the codebook both arrive here, so they mean the same by construction. Every function that
reads takes the table's name, so that an error names table and key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from csat.design import Design, Replication
from csat.errors import DesignError, OptionError, QuestionnaireError, closest
from csat.questionnaire.asked import Questionnaire
from csat.questionnaire.parts import GRADES, Column, Dimension, Grade, Item, Process
from csat.questionnaire.scales import LANGUAGES, Scale, Texts, number_in

#: A table of a study file: key → value.
Table = Mapping[str, Any]

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
    "model",
    "report",
)

#: Keys of [report] that hold one text, and those that hold a list.
_REPORT_TEXT = ("own", "peer_column", "period_column", "period")
_REPORT_LIST = ("by", "against")

#: Keys of [fuzzy] and what each can be.
FUZZY: Mapping[str, tuple[str, ...]] = {
    "membership": ("share", "triangular"),
    "operator": ("weighted-average", "min-max", "product-max", "min-sum", "product-sum"),
}

#: Numbers beyond this are mistakes.
_LARGEST = 1e300

_DESIGN_TEXT = ("weight", "stratum", "psu", "fpc")

#: Keys of [design] about replicate weights that hold a number → fields of `Replication`.
_REPLICATION = {
    "replicate_size": "size",
    "replicate_seed": "seed",
    "replicate_rho": "rho",
    "replicate_scale": "scale",
    "replicate_df": "df",
}


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
    _known("", tables, TABLES)
    study = _table(tables, "study")
    _known("study", study, ("name", "texts", "outcome", "index"))
    scales = {name: _scale(name, table) for name, table in _tables(tables, "scales")}
    dimensions = tuple(_dimension(code, table) for code, table in _tables(tables, "dimensions"))
    return Questionnaire(
        name=_text("study", study, "name"),
        texts=_texts("study.texts", _table(study, "texts", "study.texts")),
        scales=tuple(scales.values()),
        items=tuple(_question(Item, "items", code, table, scales) for code, table in _tables(tables, "items")),
        processes=tuple(
            _question(Process, "processes", code, table, scales) for code, table in _tables(tables, "processes")
        ),
        dimensions=dimensions,
        columns=tuple(_column(code, table) for code, table in _tables(tables, "columns")),
        root=_optional_text("study", study, "index") or _top(dimensions),
        grades=tuple(_grade(code, table) for code, table in _tables(tables, "grades")) or GRADES,
        outcome=_optional_text("study", study, "outcome"),
        model=_model(_table(tables, "model")),
        design=_design(_table(tables, "design")),
        fuzzy=_fuzzy(_table(tables, "fuzzy")),
        settings=_settings(_table(tables, "report")),
    )


def tables_of(asked: Questionnaire) -> dict[str, dict[str, Any]]:
    """Tables that `questionnaire_from` turns into the same questionnaire."""
    study = {"name": asked.name, "texts": dict(asked.texts), "outcome": asked.outcome, "index": asked.root}
    return {
        "study": {key: value for key, value in study.items() if value},
        "design": _design_table(asked.design),
        "scales": {scale.name: _scale_table(scale) for scale in asked.scales},
        "items": {item.code: {"scale": item.scale.name, **item.texts} for item in asked.items},
        "processes": {process.code: {"scale": process.scale.name, **process.texts} for process in asked.processes},
        "dimensions": {node.code: _dimension_table(node) for node in asked.dimensions},
        "columns": {column.code: _column_table(column) for column in asked.columns},
        "grades": {grade.code: {"score": grade.score, "from": grade.cut, **grade.texts} for grade in asked.grades},
        "model": {} if asked.model is None else {"syntax": asked.model},
        "fuzzy": dict(asked.fuzzy),
        "report": dict(asked.settings),
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
    _known(where, table, tuple(part.name for part in fields(Scale) if part.name != "name"))
    step = table.get("step", 1.0)
    scores = _coded(where, table, "scores") if "scores" in table else None
    return Scale(
        name=name,
        low=_number(where, table, "low"),
        high=_number(where, table, "high"),
        step=None if step == "any" else _number(where, {"step": step}, "step"),
        missing={code: _word(where, "missing", why) for code, why in _coded(where, table, "missing").items()},
        labels={code: _texts(f"{where}.labels", texts) for code, texts in _coded(where, table, "labels").items()},
        conversion=_optional_text(where, table, "conversion") or "linear",
        scores=None
        if scores is None
        else {level: _number(where, {"scores": s}, "scores") for level, s in scores.items()},
    )


def _question(kind: type[Any], room: str, code: str, table: Table, scales: Mapping[str, Scale]) -> Any:
    where = f"{room}.{code}"
    _known(where, table, ("scale", *LANGUAGES))
    scale = _text(where, table, "scale")
    if scale not in scales:
        raise QuestionnaireError.at(where, "scale", f"no scale {scale!r}. Did you mean {closest(scale, scales)}?")
    return kind(code, scales[scale], _spoken(where, table))


def _column(code: str, table: Table) -> Column:
    where = f"columns.{code}"
    _known(where, table, ("kind", "labels", *LANGUAGES))
    labels = _table(table, "labels", f"{where}.labels")
    return Column(
        code,
        _optional_text(where, table, "kind") or "category",
        _spoken(where, table),
        {value: _texts(f"{where}.labels.{value}", texts) for value, texts in labels.items()},
    )


def _dimension(code: str, table: Table) -> Dimension:
    where = f"dimensions.{code}"
    _known(where, table, ("children", "weights", *LANGUAGES))
    children, weights = table.get("children"), table.get("weights", "equal")
    if isinstance(children, Mapping):
        if "weights" in table:
            raise QuestionnaireError.at(where, "weights", "given twice: children = { … } holds weights already.")
        children, weights = list(children), children
    names = _words(where, {"children": children}, "children")
    return Dimension(code, _spoken(where, table), names, _weights(where, names, weights), weights == "estimated")


def _weights(where: str, children: Sequence[str], weights: Any) -> tuple[float, ...] | None:
    if isinstance(weights, str):
        if weights not in ("equal", "estimated"):
            raise QuestionnaireError.at(
                where, "weights", f'{weights!r} is not known; write "equal", "estimated", a list or a table of numbers.'
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
        raise QuestionnaireError.at(where, "weights", f"{weights!r} is neither a list nor a table of numbers.")
    return tuple(_number(where, {"weights": weight}, "weights") for weight in weights)


def _grade(code: str, table: Table) -> Grade:
    where = f"grades.{code}"
    _known(where, table, ("score", "from", *LANGUAGES))
    return Grade(code, _spoken(where, table), _number(where, table, "score"), _number(where, table, "from"))


def _model(table: Table) -> str | None:
    _known("model", table, ("syntax",))
    syntax = _optional_text("model", table, "syntax")
    return None if syntax is None else syntax.strip()


def _design(table: Table) -> Design:
    _known(
        "design", table, (*_DESIGN_TEXT, "lone_psu", "replicates", "replicate_kind", "replicate_rscales", *_REPLICATION)
    )
    weight, stratum, psu, fpc = (_optional_text("design", table, key) for key in _DESIGN_TEXT)
    try:
        return Design(
            weight=weight,
            stratum=stratum,
            psu=psu,
            fpc=fpc,
            replicates=_words("design", table, "replicates") if "replicates" in table else (),
            lone_psu=_optional_text("design", table, "lone_psu") or "fail",
            replication=_replication(table),
        )
    except (DesignError, OptionError) as error:
        raise QuestionnaireError.at("design", None, str(error)) from None


def _replication(table: Table) -> Replication | None:
    kind = _optional_text("design", table, "replicate_kind")
    given = {field: _number("design", table, key) for key, field in _REPLICATION.items() if key in table}
    whole = {field: int(value) for field, value in given.items() if field in ("size", "seed")}
    if kind is None:
        if given:
            raise QuestionnaireError.at("design", "replicate_kind", "is missing; say which kind the replicates are.")
        return None
    made: dict[str, Any] = given | whole
    if "replicate_rscales" in table:
        made["rscales"] = [float(number) for number in _words("design", table, "replicate_rscales")]
    return Replication(kind, **made)


def _design_table(design: Design) -> dict[str, Any]:
    table: dict[str, Any] = {key: getattr(design, key) for key in _DESIGN_TEXT if getattr(design, key) is not None}
    if design.lone_psu != "fail":
        table["lone_psu"] = design.lone_psu
    if design.replicates:
        table["replicates"] = list(design.replicates)
    made = design.replication
    if made is not None:
        table["replicate_kind"] = made.kind
        table |= {key: getattr(made, field) for key, field in _REPLICATION.items() if getattr(made, field) is not None}
        if made.rscales is not None:
            table["replicate_rscales"] = [f"{factor!r}" for factor in made.rscales]
    return table


def _fuzzy(table: Table) -> dict[str, str]:
    _known("fuzzy", table, tuple(FUZZY))
    for key in table:
        if _text("fuzzy", table, key) not in FUZZY[key]:
            raise QuestionnaireError.at("fuzzy", key, f"{table[key]!r} is none of {', '.join(FUZZY[key])}.")
    return {key: _text("fuzzy", table, key) for key in table}


def _settings(table: Table) -> dict[str, Any]:
    _known("report", table, (*_REPORT_TEXT, *_REPORT_LIST))
    return {
        key: _text("report", table, key) if key in _REPORT_TEXT else list(_words("report", table, key)) for key in table
    }


def _known(where: str, table: Table, known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            raise QuestionnaireError.unknown_key(where, key, known)


def _table(parent: Table, key: str, where: str = "") -> Table:
    """Table `key` of `parent`, empty if it is not there."""
    table = parent.get(key, {})
    if not isinstance(table, Mapping):
        raise QuestionnaireError.at(where or key, None, f"must be a table of keys and values, not {table!r}.")
    return table


def _tables(tables: Table, room: str) -> list[tuple[str, Table]]:
    parent = _table(tables, room)
    return [(code, _table(parent, code, f"{room}.{code}")) for code in parent]


def _number(where: str, table: Table, key: str) -> float:
    value = table.get(key, MISSING)
    if value is MISSING:
        raise QuestionnaireError.at(where, key, "is missing; write a number.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise QuestionnaireError.at(where, key, f"{value!r} is not a number.")
    if not abs(value) <= _LARGEST:
        raise QuestionnaireError.at(where, key, f"is no finite number below {_LARGEST:g}.")
    return float(value)


def _word(where: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise QuestionnaireError.at(where, key, f"{value!r} is not a text.")
    return value


def _text(where: str, table: Table, key: str) -> str:
    if key not in table:
        raise QuestionnaireError.at(where, key, "is missing; write a text.")
    return _word(where, key, table[key])


def _optional_text(where: str, table: Table, key: str) -> str | None:
    return _text(where, table, key) if key in table else None


def _words(where: str, table: Table, key: str) -> tuple[str, ...]:
    """Read a list of texts; one text alone counts as a list of one."""
    value = table.get(key)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence):
        raise QuestionnaireError.at(where, key, 'must be a list of texts, such as ["a", "b"].')
    return tuple(_word(where, key, word) for word in value)


def _texts(where: str, table: Any) -> Texts:
    if not isinstance(table, Mapping):
        raise QuestionnaireError.at(
            where, None, f"must hold a text per language ({', '.join(LANGUAGES)}), not {table!r}."
        )
    _known(where, table, LANGUAGES)
    return _spoken(where, table)


def _spoken(where: str, table: Table) -> Texts:
    return {lang: _text(where, table, lang) for lang in LANGUAGES if lang in table}


def _coded(where: str, table: Table, key: str) -> dict[float, Any]:
    """Map number → value, from a table whose keys spell numbers."""
    coded: dict[float, Any] = {}
    for text, value in _table(table, key, f"{where}.{key}").items():
        code = number_in(text)
        if code is None:
            raise QuestionnaireError.at(f"{where}.{key}", text, "is not a number; keys here are answer codes.")
        if isinstance(value, Mapping) and any(number_in(inner) is not None for inner in value):
            raise QuestionnaireError.at(f"{where}.{key}", text, 'put decimal codes in quotes: "0.5" = ….')
        if code in coded:
            raise QuestionnaireError.at(f"{where}.{key}", text, f"code {code:g} is there twice.")
        coded[code] = value
    return coded
